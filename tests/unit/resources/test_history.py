"""``client.history``: what it asks for, and what it makes of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from comfyclient.errors import DecodeError
from comfyclient.resources import History
from tests.captures import capture
from tests.fakes import FlakyServer, json_reply, reply

if TYPE_CHECKING:
    from comfyclient._http import Transport


@pytest.fixture
def history(to_flaky: Transport) -> History:
    return History(to_flaky)


def test_get(history: History, flaky: FlakyServer) -> None:
    body = capture("history_success")
    (prompt_id,) = body
    flaky.answers = [json_reply(body)]
    entry = history.get(prompt_id)

    assert entry is not None
    assert entry.prompt.prompt_id == prompt_id
    assert flaky.requests[0].target == f"/history/{prompt_id}"


def test_what_is_not_known_is_none(history: History, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply({}), json_reply(capture("history_success"))]

    assert history.get("a/b") is None
    assert history.get("other") is None
    assert flaky.requests[0].target == "/history/a%2Fb"


def test_without_an_id_nothing_is_asked(history: History, flaky: FlakyServer) -> None:
    with pytest.raises(ValueError, match="cannot be asked for"):
        history.get("")

    assert not flaky.requests


def test_list(history: History, flaky: FlakyServer) -> None:
    body = capture("history_list")
    flaky.answers = [json_reply(body)]
    entries = history.list()
    history.list(limit=3)
    history.list(limit=3, offset=0)

    assert list(entries) == list(body)
    assert [entry.succeeded for entry in entries.values()] == [True, True, False, False, True]
    assert [r.target for r in flaky.requests] == [
        "/history",
        "/history?max_items=3",
        "/history?max_items=3&offset=0",
    ]


def test_nothing_is_asked_for_nothing(history: History, flaky: FlakyServer) -> None:
    assert history.list(limit=0, offset=0) == {}
    assert not flaky.requests


def test_an_entry_that_does_not_fit_is_named(history: History, flaky: FlakyServer) -> None:
    body = capture("history_list")
    bad = list(body)[1]
    body[bad]["status"] = "success"
    flaky.answers = [json_reply(body)]
    with pytest.raises(DecodeError) as caught:
        history.list()

    assert caught.value.url == f"{flaky.url}/history"
    assert caught.value.errors == (f"an object is due, not a string @ $[{bad!r}].status",)
    assert "class_type" not in str(caught.value)


def test_delete_and_clear(history: History, flaky: FlakyServer) -> None:
    flaky.answers = [reply()]
    history.delete()
    history.delete("a", "b")
    history.clear()

    assert [(r.method, r.target, r.json) for r in flaky.requests] == [
        ("POST", "/history", {"delete": ["a", "b"]}),
        ("POST", "/history", {"clear": True}),
    ]
