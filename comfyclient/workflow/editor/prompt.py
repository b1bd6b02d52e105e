"""The prompt that the editor would export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfyclient.workflow.editor.graph import BYPASS, INPUTS, NEVER, EditorGraph, EditorNode, Graph

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from comfyclient.workflow.editor.graph import Slot

_OFF = {NEVER, BYPASS}


def to_prompt(data: Mapping[str, Any], catalog: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a save file."""
    graph = EditorGraph(data, catalog)
    for level in (*graph.subgraphs.values(), graph):
        for node in level.nodes.values():
            if node.type == "PrimitiveNode":
                _apply_primitive(node)
    places = {place.id: place for place in _places(graph, (), None)}
    for place in places.values():
        place.places = places
    prompt: dict[str, Any] = {}
    for place in places.values():
        node = place.node
        if node.is_virtual or node.mode in _OFF:
            continue
        inputs: dict[str, Any] = {}
        for widget in node.widgets:
            if widget.name and widget.sent and widget.kind != "shim":
                value = widget.value if widget.compute is None else widget.compute()
                inputs[widget.name] = _sent(value, curve=widget.kind == "curve")
        for slot in node.slots:
            found = place.input(slot)
            if found is not None:
                inputs[slot.name] = found[0]
        prompt[place.id] = {"inputs": inputs, "class_type": node.class_type, "_meta": {"title": node.title}}
    for entry in prompt.values():
        for name, value in list(entry["inputs"].items()):
            if isinstance(value, list) and value[0] not in prompt:
                del entry["inputs"][name]
    return prompt


def _sent(value: Any, *, curve: bool = False) -> Any:
    if isinstance(value, list):
        return {"__type__": "CURVE", "__value__": value} if curve else {"__value__": value}
    return value


def _apply_primitive(node: EditorNode) -> None:
    values = node.data.get("widgets_values")
    if not isinstance(values, list) or not values:
        return
    for link in node.graph.links.values():
        if link.origin_id == node.id:
            target = node.graph.target(link.id)
            if target is None:
                continue
            other, slot = target
            widget = other.widget_of(slot)
            if widget is not None:
                widget.set(values[0])


class _Place:
    """A node in one instance of its graph."""

    def __init__(self, node: EditorNode, path: tuple[str, ...], host: _Place | None) -> None:
        self.node = node
        self.path = path
        self.host = host
        self.id = ":".join((*path, node.id))
        self.places: dict[str, _Place] = {}

    def input(self, slot: Slot, kind: Any = None, seen: frozenset[Any] = frozenset()) -> tuple[Any] | None:
        """What comes in: a link or a value, in a tuple; None for nothing."""
        key = (self.id, id(slot))
        if key in seen:
            raise RecursionError(self.id)
        seen |= {key}
        if slot.link is None:
            return None
        graph = self.node.graph
        link = graph.links.get(slot.link)
        if link is None:
            return None
        if link.origin_id == INPUTS and self.host is not None:
            outer = self.host.node.slots[link.origin_slot]
            if outer.link is None:
                widget = self.host.node.promoted(outer)
                return None if widget is None else (_sent(widget.value),)
            return self.host.input(outer, None, seen)
        origin = self.places.get(":".join((*self.path, link.origin_id)))
        if origin is None:
            return None
        return origin.output(link.origin_slot, slot.type if kind is None else kind, seen)

    def output(self, number: int, kind: Any, seen: frozenset[Any]) -> tuple[Any] | None:
        node = self.node
        if node.mode == NEVER:
            return None
        if node.mode == BYPASS:
            slot = self._bypassed(number, kind)
            return None if slot is None else self.input(slot, None, seen)
        if node.subgraph is not None:
            end = node.subgraph.outputs[number]
            link = node.subgraph.links.get(end.link_ids[0]) if end.link_ids else None
            if link is None:
                return None
            if link.origin_id == INPUTS:
                return self.input(node.slots[link.origin_slot], None, seen)
            inner = self.places.get(":".join((self.id, link.origin_id)))
            return None if inner is None else inner.output(link.origin_slot, kind, seen)
        if node.is_virtual:
            return self.input(node.slots[number], kind, seen) if number < len(node.slots) else None
        return ([self.id, number],)

    def _bypassed(self, number: int, kind: Any) -> Slot | None:
        slots = self.node.slots
        if not slots:
            return None
        if kind in {"*", ""}:
            return slots[number] if len(slots) > number else slots[0]
        out = self.node.outputs[number] if number < len(self.node.outputs) else "*"
        if number < len(slots) and _fits(slots[number].type, out) and _fits(slots[number].type, kind):
            return slots[number]
        for slot in slots:
            if slot.type == kind:
                return slot
        return next((slot for slot in slots if _fits(slot.type, out) and _fits(slot.type, kind)), None)


def _fits(one: Any, other: Any) -> bool:
    if one in {"", "*", 0, None} or other in {"", "*", 0, None} or one == other:
        return True
    mine, yours = str(one).lower().split(","), str(other).lower().split(",")
    return any(left == right or left in {"", "*"} or right in {"", "*"} for left in mine for right in yours)


def _places(graph: Graph, path: tuple[str, ...], host: _Place | None) -> Iterator[_Place]:
    for node in graph.nodes.values():
        place = _Place(node, path, host)
        yield place
        # As in the editor: what is switched off on the outermost level is left out, and further in only its outputs are.
        if node.subgraph is not None and (path or node.mode not in _OFF):
            yield from _places(node.subgraph, (*path, node.id), place)
