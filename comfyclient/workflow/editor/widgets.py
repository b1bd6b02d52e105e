"""What the editor makes of a node's definition: its input slots and its widgets, with the values that a save file has."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Spec = list[Any]


@define(eq=False)
class Slot:
    """An input of a node.

    Attributes:
        name: Its name.
        type: What it takes.
        link: The id of the link that comes in.
        widget: The name of the widget that it stands for.
    """

    name: str
    type: Any = "*"
    link: Any = None
    widget: str | None = None
    label: str | None = None


@define(eq=False)
class Widget:
    """A value that a node holds.

    Attributes:
        name: Its name, and that of the input in the prompt.
        kind: The editor's type of it.
        value: What it holds.
        choices: What can be chosen, for a combo.
        saved: Whether it has a place in the save file's ``widgets_values``.
        sent: Whether it is part of the prompt.
        prepare: What happens to the value on its way into the prompt.
        on_change: Called with every value that is set.
    """

    name: str
    kind: str
    value: Any = None
    choices: list[Any] | None = None
    saved: bool = True
    sent: bool = True
    has_socket: bool = True
    dynamic_prompts: bool = False
    on_change: Callable[[Any], None] | None = None
    compute: Callable[[], Any] | None = None

    def set(self, value: Any) -> None:
        """Give it a value, and let what depends on it follow."""
        self.value = value
        if self.on_change is not None:
            self.on_change(value)


class Face:
    """The widgets and input slots of a node, as its definition and its values make them."""

    def __init__(self, class_type: str, definition: Mapping[str, Any]) -> None:
        self.class_type = class_type
        self.slots: list[Slot] = []
        self.widgets: list[Widget] = []
        self.growing: dict[str, Autogrow] = {}
        self.links: Mapping[Any, Any] = {}
        specs = list(_ordered(_extended(class_type, definition)))
        for name, spec, optional in specs:
            self._add_socket(name, spec, optional=optional)
        for name, spec, _ in specs:
            self._add_widget(name, spec)
        if class_type == "CustomCombo":
            _custom_combo(self)

    def add(self, name: str, spec: Spec, *, optional: bool) -> None:
        """An input that came later."""
        self._add_socket(name, spec, optional=optional)
        self._add_widget(name, spec)

    def connected(self, slot: Slot) -> None:
        """A link came to this input."""
        group = self.growing.get(slot.name.rpartition(".")[0])
        if group is not None:
            group.connected(slot)

    def moved(self, start: int) -> None:
        """The slots from here on have new places; the editor tells their links, and no others."""
        for place in range(start, len(self.slots)):
            link = self.links.get(self.slots[place].link)
            if link is not None:
                link.target_slot = place

    def widget(self, name: str) -> Widget | None:
        """The widget of this name."""
        return next((widget for widget in self.widgets if widget.name == name), None)

    def _add_socket(self, name: str, spec: Spec, *, optional: bool) -> None:
        options = _options(spec)
        kind = _kind(spec)
        if _is_widget(spec) and not options.get("forceInput"):
            return
        if kind == "COMFY_AUTOGROW_V3":
            grow = self.growing[name] = Autogrow(self, name, options.get("template") or {})
            grow.start()
        elif kind == "COMFY_MATCHTYPE_V3":
            template = options.get("template") or {}
            self.add(name, [template.get("allowed_types", "*"), options], optional=optional)
        else:
            self.slots.append(Slot(name, kind))

    def _add_widget(self, name: str, spec: Spec) -> None:
        options = _options(spec)
        if not _is_widget(spec) or options.get("forceInput"):
            return
        kind = options.get("widgetType") or _kind(spec)
        widget = WIDGETS[kind](self, name, options)
        if widget is not None and widget.has_socket and not options.get("socketless"):
            self.slots.append(Slot(name, _kind(spec), widget=name))


def _kind(spec: Spec) -> str:
    if isinstance(spec[0], list):
        return "COMBO"
    return spec[0] if isinstance(spec[0], str) else "UNKNOWN"


def _options(spec: Spec) -> dict[str, Any]:
    options = spec[1] if len(spec) > 1 and isinstance(spec[1], dict) else {}
    return {**options, "options": spec[0]} if isinstance(spec[0], list) else options


def _is_widget(spec: Spec) -> bool:
    return (_options(spec).get("widgetType") or _kind(spec)) in WIDGETS


def _ordered(definition: Mapping[str, Any]) -> Iterator[tuple[str, Spec, bool]]:
    given = definition.get("input") or {}
    required, optional = given.get("required") or {}, given.get("optional") or {}
    order = definition.get("input_order") or {}
    inputs = {name: (spec, False) for name, spec in required.items()}
    inputs.update({name: (spec, True) for name, spec in optional.items()})
    first = [name for name in order.get("required") or () if name in inputs and not inputs[name][1]]
    first += [name for name in order.get("optional") or () if name in inputs and inputs[name][1]]
    for name in dict.fromkeys([*first, *inputs]):
        spec, is_optional = inputs[name]
        yield name, spec if isinstance(spec, list) else [spec], is_optional


_UPLOADS = ("image_upload", "animated_image_upload", "video_upload")
_AUDIO_PLAYERS = {"LoadAudio", "SaveAudio", "PreviewAudio", "SaveAudioMP3", "SaveAudioOpus", "SaveAudioAdvanced"}


def _extended(class_type: str, definition: Mapping[str, Any]) -> Mapping[str, Any]:
    """The definition with the inputs that the editor's own extensions add."""
    given = definition.get("input") or {}
    required = given.get("required")
    if not required:
        return definition
    more: dict[str, Spec] = {}
    if class_type in _AUDIO_PLAYERS:
        more["audioUI"] = ["AUDIO_UI", {}]
    if class_type in {"Preview3D", "SaveGLB"}:
        more["image"] = ["PREVIEW_3D", {}]
    if class_type == "Load3DAdvanced":
        more["viewport_state"] = ["LOAD_3D_ADVANCED", {}]
    for name, spec in required.items():
        if isinstance(spec, list) and any(_options(spec).get(key) for key in _UPLOADS):
            more["upload"] = ["IMAGEUPLOAD", {"imageInputName": name}]
            break
    audio = required.get("audio")
    if isinstance(audio, list) and _options(audio).get("audio_upload") is True:
        more["upload"] = ["AUDIOUPLOAD", {}]
    return {**definition, "input": {**given, "required": {**required, **more}}} if more else definition


