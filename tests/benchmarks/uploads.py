"""Target 10: a file of 100 MB to a real ComfyUI, by ``/upload/image``."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from comfyclient import Client
from tests.benchmarks.measure import SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.measure import Measured

NAME = "benchmark-upload.bin"
_BOUNDARY = "the-base-of-the-benchmark"


def raw_socket(url: str, size: int) -> Measured:
    """The base: the same form on a bare socket, read from the disk and sent in pieces of 1 MB."""
    parts = urlsplit(url)
    head, tail = _form()
    buffer = memoryview(bytearray(1 << 20))

    def send(path: Path) -> str:
        with socket.create_connection((parts.hostname or "", parts.port or 80)) as connection, path.open("rb") as file:
            lines = [
                "POST /upload/image HTTP/1.1",
                f"Host: {parts.netloc}",
                f"Content-Length: {len(head) + size + len(tail)}",
                f"Content-Type: multipart/form-data; boundary={_BOUNDARY}",
                "Connection: close",
            ]
            connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + head)
            while read := file.readinto(buffer):
                connection.sendall(buffer[:read])
            connection.sendall(tail)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        return answer.decode()

    return _timed(send, size)


def sdk(url: str, size: int) -> Measured:
    """``client.files.upload_image`` of a file on the disk."""
    with Client(url) as client:
        return _timed(lambda path: repr(client.files.upload_image(path, type="temp", overwrite=True)), size)


def _form() -> tuple[bytes, bytes]:
    """What comes before and after the file."""
    fields = "".join(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("type", "temp"), ("subfolder", ""), ("overwrite", "true"))
    )
    file = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="{NAME}"\r\n\r\n'
    return (fields + file).encode(), f"\r\n--{_BOUNDARY}--\r\n".encode()


def _timed(send: Callable[[Path], str], size: int) -> Measured:
    with TemporaryDirectory() as directory:
        path = Path(directory, NAME)
        path.touch()
        os.truncate(path, size)
        start = time.perf_counter()
        answer = send(path)
        seconds = time.perf_counter() - start
    if NAME not in answer:
        raise ValueError(f"the server did not store the file: {answer}")
    return {SECONDS: seconds}
