"""The two servers that have to agree, and what a test does with both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from comfyclient.testing import EmbeddedServer
from tests.conftest import _make_idle
from tests.contract.nodes import NODES
from tests.contract.sides import Both, Embedded, Real

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedServer]:
    """An embedded server with our test nodes, which all of the contract shares as it shares the real one."""
    with EmbeddedServer(NODES) as server:
        yield server


@pytest.fixture
def both(comfyui_url: str, embedded: EmbeddedServer) -> Iterator[Both]:
    """The real server and the embedded one, which is left idle too: the next test would hear of what runs."""
    yield Both(Real(comfyui_url), Embedded(embedded.url, embedded.root))
    _make_idle(embedded.url)
