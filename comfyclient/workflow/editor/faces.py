"""From a node's definition to what it shows: widgets, sockets, and the inputs that come and go with them."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from comfyclient.workflow.editor import javascript
from comfyclient.workflow.editor.kinds import KINDS, combo, custom_combo
from comfyclient.workflow.editor.specs import Spec, grouped, ordered, spec, specs
from comfyclient.workflow.editor.widgets import Face, Slot, Widget

if TYPE_CHECKING:
    from collections.abc import Mapping


DYNAMIC_COMBO = "COMFY_DYNAMICCOMBO_V3"
"""The type of a choice that brings inputs of its own."""

_MOST = 100
"""Inputs in a list that grows, as the server has it."""


def build(class_type: str, definition: Mapping[str, Any], properties: Mapping[str, Any] | None = None) -> Face:
    """A new node of this class."""
    face = Face(class_type, properties)
    inputs = ordered(class_type, definition)
    for entry in inputs:
        _add_socket(face, entry)
    for entry in inputs:
        _add_widget(face, entry)
    if class_type == "CustomCombo" and face.widgets:
        custom_combo(face)
    return face


def without_forced(face: Face, definition: Mapping[str, Any], values: Any) -> Any:
    """``widgets_values`` without those of inputs that were widgets once and are sockets for good now."""
    if not isinstance(values, list):
        return values
    names = {widget.name for widget in face.widgets}
    dropped: list[bool] = []
    for entry in specs(face.class_type, definition):
        if entry.name in names or entry.is_forced:
            dropped += [entry.is_forced, False] if entry.options.get("control_after_generate") else [entry.is_forced]
    if len(dropped) != len(values):
        return values
    return [value for value, drop in zip(values, dropped, strict=True) if not drop]


def is_widget(entry: Spec) -> bool:
    """Whether an input is shown as a widget."""
    return entry.widget_type in KINDS or entry.widget_type == DYNAMIC_COMBO


def add_input(face: Face, entry: Spec) -> None:
    """Add an input that came later."""
    _add_socket(face, entry)
    _add_widget(face, entry)


def _add_socket(face: Face, entry: Spec) -> None:
    if is_widget(entry) and not entry.is_forced:
        return
    template = entry.options.get("template")
    template = template if isinstance(template, dict) else {}
    if entry.type == "COMFY_AUTOGROW_V3":
        group = face.growing[entry.name] = Autogrow(face, entry.name, template)
        group.start()
    elif entry.type == "COMFY_MATCHTYPE_V3":
        allowed = str(template.get("allowed_types", "*"))
        add_input(face, Spec(entry.name, allowed, entry.options, entry.optional))
        if face.slots and face.slots[-1].name == entry.name:
            face.slots[-1].template, face.slots[-1].allowed = str(template.get("template_id")), allowed
    else:
        face.slots.append(Slot(entry.name, entry.type))


def _add_widget(face: Face, entry: Spec) -> None:
    if not is_widget(entry) or entry.is_forced:
        return
    options = {"name": entry.name, "isOptional": entry.optional, **entry.options}
    if entry.widget_type == DYNAMIC_COMBO:
        _dynamic_combo(face, entry.name, options)
    else:
        KINDS[entry.widget_type](face, entry.name, options)
    if not entry.options.get("socketless"):
        face.slots.append(Slot(entry.name, entry.type, widget=entry.name))


def _dynamic_combo(face: Face, name: str, options: dict[str, Any]) -> None:
    """A choice that brings inputs of its own, which stand behind it."""
    given = options.get("options")
    branches: dict[str, Any] = {}
    for branch in given if isinstance(given, list) else ():
        if isinstance(branch, dict) and isinstance(branch.get("key"), str):
            branches[branch["key"]] = branch.get("inputs")
    widget = combo(face, name, {"options": list(branches)})

    def follow(value: Any) -> None:
        prefix = f"{name}."
        before = [slot for slot in face.slots if slot.name.startswith(prefix)]
        face.slots[:] = [slot for slot in face.slots if not slot.name.startswith(prefix)]
        face.widgets[:] = [other for other in face.widgets if not other.name.startswith(prefix)]
        branch = branches.get(javascript.text(value)) if javascript.truthy(value) else None
        if branch is None:
            return
        had_widgets, had_slots = len(face.widgets), len(face.slots)
        for inner, raw, optional in grouped(branch):
            add_input(face, spec(prefix + inner, raw, optional=optional))
        _move_tail(face.widgets, had_widgets, face.widgets.index(widget) + 1)
        place = next((at for at, slot in enumerate(face.slots) if slot.name == name), -1) + 1
        if place:  # there is none yet while the node is being made
            _move_tail(face.slots, had_slots, place)
            face.moved(place)
            _relink(face, before)

    widget.on_change = follow
    follow(widget.value)


def _move_tail(entries: list[Any], start: int, place: int) -> None:
    tail = entries[start:]
    del entries[start:]
    entries[place:place] = tail


def _relink(face: Face, before: list[Slot]) -> None:
    """Inputs of the same names keep their links."""
    for slot in before:
        same = next((other for other in face.slots if other.name == slot.name), None)
        if same is not None and slot.link is not None:
            same.link = slot.link
            if slot.link in face.links:
                face.links[slot.link].target_slot = face.slots.index(same)
                face.connected(same)


def _count(value: Any) -> int:
    number = javascript.to_number(value)
    return int(max(0, min(number, _MOST))) if not math.isnan(number) else 0


class Autogrow:
    """A group of inputs of which there is always one more than is used."""

    def __init__(self, face: Face, name: str, template: Mapping[str, Any]) -> None:
        self._face = face
        self._name = name
        names = template.get("names")
        self._names = [str(name) for name in names] if isinstance(names, list) and names else None
        self._prefix = str(template.get("prefix") or "")
        self._least = _count(template.get("min", 1))
        self._most = len(self._names) if self._names else _count(template.get("max", _MOST))
        self._specs = [spec(inner, raw, optional=optional) for inner, raw, optional in grouped(template.get("input"))]

    def start(self) -> None:
        """Add the inputs that a new node has."""
        for number in range(max(1, self._least + 1)):
            self._grow(number)

    def connected(self, slot: Slot) -> None:
        """A link came to one of the inputs."""
        number = self._number(slot.name)
        if number is not None:
            self._grow(number + 1)

    def _full_name(self, number: int, inner: str) -> str:
        if self._names:
            return f"{self._name}.{self._names[number]}"
        return f"{self._name}.{self._prefix if len(self._specs) == 1 else inner}{number}"

    def _number(self, slot_name: str) -> int | None:
        rest = slot_name[len(self._name) + 1 :]
        if self._names:
            return self._names.index(rest) if rest in self._names else None
        digits = re.search(r"[0-9]+$", rest)
        return int(digits[0]) if digits else None

    def _grow(self, number: int) -> None:
        if number >= self._most or not self._specs:
            return
        face = self._face
        added = []
        for inner in self._specs:
            name = self._full_name(number, inner.name)
            add_input(face, Spec(name, inner.type, inner.options, inner.optional or number >= self._least))
            slot = face.slots.pop()
            if len(self._specs) != 1:
                if face.widget(name) is None:
                    face.widgets.append(Widget(name, "shim", saved=False, sent=False))
                slot.widget = name
            added.append(slot)
        for slot in added:
            for old in [other for other in face.slots if other.name == slot.name]:
                slot.link = slot.link if slot.link is not None else old.link
                face.slots.remove(old)
        last = self._full_name(number - 1, self._specs[-1].name) if number else f"{self._name}.{self._prefix}-1"
        places = [at for at, slot in enumerate(face.slots) if slot.name.startswith(last)]
        place = places[-1] + 1 if places else len(face.slots)
        face.slots[place:place] = added
        face.moved(place)
