"""What the editor saved, kept beside the workflow that is made from it."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from comfyclient.errors import WorkflowError
from comfyclient.workflow.catalog import definitions

if TYPE_CHECKING:
    from comfyclient.workflow.catalog import Catalog


@frozen
class Origin:
    """A save file of the editor.

    Attributes:
        document: The file, parsed.
        digest: Of the graph that was made from it; "" before there is one.
        unknown: The types of its nodes that the catalogue did not have, by id.
    """

    document: Mapping[str, Any]
    digest: str = ""
    unknown: Mapping[str, str] = field(factory=dict)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Origin:
        """Keep a copy.

        Raises:
            WorkflowError: It is nested too deeply.
        """
        try:
            return cls(copy.deepcopy(dict(document)))
        except RecursionError:
            raise WorkflowError("the editor's file is nested too deeply") from None

    def convert(self, catalog: Catalog) -> tuple[dict[str, dict[str, Any]], Origin]:
        """The graph that servers take, and what remembers where it is from.

        Raises:
            WorkflowError: The file is broken, or the catalogue is none.
        """
        from comfyclient.workflow.editor import convert  # noqa: PLC0415 - most workflows need none of it

        prompt = convert(self.document, definitions(catalog))
        return prompt.graph, evolve(self, digest=_digest(prompt.graph), unknown=prompt.unknown)

    def is_current(self, graph: Mapping[str, Any]) -> bool:
        """Whether the graph that was made from it is still like this."""
        return self.digest == _digest(graph)

    def __str__(self) -> str:
        """How a repr shows it, never the values."""
        nodes = self.document.get("nodes")
        count = len(nodes) if isinstance(nodes, list) else 0
        return f"{count} node{'s' * (count != 1)} as the editor saved them"


def _digest(graph: Mapping[str, Any]) -> str:
    try:
        return hashlib.sha256(json.dumps(graph).encode()).hexdigest()
    except (TypeError, ValueError, RecursionError):  # a value that only was set later, such as the path of a file
        return "of nothing that JSON can hold"
