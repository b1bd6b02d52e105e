"""What the editor saved, kept beside the workflow that is made from it."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from comfyclient.errors import WorkflowError, node_label
from comfyclient.workflow.catalog import definitions
from comfyclient.workflow.check import missing_class, title_of

if TYPE_CHECKING:
    from comfyclient.workflow.catalog import Catalog
    from comfyclient.workflow.links import Graph


@frozen
class Origin:
    """A save file of the editor.

    Attributes:
        document: The file, parsed.
        digest: Of the graph that was made from it; "" before there is one.
        unknown: What the file says of its nodes that the catalogue did not have, by id: their class and their pack.
    """

    document: Mapping[str, Any]
    digest: str = ""
    unknown: Mapping[str, Mapping[str, Any]] = field(factory=dict)

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

    @property
    def classes(self) -> set[str]:
        """The classes of the nodes that the catalogue did not have."""
        return {each["class_type"] for each in self.unknown.values()}

    def named(self, graph: Graph) -> Graph:
        """The graph that was made from it, its nodes that the catalogue lacks with their class and their pack."""
        missing = {node_id: each for node_id, each in self.unknown.items() if _is_open(graph.get(node_id))}
        return {**graph, **{node_id: {**graph[node_id], **each} for node_id, each in missing.items()}}

    def problems(self, graph: Graph) -> list[str]:
        """What no server will take of it: a sentence for each of these nodes."""
        named = self.named(graph)
        return [
            f"node {node_label(node_id, title_of(named[node_id]), named[node_id]['class_type'])}: "
            f"{missing_class(named[node_id])}"
            for node_id, node in graph.items()
            if named[node_id] is not node
        ]

    def __str__(self) -> str:
        """How a repr shows it, never the values."""
        nodes = self.document.get("nodes")
        count = len(nodes) if isinstance(nodes, list) else 0
        return f"{count} node{'s' * (count != 1)} as the editor saved them"


def _is_open(node: Mapping[str, Any] | None) -> bool:
    return node is not None and node["class_type"] is None


def _digest(graph: Mapping[str, Any]) -> str:
    try:
        return hashlib.sha256(json.dumps(graph).encode()).hexdigest()
    except (TypeError, ValueError, RecursionError):  # a value that only was set later, such as the path of a file
        return "of nothing that JSON can hold"
