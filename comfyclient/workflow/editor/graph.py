"""A save file of the editor, as the editor itself has it in memory after loading."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

from comfyclient.workflow.editor.widgets import Face, Slot, Widget, forced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NEVER, BYPASS = 2, 4
INPUTS, OUTPUTS = "-10", "-20"
"""The ids of a subgraph's own ends."""
_VIRTUAL = {"Note", "MarkdownNote", "Reroute", "PrimitiveNode"}


TITLES = {
    "LTXVConcatAVLatent": "LTXVConcatAVLatent",
    "LTXVSeparateAVLatent": "LTXVSeparateAVLatent",
    "MinimaxHailuoVideoNode": "MiniMax Hailuo Video",
    "PrimitiveString": "Text String (DEPRECATED)",
    "PrimitiveStringMultiline": "Input Text",
    "RecraftImageToImageNode": "Recraft Image to Image",
    "RecraftTextToImageNode": "Recraft Text to Image",
    "RecraftTextToVectorNode": "Recraft Text to Vector",
}
"""Where the editor's own English differs from the server's ``display_name``, in the frontend 1.47."""


class Link:
    __slots__ = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")

    def __init__(self, entry: Any) -> None:
        keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        values = entry if isinstance(entry, list) else [entry.get(key) for key in keys]
        self.id, origin, self.origin_slot, target, self.target_slot, self.type = (*values, None)[:6]
        self.origin_id, self.target_id = str(origin), str(target)


