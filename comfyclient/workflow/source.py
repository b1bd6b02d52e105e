"""From whatever a user calls a workflow to the object inside it."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Literal, Protocol, TypeAlias

from comfyclient.errors import WorkflowError
from comfyclient.workflow import media
from comfyclient.workflow.check import EXPORT_ADVICE
from comfyclient.workflow.envelope import unwrapped
from comfyclient.workflow.media.finds import KINDS
from comfyclient.workflow.wording import kind_of, shown


class RemoteFile(Protocol):
    """A file that comes in pieces, such as an ``OutputFile`` of a result."""

    @property
    def filename(self) -> str:
        """Its name."""

    def stream(self) -> Iterator[bytes]:
        """Its content."""


Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | Mapping[str, Any] | IO[str] | IO[bytes] | RemoteFile
Preference: TypeAlias = Literal["prompt", "workflow"]

PATIENCE = 60.0
"""Seconds that fetching from an address may take in all."""

_LARGEST_DOCUMENT = 256 * 1024 * 1024
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_JSON = re.compile(rb"(\xef\xbb\xbf|\xff\xfe|\xfe\xff)|\0*\s*[\[{\"\dtfnNI-]|\s*$")
_EXPORT = f"an export: {EXPORT_ADVICE}"


def read(  # noqa: C901, PLR0911 - one for each kind of source
    source: Source, *, prefer: Preference = "prompt", timeout: float = PATIENCE
) -> tuple[Any, str]:
    """What the source holds, parsed, and how a message names it ("" for an object that was at hand).

    Raises:
        WorkflowError: It is empty, no JSON, a file without a workflow, or nothing that can be read.
        ValueError: ``prefer`` is neither of the two.
        OSError: The file cannot be read.
        ComfyError: The address cannot be fetched.
    """
    if prefer not in KINDS:
        raise ValueError(f"prefer is 'prompt' or 'workflow', not {prefer!r}")
    if isinstance(source, Mapping):
        return unwrapped(source, prefer), ""
    if isinstance(source, str):
        text = source.removeprefix("\ufeff")
        if text.lstrip()[:1] in {"{", "[", ""}:
            return unwrapped(_parse(text, "the text"), prefer), "the text"
        if _ADDRESS.match(text):
            return _from_address(text, prefer, timeout)
    if isinstance(source, (str, os.PathLike)):
        with _opened(source) as file:
            return _from_file(file, os.fspath(source), prefer)
    if isinstance(source, (bytes, bytearray)):
        return _from_reader(media.Reader.of(bytes(source)), "the data", prefer)
    if hasattr(source, "stream") and hasattr(source, "filename"):
        return _from_pieces(source.stream(), source.filename, prefer)
    if hasattr(source, "read"):
        return _from_file(source, str(getattr(source, "name", "the file")), prefer)
    if hasattr(source, "workflow"):  # a builder, a job
        raise WorkflowError(f"{kind_of(source)} is no workflow, but has one: give its .workflow")
    raise WorkflowError(f"{kind_of(source)} is no workflow: give a path, JSON text, bytes, an open file or a dict")


# --- files --------------------------------------------------------------------------------------------------


def _opened(path: str | os.PathLike[str]) -> IO[bytes]:
    try:
        return Path(path).open("rb")
    except ValueError as error:  # a zero byte in it
        raise WorkflowError(f"{shown(os.fspath(path))} is no path: {error}") from None
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise WorkflowError(
            f"{shown(os.fspath(path))} is neither JSON, which begins with a brace, nor a path"
        ) from None


def _from_file(file: Any, name: str, prefer: Preference) -> tuple[Any, str]:
    try:
        head = file.read(0)
        if isinstance(head, str):
            text = file.read(_LARGEST_DOCUMENT + 1).removeprefix("\ufeff")
            return unwrapped(_parse(text, name), prefer), name
    except UnicodeDecodeError:
        raise WorkflowError(f"{name} is opened as text, and is none; open it with mode 'rb'") from None
    return _from_reader(media.Reader(file), name, prefer)


def _from_pieces(pieces: Iterator[bytes], name: str, prefer: Preference) -> tuple[Any, str]:
    try:
        return _from_reader(media.Reader(media.Pieces(iter(pieces))), name, prefer)
    finally:
        if isinstance(pieces, Generator):
            pieces.close()  # no more is fetched than was needed


def _from_reader(reader: media.Reader, name: str, prefer: Preference) -> tuple[Any, str]:
    head = reader.peek(media.HEAD)
    format_ = media.format_of(head)
    if format_ is not None:
        return _from_media(reader, format_, name, prefer)
    if not _JSON.match(head):
        kind = "binary data of no known kind" if b"\0" in head else "text of no known kind"
        raise WorkflowError(f"{name} is {kind}, neither JSON nor a file that ComfyUI makes: load {_EXPORT}")
    return unwrapped(_parse(reader.up_to(_LARGEST_DOCUMENT + 1), name), prefer), name


def _from_media(reader: media.Reader, format_: media.Format, name: str, prefer: Preference) -> tuple[Any, str]:
    finds, wrong = media.find(reader, format_, prefer)
    for kind in (prefer, *KINDS):
        if kind in finds.graphs:
            return finds.graphs[kind], f"{name}: the {kind} in it"
    if finds.maker:
        why = f"made by {finds.maker}, whose parameters are no workflow"
    elif format_.parse is None:
        why = "into which ComfyUI puts no workflow"
    else:
        why = wrong or "without a workflow, since many sites and programs take it out"
    raise WorkflowError(f"{name} is {format_.name} {why}: load the file that ComfyUI wrote, or {_EXPORT}")


def _from_address(address: str, prefer: Preference, timeout: float) -> tuple[Any, str]:
    from comfyclient.workflow import fetch  # noqa: PLC0415 - whoever has files needs no HTTP

    return _from_pieces(fetch.pieces(address, timeout), fetch.shown(address), prefer)


# --- JSON ---------------------------------------------------------------------------------------------------


def _parse(data: str | bytes, name: str) -> Any:
    if len(data) > _LARGEST_DOCUMENT:
        raise WorkflowError(f"{name} is larger than {_LARGEST_DOCUMENT >> 20} MB")
    if not data.strip():
        raise WorkflowError(f"{name} is empty")
    try:
        return json.loads(data)
    except json.JSONDecodeError as error:
        ends = error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated string")
        cut = "; it seems to be cut off" if ends else ""
        what = error.msg.removesuffix(" starting at")
        raise WorkflowError(f"{name} is not JSON: {what} at line {error.lineno}, column {error.colno}{cut}") from None
    except (ValueError, RecursionError) as error:  # no text; an int of thousands of digits; nested too deeply
        raise WorkflowError(f"{name} is not JSON: {error}") from None
