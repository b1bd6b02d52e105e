"""A server at a real socket that does what a test tells it to: websocket frames made by hand, and HTTP by routes."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import itertools
import json
import select
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, BinaryIO

from tests.fakes import Request, json_reply, reply
from tests.listener import keep, shut

if TYPE_CHECKING:
    from typing_extensions import Self

PATIENCE = 10.0  # seconds for whatever must happen; none of the tests comes near
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

Answer = Any
"""Bytes: a complete HTTP answer. A callable: what to do with the connection, which is closed afterwards; see
``tests.fakes`` for some. Anything else is sent as JSON.
"""
Route = Callable[[Request], Answer]


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, mask: bytes = b"", length_bytes: int = 0) -> bytes:
    """One websocket frame. ``length_bytes`` 2 or 8 writes the length longer than need be."""
    length = len(payload)
    if length_bytes == 8 or length > 0xFFFF:
        size, extended = 127, struct.pack(">Q", length)
    elif length_bytes == 2 or length > 125:
        size, extended = 126, struct.pack(">H", length)
    else:
        size, extended = length, b""
    if mask:
        payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return bytes([opcode | 0x80 * fin, size | 0x80 * bool(mask)]) + extended + mask + payload


def fragments(opcode: int, payload: bytes, size: int) -> list[bytes]:
    """The frames of one message in pieces of ``size`` bytes."""
    pieces = [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]
    last = len(pieces) - 1
    return [frame(CONTINUATION if at else opcode, piece, fin=at == last) for at, piece in enumerate(pieces)]


def message(value: Any) -> bytes:
    """A whole message: bytes as a binary one, anything else as JSON."""
    return frame(BINARY, value) if isinstance(value, bytes) else frame(TEXT, json.dumps(value).encode())


class Link:
    """The server's end of one websocket.

    Attributes:
        number: From 0 in the order of acceptance.
        request: The handshake.
        received: Opcode and payload of what the client sent.
        answers_pings: Whether a ping is answered.
        answers_close: Whether a close frame is answered, and the connection closed then.
        closed: The client is gone.
    """

    def __init__(self, peer: Peer, number: int, request: Request, connection: socket.socket) -> None:
        self.number = number
        self.request = request
        self.received: list[tuple[int, bytes]] = []
        self.answers_pings = peer.answers_pings
        self.answers_close = peer.answers_close
        self.closed = False
        self._peer = peer
        self._connection = connection
        self._sending = threading.Lock()  # one frame at a time

    @property
    def gone(self) -> bool:
        """Whether the client has closed its side, read from the kernel."""
        poll = select.poll()
        try:
            poll.register(self._connection, select.POLLRDHUP)
        except ValueError:  # closed here, too
            return True
        return bool(poll.poll(0))

    def send(self, *values: Any) -> None:
        """Send messages: bytes as binary ones, anything else as JSON. In one piece, so that they arrive together."""
        self.raw(b"".join(map(message, values)))

    def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        with self._sending, contextlib.suppress(OSError):
            self._connection.sendall(data)

    def drop(self) -> None:
        """End the TCP connection without a word."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def sent(self, opcode: int) -> list[bytes]:
        """What the client sent with this opcode."""
        return [payload for kind, payload in self.received if kind == opcode]

    def serve(self, stream: BinaryIO) -> None:
        """Read what the client sends until it is gone."""
        while (received := _read_frame(stream)) is not None:
            opcode, payload = received
            with self._peer.changed:
                self.received.append(received)
                self._peer.changed.notify_all()
            if opcode == PING and self.answers_pings:
                self.raw(frame(PONG, payload))
            elif opcode == CLOSE and self.answers_close:
                self.raw(frame(CLOSE, payload[:2]))
                return


def _read_frame(stream: BinaryIO) -> tuple[int, bytes] | None:
    head = stream.read(2)
    if len(head) < 2:
        return None
    length = head[1] & 0x7F
    if length >= 126:
        length = int.from_bytes(stream.read(2 if length == 126 else 8), "big")
    mask = stream.read(4)  # clients always mask
    payload = stream.read(length)
    return head[0] & 0x0F, bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