class EditorNode:
    """A node in one graph."""

    def __init__(self, graph: Graph, data: dict[str, Any]) -> None:
        self.graph = graph
        self.data = data
        self.id = str(data["id"])
        self.type = _sanitized(str(data.get("type")))
        self.mode = data.get("mode", 0)
        self.properties: dict[str, Any] = data.get("properties") or {}
        self.subgraph: Subgraph | None = graph.root.subgraphs.get(str(data.get("type")))
        definition = graph.root.catalog.get(self.type)
        self.is_missing = False
        self.face: Face
        self.class_type: str | None = None
        self.title: str | None = data.get("title")
        self.outputs: list[Any] = [entry.get("type") for entry in data.get("outputs") or ()]
        if self.subgraph is not None:
            self.face = Face(self.type, {})
        elif definition is not None:
            self.class_type = self.type
            self.face = Face(self.type, definition)
            self.title = self.title or TITLES.get(self.type) or definition.get("display_name") or definition.get("name") or self.type
            given = ["*" if kind == "COMFY_MATCHTYPE_V3" else "COMBO" if isinstance(kind, list) else kind for kind in definition.get("output") or ()]
            self.outputs = given + self.outputs[len(given) :]
        else:
            self.face = Face(self.type, {})
            self.is_missing = self.type not in _VIRTUAL
        self.is_virtual = self.subgraph is not None or self.type in _VIRTUAL

    @property
    def slots(self) -> list[Slot]:
        return self.face.slots

    @property
    def widgets(self) -> list[Widget]:
        return self.face.widgets

    def configure(self) -> None:
        """Take what the save file says of inputs and values."""
        self._merge_slots()
        self.face.links = self.graph.links
        if self.subgraph is not None:
            self._promote()
        values = self.data.get("widgets_values")
        if self.class_type is not None:
            values = _without_forced(self.face, self.graph.root.catalog[self.class_type], values or [])
        for slot in list(self.slots):
            if slot.link is not None and slot.link in self.graph.links:
                self.face.connected(slot)
        if self.is_missing:
            self._guess_widgets(values)
        elif self.subgraph is not None:
            self._set_promoted(values)
        else:
            self._set_values(values)

    def finish(self) -> None:
        """When the whole graph is there: inputs for widgets that do not exist go."""
        if self.is_virtual or self.is_missing:
            return
        names = {widget.name for widget in self.widgets}
        self.slots[:] = [slot for slot in self.slots if slot.widget is None or slot.widget in names]

    def slot_of_link(self, link: Any) -> Slot | None:
        return next((slot for slot in self.slots if slot.link == link), None)

    def _merge_slots(self) -> None:
        if self.subgraph is not None:
            self.slots[:] = [_PromotedSlot(end) for end in self.subgraph.inputs]
        saved = {entry.get("name"): entry for entry in self.data.get("inputs") or ()}
        known = set()
        for slot in self.slots:
            known.add(slot.name)
            entry = saved.get(slot.name)
            if entry is not None:
                slot.link = entry.get("link")
        for entry in self.data.get("inputs") or ():
            if entry.get("name") not in known:
                widget = entry.get("widget")
                name = widget.get("name") if isinstance(widget, dict) else None
                self.slots.append(Slot(entry.get("name"), entry.get("type"), entry.get("link"), name))
        if self.subgraph is not None:
            self.slots[:] = [slot for slot in self.slots if isinstance(slot, _PromotedSlot)]

    def _set_values(self, values: Any) -> None:
        if isinstance(values, dict) or not values:
            return
        place = taken = 0
        while place < len(self.widgets):  # setting one may bring others behind it
            widget = self.widgets[place]
            place += 1
            if not widget.saved:
                continue
            if taken >= len(values):
                break
            widget.set(copy.deepcopy(values[taken]))
            taken += 1

    def _guess_widgets(self, values: Any) -> None:
        for number, value in enumerate(values if isinstance(values, list) else ()):
            name = f"UNKNOWN_{number}" if number else "UNKNOWN"
            shown = value if isinstance(value, (str, int, float)) else json.dumps(value, separators=(",", ":"))
            self.widgets.append(Widget(name, "text", shown))

    # --- subgraph nodes ---------------------------------------------------------------------------------------

    def promoted(self, slot: Slot) -> Widget | None:
        return slot.promoted if isinstance(slot, _PromotedSlot) else None

    def _promote(self) -> None:
        for slot in self.slots:
            assert isinstance(slot, _PromotedSlot)
            self.promote(slot)

    def promote(self, slot: _PromotedSlot) -> None:
        subgraph = self.subgraph
        assert subgraph is not None
        for link_id in slot.end.link_ids:
            target = subgraph.target(link_id)
            if target is None:
                continue
            node, inner = target
            widget = node.widget_of(inner)
            if widget is None and node.subgraph is not None:
                source = node.source(inner.name)
                widget = node.concrete(*source) if source else None
            if widget is not None:
                slot.promoted = Widget(slot.name, widget.kind, copy.deepcopy(widget.value))
                return

    def widget_of(self, slot: Slot) -> Widget | None:
        if isinstance(slot, _PromotedSlot):
            return slot.promoted
        return self.face.widget(slot.widget) if slot.widget is not None else None

    def source(self, name: str) -> tuple[str, str] | None:
        """Which inner node and widget an input of this subgraph node stands for."""
        subgraph = self.subgraph
        if subgraph is None:
            return None
        end = next((end for end in subgraph.inputs if end.name == name), None)
        for link_id in end.link_ids if end is not None else ():
            target = subgraph.target(link_id)
            if target is None:
                continue
            node, slot = target
            if node.subgraph is not None:
                return node.id, slot.name
            widget = node.widget_of(slot)
            if widget is not None:
                return node.id, widget.name
        return None

    def concrete(self, node_id: str, widget_name: str) -> Widget | None:
        """The widget at the end of a chain of promotions."""
        host: EditorNode = self
        for _ in range(100):
            node = host.subgraph.nodes.get(node_id) if host.subgraph is not None else None
            if node is None:
                return None
            if node.subgraph is None:
                return node.face.widget(widget_name)
            source = node.source(widget_name)
            if source is None:
                return None
            host, (node_id, widget_name) = node, source
        return None

    def _set_promoted(self, values: Any) -> None:
        kept = {}
        for entry in _listed(self.properties.get("proxyWidgetErrorQuarantine")):
            original = entry.get("originalEntry") or [None, None]
            if original[0] == "-1" and entry.get("hostValue") is not None:
                kept.setdefault(original[1], entry["hostValue"])
        place = 0
        for slot in self.slots:
            widget = self.promoted(slot)
            if widget is None:
                continue
            if slot.name in kept:
                widget.value = kept[slot.name]
            elif isinstance(values, list) and place < len(values):
                widget.value = copy.deepcopy(values[place])
            place += 1


class _PromotedSlot(Slot):
    """An input of a subgraph node."""

    def __init__(self, end: End) -> None:
        super().__init__(end.name, end.type)
        self.end = end
        self.promoted: Widget | None = None


class End:
    """An input or output of a subgraph, seen from within."""

    def __init__(self, name: str, kind: Any, link_ids: list[Any]) -> None:
        self.name = name
        self.type = kind
        self.link_ids = link_ids


class Graph:
    """Nodes and links on one level."""

    def __init__(self, root: EditorGraph | None, data: Mapping[str, Any]) -> None:
        self.root: EditorGraph = root if root is not None else self  # type: ignore[assignment]  # the root is its own
        self.data = data
        self.nodes: dict[str, EditorNode] = {}
        self.links: dict[Any, Link] = {}

    def load(self) -> None:
        for entry in self.data.get("links") or ():
            if entry is not None:
                link = Link(entry)
                self.links[link.id] = link
        for entry in self.data.get("nodes") or ():
            node = EditorNode(self, entry)
            self.nodes[node.id] = node
        for node in self.nodes.values():
            node.configure()
        for node in self.nodes.values():
            from comfyclient.workflow.editor.migration import migrate

            migrate(node)

    def target(self, link_id: Any) -> tuple[EditorNode, Slot] | None:
        link = self.links.get(link_id)
        node = self.nodes.get(link.target_id) if link is not None else None
        slot = node.slot_of_link(link_id) if node is not None else None
        return (node, slot) if node is not None and slot is not None else None