# --- kinds of widgets ---------------------------------------------------------------------------------------


def _plain(kind: str, default: Any) -> Callable[[Face, str, dict[str, Any]], Widget]:
    def build(face: Face, name: str, options: dict[str, Any]) -> Widget:
        value = options.get("default")
        widget = Widget(name, kind, copy.deepcopy(default if value is None else value))
        face.widgets.append(widget)
        return widget

    return build


def _integer(face: Face, name: str, options: dict[str, Any]) -> Widget:
    widget = _plain("number", 0)(face, name, options)
    control = options.get("control_after_generate")
    if control if control is not None else name in {"seed", "noise_seed"}:
        _add_control(face, options)
    return widget


def _string(face: Face, name: str, options: dict[str, Any]) -> Widget:
    widget = _plain("text", "")(face, name, options)
    widget.dynamic_prompts = options.get("dynamicPrompts") is True
    return widget


def _combo(face: Face, name: str, options: dict[str, Any]) -> Widget:
    choices = options.get("options") or []
    if options.get("multi_select"):
        widget = Widget(name, "multi_select", [], list(choices))
    else:
        default = options.get("default") or (choices[0] if choices else "Loading..." if options.get("remote") else None)
        widget = Widget(name, "combo", default, list(choices))
    face.widgets.append(widget)
    if (options.get("remote") or {}).get("refresh_button"):
        face.widgets.append(Widget("refresh", "button", "refresh", sent=False))
    if options.get("control_after_generate"):
        _add_control(face, options)
        face.widgets.append(Widget(_control_name("control_filter_list", options), "text", "", sent=False))
    return widget


def _add_control(face: Face, options: dict[str, Any]) -> None:
    control = options.get("control_after_generate")
    value = control if isinstance(control, str) else "randomize"
    face.widgets.append(
        Widget(
            _control_name("control_after_generate", options),
            "combo",
            value,
            ["fixed", "increment", "decrement", "randomize"],
            sent=False,
        )
    )


def _control_name(name: str, options: dict[str, Any]) -> str:
    if isinstance(options.get(name), str):
        return str(options[name])
    prefix = options.get("control_prefix")
    return f"{prefix} {name}" if prefix else name


def _button(value: str) -> Callable[[Face, str, dict[str, Any]], Widget]:
    def build(face: Face, name: str, _: dict[str, Any]) -> Widget:
        widget = Widget(name, "button", value, sent=False)
        face.widgets.append(widget)
        return widget

    return build


