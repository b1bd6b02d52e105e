"""The texts in sound files: FLAC, Ogg (Opus, Vorbis and its like), MP3."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from comfyclient.workflow.media.reader import LARGEST, DamagedError, Reader, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

# --- FLAC and Ogg -------------------------------------------------------------------------------------------

_COMMENTS = 4  # the kind of a FLAC block


def flac(reader: Reader) -> Iterator[tuple[str, str]]:
    """The Vorbis comments."""
    reader.read(4)
    is_last = False
    while not is_last:
        head = reader.number(1)
        size = reader.number(3)
        is_last = bool(head & 0x80)
        if head & 0x7F == _COMMENTS:
            yield from _vorbis_comments(reader.read(size))
        else:
            reader.skip(size)


_OPUS, _VORBIS, _THEORA = b"OpusTags", b"\x03vorbis", b"\x81theora"
_FIRST_PAGE = 2
_WHOLE = 255  # a piece of so many bytes goes on in the next one
_MOST_STREAMS = 64


def ogg(reader: Reader) -> Iterator[tuple[str, str]]:
    """The comments of each stream: its second packet, or in FLAC's case the one of that kind."""
    packets: dict[bytes, bytearray] = {}
    held = 0
    while reader.peek(1):
        magic, kind, stream, count = struct.unpack("<4sxB8x4s8xB", reader.read(27))
        if magic != b"OggS":
            raise DamagedError("a page does not follow the one before")
        pieces = reader.read(count)
        if kind & _FIRST_PAGE and len(packets) < _MOST_STREAMS:
            packets[stream] = bytearray()
        elif not packets:
            return  # all have told theirs
        for size in pieces:
            packet = packets.get(stream)
            if packet is None:
                reader.skip(size)
                continue
            packet += reader.read(size)
            held += size
            if held > LARGEST:
                raise DamagedError("its comments are too large")
            if size < _WHOLE:
                if (comments := _comments_in(bytes(packet))) is not None:
                    del packets[stream]
                    yield from _vorbis_comments(comments)
                packet.clear()


def _comments_in(packet: bytes) -> bytes | None:
    for magic in (_OPUS, _VORBIS, _THEORA):
        if packet.startswith(magic):
            return packet[len(magic) :]
    return packet[4:] if packet[:1] == bytes([_COMMENTS]) else None


def _vorbis_comments(data: bytes) -> Iterator[tuple[str, str]]:
    reader = Reader.of(data)
    reader.skip(reader.number(4, "little"))  # who wrote them
    for _ in range(reader.number(4, "little")):
        key, _, text = text_of(reader.read(reader.number(4, "little"))).partition("=")
        yield key, text


# --- MP3 ----------------------------------------------------------------------------------------------------

_TEXT_FRAME = re.compile(rb"T[A-Z0-9]{2,3}")
_OWN_TEXTS = {b"TXX", b"TXXX"}
_REMARKS = {b"COM", b"COMM"}
_ENCODINGS = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}
_V22, _V23, _V24 = 2, 3, 4
_UNSYNCHRONISED, _EXTENDED = 0x80, 0x40  # flags of the tag
_COMPRESSED_OR_SECRET = {_V23: 0xC0, _V24: 0x0C}  # flags of a frame
_FRAME_UNSYNCHRONISED, _WITH_LENGTH = 0x02, 0x01


def mp3(reader: Reader) -> Iterator[tuple[str, str]]:
    """The texts of the ID3 tag at its begin."""
    magic, version, flags, size = struct.unpack(">3sBxB4s", reader.read(10))
    if magic != b"ID3" or version not in {_V22, _V23, _V24}:
        return
    data = reader.read(_synchsafe(size))
    if flags & _UNSYNCHRONISED and version < _V24:
        data = data.replace(b"\xff\0", b"\xff")
    tag = Reader.of(data)
    if flags & _EXTENDED and version == _V23:
        tag.skip(tag.number(4))
    elif flags & _EXTENDED:
        tag.skip(max(0, _synchsafe(tag.read(4)) - 4))
    while (tag.peek(1) or b"\0") != b"\0":  # the rest is padding
        yield from _frame(tag, version)


def _frame(tag: Reader, version: int) -> Iterator[tuple[str, str]]:
    if version == _V22:
        kind, size, flags = tag.read(3), tag.number(3), 0
    else:
        kind = tag.read(4)
        size = _synchsafe(tag.read(4)) if version == _V24 else tag.number(4)
        flags = tag.number(2) & 0xFF
    if flags & _COMPRESSED_OR_SECRET.get(version, 0) or not (_TEXT_FRAME.fullmatch(kind) or kind in _REMARKS):
        tag.skip(size)
        return
    data = tag.read(size)
    if version == _V24 and flags & _WITH_LENGTH:
        data = data[4:]
    if version == _V24 and flags & _FRAME_UNSYNCHRONISED:
        data = data.replace(b"\xff\0", b"\xff")
    encoding = _ENCODINGS.get(data[0] if data else 0, "latin-1")
    if kind in _REMARKS:
        yield "comment", _split(data[4:], encoding)[1]
    elif kind in _OWN_TEXTS:
        yield _split(data[1:], encoding)
    else:
        yield text_of(kind), _decoded(data[1:], encoding)


def _split(data: bytes, encoding: str) -> tuple[str, str]:
    """The two texts, which a zero character parts."""
    width = 2 if encoding.startswith("utf-16") else 1
    at = data.find(bytes(width))
    while at > 0 and at % width:  # half of one character and half of the next
        at = data.find(bytes(width), at + 1)
    if at < 0:
        return "", _decoded(data, encoding)
    return _decoded(data[:at], encoding), _decoded(data[at + width :], encoding)


def _decoded(data: bytes, encoding: str) -> str:
    return data.decode(encoding, "replace").strip("\0")


def _synchsafe(data: bytes) -> int:
    """A number with seven bits in each byte."""
    number = 0
    for byte in data:
        number = number << 7 | byte & 0x7F
    return number
