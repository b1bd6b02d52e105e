"""A server with a gate for each test, and a client of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from comfyclient import Client
from comfyclient.testing import EmbeddedServer
from tests.testing.nodes import NODES, Gate, gate_node

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Where ``WAITING`` waits; open when the test is over."""
    gate = Gate()
    yield gate
    gate.released.set()


@pytest.fixture
def server(gate: Gate) -> Iterator[EmbeddedServer]:
    """A server that nobody used before."""
    with EmbeddedServer([*NODES, gate_node(gate)]) as server:
        yield server


@pytest.fixture
def client(server: EmbeddedServer) -> Iterator[Client]:
    """A client of that server."""
    with Client(server.url) as client:
        yield client
