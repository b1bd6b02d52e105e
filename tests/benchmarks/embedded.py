"""How long a test waits for the embedded server of ``comfyclient.testing``."""

from __future__ import annotations

import time
import urllib.request
from typing import TYPE_CHECKING

from comfyclient.testing import EmbeddedServer
from tests.benchmarks.measure import SECONDS

if TYPE_CHECKING:
    from tests.benchmarks.measure import Measured


def until_it_answers() -> Measured:
    """From nothing to the first answer."""
    start = time.perf_counter()
    with EmbeddedServer() as server:
        with urllib.request.urlopen(f"{server.url}/prompt") as answer:  # noqa: S310 - it is ours
            answer.read()
        return {SECONDS: time.perf_counter() - start}


def with_its_end() -> Measured:
    """What a test pays that does nothing with it."""
    start = time.perf_counter()
    with EmbeddedServer():
        pass
    return {SECONDS: time.perf_counter() - start}
