"""Target 8: what one small request costs, beside a plain ``requests.Session``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import requests

from comfyclient import Client
from tests.benchmarks.measure import SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.measure import Measured

_NOTHING: dict[str, list[str]] = {"delete": []}  # a POST for which the server has next to nothing to do


def get_with_session(url: str, count: int) -> Measured:
    """The base: ``Session.get``."""
    with requests.Session() as session:
        return _each(lambda: session.get(f"{url}/prompt", timeout=60).json(), count)


def get_with_client(url: str, count: int) -> Measured:
    """The same through the client, decoded."""
    with Client(url) as client:
        return _each(client.queue.info, count)


def post_with_session(url: str, count: int) -> Measured:
    """The base: ``Session.post``."""
    with requests.Session() as session:
        return _each(lambda: session.post(f"{url}/queue", json=_NOTHING, timeout=60).raise_for_status(), count)


def post_with_client(url: str, count: int) -> Measured:
    """The same through the client."""
    with Client(url) as client:
        return _each(lambda: client.request("POST", "/queue", json=_NOTHING), count)


def _each(exchange: Callable[[], object], count: int) -> Measured:
    exchange()  # opens the connection
    start = time.perf_counter()
    for _ in range(count):
        exchange()
    return {SECONDS: (time.perf_counter() - start) / count}
