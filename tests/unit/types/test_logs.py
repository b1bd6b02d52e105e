"""Entries of the server's log, and what they look like without colors."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from comfyclient._convert import structure
from comfyclient._wire import decode_event, decode_text
from comfyclient.events import Logs, UnknownEvent
from comfyclient.types import LogEntry, ServerLog, TerminalSize
from tests.captures import HERE, capture


def test_a_recorded_log() -> None:
    log = structure(capture("logs_raw"), ServerLog)

    first = log.entries[0]
    assert first.t == "2026-11-22T07:02:07.666153"
    assert first.time == datetime(2026, 11, 22, 7, 2, 7, 666153)  # noqa: DTZ001 - nobody knows the server's zone
    assert first.m == "\x1b[32m[INFO]\x1b[0m setup plugin alembic.autogenerate.schemas\n"
    assert first.text == "[INFO] setup plugin alembic.autogenerate.schemas\n"
    assert log.size == TerminalSize(80, 24)
    assert "[INFO] ComfyUI version: 0.30.0\n" in log.text
    assert "\x1b" not in log.text
    assert log.extra == first.extra == {}


def test_recorded_events() -> None:
    lines = (HERE / "ws" / "ws_logs_subscription.jsonl").read_bytes().splitlines()
    events = [decode_text(json.dumps(json.loads(line)["text"]).encode()) for line in lines]
    first, last = (event for event in events if isinstance(event, Logs))

    assert first.entries == (LogEntry("2026-11-22T07:27:21.295439", "\x1b[32m[INFO]\x1b[0m got prompt\n"),)
    assert first.text == "[INFO] got prompt\n"
    assert first.size == TerminalSize(80, 24)
    assert last.text == "[INFO] Prompt executed in 0.00 seconds\n"
    assert last.size is None


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("plain [text] \r 5%|#  |\n", "plain [text] \r 5%|#  |\n"),
        ("\x1b[1m\x1b[33m[WARNING]\x1b[0m so\n", "[WARNING] so\n"),
        ("\x1b[38;5;208mone\x1b[A\x1b[2K\x1b[?25l of 256", "one of 256"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1b]8;;http://host\x1b\\a link\x1b]8;;\x1b\\", "a link"),
        ("\x1b(Bascii\x1b=\x1b7\x1bM", "ascii"),
        ("cut off \x1b[", "cut off \x1b["),
    ],
)
def test_what_is_for_a_terminal_is_left_out(written: str, seen: str) -> None:
    assert LogEntry("", written).text == seen


def test_an_escape_in_two_pieces_is_one() -> None:
    entries = LogEntry("", "a\x1b[3"), LogEntry("", "2mb")

    assert ServerLog(entries).text == Logs(entries).text == "ab"


def test_a_time_may_be_none() -> None:
    assert LogEntry("2026-11-22T07:02:07", "on the second").time.microsecond == 0
    with pytest.raises(ValueError, match="noon"):
        LogEntry("noon", "").time  # noqa: B018 - it is a property


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"entries": [{"t": "now"}]}, "'m' is missing @ $.entries[0].m"),
        ({"entries": [{"t": "now", "m": None}]}, "a string is due, not null @ $.entries[0].m"),
        ({"entries": [], "size": [80, 24]}, "an object is due, not an array @ $.size"),
        ({"size": None}, "'entries' is missing @ $.entries"),
    ],
)
def test_an_event_that_does_not_fit_is_unknown(data: Any, error: str) -> None:
    event = decode_event("logs", data)

    assert isinstance(event, UnknownEvent)
    assert event.error == error
    assert event.data == data


def test_what_a_newer_server_adds_is_kept() -> None:
    data = {"entries": [{"t": "now", "m": "so", "level": 20}], "size": {"cols": 1, "depth": 8}, "more": 1}
    event = decode_event("logs", data)

    assert isinstance(event, Logs)
    assert event.entries[0].extra == {"level": 20}
    assert event.size == TerminalSize(1, None, {"depth": 8})
    assert event.extra == {"more": 1}
