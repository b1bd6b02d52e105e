"""``client.system``: what it asks for, and what it makes of the answers."""

from __future__ import annotations

import threading
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from comfyclient import Client
from comfyclient._http import Transport
from comfyclient.errors import (
    AuthenticationError,
    ClientClosed,
    DecodeError,
    NotFound,
    RequestTimeout,
    ServerError,
    ServerUnreachable,
    Unsupported,
)
from comfyclient.resources import System
from comfyclient.types import LogEntry, TerminalSize
from tests.captures import capture
from tests.fakes import Answer, FlakyServer, hang_up, json_reply, nobody, reply, silence

if TYPE_CHECKING:
    from collections.abc import Callable


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


def test_extensions(system: System, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("extensions"))]

    assert system.extensions()[0] == "/extensions/core/textPreviewWidgets.js"
    assert flaky.requests[0].target == "/extensions"


def test_i18n(system: System, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("i18n")), json_reply({})]

    assert system.i18n() == {"en": {"hello": "world"}}
    assert flaky.requests[0].target == "/i18n"
    assert system.i18n() == {}


def test_folder_paths(system: System, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("folder_paths"))]
    paths = system.folder_paths()

    assert flaky.requests[0].target == "/internal/folder_paths"
    assert [*paths] == ["checkpoints", "configs", "text_encoders", "custom_nodes"]
    assert paths["configs"] == ("/srv/comfy-data/base/models/configs",)
    assert len(paths["text_encoders"]) == 3


def test_log(system: System, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("logs"))]

    assert system.log().startswith("2026-11-22T07:02:07.666153 - \x1b[32m[INFO]\x1b[0m setup plugin")
    assert system.log(plain=True).startswith("2026-11-22T07:02:07.666153 - [INFO] setup plugin")
    assert flaky.requests[0].target == "/internal/logs"


def test_log_entries(system: System, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("logs_raw"))]
    log = system.log_entries()

    assert flaky.requests[0].target == "/internal/logs/raw"
    assert log.entries[0].text == "[INFO] setup plugin alembic.autogenerate.schemas\n"
    assert log.size == TerminalSize(80, 24)


@pytest.mark.parametrize(
    ("method", "route"),
    [
        (System.i18n, "GET /i18n"),
        (System.folder_paths, "GET /internal/folder_paths"),
        (System.log, "GET /internal/logs"),
        (System.log_entries, "GET /internal/logs/raw"),
        (System.follow_log, "GET /internal/logs/raw"),
    ],
)
def test_what_an_old_server_lacks_and_what_a_proxy_does_not_forward(
    system: System, flaky: FlakyServer, method: Callable[[System], object], route: str
) -> None:
    flaky.answers = [reply(404, kind="application/octet-stream"), reply(404, "<h1>404 Not Found</h1> nginx")]
    with pytest.raises(Unsupported) as raised:
        method(system)
    assert raised.value.what == route
    assert raised.value.since

    with pytest.raises(NotFound, match="nginx"):
        method(system)


@pytest.mark.parametrize(
    ("route", "body"),
    [
        (System.extensions, {}),
        (System.extensions, [1]),
        (System.i18n, []),
        (System.folder_paths, {"loras": "/models/loras"}),
        (System.folder_paths, {"loras": [None]}),
        (System.log, ["a"]),
        (System.log_entries, []),
        (System.log_entries, {"entries": [{"m": "a"}]}),
        (System.follow_log, {"entries": None}),
    ],
)
def test_odd_answers(system: System, flaky: FlakyServer, route: Callable[[System], object], body: Any) -> None:
    flaky.answers = [json_reply(body)]
    with pytest.raises(DecodeError):
        route(system)


# --- following the log --------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comfyclient.resources.system._PAUSE", 0)


def shown(*lines: str, at: str = "2026-11-22T07:00:00") -> bytes:
    """A log of these writes, all at one time, as servers of Windows tell it."""
    return json_reply({"entries": [{"t": at, "m": line} for line in lines], "size": {"cols": 80, "rows": 24}})


def said(entries: Any, count: int) -> list[str]:
    return [entry.m for entry in islice(entries, count)]


def test_what_comes_is_followed_and_nothing_else(system: System, flaky: FlakyServer) -> None:
    flaky.answers = [shown("a", "b"), shown("a", "b"), shown("a", "b", "c"), shown("b", "c", "d", "e"), shown("x")]
    entries = system.follow_log()
    assert len(flaky.requests) == 1, "it begins with the call, not with the loop"

    assert said(entries, 4) == ["c", "d", "e", "x"]
    assert {request.target for request in flaky.requests} == {"/internal/logs/raw"}


