"""Save files of 2025: widgets of inner nodes shown on a subgraph node, before there were inputs for them."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from comfyclient.workflow.editor.graph import INPUTS, OUTPUTS, End, Link, _listed, _PromotedSlot

if TYPE_CHECKING:
    from comfyclient.workflow.editor.graph import EditorNode, Slot, Subgraph

_MISSING = object()


def migrate(host: EditorNode) -> None:
    """Turn ``proxyWidgets`` of a subgraph node into inputs of the subgraph, with the values that the node shows."""
    if host.subgraph is None or "proxyWidgets" not in host.properties:
        return
    entries = [entry for entry in _listed(host.properties["proxyWidgets"]) if isinstance(entry, list)]
    values = host.data.get("widgets_values")
    values = values if isinstance(values, list) else []
    found = []
    for place, entry in enumerate(entries):
        node_id, name = _normal(host, str(entry[0]), str(entry[1]))
        value = values[place] if place < len(values) and values[place] is not None else _MISSING
        found.append((node_id, name, value, entry))
    plans = [_classify(host, node_id, name, [other[0] for other in found]) for node_id, name, _, _ in found]
    lost: list[tuple[Any, Any]] = []
    primitives: dict[str, list[tuple[str, Any]]] = {}
    for (node_id, name, value, entry), plan in zip(found, plans, strict=True):
        if plan == "primitive":
            primitives.setdefault(node_id, []).append((name, value))
        elif isinstance(plan, str) and plan.startswith("linked:"):
            slots = [slot for slot in host.slots if slot.name == plan[7:]]
            if len(slots) != 1 or not _give(slots[0], value):
                lost.append((entry, value))
        elif plan == "create":
            if not _create(host, node_id, name, value):
                lost.append((entry, value))
        elif plan == "lost":
            lost.append((entry, value))
    for node_id, several in primitives.items():
        _bypass(host, node_id, several)
    for entry, value in lost:
        if entry[0] == "-1" and value is not _MISSING:
            slot = next((slot for slot in host.slots if slot.name == entry[1]), None)
            if slot is not None:
                _give(slot, value)


def _normal(host: EditorNode, node_id: str, name: str) -> tuple[str, str]:
    if host.concrete(node_id, name) is not None:
        return node_id, name
    while match := re.match(r"\s*(\d+)\s*:\s*(.+)$", name):
        name = match[2]
    return node_id, name


def _classify(host: EditorNode, node_id: str, name: str, all_ids: list[str]) -> str:
    subgraph = host.subgraph
    assert subgraph is not None
    for slot in host.slots:
        if host.source(slot.name) == (node_id, name):
            return f"linked:{slot.name}"
    node = subgraph.nodes.get(node_id)
    if node is None:
        return "lost"
    if node.type == "PrimitiveNode":
        marked = node.properties.get("proxyBypassedToSubgraphInput")
        if isinstance(marked, str) and any(slot.name == marked for slot in host.slots):
            return f"linked:{marked}"
        return "primitive" if _targets(subgraph, node_id) or all_ids.count(node_id) > 1 else "lost"
    if node.subgraph is not None:
        has = any(slot.name == name and node.promoted(slot) is not None for slot in node.slots)
    else:
        has = node.face.widget(name) is not None
    if name.startswith("$$"):
        return "preview"
    return "create" if has else "lost"


def _give(slot: Slot, value: Any) -> bool:
    widget = slot.promoted if isinstance(slot, _PromotedSlot) else None
    if widget is None:
        return False
    if value is not _MISSING:
        widget.value = copy.deepcopy(value)
    return True


def _create(host: EditorNode, node_id: str, name: str, value: Any) -> bool:
    subgraph = host.subgraph
    assert subgraph is not None
    node = subgraph.nodes[node_id]
    if node.subgraph is not None:
        inner = next((slot for slot in node.slots if slot.name == name), None)
    else:
        inner = next((slot for slot in node.slots if slot.widget == name), None)
    if inner is None:
        return False
    new = _new_input(subgraph, name, inner.type, [(node, inner)])
    return _give(next(slot for slot in host.slots if isinstance(slot, _PromotedSlot) and slot.end is new), value)


def _new_input(subgraph: Subgraph, name: str, kind: Any, targets: list[tuple[EditorNode, Slot]]) -> End:
    names = {end.name for end in subgraph.inputs}
    unique, number = name, 0
    while unique in names:
        number += 1
        unique = f"{name}_{number}"
    end = End(unique, kind, [])
    place = len(subgraph.inputs)
    subgraph.inputs.append(end)
    for node, slot in targets:
        link = Link([f"new {place} {len(end.link_ids)}", INPUTS, place, node.id, node.slots.index(slot), kind])
        subgraph.links[link.id] = link
        slot.link = link.id
        end.link_ids.append(link.id)
    for graph in (*subgraph.root.subgraphs.values(), subgraph.root):
        for other in graph.nodes.values():
            if other.subgraph is subgraph:
                added = _PromotedSlot(end)
                other.slots.append(added)
                other.promote(added)
    return end


def _targets(subgraph: Subgraph, node_id: str) -> list[tuple[EditorNode, Slot]]:
    """Where a node's first output goes, by the number of the slot that the link has, as the editor looks there."""
    found = []
    for link in subgraph.links.values():
        if link.origin_id == node_id and link.origin_slot == 0 and link.target_id != OUTPUTS:
            node = subgraph.nodes.get(link.target_id)
            if node is not None and link.target_slot < len(node.slots):
                found.append((node, node.slots[link.target_slot]))
    return found


def _bypass(host: EditorNode, node_id: str, several: list[tuple[str, Any]]) -> None:
    subgraph = host.subgraph
    assert subgraph is not None
    node = subgraph.nodes[node_id]
    targets = _targets(subgraph, node_id)
    if not targets or len({name for name, _ in several}) != 1:
        return
    kind = str(node.outputs[0] if node.outputs else "*")
    if any(str(slot.type) != kind and "*" not in {str(slot.type), kind} for _, slot in targets):
        return
    name = several[0][0]
    title = node.data.get("title")
    new = _new_input(subgraph, title if title and title != "PrimitiveNode" else name, targets[0][1].type, targets)
    slot = next(slot for slot in host.slots if isinstance(slot, _PromotedSlot) and slot.end is new)
    values = [value for _, value in several if value is not _MISSING]
    _give(slot, values[0] if values else _MISSING)  # the primitive has no widget of its own yet
    node.properties["proxyBypassedToSubgraphInput"] = new.name
