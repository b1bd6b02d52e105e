"""The graph as the editor has it in memory: nodes with their widgets, links, and subgraphs that nodes stand for."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from comfyclient.workflow.editor import faces, javascript, specs
from comfyclient.workflow.editor.saved import SavedEnd, SavedLink, SavedOutput, is_proxy, listed
from comfyclient.workflow.editor.widgets import Face, Slot, Widget

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from comfyclient.workflow.editor.saved import LinkId, SavedGraph, SavedNode

NEVER, BYPASS = 2, 4
"""The modes of nodes that are muted, and bypassed."""

_DEEPEST = 100
"""As many subgraphs may stand in each other for a promoted widget to be found."""


class Node:
    """A node; one of a class that the catalogue does not have, unless a subclass says otherwise.

    Attributes:
        graph: The graph that it is in.
        saved: What the save file says of it.
        class_type: Its class in the prompt.
        title: What the editor calls it.
        face: Its inputs and values.
        outputs: What it gives.
    """

    is_virtual = False
    """Whether it exists in the editor only."""

    def __init__(self, graph: Graph, saved: SavedNode) -> None:
        self.graph = graph
        self.saved = saved
        self.class_type: str | None = None
        self.title = saved.title or None
        self.properties: dict[str, Any] = dict(saved.properties)
        self.face = Face(saved.type)
        self.outputs = copy.deepcopy(saved.outputs)

    def __str__(self) -> str:
        """How messages name it."""
        return str(self.saved)

    @property
    def id(self) -> str:
        """Its id within its graph."""
        return self.saved.id

    @property
    def slots(self) -> list[Slot]:
        """Its inputs."""
        return self.face.slots

    @property
    def widgets(self) -> list[Widget]:
        """Its values."""
        return self.face.widgets

    def configure(self) -> None:
        """Take what the save file says of inputs and values."""
        self._merge_slots()
        self.face.links = self.graph.links
        for slot in list(self.slots):
            if slot.link is not None and slot.link in self.graph.links:
                self.face.connected(slot)
        self._set_values(self.saved.values)

    def finish(self) -> None:
        """Put right what only the whole graph shows."""

    def widget_of(self, slot: Slot) -> Widget | None:
        """The widget that an input stands for."""
        return self.face.widget(slot.widget) if slot.widget is not None else None

    def slot_of_link(self, link_id: LinkId) -> Slot | None:
        """The input that a link comes to."""
        return next((slot for slot in self.slots if slot.link == link_id), None)

    def _merge_slots(self) -> None:
        known = {slot.name: slot for slot in self.slots}
        for entry in self.saved.inputs:
            if entry.name in known:
                known[entry.name].link = entry.link
            else:
                self.slots.append(Slot(entry.name, entry.type, entry.link, entry.widget))

    def _set_values(self, values: Any) -> None:
        for place, value in enumerate(values if isinstance(values, list) else ()):
            is_plain = isinstance(value, (str, int, float))
            shown = value if is_plain else javascript.dumped(value)
            self.widgets.append(Widget(f"UNKNOWN_{place}" if place else "UNKNOWN", "text", shown))


class CatalogNode(Node):
    """A node of a class that the catalogue has."""

    def __init__(self, graph: Graph, saved: SavedNode, definition: Mapping[str, Any]) -> None:
        super().__init__(graph, saved)
        self.class_type = saved.type
        self.definition = definition
        self.face = faces.build(saved.type, definition, self.properties)
        self.title = self.title or specs.title(saved.type, definition)
        self.followed = specs.output_templates(definition)
        given = [SavedOutput(kind) for kind in specs.output_types(definition)]
        for output, entry in zip(given, saved.outputs, strict=False):
            output.links = list(entry.links)
        self.outputs = given + self.outputs[len(given) :]

    def finish(self) -> None:
        """Drop inputs for widgets that do not exist, and give choices without a value their first one."""
        names = {widget.name for widget in self.widgets}
        self.slots[:] = [slot for slot in self.slots if slot.widget is None or slot.widget in names]

    def _set_values(self, values: Any) -> None:
        if isinstance(values, dict):  # packs with scripts of their own save them by name
            for widget in list(self.widgets):
                if widget.name in values:
                    widget.set(copy.deepcopy(values[widget.name]))
            return
        values = faces.without_forced(self.face, self.definition, values)
        if isinstance(values, list):
            fill(self.widgets, values)


class VirtualNode(Node):
    """A node that exists in the editor only: reroutes, notes, primitives, and those that users teach us."""

    is_virtual = True

    def _set_values(self, values: Any) -> None:
        if self.saved.type in {"Note", "MarkdownNote"}:
            self.widgets.append(Widget("text", "customtext", ""))
            fill(self.widgets, values if isinstance(values, list) else [])


class SubgraphNode(Node):
    """A node that stands for a subgraph."""

    is_virtual = True

    def __init__(self, graph: Graph, saved: SavedNode, subgraph: Subgraph) -> None:
        super().__init__(graph, saved)
        self.subgraph = subgraph
        self.title = self.title or subgraph.name or None
        self.outputs = [SavedOutput(end.type) for end in subgraph.outputs]
        for output, entry in zip(self.outputs, saved.outputs, strict=False):
            output.links = list(entry.links)

    @property
    def widgets(self) -> list[Widget]:
        """The widgets that its inputs have."""
        return [slot.promoted for slot in self.slots if slot.promoted is not None]

    def widget_of(self, slot: Slot) -> Widget | None:
        """The widget that an input has."""
        return slot.promoted

    def end_of(self, slot: Slot) -> SavedEnd:
        """The subgraph's end of an input."""
        return self.subgraph.inputs[self.slots.index(slot)]

    def promote(self, slot: Slot) -> None:
        """Give an input the widget that it leads to, if it leads to one."""
        for link_id in self.end_of(slot).link_ids:
            target = self.subgraph.target(link_id)
            if target is None:
                continue
            node, inner = target
            widget = node.widget_of(inner)
            if widget is None and isinstance(node, SubgraphNode):
                source = node.source(inner.name)
                widget = node.concrete(*source) if source else None
            if widget is not None:
                value = copy.deepcopy(widget.value)
                slot.promoted = Widget(slot.name, widget.kind, value, widget.choices, options=widget.options)
                return

    def source(self, name: str) -> tuple[str, str] | None:
        """Which inner node and widget an input stands for."""
        end = next((end for end in self.subgraph.inputs if end.name == name), None)
        for link_id in end.link_ids if end is not None else ():
            target = self.subgraph.target(link_id)
            if target is None:
                continue
            node, slot = target
            if isinstance(node, SubgraphNode):
                return node.id, slot.name
            widget = node.widget_of(slot)
            if widget is not None:
                return node.id, widget.name
        return None

    def concrete(self, node_id: str, widget_name: str) -> Widget | None:
        """The widget at the end of a chain of promotions."""
        host = self
        for _ in range(_DEEPEST):
            node = host.subgraph.nodes.get(node_id)
            if node is None:
                return None
            if not isinstance(node, SubgraphNode):
                return node.face.widget(widget_name)
            source = node.source(widget_name)
            if source is None:
                return None
            host, (node_id, widget_name) = node, source
        return None

    def _merge_slots(self) -> None:
        saved = {entry.name: entry for entry in self.saved.inputs}
        for end in self.subgraph.inputs:
            entry = saved.get(end.name)
            self.slots.append(Slot(end.name, end.type, entry.link if entry is not None else None))
        for slot in self.slots:
            self.promote(slot)

    def _set_values(self, values: Any) -> None:
        kept: dict[Any, Any] = {}
        aside = listed(self.properties.get("proxyWidgetErrorQuarantine"))
        for entry in aside if all(map(_is_aside, aside)) else ():  # the editor ignores the whole list otherwise
            if entry["originalEntry"][0] == "-1" and "hostValue" in entry:
                kept.setdefault(entry["originalEntry"][1], entry["hostValue"])
        place = 0
        for slot in self.slots:
            if slot.promoted is None:
                continue
            if kept.get(slot.name) is not None:
                slot.promoted.value = kept[slot.name]
            elif isinstance(values, list) and place < len(values):
                slot.promoted.value = copy.deepcopy(values[place])
            place += 1


