"""What a node reported for the editor to show (its ``ui``), read as files and texts.

The only file that knows those shapes. Custom nodes may report any JSON, so nothing here raises.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["image", "video", "audio", "text", "model3d", "file"]

_EXTENSIONS: dict[Kind, str] = {
    "image": "apng avif bmp exr gif hdr heic ico jfif jpeg jpg jxl png svg tif tiff webp",
    "video": "avi flv m4v mkv mov mp4 mpeg mpg ogv webm wmv",
    "audio": "aac aif aiff flac m4a mp3 oga ogg opus wav wma",
    "text": "csv htm html json log md srt txt vtt xml yaml yml",
    "model3d": "3mf dae fbx glb gltf ksplat obj ply splat spz stl usd usdz",
}
_KINDS = {extension: kind for kind, group in _EXTENSIONS.items() for extension in group.split()}
_MODELS = frozenset(_EXTENSIONS["model3d"].split())

_FORMATS: dict[str, Kind] = {
    "image": "image",
    "video": "video",
    "audio": "audio",
    "text": "text",
    "model": "model3d",
}
"""The first half of a ``format`` such as ``"video/h264-mp4"``."""

_KEYS: dict[str, Kind] = {
    "image": "image",
    "gif": "video",  # what VideoHelperSuite calls its videos
    "video": "video",
    "audio": "audio",
    "text": "text",
    "3d": "model3d",
    "mesh": "model3d",
}
"""Words in the key that a node reports its files under."""

_TEXT_KEYS = ("text", "texts", "string", "strings", "tags")
"""The keys under which nodes report text: PreviewAny and SaveText, the ShowText packs, the taggers."""

_MEDIA_TYPES = {
    "avif": "image/avif",
    "flac": "audio/flac",
    "glb": "model/gltf-binary",
    "gltf": "model/gltf+json",
    "jxl": "image/jxl",
    "mkv": "video/x-matroska",
    "opus": "audio/opus",
    "webm": "video/webm",
    "webp": "image/webp",
}
"""What ``mimetypes`` does not know everywhere."""


class Reported(NamedTuple):
    """A file as a node reported it: under which key, its name, and the whole entry as sent."""

    key: str
    filename: str
    subfolder: str
    type: str
    raw: Mapping[str, Any]


def kind_of(filename: str, format_: str | None, key: str) -> Kind:
    """What a file is: by its extension, else by the reported format, else by its key."""
    guesses = (
        _KINDS.get(_extension(filename)),
        _FORMATS.get((format_ or "").partition("/")[0]),
        *(kind for word, kind in _KEYS.items() if word in key.lower()),
    )
    return next((kind for kind in guesses if kind), "file")


def media_type_of(filename: str) -> str:
    """The MIME type that goes with a name's extension."""
    extension = _extension(filename)
    guessed = _MEDIA_TYPES.get(extension) or mimetypes.guess_type(f"x.{extension}")[0]
    return guessed or "application/octet-stream"


def files_in(reported: Any) -> Iterator[Reported]:
    """The files that a node reported, in its order: whatever has a filename, under any key, at any depth."""
    for key, value in as_mapping(reported).items():
        for item in _items(value, deep=True):
            if _names_file(item):
                subfolder, type_ = item.get("subfolder"), item.get("type")
                yield Reported(
                    key,
                    item["filename"],
                    subfolder if isinstance(subfolder, str) else "",
                    type_ if isinstance(type_, str) and type_ else "output",
                    item,
                )
            elif key == "result" and isinstance(item, str) and _extension(item) in _MODELS:
                # Preview3D names its model by its path below the output directory.
                subfolder, _, name = item.replace("\\", "/").rpartition("/")
                yield Reported(key, name, subfolder, "output", {})


def texts_in(reported: Any) -> list[str]:
    """The texts that a node reported; some packs send one list under two keys, for old and new editors."""
    lists: list[list[str]] = []
    for key, value in as_mapping(reported).items():
        if key in _TEXT_KEYS:
            texts = [item for item in _items(value) if isinstance(item, str)]
            if texts not in lists:
                lists.append(texts)
    return [text for texts in lists for text in texts]


def as_mapping(reported: Any) -> Mapping[str, Any]:
    """A node's report as a mapping; a node without output reports ``None``, a custom one perhaps a list."""
    return reported if isinstance(reported, Mapping) else {}


def joined(reports: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Several nodes' reports as one: lists joined, of anything else the last."""
    whole = reports[0]
    for report in reports[1:]:
        lists = {
            key: [*whole[key], *value]
            for key, value in report.items()
            if isinstance(value, list) and isinstance(whole.get(key), list)
        }
        whole = {**whole, **report, **lists}
    return whole


def _items(value: Any, *, deep: bool = False) -> Iterator[Any]:
    """The items of lists inside lists, and if wanted of dicts that name no file, in order."""
    waiting = [value]
    while waiting:  # no recursion: a node may send any depth
        item = waiting.pop()
        if isinstance(item, list):
            waiting.extend(reversed(item))
        elif deep and isinstance(item, Mapping) and not _names_file(item):
            waiting.extend(reversed(list(item.values())))
        else:
            yield item


def _names_file(item: Any) -> bool:
    return isinstance(item, Mapping) and isinstance(item.get("filename"), str) and bool(item["filename"])


def _extension(filename: str) -> str:
    _, dot, extension = filename.rpartition(".")
    return extension.lower() if dot else ""
