"""Save files of 2025: widgets of inner nodes shown on a subgraph node, before there were inputs for them."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from attrs import define

from comfyclient.workflow.editor import primitives
from comfyclient.workflow.editor.model import Graph, Node, Subgraph, SubgraphNode
from comfyclient.workflow.editor.saved import INPUTS, OUTPUTS, SavedEnd, SavedLink, is_proxy, listed
from comfyclient.workflow.editor.widgets import Slot

if TYPE_CHECKING:
    from collections.abc import Iterable

_NOTHING = object()
_MARK = "proxyBypassedToSubgraphInput"


@define(eq=False)
class _Proxy:
    """An entry of ``proxyWidgets``.

    Attributes:
        first: The node's id as it was written; ``"-1"`` stands for the subgraph node itself.
        written: The widget's name as it was written.
        node_id: The inner node.
        name: The widget, without the ids that old files put before it.
        hint: The node further inside that such an id named.
        value: What the subgraph node has for it.
    """

    first: str
    written: str
    node_id: str
    name: str
    hint: str | None
    value: Any


def migrate(host: SubgraphNode, graphs: Iterable[Graph]) -> None:
    """Turn ``proxyWidgets`` of a subgraph node into inputs of the subgraph, with the values that the node shows.

    Args:
        host: The node.
        graphs: All graphs that may have nodes which stand for the same subgraph.
    """
    proxies = _read(host)
    if proxies:
        _Migration(host, list(graphs), proxies).run()


def _read(host: SubgraphNode) -> list[_Proxy]:
    entries = listed(host.properties.get("proxyWidgets"))
    if not all(map(is_proxy, entries)):
        return []  # the editor ignores the whole list then
    values = host.saved.values if isinstance(host.saved.values, list) else []
    proxies = []
    for place, (node_id, name, *more) in enumerate(entries):
        value = values[place] if place < len(values) and values[place] is not None else _NOTHING
        hint = more[0] if more else None
        plain = name
        if host.concrete(node_id, name) is None:
            while match := re.match(r"\s*([0-9]+)\s*:\s*(.+)$", plain):
                hint, plain = match[1], match[2]
        proxies.append(_Proxy(node_id, name, node_id, plain, hint, value))
    return proxies


@define(eq=False)
class _Migration:
    """The migration of one subgraph node."""

    host: SubgraphNode
    graphs: list[Graph]
    proxies: list[_Proxy]

    @property
    def subgraph(self) -> Subgraph:
        return self.host.subgraph

    def run(self) -> None:
        lost: list[_Proxy] = []
        by_primitive: dict[str, list[_Proxy]] = {}
        # What becomes of each is decided before anything changes.
        for proxy, (plan, name) in [(proxy, self._plan(proxy)) for proxy in self.proxies]:
            if plan == "primitive":
                by_primitive.setdefault(proxy.node_id, []).append(proxy)
            elif plan == "linked":
                slots = [slot for slot in self.host.slots if slot.name == name]
                if len(slots) != 1 or not _give(slots[0], proxy.value):
                    lost.append(proxy)
            elif plan == "lost" or (plan == "create" and not self._create(proxy)):
                lost.append(proxy)
        for node_id, proxies in by_primitive.items():
            if not self._replace_primitive(node_id, proxies):
                lost += proxies
        for proxy in lost:
            slot = next((slot for slot in self.host.slots if slot.name == proxy.written), None)
            if proxy.first == "-1" and slot is not None and proxy.value is not _NOTHING:
                _give(slot, proxy.value)

    def _plan(self, proxy: _Proxy) -> tuple[str, str]:
        for slot in self.host.slots:
            if self.host.source(slot.name) == (proxy.node_id, proxy.name):
                return "linked", slot.name
        node = self.subgraph.nodes.get(proxy.node_id)
        if node is None:
            return "lost", ""
        if node.saved.type == primitives.TYPE:
            mark = node.properties.get(_MARK)
            if isinstance(mark, str) and any(slot.name == mark for slot in self.host.slots):
                return "linked", mark
            several = sum(other.node_id == proxy.node_id for other in self.proxies) > 1
            return ("primitive" if self._targets(node) or several else "lost"), ""
        if isinstance(node, SubgraphNode):
            is_there = _inner_slot(node, proxy) is not None
        else:
            is_there = node.face.widget(proxy.name) is not None
        if is_there and proxy.name.startswith("$$"):
            return "preview", ""
        return ("create" if is_there else "lost"), ""

    def _create(self, proxy: _Proxy) -> bool:
        node = self.subgraph.nodes[proxy.node_id]
        if isinstance(node, SubgraphNode):
            inner = _inner_slot(node, proxy)
        else:
            inner = next((slot for slot in node.slots if slot.widget == proxy.name), None)
        if inner is None:
            return False
        end = self._new_input(proxy.name, inner.type, [(node, inner)])
        return _give(self._slot_of(end), proxy.value)

    def _replace_primitive(self, node_id: str, proxies: list[_Proxy]) -> bool:
        """An input of the subgraph takes the place of a primitive."""
        node = self.subgraph.nodes[node_id]
        targets = self._targets(node)
        if not targets or len({proxy.name for proxy in proxies}) != 1:
            return False
        kind = str(node.outputs[0].type)
        if any(str(slot.type) != kind and "*" not in {str(slot.type), kind} for _, slot in targets):
            return False
        title = node.title if node.title not in {None, "", primitives.TYPE} else None
        end = self._new_input(title or proxies[0].name, kind, targets)
        values = [proxy.value for proxy in proxies if proxy.value is not _NOTHING]
        _give(self._slot_of(end), values[0] if values else _NOTHING)  # the primitive has no widget of its own yet
        node.properties[_MARK] = end.name
        return True

    def _targets(self, node: Node) -> list[tuple[Node, Slot]]:
        """Where a primitive leads, by the place that its links name."""
        found = []
        for link_id in node.outputs[0].links if node.outputs else ():
            link = self.subgraph.links.get(link_id)
            target = self.subgraph.nodes.get(link.target_id) if link is not None else None
            if link is not None and link.target_id != OUTPUTS and target is not None:
                if not 0 <= link.target_slot < len(target.slots):
                    return []
                found.append((target, target.slots[link.target_slot]))
        return found

    def _slot_of(self, end: SavedEnd) -> Slot:
        return self.host.slots[next(at for at, other in enumerate(self.subgraph.inputs) if other is end)]

    def _new_input(self, name: str, kind: Any, targets: list[tuple[Node, Slot]]) -> SavedEnd:
        place = len(self.subgraph.inputs)
        end = self.subgraph.new_input(name, kind)
        for node, slot in targets:
            self._disconnect(slot)
            link_id = f"new {place} {len(end.link_ids)}"
            self.subgraph.links[link_id] = SavedLink(link_id, INPUTS, place, node.id, node.slots.index(slot), kind)
            slot.link = link_id
            end.link_ids.append(link_id)
        for graph in self.graphs:
            for other in graph.nodes.values():
                if isinstance(other, SubgraphNode) and other.subgraph is self.subgraph:
                    other.slots.append(Slot(end.name, kind))
                    other.promote(other.slots[-1])
        return end

    def _disconnect(self, slot: Slot) -> None:
        link = self.subgraph.links.pop(slot.link, None)
        origin = self.subgraph.nodes.get(link.origin_id) if link is not None else None
        for output in origin.outputs if origin is not None else ():
            output.links = [link_id for link_id in output.links if link_id != slot.link]


def _inner_slot(node: SubgraphNode, proxy: _Proxy) -> Slot | None:
    """The input of a subgraph node within that shows the widget."""
    for slot in node.slots:
        source = node.source(slot.name)
        if proxy.hint is not None:
            is_it = source == (proxy.hint, proxy.name)
        else:
            is_it = slot.name == proxy.name or (source is not None and source[1] == proxy.name)
        if is_it:
            return slot if slot.promoted is not None else None
    return None


def _give(slot: Slot, value: Any) -> bool:
    if slot.promoted is None:
        return False
    if value is not _NOTHING:
        slot.promoted.value = copy.deepcopy(value)
    return True
