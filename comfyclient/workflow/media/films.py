"""The texts in videos: MP4 and its relatives, WebM and Matroska."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from comfyclient.workflow.media.reader import DamagedError, Reader, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

# --- MP4, MOV, M4A ------------------------------------------------------------------------------------------

_HEAD = 8  # bytes: a size and a kind
_UTF16 = 2
_COPYRIGHT = b"\xa9"  # begins the kinds of the old texts
_OWN_KEY = b"----"


def mp4(reader: Reader) -> Iterator[tuple[str, str]]:
    """The metadata of the film, by key, under old and new kinds of names."""
    for kind, end in boxes(reader, None):
        if kind == b"moov":
            yield from _film(reader, end)
            return  # the rest is pictures and sound
        if kind == b"meta" and end is not None:
            yield from _metadata(reader.read(end - reader.position))


def _film(reader: Reader, end: int | None) -> Iterator[tuple[str, str]]:
    for kind, inner in boxes(reader, end):
        if kind == b"udta":
            yield from _film(reader, inner)
        elif inner is not None and kind == b"meta":
            yield from _metadata(reader.read(inner - reader.position))
        elif inner is not None and kind.startswith(_COPYRIGHT):
            text = reader.read(inner - reader.position)
            yield _old_key(kind), text_of(text[4:])  # after a length and a language


def _metadata(data: bytes) -> Iterator[tuple[str, str]]:
    reader = Reader.of(data)
    if data[4:8] != b"hdlr":  # QuickTime begins with that, MP4 with a version
        reader.read(4)
    keys: list[str] = []
    for kind, end in boxes(reader, len(data)):
        if kind == b"keys":
            keys = list(_keys(reader))
        elif kind == b"ilst":
            for item, inner in boxes(reader, end):
                number = int.from_bytes(item, "big")
                key = keys[number - 1] if 0 < number <= len(keys) else _old_key(item)
                yield from _value(reader, inner, "" if item == _OWN_KEY else key)


def _keys(reader: Reader) -> Iterator[str]:
    reader.read(4)
    for _ in range(reader.number(4)):
        size = reader.number(4)
        if size < _HEAD:
            raise DamagedError("a key is shorter than its head")
        yield text_of(reader.read(size - 4)[4:])


def _value(reader: Reader, end: int | None, key: str) -> Iterator[tuple[str, str]]:
    for kind, inner in boxes(reader, end):
        data = reader.read(max(0, (inner or 0) - reader.position))
        if kind == b"name":
            key = text_of(data[4:])
        elif kind == b"data":
            is_utf16 = int.from_bytes(data[:4], "big") == _UTF16
            yield key, data[8:].decode("utf-16-be", "replace") if is_utf16 else text_of(data[8:])


def boxes(reader: Reader, end: int | None) -> Iterator[tuple[bytes, int | None]]:
    """Kind and end of each box up to an end, which is that of the file if there is none.

    What is left of a box when the next one is asked for is passed over.
    """
    while reader.peek(1) if end is None else reader.position + _HEAD <= end:
        start = reader.position
        size, kind = struct.unpack(">I4s", reader.read(_HEAD))
        if size == 1:
            size = reader.number(8)
        stop = start + size if size else end
        if stop is not None and (stop < reader.position or (end is not None and stop > end)):
            raise DamagedError("its boxes do not fit into each other")
        yield kind, stop
        if stop is None:
            return
        reader.skip_to(stop)


def _old_key(kind: bytes) -> str:
    return {b"\xa9cmt": "comment", b"desc": "description"}.get(kind, text_of(kind))


# --- WebM and Matroska --------------------------------------------------------------------------------------

_SEGMENT, _CLUSTER, _GROUP = 0x18538067, 0x1F43B675, 0xA0
_TAGS, _TAG, _SIMPLE_TAG = 0x1254C367, 0x7373, 0x67C8
_TAG_NAME, _TAG_STRING = 0x45A3, 0x4487
_ENTERED = {_SEGMENT, _TAGS, _TAG, _SIMPLE_TAG}
_LONGEST_ID, _LONGEST_SIZE = 4, 8


def matroska(reader: Reader) -> Iterator[tuple[str, str]]:
    """The tags, by name; those of ffmpeg are in capitals.

    Elements are entered by passing over their heads alone, so that their ends need no book-keeping.
    """
    name = ""
    while reader.peek(1):
        element, _ = _number(reader, _LONGEST_ID)
        raw, length = _number(reader, _LONGEST_SIZE)
        size = raw - (1 << 7 * length)
        is_open = size == (1 << 7 * length) - 1  # a stream, whose writer did not know
        if element in _ENTERED or (is_open and element in {_CLUSTER, _GROUP}):
            continue
        if is_open:
            raise DamagedError("a part of it has no end")
        if element == _TAG_NAME:
            name = text_of(reader.read(size))
        elif element == _TAG_STRING:
            yield name, text_of(reader.read(size))
        else:
            reader.skip(size)


def _number(reader: Reader, longest: int) -> tuple[int, int]:
    """A number that begins with as many zero bits as bytes follow, with its marker; and its length."""
    first = reader.number(1)
    length = 9 - first.bit_length()
    if length > longest:
        raise DamagedError("its parts do not follow each other")
    return first << 8 * (length - 1) | reader.number(length - 1), length
