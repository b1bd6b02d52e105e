"""The way back: from a prompt to a save file that the editor opens, and exports as the same prompt."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import define, field

from comfyclient.workflow import check, links
from comfyclient.workflow.editor import faces, specs
from comfyclient.workflow.editor.layout import Box, Size, arrange, size
from comfyclient.workflow.editor.saved import SavedOutput
from comfyclient.workflow.editor.widgets import Face, Slot, Widget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from comfyclient.workflow.links import Graph

_CONTROLS = ["fixed", "increment", "decrement", "randomize"]
_PICTURES = ("image_upload", "animated_image_upload", "video_upload")
_ID = re.compile(r"0|[1-9][0-9]{0,14}")


@define(eq=False)
class _Drawn:
    """A node of the prompt as the editor shows it."""

    id: str
    class_type: str
    title: str | None
    face: Face
    outputs: list[SavedOutput]
    size: Size = (0, 0)
    links: dict[str, tuple[str, int]] = field(factory=dict)


def to_editor(graph: Graph, catalog: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a prompt into a save file of the editor; see ``Workflow.to_editor``.

    Args:
        graph: The prompt.
        catalog: The server's ``/object_info``.
    """
    drawn = {node_id: _draw(node_id, node, catalog) for node_id, node in graph.items()}
    saved_links = _connect(drawn)
    boxes = {
        node_id: Box(node.size, [source for source, _ in node.links.values() if source in drawn])
        for node_id, node in drawn.items()
    }
    places = arrange(boxes)
    order = {node_id: number for number, node_id in enumerate(sorted(drawn, key=lambda node_id: places[node_id]))}
    nodes = [_written(node, places[node.id], order[node.id], catalog) for node in drawn.values()]
    numbers = [node["id"] for node in nodes if isinstance(node["id"], int)]
    return {
        "last_node_id": max(numbers, default=0),
        "last_link_id": len(saved_links),
        "nodes": nodes,
        "links": saved_links,
        "groups": [],
        "config": {},
        "extra": {},
        "version": 0.4,
    }


def face_of(node: Mapping[str, Any], definition: Mapping[str, Any]) -> Face:
    """What the editor shows of a node of the prompt."""
    face = faces.build(node["class_type"], definition)
    _fill(face, node["inputs"])
    for name, _, _ in links.sources(node["inputs"]):
        slot = next((slot for slot in face.slots if slot.name == name), None)
        if slot is not None:
            face.connected(slot)  # which may bring the next one
    return face


def _draw(node_id: str, node: Mapping[str, Any], catalog: Mapping[str, Any]) -> _Drawn:
    class_type, inputs = node["class_type"], node["inputs"]
    definition = catalog.get(class_type)
    if definition is None:
        face, outputs = _unknown(class_type, inputs), []
    else:
        face = face_of(node, definition)
        names = definition.get("output_name") or []
        outputs = [
            SavedOutput(kind, name=str(names[place] if place < len(names) else kind))
            for place, kind in enumerate(specs.output_types(definition))
        ]
    title = check.title_of(node) if node.get("_meta") else None
    drawn = _Drawn(node_id, class_type, title, face, outputs)
    drawn.links = {name: (source, int(slot)) for name, source, slot in links.sources(inputs)}
    shows = bool(definition and (definition.get("output_node") or _takes_picture(class_type, definition)))
    drawn.size = size(face, [output.name for output in outputs], title or class_type, shows_picture=shows)
    return drawn


def _takes_picture(class_type: str, definition: Mapping[str, Any]) -> bool:
    return any(entry.options.get(key) for entry in specs.specs(class_type, definition) for key in _PICTURES)


def _unknown(class_type: str, inputs: Mapping[str, Any]) -> Face:
    """A node that the catalogue does not have: its values in the order in which the prompt gives them."""
    face = Face(class_type)
    for name, value in inputs.items():
        if not links.is_link(value):
            face.widgets.append(Widget(name, "text", _unwrapped(value)))
    return face


def _fill(face: Face, inputs: Mapping[str, Any]) -> None:
    """Give the widgets their values; setting one may bring others behind it."""
    place = 0
    while place < len(face.widgets):
        widget = face.widgets[place]
        place += 1
        if widget.name in inputs and not links.is_link(inputs[widget.name]):
            value = _unwrapped(inputs[widget.name])
            widget.set(value)
            if widget.kind == "boundingbox" and isinstance(value, dict):
                for part in face.widgets[place : place + len(value)]:
                    part.value = value.get(part.name, part.value)
            if widget.dynamic_prompts and isinstance(value, str):
                widget.value = escaped(value)
        elif widget.choices == _CONTROLS and not widget.sent:
            widget.value = "fixed"  # or the editor would change the seed before its first run


def _unwrapped(value: Any) -> Any:
    return value["__value__"] if isinstance(value, dict) and "__value__" in value else value


def _connect(drawn: Mapping[str, _Drawn]) -> list[list[Any]]:
    """Tie the nodes together; the links as the save file has them."""
    saved: list[list[Any]] = []
    for node in drawn.values():
        numbers: dict[str, int] = {}
        for name, (source, number) in node.links.items():
            numbers[name] = len(numbers) + len(saved) + 1
            slot = next((slot for slot in node.face.slots if slot.name == name), None)
            if slot is None:
                slot = Slot(name, _output(drawn, source, number).type)
                node.face.slots.append(slot)
            slot.link = numbers[name]
        places = {slot.name: place for place, slot in enumerate(node.face.slots)}
        for name, (source, number) in node.links.items():
            output = _output(drawn, source, number)
            output.links.append(numbers[name])
            ends = (_saved_id(source), number, _saved_id(node.id), places[name])
            saved.append([numbers[name], *ends, output.type])
    return saved


def _output(drawn: Mapping[str, _Drawn], source: str, number: int) -> SavedOutput:
    outputs = drawn[source].outputs if source in drawn else []
    while len(outputs) <= number:
        outputs.append(SavedOutput(name="*"))
    return outputs[number]


def _written(node: _Drawn, place: tuple[int, int], order: int, catalog: Mapping[str, Any]) -> dict[str, Any]:
    values = [widget.value for widget in node.face.widgets if widget.saved]
    if node.class_type in catalog:
        # A list as long as those of old files would be taken for one of them, and lose values.
        while faces.without_forced(node.face, catalog[node.class_type], values) is not values:
            values.append(None)
    entry = {
        "id": _saved_id(node.id),
        "type": node.class_type,
        "pos": list(place),
        "size": list(node.size),
        "flags": {},
        "order": order,
        "mode": 0,
        "inputs": [_slot(slot) for slot in node.face.slots],
        "outputs": [
            {"name": output.name, "type": output.type, "links": output.links or None} for output in node.outputs
        ],
        "properties": {"Node name for S&R": node.class_type},
        "widgets_values": values,
    }
    return entry if node.title is None else {**entry, "title": node.title}


def _slot(slot: Slot) -> dict[str, Any]:
    entry = {"name": slot.name, "type": slot.type, "link": slot.link}
    return entry if slot.widget is None else {**entry, "widget": {"name": slot.widget}}


def _saved_id(node_id: str) -> int | str:
    return int(node_id) if _ID.fullmatch(node_id) else node_id


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
