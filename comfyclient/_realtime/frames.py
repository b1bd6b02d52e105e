"""A websocket that reads from its socket in large pieces.

The stock reader makes several system calls per message, and each gives the GIL away: beside a busy main thread a
preview then arrives more than twice as late as with this one. It relies on names that websocket-client does not list as
its interface (``frame_buffer``, ``recv_strict``, ``cont_frame``); where they are missing ``new_socket`` returns the
stock class, which does the same more slowly. A test compares the two on every kind of frame.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from typing import TYPE_CHECKING, Any

import websocket

if TYPE_CHECKING:
    from collections.abc import Callable

Message = tuple[int, "bytes | memoryview"]
"""The opcode and what came."""

_AT_ONCE = 16
"""So many messages at most are taken at once; whoever wants to read in between does not wait for more."""
_SHORTEST = 4
"""Bytes that tell how long most messages are."""
_ENDLESS = 1 << 64
"""More bytes than a frame can say that it has."""
_ROOM = 256 * 1024
"""Bytes of the buffer, and so the most that is read at once. A larger message has a larger one while it is read."""
_FIN_TEXT, _FIN_BINARY = 0x81, 0x82
_CONTINUATION, _CONTROL = 0x0, 0x8  # opcodes; from the second on they are those of control frames
_TWO_BYTES, _EIGHT_BYTES = 126, 127  # these lengths say that the next bytes hold the length
_LOST = "Connection to remote host was lost."
_STOCK = websocket.WebSocket()
_StockFrames: Any = type(getattr(_STOCK, "frame_buffer", object()))
_SUPPORTED = all(hasattr(_STOCK, name) for name in ("cont_frame", "_recv")) and hasattr(_StockFrames, "recv_strict")


class MessageSocket(websocket.WebSocket):
    """A websocket whose messages are read as ``(opcode, data)``."""

    def recv_message(self) -> Message:
        """The next message or control frame.

        Raises:
            websocket.WebSocketTimeoutException: Nothing complete came within the socket's timeout; what came of a
                message stays, and the next call goes on there.
        """
        opcode, frame = self.recv_data_frame(control_frame=True)
        return opcode, frame.data

    def recv_messages(self) -> list[Message]:
        """The next messages and control frames, one at least, and of those behind it some that are there already.

        They may be views of memory that the next call writes to. See ``recv_message``.
        """
        return [self.recv_message()]

    def wait_at_most(self, seconds: float) -> None:
        """Have ``recv_message`` and sending wait no longer than this for the other end."""
        self.settimeout(seconds)

    @property
    def received(self) -> int:
        """A number that grows with what arrives, even in the middle of a message; 0 where that is not known."""
        return 0


class _BufferedSocket(MessageSocket):
    def __init__(self, longest: int = _ENDLESS, **options: Any) -> None:
        super().__init__(**options)
        self._frames = self.frame_buffer = _BufferedFrames(self._receive_into, longest, skip_utf8_validation=True)

    def recv_messages(self) -> list[Message]:
        # Whole messages need none of the general machinery.
        frames = self._frames
        if frames.header is None and not self.cont_frame.recving_frames:
            messages = frames.take_whole()
            if messages:
                return messages
        return super().recv_messages()

    def wait_at_most(self, seconds: float) -> None:
        # With a timeout of Python's each read is two system calls, each of which gives the GIL away.
        self.settimeout(seconds)
        if self.sock is None or type(self.sock) is not socket.socket or os.name != "posix":
            return
        limit = struct.pack("@ll", int(seconds), int(seconds % 1 * 1_000_000))
        with contextlib.suppress(OSError):  # then Python's it is
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
            self.settimeout(None)

    @property
    def received(self) -> int:
        return self._frames.received

    def _send(self, data: str | bytes) -> int:
        if self.sock is None:
            raise websocket.WebSocketConnectionClosedException(_LOST)
        try:
            return self.sock.send(data)  # type: ignore[arg-type]  # a frame is bytes
        except (TimeoutError, BlockingIOError) as error:
            raise websocket.WebSocketTimeoutException(str(error)) from error

    def _receive_into(self, room: memoryview) -> int:
        """As ``_recv``, but into memory that is there already: fresh memory costs more than what it is to hold."""
        try:
            count = 0 if self.sock is None else self.sock.recv_into(room)
        except (TimeoutError, BlockingIOError) as error:  # Python's timeout, the system's
            raise websocket.WebSocketTimeoutException(str(error)) from error
        if not count:
            raise websocket.WebSocketConnectionClosedException(_LOST)
        return count


class _BufferedFrames(_StockFrames):  # type: ignore[misc]  # whatever class it is
    """The bytes that came and were not yet asked for: ``_buffer[_start:_end]``."""

    def __init__(self, receive_into: Callable[[memoryview], int], longest: int, *, skip_utf8_validation: bool) -> None:
        super().__init__(None, skip_utf8_validation)
        self._receive_into = receive_into
        self._longest = longest
        self._gathered = 0
        self._buffer = memoryview(bytearray(_ROOM))
        self._start = self._end = 0
        self.received = 0

    def _fill(self) -> None:
        """Wait for more; on a timeout everything stays."""
        waiting = self._end - self._start
        if not waiting or self._end == len(self._buffer):
            self._make_room(waiting)
        count = self._receive_into(self._buffer[self._end :])
        self._end += count
        self.received += count

    def _make_room(self, waiting: int) -> None:
        kept, size = self._buffer[self._start : self._end], max(_ROOM, 2 * waiting)
        if size != len(self._buffer):
            self._buffer = memoryview(bytearray(size))
        self._buffer[:waiting] = kept
        self._start, self._end = 0, waiting

    def recv_strict(self, bufsize: int) -> bytes:
        """Exactly ``bufsize`` bytes."""
        self._check(bufsize)
        while self._end - self._start < bufsize:
            self._fill()
        start = self._start
        self._start += bufsize
        return bytes(self._buffer[start : self._start])

    def recv_frame(self) -> Any:
        """The next frame, of a message in several perhaps."""
        frame = super().recv_frame()
        if frame.opcode < _CONTROL:
            self._gathered = (self._gathered if frame.opcode == _CONTINUATION else 0) + len(frame.data)
            self._check(self._gathered)
        return frame

    def _check(self, length: int) -> None:
        """Nobody has memory for whatever length a frame says it has."""
        if length > self._longest:
            raise websocket.WebSocketPayloadException(f"a message of more than {self._longest} bytes (max_body)")

    def take_whole(self) -> list[Message]:
        """The next messages that are there, up to one that is fragmented or masked, or too short to tell."""
        if self._start == self._end:
            self._fill()
        data, at, end = self._buffer, self._start, self._end
        messages: list[Message] = []
        while end - at >= _SHORTEST and len(messages) < _AT_ONCE:
            first, length = data[at], data[at + 1]
            if first not in (_FIN_TEXT, _FIN_BINARY) or length > _EIGHT_BYTES:
                break
            start = at + 2
            if length == _TWO_BYTES:
                start = at + 4
                length = (data[at + 2] << 8) | data[at + 3]
            elif length == _EIGHT_BYTES:
                start = at + 10
                if end < start:
                    break
                length = int.from_bytes(data[at + 2 : start], "big")
            stop = start + length
            if stop <= end and length <= self._longest:
                messages.append((first & 0x0F, data[start:stop]))
                at = stop
            elif messages:
                break
            else:
                self._check(length)
                self._fill()
                data, at, end = self._buffer, self._start, self._end
        self._start = at
        return messages


def new_socket(longest: int = _ENDLESS, **options: Any) -> MessageSocket:
    """A websocket, not yet connected, that hands text over as bytes: decoding UTF-8 is the decoder's business.

    Args:
        longest: Bytes that a message may have.
        **options: See ``websocket.WebSocket``.
    """
    options["skip_utf8_validation"] = True
    return _BufferedSocket(longest, **options) if _SUPPORTED else MessageSocket(**options)
