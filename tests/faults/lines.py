"""What goes over one connection to a server, read as it comes."""

from __future__ import annotations

import contextlib
import http.client
import select
import socket
import struct
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlsplit

from attrs import define

if TYPE_CHECKING:
    import threading

SLOW = 0.25  # seconds for each byte

Frame = tuple[int, bytes]


class Line:
    """One connection of a client."""

    def __init__(self, client: socket.socket, over: threading.Event) -> None:
        self.client = client
        self.server: socket.socket | None = None
        self.is_websocket = False
        self.frozen = False
        self.slow = False
        self._dead = False
        self._over = over

    def send(self, data: bytes) -> None:
        """Pass something on to the client, as fast as the line is."""
        if self._dead:
            raise ConnectionError("this line was cut")
        if self.slow:
            for at in range(len(data)):
                if self.frozen or self._over.wait(SLOW):
                    break
                self.client.sendall(data[at : at + 1])
        elif not self.frozen:
            self.client.sendall(data)

    def cut(self, *, reset: bool = False) -> None:
        """End it; the thread that serves it closes the sockets."""
        self._dead = True
        with contextlib.suppress(OSError):
            if reset:
                self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.client.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
        if self.server is not None:
            with contextlib.suppress(OSError):
                self.server.shutdown(socket.SHUT_RDWR)


class Request:
    """What a client asks for."""

    def __init__(self, head: bytes) -> None:
        self.head = head
        lines = head.decode("latin-1").split("\r\n")
        self.method, target, _ = lines[0].split(" ", 2)
        self.path = urlsplit(target).path
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        self.length = int(headers.get("content-length") or 0)
        self.is_websocket = headers.get("upgrade", "").lower() == "websocket"

    @property
    def name(self) -> str:
        """As tests call it."""
        return f"{self.method} {self.path}"


@define
class Posted:
    """A prompt that was sent to the server.

    Attributes:
        body: All of it.
        status: What the server answered; 0 if it broke off.
    """

    body: Any
    status: int = 0


def is_closed(connection: socket.socket) -> bool:
    poll = select.poll()
    try:
        poll.register(connection, select.POLLRDHUP)
    except ValueError:  # closed here, too
        return True
    return bool(poll.poll(0))


def read_head(stream: BinaryIO) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            raise ConnectionError("the other side hung up")
        head += line
    return head


def read_request(stream: BinaryIO) -> Request | None:
    try:
        return Request(read_head(stream))
    except ConnectionError:
        return None


def read_answer(server: socket.socket, method: str) -> tuple[int, bytes, bytes]:
    """Status, head and body, of known length."""
    answer = http.client.HTTPResponse(server, method=method)
    try:
        answer.begin()
        content = answer.read()
        headers = {name: value for name, value in answer.getheaders() if name.lower() != "transfer-encoding"}
    finally:
        answer.close()
    if method != "HEAD":
        headers["Content-Length"] = str(len(content))
    lines = [f"HTTP/1.1 {answer.status} {answer.reason}", *(f"{name}: {value}" for name, value in headers.items())]
    return answer.status, "\r\n".join([*lines, "", ""]).encode("latin-1"), content


def read_frame(stream: BinaryIO) -> Frame:
    """One frame of a server: neither masked nor, with ComfyUI, fragmented."""
    first, length = struct.unpack("BB", stream.read(2))
    if length == 126:  # RFC 6455
        (length,) = struct.unpack(">H", stream.read(2))
    elif length == 127:
        (length,) = struct.unpack(">Q", stream.read(8))
    return first & 0x0F, stream.read(length)
