"""Files on the user's disk: safe names whatever the server sent, and writing that is all or nothing."""

from __future__ import annotations

import errno
import os
import re
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_FORBIDDEN = frozenset('<>:"|?*')
"""What Windows refuses in a name; separators are gone by then."""

_RESERVED = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³]) *(\.|$)", re.IGNORECASE)
"""Devices: Windows opens them under any extension."""

_LONGEST = 255
"""Bytes of a name on the usual file systems."""

_LONGEST_SUFFIX = 32
"""Bytes of an extension that is kept when a name has to be shortened."""


def safe_name(server_name: str) -> str:
    """Turn a name that the server sent into one that stays in its directory and can be created on any system.

    An ordinary name is returned as it is. Of a path only the last part is kept.
    """
    name = re.split(r"[/\\]", server_name.encode("utf-8", "replace").decode())[-1]
    name = "".join(c if c.isprintable() and c not in _FORBIDDEN else "_" for c in name)
    name = name.rstrip(". ") or "file"
    if _RESERVED.match(name):
        name = "_" + name
    return _shortened(name)


def _shortened(name: str) -> str:
    if len(name.encode()) <= _LONGEST:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix.encode()) > _LONGEST_SUFFIX:
        stem, dot, suffix = name, "", ""
    room = _LONGEST - len(f"{dot}{suffix}".encode())
    return (stem.encode()[:room].decode("utf-8", "ignore") + dot + suffix).rstrip(". ")


def destination(path: str | os.PathLike[str], server_name: str) -> Path:
    """Where a file goes that is saved to ``path``.

    Args:
        path: An existing directory, or a string that ends with a separator: the file goes into it under its
            own safe name. Anything else is the file's path itself.
        server_name: What the server calls the file.
    """
    text = os.fspath(path)
    separators = (os.sep, os.altsep) if os.altsep else (os.sep,)
    if text.endswith(separators) or os.path.isdir(text):  # noqa: PTH112 - Path would lose the separator
        return Path(text, safe_name(server_name))
    return Path(text)


@contextmanager
def atomic_write(path: Path, *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """Write a file that appears under its name only when it is complete; missing parent directories are made.

    Until then it is a hidden ``.part`` file beside it, which is gone afterwards, whatever happens.

    Args:
        path: The file.
        overwrite: Replace a file that exists, also one that appeared meanwhile.

    Raises:
        FileExistsError: The name is taken and ``overwrite`` is off.
        OSError: The file cannot be written; there is a file where a directory is to be, for example.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:  # not of the name itself: another one would not help
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), error.filename) from None
    if not overwrite and os.path.lexists(path):
        raise _taken(path)  # early, to spare the work; what decides is the link below
    part = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            yield file
        if overwrite:
            part.replace(path)
        else:
            _publish(part, path)
    except OSError as error:
        if error.filename == str(part):
            error.filename = str(path)  # nobody knows the other one
        raise
    finally:
        part.unlink(missing_ok=True)


def _publish(part: Path, path: Path) -> None:
    """Give a complete file its name in one step that fails when the name is taken."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise _taken(path) from None
    except OSError:  # a file system without hard links: claim the name, then replace what claimed it
        try:
            path.open("xb").close()
        except FileExistsError:
            raise _taken(path) from None
        part.replace(path)


def _taken(path: Path) -> FileExistsError:
    return FileExistsError(errno.EEXIST, "The file exists, and overwrite=True was not given", str(path))
