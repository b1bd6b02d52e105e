"""``client.users``: what it asks for, and what it makes of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.errors import DecodeError, ServerError
from comfyclient.resources import Users
from comfyclient.types import UsersInfo
from tests.captures import capture
from tests.fakes import FlakyServer, json_reply

if TYPE_CHECKING:
    from comfyclient._http import Transport

BOB = "Bob-_0d9318b9-2cee-4b4d-b428-2da9f640ba5b"


@pytest.fixture
def users(to_flaky: Transport) -> Users:
    return Users(to_flaky)


def test_list_of_a_server_with_multi_user(users: Users, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("userdata")["GET /users"]["json"])]
    info = users.list()

    assert info == UsersInfo("server", users={BOB: "Bob Ö"})
    assert info.multi_user
    assert [(r.method, r.target) for r in flaky.requests] == [("GET", "/users")]


def test_list_before_there_is_anybody(users: Users, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply({"storage": "server", "users": {}})]

    assert users.list().multi_user


def test_list_of_a_server_for_one(users: Users, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply({"storage": "server", "migrated": True, "x": 1})]
    info = users.list()

    assert info == UsersInfo("server", migrated=True, extra={"x": 1})
    assert not info.multi_user


def test_create(users: Users, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("userdata")["POST /users"]["json"])]

    assert users.create("Bob Ö") == BOB
    assert [(r.method, r.target, r.json) for r in flaky.requests] == [("POST", "/users", {"username": "Bob Ö"})]


@pytest.mark.parametrize("name", ["dup", "empty", "system"])
def test_create_refused(users: Users, flaky: FlakyServer, name: str) -> None:
    captured = capture("userdata")[name]
    flaky.answers = [json_reply(captured["json"], captured["status"])]
    with pytest.raises(ServerError) as caught:
        users.create("Bob")

    assert caught.value.body == captured["json"]


@pytest.mark.parametrize("body", [[], {"users": ["a"]}, {"users": {"a": 1}}, {"migrated": "yes"}])
def test_an_answer_of_another_form(users: Users, flaky: FlakyServer, body: Any) -> None:
    flaky.answers = [json_reply(body)]

    with pytest.raises(DecodeError):
        users.list()
    with pytest.raises(DecodeError):
        users.create("a")
