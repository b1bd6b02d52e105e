"""A scripted ComfyUI for every test here, and clients of it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from comfyclient import Client
from tests.realtime.comfy import QUICK, Comfy

if TYPE_CHECKING:
    from collections.abc import Iterator


class Connect(Protocol):
    """Makes a client of the server, which is closed with the test."""

    def __call__(self, **options: Any) -> Client: ...


@pytest.fixture
def comfy() -> Iterator[Comfy]:
    with Comfy() as comfy:
        yield comfy


@pytest.fixture
def connect(comfy: Comfy) -> Iterator[Connect]:
    with ExitStack() as clients:
        yield lambda **options: clients.enter_context(Client(comfy.url, **{"reconnect": QUICK, **options}))


@pytest.fixture
def client(connect: Connect) -> Client:
    return connect()
