"""How many prompts come back from the editor's format as they were; the tests and ``make parity`` ask."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import field, frozen

from comfyclient.workflow.editor import to_api, to_editor
from tests.editor.answers import canonical

if TYPE_CHECKING:
    from collections.abc import Callable

Prompt: TypeAlias = Mapping[str, Any]


@frozen
class Figure:
    """The outcome.

    Attributes:
        total: How many prompts there were.
        differing: Those that came back otherwise, or not at all: their names, and what is different first.
    """

    total: int
    differing: Mapping[str, str] = field(factory=dict)

    @property
    def same(self) -> int:
        """How many came back as they were."""
        return self.total - len(self.differing)

    def __str__(self) -> str:
        return f"{self.same} of {self.total}"


def measure(
    prompts: Mapping[str, Prompt],
    catalog: Mapping[str, Any],
    export: Callable[[Mapping[str, Any]], Prompt] | None = None,
) -> Figure:
    """Save every prompt for the editor, have it exported, and compare: nodes, classes, titles and inputs.

    Args:
        prompts: The prompts by name.
        catalog: The server's ``/object_info``.
        export: What exports a save file: ``Editor.export``, or our own conversion unless given.
    """
    differing = {}
    for name, prompt in prompts.items():
        wanted = _as_json(prompt)
        try:
            saved = _as_json(to_editor(wanted, catalog))
            got = to_api(saved, catalog) if export is None else export(saved)
        except Exception as error:  # noqa: BLE001 - one of them must not end the survey
            differing[name] = repr(error)
            continue
        if (difference := first_difference(wanted, got)) is not None:
            differing[name] = difference
    return Figure(len(prompts), differing)


def first_difference(wanted: Prompt, got: Prompt) -> str | None:
    """What is different first; None if nothing is."""
    for node_id in sorted({*wanted, *got}):
        if node_id not in got or node_id not in wanted:
            return f"node {node_id} is {'missing' if node_id in wanted else 'new'}"
        one, other = wanted[node_id], got[node_id]
        for part, pair in {
            "class": [each.get("class_type") for each in (one, other)],
            "title": [each.get("_meta", {}).get("title") for each in (one, other)],
        }.items():
            if pair[0] != pair[1]:
                return f"node {node_id}: its {part} {pair[0]!r} became {pair[1]!r}"
        for name in sorted({*one["inputs"], *other["inputs"]}):
            pair = [json.dumps(each["inputs"].get(name, "(none)"), sort_keys=True) for each in (one, other)]
            if canonical(one["inputs"].get(name, "(none)")) != canonical(other["inputs"].get(name, "(none)")):
                return f"node {node_id} ({one['class_type']}): {name} {pair[0][:80]} became {pair[1][:80]}"
    return None


def _as_json(value: Any) -> Any:
    """As it is when it was written and read: JSON has no NaN, for which the editor writes null."""
    return json.loads(json.dumps(value), parse_constant=lambda _: None)
