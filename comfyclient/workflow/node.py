"""``Node``: one node of a workflow, its inputs, and its way to the others."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from comfyclient.errors import node_label
from comfyclient.workflow import check, edits, links
from comfyclient.workflow.wording import MissingError, kind_of, listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from comfyclient.workflow.catalog import Catalog


class Node(MutableMapping[str, Any]):
    """One node of a workflow: a view, and as a mapping its inputs by name.

    ``node["text"] = "a fox"`` edits the workflow, also with an input that the node does not have yet, such as
    an optional one. ``node["images"] = decoder.output()`` links it to the first output of another node; a link is no
    more than ``["8", 0]``, the id and the number of the output. A ``pathlib.Path`` is a file of your own, which is
    uploaded when the workflow is run: see ``Client.submit``.

    Attributes:
        id: The node's id in the workflow.
    """

    __slots__ = ("_graph", "_raw", "id")

    def __init__(self, node_id: str, graph: dict[str, dict[str, Any]]) -> None:
        self.id = node_id
        self._graph = graph
        self._raw = graph[node_id]

    @property
    def class_type(self) -> str:
        """The node's class, such as ``"KSampler"``; "" for a node of the editor's that its server does not have."""
        return str(self._raw["class_type"] or "")

    @property
    def title(self) -> str:
        """The title in the editor, or the class. Can be set."""
        return check.title_of(self._raw)

    @title.setter
    def title(self, title: str) -> None:
        self._raw["_meta"]["title"] = title

    @property
    def inputs(self) -> dict[str, Any]:
        """The inputs themselves, not a copy."""
        inputs: dict[str, Any] = self._raw["inputs"]
        return inputs

    # ── the nodes around it ──────────────────────────────────────────────────────────────────────────────────────

    @property
    def sources(self) -> dict[str, Node]:
        """The nodes that it reads from, by the names of its inputs."""
        found = links.sources(self.inputs)
        return {name: Node(source, self._graph) for name, source, _ in found if source in self._graph}

    @property
    def consumers(self) -> list[Node]:
        """The nodes that read from it, in the document's order."""
        return self._nodes({reader for reader, _, _ in links.readers(self._graph, self.id)})

    @property
    def upstream(self) -> list[Node]:
        """All that it needs, directly or not, in the document's order."""
        return self._nodes(links.ancestors(self._graph, [self.id]) - {self.id})

    @property
    def downstream(self) -> list[Node]:
        """All that needs it, directly or not, in the document's order."""
        return self._nodes(links.descendants(self._graph, [self.id]) - {self.id})

    def output(self, number: int = 0) -> list[Any]:
        """A link to one of its outputs, to be given to an input of another node.

        Args:
            number: Which output, from 0.

        Raises:
            TypeError: It is no number: only a catalogue of nodes knows the names of outputs.
            ValueError: The number is below 0.
        """
        if not isinstance(number, int):
            raise TypeError(f"outputs are numbers, counted from 0, not {kind_of(number)}")
        if number < 0:
            raise ValueError(f"outputs are counted from 0: {number} is none")
        return [self.id, number]

    # ── taking it out ────────────────────────────────────────────────────────────────────────────────────────────

    def remove(self) -> None:
        """Take it out of the workflow.

        Raises:
            WorkflowError: Others read from it; the message lists their inputs. Link these to another node first; or
                ``mute`` or ``bypass`` this one.
        """
        edits.remove(self._graph, self.id)

    def mute(self, catalog: Catalog | None = None) -> None:
        """Take it out as the editor's Mute does: inputs that are linked to it are left without a value.

        The server then takes its default for an optional input, and refuses outputs that need a required one.

        Args:
            catalog: The server's nodes: what ``client.nodes.list()`` returns, or the server's ``/object_info``. With
                them, inputs that have a widget in the editor get its default.

        Raises:
            WorkflowError: The catalogue is none.
        """
        edits.mute(self._graph, self.id, catalog)

    def bypass(self, catalog: Catalog) -> None:
        """Take it out as the editor's Bypass does: what it is given passes through to those that read from it.

        Each of them gets what is linked to the first input of the type that it takes, the one beside the output
        before all others. Where there is none, its input is left as ``mute`` with a catalogue leaves it.

        Args:
            catalog: The server's nodes, which know the types: what ``client.nodes.list()`` returns, or the server's
                ``/object_info``.

        Raises:
            WorkflowError: The catalogue does not have the node's class, or is none.
        """
        edits.bypass(self._graph, self.id, catalog)

    # ── as a mapping ─────────────────────────────────────────────────────────────────────────────────────────────

    def __getitem__(self, name: str) -> Any:
        """An input's value; a missing one is a ``WorkflowError`` that is also a ``KeyError``."""
        self._must_have(name)
        return self.inputs[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.inputs[name] = value

    def __delitem__(self, name: str) -> None:
        """Remove an input; a missing one is a ``WorkflowError`` that is also a ``KeyError``."""
        self._must_have(name)
        del self.inputs[name]

    def __contains__(self, name: object) -> bool:
        return name in self.inputs

    def __iter__(self) -> Iterator[str]:
        return iter(self.inputs)

    def __len__(self) -> int:
        return len(self.inputs)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.inputs)

    def __repr__(self) -> str:
        return f"<Node {label(self)}: {', '.join(map(str, self.inputs)) or 'no inputs'}>"

    def _must_have(self, name: str) -> None:
        if name not in self.inputs:
            has = listed(map(shown, self.inputs)) or "none"
            raise MissingError(f"node {label(self)} has no input {name!r}; it has {has}")

    def _nodes(self, node_ids: set[str]) -> list[Node]:
        return [Node(node_id, self._graph) for node_id in self._graph if node_id in node_ids]


def label(node: Node) -> str:
    """How messages name it."""
    return node_label(node.id, node.title, node.class_type)


def labels(nodes: Iterable[Node]) -> str:
    """How messages name several."""
    return listed(map(label, nodes)) or "no nodes"


def needed(workflow: Mapping[str, Node], node_ids: Iterable[str]) -> set[str]:
    """These nodes and everything upstream of them, without ids that the workflow does not have."""
    found: set[str] = set()
    for node_id in node_ids:
        if node_id in workflow and node_id not in found:
            found |= {node_id, *(node.id for node in workflow[node_id].upstream)}
    return found


def leaves(workflow: Mapping[str, Node]) -> set[str]:
    """The nodes that feed no other: the outputs, and what is connected to none."""
    return workflow.keys() - {source for node in workflow.values() for _, source, _ in links.sources(node.inputs)}
