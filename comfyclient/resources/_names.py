"""Which file is meant, and how the server is asked for it."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlencode

from comfyclient.types.files import FileInfo

__all__ = ["SOCKET_TYPE", "FileLike", "encoded_name", "locate", "placed", "view_path"]

SOCKET_TYPE = "websocket"
"""The ``type`` of a file that exists only in the client's memory."""


class _Named(Protocol):
    """What has the three parts of a file's name: ``FileInfo``, ``OutputFile``."""

    @property
    def filename(self) -> str: ...
    @property
    def subfolder(self) -> str: ...
    @property
    def type(self) -> str: ...


FileLike: TypeAlias = "_Named | Mapping[str, Any] | str"


def locate(file: FileLike) -> FileInfo:
    """The file that is meant, by its three parts.

    Raises:
        TypeError: It is nothing that can stand for a file, or a part of its name is no string.
        ValueError: It has no name, or is none of the server's.
    """
    parts: tuple[Any, Any, Any]
    if isinstance(file, str):
        parts = file, "", ""
    elif isinstance(file, Mapping):
        parts = file.get("filename", file.get("name")), file.get("subfolder"), file.get("type")
    else:
        try:
            parts = file.filename, file.subfolder, file.type
        except AttributeError:
            kind = type(file).__name__
            raise TypeError(f"a file is a name, a FileInfo, an OutputFile or a mapping, not {kind}: {file!r}") from None
    name, subfolder, type_ = parts[0], parts[1] or "", parts[2] or "output"
    if not isinstance(name, str) or not name:
        raise ValueError(f"a file needs a filename, and this has none: {file!r}")
    if type_ == SOCKET_TYPE:
        raise ValueError(f"{name!r} came over the websocket and is no file on the server; use its own methods")
    for kind in ("input", "output", "temp"):
        if name.endswith(f" [{kind}]"):
            name, type_ = name[: -len(f" [{kind}]")], kind
    return placed(name, subfolder, type_)


def placed(name: str, subfolder: str, type_: str) -> FileInfo:
    """A file by its name, whose directories go to its subfolder: the server would drop them and show another file.

    Raises:
        TypeError: A part is no string.
    """
    for part, value in {"filename": name, "subfolder": subfolder, "type": type_}.items():
        if not isinstance(value, str):
            raise TypeError(f"the {part} of a file is a string, not {type(value).__name__}: {value!r}")
    folder, _, name = name.rpartition("/")
    return FileInfo(name, posixpath.join(subfolder, folder) if folder else subfolder, type_)


def view_path(info: FileInfo, **options: str | None) -> str:
    """The path and query by which the server is asked for a file."""
    query = {"filename": info.filename, "subfolder": info.subfolder, "type": info.type, **options}
    given = {key: value for key, value in query.items() if value is not None}
    return "/view?" + urlencode(given, errors="replace")


def encoded_name(name: str, preview: str | None, channel: str | None) -> str:
    """The file's name, with the extension of what the server makes of it."""
    if preview is not None:
        is_jpeg = preview.partition(";")[0] == "jpeg" and "a" not in (channel or "")
        extension = ".jpg" if is_jpeg else ".webp"
    elif channel in {"rgb", "a"}:
        extension = ".png"
    else:
        return name
    return posixpath.splitext(name)[0] + extension