def _hidden(kind: str) -> Callable[[Face, str, dict[str, Any]], Widget]:
    def build(face: Face, name: str, _: dict[str, Any]) -> Widget:
        widget = Widget(name, kind, None, saved=False, sent=False)
        face.widgets.append(widget)
        return widget

    return build


def _load_3d(face: Face, _: str, __: dict[str, Any]) -> Widget:
    if face.widget("model_file") is not None:
        for name, value in _LOADING_BUTTONS.items():
            face.widgets.append(Widget(name, "button", value))
    widget = Widget("viewport_state" if face.class_type in _VIEWPORTS else "image", "load3D", "")
    face.widgets.append(widget)
    return widget


_LOADING_BUTTONS = {
    "upload 3d model": "upload3dmodel",
    "upload extra resources": "uploadExtraResources",
    "clear": "clear",
}
_VIEWPORTS = {
    "Preview3DAdvanced",
    "Save3DAdvanced",
    "PreviewGaussianSplat",
    "PreviewPointCloud",
    "SaveGaussianSplat",
    "SavePointCloud",
}


def _custom_combo(face: Face) -> None:
    """A list of choices that the user writes, with a new empty one whenever the last is filled."""
    choice = face.widgets[0]

    def index() -> int:
        return next((at for at, option in enumerate(face.widgets[2:]) if option.value == choice.value), -1)

    def add() -> None:
        option = Widget(f"option{len(face.widgets) - 1}", "text", "")
        option.on_change = lambda value: changed(option, value)
        face.widgets.append(option)

    def changed(option: Widget, value: Any) -> None:
        if face.widgets[-1] is option:
            if value:
                add()
        elif not value and face.widgets[-2] is option and not face.widgets[-1].value:
            face.widgets.pop()

    face.widgets.append(Widget("index", "hidden", compute=index))
    add()


def _image_compare(face: Face, name: str, _: dict[str, Any]) -> Widget:
    widget = Widget(name, "imagecompare", ["", ""], saved=False)
    face.widgets.append(widget)
    return widget


def _bounding_box(face: Face, name: str, options: dict[str, Any]) -> Widget:
    default = options.get("default") or {"x": 0, "y": 0, "width": 512, "height": 512}
    widget = Widget(name, "boundingbox", dict(default))
    face.widgets.append(widget)
    parts = [Widget(part, "number", default[part], sent=False) for part in ("x", "y", "width", "height")]
    face.widgets.extend(parts)
    return widget


def _dynamic_combo(face: Face, name: str, options: dict[str, Any]) -> Widget:
    branches = {entry["key"]: entry.get("inputs") or {} for entry in options.get("options") or ()}
    widget = _combo(face, name, {"options": list(branches)})

    def follow(key: Any) -> None:
        prefix = f"{name}."
        before = [slot for slot in face.slots if slot.name.startswith(prefix)]
        face.slots[:] = [slot for slot in face.slots if not slot.name.startswith(prefix)]
        face.widgets[:] = [other for other in face.widgets if not other.name.startswith(prefix)]
        if not key or key not in branches:
            return
        at, had, had_slots = face.widgets.index(widget) + 1, len(face.widgets), len(face.slots)
        for group, optional in (("required", False), ("optional", True)):
            for inner, spec in (branches[key].get(group) or {}).items():
                face.add(f"{name}.{inner}", spec if isinstance(spec, list) else [spec], optional=optional)
        new = face.widgets[had:]
        del face.widgets[had:]
        face.widgets[at:at] = new
        place = next((index for index, slot in enumerate(face.slots) if slot.name == name), -1) + 1
        if not place:
            return
        new_slots = face.slots[had_slots:]
        del face.slots[had_slots:]
        face.slots[place:place] = new_slots
        face.moved(place)
        for slot in before:
            same = next((other for other in face.slots if other.name == slot.name), None)
            if same is not None and slot.link is not None:
                same.link = slot.link
                if slot.link in face.links:
                    face.links[slot.link].target_slot = face.slots.index(same)
                    face.connected(same)

    widget.on_change = follow
    follow(widget.value)
    return widget


