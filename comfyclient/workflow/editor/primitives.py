"""Primitives: nodes that hold a value for the widgets that they are linked to."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

from attrs import frozen

from comfyclient.workflow.editor import faces, javascript
from comfyclient.workflow.editor.kinds import KINDS
from comfyclient.workflow.editor.model import CatalogNode, SubgraphNode
from comfyclient.workflow.editor.texts import replace_names
from comfyclient.workflow.editor.widgets import Face, Widget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comfyclient.workflow.editor.model import Graph, Node
    from comfyclient.workflow.editor.widgets import Slot

TYPE = "PrimitiveNode"
_REPLACE = "Run widget replace on values"


def give_widgets(graph: Graph) -> None:
    """Give every primitive the widget that its first target asks for, with the value that the file has for it."""
    for node in graph.nodes.values():
        if node.saved.type == TYPE:
            _give_widget(node)


def apply(graph: Graph) -> None:
    """Write the value of every primitive into the widgets that it is linked to, as is done before an export."""
    for node in graph.nodes.values():
        if node.saved.type == TYPE:
            _apply(node)


@frozen
class _Config:
    """What a target says of the value that it takes."""

    type: str
    options: dict[str, Any]
    value: Any = None


def _give_widget(node: Node) -> None:
    targets = list(_targets(node))
    link_ids = node.outputs[0].links if node.outputs else []
    if not link_ids or link_ids[0] not in node.graph.links or not targets:
        return
    config = _config(*targets[0])
    if config is None:
        return
    widget = _build(node, config)
    widget.set(copy.deepcopy(config.value))
    values = node.saved.values
    for own, value in zip(node.widgets, values if isinstance(values, list) else (), strict=False):
        own.set(copy.deepcopy(value))
    if config.type in {"INT", "FLOAT"}:
        _merge(node, config, targets)


def _build(node: Node, config: _Config) -> Widget:
    face = Face(node.saved.type)
    kind = "COMBO" if config.type == faces.DYNAMIC_COMBO else config.type
    if kind in KINDS:
        KINDS[kind](face, "value", config.options)
    else:
        face.widgets.append(Widget("value", kind))
    node.face.widgets[:] = face.widgets
    return face.widgets[0]


def _merge(node: Node, config: _Config, targets: list[tuple[Node, Slot]]) -> None:
    """Keep the value within what all targets take whose definitions agree."""
    for target in targets:
        other = _config(*target)
        merged = _merged(config, other) if other is not None else None
        if merged is None:
            continue
        config = merged
        value = node.widgets[0].value
        widget = _build(node, config)
        widget.value = value
        entered = javascript.to_number(value)
        if entered < config.options["min"]:
            widget.value = javascript.number(config.options["min"])
        if entered > config.options["max"]:
            widget.value = javascript.number(config.options["max"])
        widget.enter(widget.value)
        _apply(node)


_IGNORED = {
    "default",
    "forceInput",
    "defaultInput",
    "control_after_generate",
    "multiline",
    "tooltip",
    "dynamicPrompts",
    "min",
    "max",
    "step",
}


def _merged(one: _Config, other: _Config) -> _Config | None:
    low = max(_bound(one, "min", -math.inf), _bound(other, "min", -math.inf))
    high = min(_bound(one, "max", math.inf), _bound(other, "max", math.inf))
    keys = {*one.options, *other.options} - _IGNORED
    if one.type != other.type or low > high or any(one.options.get(key) != other.options.get(key) for key in keys):
        return None
    step = _common_step(_bound(one, "step", 1), _bound(other, "step", 1))
    return _Config(one.type, {**one.options, **other.options, "min": low, "max": high, "step": step})


def _bound(config: _Config, key: str, default: float) -> float:
    value = config.options.get(key)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else default


def _common_step(one: float, other: float) -> float:
    left, right = abs(one), abs(other)
    for _ in range(100):
        if right <= 1e-10:  # noqa: PLR2004 - the editor's own tolerance
            break
        left, right = right, math.fmod(left, right)
    return abs(one * other) / left if left else 0


def _config(node: Node, slot: Slot) -> _Config | None:
    if slot.widget is None and slot.promoted is None:
        return _Config(slot.type, {}) if slot.type in KINDS else None
    widget = node.widget_of(slot)
    if widget is None or not isinstance(node, (CatalogNode, SubgraphNode)):
        return None
    return _Config(str(slot.type), widget.options, widget.value)


def _targets(node: Node) -> Iterator[tuple[Node, Slot]]:
    for link_id in node.outputs[0].links if node.outputs else ():
        link = node.graph.links.get(link_id)
        target = node.graph.nodes.get(link.target_id) if link is not None else None
        if link is not None and target is not None and 0 <= link.target_slot < len(target.slots):
            yield target, target.slots[link.target_slot]


def _apply(node: Node) -> None:
    if not node.widgets:
        return
    value = node.widgets[0].value
    if value and isinstance(value, str) and node.properties.get(_REPLACE):
        value = replace_names(node.graph, value)
    for target, slot in list(_targets(node)):
        widget = target.widget_of(slot)
        if widget is not None:
            widget.enter(copy.deepcopy(value))
