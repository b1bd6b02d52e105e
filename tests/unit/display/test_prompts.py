"""The queue and the history as tables."""

from __future__ import annotations

import time
from typing import Any

from comfyclient import Client
from comfyclient.types import QueueItem, QueueState
from tests.fakes import FlakyServer, json_reply
from tests.unit.display.page import Page, page_of

NASTY = "<script>alert(1)</script>"
GRAPH = {"1": {"class_type": "Empty", "inputs": {}}, "9": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}}}


def item(number: float, prompt_id: str, *, graph: dict[str, Any] = GRAPH, **extra: Any) -> QueueItem:
    return QueueItem(number, prompt_id, graph, extra, ("9",))


def test_the_queue_tells_what_runs_and_who_is_next() -> None:
    now = time.time() * 1000
    named = {"extra_pnginfo": {"workflow": {"name": "portraits"}}}
    state = QueueState(
        (item(1, "aaaaaaaa-1", create_time=now - 65_000),),
        (item(3, "cccccccc-3", **named), item(2, "bbbbbbbb-2", create_time="yesterday")),
    )
    page = page_of(state)
    assert "Queue · 1 running · 2 waiting" in page.text
    rows = [[row[key] for key in ("", "prompt", "status", "workflow", "nodes", "submitted")] for row in page.table()]
    assert rows == [
        ["", "aaaaaaaa", "running", "SaveImage", "2", "1:05 min ago"],
        ["1", "bbbbbbbb", "waiting", "SaveImage", "2", ""],
        ["2", "cccccccc", "waiting", "portraits", "2", ""],
    ]


def test_of_a_long_queue_the_first_are_shown() -> None:
    page = page_of(QueueState((), tuple(item(number, f"{number:08}") for number in range(1000))))
    assert len(page.table()) == 50
    assert page.table()[-1]["prompt"] == "00000049"
    assert "and 950 more wait" in page.text


def test_strangers_prompts_do_no_harm() -> None:
    graph = {"9": {"class_type": NASTY, "_meta": {"title": NASTY}, "inputs": {}}}
    for extra in ({}, {"extra_pnginfo": {"workflow": {"name": NASTY}}}, {"extra_pnginfo": [1], "create_time": True}):
        page = page_of(QueueState((), (item(1, NASTY, graph=graph, **extra), item(2, "p", graph={"9": 1}))))
        assert not page.all("script")
        assert page.table()[0]["workflow"] == NASTY


def entry(prompt_id: str, *messages: tuple[str, Any], status: str = "success", outputs: Any = None) -> dict[str, Any]:
    return {
        "prompt": [1, prompt_id, GRAPH, {}, ["9"]],
        "outputs": outputs or {},
        "status": {"status_str": status, "messages": [list(each) for each in messages]},
    }


def history(entries: dict[str, Any]) -> Page:
    with FlakyServer(json_reply(entries)) as server, Client(server.url, realtime=False) as client:
        page = page_of(client.history)
        assert [request.query for request in server.requests] == [{"max_items": "20"}]
    return page


def test_the_history_tells_how_each_ended_the_newest_first() -> None:
    end = (time.time() - 30) * 1000
    ran = [("execution_start", {"timestamp": end - 4200}), ("execution_success", {"timestamp": end})]
    error = {"node_type": "KSampler", "exception_type": NASTY, "timestamp": end}
    outputs = {"9": {"images": [{"filename": "a.png"}, {"filename": "b.png"}], "text": ["c"]}}
    page = history(
        {
            "one": entry("one", *ran, outputs=outputs),
            "two": entry("two", ("execution_error", error), status="error"),
            "three": entry("three", ("execution_interrupted", {}), status="error"),
        }
    )
    assert "the newest 3" in page.text
    assert [(row["prompt"], row["status"], row["outputs"]) for row in page.table()] == [
        ("three", "interrupted", ""),
        ("two", f"error KSampler: {NASTY}", ""),
        ("one", "success", "2 files"),
    ]
    assert page.table()[2]["took"] == "4.2 s"
    assert page.table()[2]["ended"].endswith("s ago")
    assert not page.all("script")


def test_an_empty_history_says_so() -> None:
    assert history({}).text == "History · empty"