class Peer:
    """The server; ``with`` starts and ends it.

    Attributes:
        routes: By method and path, ``*`` standing for anything: the answer, or what makes it of the request.
        handshakes: What to do with the next handshakes instead of accepting them; ``None`` accepts one.
        on_link: Called with each accepted websocket before anything else is sent on it.
        requests: What came over HTTP, handshakes excluded.
        attempts: The handshakes that came, and when, in monotonic seconds.
        links: The accepted websockets.
        overlaps: For each accepted websocket the numbers of those that the client had not closed by then.
    """

    def __init__(self) -> None:
        self.routes: dict[tuple[str, str], Answer | Route] = {}
        self.handshakes: deque[Callable[[socket.socket], None] | None] = deque()
        self.on_link: Callable[[Link], None] = lambda _: None
        self.answers_pings = True
        self.answers_close = True
        self.requests: list[Request] = []
        self.attempts: list[tuple[float, Request]] = []
        self.links: list[Link] = []
        self.overlaps: list[list[int]] = []
        self.changed = threading.Condition()  # guards the lists above, and those of the links
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._numbers = itertools.count()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        """Start it."""
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        """End it, with all its connections."""
        self.hide()
        self._listener.close()
        self.drop_all()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def hide(self) -> None:
        """Refuse connections from now on; those that are open stay."""
        shut(self._listener)
        self._listener.close()
        self._listener = keep(self.port)

    def show(self) -> None:
        """Take connections again after ``hide``."""
        self._listener.listen()
        self._start(self._accept)

    def drop_all(self) -> None:
        """End every connection without a word, as a server that is killed does."""
        with self.changed:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def wait_for(self, condition: Callable[[], Any], timeout: float = PATIENCE) -> Any:
        """Wait until something is so of what was recorded; its value."""
        with self.changed:
            value = self.changed.wait_for(condition, timeout)
        assert value, "it did not happen in time"
        return value

    def link(self, number: int = -1) -> Link:
        """An accepted websocket, as soon as there is one of that number; by default the newest."""
        found: list[Link] = self.wait_for(lambda: self.links[number:][:1])
        return found[0]

    def asked(self, method: str = "*", path: str = "*") -> list[Request]:
        """What came over HTTP for these, with ``*`` for anything."""
        with self.changed:
            return [
                request
                for request in self.requests
                if fnmatchcase(request.method, method) and fnmatchcase(request.path, path)
            ]

    def _start(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, name="peer", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        listener = self._listener
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self.changed:
                self._open.add(connection)
            self._start(self._serve, connection, next(self._numbers))

    def _serve(self, connection: socket.socket, number: int) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, contextlib.suppress(OSError), connection.makefile("rb") as stream:
            while (request := _read_request(stream, number)) is not None:
                if request.headers.get("upgrade", "").lower() == "websocket":
                    self._upgrade(request, connection, stream)
                    break
                answer = self._answer(request)
                if callable(answer):
                    answer(connection)
                    break
                connection.sendall(answer if isinstance(answer, bytes) else json_reply(answer))
        with self.changed:
            self._open.discard(connection)
            self.changed.notify_all()

    def _answer(self, request: Request) -> Answer:
        with self.changed:
            self.requests.append(request)
            self.changed.notify_all()
        for (method, path), answer in self.routes.items():
            if method == request.method and fnmatchcase(request.path, path):
                return answer(request) if callable(answer) else answer
        return reply(404 if request.method == "GET" else 405, kind="application/octet-stream")

    def _upgrade(self, request: Request, connection: socket.socket, stream: BinaryIO) -> None:
        with self.changed:
            self.attempts.append((time.monotonic(), request))
            instead = self.handshakes.popleft() if self.handshakes else None
            self.changed.notify_all()
        if instead is not None:
            instead(connection)
            return
        with self.changed:
            link = Link(self, len(self.links), request, connection)
            overlap = [other.number for other in self.links if not other.gone]
        key = request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accepted = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()  # noqa: S324 - RFC 6455 says so
        head = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accepted}"
        with self.changed:
            self.links.append(link)  # first, so that whoever reacts to the first frame finds it there
            self.overlaps.append(overlap)
            link.raw(f"HTTP/1.1 101 Switching Protocols\r\n{head}\r\n\r\n".encode())
            self.on_link(link)
            self.changed.notify_all()
        try:
            link.serve(stream)
        finally:
            with self.changed:
                link.closed = True
                self.changed.notify_all()


def _read_request(stream: BinaryIO, number: int) -> Request | None:
    line = stream.readline().decode("latin-1")
    if not line:
        return None
    method, target, _ = line.split(" ", 2)
    headers = {}
    while line := stream.readline().decode("latin-1").strip():
        name, value = line.split(":", 1)
        headers[name.lower()] = value.strip()
    return Request(method, target, headers, stream.read(int(headers.get("content-length", 0))), number)
