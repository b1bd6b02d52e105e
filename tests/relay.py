"""Stands between a client and a server, passes every byte on, and knows when which came."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

_PIECE = 64 * 1024
_PATIENCE = 10.0


class Relay:
    """A relay to the server at ``url``; ``with`` opens and ends it.

    Attributes:
        url: Where clients find it.
        websockets: How many websockets were asked for.
        heard_at: When the server last said anything over a websocket, on the monotonic clock.
        admits_websockets: Whether they are passed on; otherwise they are cut off at once.
        admits_requests: The same for every single HTTP request; ``refused`` counts those that were cut off.
        flows: While this event is clear, nothing is passed on: the server seems to stand still.
        answers: While this event is clear, no answer to an HTTP request is passed on.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.websockets = 0
        self.heard_at = 0.0
        self.admits_websockets = True
        self.admits_requests = True
        self.refused = 0
        self.flows = threading.Event()
        self.flows.set()
        self.answers = threading.Event()
        self.answers.set()
        self._lock = threading.Lock()  # guards what follows
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        _shut(self._listener)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                _shut(connection)
            threads = list(self._threads)
        for thread in threads:
            thread.join(_PATIENCE)
            assert not thread.is_alive()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(client)
            first = client.recv(_PIECE)
            is_websocket = first.startswith(b"GET /ws")
            with self._lock:
                self.websockets += is_websocket
            if not first or not (self.admits_websockets if is_websocket else self._admits()):
                return
            with socket.create_connection(self._server) as server:
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._open.add(server)
                server.sendall(first)
                listen = self._listen if is_websocket else self._admits_answer
                back = threading.Thread(target=self._pump, args=(server, client, listen), daemon=True)
                back.start()
                self._pump(client, server, (lambda: True) if is_websocket else self._admits)
                back.join()
        with self._lock:
            self._open.discard(client)

    def _admits(self) -> bool:
        with self._lock:
            self.refused += not self.admits_requests
        return self.admits_requests

    def _admits_answer(self) -> bool:
        self.answers.wait(_PATIENCE)
        return self._admits()

    def _listen(self) -> bool:
        self.heard_at = time.monotonic()
        return True

    def _pump(self, source: socket.socket, sink: socket.socket, may_pass: Callable[[], bool]) -> None:
        with contextlib.suppress(OSError):
            while (data := source.recv(_PIECE)) and may_pass():
                self.flows.wait(_PATIENCE)
                sink.sendall(data)
        for end in (source, sink):
            _shut(end)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
