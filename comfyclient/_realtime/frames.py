"""A websocket that reads from its socket in large pieces.

The stock reader makes several system calls per message, and each gives the GIL away: beside a busy main thread a
preview then arrives ten times later than with this one. It relies on names that websocket-client does not list as its
interface (``frame_buffer``, ``recv_strict``, ``cont_frame``); where they are missing ``new_socket`` returns the stock
class, which does the same more slowly. A test compares the two on every kind of frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import websocket

if TYPE_CHECKING:
    from collections.abc import Callable

_LITTLE, _MUCH = 64 * 1024, 256 * 1024
"""Bytes to ask for: ``_MUCH`` while so much waits that ``_LITTLE`` came at once. Memory for that comes from the kernel
and goes back to it each time, which would double the time of a message that comes alone.
"""
_FIN_TEXT, _FIN_BINARY = 0x81, 0x82
_TWO_BYTES, _EIGHT_BYTES = 126, 127  # these lengths say that the next bytes hold the length
_STOCK = websocket.WebSocket()
_StockFrames: Any = type(getattr(_STOCK, "frame_buffer", object()))
_SUPPORTED = all(hasattr(_STOCK, name) for name in ("cont_frame", "_recv")) and hasattr(_StockFrames, "recv_strict")


class MessageSocket(websocket.WebSocket):
    """A websocket whose messages are read one by one as ``(opcode, data)``."""

    def recv_message(self) -> tuple[int, bytes | memoryview]:
        """The next message or control frame. A binary message may be a view of memory that is larger than it is.

        Raises:
            websocket.WebSocketTimeoutException: Nothing complete came within the socket's timeout; what came of a
                message stays, and the next call goes on there.
        """
        opcode, frame = self.recv_data_frame(control_frame=True)
        return opcode, frame.data

    @property
    def received(self) -> int:
        """A number that grows with what arrives, even in the middle of a message; 0 where that is not known."""
        return 0


class _BufferedSocket(MessageSocket):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._frames = self.frame_buffer = _BufferedFrames(self._recv, skip_utf8_validation=True)

    def recv_message(self) -> tuple[int, bytes | memoryview]:
        # A message that lies whole in the buffer needs none of the general machinery.
        frames = self._frames
        if frames.header is None and not self.cont_frame.recving_frames:
            message = frames.take_whole()
            if message is not None:
                return message
        return super().recv_message()

    @property
    def received(self) -> int:
        return self._frames.received


class _BufferedFrames(_StockFrames):  # type: ignore[misc]  # whatever class it is
    def __init__(self, recv_fn: Callable[[int], bytes], *, skip_utf8_validation: bool) -> None:
        super().__init__(recv_fn, skip_utf8_validation)
        self._data = b""
        self._at = 0
        self._ask_for = _LITTLE
        self.received = 0

    def _fill(self) -> bytes:
        piece: bytes = self.recv(self._ask_for)
        self._ask_for = _MUCH if len(piece) >= _LITTLE else _LITTLE
        self.received += len(piece)
        return piece

    def recv_strict(self, bufsize: int) -> bytes:
        """Exactly ``bufsize`` bytes; on a timeout everything that came stays in the buffer."""
        start, self._at = self._at, self._at + bufsize
        missing = self._at - len(self._data)
        if missing <= 0:
            return self._data[start : self._at]
        pieces = [self._data[start:]]
        try:
            while missing > 0:
                pieces.append(self._fill())
                missing -= len(pieces[-1])
        except BaseException:
            self._data, self._at = b"".join(pieces), 0
            raise
        # The last piece becomes the buffer: what it holds beyond this belongs to the next frame.
        self._data = pieces.pop()
        self._at = len(self._data) + missing
        return b"".join([*pieces, memoryview(self._data)[: self._at]])

    def take_whole(self) -> tuple[int, bytes | memoryview] | None:
        """The next message if it lies whole in the buffer, unfragmented and unmasked."""
        if self._at == len(self._data):
            self._data, self._at = self._fill(), 0
        data, at = self._data, self._at
        if len(data) < at + 4:
            return None
        first, length = data[at], data[at + 1]
        if first not in (_FIN_TEXT, _FIN_BINARY) or length > _EIGHT_BYTES:
            return None
        start = at + 2
        if length == _TWO_BYTES:
            start = at + 4
            length = (data[at + 2] << 8) | data[at + 3]
        elif length == _EIGHT_BYTES:
            start = at + 10
            length = int.from_bytes(data[at + 2 : start], "big")
        end = start + length
        if end > len(data):
            return None
        self._at = end
        return first & 0x0F, data[start:end] if first == _FIN_TEXT else memoryview(data)[start:end]


def new_socket(**options: Any) -> MessageSocket:
    """A websocket, not yet connected, that hands text over as bytes: decoding UTF-8 is the decoder's business."""
    kind = _BufferedSocket if _SUPPORTED else MessageSocket
    return kind(skip_utf8_validation=True, **options)
