"""The editor's views of three-dimensional things: what a node says of its camera, and of the picture that it takes.

The view turns around a target, as with a mouse, so the camera always looks there, and never straight up or down. How
wide the view is drawn depends on the window, so that stays open: ``aspect`` is null, as in the editor for a view that
is not on the screen.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from comfyclient.workflow.editor import javascript
from comfyclient.workflow.editor.widgets import Face, Widget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

_AXES = ("x", "y", "z")
_HOME: Mapping[str, float] = dict.fromkeys(_AXES, 10)
_CENTRE: Mapping[str, float] = dict.fromkeys(_AXES, 0)
_FIELD_OF_VIEW = 35
_STEEPEST = 1e-6
_ORTHOGRAPHIC = "orthographic"

_BUTTONS = {
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
_NOTHING_SEEN = {"image": "", "mask": "", "normal": "", "recording": "", "model_3d_info": []}


def load_3d(face: Face, _: str, __: dict[str, Any]) -> Widget:
    """A view in which a model is loaded, or shown."""
    if face.widget("model_file") is not None:
        face.widgets += [Widget(button, "button", value) for button, value in _BUTTONS.items()]
    if face.class_type in _VIEWPORTS:
        widget = Widget("viewport_state", "load3D", "", compute=lambda: {**_NOTHING_SEEN, "camera_info": _seen(face)})
    else:
        pictures = (lambda: _picture(face)) if face.class_type == "Load3D" else None
        widget = Widget("image", "load3D", "", compute=pictures)
    face.widgets.append(widget)
    return widget


def load_3d_advanced(face: Face, name: str, _: dict[str, Any]) -> Widget:
    """The same of another node, of which no pictures are taken."""
    state: dict[str, Any] = {"model_3d_info": []}
    widget = Widget(name, "load3DAdvanced", "", compute=lambda: {**state, "camera_info": _camera(face)})
    face.widgets.append(widget)
    return widget


def _picture(face: Face) -> dict[str, Any]:
    """What the editor says of a model: it takes pictures of it, uploads them, and calls them after the time."""
    now = time.time_ns() // 1_000_000
    pictures = {"image": "scene", "mask": "scene_mask", "normal": "scene_normal"}
    names = {key: f"threed/{name}_{now}.png [temp]" for key, name in pictures.items()}
    return {**_NOTHING_SEEN, **names, "camera_info": _camera(face)}


def _seen(face: Face) -> dict[str, Any]:
    """The camera of a view that is turned only once something was shown in it."""
    return _camera(face, is_turned=javascript.truthy(face.properties.get("Last Time Model File")))


def _camera(face: Face, *, is_turned: bool = True) -> dict[str, Any]:
    config = _mapping(face.properties.get("Camera Config"))
    state = _mapping(config.get("state")) if is_turned else {}
    kind = config.get("cameraType") or "perspective"
    target = _Vector3.of(state.get("target"), _CENTRE)
    position = _Vector3.of(state.get("position"), _HOME)
    for _ in range(2):  # once when it is set, once when it is drawn
        position = target + (position - target).turned()
    is_flat = kind == _ORTHOGRAPHIC
    sides = dict.fromkeys(("left", "right")) if is_flat else {"left": -5, "right": 5}
    return {
        "position": position.named(),
        "target": target.named(),
        "zoom": state.get("zoom", 1),
        "cameraType": kind,
        "quaternion": (position - target).facing(),
        "fov": (config.get("fov") or _FIELD_OF_VIEW) if not is_flat else _FIELD_OF_VIEW,
        "aspect": None,
        "near": 0.01,
        "far": 10000,
        "frustum": {**sides, "top": 5, "bottom": -5},
    }


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


class _Vector3(tuple[float, float, float]):
    """A place or a direction: x, y up, z."""

    __slots__ = ()

    @classmethod
    def of(cls, value: Any, default: Mapping[str, float]) -> Self:
        given = _mapping(value)
        return cls(javascript.to_number(given.get(axis, default[axis])) for axis in _AXES)

    def named(self) -> dict[str, float]:
        return {axis: javascript.number(part) for axis, part in zip(_AXES, self, strict=True)}

    def __add__(self, other: tuple[float, ...]) -> Self:  # type: ignore[override]  # no concatenation
        return type(self)(one + two for one, two in zip(self, other, strict=True))

    def __sub__(self, other: tuple[float, ...]) -> Self:
        return type(self)(one - two for one, two in zip(self, other, strict=True))

    @property
    def length(self) -> float:
        return math.sqrt(sum(part * part for part in self))

    def unit(self) -> Self:
        scale = 1 / (self.length or 1)
        return type(self)(part * scale for part in self)

    def cross(self, other: _Vector3) -> Self:
        (a, b, c), (x, y, z) = self, other
        return type(self)((b * z - c * y, c * x - a * z, a * y - b * x))

    def turned(self) -> Self:
        """The same after it went through angles, as every turn of the view does."""
        x, y, z = self
        radius = self.length
        around = math.atan2(x, z)
        down = math.acos(max(-1.0, min(1.0, y / radius))) if radius else 0.0
        down = max(_STEEPEST, min(math.pi - _STEEPEST, down))
        flat = math.sin(down) * radius
        return type(self)((flat * math.sin(around), math.cos(down) * radius, flat * math.cos(around)))

    def facing(self) -> dict[str, float]:
        """How a camera is turned that looks back from here, as a quaternion."""
        back = self.unit()
        right = _Vector3((0.0, 1.0, 0.0)).cross(back).unit()
        up = back.cross(right)
        rows = tuple(zip(right, up, back, strict=True))
        diagonal = [rows[at][at] for at in range(3)]
        differences = [rows[2][1] - rows[1][2], rows[0][2] - rows[2][0], rows[1][0] - rows[0][1]]
        trace = sum(diagonal)
        if trace > 0:
            scale = 0.5 / math.sqrt(trace + 1)
            parts = [difference * scale for difference in differences]
            w = 0.25 / scale
        else:
            one = diagonal.index(max(diagonal))
            two, three = (one + 1) % 3, (one + 2) % 3
            scale = 2 * math.sqrt(1 + diagonal[one] - diagonal[two] - diagonal[three])
            parts = [0.0, 0.0, 0.0]
            parts[one] = 0.25 * scale
            parts[two] = (rows[one][two] + rows[two][one]) / scale
            parts[three] = (rows[one][three] + rows[three][one]) / scale
            w = differences[one] / scale
        return {**_Vector3(parts).named(), "w": javascript.number(w)}
