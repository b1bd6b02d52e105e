"""Target 9: a file of 100 MB from a real ComfyUI, by ``/view``."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from comfyclient import Client
from tests.benchmarks.measure import SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.measure import Measured

NAME = "benchmark.bin"
_PATH = f"/view?filename={NAME}"


def raw_socket(url: str, size: int) -> Measured:
    """The base: one request on a bare socket, and ``recv_into`` one buffer of 1 MB."""
    parts = urlsplit(url)
    buffer = memoryview(bytearray(1 << 20))

    def fetch() -> int:
        with socket.create_connection((parts.hostname or "", parts.port or 80)) as connection:
            connection.sendall(f"GET {_PATH} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
            head = bytearray()
            while b"\r\n\r\n" not in head:
                head += connection.recv(4096)
            received = len(head) - head.index(b"\r\n\r\n") - 4
            while read := connection.recv_into(buffer):
                received += read
            return received

    return _timed(fetch, size)


def requests_content(url: str, size: int) -> Measured:
    """As most scripts do it: ``requests.get(...).content``."""
    with requests.Session() as session:
        return _timed(lambda: len(session.get(url + _PATH).content), size)


def to_sink(url: str, size: int) -> Measured:
    """``client.files.stream``, each piece forgotten at once."""
    with Client(url) as client:
        return _timed(lambda: sum(map(len, client.files.stream(NAME))), size)


def to_memory(url: str, size: int) -> Measured:
    """``client.files.read``."""
    with Client(url) as client:
        return _timed(lambda: len(client.files.read(NAME)), size)


def to_file(url: str, size: int) -> Measured:
    """``client.files.download``: a hidden file beside, which gets its name when it is complete."""
    with TemporaryDirectory() as directory, Client(url) as client:
        return _timed(lambda: client.files.download(NAME, Path(directory, NAME)).stat().st_size, size)


def _timed(fetch: Callable[[], int], size: int) -> Measured:
    start = time.perf_counter()
    received = fetch()
    seconds = time.perf_counter() - start
    if received != size:
        raise ValueError(f"{received} bytes came instead of {size}")
    return {SECONDS: seconds}
