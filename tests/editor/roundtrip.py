"""How many prompts come back from the editor's format as they were; the tests and ``make parity`` ask."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import field, frozen

from comfyclient.workflow.editor import to_api, to_editor
from tests.editor import answers

if TYPE_CHECKING:
    from collections.abc import Callable

Prompt: TypeAlias = Mapping[str, Any]

CHANGED = {
    "names of other nodes' values in names of files": "the editor replaces one that it left alone before",
    "a bypassed node before an input that has a type in the file only": "the editor cuts a link of the wrong type",
    "three-dimensional views, where no window shows them": "a preview is turned only once it has shown something",
}
"""Our own graphs (by what they show) whose prompts cannot come back, and why."""


@frozen
class Figure:
    """The outcome.

    Attributes:
        total: How many prompts there were.
        differing: Those that came back otherwise, or not at all: their names, and what is different.
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
        if lines := answers.differences(_as_json(got), wanted):
            differing[name] = "\n".join(lines)
    return Figure(len(prompts), differing)


def _as_json(value: Any) -> Any:
    """As it is when it was written and read: JSON has no NaN, for which the editor writes null."""
    return json.loads(json.dumps(value), parse_constant=lambda _: None)
