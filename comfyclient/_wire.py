"""Frames into events: pure, total, and the only place that knows how frames are laid out."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

from comfyclient import _convert
from comfyclient.events import EVENT_TYPES, Event, FeatureFlags, Preview, ProgressText, UnknownEvent

if TYPE_CHECKING:
    from collections.abc import Callable

_SPACE = " \t\n\r"
_raw_decode = json.JSONDecoder().raw_decode


def _parse(frame: bytes | memoryview) -> Any:
    """``json.loads``, but for its guess at the encoding and its search for space, a third of a small message's time."""
    text = str(frame, "utf-8").strip(_SPACE)
    value, end = _raw_decode(text)
    if end != len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return value


try:
    import orjson
except ImportError:
    _loads: Callable[[bytes | memoryview], Any] = _parse
else:

    def _loads(frame: bytes | memoryview) -> Any:
        try:
            return orjson.loads(frame)
        except ValueError:  # NaN, Infinity and lone surrogates, which ComfyUI can send and orjson refuses
            return _parse(frame)


_MEDIA_TYPES = {1: "image/jpeg", 2: "image/png"}
_U32 = struct.Struct(">I")
_TWO_U32 = struct.Struct(">II")


def _feature_flags(data: Any) -> FeatureFlags:
    if not isinstance(data, dict):
        msg = "feature flags are an object"
        raise TypeError(msg)
    return FeatureFlags(data)


_HOOKS: dict[str, Callable[[Any], Event]] = {
    **{name: _convert.hook(cls) for name, cls in EVENT_TYPES.items()},
    "feature_flags": _feature_flags,
}


def decode_text(frame: bytes | memoryview) -> Event:
    """Decode a text frame; never raises."""
    try:
        message = _loads(frame)
    except (ValueError, RecursionError) as error:
        return UnknownEvent("", str(frame, "utf-8", "replace"), f"not JSON: {error}")
    try:
        return _HOOKS[message["type"]](message["data"])
    except Exception:  # noqa: BLE001 - whatever it is, it is looked at again without hurry
        return _decode_slowly(message)


def _decode_slowly(message: Any) -> Event:
    kind = message.get("type") if isinstance(message, dict) else None
    if not isinstance(kind, str):
        return UnknownEvent("", message, "no type")
    if kind in _HOOKS:
        return decode_event(kind, message.get("data"))
    return UnknownEvent(kind, message.get("data") if message.keys() <= _ENVELOPE else message)


_ENVELOPE = frozenset({"type", "data"})


def decode_event(kind: str, data: Any) -> Event:
    """Decode the data of a message of a known type, from a frame or from a history entry; never raises."""
    try:
        return _HOOKS[kind](data)
    except Exception as error:  # noqa: BLE001 - whatever a stranger's payload provokes, the reader goes on
        return UnknownEvent(kind, data, _convert.explain(error, data, EVENT_TYPES[kind]))


def decode_binary(frame: bytes | memoryview) -> Event:
    """Decode a binary frame; never raises. Nothing of the frame's memory is kept."""
    if len(frame) < _U32.size:
        return UnknownEvent("binary", bytes(frame), "shorter than its header")
    (kind,) = _U32.unpack_from(frame)
    decode = _BINARY.get(kind)
    if decode is None:
        return UnknownEvent(f"binary.{kind}", bytes(frame[_U32.size :]))
    try:
        return decode(frame)
    except (ValueError, TypeError, RecursionError, struct.error) as error:
        return UnknownEvent(f"binary.{kind}", bytes(frame[_U32.size :]), str(error))


def _preview(frame: bytes | memoryview) -> Preview:
    _, image_type = _TWO_U32.unpack_from(frame)
    if image_type not in _MEDIA_TYPES:
        msg = f"image type {image_type} is neither JPEG (1) nor PNG (2)"
        raise ValueError(msg)
    return Preview(_MEDIA_TYPES[image_type], bytes(frame[_TWO_U32.size :]))


def _sized_part(frame: bytes | memoryview) -> tuple[bytes, bytes]:
    _, length = _TWO_U32.unpack_from(frame)
    end = _TWO_U32.size + length
    if end > len(frame):
        msg = f"{length} bytes were announced and {len(frame) - _TWO_U32.size} came"
        raise ValueError(msg)
    return bytes(frame[_TWO_U32.size : end]), bytes(frame[end:])


def _progress_text(frame: bytes | memoryview) -> ProgressText:
    node, text = _sized_part(frame)
    return ProgressText(node.decode(), text.decode("utf-8", "replace"))


_PREVIEW_FIELDS = {
    "prompt_id": "prompt_id",
    "node_id": "node",
    "display_node_id": "display_node_id",
    "parent_node_id": "parent_node_id",
    "real_node_id": "real_node_id",
}


def _preview_with_metadata(frame: bytes | memoryview) -> Preview:
    part, image = _sized_part(frame)
    meta = _parse(part)
    if not isinstance(meta, dict):
        msg = "the metadata is not an object"
        raise TypeError(msg)
    media_type = meta.pop("image_type", "image/jpeg")
    fields = {name: meta.pop(key, None) for key, name in _PREVIEW_FIELDS.items()}
    if not isinstance(media_type, str) or not all(value is None or isinstance(value, str) for value in fields.values()):
        msg = "the metadata's values are not texts"
        raise TypeError(msg)
    return Preview(media_type, image, **fields, extra=meta)


_BINARY: dict[int, Callable[[bytes | memoryview], Event]] = {1: _preview, 3: _progress_text, 4: _preview_with_metadata}
