"""Target 5: how long an event takes from the server to whoever waits for it, also beside a busy main thread."""

from __future__ import annotations

import json
import struct
import threading
import time
from statistics import mean, median
from typing import TYPE_CHECKING

from comfyclient import Client
from tests.benchmarks import raw
from tests.benchmarks.corpus import Script
from tests.benchmarks.measure import SECONDS
from tests.benchmarks.scripted import order, prepare

if TYPE_CHECKING:
    from comfyclient.events import Event, Preview
    from tests.benchmarks.measure import Measured

_PREVIEW_HEAD = struct.Struct(">II")
_FRAME_HEAD = struct.Struct(">HH")  # that of a message of 126 bytes to 64 KB
_STAMP = struct.Struct(">q")


def raw_recv(url: str, events: int, pause: float) -> Measured:
    """The base: ``recv()`` and ``json.loads`` in the thread that waits. Seconds, the median over the events."""
    prepare(url, Script("stamped", events, pause=pause))
    socket = raw.connect(url)
    order(url, "go")
    delays = []
    while (message := json.loads(socket.recv()))["type"] == "progress":
        delays.append(_since(message["data"]["sent_at"]))
    socket.close()
    return {SECONDS: median(delays)}


def to_iterator(url: str, events: int, pause: float) -> Measured:
    """``for event in client.listen(...)`` in the thread that waits."""
    prepare(url, Script("stamped", events, pause=pause))
    delays = []
    with Client(url) as client:
        client.connect()
        listener = client.listen("progress", "execution_success")
        order(url, "go")
        for event in listener:
            if event.type == "execution_success":
                break
            delays.append(_since(event.extra["sent_at"]))
    return {SECONDS: median(delays)}


def to_callback(url: str, events: int, pause: float) -> Measured:
    """``client.on(...)``."""
    prepare(url, Script("stamped", events, pause=pause))
    delays: list[float] = []
    done = threading.Event()
    with Client(url) as client:
        client.connect()
        client.on("progress", lambda event: delays.append(_since(event.extra["sent_at"])))
        client.on("execution_success", lambda _: done.set())
        order(url, "go")
        done.wait()
    return {SECONDS: median(delays)}


def raw_thread_beside_work(url: str, events: int, pause: float, size: int) -> Measured:
    """The base: a thread with websocket-client's own reader, while the main thread computes."""
    prepare(url, Script("stamped", events, pause=pause, size=size))
    socket = raw.connect(url)
    delays = []

    def read() -> None:
        while isinstance(frame := socket.recv(), bytes):
            meta_size = _PREVIEW_HEAD.unpack_from(frame)[1]
            delays.append(_since(_STAMP.unpack_from(frame, _PREVIEW_HEAD.size + meta_size)[0]))

    thread = threading.Thread(target=read)
    thread.start()
    order(url, "go")
    while thread.is_alive():
        _work()
    socket.close()
    return {SECONDS: mean(delays)}


def least_thread_beside_work(url: str, events: int, pause: float, size: int) -> Measured:
    """The least that any thread needs: it asks the system once for each preview, and then waits for its turn."""
    prepare(url, Script("stamped", events, pause=pause, size=size))
    socket = raw.connect(url)
    below = socket.sock
    assert below
    below.settimeout(None)
    delays: list[float] = []

    def read() -> None:
        room = memoryview(bytearray(2 * size))
        while len(delays) < events:
            came = below.recv_into(room)
            head, whole = _FRAME_HEAD.size, _FRAME_HEAD.unpack_from(room)[1]
            while came < head + whole:
                came += below.recv_into(room[came:])
            meta_size = _PREVIEW_HEAD.unpack_from(room, head)[1]
            delays.append(_since(_STAMP.unpack_from(room, head + _PREVIEW_HEAD.size + meta_size)[0]))

    thread = threading.Thread(target=read)
    thread.start()
    order(url, "go")
    while thread.is_alive():
        _work()
    socket.close()
    return {SECONDS: mean(delays)}


def to_callback_beside_work(url: str, events: int, pause: float, size: int) -> Measured:
    """``client.on("preview")`` while the main thread computes."""
    prepare(url, Script("stamped", events, pause=pause, size=size))
    delays: list[float] = []
    done = threading.Event()

    def note(preview: Preview) -> None:
        delays.append(_since(_STAMP.unpack_from(preview.data)[0]))

    def end(_event: Event) -> None:
        done.set()

    with Client(url) as client:
        client.connect()
        client.on("preview", note)
        client.on("execution_success", end)
        order(url, "go")
        while not done.is_set():
            _work()
    return {SECONDS: mean(delays)}


def _since(sent_at: int) -> float:
    return (time.perf_counter_ns() - sent_at) / 1e9


def _work() -> int:
    total = 0
    for number in range(10_000):
        total += number * number % 7
    return total
