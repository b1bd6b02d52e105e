"""``client.system``: what it asks for, and what it makes of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from comfyclient.errors import DecodeError, ServerError
from comfyclient.resources import System
from tests.captures import capture
from tests.fakes import FlakyServer, json_reply, reply

if TYPE_CHECKING:
    from comfyclient._http import Transport


@pytest.fixture
def system(to_flaky: Transport) -> System:
    return System(to_flaky)


def test_stats(system: System, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("system_stats"))]

    assert system.stats().system.comfyui_version == "0.30.0"
    assert flaky.requests[0].target == "/system_stats"


def test_features(system: System, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("features"))]

    assert system.features()["max_upload_size"] == 104857600
    assert flaky.requests[0].target == "/features"


def test_a_server_without_the_route_has_no_features(system: System, flaky: FlakyServer) -> None:
    flaky.answers = [reply(404), reply(500), json_reply([])]

    assert system.features() == {}
    with pytest.raises(ServerError):
        system.features()
    with pytest.raises(DecodeError):
        system.features()


def test_free(system: System, flaky: FlakyServer) -> None:
    flaky.answers = [reply()]
    system.free()
    system.free(unload_models=True)
    system.free(free_memory=True)

    assert [(r.method, r.target) for r in flaky.requests] == [("POST", "/free")] * 3
    assert [r.json for r in flaky.requests] == [
        {"unload_models": False, "free_memory": False},
        {"unload_models": True, "free_memory": False},
        {"unload_models": False, "free_memory": True},
    ]
