"""A server that misbehaves on purpose, at a real socket."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.listener import Listener


@dataclass
class Request:
    """What a client sent.

    Attributes:
        connection: The number of its connection, from 0 in the order of acceptance.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query, decoded."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


Answer = bytes | Callable[[socket.socket], None]
"""Bytes to send, after which the connection waits for its next request; or what to do with the connection, which is
closed afterwards.
"""


def reply(status: int = 200, body: bytes | str = b"", kind: str | None = None, **headers: str) -> bytes:
    """A complete HTTP answer; underscores in the names of headers become dashes."""
    data = body.encode() if isinstance(body, str) else body
    fields = {"Content-Length": str(len(data)), **({"Content-Type": kind} if kind else {})}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + data


def json_reply(value: Any, status: int = 200) -> bytes:
    """A complete HTTP answer with JSON, as ComfyUI writes it."""
    return reply(status, json.dumps(value), "application/json; charset=utf-8")


def hang_up(_: socket.socket) -> None:
    """Close the connection without a word."""


def reset(connection: socket.socket) -> None:
    """Reset the connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def last_words(data: bytes) -> Callable[[socket.socket], None]:
    """Send this and close the connection."""
    return lambda connection: connection.sendall(data)


def silence(data: bytes = b"") -> Callable[[socket.socket], None]:
    """Send this, and then nothing more until the client closes."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(data)
        with contextlib.suppress(OSError):
            connection.recv(1)

    return answer


class FlakyServer(Listener):
    """Gives its answers one after the other, whatever is asked; the last one again and again.

    Attributes:
        answers: The answers; more may be appended.
        requests: What was asked, in order.
    """

    def __init__(self, *answers: Answer) -> None:
        """Prepare the answers; ``with`` starts the server."""
        super().__init__()
        self.answers = list(answers)
        self.requests: list[Request] = []
        self.url = f"http://127.0.0.1:{self.port}"

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection.makefile("rb") as stream:
            while request := _read(stream, number):
                answer = self._answer(request)
                if callable(answer):
                    answer(connection)
                    break
                connection.sendall(answer)

    def _answer(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            return self.answers[min(len(self.requests), len(self.answers)) - 1]


def _read(stream: Any, number: int) -> Request | None:
    if stream.peek(1)[:1] == b"\x16":  # the first byte of TLS, which we do not speak
        return Request("TLS", "", {}, b"", number)
    line = stream.readline().decode()
    if not line:
        return None
    method, target, _ = line.split()
    headers = {}
    while line := stream.readline().decode().strip():
        name, value = line.split(":", 1)
        headers[name.lower()] = value.strip()
    return Request(method, target, headers, _body(stream, headers), number)


def _body(stream: Any, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return bytes(stream.read(int(headers.get("content-length", 0))))
    body = b""
    while length := int(stream.readline(), 16):
        body += stream.read(length)
        stream.readline()
    stream.readline()
    return body


@contextlib.contextmanager
def nobody() -> Iterator[str]:
    """The URL of a port where connections are refused."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound, so that nobody else gets it; not listening
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
