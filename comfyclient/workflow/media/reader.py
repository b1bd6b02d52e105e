"""Files and streams, read from front to back: what is of no interest is passed over, never held."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 32 * 1024 * 1024
"""Bytes that one part of a file may have to be read at all; workflows have some hundred KB."""

_MOST_PARTS = 1_000_000
_PIECE = 256 * 1024


class DamagedError(Exception):
    """The file is not as its format says; the text completes "it is damaged: "."""


class CutOffError(DamagedError):
    """The file ends too early."""


class Reader:
    """Reads forward only, so that it does for pipes and answers of servers, too.

    Attributes:
        position: Bytes read or passed over.
    """

    def __init__(self, file: Any) -> None:
        """Read from a binary file object's position on.

        Raises:
            OSError: It cannot be read.
        """
        self.position = 0
        self._file = file
        self._ahead = b""
        self._parts = 0
        self._left: int | None = None
        if _is_seekable(file):
            here = file.tell()
            self._left = max(0, file.seek(0, io.SEEK_END) - here)
            file.seek(here)

    @classmethod
    def of(cls, data: bytes) -> Reader:
        """Read what is in memory."""
        return cls(io.BytesIO(data))

    def peek(self, size: int) -> bytes:
        """The next bytes, as many of them as there are, which stay where they are."""
        self._ahead += self._take(size - len(self._ahead))
        return self._ahead[:size]

    def up_to(self, size: int) -> bytes:
        """The next bytes; fewer at the end."""
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        data += self._take(size - len(data))
        self.position += len(data)
        return data

    def read(self, size: int) -> bytes:
        """Exactly so many bytes.

        Raises:
            CutOffError: There are fewer.
            DamagedError: It would be more than anybody wants to hold, or there is no end of reading.
        """
        if size > LARGEST:
            raise DamagedError(f"a part of it is said to have {size:,} bytes")
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise DamagedError("it has no end of parts")
        data = self.up_to(size)
        if len(data) < size:
            raise CutOffError("it is cut off")
        return data

    def number(self, size: int, order: Any = "big") -> int:
        """An unsigned number of so many bytes."""
        return int.from_bytes(self.read(size), order)

    def until(self, end: bytes, longest: int) -> bytes:
        """What is before this byte, which is passed over, too."""
        data = bytearray()
        while (byte := self.read(1)) != end:
            data += byte
            if len(data) > longest:
                raise DamagedError("a name in it has no end")
        return bytes(data)

    def skip(self, size: int) -> None:
        """Pass over so many bytes.

        Raises:
            CutOffError: There are fewer.
        """
        ahead = min(size, len(self._ahead))
        self.position += ahead
        self._ahead = self._ahead[ahead:]
        size -= ahead
        if self._left is not None and size > 0:
            if size > self._left:
                raise CutOffError("it is cut off")
            self._file.seek(size, io.SEEK_CUR)
            self._left -= size
            self.position += size
            return
        while size > 0:
            data = self._take(min(size, _PIECE))
            if not data:
                raise CutOffError("it is cut off")
            size -= len(data)
            self.position += len(data)

    def skip_to(self, position: int) -> None:
        """Pass over what is before this position."""
        self.skip(max(0, position - self.position))

    def _take(self, size: int) -> bytes:
        """From the file itself, which may give less than it has."""
        pieces = []
        while size > 0 and (data := self._file.read(min(size, _PIECE))):
            pieces.append(data)
            size -= len(data)
            if self._left is not None:
                self._left -= len(data)
        return b"".join(pieces)


class Pieces(io.RawIOBase):
    """An iterator of bytes as a file object that cannot seek."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        """Nothing else can be done with it."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as one piece goes."""
        while not self._piece:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._piece = memoryview(piece)
        size = min(len(buffer), len(self._piece))
        buffer[:size] = self._piece[:size]
        self._piece = self._piece[size:]
        return size


def text_of(data: bytes) -> str:
    """UTF-8, or else Latin-1, without the zero bytes that end texts."""
    try:
        return data.decode().strip("\0")
    except UnicodeDecodeError:
        return data.decode("latin-1").strip("\0")


def _is_seekable(file: Any) -> bool:
    try:
        return bool(file.seekable())
    except AttributeError:
        return False
