"""However much a server sends, and however slowly, it ends in time and in bounded memory."""

from __future__ import annotations

import gzip
import struct
import threading
import tracemalloc
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import Client, DecodeError, RequestTimeout, ServerError
from comfyclient.events import Disconnected, Reconnected
from comfyclient.output_file import OutputFile
from tests.fakes import FlakyServer, json_reply, reply
from tests.realtime.comfy import QUICK, WORKFLOW, Comfy
from tests.realtime.peer import BINARY, CONTINUATION, PATIENCE, TEXT, frame

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

LIMIT = 1_000_000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def endless(head: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    """Send this, and then pieces for as long as anybody reads them."""

    def answer(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(head)
            while True:
                connection.sendall(piece)

    return answer


def dribbling(data: bytes) -> Callable[[socket.socket], None]:
    """Send a byte now and then: too often for a timeout, too rarely for anything to come of it."""

    def answer(connection: socket.socket) -> None:
        pause = threading.Event()
        with suppress(OSError):
            for at in range(len(data)):
                connection.sendall(data[at : at + 1])
                pause.wait(0.05)

    return answer


CHUNK = b"10000\r\n" + b"[" * 0x10000 + b"\r\n"
BODIES = {
    "without an end": endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", CHUNK),
    "until the connection ends, which it does not": endless(HEAD + b"Connection: close\r\n\r\n", b"[" * 0x10000),
    "of a terabyte": endless(HEAD + b"Content-Length: 1000000000000\r\n\r\n", b"[" * 0x10000),
    "a byte too large": json_reply("x" * (LIMIT - 1)),
    "gzip": reply(200, gzip.compress(b" " * 50 * LIMIT), "application/json", Content_Encoding="gzip"),
    "deflate": reply(200, zlib.compress(b" " * 50 * LIMIT), "application/json", Content_Encoding="deflate"),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_that_is_too_large_is_no_answer(body: Any) -> None:
    with FlakyServer(body) as server, Client(server.url, max_body=LIMIT, realtime=False) as client:
        tracemalloc.start()
        try:
            with pytest.raises(DecodeError, match=r"a body of more than 1000000 bytes \(max_body\)"):
                client.queue.info()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 80 * LIMIT  # the pieces of a packed body are unpacked one by one


def test_a_body_that_is_as_large_as_it_may_be() -> None:
    with FlakyServer(json_reply("x" * (LIMIT - 2))) as server, Client(server.url, max_body=LIMIT) as client:
        assert len(client.request("GET", "/anything").json()) == LIMIT - 2


def test_of_an_endless_error_the_beginning_counts() -> None:
    body = endless(HEAD.replace(b"200 OK", b"500 Oops") + b"Transfer-Encoding: chunked\r\n\r\n", CHUNK)
    with FlakyServer(body) as server, Client(server.url, max_body=LIMIT, retry=None) as client:
        with pytest.raises(ServerError) as caught:
            client.queue.info()
        with pytest.raises(ServerError):
            client.files.read("a.png")
    assert caught.value.status == 500
    assert len(str(caught.value)) < 1000


def test_the_body_of_a_redirect_is_not_read() -> None:
    away = HEAD.replace(b"200 OK", b"302 Found") + b"Location: /elsewhere\r\nTransfer-Encoding: chunked\r\n\r\n"
    answers = (endless(away, CHUNK), json_reply({"exec_info": {"queue_remaining": 3}}))
    with FlakyServer(*answers) as server, Client(server.url, max_body=LIMIT) as client:
        assert client.queue.info().exec_info.queue_remaining == 3


@pytest.mark.parametrize("part", ["head", "body"])
def test_an_answer_that_dribbles_stands_still(part: str) -> None:
    head = HEAD + b"Content-Length: 900\r\n\r\n"
    answer = dribbling(head) if part == "head" else dribbling(head + b" " * 900)
    with FlakyServer(answer) as server, Client(server.url, read_timeout=0.5, retry=None) as client:
        with pytest.raises(RequestTimeout):
            client.queue.info()
        with pytest.raises(RequestTimeout):
            client.files.read("a.png")


def test_a_reader_who_takes_his_time_is_not_blamed_on_the_server() -> None:
    pause = threading.Event()
    with FlakyServer(reply(200, b"x" * 4_000_000)) as server, Client(server.url, read_timeout=1.2) as client:
        size = 0
        for piece in client.files.stream("a.png"):
            size += len(piece)
            pause.wait(0.1)
    assert size == 4_000_000


# --- the websocket ------------------------------------------------------------------------------------------

MESSAGES = {
    "one frame": frame(TEXT, b" " * (LIMIT + 1)),
    "a frame of which only the length comes": b"\x81\x7f" + struct.pack(">Q", 2**62),
    "many frames": frame(BINARY, b" " * 600_000, fin=False) + frame(CONTINUATION, b" " * 600_000, fin=False),
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_a_message_that_is_too_large_costs_the_websocket_and_no_job(message: bytes) -> None:
    with Comfy() as comfy, Client(comfy.url, reconnect=QUICK, max_body=LIMIT, poll_interval=0.05) as client:
        job = client.submit(WORKFLOW)
        with client.listen(Disconnected, Reconnected) as listener:
            comfy.links[-1].raw(message)
            lost = listener.get(timeout=PATIENCE)
            assert isinstance(lost, Disconnected)
            assert "max_body" in lost.error
            assert isinstance(listener.get(timeout=PATIENCE), Reconnected)
        comfy.complete(job.prompt_id)
        assert job.result(PATIENCE).images


# --- pictures -----------------------------------------------------------------------------------------------


def bomb(width: int, height: int) -> bytes:
    """The beginning of a PNG that says it is large; a few kilobytes could be all of it."""
    chunks = [b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"IDAT" + zlib.compress(bytes(100))]
    parts = [struct.pack(">I", len(each) - 4) + each + struct.pack(">I", zlib.crc32(each)) for each in chunks]
    return b"".join([b"\x89PNG\r\n\x1a\n", *parts])


def test_a_picture_that_would_fill_the_memory_is_not_unpacked() -> None:
    file = OutputFile(filename="bomb.png", source=bomb(100_000, 100_000))
    with pytest.raises(DecodeError, match=r"bomb\.png.*10000000000 pixels"):
        file.pil()
    with FlakyServer(reply(200, bomb(100_000, 100_000))) as server, Client(server.url) as client:
        file = OutputFile(filename="bomb.png", source=client.files)
        with pytest.raises(DecodeError, match="decompression bomb"):
            file.pil()
        assert file.read() == bomb(100_000, 100_000)  # as bytes it does no harm
