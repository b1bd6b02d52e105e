"""``client.server``: each question once, whatever is answered. Servers of all ages are in tests/old_servers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, get_args

import pytest

from comfyclient.errors import DecodeError, ServerError, ServerUnreachable
from comfyclient.resources import Server
from comfyclient.resources.server import CAPABILITIES, Capability
from tests.captures import capture
from tests.fakes import FlakyServer, hang_up, json_reply, reply

if TYPE_CHECKING:
    import socket

    from comfyclient._http import Transport

NO_JOB = json_reply({"error": "Job not found"}, 404)


def stats(version: str | None) -> bytes:
    return json_reply({"system": {"os": "linux", "comfyui_version": version}, "devices": []})


@pytest.fixture
def server(to_flaky: Transport) -> Server:
    return Server(to_flaky)


def paths(flaky: FlakyServer) -> list[str]:
    return [request.path for request in flaky.requests]


def test_making_one_asks_nothing(server: Server, flaky: FlakyServer) -> None:
    server.refresh()
    assert flaky.requests == []


def test_version(server: Server, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("system_stats"))]
    assert server.version == server.version == (0, 30, 0)
    assert paths(flaky) == ["/system_stats"]


def test_features(server: Server, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("features"))]
    assert server.features == capture("features")
    assert server.features["max_upload_size"] == 104857600
    assert paths(flaky) == ["/features"]
    with pytest.raises(TypeError):
        server.features["assets"] = True  # type: ignore[index]  # everybody's


@pytest.mark.parametrize("answer", [reply(404), reply(403, "<html>"), reply(404, "<html>no")])
def test_what_a_server_or_a_proxy_keeps_to_itself(server: Server, flaky: FlakyServer, answer: bytes) -> None:
    flaky.answers = [answer]
    assert server.version == ()
    assert server.features == {}
    assert not any(server.has(name) for name in CAPABILITIES)
    assert len(flaky.requests) == 3


@pytest.mark.parametrize("answer", [NO_JOB, reply(500), json_reply({"id": "x", "status": "pending"})])
def test_with_the_jobs_api_it_has_everything(server: Server, flaky: FlakyServer, answer: bytes) -> None:
    flaky.answers = [answer]
    assert all(server.has(name) for name in CAPABILITIES)
    assert paths(flaky) == ["/api/jobs/00000000-0000-0000-0000-000000000000"]


@pytest.mark.parametrize(
    ("version", "has"),
    [
        ("0.3.44", []),
        ("0.3.45", ["prompt_id"]),
        ("v0.3.48", ["targets", "prompt_id"]),
        ("0.3.56", ["targets", "prompt_id"]),
        ("0.3.57", ["interrupt", "targets", "prompt_id"]),
        ("0.3.60", ["history_offset", "interrupt", "targets", "prompt_id"]),
        ("1.0", ["preview_method", "history_offset", "interrupt", "targets", "prompt_id"]),
    ],
)
def test_without_it_the_version_tells(server: Server, flaky: FlakyServer, version: str, has: list[str]) -> None:
    flaky.answers = [reply(404), stats(version)]
    assert [name for name in CAPABILITIES if server.has(name)] == has
    assert len(flaky.requests) == 2


def test_a_server_that_does_not_tell_its_version_but_its_features(server: Server, flaky: FlakyServer) -> None:
    flaky.answers = [reply(404), stats(None), json_reply({"supports_preview_metadata": True})]
    assert [name for name in CAPABILITIES if server.has(name)] == ["prompt_id"]


def test_a_name_that_is_none(server: Server, flaky: FlakyServer) -> None:
    for ask in (server.has, server.require):
        with pytest.raises(ValueError, match="'job' is none of jobs, preview_method, "):
            ask("job")  # type: ignore[arg-type]  # which is what is tested
    assert flaky.requests == []


def test_the_names_are_those_of_the_table_the_newest_first() -> None:
    assert get_args(Capability) == tuple(CAPABILITIES)
    versions = [novelty.version for novelty in CAPABILITIES.values()]
    assert versions == sorted(versions, reverse=True)
    assert all(f'``"{name}"``' in (Server.has.__doc__ or "") for name in CAPABILITIES)


def test_a_failure_is_no_answer(server: Server, flaky: FlakyServer) -> None:
    flaky.answers = [reply(502), hang_up, reply(200, "<html>"), stats("0.30.0")]
    for error in (ServerError, ServerUnreachable, DecodeError):
        with pytest.raises(error):
            _ = server.version
    assert server.version == (0, 30, 0)


@pytest.mark.parametrize("answer", [reply(502), reply(503)])
def test_a_failure_says_nothing_of_capabilities(server: Server, flaky: FlakyServer, answer: bytes) -> None:
    flaky.answers = [answer, answer, NO_JOB]
    with pytest.raises(ServerError):
        server.has("jobs")
    with pytest.raises(ServerError):
        _ = server.features
    assert server.has("jobs")


def test_after_an_upgrade(server: Server, flaky: FlakyServer) -> None:
    flaky.answers = [reply(404), stats("0.3.40"), reply(404), NO_JOB, stats("0.30.0"), json_reply({"assets": True})]
    assert (server.has("jobs"), server.version, server.features) == (False, (0, 3, 40), {})
    server.refresh()
    assert (server.has("jobs"), server.version, server.features) == (True, (0, 30, 0), {"assets": True})


def test_many_threads_ask_once(server: Server, flaky: FlakyServer) -> None:
    together = threading.Barrier(16, timeout=10)

    def ask(_: int) -> tuple[int, ...]:
        together.wait()
        return server.version

    flaky.answers = [stats("0.30.0")]
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(ask, range(16))) == {(0, 30, 0)}
    assert len(flaky.requests) == 1


def test_an_answer_to_the_server_before_is_not_kept(server: Server, flaky: FlakyServer) -> None:
    """It was asked for before ``refresh``, and came after."""

    def late(connection: socket.socket) -> None:
        server.refresh()
        connection.sendall(stats("0.3.40").replace(b"\r\n", b"\r\nConnection: close\r\n", 1))

    answers: list[Any] = [late, stats("0.30.0")]
    flaky.answers = answers
    assert server.version == (0, 3, 40)
    assert server.version == (0, 30, 0)
