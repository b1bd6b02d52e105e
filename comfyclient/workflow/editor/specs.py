"""The catalogue's definitions of nodes, as the editor takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TypeGuard


@frozen
class Spec:
    """One input of a definition.

    Attributes:
        name: Its name.
        type: What it takes; ``"COMBO"`` for a list of choices.
        options: All that the definition says of it; the choices stand under ``"options"``.
        optional: Whether it may be left out.
    """

    name: str
    type: str
    options: dict[str, Any]
    optional: bool = False

    @property
    def widget_type(self) -> str:
        """The kind of widget that it has, if it is one."""
        return str(self.options.get("widgetType") or self.type)

    @property
    def is_forced(self) -> bool:
        """Whether it takes links only."""
        return bool(self.options.get("forceInput"))


def spec(name: str, raw: Any, *, optional: bool = False) -> Spec:
    """Read one input of a definition: ``[type, options]`` or ``[[choice, …], options]``."""
    raw = raw if isinstance(raw, (list, tuple)) and raw else ["UNKNOWN"]
    options = dict(raw[1]) if len(raw) > 1 and isinstance(raw[1], dict) else {}
    if isinstance(raw[0], list):
        return Spec(name, "COMBO", {**options, "options": raw[0]}, optional)
    return Spec(name, raw[0] if isinstance(raw[0], str) else "UNKNOWN", options, optional)


def grouped(groups: Any) -> Iterator[tuple[str, Any, bool]]:
    """The inputs of ``{"required": {…}, "optional": {…}}`` with their names, and whether they are optional."""
    for group in ("required", "optional"):
        entries = groups.get(group) if isinstance(groups, dict) else None
        for name, raw in (entries if isinstance(entries, dict) else {}).items():
            yield name, raw, group == "optional"


def specs(class_type: str, definition: Mapping[str, Any]) -> list[Spec]:
    """The inputs of a node in the order of its definition, with those that the editor's extensions add."""
    required: dict[str, Spec] = {}
    optional: dict[str, Spec] = {}
    for name, raw, is_optional in grouped(definition.get("input")):
        (optional if is_optional else required)[name] = _link_only(spec(name, raw, optional=is_optional))
    if required:
        for extra in _extensions(class_type, required):
            required[extra.name] = extra
    return [*required.values(), *optional.values()]


def ordered(class_type: str, definition: Mapping[str, Any]) -> list[Spec]:
    """The inputs of a node in the order in which the editor shows them."""
    inputs = {entry.name: entry for entry in specs(class_type, definition)}
    order = definition.get("input_order")
    first = []
    for group in ("required", "optional"):
        names = order.get(group) if isinstance(order, dict) else None
        known = [inputs[name] for name in names if name in inputs] if _is_names(names) else []
        first += [entry.name for entry in known if entry.optional is (group == "optional")]
    return [inputs[name] for name in dict.fromkeys([*first, *inputs])]


def _is_names(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value)


def output_types(definition: Mapping[str, Any]) -> list[str]:
    """What the outputs of a node give."""
    outputs = definition.get("output")
    kinds = outputs if isinstance(outputs, (list, tuple)) else ()
    return ["*" if kind == "COMFY_MATCHTYPE_V3" else "COMBO" if isinstance(kind, list) else str(kind) for kind in kinds]


def output_templates(definition: Mapping[str, Any]) -> list[str | None]:
    """The names of the types that outputs share with inputs."""
    names = definition.get("output_matchtypes")
    return [str(name) if name else None for name in names] if isinstance(names, (list, tuple)) else []


def title(class_type: str, definition: Mapping[str, Any]) -> str:
    """What the editor calls a node that the user gave no title."""
    return str(_TITLES.get(class_type) or definition.get("display_name") or definition.get("name") or class_type)


def _link_only(entry: Spec) -> Spec:
    """An optional input that once asked to be shown as a socket is one."""
    if entry.optional and entry.options.get("defaultInput"):
        return Spec(entry.name, entry.type, {**entry.options, "forceInput": True}, optional=True)
    return entry


_UPLOADS = ("image_upload", "animated_image_upload", "video_upload")
_AUDIO_PLAYERS = {"LoadAudio", "SaveAudio", "PreviewAudio", "SaveAudioMP3", "SaveAudioOpus", "SaveAudioAdvanced"}


def _extensions(class_type: str, required: Mapping[str, Spec]) -> Iterator[Spec]:
    if class_type in _AUDIO_PLAYERS:
        yield Spec("audioUI", "AUDIO_UI", {})
    if class_type in {"Preview3D", "SaveGLB"}:
        yield Spec("image", "PREVIEW_3D", {})
    if class_type == "Load3DAdvanced":
        yield Spec("viewport_state", "LOAD_3D_ADVANCED", {})
    if any(entry.options.get(key) for entry in required.values() for key in _UPLOADS):
        yield Spec("upload", "IMAGEUPLOAD", {})
    audio = required.get("audio")
    if audio is not None and audio.options.get("audio_upload") is True:
        yield Spec("upload", "AUDIOUPLOAD", {})


_TITLES = {
    "LTXVConcatAVLatent": "LTXVConcatAVLatent",
    "LTXVSeparateAVLatent": "LTXVSeparateAVLatent",
    "MinimaxHailuoVideoNode": "MiniMax Hailuo Video",
    "PrimitiveString": "Text String (DEPRECATED)",
    "PrimitiveStringMultiline": "Input Text",
    "RecraftImageToImageNode": "Recraft Image to Image",
    "RecraftTextToImageNode": "Recraft Text to Image",
    "RecraftTextToVectorNode": "Recraft Text to Vector",
}
"""Where the editor's own English differs from the server's ``display_name``, in the frontend 1.47."""
