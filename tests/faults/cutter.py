"""A TCP proxy before any server, embedded or real, that cuts, holds up and falsifies what goes through it."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import struct
import threading
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from tests.fakes import reply
from tests.faults.lines import (
    SLOW,
    Frame,
    Line,
    Posted,
    Request,
    is_closed,
    read_answer,
    read_frame,
    read_head,
    read_request,
)
from tests.listener import keep, shut
from tests.realtime.peer import frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from typing_extensions import Self

_PIECE = 64 * 1024
_PATIENCE = 10.0
_TEXT, _BINARY = 0x1, 0x2

PAGES = {
    "HTML 502": reply(502, "<html><title>502 Bad Gateway</title></html>", "text/html", Connection="close"),
    "401": reply(401, "<html><title>Who are you?</title></html>", "text/html", Connection="close"),
    "413": reply(413, "<html><title>Too large</title></html>", "text/html", Connection="close"),
    "garbage JSON": reply(200, '{"prompt_id": [', "application/json"),
}
"""What takes the place of an answer."""
ON_THE_LINE = ("refused", "reset", "half-open", "1 byte/s", "truncated", *PAGES)
"""The faults that lie between client and server."""


class Cutter:
    """The proxy; ``with`` opens and ends it.

    Attributes:
        url: Where clients find it.
        posted: Every ``POST /prompt`` that reached the server.
        alter: What becomes of a message of the server; it returns messages, or bytes that are no frame.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.posted: list[Posted] = []
        self.alter: Callable[[Frame], Iterable[Frame | bytes]] | None = None
        self._lock = threading.Lock()  # guards what follows
        self._lines: set[Line] = set()
        self._threads: list[threading.Thread] = []
        self._fault = ""
        self._left: dict[bool, int] = {}
        self._armed: tuple[str, Callable[[], str | None]] | None = None
        self._spared: Line | None = None
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port: int = self._listener.getsockname()[1]
        self._refuses = False
        self.url = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._start(self._accept, self._listener)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._refuse()
        self._listener.close()
        for line in self._all():
            line.cut()
        for thread in self._threads:  # that which accepts comes before those that it starts
            thread.join(_PATIENCE)
            assert not thread.is_alive()

    # ── what a test does ─────────────────────────────────────────────────────────────────────────────────────────

    def strike(self, fault: str, *, stays: bool, more: int = 1) -> None:
        """Let a fault hit all connections now, and what comes after them.

        Args:
            fault: One of ``ON_THE_LINE``.
            stays: Whether it hits everything from now on.
            more: Otherwise how many requests, and how many handshakes, it hits yet.
        """
        with self._lock:
            self._fault = fault
            self._left = {} if stays else {False: more, True: more}
        if fault == "refused":
            self._refuse()
        for line in self._all():
            if line is self._spared or fault == "413":
                continue
            if fault == "half-open":
                line.frozen = True
            elif fault == "1 byte/s":
                line.slow = True
            else:
                line.cut(reset=fault == "reset")

    def arm(self, at: str, action: Callable[[], str | None]) -> None:
        """Call ``action`` in the moment in which something goes through: a request's answer, or a word in a message.

        It returns the fault that hits what goes through.
        """
        with self._lock:
            self._armed = (at, action)

    def heal(self) -> None:
        """From now on everything goes through; what was hit stays so."""
        with self._lock:
            self._fault = ""
            reopen, self._refuses = self._refuses, False
            if reopen:
                self._listener.listen()
        if reopen:
            self._start(self._accept, self._listener)

    def hang_up(self) -> None:
        """Cut all connections, as they are when the server behind is gone."""
        for line in self._all():
            if line is not self._spared:
                line.cut()

    def deafen(self) -> None:
        """Let the open websockets hear nothing any more, though pings are answered."""
        deaf = [line for line in self._all() if line.is_websocket]

        def drop(line: Line) -> None:
            line.slow = False
            line.is_websocket = False  # no more messages of it are passed on

        for line in deaf:
            drop(line)

    def say(self, data: bytes) -> None:
        """Put bytes on the open websockets, frames or not."""
        for line in self._all():
            if line.is_websocket:
                with contextlib.suppress(OSError):
                    line.send(data)

    @property
    def abandoned(self) -> bool:
        """Whether the clients have closed all their connections, as the operating system sees it."""
        return all(is_closed(line.client) for line in self._all())

    # ── connections ──────────────────────────────────────────────────────────────────────────────────────────────

    def _all(self) -> list[Line]:
        with self._lock:
            return list(self._lines)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _refuse(self) -> None:
        with self._lock:
            if not self._refuses:
                self._refuses = True
                shut(self._listener)
                self._listener.close()
                self._listener = keep(self._port)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line = Line(client, self._over)
            with self._lock:
                self._lines.add(line)
            self._start(self._serve, line)

    def _serve(self, line: Line) -> None:
        lost = contextlib.suppress(OSError, http.client.HTTPException)
        with line.client, lost, line.client.makefile("rb") as stream:
            while (request := read_request(stream)) is not None:
                handle = self._pass_websocket if request.is_websocket else self._exchange
                if not handle(line, request, stream, self._meets(request)):
                    break
        if line.server is not None:
            line.server.close()
        with self._lock:
            self._lines.discard(line)

    def _meets(self, request: Request) -> str:
        """The fault that a request meets."""
        with self._lock:
            if self._fault == "413" and not request.length:
                return ""
            if self._fault and self._left:
                self._left[request.is_websocket] -= 1
                if self._left[request.is_websocket] < 0:
                    return ""
            return self._fault

    def _is_armed(self, at: str) -> bool:
        with self._lock:
            return self._armed is not None and self._armed[0] == at

    def _is_armed_for(self, message: bytes) -> bool:
        with self._lock:
            return self._armed is not None and self._armed[0].encode() in message

    def _go_off(self, line: Line | None = None) -> str:
        """The moment has come; the fault that hits what goes through now, on a line that only that concerns."""
        with self._lock:
            action = self._armed[1] if self._armed is not None else lambda: None
            self._armed, self._spared = None, line
        fault = action()
        with self._lock:
            self._spared = None
        return fault or ""

    def _connected(self, line: Line) -> socket.socket:
        if line.server is None:
            line.server = socket.create_connection(self._server)
            line.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line.server

    def _hold(self, line: Line) -> None:
        line.frozen = True
        self._over.wait()

    def _never_arrives(self, line: Line, fault: str) -> bool:
        """Whether a fault keeps a request from the server; what the client gets instead."""
        if fault in {"refused", "reset"}:
            line.cut(reset=fault == "reset")
        elif fault == "half-open" or line.frozen:
            self._hold(line)
        elif fault in PAGES and fault != "garbage JSON":
            line.send(PAGES[fault])
            with contextlib.suppress(OSError):
                line.client.shutdown(socket.SHUT_WR)
            while line.client.recv(_PIECE):  # a client that still sends is heard out
                pass
        else:
            return False
        return True

    # ── HTTP ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _exchange(self, line: Line, request: Request, stream: BinaryIO, fault: str) -> bool:
        """Pass on a request and its answer; whether the connection may go on."""
        if request.name == "POST /upload/image" and self._is_armed(request.name):
            return self._upload(line, request, stream)
        if self._never_arrives(line, fault):
            return False
        body = stream.read(request.length)
        if len(body) < request.length:  # cut off meanwhile
            return False
        server = self._connected(line)
        posted = Posted(json.loads(body)) if request.name == "POST /prompt" else None
        if posted is not None:
            self.posted.append(posted)
        server.sendall(request.head + body)
        status, head, content = read_answer(server, request.method)
        if posted is not None:
            posted.status = status
        line.slow = line.slow or fault == "1 byte/s"
        if self._is_armed(request.name):
            if request.name == "GET /view":
                half = len(content) // 2
                line.send(head + content[:half])
                head, content = b"", content[half:]
                self._go_off()
            else:
                fault = self._go_off(line)
            if fault in {"refused", "reset", "half-open", "HTML 502"} and self._never_arrives(line, fault):
                return False
        if fault == "truncated":
            line.send((head + content)[: len(head) + len(content) // 2 if content else len(head) // 2])
            line.cut()
            return False
        line.send(PAGES[fault] if fault == "garbage JSON" else head + content)
        return status >= 0

    def _upload(self, line: Line, request: Request, stream: BinaryIO) -> bool:
        """Let half of a body through before the fault hits it."""
        server = self._connected(line)
        half = request.length // 2
        server.sendall(request.head + stream.read(half))
        fault = self._go_off(line)
        if fault == "1 byte/s":
            while not self._over.wait(SLOW) and (byte := stream.read(1)):
                server.sendall(byte)
            return False
        if fault in {"refused", "reset", "half-open", "HTML 502", "401", "413"}:
            return not self._never_arrives(line, fault)
        server.sendall(stream.read(request.length - half))
        _, head, content = read_answer(server, request.method)
        if fault == "truncated":
            line.send(head + content[: len(content) // 2])
            line.cut()
            return False
        line.send(PAGES[fault] if fault == "garbage JSON" else head + content)
        return True

    # ── websockets ───────────────────────────────────────────────────────────────────────────────────────────────

    def _pass_websocket(self, line: Line, request: Request, stream: BinaryIO, fault: str) -> bool:
        if fault in PAGES:
            line.send(PAGES[fault])
            line.cut()
        if self._never_arrives(line, fault) or fault in PAGES:
            return False
        server = self._connected(line)
        server.sendall(request.head)
        with server.makefile("rb") as answers:
            head = read_head(answers)
            line.slow = line.slow or fault == "1 byte/s"
            if fault == "truncated":
                line.send(head[: len(head) // 2])
                line.cut()
                return False
            line.send(head)
            line.is_websocket = True
            back = threading.Thread(target=self._pass_frames, args=(line, answers), daemon=True)
            back.start()
            with contextlib.suppress(OSError):
                while data := stream.read1(_PIECE):  # type: ignore[attr-defined]  # it is buffered
                    if line.frozen:
                        self._over.wait()
                    server.sendall(data)
            for end in (server, line.client):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR if end is server else socket.SHUT_RD)
            back.join()
        return False

    def _pass_frames(self, line: Line, answers: BinaryIO) -> None:
        with contextlib.suppress(OSError, struct.error):
            while True:
                opcode, payload = read_frame(answers)
                is_message = opcode in {_TEXT, _BINARY}
                if is_message and self._is_armed_for(payload) and self._go_off() == "reset":
                    line.cut(reset=True)
                if is_message and not line.is_websocket:
                    continue  # deaf
                told: Iterable[Frame | bytes] = [(opcode, payload)]
                if is_message and self.alter is not None:
                    told = self.alter((opcode, payload))
                for each in told:
                    line.send(each if isinstance(each, bytes) else frame(*each))
        with contextlib.suppress(OSError):
            if not line.frozen:
                line.client.shutdown(socket.SHUT_RDWR)
