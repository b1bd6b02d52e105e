"""``Workflow`` and ``Node``: a graph in ComfyUI's API format, to find nodes in and edit their inputs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfyclient.errors import WorkflowError, node_label
from comfyclient.workflow import check, links
from comfyclient.workflow.source import PATIENCE, read
from comfyclient.workflow.wording import (
    MissingError,
    kind_of,
    listed,
    nearest,
    nearest_hint,
    report,
    shown,
)

if TYPE_CHECKING:
    import os

    from comfyclient.workflow.source import Preference, Source

_MOST_KINDS = 5  # in a repr


class Node(MutableMapping[str, Any]):
    """One node of a workflow: a view, and as a mapping its inputs by name.

    ``node["text"] = "a fox"`` edits the workflow, also with an input that the node does not have yet, such as
    an optional one. ``node["images"] = ["8", 0]`` links it to the first output of node 8.

    Attributes:
        id: The node's id in the workflow.
    """

    __slots__ = ("_raw", "id")

    def __init__(self, node_id: str, raw: dict[str, Any]) -> None:
        self.id = node_id
        self._raw = raw

    @property
    def class_type(self) -> str:
        """The node's class, such as ``"KSampler"``."""
        return str(self._raw["class_type"])

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

    def __repr__(self) -> str:
        return f"<Node {_label(self)}: {', '.join(map(str, self.inputs)) or 'no inputs'}>"

    def _must_have(self, name: str) -> None:
        if name not in self.inputs:
            has = listed(map(shown, self.inputs)) or "none"
            raise MissingError(f"node {_label(self)} has no input {name!r}; it has {has}")


