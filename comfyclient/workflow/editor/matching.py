"""Inputs and outputs whose types follow each other: what is linked to one of them decides what the others take.

The editor cuts the links of such an output to inputs that cannot take its type any more, and no others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfyclient.workflow.editor.model import CatalogNode
from comfyclient.workflow.editor.widgets import ANY, is_compatible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from comfyclient.workflow.editor.model import Graph
    from comfyclient.workflow.editor.saved import SavedOutput
    from comfyclient.workflow.editor.widgets import Slot


def settle(graph: Graph) -> None:
    """Give the types that follow others those that the links bring, through any number of such nodes."""
    nodes = [node for node in graph.nodes.values() if isinstance(node, CatalogNode) and _templates(node)]
    for _ in nodes:  # each may have to wait for the one before it
        changed = [_settle(node) for node in nodes]
        if not any(changed):
            break
    if nodes:
        _cut(graph)


def _cut(graph: Graph) -> None:
    for node in graph.nodes.values():
        for slot in node.slots:
            link = graph.links.get(slot.link) if slot.link is not None else None
            origin = graph.nodes.get(link.origin_id) if link is not None else None
            if link is None or not isinstance(origin, CatalogNode) or not 0 <= link.origin_slot < len(origin.followed):
                continue
            follows = origin.followed[link.origin_slot] is not None
            if follows and not is_compatible(origin.outputs[link.origin_slot].type, slot.type):
                slot.link = None


def _templates(node: CatalogNode) -> set[str]:
    return {slot.template for slot in node.slots if slot.template is not None}


def _settle(node: CatalogNode) -> bool:
    """Whether anything changed."""
    changed = False
    for template in _templates(node):
        slots = [slot for slot in node.slots if slot.template == template]
        linked = [(slot, kind) for slot in slots if (kind := _comes(node.graph, slot)) is not None]
        parts: list[tuple[Slot | SavedOutput, str | None]] = [
            (slot, _common(slot.allowed, (kind for other, kind in linked if other is not slot))) for slot in slots
        ]
        given = _common(slots[0].allowed, (kind for _, kind in linked))
        followed = zip(node.outputs, node.followed, strict=False)
        parts += [(output, given) for output, follows in followed if follows == template]
        for part, kind in parts:
            if kind is not None and part.type != kind:
                part.type = kind
                changed = True
    return changed


def _comes(graph: Graph, slot: Slot) -> Any:
    """The type of what is linked to an input; None if nothing is."""
    link = graph.links.get(slot.link) if slot.link is not None else None
    if link is None:
        return None
    origin = graph.nodes.get(link.origin_id)
    outputs = origin.outputs if origin is not None else []
    return outputs[link.origin_slot].type if 0 <= link.origin_slot < len(outputs) else link.type


def _common(allowed: str, kinds: Iterable[Any]) -> str | None:
    """What all of them can be; None if they exclude each other."""
    found = allowed
    for kind in map(str, kinds):
        if kind in ANY:
            continue
        shared = kind if found in ANY else ",".join(part for part in found.split(",") if part in kind.split(","))
        if not shared:
            return None
        found = shared
    return found
