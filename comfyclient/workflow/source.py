"""From whatever a user calls a workflow to the object inside it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, TypeAlias

from comfyclient.errors import WorkflowError
from comfyclient.workflow.check import EXPORT_ADVICE
from comfyclient.workflow.wording import kind_of

Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | Mapping[str, Any] | IO[str] | IO[bytes]

# Where it begins, with which bytes, and what that is.
_SIGNATURES = (
    (0, b"\x89PNG", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"GIF8", "a GIF image"),
    (8, b"WEBP", "a WebP image"),
    (4, b"ftyp", "an MP4 video"),
    (0, b"\x1aE\xdf\xa3", "a WebM or Matroska video"),
    (0, b"fLaC", "a FLAC sound file"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"<", "a web page"),
)


def read(source: Source) -> tuple[Any, str]:
    """What the source holds, parsed, and how a message names it ("" for an object that was at hand).

    Raises:
        WorkflowError: It is empty, no JSON, or nothing that can be read.
        OSError: The file cannot be read.
    """
    if isinstance(source, Mapping):
        return source, ""
    if isinstance(source, str):
        text = source.removeprefix("\ufeff")
        if text.lstrip()[:1] in {"{", "[", ""}:
            return _parse(text, "the text"), "the text"
    if isinstance(source, (str, os.PathLike)):
        return _parse(Path(source).read_bytes(), os.fspath(source)), os.fspath(source)
    if isinstance(source, (bytes, bytearray)):
        return _parse(bytes(source), "the data"), "the data"
    if hasattr(source, "read"):
        name = str(getattr(source, "name", "the file"))
        return _parse(source.read(), name), name
    raise WorkflowError(f"{kind_of(source)} is no workflow: give a path, JSON text, bytes, an open file or a dict")


def _parse(data: str | bytes, name: str) -> Any:
    if not data.strip():
        raise WorkflowError(f"{name} is empty")
    if isinstance(data, bytes):
        for offset, magic, kind in _SIGNATURES:
            if data.startswith(magic, offset):
                raise WorkflowError(f"{name} is {kind}, not a workflow in the API format: {EXPORT_ADVICE}")
    try:
        return json.loads(data)
    except json.JSONDecodeError as error:
        ends = error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string")
        cut = "; it seems to be cut off" if ends else ""
        what = error.msg.removesuffix(" starting at")
        raise WorkflowError(f"{name} is not JSON: {what} at line {error.lineno}, column {error.colno}{cut}") from None
    except (ValueError, RecursionError) as error:  # no text; an int of thousands of digits; nested too deeply
        raise WorkflowError(f"{name} is not JSON: {error}") from None
