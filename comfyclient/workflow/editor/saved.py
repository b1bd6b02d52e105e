"""The save file as it was read, every shape in it checked, so that what comes after need not look twice."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define, field, frozen

from comfyclient.errors import WorkflowError
from comfyclient.workflow.editor.javascript import held

if TYPE_CHECKING:
    from collections.abc import Mapping

LinkId = Any
"""A number, in all files that the editor wrote."""

INPUTS, OUTPUTS = "-10", "-20"
"""The ids of a subgraph's own ends."""

_Shape = TypeVar("_Shape")


@frozen
class SavedSlot:
    """An input of a node.

    Attributes:
        name: Its name.
        type: What it takes.
        link: The id of the link that comes in.
        widget: The name of the widget that it stands for.
        label: What the user calls it.
    """

    name: str
    type: Any = "*"
    link: LinkId = None
    widget: str | None = None
    label: str | None = None


@define
class SavedOutput:
    """An output of a node: what it gives, and the ids of the links that go out."""

    type: Any = "*"
    links: list[LinkId] = field(factory=list)
    name: str = ""


@define
class SavedLink:
    """A link, from the output of one node to the input of another."""

    id: LinkId
    origin_id: str
    origin_slot: int
    target_id: str
    target_slot: int
    type: Any = "*"


@define
class SavedNode:
    """A node.

    Attributes:
        id: Its id, as text.
        is_numbered: Whether its id is a number in the file.
        type: Its class, or the id of the subgraph it stands for.
        title: What the user calls it; None if nothing.
        mode: 2 for muted, 4 for bypassed.
        properties: The editor's own notes.
        inputs: Its inputs; only those that the file mentions.
        outputs: Its outputs; None where the file does not mention any.
        values: ``widgets_values``, as it stands.
    """

    id: str
    type: str
    title: str | None = None
    mode: Any = 0
    properties: dict[str, Any] = field(factory=dict)
    inputs: list[SavedSlot] = field(factory=list)
    outputs: list[SavedOutput] = field(factory=list)
    values: Any = None
    is_numbered: bool = True

    def __str__(self) -> str:
        """How messages name it."""
        return f"node {self.id} ({self.title or self.type})"


@define
class SavedEnd:
    """An input or output of a subgraph, seen from within."""

    name: str
    type: Any
    link_ids: list[LinkId]


@define
class SavedGraph:
    """The nodes and links of one level; the inputs and outputs are those of a subgraph."""

    id: str
    name: str
    nodes: list[SavedNode]
    links: list[SavedLink]
    inputs: list[SavedEnd]
    outputs: list[SavedEnd]


@frozen
class SavedDocument:
    """A save file.

    Attributes:
        root: The outermost graph.
        subgraphs: The definitions of subgraphs, in the order of the file.
        last_node_id: The highest number that the editor gave to a node.
        groups: ``extra.groupNodes``: the definitions of the group nodes of 2023 to 2025.
    """

    root: SavedGraph
    subgraphs: list[SavedGraph]
    last_node_id: int
    groups: dict[str, Any]


def read(document: Mapping[str, Any]) -> SavedDocument:
    """Read a save file.

    Raises:
        WorkflowError: It is not one, or something in it has a wrong shape; the message says what and where.
    """
    if not isinstance(document, dict):
        raise WorkflowError(f"a workflow is a JSON object, not {_kind(document)}")
    data = held(document)
    state = _optional(data.get("state"), dict, "the state")
    numbers = [0, _number(data.get("last_node_id")), _number(state.get("lastNodeId"))]
    extra = _optional(data.get("extra"), dict, "extra")
    return SavedDocument(
        root=_graph(data, "the workflow"),
        subgraphs=_definitions(data),
        last_node_id=max(numbers),
        groups=_optional(extra.get("groupNodes"), dict, "extra.groupNodes"),
    )


def read_node(entry: Any, where: str = "the workflow") -> SavedNode:
    """Read one node.

    Raises:
        WorkflowError: Something in it has a wrong shape.
    """
    entry = _given(entry, dict, f"a node of {where}")
    raw_id = entry.get("id")
    if not isinstance(raw_id, (int, str)) or isinstance(raw_id, bool):
        raise WorkflowError(f"a node of {where} has no id ({entry.get('type') or 'nor a type'})")
    title, kind = entry.get("title"), entry.get("type")
    what = f"node {raw_id}" + (f" ({title or kind})" if title or kind else "")
    return SavedNode(
        id=str(raw_id),
        is_numbered=isinstance(raw_id, int),
        type=str(kind),
        title=title if isinstance(title, str) else None,
        mode=_number(entry.get("mode")),
        properties=_optional(entry.get("properties"), dict, f"the properties of {what}", also=list) or {},
        inputs=[_slot(slot, what) for slot in _optional(entry.get("inputs"), list, f"the inputs of {what}")],
        outputs=[_output(slot, what) for slot in _optional(entry.get("outputs"), list, f"the outputs of {what}")],
        values=entry.get("widgets_values"),
    )