class Subgraph(Graph):
    """A definition of a subgraph; its nodes are shared by all that stand for it."""

    def __init__(self, root: EditorGraph, data: Mapping[str, Any]) -> None:
        super().__init__(root, data)
        self.id = str(data["id"])
        self.inputs = [_end(entry) for entry in data.get("inputs") or ()]
        self.outputs = [_end(entry) for entry in data.get("outputs") or ()]


class EditorGraph(Graph):
    """The whole save file."""

    def __init__(self, data: Mapping[str, Any], catalog: Mapping[str, Any]) -> None:
        data = copy.deepcopy(dict(data))
        super().__init__(None, data)
        self.catalog = catalog
        self.subgraphs: dict[str, Subgraph] = {}
        definitions = _collect((data.get("definitions") or {}).get("subgraphs") or [])
        _make_unique(data, definitions)
        self.subgraphs = {str(entry["id"]): Subgraph(self, entry) for entry in definitions}
        for entry in _innermost_first(definitions):
            self.subgraphs[str(entry["id"])].load()
        self.load()
        for graph in (*self.subgraphs.values(), self):
            for node in graph.nodes.values():
                node.finish()


def _end(entry: Mapping[str, Any]) -> End:
    return End(entry.get("name", ""), entry.get("type", "*"), list(entry.get("linkIds") or ()))


def _collect(definitions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for entry in definitions:
        found.append(entry)
        found += _collect((entry.get("definitions") or {}).get("subgraphs") or [])
    return found


def _innermost_first(definitions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by_id = {entry["id"]: entry for entry in definitions}
    users: dict[Any, list[Any]] = {key: [] for key in by_id}
    waits = dict.fromkeys(by_id, 0)
    for entry in definitions:
        for inner in dict.fromkeys(node.get("type") for node in entry.get("nodes") or ()):
            if inner in by_id:
                users[inner].append(entry["id"])
                waits[entry["id"]] += 1
    ready = [key for key, count in waits.items() if not count]
    order = []
    while ready:
        key = ready.pop(0)
        order.append(by_id[key])
        for user in users[key]:
            waits[user] -= 1
            if not waits[user]:
                ready.append(user)
    return order if len(order) == len(definitions) else definitions


def _make_unique(data: Mapping[str, Any], definitions: list[dict[str, Any]]) -> None:
    """Node ids are unique over all graphs; a later one that is taken gets a new number, as in the editor."""
    state = data.get("state") or {}
    taken = {str(node["id"]) for node in data.get("nodes") or () if isinstance(node.get("id"), int)}
    last = max(state.get("lastNodeId") or 0, data.get("last_node_id") or 0)
    numbers = {int(node) for node in taken}
    renamed: dict[Any, dict[str, str]] = {}
    for entry in definitions:
        here: dict[str, str] = {}
        for node in entry.get("nodes") or ():
            key = str(node["id"])
            if key in taken:
                last += 1
                while last in numbers:
                    last += 1
                here[key] = str(last)
                node["id"] = last
                numbers.add(last)
                taken.add(str(last))
            else:
                taken.add(key)
                if re.fullmatch(r"-?\d+", key) and str(int(key)) == key:
                    numbers.add(int(key))
                    last = max(last, int(key))
        if here:
            renamed[entry["id"]] = here
            for link in entry.get("links") or ():
                for end in ("origin_id", "target_id"):
                    if str(link.get(end)) in here:
                        link[end] = here[str(link[end])]
    for node in [*(data.get("nodes") or ()), *(node for entry in definitions for node in entry.get("nodes") or ())]:
        for proxy in (node.get("properties") or {}).get("proxyWidgets") or ():
            here = renamed.get(node.get("type"), {})
            if isinstance(proxy, list) and proxy and str(proxy[0]) in here:
                proxy[0] = here[str(proxy[0])]


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return []
    return value if isinstance(value, list) else []


def _sanitized(name: str) -> str:
    return re.sub("[&<>\"'`=]", "", name)


def _without_forced(face: Face, definition: Mapping[str, Any], values: Any) -> Any:
    """The values without those of inputs that were widgets once and are sockets for good now."""
    if not isinstance(values, list):
        return values
    flags = forced(face, definition)
    return [value for value, drop in zip(values, flags, strict=True) if not drop] if len(flags) == len(values) else values
