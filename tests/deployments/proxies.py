"""A CONNECT proxy and a SOCKS5 proxy, small and strict, at real sockets."""

from __future__ import annotations

import contextlib
import socket
import struct
from abc import abstractmethod
from base64 import b64encode
from urllib.parse import urlsplit

from tests.listener import PATIENCE, Listener, shut

_PIECE = 64 * 1024


class Refusal(Exception):  # noqa: N818 - it is no error of the proxy
    """What a client is told before its connection ends."""

    def __init__(self, answer: bytes) -> None:
        super().__init__(answer)
        self.answer = answer


class _Proxy(Listener):
    """Accepts connections, has each of them negotiated, and then passes on every byte.

    Args:
        user: Who may use it; anybody if it is ``None``.
        password: What they have to know.

    Attributes:
        asked: Where connections were wanted to, in order, as the client wrote it.
        refused: How often credentials were missing or wrong.
    """

    scheme = ""

    def __init__(self, user: str | None = None, password: str = "") -> None:
        super().__init__()
        self._user, self._password = user, password
        self.asked: list[str] = []
        self.refused = 0

    @property
    def url(self) -> str:
        """Its address, with what it asks for."""
        login = "" if self._user is None else f"{self._user}:{self._password}@"
        return f"{self.scheme}://{login}127.0.0.1:{self.port}"

    def _serve(self, connection: socket.socket, number: int) -> None:  # noqa: ARG002 - nobody asks which it was
        try:
            server = self._negotiate(connection)
        except Refusal as refusal:
            connection.sendall(refusal.answer)
            return
        with self._ours(server):
            back = self._start(_pump, server, connection)
            _pump(connection, server)
            back.join()

    @abstractmethod
    def _negotiate(self, client: socket.socket) -> socket.socket:
        """Hear what the client wants, and connect it."""

    def _connect(self, host: str, port: int) -> socket.socket:
        with self._lock:
            self.asked.append(f"{host}:{port}")
        if host.endswith(".test"):  # a name that only the proxy knows
            host = "127.0.0.1"
        return socket.create_connection((host, port), PATIENCE)


class HttpProxy(_Proxy):
    """Tunnels with CONNECT, and passes on plain requests."""

    scheme = "http"

    def _negotiate(self, client: socket.socket) -> socket.socket:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(_PIECE)
            if not piece:
                raise Refusal(b"")
            head += piece
        head, _, rest = head.partition(b"\r\n\r\n")
        line, *headers = head.decode("latin-1").split("\r\n")
        method, target, _ = line.split()
        pair = b64encode(f"{self._user}:{self._password}".encode()).decode()
        if self._user is not None and f"proxy-authorization: basic {pair}".lower() not in map(str.lower, headers):
            with self._lock:
                self.refused += 1
            raise Refusal(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            server = self._connect(host.strip("[]"), int(port))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            return server
        parts = urlsplit(target)
        server = self._connect(parts.hostname or "", parts.port or 80)
        # One request per connection, so that everything after it can be passed on unread.
        own = ("proxy-authorization:", "proxy-connection:", "connection:")
        kept = [header for header in headers if not header.lower().startswith(own)]
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        lines = [f"{method} {path} HTTP/1.1", *kept, "Connection: close", "", ""]
        server.sendall("\r\n".join(lines).encode("latin-1") + rest)
        return server


class SocksProxy(_Proxy):
    """SOCKS5: RFC 1928 with the passwords of RFC 1929."""

    scheme = "socks5h"

    def _negotiate(self, client: socket.socket) -> socket.socket:
        stream = client.makefile("rb", buffering=0)
        with stream:

            def take(count: int) -> bytes:
                data = b""
                while len(data) < count:
                    piece = stream.read(count - len(data))
                    if not piece:
                        raise Refusal(b"")
                    data += piece
                return data

            version, methods = take(2)
            offered = take(methods)
            wanted = 0 if self._user is None else 2
            if version != 5 or wanted not in offered:  # it is not asked whether it has a password
                with self._lock:
                    self.refused += 1
                raise Refusal(b"\5\xff")
            client.sendall(bytes([5, wanted]))
            if wanted:
                user = take(take(2)[1]).decode()
                password = take(take(1)[0]).decode()
                if (user, password) != (self._user, self._password):
                    with self._lock:
                        self.refused += 1
                    raise Refusal(b"\1\1")
                client.sendall(b"\1\0")
            _, command, _, kind = take(4)
            host = take(take(1)[0]).decode() if kind == 3 else socket.inet_ntoa(take(4))
            (port,) = struct.unpack(">H", take(2))
            if command != 1 or kind not in (1, 3):
                raise Refusal(b"\5\7\0\1" + bytes(6))
            try:
                server = self._connect(host, port)
            except OSError:
                raise Refusal(b"\5\5\0\1" + bytes(6)) from None
            client.sendall(b"\5\0\0\1" + bytes(6))
            return server


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_PIECE):
            sink.sendall(data)
    for end in (source, sink):
        shut(end)
