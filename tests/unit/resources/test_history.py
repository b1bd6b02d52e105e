"""``client.history``: what it asks for, and what it makes of the answers."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient._http import Transport
from comfyclient.config import ClientConfig
from comfyclient.errors import DecodeError
from comfyclient.resources import History
from tests.captures import capture
from tests.fakes import Answer, FlakyServer, Request, json_reply, reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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


@pytest.mark.parametrize("ids", [["a"], 7, None])
def test_what_is_no_id_is_not_sent(history: History, flaky: FlakyServer, ids: Any) -> None:
    with pytest.raises(TypeError, match="an id is a string, not"):
        history.delete("a", ids)

    assert not flaky.requests


# --- all of them ----------------------------------------------------------------------------------------------


class Memory(FlakyServer):
    """A server that remembers prompts, answers by pages as ComfyUI does, and forgets in between.

    Attributes:
        ids: What it remembers, the oldest first.
        before: Called with the number of the request, from 0.
        has_offset: Whether it is new enough for one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.before: Callable[[int], object] = lambda _number: None
        self.has_offset = True

    def _answer(self, request: Request) -> Answer:
        self.before(len(self.requests))
        self.requests.append(request)
        limit = int(request.query.get("max_items", len(self.ids)))
        offset = int(request.query.get("offset", -1)) if self.has_offset else -1
        start = offset if offset >= 0 else max(0, len(self.ids) - limit)
        return json_reply({name: {"prompt": [0, name, {}, {}, []]} for name in self.ids[start : start + limit]})

    @property
    def pages(self) -> list[tuple[str, str]]:
        return [(request.query["offset"], request.query["max_items"]) for request in self.requests]


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory() as server:
        yield server


@pytest.fixture
def remembered(memory: Memory) -> Iterator[History]:
    with closing(Transport(ClientConfig(url=memory.url, retry=None, read_timeout=10))) as transport:
        yield History(transport)


def everything(history: History, page_size: int) -> list[str]:
    return [entry.prompt.prompt_id for entry in history.iter(page_size=page_size)]


def names(start: int, end: int) -> list[str]:
    return [f"p{number}" for number in range(start, end)]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 6, 7, 12])
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_all_come_in_order(remembered: History, memory: Memory, count: int, size: int) -> None:
    memory.ids = names(0, count)
    assert everything(remembered, size) == memory.ids
    assert all(int(limit) <= size + 1 for _, limit in memory.pages), "never more than asked for"


def test_pages_are_asked_for_as_they_are_needed(remembered: History, memory: Memory) -> None:
    memory.ids = names(0, 9)
    entries = remembered.iter(page_size=3)
    assert not memory.requests
    for _ in range(4):
        next(entries)
    assert memory.pages == [("0", "4"), ("1000000000", "1")]
    next(entries)
    assert memory.pages[2:] == [("3", "4")]


def test_what_ends_meanwhile_comes_too(remembered: History, memory: Memory) -> None:
    def end(request: int) -> None:
        if request == 3:
            memory.ids += names(5, 7)

    memory.ids = names(0, 5)
    memory.before = end
    assert everything(remembered, 2) == names(0, 7)


@pytest.mark.parametrize("gone", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("number", [2, 3, 4])
def test_what_is_forgotten_meanwhile_hides_nothing(remembered: History, memory: Memory, gone: int, number: int) -> None:
    def forget(request: int) -> None:
        if request == number:
            del memory.ids[:gone]

    memory.ids = names(0, 12)
    memory.before = forget
    found = everything(remembered, 2)
    assert found == sorted(set(found), key=lambda name: int(name[1:])), "each once, in order"
    assert set(memory.ids) <= set(found)


@pytest.mark.parametrize("after", [[], ["new"], ["new", "newer", "newest", "last"]])
def test_a_history_that_is_cleared_meanwhile(remembered: History, memory: Memory, after: list[str]) -> None:
    def clear(request: int) -> None:
        if request == 3:
            memory.ids = after

    memory.ids = names(0, 9)
    memory.before = clear
    assert everything(remembered, 2) == [*names(0, 5), *after]


def test_an_old_server_with_one_page(remembered: History, memory: Memory) -> None:
    memory.has_offset = False
    memory.ids = names(0, 3)
    assert everything(remembered, 3) == names(0, 3)


def test_an_old_server_with_more_is_asked_for_everything(remembered: History, memory: Memory) -> None:
    memory.has_offset = False
    memory.ids = names(0, 12)
    assert everything(remembered, 3) == names(0, 12)
    assert len(memory.requests) == 3


@pytest.mark.parametrize("size", [0, -1])
def test_a_page_holds_something(remembered: History, memory: Memory, size: int) -> None:
    with pytest.raises(ValueError, match="at least one entry"):
        remembered.iter(page_size=size)
    assert not memory.requests
