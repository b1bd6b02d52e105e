"""The texts in images: PNG, WebP, JPEG, AVIF and HEIF, OpenEXR."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from comfyclient.workflow.media.films import boxes
from comfyclient.workflow.media.reader import LARGEST, DamagedError, Reader, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator


# --- PNG ----------------------------------------------------------------------------------------------------


def png(reader: Reader) -> Iterator[tuple[str, str]]:
    """The text chunks. Animated images have them in ``comf`` chunks, behind the first frame."""
    reader.read(8)
    while True:
        size, kind = struct.unpack(">I4s", reader.read(8))
        if kind == b"IEND":
            return
        if kind in _PNG_TEXTS:
            yield _PNG_TEXTS[kind](reader.read(size))
        elif kind == b"eXIf":
            yield from exif(reader.read(size))
        else:
            reader.skip(size)
        reader.skip(4)  # the checksum: what is damaged is no JSON either


def _plain(data: bytes) -> tuple[str, str]:
    key, _, text = data.partition(b"\0")
    return text_of(key), text_of(text)


def _compressed(data: bytes) -> tuple[str, str]:
    key, _, rest = data.partition(b"\0")
    return text_of(key), text_of(_inflate(rest[1:]))


def _international(data: bytes) -> tuple[str, str]:
    key, _, rest = data.partition(b"\0")
    text = rest[2:].partition(b"\0")[2].partition(b"\0")[2]  # after the language and the translated key
    return text_of(key), text_of(_inflate(text) if rest[:1] == b"\1" else text)


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(data, LARGEST)
    except zlib.error:
        raise DamagedError("a compressed text of it cannot be read") from None
    if inflater.unconsumed_tail:
        raise DamagedError("a compressed text of it is too large")
    return inflated


_PNG_TEXTS = {b"tEXt": _plain, b"comf": _plain, b"zTXt": _compressed, b"iTXt": _international}


# --- WebP and JPEG ------------------------------------------------------------------------------------------


def webp(reader: Reader) -> Iterator[tuple[str, str]]:
    """The texts of the EXIF chunk, which comes last."""
    reader.read(12)
    while head := reader.up_to(8):
        if len(head) < 8:  # noqa: PLR2004 - a kind and a size, of 4 bytes each
            return
        kind, size = struct.unpack("<4sI", head)
        if kind == b"EXIF":
            yield from exif(reader.read(size))
        else:
            reader.skip(size)
        reader.up_to(size % 2)


_MARKER, _COMMENT, _APP1 = 0xFF, 0xFE, 0xE1
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_WITHOUT_CONTENT = {0x01, *range(0xD0, 0xD9)}


def jpeg(reader: Reader) -> Iterator[tuple[str, str]]:
    """The texts of the EXIF segments, and comments."""
    while True:
        if reader.number(1) != _MARKER:
            raise DamagedError("a marker is missing")
        while (marker := reader.number(1)) == _MARKER:
            pass
        if marker in {_START_OF_SCAN, _END_OF_IMAGE}:
            return
        if marker in _WITHOUT_CONTENT:
            continue
        size = reader.number(2) - 2
        if size < 0:
            raise DamagedError("a segment is shorter than its head")
        if marker == _COMMENT:
            yield "comment", text_of(reader.read(size))
        elif marker == _APP1 and (data := reader.read(size)).startswith(b"Exif\0"):
            yield from exif(data)
        elif marker != _APP1:
            reader.skip(size)


_EXIF_DIRECTORY = 0x8769
_USER_COMMENT = 0x9286
_XP_TAGS = range(0x9C9B, 0x9CA0)  # those of Windows, in UTF-16
_TEXT_TYPES = {1, 2, 7, 129}  # bytes, ASCII, "undefined", UTF-8
_IN_PLACE = 4  # bytes that stand in the entry itself


def exif(data: bytes) -> Iterator[tuple[str, str]]:
    """The texts of an EXIF block, with the number of the tag as the key: ``"0x0110"``."""
    data = data.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        raise DamagedError("its EXIF block has no byte order")
    left = len(data)  # values do not overlap, except where somebody wants to keep us busy
    try:
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        directories = [start]
        for start in directories:  # which grows below
            (count,) = struct.unpack_from(f"{order}H", data, start)
            for entry in range(start + 2, start + 2 + 12 * count, 12):
                tag, kind, size, place = struct.unpack_from(f"{order}HHII", data, entry)
                if tag == _EXIF_DIRECTORY and len(directories) == 1:
                    directories.append(place)
                elif kind in _TEXT_TYPES and size <= left:
                    left -= size
                    begin = entry + 8 if size <= _IN_PLACE else place
                    yield f"0x{tag:04x}", _exif_text(tag, data[begin : begin + size], order)
    except struct.error:
        raise DamagedError("its EXIF block is cut off") from None


def _exif_text(tag: int, value: bytes, order: str) -> str:
    if tag in _XP_TAGS:
        return value.decode("utf-16-le", "replace").strip("\0")
    if tag == _USER_COMMENT:
        charset, value = value[:8], value[8:]
        if charset.startswith(b"UNICODE"):
            # By the block's byte order, says the standard, to which not everybody keeps.
            little = value[1::2].count(0) > value[::2].count(0) if value else order == "<"
            return value.decode("utf-16-le" if little else "utf-16-be", "replace").strip("\0\ufeff")
    return text_of(value)


# --- AVIF and HEIF ------------------------------------------------------------------------------------------

_WIDE = 2  # the version of a list from which on it has larger numbers


def heif(reader: Reader) -> Iterator[tuple[str, str]]:
    """The texts of the EXIF block, which stands somewhere in the file and is listed in its head."""
    for kind, end in boxes(reader, None):
        if kind == b"meta" and end is not None:
            meta = Reader.of(reader.read(end - reader.position))
            meta.read(4)
            exif_items: set[int] = set()
            places: dict[int, tuple[int, int]] = {}
            for part, stop in boxes(meta, None):
                if part == b"iinf":
                    exif_items = set(_exif_items(meta, stop))
                elif part == b"iloc":
                    places = dict(_places(meta))
            for start, size in sorted(places[item] for item in exif_items & places.keys()):
                if start < reader.position:
                    raise DamagedError("its EXIF block stands where something else does")
                reader.skip_to(start)
                block = Reader.of(reader.read(size))
                block.skip(block.number(4))  # what is between it and its own head
                yield from exif(block.up_to(size))
            return


def _exif_items(reader: Reader, end: int | None) -> Iterator[int]:
    reader.read(4 if reader.number(4) >> 24 else 2)  # how many there are
    for _, stop in boxes(reader, end):
        number = reader.number(4 if reader.number(4) >> 24 > _WIDE else 2)
        reader.read(2)
        if reader.read(4) == b"Exif":
            yield number
        reader.skip_to(stop or reader.position)


def _places(reader: Reader) -> Iterator[tuple[int, tuple[int, int]]]:
    """Where each item stands in the file, and how long it is; without those that stand in several parts."""
    version = reader.number(4) >> 24
    sizes = reader.number(2)
    offset, length, base, index = (sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15 if version else 0)
    for _ in range(reader.number(2 if version < _WIDE else 4)):
        number = reader.number(2 if version < _WIDE else 4)
        is_elsewhere = reader.number(2) & 15 if version else 0
        reader.read(2)
        start = reader.number(base)
        count = reader.number(2)
        if count != 1 or is_elsewhere:
            reader.skip(count * (index + offset + length))
            continue
        reader.read(index)
        yield number, (start + reader.number(offset), reader.number(length))


# --- OpenEXR ------------------------------------------------------------------------------------------------

_LONGEST_NAME = 255


def exr(reader: Reader) -> Iterator[tuple[str, str]]:
    """The header's attributes of type ``string``."""
    reader.read(8)
    while name := reader.until(b"\0", _LONGEST_NAME):
        kind = reader.until(b"\0", _LONGEST_NAME)
        size = reader.number(4, "little")
        if kind == b"string":
            yield text_of(name), text_of(reader.read(size))
        else:
            reader.skip(size)
