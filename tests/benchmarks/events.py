"""Targets 1 to 3: what it costs to get an event from the socket to the user's code."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

from comfyclient import Client
from comfyclient.events import ExecutionSuccess
from tests.benchmarks import raw
from tests.benchmarks.corpus import PROMPT_ID, Script
from tests.benchmarks.measure import SECONDS
from tests.benchmarks.scripted import WORKFLOW, order, prepare

if TYPE_CHECKING:
    from comfyclient.events import Event
    from tests.benchmarks.measure import Measured


def raw_loop(url: str, corpus: str, events: int, *, check_utf8: bool = False) -> Measured:
    """The base: ``recv()`` and ``json.loads``, and nothing done with it. Seconds for each event."""
    prepare(url, Script(corpus, events))
    socket = raw.connect(url, check_utf8=check_utf8)
    order(url, "go")
    start = time.perf_counter()
    delivered = 0
    while json.loads(socket.recv())["type"] != "execution_success":
        delivered += 1
    seconds = time.perf_counter() - start
    socket.close()
    return {SECONDS: seconds / events, "delivered": delivered / events}


def to_callback(url: str, corpus: str, events: int, *, with_job: bool) -> Measured:
    """``client.on``: connection, router, dispatcher, callback."""
    done = threading.Event()
    delivered = 0

    def count(_event: Event) -> None:
        nonlocal delivered
        delivered += 1

    with Client(url) as client:
        _get_ready(client, url, corpus, events, with_job=with_job)
        client.on("*", count)
        client.on(ExecutionSuccess, lambda _: done.set())
        order(url, "go")
        start = time.perf_counter()
        done.wait()
        seconds = time.perf_counter() - start
    return {SECONDS: seconds / events, "delivered": (delivered - 1) / events}


def to_iterator(url: str, corpus: str, events: int, *, with_job: bool) -> Measured:
    """``for event in client.listen()``."""
    delivered = 0
    with Client(url) as client:
        _get_ready(client, url, corpus, events, with_job=with_job)
        listener = client.listen()
        order(url, "go")
        start = time.perf_counter()
        for event in listener:
            if type(event) is ExecutionSuccess:
                break
            delivered += 1
        seconds = time.perf_counter() - start
    return {SECONDS: seconds / events, "delivered": delivered / events}


def _get_ready(client: Client, url: str, corpus: str, events: int, *, with_job: bool) -> None:
    """Connected, the greeting read, the script at hand, and a job waiting for its events if that is wanted."""
    client.connect()
    prompt_id: Any = client.submit(WORKFLOW).prompt_id if with_job else PROMPT_ID
    prepare(url, Script(corpus, events, prompt_id))
