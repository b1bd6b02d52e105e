"""A server at a real socket: accepting connections, and ending whatever is left of them."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Self

PATIENCE = 10.0  # seconds that a thread may take to come to an end


class Listener(ABC):
    """Serves each connection in a thread of its own; ``with`` starts it, and ends it with all its connections.

    Attributes:
        port: Where it listens, on 127.0.0.1.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards what follows, and what the servers record
        self._over = False
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        shut(self._listener)
        self._listener.close()
        self._threads[0].join(PATIENCE)  # from now on nothing is accepted
        with self._lock:
            self._over = True
            for connection in self._open:
                shut(connection)
            threads = list(self._threads)
        for thread in threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    @abstractmethod
    def _serve(self, connection: socket.socket, number: int) -> None:
        """Do what it does with a connection, which is closed afterwards; they are numbered from 0."""

    def _start(self, target: Callable[..., None], *arguments: Any) -> threading.Thread:
        """Have a thread do something, which has come to its end when the server has."""
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()
        return thread

    @contextlib.contextmanager
    def _ours(self, connection: socket.socket) -> Iterator[socket.socket]:
        """Close it afterwards, and shut it as soon as the server ends."""
        with self._lock:
            self._open.add(connection)
            if self._over:
                shut(connection)
        try:
            with connection:
                yield connection
        finally:
            with self._lock:
                self._open.discard(connection)

    def _accept(self) -> None:
        for number in itertools.count():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._meet, connection, number)

    def _meet(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), self._ours(connection):
            self._serve(connection, number)


def keep(port: int) -> socket.socket:
    """A socket that has this port, so that nobody else gets it; until it listens, connections are refused there."""
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", port))
    return kept


def shut(connection: socket.socket) -> None:
    """End a connection, or listening, in both directions, for whoever waits for it."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
