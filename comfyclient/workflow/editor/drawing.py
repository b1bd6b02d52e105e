"""A node of the prompt as the editor shows it: its widgets filled, its inputs and outputs known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import define, field

from comfyclient.workflow import links
from comfyclient.workflow.editor import faces, layout, specs
from comfyclient.workflow.editor.saved import SavedOutput
from comfyclient.workflow.editor.widgets import Face, Slot, Widget

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONTROLS = ["fixed", "increment", "decrement", "randomize"]
_PICTURES = ("image_upload", "animated_image_upload", "video_upload")


@define(eq=False)
class Drawn:
    """A node to be saved.

    Attributes:
        id: Its id within its graph.
        type: Its class, or the id of the subgraph that it stands for.
        title: What the user calls it.
        face: Its inputs and values.
        outputs: What it gives.
        links: What comes to its inputs, by their names: the id of another node of its graph, and the output of that.
        constants: The values of inputs that the editor has no widget for.
        properties: The editor's own notes.
        mode: 2 for muted.
        shows_picture: Whether there is one below its widgets.
    """

    id: str
    type: str
    title: str | None
    face: Face
    outputs: list[SavedOutput]
    links: dict[str, tuple[str, int]] = field(factory=dict)
    constants: dict[str, Any] = field(factory=dict)
    properties: dict[str, Any] = field(factory=dict)
    mode: int = 0
    shows_picture: bool = False

    def slot(self, name: str) -> Slot:
        """Its input of this name, which it gets if there is none."""
        found = _slot(self.face, name)
        if found is None:
            found = Slot(name)
            self.face.slots.append(found)
        return found

    def output(self, number: int) -> SavedOutput:
        """An output; also one that its class does not have."""
        while len(self.outputs) <= number:
            self.outputs.append(SavedOutput(name="*"))
        return self.outputs[number]

    def size(self) -> layout.Size:
        """How large it is."""
        names = [output.name for output in self.outputs]
        return layout.size(self.face, names, self.title or self.type, shows_picture=self.shows_picture)


def draw(node_id: str, node: Mapping[str, Any], catalog: Mapping[str, Any]) -> Drawn:
    """A node of the prompt; one that the catalogue lacks has its values in the order in which the prompt has them."""
    class_type, inputs = str(node["class_type"]), node["inputs"]
    definition = catalog.get(class_type)
    title = (node.get("_meta") or {}).get("title")
    drawn = Drawn(node_id, class_type, title if isinstance(title, str) else None, Face(class_type), [])
    if isinstance(definition, dict):
        drawn.face = face_of(node, definition)
        names = definition.get("output_name") or []
        for place, kind in enumerate(specs.output_types(definition)):
            drawn.outputs.append(SavedOutput(kind, name=str(names[place] if place < len(names) else kind)))
        drawn.shows_picture = bool(definition.get("output_node")) or _takes_picture(class_type, definition)
    else:
        values = {name: value for name, value in inputs.items() if not links.is_link(value)}
        drawn.face.widgets += [Widget(name, "text", unwrapped(value)) for name, value in values.items()]
    drawn.properties = _properties(inputs)
    sockets = {slot.name for slot in drawn.face.slots} - {widget.name for widget in drawn.face.widgets}
    drawn.constants = {name: value for name, value in inputs.items() if name in sockets and not links.is_link(value)}
    return drawn


def face_of(node: Mapping[str, Any], definition: Mapping[str, Any]) -> Face:
    """What the editor shows of a node of the prompt."""
    face, inputs = faces.build(node["class_type"], definition), node["inputs"]
    _fill(face, inputs)
    for name in inputs:
        slot = _slot(face, name)
        if slot is not None:
            face.connected(slot)  # which may bring the next one
    return face


def _slot(face: Face, name: str) -> Slot | None:
    return next((slot for slot in face.slots if slot.name == name), None)


def _fill(face: Face, inputs: Mapping[str, Any]) -> None:
    """Give the widgets their values; setting one may bring others behind it."""
    place = 0
    while place < len(face.widgets):
        widget = face.widgets[place]
        place += 1
        if widget.name in inputs and not links.is_link(inputs[widget.name]):
            value = unwrapped(inputs[widget.name])
            widget.set(value)
            if widget.kind == "boundingbox" and isinstance(value, dict):
                for part in face.widgets[place : place + len(value)]:
                    part.value = value.get(part.name, part.value)
            if widget.dynamic_prompts and isinstance(value, str):
                widget.value = escaped(value)
        elif widget.choices == _CONTROLS and not widget.sent:
            widget.value = "fixed"  # or the editor would change the seed before its first run


def _properties(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What nodes with a view of three-dimensional things keep beside their widgets: how it is turned."""
    for value in inputs.values():
        camera = value.get("camera_info") if isinstance(value, dict) else None
        if isinstance(camera, dict):
            state = {key: camera[key] for key in ("position", "target", "zoom", "cameraType") if key in camera}
            config = {key: camera[key] for key in ("cameraType", "fov") if key in camera}
            return {"Camera Config": {**config, "state": state}}
    return {}


def _takes_picture(class_type: str, definition: Mapping[str, Any]) -> bool:
    return any(entry.options.get(key) for entry in specs.specs(class_type, definition) for key in _PICTURES)


def unwrapped(value: Any) -> Any:
    """A value without the mark that tells a list from a link."""
    return value["__value__"] if isinstance(value, dict) and "__value__" in value else value


def escaped(text: str) -> str:
    r"""The text for a widget with dynamic prompts whose choice is this very text.

    Braces get a backslash, and what would be a comment is broken up by a choice between one: ``/{/}``. One thing cannot
    be written: a backslash at the very end that no other one stands before.
    """
    result: list[str] = []
    before = ""
    for found in re.finditer(r"(\\*)(.?)", text, re.DOTALL):
        slashes, sign = found.groups()
        if sign and sign in "{}|":
            # The editor reads backslashes in pairs, an odd one with the sign, and takes one from before the sign.
            count = len(slashes) + (sign == "{" or bool(slashes))
            opens = sign == "{" and count % 2 == 0
            result.append("\\" * count + ("{\\{}" if opens else sign))
        elif sign and sign in "/*" and before == "/" and not slashes:
            result.append(f"{{{sign}}}")
            sign = ""
        else:
            result.append(slashes + sign)
        before = sign
    return "".join(result)
