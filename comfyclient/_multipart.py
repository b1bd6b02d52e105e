"""Uploads: a multipart form of known length that is read piece by piece.

``requests`` would read the whole file into memory, twice.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import uuid
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, cast
from urllib.parse import quote

from comfyclient._http import CHUNK
from comfyclient._pixels import is_array, png

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray
    from PIL.Image import Image

Source: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Image | NDArray[Any]"
Progress: TypeAlias = "Callable[[int, int], None]"


@contextmanager
def opened(source: Source, *, as_mask: bool = False) -> Iterator[tuple[BinaryIO, str | None]]:
    """A seekable file with the source's content, and the source's own name if it has one.

    Args:
        source: What is to be uploaded.
        as_mask: Make an image in memory one that is a mask by its transparency.
    """
    if isinstance(source, (str, os.PathLike)):
        with open(source, "rb") as file:  # noqa: PTH123 - any path
            yield file, os.path.basename(os.fspath(source))  # noqa: PTH119
    elif isinstance(source, (bytes, bytearray, memoryview)):
        yield BytesIO(source), None
    elif hasattr(source, "read"):
        name = getattr(source, "name", None)
        with _seekable(cast("BinaryIO", source)) as file:
            yield file, os.path.basename(name) if isinstance(name, str) else None  # noqa: PTH119
    elif is_array(source) or hasattr(source, "save"):
        yield png(source, as_mask=as_mask), None
    else:
        kind = type(source).__name__
        raise TypeError(f"a path, bytes, a binary file, a PIL image or a NumPy array can be uploaded, not {kind}")


@contextmanager
def _seekable(file: BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(file.read(0), bytes):
        raise TypeError("the file is open as text; open it with mode 'rb'")
    if file.seekable():
        start = file.tell()
        if start and start == file.seek(0, os.SEEK_END):
            raise ValueError("the file stands at its end; call seek(0) to upload all of it")
        file.seek(start)
        yield file
    else:  # the length goes ahead of the content
        with tempfile.TemporaryFile() as spooled:
            shutil.copyfileobj(file, spooled, CHUNK)
            spooled.seek(0)
            yield cast("BinaryIO", spooled)


def content_name(file: BinaryIO) -> str:
    """A name made of the content, so that the same content finds the same file on the server."""
    start, digest = file.tell(), hashlib.sha256()
    while piece := file.read(CHUNK):
        digest.update(piece)
    file.seek(start)
    return digest.hexdigest()[:32] + ".png"


class FormError(Exception):
    """Carries an exception of the user's file or callback past requests, which would take some for its own.

    Attributes:
        cause: The exception.
    """

    def __init__(self, cause: Exception) -> None:
        """Carry ``cause``."""
        super().__init__(cause)
        self.cause = cause


class Form:
    """A form of some fields and, after them, one file.

    Attributes:
        content_type: The header that goes with it.
    """

    def __init__(
        self,
        fields: Mapping[str, str],
        filename: str,
        file: BinaryIO,
        progress: Progress | None,
        *,
        file_field: str = "image",
    ) -> None:
        """Take note of the file's length from its position on; nothing is read yet."""
        boundary = uuid.uuid4().hex
        self.content_type = f"multipart/form-data; boundary={boundary}"
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{file_field}"; {_filename(filename)}\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        self._head = "".join(parts).encode("utf-8", "replace")
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._file = file
        self._start = file.tell()
        self._size = file.seek(0, os.SEEK_END) - self._start
        self._progress = progress or (lambda _sent, _total: None)

    def __len__(self) -> int:
        """The bytes of the whole form: its Content-Length."""
        return len(self._head) + self._size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        """The form in pieces, from its start."""
        yield self._head
        content = self._content()
        while piece := self._next(content):
            yield piece
        yield self._tail

    def _next(self, content: Iterator[bytes]) -> bytes | None:
        try:
            return next(content, None)
        except Exception as error:  # noqa: BLE001 - carried, not handled
            raise FormError(error) from None

    def _content(self) -> Iterator[bytes]:
        self._file.seek(self._start)
        sent = 0
        self._progress(sent, self._size)
        while sent < self._size:
            piece = self._file.read(min(CHUNK, self._size - sent))
            if not piece:
                raise ValueError(f"the file became shorter meanwhile: {sent} of {self._size} bytes were sent")
            yield piece
            sent += len(piece)
            self._progress(sent, self._size)


def _filename(name: str) -> str:
    """The filename of a multipart header.

    aiohttp takes a quoted name at its word, percent signs too, eats backslashes and splits at semicolons.
    Names with such characters go in the extended notation, the others in the one that every parser knows.
    Control characters are replaced: ComfyUI would store the file and then break off whenever it is to show it.
    """
    name = re.sub(r"[\x00-\x1f\x7f]", "_", name)
    if not set(name) & set('"\\;'):
        return f'filename="{name}"'
    return f"filename*=UTF-8''{quote(name, safe='', errors='replace')}"
