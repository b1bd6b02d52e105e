"""``client.server`` on a real server."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from comfyclient.resources.server import CAPABILITIES

if TYPE_CHECKING:
    from comfyclient import Client


def test_what_it_says_of_itself(client: Client) -> None:
    assert client.server.version == client.system.stats().system.version > (0, 3)
    assert dict(client.server.features) == client.system.features()


def test_what_it_can_do(client: Client) -> None:
    if client.server.version < (0, 9):
        pytest.skip("this is about a server of today")
    for capability in CAPABILITIES:
        assert client.server.has(capability)
        client.server.require(capability)


def test_no_thread_is_needed(client: Client) -> None:
    assert client.server.has("prompt_id")
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("comfyclient-")]
