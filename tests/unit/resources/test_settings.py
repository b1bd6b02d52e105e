"""``client.settings``: what it asks for, and what it makes of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.errors import AuthenticationError, DecodeError, ServerError
from comfyclient.resources import Settings
from tests.captures import capture
from tests.fakes import FlakyServer, json_reply, reply

if TYPE_CHECKING:
    from comfyclient._http import Transport


@pytest.fixture
def settings(to_flaky: Transport) -> Settings:
    return Settings(to_flaky)


def test_all(settings: Settings, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("userdata")["GET /settings"]["json"])]

    assert settings.all() == {"Comfy.A": 1, "b": [1]}
    assert [(r.method, r.target) for r in flaky.requests] == [("GET", "/settings")]


def test_get(settings: Settings, flaky: FlakyServer) -> None:
    flaky.answers = [
        json_reply(capture("userdata")["GET /settings/Comfy.A"]["json"]),
        json_reply(capture("userdata")["GET /settings/none"]["json"]),
        json_reply(None),
        json_reply(0),
    ]

    assert settings.get("Comfy.A") == {"x": 2}
    assert settings.get("a/b %") is None
    assert settings.get("none", "default") == "default"
    assert settings.get("zero", "default") == 0
    assert [r.target for r in flaky.requests[:2]] == ["/settings/Comfy.A", "/settings/a%2Fb%20%25"]


@pytest.mark.parametrize("value", [None, False, 0, "ż", [1, None], {"a": {}}])
def test_set(settings: Settings, flaky: FlakyServer, value: Any) -> None:
    flaky.answers = [reply()]
    settings.set("Comfy.A", value)

    (request,) = flaky.requests
    assert (request.method, request.target, request.json) == ("POST", "/settings/Comfy.A", value)
    assert request.headers["content-type"] == "application/json"


def test_update(settings: Settings, flaky: FlakyServer) -> None:
    flaky.answers = [reply()]
    settings.update({"Comfy.A": 1, "b": None})

    assert [(r.method, r.target, r.json) for r in flaky.requests] == [("POST", "/settings", {"Comfy.A": 1, "b": None})]


def test_what_would_do_harm_is_not_sent(settings: Settings, flaky: FlakyServer) -> None:
    for value, kind in ((float("nan"), ValueError), (float("inf"), ValueError), ({1, 2}, TypeError), (b"", TypeError)):
        with pytest.raises(kind):
            settings.set("a", value)
        with pytest.raises(kind):
            settings.update({"a": value})
    for name in ("", ".", ".."):
        with pytest.raises(ValueError, match="cannot be asked for"):
            settings.get(name)
        with pytest.raises(ValueError, match="cannot be asked for"):
            settings.set(name, 1)

    assert not flaky.requests


def test_an_answer_of_another_form(settings: Settings, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply([]), reply(body="<html>", kind="text/html")]

    with pytest.raises(DecodeError, match="an object is due, not an array"):
        settings.all()
    with pytest.raises(DecodeError, match="where JSON is due"):
        settings.get("a")


def test_a_user_that_the_server_does_not_know_is_told_what_to_do(settings: Settings, flaky: FlakyServer) -> None:
    flaky.answers = [reply(401, "401: Unauthorized", "text/plain; charset=utf-8")]

    with pytest.raises(AuthenticationError, match=r"401: the server was started with --multi-user .*Client\(user="):
        settings.all()
    with pytest.raises(AuthenticationError, match=r"Client\(user="):
        settings.set("a", 1)


def test_a_proxys_refusal_is_passed_on(settings: Settings, flaky: FlakyServer) -> None:
    flaky.answers = [
        reply(401, "<title>401 Authorization Required</title>", "text/html"),
        json_reply({"error": "who are you?"}, 403),
        reply(413, "too large", "text/plain"),
    ]

    with pytest.raises(AuthenticationError, match="401: 401 Authorization Required"):
        settings.all()
    with pytest.raises(AuthenticationError, match=r"403: who are you\?"):
        settings.all()
    with pytest.raises(ServerError, match="413: too large"):
        settings.update({})
