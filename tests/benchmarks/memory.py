"""Target 11: what large files take of memory on their way, whatever their size.

Each function wants an interpreter of its own, on Linux, which tells how much memory a process ever had.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from comfyclient import Client

if TYPE_CHECKING:
    from collections.abc import Callable

_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")
SMALL = 1_000_000
"""Bytes that go ahead, so that what is made once (modules, buffers, a connection) is made by then."""


def prepare(output: Path, *sizes: int) -> None:
    """Put files of these sizes, and the small one, into the server's output directory."""
    for size in (SMALL, *sizes):
        _make(output, size)


def of_stream(url: str, size: int) -> float:
    """MB that ``client.files.stream`` takes for a file of ``size`` bytes, of which each piece is forgotten at once."""
    with Client(url) as client:
        return _growth(lambda size: sum(map(len, client.files.stream(_name(size)))), size)


def of_download(url: str, size: int) -> float:
    """MB that ``client.files.download`` takes for a file of ``size`` bytes."""
    with TemporaryDirectory() as directory, Client(url) as client:
        return _growth(lambda size: client.files.download(_name(size), directory).stat().st_size, size)


def of_upload(url: str, size: int) -> float:
    """MB that ``client.files.upload_image`` takes for a file of ``size`` bytes."""
    with TemporaryDirectory() as directory, Client(url) as client:

        def upload(size: int) -> int:
            path = _make(Path(directory), size)
            return client.files.stat(client.files.upload_image(path, type="temp", overwrite=True)).size or 0

        return _growth(upload, size)


def _name(size: int) -> str:
    return f"benchmark-{size}.bin"


def _make(directory: Path, size: int) -> Path:
    """A file of that size, all zeros."""
    path = directory / _name(size)
    path.touch()
    os.truncate(path, size)
    return path


def _growth(transfer: Callable[[int], int], size: int) -> float:
    """MB by which the most that this process ever had in memory exceeds what it had before."""
    _checked(transfer, SMALL)
    _RESET.write_text("5", encoding="ascii")  # forget the most that there was so far
    before = _megabytes("VmRSS")
    _checked(transfer, size)
    return _megabytes("VmHWM") - before


def _checked(transfer: Callable[[int], int], size: int) -> None:
    transferred = transfer(size)
    if transferred != size:
        raise ValueError(f"{transferred} bytes came through instead of {size}")


def _megabytes(key: str) -> float:
    found = re.search(rf"^{key}:\s+(\d+) kB$", _STATUS.read_text(encoding="ascii"), re.MULTILINE)
    if found is None:
        raise OSError(f"{_STATUS} has no {key}")
    return int(found[1]) * 1024 / 1_000_000
