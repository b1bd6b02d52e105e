"""The kinds of widgets: what each holds at first, and what becomes of a value that is given to it."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

from comfyclient.workflow.editor import javascript
from comfyclient.workflow.editor.cameras import load_3d, load_3d_advanced
from comfyclient.workflow.editor.widgets import Face, Widget

if TYPE_CHECKING:
    from collections.abc import Callable

Builder = "Callable[[Face, str, dict[str, Any]], Widget]"
"""Puts a widget on a node, with its name and what the definition says of it."""


def add(face: Face, widget: Widget) -> Widget:
    """Put a widget on a node."""
    face.widgets.append(widget)
    return widget


def plain(kind: str, default: Any, when_null: Any = None) -> Callable[[Face, str, dict[str, Any]], Widget]:
    """A widget that only holds its value."""

    def build(face: Face, name: str, options: dict[str, Any]) -> Widget:
        value = options.get("default")
        value = copy.deepcopy(default if value is None else value)
        return add(face, Widget(name, kind, value, when_null=when_null, options=options))

    return build


def _nested(kind: str, key: str, default: Any) -> Callable[[Face, str, dict[str, Any]], Widget]:
    """A widget whose first value stands among the ``options`` of its options."""

    def build(face: Face, name: str, options: dict[str, Any]) -> Widget:
        inner = options.get("options")
        value = (inner.get(key) if isinstance(inner, dict) else None) or default
        return add(face, Widget(name, kind, copy.deepcopy(value), options=options))

    return build


def integer(face: Face, name: str, options: dict[str, Any]) -> Widget:
    """A whole number, with a control for what happens to it after each run if it is a seed."""
    widget = plain("number", 0)(face, name, options)
    widget.adjust = lambda value: _whole(value, options)
    control = options.get("control_after_generate")
    if control if control is not None else name in {"seed", "noise_seed"}:
        _add_control(face, options, "randomize")
    return widget


def floating(face: Face, name: str, options: dict[str, Any]) -> Widget:
    """A number."""
    widget = plain("number", 0)(face, name, options)
    widget.adjust = lambda value: _stepped(value, options)
    if options.get("control_after_generate"):
        _add_control(face, {**options, "control_after_generate": True}, "fixed")
    return widget


def _whole(value: Any, options: dict[str, Any]) -> Any:
    entered = javascript.to_number(value)
    step = _number_in(options, "step", 1) or 1
    if step == 1:
        return javascript.number(javascript.rounded(entered))
    offset = math.fmod(_number_in(options, "min", 0), step)
    return javascript.number(javascript.rounded((entered - offset) / step) * step + offset)


def _stepped(value: Any, options: dict[str, Any]) -> Any:
    step = _number_in(options, "step", 0.5)
    places = max(0, -math.floor(math.log10(step))) if 0 < step < math.inf else 0
    given = options.get("round")
    grain = 10.0**-places if places and not given else given
    if not isinstance(grain, (int, float)) or isinstance(grain, bool) or not grain:
        return value
    entered = javascript.fixed(javascript.rounded(javascript.to_number(value) / grain) * grain, places)
    low, high = _number_in(options, "min", 0), _number_in(options, "max", 2048)
    return javascript.number(min(max(entered, low), high))


def _number_in(options: dict[str, Any], key: str, default: float) -> float:
    value = options.get(key)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else default


def _string(face: Face, name: str, options: dict[str, Any]) -> Widget:
    many = bool(options.get("multiline"))
    widget = plain("customtext" if many else "text", "", when_null="" if many else None)(face, name, options)
    widget.dynamic_prompts = options.get("dynamicPrompts") is True
    return widget


def combo(face: Face, name: str, options: dict[str, Any]) -> Widget:
    """A choice."""
    given = options.get("options")
    choices = list(given) if isinstance(given, list) else []
    remote = options.get("remote")
    if options.get("multi_select"):
        widget = add(face, Widget(name, "multi_select", [], choices, options=options))
        if options.get("control_after_generate"):
            _add_control(face, options, "fixed")
        return widget
    default = options.get("default") or (choices[0] if choices else "Loading..." if remote else None)
    widget = add(face, Widget(name, "combo", copy.deepcopy(default), choices, options=options))
    if remote:
        add(face, Widget("Auto-refresh after generation", "toggle", value=False, sent=False))
        if isinstance(remote, dict) and remote.get("refresh_button"):
            add(face, Widget("refresh", "button", "refresh"))
    if options.get("control_after_generate"):
        _add_control(face, options, "randomize")
        add(face, Widget(_control_name("control_filter_list", options), "text", "", sent=False))
    return widget


def _add_control(face: Face, options: dict[str, Any], default: str) -> None:
    control = options.get("control_after_generate")
    name = _control_name("control_after_generate", options)
    choices = ["fixed", "increment", "decrement", "randomize"]
    add(face, Widget(name, "combo", control if isinstance(control, str) else default, choices, sent=False))


def _control_name(name: str, options: dict[str, Any]) -> str:
    if isinstance(options.get(name), str):
        return str(options[name])
    prefix = options.get("control_prefix")
    return f"{prefix} {name}" if prefix else name


def _button(value: str) -> Callable[[Face, str, dict[str, Any]], Widget]:
    return lambda face, name, _: add(face, Widget(name, "button", value, sent=False))


def _record_audio(face: Face, name: str, _: dict[str, Any]) -> Widget:
    """A recorder: what is sent is what was recorded since the file was opened, which is nothing."""
    add(face, Widget(name, "audioUI", "", compute=lambda: ""))
    return add(face, Widget(name, "button", "", sent=False))


def _bounding_box(face: Face, name: str, options: dict[str, Any]) -> Widget:
    default = options.get("default") or {"x": 0, "y": 0, "width": 512, "height": 512}
    widget = add(face, Widget(name, "boundingbox", dict(default), options=options))
    for part in ("x", "y", "width", "height"):
        add(face, Widget(part, "number", default.get(part), sent=False))
    return widget


def _color(face: Face, name: str, options: dict[str, Any]) -> Widget:
    inner = options.get("options")
    return plain("color", (inner.get("default") if isinstance(inner, dict) else None) or "#000000")(face, name, options)


def custom_combo(face: Face) -> None:
    """Make a node's first widget a choice from what the user writes below, a new line whenever the last is filled."""
    choice = face.widgets[0]

    def index() -> int:
        return next((at for at, option in enumerate(face.widgets[2:]) if option.value == choice.value), -1)

    def add_option() -> None:
        option = Widget(f"option{len(face.widgets) - 1}", "text", "")
        option.on_change = lambda value: changed(option, value)
        add(face, option)

    def changed(option: Widget, value: Any) -> None:
        written = (other.value for other in face.widgets if other.name.startswith("option"))
        choice.choices = [javascript.text(line) for line in written if javascript.truthy(line)]
        if face.widgets[-1] is option:
            if javascript.truthy(value):
                add_option()
        elif not javascript.truthy(value) and face.widgets[-2] is option and not face.widgets[-1].value:
            face.widgets.pop()

    add(face, Widget("index", "hidden", compute=index))
    add_option()