class Workflow(Mapping[str, Node]):
    """A workflow in the API format: a mapping of node ids to nodes, in the document's order.

    The constructor copies the graph, so what is edited here changes nothing elsewhere. It leaves out
    ``is_changed``, which ComfyUI adds to the workflow inside its images: sent back, it would freeze the
    node's change detection.
    """

    _graph: dict[str, dict[str, Any]]

    def __init__(self, graph: Mapping[str, Any]) -> None:
        """Copy a graph.

        Args:
            graph: The nodes by id, as ComfyUI's "Export (API)" writes them, or a body of ``POST /prompt``
                around them.

        Raises:
            WorkflowError: It has another shape; the message names every node that is wrong.
        """
        if isinstance(graph, Workflow):
            self._graph = graph.to_api()
            return
        raw: Any = graph
        if not isinstance(raw, Mapping):
            raise WorkflowError(f"a workflow is an object of nodes by their ids, not {kind_of(raw)}")
        body = raw.get("prompt")
        if isinstance(body, Mapping) and "class_type" not in body:
            raw = body
        if check.is_editor_format(raw):
            raise WorkflowError(
                f"this is the editor's own save format; servers take the API format: {check.EXPORT_ADVICE}"
            )
        if problems := check.shape_problems(raw):
            raise WorkflowError(f"{report(problems)}\nThis is not the API format: {check.EXPORT_ADVICE}")
        self._graph = {node_id: _copy_node(node) for node_id, node in raw.items()}

    @classmethod
    def load(cls, source: Source, *, prefer: Preference = "prompt", timeout: float = PATIENCE) -> Workflow:
        """Load a workflow from wherever it is: JSON, or what ComfyUI made with it.

        Files and bytes are known by their content, not their name. Images, videos, sounds and models are read as far
        as their metadata goes, in constant memory.

        Args:
            source: A path, JSON text (a string that begins with a brace), bytes, an open file, an ``http`` or
                ``https`` URL such as that of ``client.files.url``, an ``OutputFile`` of a result, a dict, or
                another workflow, which is copied. A URL is fetched without the credentials of any client; where they
                are needed, give the ``OutputFile``, or the bytes of ``client.files.read``.
            prefer: Which one to take where there are two: the ``"prompt"`` that ran, or the ``"workflow"`` that the
                editor sent along. If there is only the other one, that is taken.
            timeout: Seconds that fetching a URL may take in all.

        Raises:
            WorkflowError: It is empty, no JSON, a file without a workflow, or not a workflow in the API format; the
                message says what it is instead, and what to do.
            OSError: The file cannot be read.
            ComfyError: The URL cannot be fetched: ``ServerUnreachable``, ``RequestTimeout``, ``NotFound`` and so on.
        """
        graph, name = read(source, prefer=prefer, timeout=timeout)
        try:
            return cls(graph)
        except WorkflowError as error:
            raise WorkflowError(f"{name}: {error}" if name else str(error)) from None

    def __getitem__(self, node_id: str) -> Node:
        """A node; an unknown one is a ``WorkflowError`` that is also a ``KeyError``."""
        if node_id not in self._graph:
            raise MissingError(f"no node has the id {node_id!r}; {self._nearest_nodes(str(node_id))}")
        return Node(node_id, self._graph[node_id])

    def __contains__(self, node_id: object) -> bool:
        return node_id in self._graph

    def __iter__(self) -> Iterator[str]:
        return iter(self._graph)

    def __len__(self) -> int:
        return len(self._graph)

    def __eq__(self, other: object) -> bool:
        """Whether the server would get the same, titles included."""
        return self.to_api() == other.to_api() if isinstance(other, Workflow) else NotImplemented

    __hash__ = None  # type: ignore[assignment] # it can be edited

    def __repr__(self) -> str:
        """How many nodes of which classes; never the values."""
        kinds = Counter(node.class_type for node in self.values())
        names = [kind if count == 1 else f"{count} {kind}" for kind, count in kinds.items()]
        names[_MOST_KINDS:] = ["…"] if len(names) > _MOST_KINDS else []
        return f"<Workflow {len(self)} node{'s' * (len(self) != 1)}{': ' * bool(names)}{', '.join(names)}>"

    @property
    def node_ids(self) -> tuple[str, ...]:
        """The ids of all nodes, in the document's order."""
        return tuple(self._graph)

    def title(self, node_id: str) -> str:
        """A node's title in the editor, or its class; the id itself for a node that is not in the workflow.

        Servers name such nodes when a node expands into others while it runs.
        """
        return self[node_id].title if node_id in self else node_id

    def class_type(self, node_id: str) -> str | None:
        """A node's class, or None for a node that is not in the workflow."""
        return self[node_id].class_type if node_id in self else None

    def ancestors(self, node_ids: Iterable[str]) -> set[str]:
        """These nodes and everything upstream of them, without ids that the workflow does not have."""
        return links.ancestors(self._graph, node_ids)

    def leaves(self) -> set[str]:
        """The nodes that feed no other: the outputs, and what is connected to none."""
        return links.leaves(self._graph)

    def find(self, *, class_type: str | None = None, title: str | None = None) -> Node:
        """The one node of this class, or with this title, or both.

        Raises:
            WorkflowError: There is none, or more than one; the message lists the candidates.
        """
        found = self.find_all(class_type=class_type, title=title)
        if len(found) == 1:
            return found[0]
        given = {"class_type": class_type, "title": title}
        wanted = " and ".join(f"the {key} {value!r}" for key, value in given.items() if value) or "an id"
        if found:
            raise WorkflowError(f"{len(found)} nodes have {wanted}: {_labels(found)}; take one by its id")
        raise WorkflowError(f"no node has {wanted}; {self._nearest_nodes(title or class_type or '')}")

    def find_all(self, *, class_type: str | None = None, title: str | None = None) -> list[Node]:
        """All nodes of this class, or with this title, or both, in the document's order."""
        return [node for node in self.values() if class_type in {None, node.class_type} and title in {None, node.title}]

    def set(self, values: Mapping[str, Any], *, add: bool = False) -> None:
        """Set inputs by path: ``{"6.text": "a fox", "KSampler.seed": 42}``.

        A path is ``<node>.<input>``, and the node is meant by its id, else by its title, else by its class.
        All of these may contain dots, as names of inputs may: every dot is tried, and the first of id, title
        and class that leads to an existing input wins. Where it leads to several, the path is refused. All
        paths are resolved before anything is set.

        Args:
            values: The new values by path.
            add: Also set inputs that the node does not have in this document, such as optional ones. Without
                it they are refused, since the server ignores an unknown input without a word.

        Raises:
            WorkflowError: A path fits nothing, or more than one input; the message lists the candidates.
        """
        problems: list[str] = []
        targets: list[tuple[Node, str, Any]] = []
        for path, value in values.items():
            try:
                targets.append((*self._resolve(path, add=add), value))
            except WorkflowError as error:
                problems.append(str(error))
        if problems:
            raise WorkflowError(report(problems))
        for node, name, value in targets:
            node[name] = value

    def copy(self) -> Workflow:
        """An independent copy."""
        return Workflow(self)

    def check(self) -> None:
        """Look for everything that no server would take. The client does so before it sends anything.

        That is: links to nodes that are not there, links with a bad output number, nodes in a circle, values
        that JSON cannot hold, and no nodes at all. What depends on the nodes' classes, only the server knows.

        Raises:
            WorkflowError: There are such problems; the message names them all, with their nodes and inputs.
        """
        if problems := check.content_problems(self._graph):
            raise WorkflowError(report(problems))

    def to_api(self) -> dict[str, dict[str, Any]]:
        """A copy of the graph, as ``POST /prompt`` takes it.

        Every node has a ``_meta`` there: servers fail on a node without one when its class has a replacement.
        """
        return {node_id: _copy_node(node) for node_id, node in self._graph.items()}

    def to_json(self, *, indent: int | None = None) -> str:
        """The workflow as JSON text.

        Raises:
            WorkflowError: A value is none that JSON can hold.
        """
        try:
            return json.dumps(self._graph, indent=indent, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            raise WorkflowError(report(check.content_problems(self._graph))) from None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the workflow as JSON, replacing a file of this name.

        Raises:
            WorkflowError: A value is none that JSON can hold; the file is untouched.
            OSError: The file cannot be written.
        """
        text = self.to_json(indent=2)
        Path(path).write_text(f"{text}\n", encoding="utf-8")

    def _resolve(self, path: str, *, add: bool) -> tuple[Node, str]:
        splits = [(path[:at], path[at + 1 :]) for at in range(1, len(path) - 1) if path[at] == "."]
        if not splits:
            raise WorkflowError(f"{path!r} names no input: write '<node>.<input>'")
        ranks = [
            [(node, name) for left, name in splits for node in self.values() if left == key(node)]
            for key in (attrgetter("id"), attrgetter("title"), attrgetter("class_type"))
        ]
        places = next((rank for rank in ranks if rank), [])
        existing = ([(node, name) for node, name in rank if name in node] for rank in ranks)
        fitting = next((rank for rank in existing if rank), places if add else [])
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            candidates = listed(f"'{node.id}.{name}' of {_label(node)}" for node, name in fitting)
            raise WorkflowError(f"{path!r} fits more than one input: {candidates}")
        if not places:
            near = self._nearest_nodes(splits[0][0])
            raise WorkflowError(f"{path!r}: no node has such an id, title or class; {near}")
        node, name = places[0]
        near = nearest_hint(name, node)
        raise WorkflowError(f"{path!r}: node {_label(node)} has no input {name!r}{near}; add=True would add it")

    def _nearest_nodes(self, name: str) -> str:
        """The end of a message about a node that was not found."""
        known = {text: node for node in self.values() for text in (node.class_type, node.title, node.id)}
        near = {known[text].id: known[text] for text in nearest(name, known)}
        return f"nearest: {_labels(near.values())}" if near else f"there are {_labels(self.values())}"


def _label(node: Node) -> str:
    return node_label(node.id, node.title, node.class_type)


def _labels(nodes: Iterable[Node]) -> str:
    return listed(map(_label, nodes)) or "no nodes"


def _copy_node(node: Mapping[str, Any]) -> dict[str, Any]:
    meta = node.get("_meta")
    try:
        return {
            **{key: _plain(value) for key, value in node.items() if key != "is_changed"},
            "inputs": {name: _plain(value) for name, value in node.get("inputs", {}).items()},
            "_meta": _plain(dict(meta)) if isinstance(meta, Mapping) else {},
        }
    except RecursionError:
        raise WorkflowError("a value is nested too deeply, or contains itself") from None


def _plain(value: Any) -> Any:
    """A copy of JSON's containers; tuples become the lists that JSON makes of them, the rest is shared."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value
