"""A server at a real socket that holds one file, knows ranges, and breaks off when told to."""

from __future__ import annotations

import json
import random
import re
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from comfyclient._http import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

CONTENT = random.Random(1).randbytes(3 * CHUNK + 12345)  # noqa: S311 - not a secret
OTHER = random.Random(2).randbytes(2 * CHUNK + 999)  # noqa: S311


@dataclass
class Request:
    """What a client sent."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def range(self) -> str | None:
        return self.headers.get("range")


@dataclass
class FileServer:
    """Serves ``content`` under every path, and keeps what it was asked.

    Attributes:
        content: The file.
        etag: Its tag, if it has one.
        modified: Its Last-Modified, if it has one.
        ranges: Whether it answers a Range; like ComfyUI, it does so without a look at If-Range.
        encoding: A Content-Encoding to claim.
        chunked: Send no Content-Length.
        status: What it answers instead of the file, with ``body``.
        cuts: After how many bytes of the body each answer in turn breaks off; then none does.
        holding: After a cut, keep the connection open and say nothing until this is set.
        keep_bodies: Whether to keep what is sent.
        before: Called with the number of the request (from 0) before it is answered.
        requests: What came complete.
    """

    content: bytes = b""
    etag: str | None = '"1"'
    modified: str | None = None
    ranges: bool = True
    encoding: str | None = None
    chunked: bool = False
    status: int = 200
    body: bytes = b""
    cuts: deque[int] = field(default_factory=deque)
    holding: Event | None = None
    keep_bodies: bool = True
    before: Callable[[int], object] = lambda _number: None
    requests: list[Request] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.files = self
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def asked_ranges(self) -> list[str | None]:
        return [request.range for request in self.requests]

    def answer_json(self, value: Any) -> None:
        self.body = json.dumps(value).encode()


class _Server(ThreadingHTTPServer):
    files: FileServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10
    server: _Server

    @property
    def files(self) -> FileServer:
        return self.server.files

    def do_GET(self) -> None:
        files = self._take()
        if files.status != 200:
            self._send(files.status, {}, files.body)
            return
        said = {"ETag": files.etag, "Last-Modified": files.modified, "Content-Encoding": files.encoding}
        headers = {"Content-Type": "image/png", **{name: value for name, value in said.items() if value}}
        known = files.etag and self.headers["If-None-Match"] == files.etag
        if known or (files.modified and self.headers["If-Modified-Since"] == files.modified):
            self._send(304, headers, b"")
            return
        size = len(files.content)
        asked = self.headers["Range"]
        if not asked or not files.ranges:
            self._send(200, headers, files.content)
            return
        first, last = asked.removeprefix("bytes=").split("-")
        start, end = int(first), min(int(last) + 1, size) if last else size
        if start >= size:
            self._send(416, {"Content-Range": f"bytes */{size}"}, b"")
        else:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
            self._send(206, headers, files.content[start:end])

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        files = self._take()
        self._send(files.status, {"Content-Type": "application/json"}, files.body)

    def _take(self) -> FileServer:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        headers = {key.lower(): value for key, value in self.headers.items()}
        left = int(headers.get("content-length", 0))
        pieces = []
        while left:
            piece = self.rfile.read(min(left, 65536))
            if not piece:
                raise ConnectionAbortedError("the client left in the middle")
            left -= len(piece)
            pieces += [piece] * self.files.keep_bodies
        number = len(self.files.requests)
        self.files.requests.append(Request(self.command, parts.path, query, headers, b"".join(pieces)))
        self.files.before(number)
        return self.files

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.files.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        cut = self.files.cuts.popleft() if self.files.cuts else None
        part = body[:cut]
        if self.files.chunked:
            part = b"%x\r\n%b\r\n" % (len(part), part)
            part += b"" if cut is not None else b"0\r\n\r\n"
        self.wfile.write(part)
        if cut is not None:
            self.close_connection = True
            if self.files.holding:
                self.files.holding.wait(10)

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, *_: object) -> None:
        pass


def parts(server: FileServer) -> dict[str, tuple[str, bytes]]:
    """The form of the last upload: name to header and content."""
    request = [request for request in server.requests if request.path.startswith("/upload/")][-1]
    assert len(request.body) == int(request.headers["content-length"])
    boundary = request.headers["content-type"].removeprefix("multipart/form-data; boundary=").encode()
    first, *found, last = (b"\r\n" + request.body).split(b"\r\n--" + boundary)
    assert (first, last) == (b"", b"--\r\n")
    form = {}
    for part in found:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        header = head.decode()
        (name,) = re.findall(r'form-data; name="(\w+)"', header)
        form[name] = (header, content)
    return form
