"""Inputs and outputs whose types follow each other: what is linked to one of them decides what the others take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfyclient.workflow.editor.model import CatalogNode
from comfyclient.workflow.editor.widgets import ANY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from comfyclient.workflow.editor.model import Graph
    from comfyclient.workflow.editor.widgets import Slot


def settle(graph: Graph) -> None:
    """Give the types that follow others those that the links bring, through any number of such nodes."""
    nodes = [node for node in graph.nodes.values() if isinstance(node, CatalogNode) and _templates(node)]
    for _ in nodes:  # each may have to wait for the one before it
        changed = [_settle(node) for node in nodes]
        if not any(changed):
            break


def _templates(node: CatalogNode) -> set[str]:
    return {slot.template for slot in node.slots if slot.template is not None}


def _settle(node: CatalogNode) -> bool:
    """Whether anything changed."""
    changed = False
    for template in _templates(node):
        slots = [slot for slot in node.slots if slot.template == template]
        linked = [(slot, kind) for slot in slots if (kind := _comes(node.graph, slot)) is not None]
        for slot in slots:
            kind = _common(slot.allowed, (kind for other, kind in linked if other is not slot))
            changed |= slot.type != kind
            slot.type = kind
        given = _common(slots[0].allowed, (kind for _, kind in linked))
        for output, follows in zip(node.outputs, node.followed, strict=False):
            if follows == template:
                changed |= output.type != given
                output.type = given
    return changed


def _comes(graph: Graph, slot: Slot) -> Any:
    """The type of what is linked to an input; None if nothing is."""
    link = graph.links.get(slot.link) if slot.link is not None else None
    if link is None:
        return None
    origin = graph.nodes.get(link.origin_id)
    outputs = origin.outputs if origin is not None else []
    return outputs[link.origin_slot].type if 0 <= link.origin_slot < len(outputs) else link.type


def _common(allowed: str, kinds: Iterable[Any]) -> str:
    """What all of them can be."""
    found = allowed
    for kind in map(str, kinds):
        if kind in ANY:
            continue
        shared = [part for part in found.split(",") if part in kind.split(",")]
        found = kind if found in ANY else ",".join(shared) or found
    return found
