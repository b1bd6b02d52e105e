"""The buffered socket beside the stock one: the same messages from the same bytes, however they arrive."""

from __future__ import annotations

import importlib.util
import random
import socket
import threading
from contextlib import closing
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import websocket
from hypothesis import example, given, settings
from hypothesis import strategies as st

from comfyclient._realtime import frames
from comfyclient._realtime.frames import MessageSocket, new_socket
from tests.realtime.peer import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, fragments, frame

if TYPE_CHECKING:
    from types import ModuleType

TIMEOUT = 0.001
EXPECTED = (websocket.WebSocketException, OSError, ValueError)
"""All that may come out of a socket, whatever goes in; the reader knows what to do about these."""

Told = list[tuple[Any, ...]]


def stock() -> MessageSocket:
    return MessageSocket(skip_utf8_validation=True)


class Pair:
    """A websocket without a handshake, and the other end of its socket."""

    def __init__(self, kind: Any) -> None:
        self.socket: MessageSocket = kind()
        self.near, self.far = socket.socketpair()
        self.socket.sock = self.near
        self.socket.connected = True
        self.socket.settimeout(TIMEOUT)

    def close(self) -> None:
        self.far.close()
        self.socket.shutdown()  # type: ignore[no-untyped-call]

    def told(self) -> Told:
        """What can be read now: messages, and the error that ended it."""
        found: Told = []
        while True:
            try:
                found += [(opcode, bytes(data)) for opcode, data in self.socket.recv_messages()]
            except websocket.WebSocketTimeoutException:
                return found
            except EXPECTED as error:
                return [*found, (type(error), str(error))]

    def answered(self) -> bytes:
        """What went out by itself; all of it masked with zeros."""
        self.far.setblocking(False)  # noqa: FBT003 - the socket's own signature
        try:
            return self.far.recv(1 << 20)
        except BlockingIOError:
            return b""


def play(kind: Any, pieces: list[bytes], *, end: bool = False) -> tuple[Told, bytes]:
    """Everything that a socket makes of bytes that arrive piece by piece, with a timeout after each."""
    with closing(Pair(kind)) as pair:
        pair.socket.set_mask_key(bytes)  # type: ignore[no-untyped-call]
        told: Told = []
        for piece in pieces:
            pair.far.sendall(piece)
            told += pair.told()
            if told and isinstance(told[-1][0], type):
                return told, pair.answered()
        if end:
            pair.far.shutdown(socket.SHUT_WR)
            told += pair.told()
        return told, pair.answered()


def cut(data: bytes, *places: int) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:stop] for start, stop in pairwise(edges)]


PAYLOADS = {length: random.Random(length).randbytes(length) for length in (0, 1, 125, 126, 127, 128, 65535, 65536)}  # noqa: S311
HELLO = frame(TEXT, b'{"type": "x"}')
CASES: dict[str, bytes] = {
    **{f"text of {length} bytes": frame(TEXT, payload) for length, payload in PAYLOADS.items()},
    **{f"binary of {length} bytes": frame(BINARY, payload) for length, payload in PAYLOADS.items()},
    "several in one piece": HELLO * 5 + frame(BINARY, b"\0" * 200) + HELLO,
    "a length in two bytes that fits in one": frame(TEXT, b"short", length_bytes=2),
    "a length in eight bytes that fits in one": frame(BINARY, b"short", length_bytes=8),
    "a length in eight bytes that fits in two": frame(BINARY, b"s" * 300, length_bytes=8) + HELLO,
    "no utf-8": frame(TEXT, b"\xff\xfe"),
    "fragments": b"".join(fragments(TEXT, b"abcdefghij", 3)) + HELLO,
    "fragments of nothing": frame(TEXT, fin=False) + frame(CONTINUATION, fin=False) + frame(CONTINUATION) + HELLO,
    "binary in fragments": b"".join(fragments(BINARY, PAYLOADS[65536], 20000)),
    "a ping between fragments": frame(TEXT, b"a", fin=False) + frame(PING, b"p") + frame(CONTINUATION, b"b") + HELLO,
    "ping and pong": frame(PING) + frame(PING, b"payload") + frame(PONG, b"x") + HELLO + frame(PONG),
    "a ping of full length": frame(PING, b"p" * 125) + HELLO,
    "a message that looks like frames": frame(BINARY, HELLO * 9) + HELLO,
    "masked": frame(TEXT, b"masked", mask=b"abcd") + HELLO + frame(BINARY, b"m" * 300, mask=b"\0\1\2\3") + HELLO,
    "close": HELLO + frame(CLOSE),
    "close with a reason": HELLO + frame(CLOSE, b"\x03\xe8bye"),
    "close with a code only": frame(CLOSE, b"\x03\xe9"),
    "error: close with half a code": HELLO + frame(CLOSE, b"\x03"),
    "error: close with an impossible code": frame(CLOSE, b"\0\1"),
    "error: a ping that is too long": HELLO + frame(PING, b"p" * 126),
    "error: a reserved bit": HELLO + b"\xc1\x00" + HELLO,
    "error: a reserved opcode": HELLO + b"\x83\x00" + HELLO,
    "error: a continuation of nothing": HELLO + frame(CONTINUATION, b"x") + HELLO,
    "error: a text inside of a fragmented one": frame(TEXT, b"a", fin=False) + HELLO,
    "error: a text behind a ping inside of a fragmented one": frame(TEXT, b"a", fin=False) + frame(PING) + HELLO,
}


