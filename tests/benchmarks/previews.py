"""Target 4: previews of 30 to 100 KB, to a callback and to somebody who never looks."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from comfyclient import Client
from comfyclient.events import ExecutionSuccess
from tests.benchmarks import raw
from tests.benchmarks.corpus import Script
from tests.benchmarks.measure import SECONDS
from tests.benchmarks.scripted import order, prepare

if TYPE_CHECKING:
    from comfyclient.events import Preview
    from tests.benchmarks.measure import Measured


def raw_recv(url: str, events: int) -> Measured:
    """The base: ``recv()``, and nothing done with it. Seconds for each preview."""
    prepare(url, Script("previews", events))
    socket = raw.connect(url)
    order(url, "go")
    start = time.perf_counter()
    while isinstance(socket.recv(), bytes):
        pass
    seconds = time.perf_counter() - start
    socket.close()
    return {SECONDS: seconds / events}


def decoded(url: str, events: int) -> Measured:
    """The client's reader alone: nobody wants the previews that it reads and decodes."""
    done = threading.Event()
    prepare(url, Script("previews", events))
    with Client(url) as client:
        client.connect()
        client.on(ExecutionSuccess, lambda _: done.set())
        order(url, "go")
        start = time.perf_counter()
        done.wait()
        seconds = time.perf_counter() - start
    return {SECONDS: seconds / events}


def to_callback(url: str, events: int) -> Measured:
    """``client.on("preview")``: in the dispatcher's thread."""
    done = threading.Event()
    delivered = 0

    def count(_preview: Preview) -> None:
        nonlocal delivered
        delivered += 1

    prepare(url, Script("previews", events))
    with Client(url) as client:
        client.connect()
        client.on("preview", count)
        client.on(ExecutionSuccess, lambda _: done.set())
        order(url, "go")
        start = time.perf_counter()
        done.wait()
        seconds = time.perf_counter() - start
    return {SECONDS: seconds / events, "delivered": delivered / events}


def to_nobody(url: str, events: int) -> int:
    """``client.listen("preview")`` that is never read: how many previews are kept for it."""
    prepare(url, Script("previews", events))
    with Client(url) as client:
        client.connect()
        unread = client.listen("preview")
        end = client.listen(ExecutionSuccess)
        order(url, "go")
        end.get()
        return unread.qsize()