WIDGETS: dict[str, Callable[[Face, str, dict[str, Any]], Widget | None]] = {
    "INT": _integer,
    "FLOAT": _plain("number", 0),
    "BOOLEAN": _plain("toggle", False),  # noqa: FBT003 - the default value of such a widget
    "STRING": _string,
    "MARKDOWN": _plain("markdown", ""),
    "COMBO": _combo,
    "IMAGEUPLOAD": _button("image"),
    "AUDIOUPLOAD": _button(""),
    "AUDIO_UI": _hidden("audioUI"),
    "COLOR": _plain("color", "#000000"),
    "IMAGECOMPARE": _image_compare,
    "BOUNDING_BOX": _bounding_box,
    "CHART": _plain("chart", {}),
    "GALLERIA": _plain("galleria", []),
    "PAINTER": _plain("painter", ""),
    "TEXTAREA": _plain("textarea", ""),
    "CURVE": _plain("curve", {"points": [[0, 0], [1, 1]], "interpolation": "monotone_cubic"}),
    "RANGE": _plain("range", {"min": 0, "max": 1}),
    "BOUNDING_BOXES": _plain("boundingboxes", []),
    "COLORS": _plain("colors", []),
    "PREVIEW_3D": _plain("load3D", ""),
    "LOAD_3D": _load_3d,
    "LOAD_3D_ADVANCED": _plain("load3DAdvanced", ""),
    "COMFY_DYNAMICCOMBO_V3": _dynamic_combo,
}


# --- inputs that grow ---------------------------------------------------------------------------------------


class Autogrow:
    """A group of inputs of which there is always one more than is used."""

    def __init__(self, face: Face, name: str, template: Mapping[str, Any]) -> None:
        self._face = face
        self.name = name
        self.names: list[str] | None = template.get("names")
        self.prefix: str = template.get("prefix") or ""
        self.least: int = template.get("min", 1)
        self.most: int = len(self.names) if self.names else template.get("max", 100)
        given = template.get("input") or {}
        self.specs = [
            (inner, spec if isinstance(spec, list) else [spec], group == "optional")
            for group in ("required", "optional")
            for inner, spec in (given.get(group) or {}).items()
        ]

    def start(self) -> None:
        for number in range(max(1, self.least + 1)):
            self.grow(number)

    def full_name(self, number: int, inner: str) -> str:
        if self.names:
            return f"{self.name}.{self.names[number]}"
        return f"{self.name}.{self.prefix if len(self.specs) == 1 else inner}{number}"

    def ordinal(self, slot_name: str) -> int | None:
        rest = slot_name[len(self.name) + 1 :]
        if self.names:
            return self.names.index(rest) if rest in self.names else None
        found = re.search(r"\d+$", rest)
        return int(found[0]) if found else None

    def grow(self, number: int) -> None:
        """Add the group with this number."""
        if number >= self.most:
            return
        face = self._face
        added = []
        for inner, spec, optional in self.specs:
            name = self.full_name(number, inner)
            face.add(name, spec, optional=optional or number >= self.least)
            slot = face.slots.pop()
            if len(self.specs) != 1:
                if not any(widget.name == name for widget in face.widgets):
                    face.widgets.append(Widget(name, "shim", None, saved=False))
                slot.widget = name
            added.append(slot)
        for slot in added:
            for old in [other for other in face.slots if other.name == slot.name]:
                slot.link = slot.link if slot.link is not None else old.link
                face.slots.remove(old)
        last = self.full_name(number - 1, self.specs[-1][0]) if number else f"{self.name}.{self.prefix}-1"
        places = [index for index, slot in enumerate(face.slots) if slot.name.startswith(last)]
        at = places[-1] + 1 if places else len(face.slots)
        face.slots[at:at] = added
        face.moved(at)

    def connected(self, slot: Slot) -> None:
        """A link came to one of the inputs."""
        group = f"{slot.name.rpartition('.')[0]}."
        last = next((other for other in reversed(self._face.slots) if other.name.startswith(group)), None)
        number = self.ordinal(slot.name)
        if last is not None and number is not None:
            self.grow(number + 1)


def forced(face: Face, definition: Mapping[str, Any]) -> list[bool]:
    """For each value that an old save file may have, whether it is one of an input that takes links only now."""
    given = _extended(face.class_type, definition).get("input") or {}
    names = {widget.name for widget in face.widgets}
    flags: list[bool] = []
    for group in ("required", "optional"):
        for name, spec in (given.get(group) or {}).items():
            options = _options(spec) if isinstance(spec, list) else {}
            is_forced = bool(options.get("forceInput"))
            if name in names or is_forced:
                flags += [is_forced, False] if options.get("control_after_generate") else [is_forced]
    return flags