@pytest.mark.parametrize("name", CASES)
def test_the_same_messages_in_one_piece(name: str) -> None:
    expected = play(stock, [CASES[name]], end=True)
    assert play(new_socket, [CASES[name]], end=True) == expected
    last = expected[0][-1]
    assert isinstance(last[0], type)  # an error, if only that it ended
    assert (last[0] is not websocket.WebSocketConnectionClosedException) == name.startswith("error: ")


@pytest.mark.parametrize("name", [name for name, data in CASES.items() if len(data) < 500])
def test_the_same_messages_byte_by_byte(name: str) -> None:
    pieces = [bytes([byte]) for byte in CASES[name]]
    assert play(new_socket, pieces, end=True) == play(stock, [CASES[name]], end=True)


@pytest.mark.parametrize("name", CASES)
def test_the_same_messages_with_a_stall_in_each_part_of_the_frame(name: str) -> None:
    data = CASES[name]
    pieces = cut(data, 1, 2, 3, 4, 9, 10, 11, 14, len(data) // 2, len(data) - 1)
    assert play(new_socket, pieces, end=True) == play(stock, [data], end=True)


@pytest.mark.parametrize("name", CASES)
def test_the_same_end_wherever_the_connection_breaks(name: str) -> None:
    data = CASES[name]
    for place in (0, 1, 2, 3, 5, len(data) // 2, len(data) - 1):
        broken = [data[: place % (len(data) + 1)]]
        assert play(new_socket, broken, end=True) == play(stock, broken, end=True)


good_frames = st.builds(
    frame,
    st.sampled_from([TEXT, TEXT, BINARY, BINARY, PING, PONG, CONTINUATION, CLOSE]),
    st.binary(max_size=4) | st.sampled_from([b"\x03\xe8", b"x" * 124, b"x" * 130]),
    fin=st.sampled_from([True, True, True, False]),
    mask=st.sampled_from([b"", b"", b"", b"abcd"]),
    length_bytes=st.sampled_from([0, 0, 0, 2, 8]),
)
messages = st.builds(
    lambda opcode, payload, size: b"".join(fragments(opcode, payload, size)),
    st.sampled_from([TEXT, BINARY]),
    st.binary(max_size=300),
    st.integers(1, 200),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(messages | good_frames, max_size=8), st.lists(st.integers(0, 3000), max_size=6))
def test_the_same_messages_for_any_frames_in_any_pieces(parts: list[bytes], places: list[int]) -> None:
    data = b"".join(parts)
    assert play(new_socket, cut(data, *places), end=True) == play(stock, [data], end=True)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=3))
@example(b"\x00\x7f\x80" + bytes(7), [])  # a frame of 2 ** 63 bytes, of which none come
def test_invariant_01_the_same_outcome_for_any_bytes(data: bytes, places: list[int]) -> None:
    assert play(new_socket, cut(data, *places), end=True) == play(stock, [data], end=True)


def test_a_frame_of_many_megabytes_with_stalls() -> None:
    image = random.Random(3).randbytes(5 << 20)  # noqa: S311 - not a secret
    data = HELLO + frame(BINARY, image) + HELLO
    with closing(Pair(new_socket)) as pair:
        sender = threading.Thread(target=pair.far.sendall, args=(data,), daemon=True)
        sender.start()
        told: Told = []
        while len(told) < 3:
            told += pair.told()
        sender.join(10)
        assert told == [(TEXT, HELLO[2:]), (BINARY, image), (TEXT, HELLO[2:])]
        pair.told()
        buffer: Any = pair.socket._frames  # type: ignore[attr-defined]
        assert len(buffer._buffer) == frames._ROOM  # the memory is given back


def test_what_arrives_counts_even_in_mid_frame() -> None:
    data = frame(BINARY, bytes(1000))
    with closing(Pair(new_socket)) as pair:
        assert pair.socket.received == 0
        for piece in cut(data, 1, 500):
            before = pair.socket.received
            pair.far.sendall(piece)
            pair.told()
            assert pair.socket.received == before + len(piece)


