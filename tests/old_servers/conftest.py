"""A server of every version, and clients of it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import Client
from tests.captures.ws import VERSIONS
from tests.old_servers.emulated import Emulated
from tests.realtime.comfy import QUICK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.realtime.conftest import Connect


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def server(version: str) -> Iterator[Emulated]:
    with Emulated(version) as server:
        yield server


@pytest.fixture
def connect(server: Emulated) -> Iterator[Connect]:
    with ExitStack() as clients:

        def connect(**options: Any) -> Client:
            quick = {"reconnect": QUICK, "poll_interval": 0.05}
            return clients.enter_context(Client(server.url, **{**quick, **options}))

        yield connect


@pytest.fixture(params=[True, False], ids=["websocket", "polling"])
def client(connect: Connect, request: pytest.FixtureRequest) -> Client:
    """Whatever the websocket tells, polling must find out too."""
    return connect(realtime=request.param)