KINDS: dict[str, Callable[[Face, str, dict[str, Any]], Widget]] = {
    "INT": integer,
    "FLOAT": floating,
    "BOOLEAN": plain("toggle", False),  # noqa: FBT003 - the default value of such a widget
    "STRING": _string,
    "MARKDOWN": plain("markdown", "", when_null=""),
    "COMBO": combo,
    "IMAGEUPLOAD": _button("image"),
    "AUDIOUPLOAD": _button(""),
    "AUDIO_UI": lambda face, name, _: add(face, Widget(name, "audioUI", saved=False, sent=False)),
    "AUDIO_RECORD": _record_audio,
    "COLOR": _color,
    "IMAGECOMPARE": lambda face, name, _: add(face, Widget(name, "imagecompare", ["", ""], saved=False)),
    "BOUNDING_BOX": _bounding_box,
    "CHART": _nested("chart", "data", {}),
    "GALLERIA": _nested("galleria", "images", []),
    "PAINTER": plain("painter", ""),
    "TEXTAREA": _nested("textarea", "default", ""),
    "CURVE": plain("curve", {"points": [[0, 0], [1, 1]], "interpolation": "monotone_cubic"}),
    "RANGE": plain("range", {"min": 0, "max": 1}),
    "BOUNDING_BOXES": plain("boundingboxes", []),
    "COLORS": plain("colors", []),
    "PREVIEW_3D": plain("load3D", "", when_null=""),
    "LOAD_3D": load_3d,
    "LOAD_3D_ADVANCED": load_3d_advanced,
}
"""The kinds by the types of the inputs that have them."""
