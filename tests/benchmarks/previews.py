"""Target 4: previews of 30 to 100 KB, to a callback and to somebody who never looks."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from tests.benchmarks.corpus import PROMPT_ID, Script
from tests.benchmarks.scripted import order, prepare

if TYPE_CHECKING:
    from comfyclient.events import Preview


def raw_recv(url: str, events: int) -> dict[str, float]:
    """The base: ``recv()``, and nothing done with it."""
    import websocket  # noqa: PLC0415 - not where it is not needed

    prepare(url, Script("previews", events))
    socket = websocket.WebSocket(skip_utf8_validation=True)
    socket.connect(f"ws{url.removeprefix('http')}/ws?clientId=raw")
    socket.recv()  # the greeting
    order(url, "go")
    start = time.perf_counter()
    while isinstance(socket.recv(), bytes):
        pass
    seconds = time.perf_counter() - start
    socket.close()
    return {"seconds": seconds / events}


def to_callback(url: str, events: int) -> dict[str, float]:
    """``client.on("preview")``, and beside it a listener that is never read."""
    from comfyclient import Client  # noqa: PLC0415 - as above
    from comfyclient.events import ExecutionSuccess  # noqa: PLC0415

    done = threading.Event()
    delivered = 0

    def count(_preview: Preview) -> None:
        nonlocal delivered
        delivered += 1

    prepare(url, Script("previews", events))
    with Client(url) as client:
        client.connect()
        unread = client.listen("preview")
        client.on("preview", count)
        client.on(ExecutionSuccess, lambda _: done.set())
        order(url, "go")
        start = time.perf_counter()
        done.wait()
        seconds = time.perf_counter() - start
        waiting = unread.qsize()
    return {"seconds": seconds / events, "delivered": delivered / events, "waiting": waiting}