def test_small_messages_out_of_the_buffer_cost_no_call_of_the_system() -> None:
    with closing(Pair(new_socket)) as pair:
        pair.far.sendall(HELLO * 100)
        told = pair.socket.recv_messages()
        assert len(told) == frames._AT_ONCE
        pair.far.close()
        while len(told) < 100:
            told += pair.socket.recv_messages()
        assert told == [(TEXT, HELLO[2:])] * 100
        with pytest.raises(websocket.WebSocketConnectionClosedException):
            pair.socket.recv_messages()


def test_one_message_by_itself_leaves_those_behind_it() -> None:
    with closing(Pair(new_socket)) as pair:
        pair.far.sendall(HELLO * 3)
        assert pair.socket.recv_message() == (TEXT, HELLO[2:])
        assert pair.told() == [(TEXT, HELLO[2:])] * 2


# --- waiting ------------------------------------------------------------------------------------------------


def test_a_plain_socket_waits_in_the_system_and_no_longer_than_told() -> None:
    with closing(Pair(new_socket)) as pair:
        pair.socket.wait_at_most(TIMEOUT)
        assert pair.near.gettimeout() is None  # so that a read is one call of the system
        with pytest.raises(websocket.WebSocketTimeoutException):
            pair.socket.recv_messages()
        pair.far.sendall(HELLO[:1])
        with pytest.raises(websocket.WebSocketTimeoutException):
            pair.socket.recv_messages()
        pair.far.sendall(HELLO[1:])
        assert pair.told() == [(TEXT, HELLO[2:])]


def test_sending_to_somebody_who_does_not_read_ends_too() -> None:
    with closing(Pair(new_socket)) as pair:
        pair.socket.wait_at_most(TIMEOUT)
        with pytest.raises(websocket.WebSocketTimeoutException):
            pair.socket.send_binary(bytes(10_000_000))


@pytest.mark.parametrize("kind", [stock, new_socket])
def test_other_sockets_wait_as_python_does_it(kind: Any) -> None:
    class Wrapped(socket.socket):
        """As that of TLS, which takes the system's timeout for a reason to try again."""

    with closing(Pair(kind)) as pair:
        pair.socket.sock = pair.near = Wrapped(fileno=pair.near.detach())
        pair.socket.wait_at_most(TIMEOUT)
        assert pair.near.gettimeout() == TIMEOUT
        assert pair.told() == []


def test_where_the_system_has_no_such_timeout_python_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "os", SimpleNamespace(name="another"))
    with closing(Pair(new_socket)) as pair:
        pair.socket.wait_at_most(TIMEOUT)
        assert pair.near.gettimeout() == TIMEOUT


def test_a_socket_that_is_gone_sends_nothing() -> None:
    pair = Pair(new_socket)
    pair.close()
    with pytest.raises(websocket.WebSocketConnectionClosedException):
        pair.socket.ping()


# --- when the library changes -------------------------------------------------------------------------------


def test_the_stock_class_serves_where_the_library_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(new_socket()) is frames._BufferedSocket
    monkeypatch.setattr(frames, "_SUPPORTED", False)
    fallback = new_socket(sockopt=[], sslopt={})
    assert type(fallback) is MessageSocket
    assert fallback.received == 0
    data = HELLO + frame(PING, b"p") + b"".join(fragments(TEXT, b"abc", 1)) + frame(BINARY, PAYLOADS[65536])
    assert play(new_socket, cut(data, 1, 5, 40), end=True) == play(stock, [data], end=True)


class _WithoutFrameBuffer(websocket.WebSocket):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.frames = self.__dict__.pop("frame_buffer")


class _WithoutContFrame(websocket.WebSocket):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.continuation = self.__dict__.pop("cont_frame")


class _OtherFrameBuffer(websocket.WebSocket):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.frame_buffer: Any = object()


@pytest.mark.parametrize("library", [_WithoutFrameBuffer, _WithoutContFrame, _OtherFrameBuffer])
def test_a_library_without_the_unlisted_names_is_recognised(
    monkeypatch: pytest.MonkeyPatch, library: type[websocket.WebSocket]
) -> None:
    monkeypatch.setattr(websocket, "WebSocket", library)
    copy = _fresh_copy_of(frames)
    assert copy._SUPPORTED is False
    assert type(copy.new_socket()) is copy.MessageSocket


def _fresh_copy_of(module: ModuleType) -> ModuleType:
    assert module.__file__ is not None
    spec = importlib.util.spec_from_file_location("copy_of_frames", module.__file__)
    assert spec is not None
    assert spec.loader is not None
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy


def test_utf8_is_not_checked_twice() -> None:
    for kind in (new_socket, stock):
        assert kind().frame_buffer.skip_utf8_validation is True
