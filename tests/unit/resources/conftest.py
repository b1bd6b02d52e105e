"""A server that answers what a test says, and a transport to it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from comfyclient._http import Transport
from comfyclient.config import ClientConfig
from comfyclient.resources import Assets
from tests.fakes import FlakyServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def flaky() -> Iterator[FlakyServer]:
    with FlakyServer() as server:
        yield server


@pytest.fixture
def to_flaky(flaky: FlakyServer) -> Iterator[Transport]:
    with closing(Transport(ClientConfig(url=flaky.url, retry=None, read_timeout=10))) as transport:
        yield transport


@pytest.fixture
def assets(to_flaky: Transport) -> Assets:
    return Assets(to_flaky)
