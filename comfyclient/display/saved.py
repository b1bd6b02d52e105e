"""What a drawing shows of the editor's own save file: without a catalogue of nodes, as it stands there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from comfyclient.display.lettering import clean
from comfyclient.display.scheme import Box, Scheme, Wire, values_of
from comfyclient.workflow.editor.model import BYPASS, NEVER
from comfyclient.workflow.editor.saved import INPUTS, OUTPUTS, SavedNode, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from comfyclient.display.scheme import Mode
    from comfyclient.workflow.editor.saved import SavedGraph

_NOTES = frozenset({"Note", "MarkdownNote"})
_FARTHEST = 500
"""As many reroutes and ends of subgraphs may be on a link's way: a broken file can lead in a circle."""
_MODES: Mapping[Any, Mode] = {NEVER: "muted", BYPASS: "bypassed"}


def of_file(document: Mapping[str, Any]) -> Scheme:
    """The scheme of a save file: the nodes of subgraphs with the ids that they have in the API format.

    Notes are left out, and links lead past reroutes.

    Raises:
        WorkflowError: The file is broken.
    """
    file = read(document)
    subgraphs = {graph.id: _Level(graph) for graph in file.subgraphs}
    scheme: Scheme = {}
    for place, node, mode in _nodes(_Place(_Level(file.root)), subgraphs, ""):
        if node.type in _NOTES or _is_reroute(node):
            continue
        box = Box(
            place.prefix + node.id,
            node.title or node.type,
            node.type,
            tuple(_wires(place, node, subgraphs)),
            values_of(_values(node)),
            mode,
            outputs=tuple(clean(output.name or str(output.type)) for output in node.outputs),
        )
        scheme[box.id] = box
    feeding = {wire.source for box in scheme.values() for wire in box.wires}
    return {
        node_id: evolve(box, is_output=node_id not in feeding and not box.mode and bool(box.wires))
        for node_id, box in scheme.items()
    }


class _Level:
    """The nodes and links of a graph or subgraph, to be looked up."""

    def __init__(self, graph: SavedGraph) -> None:
        self.nodes = {node.id: node for node in graph.nodes}
        self.links = {link.id: link for link in graph.links}
        self.inputs = [end.name for end in graph.inputs]
        self.ends = {link.target_slot: link.id for link in graph.links if link.target_id == OUTPUTS}


@frozen(eq=False)
class _Place:
    """Where nodes are: a graph, or a subgraph as one of the nodes that stand for it, in the place of that node."""

    level: _Level
    prefix: str = ""
    outer: _Place | None = None
    host: SavedNode | None = None

    def within(self, node: SavedNode, level: _Level) -> _Place:
        return _Place(level, f"{self.prefix}{node.id}:", self, node)

    def has(self, level: _Level) -> bool:
        """Whether it is in this subgraph, however deep."""
        return self.level is level or (self.outer is not None and self.outer.has(level))


def _nodes(place: _Place, subgraphs: Mapping[str, _Level], mode: Mode) -> Iterator[tuple[_Place, SavedNode, Mode]]:
    for node in place.level.nodes.values():
        own = mode or _MODES.get(node.mode, "")
        level = subgraphs.get(node.type)
        if level is None or place.has(level):
            yield place, node, own
        else:
            yield from _nodes(place.within(node, level), subgraphs, own)


def _wires(place: _Place, node: SavedNode, subgraphs: Mapping[str, _Level]) -> Iterator[Wire]:
    for slot in node.inputs:
        origin = _origin(place, slot.link, subgraphs) if slot.link is not None else None
        if origin is not None:
            source, number, kind = origin
            yield Wire(slot.name, source, number, kind if isinstance(kind, str) else "")


def _origin(place: _Place, link_id: Any, subgraphs: Mapping[str, _Level]) -> tuple[str, int, Any] | None:
    """The node and the output that a link comes from, and what it carries; past reroutes, into subgraphs and out."""
    kind: Any = None
    for _ in range(_FARTHEST):
        link = place.level.links.get(link_id)
        if link is None:
            return None
        kind = kind if isinstance(kind, str) and kind != "*" else link.type
        if link.origin_id == INPUTS:
            if place.host is None or place.outer is None or not 0 <= link.origin_slot < len(place.level.inputs):
                return None
            name = place.level.inputs[link.origin_slot]
            link_id = next((slot.link for slot in place.host.inputs if slot.name == name), None)
            place = place.outer
            continue
        node = place.level.nodes.get(link.origin_id)
        if node is None:
            return None
        level = subgraphs.get(node.type)
        if level is not None and not place.has(level):
            place = place.within(node, level)
            link_id = level.ends.get(link.origin_slot)
        elif _is_reroute(node):
            link_id = node.inputs[0].link
        else:
            return place.prefix + node.id, link.origin_slot, kind
    return None


def _is_reroute(node: SavedNode) -> bool:
    return node.type == "Reroute" and bool(node.inputs)


def _values(node: SavedNode) -> Iterator[tuple[str, Any]]:
    """Those that the file names; what the values of a list stand for, only a catalogue tells."""
    if isinstance(node.values, dict):
        yield from ((str(name), value) for name, value in node.values.items())
