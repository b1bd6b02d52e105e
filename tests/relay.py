"""Stands between a client and a server, passes every byte on, and knows when which came."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.listener import Listener, shut
from tests.moment import Moment

if TYPE_CHECKING:
    from collections.abc import Callable

_PIECE = 64 * 1024


class Relay(Listener):
    """A relay to the server at ``url``.

    Attributes:
        url: Where clients find it.
        websockets: How many websockets were asked for.
        heard: When the server last said anything over a websocket.
        admits_websockets: Whether they are passed on; otherwise they are cut off at once.
        admits_requests: The same for every single HTTP request; ``refused`` counts those that were cut off.
        refuses: How many of the next ones are cut off all the same.
        asked: How often anything was passed on for a request.
        flows: While this event is clear, nothing is passed on: the server seems to stand still.
        answers: While this event is clear, no answer to an HTTP request is passed on.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        parts = urlsplit(url)
        self._server = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.websockets = 0
        self.heard = Moment()
        self.admits_websockets = True
        self.admits_requests = True
        self.refused = 0
        self.refuses = 0
        self.asked = 0
        self.flows = threading.Event()
        self.flows.set()
        self.answers = threading.Event()
        self.answers.set()
        self.url = f"http://127.0.0.1:{self.port}"

    def __exit__(self, *exc_info: object) -> None:
        self.flows.set()
        self.answers.set()
        super().__exit__(*exc_info)

    def _serve(self, connection: socket.socket, number: int) -> None:  # noqa: ARG002 - nobody asks which it was
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        first = connection.recv(_PIECE)
        is_websocket = first.startswith(b"GET /ws")
        with self._lock:
            self.websockets += is_websocket
        if not first or not (self.admits_websockets if is_websocket else self._admits()):
            return
        with self._ours(socket.create_connection(self._server)) as server:
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server.sendall(first)
            listen = self._listen if is_websocket else self._admits_answer
            back = self._start(self._pump, server, connection, listen)
            self._pump(connection, server, (lambda: True) if is_websocket else self._admits)
            back.join()

    def _admits(self) -> bool:
        with self._lock:
            admits = self.admits_requests and not self.refuses
            self.refuses = max(0, self.refuses - 1)
            self.refused += not admits
            self.asked += admits
        return admits

    def _admits_answer(self) -> bool:
        self.answers.wait()
        return self._admits()

    def _listen(self) -> bool:
        self.heard = Moment()
        return True

    def _pump(self, source: socket.socket, sink: socket.socket, may_pass: Callable[[], bool]) -> None:
        with contextlib.suppress(OSError):
            while (data := source.recv(_PIECE)) and may_pass():
                self.flows.wait()
                sink.sendall(data)
        for end in (source, sink):
            shut(end)
