"""What distinguishes two workflows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from comfyclient._pixels import is_array
from comfyclient.workflow.node import Node, label
from comfyclient.workflow.wording import shown

if TYPE_CHECKING:
    from comfyclient.workflow.document import Workflow


class _Absent:
    """No value at all, which is something else than null."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT: Final = _Absent()
"""Stands where there is no value at all."""


@frozen
class Change:
    """One thing that is different in a node that both workflows have.

    Attributes:
        node_id: The node.
        label: What messages call it.
        part: Where it is: ``"inputs"``, ``"class_type"``, or ``"_meta"`` for the title.
        name: The input's name, or ``"title"``; ``""`` for what has no names in it.
        before: The value in the one workflow, or ``ABSENT``.
        after: The value in the other one, or ``ABSENT``.
    """

    node_id: str
    label: str
    part: str
    name: str
    before: Any
    after: Any

    def __str__(self) -> str:
        """Such as ``6 'Positive' (CLIPTextEncode): text: 'a cat' -> 'a fox'``."""
        what = f"{self.label}: {self.name if self.part == 'inputs' else f'its {self.name or self.part}'}"
        if self.before is ABSENT:
            return f"{what}: {shown(self.after)} (new)"
        if self.after is ABSENT:
            return f"{what}: {shown(self.before)} (gone)"
        return f"{what}: {shown(self.before)} -> {shown(self.after)}"


@frozen
class Diff:
    """What has to change in one workflow for it to be another. False if that is nothing; ``str`` is a text to read.

    Attributes:
        added: The nodes that only the other one has.
        removed: The nodes that only the first one has.
        changed: What is different in the nodes that both have.
    """

    added: tuple[Node, ...]
    removed: tuple[Node, ...]
    changed: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def __str__(self) -> str:
        """A line for every node that is new (``+``) or gone (``-``), and for every change."""
        lines = [f"{sign} {label(node)}" for sign, nodes in (("-", self.removed), ("+", self.added)) for node in nodes]
        return "\n".join(lines + [f"  {change}" for change in self.changed]) or "no difference"


def diff(before: Workflow, after: Workflow) -> Diff:
    """See ``Workflow.diff``."""
    before, after = before.copy(), after.copy()  # which nobody edits any more
    one, other = before.to_api(), after.to_api()
    both = [node_id for node_id in one if node_id in other]
    return Diff(
        added=tuple(after[node_id] for node_id in other if node_id not in one),
        removed=tuple(before[node_id] for node_id in one if node_id not in other),
        changed=tuple(change for node_id in both for change in _changes(after[node_id], one[node_id], other[node_id])),
    )


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same in JSON, where true is not 1."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if is_array(one) or is_array(other):  # an image, which is compared pixel by pixel otherwise
        return one is other
    return one is other or (isinstance(one, bool) == isinstance(other, bool) and bool(one == other))


def _changes(node: Node, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    changes: list[Change] = []
    for part in dict.fromkeys((*before, *after)):
        one, other = before.get(part, ABSENT), after.get(part, ABSENT)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            pairs = [(name, one.get(name, ABSENT), other.get(name, ABSENT)) for name in dict.fromkeys((*one, *other))]
        else:
            pairs = [("", one, other)]
        changes += [
            Change(node.id, label(node), part, name, old, new) for name, old, new in pairs if not same(old, new)
        ]
    return changes