def test_the_past_may_come_first(system: System, flaky: FlakyServer) -> None:
    flaky.answers = [shown("a", "b"), shown("a", "b", "c"), shown("b", "c", "d")]
    entries = system.follow_log(past=True)

    assert next(entries) == LogEntry("2026-11-22T07:00:00", "a")
    assert said(entries, 3) == ["b", "c", "d"]


def test_equal_writes_at_one_time_are_several(system: System, flaky: FlakyServer) -> None:
    flaky.answers = [shown("a", "\n"), shown("a", "\n", "a", "\n", "\n"), shown("\n", "end")]

    assert said(system.follow_log(), 4) == ["a", "\n", "\n", "end"]


def test_a_clock_that_is_set_back_hides_nothing(system: System, flaky: FlakyServer) -> None:
    later = json_reply({"entries": [{"t": "2026-10-25T02:59:59", "m": "a"}, {"t": "2026-10-25T02:00:01", "m": "b"}]})
    flaky.answers = [shown("a", at="2026-10-25T02:59:59"), later]

    assert said(system.follow_log(), 1) == ["b"]


def test_a_bar_of_progress_takes_the_place_of_the_one_before(system: System, flaky: FlakyServer) -> None:
    flaky.answers = [shown("a\n"), shown("a\n", "\r 10%"), shown("a\n", "\r 90%"), shown("a\n", "\r100%\n", "b")]

    assert said(system.follow_log(), 4) == ["\r 10%", "\r 90%", "\r100%\n", "b"]


def test_the_last_look_comes_after_the_end(system: System, flaky: FlakyServer) -> None:
    flaky.answers = [shown(), shown("a"), shown("a", "b"), shown("a", "b", "c")]
    answers = iter([False, True])

    assert [entry.m for entry in system.follow_log(until=lambda: next(answers))] == ["a", "b"]
    assert len(flaky.requests) == 3


def test_nothing_is_asked_when_the_loop_is_left(system: System, flaky: FlakyServer) -> None:
    flaky.answers = [shown(), shown("a", "b")]
    for entry in system.follow_log():
        assert entry.m == "a"
        break

    assert len(flaky.requests) == 2


def test_a_restart_is_sat_out(system: System, flaky: FlakyServer) -> None:
    gone: list[Answer] = [hang_up, reply(502), reply(503), reply(504)]
    flaky.answers = [shown("a"), shown("a", "b"), *gone, shown("new", at="2026-11-22T08:00:00")]

    assert said(system.follow_log(), 2) == ["b", "new"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(hang_up, ServerUnreachable), (reply(503), ServerError), (silence(), RequestTimeout)],
)
def test_a_server_that_stays_away_is_given_up(
    to_flaky: Transport, flaky: FlakyServer, answer: Answer, kind: type[Exception]
) -> None:
    flaky.answers = [shown(), answer]
    config = evolve(to_flaky.config, give_up_after=0.05, read_timeout=1 if kind is RequestTimeout else 10)
    with closing(Transport(config)) as transport, pytest.raises(kind):
        next(System(transport).follow_log())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(reply(500), ServerError), (reply(401), AuthenticationError), (reply(), DecodeError), (reply(404), Unsupported)],
)
def test_what_will_not_pass_is_raised_at_once(
    system: System, flaky: FlakyServer, answer: Answer, kind: type[Exception]
) -> None:
    flaky.answers = [shown(), answer]
    entries = system.follow_log()
    with pytest.raises(kind):
        next(entries)

    assert len(flaky.requests) == 2


def test_without_a_server_there_is_nothing_to_follow() -> None:
    with nobody() as url, Client(url, realtime=False, retry=None) as client, pytest.raises(ServerUnreachable):
        client.system.follow_log()


def test_it_ends_with_the_client(flaky: FlakyServer) -> None:
    flaky.answers = [shown(), shown("a")]
    with Client(flaky.url, realtime=False, retry=None) as client:
        entries = client.system.follow_log()
        assert next(entries).m == "a"
        closing_time = threading.Thread(target=client.close)
        closing_time.start()
        assert list(entries) == []
        closing_time.join()

        with pytest.raises(ClientClosed):
            client.system.follow_log()


# --- the log as events; the rest is in tests/realtime/test_logs.py ------------------------------------------


def test_without_a_websocket_there_are_no_events(system: System, flaky: FlakyServer) -> None:
    with pytest.raises(ValueError, match=r"use client\.system"):
        system.subscribe_log()
    with (
        Client(flaky.url, realtime=False) as client,
        pytest.raises(ValueError, match="realtime=False"),
    ):
        client.system.subscribe_log()

    assert flaky.requests == []