_REASONS = {
    "missingSourceNode",
    "missingSourceWidget",
    "missingSubgraphInput",
    "ambiguousSubgraphInput",
    "unlinkedSourceWidget",
    "primitiveBypassFailed",
}


def _is_aside(entry: Any) -> bool:
    """Whether it tells of a proxied widget that the editor could not turn into an input."""
    if not isinstance(entry, dict) or entry.get("attemptedAtVersion") != 1:
        return False
    original = entry.get("originalEntry")
    return is_proxy(original) and any(entry.get("reason") == reason for reason in _REASONS)


class Graph:
    """Nodes and links on one level."""

    def __init__(self, saved: SavedGraph) -> None:
        self.name = saved.name
        self.nodes: dict[str, Node] = {}
        self.links: dict[LinkId, SavedLink] = {link.id: link for link in saved.links}

    def target(self, link_id: LinkId) -> tuple[Node, Slot] | None:
        """The node and the input that a link leads to."""
        link = self.links.get(link_id)
        node = self.nodes.get(link.target_id) if link is not None else None
        slot = node.slot_of_link(link_id) if node is not None else None
        return (node, slot) if node is not None and slot is not None else None

    def all_nodes(self) -> Iterator[Node]:
        """Its nodes, those within a subgraph before the node that stands for it."""
        for node in self.nodes.values():
            if isinstance(node, SubgraphNode):
                yield from node.subgraph.all_nodes()
            yield node

    def settle_links(self) -> None:
        """Note in every link the place that its input has now."""
        for node in self.nodes.values():
            for place, slot in enumerate(node.slots):
                link = self.links.get(slot.link) if slot.link else None
                if link is not None:
                    link.target_slot = place


class Subgraph(Graph):
    """The definition of a subgraph; its nodes are shared by all that stand for it."""

    def __init__(self, saved: SavedGraph) -> None:
        super().__init__(saved)
        self.id = saved.id
        self.inputs = saved.inputs
        self.outputs = saved.outputs

    def new_input(self, name: str, kind: Any) -> SavedEnd:
        """Add an input of this name, with a number behind it if there is such a one already."""
        names = {end.name for end in self.inputs}
        unique, number = name, 0
        while unique in names:
            number += 1
            unique = f"{name}_{number}"
        end = SavedEnd(unique, kind, [])
        self.inputs.append(end)
        return end


def fill(widgets: list[Widget], values: list[Any]) -> None:
    """Set widgets from ``widgets_values``; setting one may bring others behind it."""
    place = taken = 0
    while place < len(widgets) and taken < len(values):
        widget = widgets[place]
        place += 1
        if widget.saved:
            widget.set(copy.deepcopy(values[taken]))
            taken += 1
