"""An embedded server for each test, or one for a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from comfyclient import Client
from comfyclient.testing import EmbeddedServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    """A server that nobody used before."""
    with EmbeddedServer() as server:
        yield server


@pytest.fixture
def client(server: EmbeddedServer) -> Iterator[Client]:
    """A client of that server."""
    with Client(server.url) as client:
        yield client