def listed(value: Any) -> list[Any]:
    """A property that is a list, or was written as the text of one."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    return value if isinstance(value, list) else []


def is_proxy(entry: Any) -> bool:
    """Whether it names a node and its widget, as ``proxyWidgets`` does."""
    return isinstance(entry, list) and len(entry) in {2, 3} and all(isinstance(part, str) for part in entry)


def _definitions(data: dict[str, Any]) -> list[SavedGraph]:
    found = []
    definitions = _optional(data.get("definitions"), dict, "the definitions")
    for entry in _optional(definitions.get("subgraphs"), list, "the list of subgraphs"):
        definition = _given(entry, dict, "the definition of a subgraph")
        name = definition.get("name") or definition.get("id")
        if not isinstance(definition.get("id"), str):
            raise WorkflowError(f"the definition of a subgraph ({name or 'without a name'}) has no id")
        found.append(_graph(definition, f"the subgraph {name}"))
        found += _definitions(definition)
    return found


def _graph(data: dict[str, Any], where: str) -> SavedGraph:
    entries = _entries(data.get("links"), f"the links of {where}")
    return SavedGraph(
        id=str(data.get("id") or ""),
        name=str(data.get("name") or ""),
        nodes=[read_node(entry, where) for entry in _nodes(data, where)],
        links=[_link(entry, where) for entry in entries if entry is not None],
        inputs=[_end(entry, f"an input of {where}") for entry in _ends(data, "inputs", where)],
        outputs=[_end(entry, f"an output of {where}") for entry in _ends(data, "outputs", where)],
    )


def _nodes(data: dict[str, Any], where: str) -> list[Any]:
    if "nodes" not in data:
        return []  # the editor opens an empty graph
    return _given(data["nodes"], list, f"the list of nodes of {where}")


def _ends(data: dict[str, Any], key: str, where: str) -> list[Any]:
    return (
        _optional(data.get(key), list, f"the {key} of {where}") if "inputNode" in data or "outputNode" in data else []
    )


def _entries(value: Any, what: str) -> list[Any]:
    if isinstance(value, dict):  # an object of links by their ids, which some tools write
        return list(value.values())
    return _optional(value, list, what)


_LINK = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")


def _link(entry: Any, where: str) -> SavedLink:
    if isinstance(entry, dict):
        entry = [entry.get(key) for key in _LINK]
    if not isinstance(entry, list) or len(entry) < len(_LINK) - 1:
        raise WorkflowError(f"a link of {where} is neither an object nor a list of six: {json.dumps(entry)[:80]}")
    link_id, origin, origin_slot, target, target_slot, kind = (*entry, None)[: len(_LINK)]
    _hashable(link_id, f"the id of a link of {where}")
    slots = []
    for slot in (origin_slot, target_slot):
        if isinstance(slot, str) and slot.isdecimal():
            slots.append(int(slot))
        elif isinstance(slot, int) and not isinstance(slot, bool):
            slots.append(slot)
        else:
            raise WorkflowError(f"link {link_id} of {where} has no number for a slot, but {json.dumps(slot)[:80]}")
    return SavedLink(link_id, str(origin), slots[0], str(target), slots[1], kind)


def _slot(entry: Any, what: str) -> SavedSlot:
    entry = _given(entry, dict, f"an input of {what}")
    widget = entry.get("widget")
    name = widget.get("name") if isinstance(widget, dict) else None
    return SavedSlot(
        name=str(entry.get("name")),
        type=entry.get("type"),
        link=_hashable(entry.get("link"), f"the link of input {entry.get('name')} of {what}"),
        widget=name if isinstance(name, str) else None,
        label=entry.get("label") if isinstance(entry.get("label"), str) else None,
    )


def _output(entry: Any, what: str) -> SavedOutput:
    entry = _given(entry, dict, f"an output of {what}")
    links = _optional(entry.get("links"), list, f"the links of an output of {what}")
    name = entry.get("name")
    return SavedOutput(
        entry.get("type"), [_hashable(link, f"a link of an output of {what}") for link in links], str(name or "")
    )


def _end(entry: Any, what: str) -> SavedEnd:
    entry = _given(entry, dict, what)
    links = _optional(entry.get("linkIds"), list, f"the links of {what}")
    return SavedEnd(str(entry.get("name")), entry.get("type"), [_hashable(link, f"a link of {what}") for link in links])


def _given(value: Any, shape: type[_Shape], what: str) -> _Shape:
    if isinstance(value, shape):
        return value
    raise WorkflowError(f"{what} is {_kind(value)} instead of {_SHAPES[shape]}")


def _optional(value: Any, shape: type[_Shape], what: str, also: type | None = None) -> _Shape:
    if value is None or (also is not None and isinstance(value, also)):
        return shape()
    return _given(value, shape, what)


def _hashable(value: Any, what: str) -> Any:
    if isinstance(value, (dict, list)):
        raise WorkflowError(f"{what} is {_kind(value)} instead of a number")
    return value


def _number(value: Any) -> int:
    return int(value) if isinstance(value, (int, float)) and math.isfinite(value) else 0


_SHAPES: dict[type, str] = {dict: "an object", list: "a list"}


def _kind(value: Any) -> str:
    names = {**_SHAPES, str: "a text", bool: "true or false", int: "a number", float: "a number", type(None): "null"}
    return names.get(type(value), f"a {type(value).__name__}")
