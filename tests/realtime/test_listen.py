"""``listen`` and ``job.events()``: events in the caller's own thread."""

from __future__ import annotations

import itertools
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.errors import ClientClosed
from comfyclient.events import (
    Connected,
    Event,
    Executed,
    Executing,
    ExecutionStart,
    Preview,
    Progress,
    SocketImage,
    Status,
    UnknownEvent,
)
from tests.realtime.comfy import WORKFLOW, Comfy, end, event, executed, old_run, run, start, until
from tests.realtime.peer import CLOSE, PATIENCE, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comfyclient import Client

MARK = {"type": "mark", "data": None}
PNG = b"\x89PNG picture"
PREVIEW = b"\0\0\0\1\0\0\0\2" + PNG


def taken(listener: queue.Queue[Any], number: int) -> list[Any]:
    return [listener.get(timeout=PATIENCE) for _ in range(number)]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_everything_from_the_first_moment(client: Client) -> None:
    with client.listen() as listener:
        assert isinstance(listener, queue.Queue)
        assert listener.get(timeout=PATIENCE) == Connected()
        assert isinstance(listener.get(timeout=PATIENCE), Status)


def test_only_what_was_asked_for(comfy: Comfy, client: Client) -> None:
    with client.listen("progress", Executed, "custom") as listener:
        told = [
            *start("p"),
            event("progress", "p", value=1, max=2, node="1"),
            executed("p"),
            {"type": "other", "data": 1},
            {"type": "custom", "data": 2},
            PREVIEW,
            executed("p", "3", None),
        ]
        comfy.link().send(*told)
        kinds = [type(event) for event in taken(listener, 4)]
        assert kinds == [Progress, Executed, UnknownEvent, Executed]


def test_a_listener_that_keeps_up_sees_every_event_in_order(comfy: Comfy, client: Client) -> None:
    with client.listen("progress") as listener:
        for first in range(0, 2000, 100):
            comfy.link().send(*(event("progress", "p", value=first + at, max=2000, node="1") for at in range(100)))
            assert [told.value for told in taken(listener, 100)] == list(range(first, first + 100))


def test_listeners_do_not_take_events_from_each_other(comfy: Comfy, client: Client) -> None:
    with client.listen("mark") as first, client.listen("mark") as second, client.listen(UnknownEvent) as third:
        comfy.link().send(MARK, MARK)
        assert taken(first, 2) == taken(second, 2) == taken(third, 2)


def test_iteration_ends_when_the_listener_is_closed(comfy: Comfy, client: Client, pool: ThreadPoolExecutor) -> None:
    listener = client.listen("mark")
    seen = pool.submit(list, listener)
    with client.listen("mark") as other:
        comfy.link().send(MARK, MARK)
        taken(other, 2)
    listener.close()
    assert seen.result(PATIENCE) == [UnknownEvent("mark", None)] * 2
    with pytest.raises(ClientClosed):
        listener.get(timeout=PATIENCE)


def test_iteration_ends_when_the_client_is_closed(comfy: Comfy, client: Client, pool: ThreadPoolExecutor) -> None:
    listeners = [client.listen("mark") for _ in range(3)]
    seen = [pool.submit(list, listener) for listener in listeners for _ in range(2)]
    with client.listen("mark") as other:
        comfy.link().send(MARK)
        taken(other, 1)
    client.close()
    marks = [mark for found in seen for mark in found.result(PATIENCE)]
    assert marks == [UnknownEvent("mark", None)] * 3


def test_a_closed_listener_gets_nothing_more(comfy: Comfy, client: Client) -> None:
    with client.listen("mark") as closed, client.listen("mark") as open_:
        closed.close()
        comfy.link().send(MARK)
        taken(open_, 1)
        assert list(closed) == []


def test_a_bounded_listener_keeps_the_newest(comfy: Comfy, client: Client) -> None:
    with client.listen("executing", maxsize=3) as small, client.listen("mark") as mark:
        comfy.link().send(*(event("executing", "p", node=str(at)) for at in range(10)), MARK)
        taken(mark, 1)
        assert small.dropped == 7
        assert [told.node for told in taken(small, 3)] == ["7", "8", "9"]


def test_closing_the_client_while_listeners_come_leaves_none_waiting(client: Client, pool: ThreadPoolExecutor) -> None:
    client.connect()
    ready = threading.Barrier(5)

    def listen() -> int:
        ready.wait(PATIENCE)
        for number in itertools.count():
            try:
                listener = client.listen()
            except ClientClosed:
                return number
            if number % 50 == 49:
                list(listener)  # ends with the client
        raise AssertionError

    listening = [pool.submit(listen) for _ in range(4)]
    ready.wait(PATIENCE)
    client.close()
    for each in listening:
        each.result(PATIENCE)


# --- one job ------------------------------------------------------------------------------------------------


def types(events: list[Event]) -> list[str]:
    return [event.type for event in events]


def test_the_events_of_a_job_and_no_others(comfy: Comfy, client: Client, pool: ThreadPoolExecutor) -> None:
    job = client.submit(WORKFLOW)
    events = pool.submit(lambda: list(job.events()))
    told = [message for message in run(job.prompt_id) if message["type"] != "status"]
    comfy.finish(job.prompt_id)
    comfy.tell(*start("stranger"), MARK, *told, executed("stranger"))
    found = events.result(PATIENCE)
    assert [event.prompt_id for event in found] == [job.prompt_id] * len(found)
    lifecycle = [kind for kind in types(found) if kind != "progress_state"]
    assert lifecycle == [message["type"] for message in told if message["type"] != "progress_state"]


def test_the_events_of_a_job_that_has_ended(comfy: Comfy, client: Client) -> None:
    comfy.on_prompt = comfy.complete
    job = client.submit(WORKFLOW)
    job.result(PATIENCE)
    assert types(list(job.events())) == [
        *("execution_start", "execution_cached", "executing", "executing"),
        *("executed", "execution_success", "executing"),
    ]


def test_several_loops_over_one_job(comfy: Comfy, client: Client, pool: ThreadPoolExecutor) -> None:
    job = client.submit(WORKFLOW)
    loops = [pool.submit(lambda: list(job.events())) for _ in range(4)]
    comfy.complete(job.prompt_id)
    ends = [loop.result(PATIENCE)[-1] for loop in loops]
    assert ends == [Executing(None, prompt_id=job.prompt_id)] * 4


def test_leaving_the_loop_early(comfy: Comfy, client: Client) -> None:
    job = client.submit(WORKFLOW)
    comfy.tell(*start(job.prompt_id))
    for told in job.events():
        assert isinstance(told, ExecutionStart)
        break
    comfy.complete(job.prompt_id)
    assert job.result(PATIENCE).images


def test_events_end_with_the_client(client: Client, pool: ThreadPoolExecutor) -> None:
    job = client.submit(WORKFLOW)
    waiting = threading.Event()

    def loop() -> list[Event]:
        events = job.events()
        waiting.set()
        return list(events)

    looping = pool.submit(loop)
    assert waiting.wait(PATIENCE)
    client.close()
    looping.result(PATIENCE)


def test_previews_of_an_old_server_belong_to_the_running_node(comfy: Comfy, client: Client) -> None:
    job = client.submit(WORKFLOW)
    previews = job.previews()
    comfy.tell(PREVIEW)  # nobody's, as far as can be known
    comfy.tell(*start(job.prompt_id), event("executing", job.prompt_id, node="1"), PREVIEW)
    assert next(previews) == Preview("image/png", PNG, prompt_id=job.prompt_id, node="1")
    comfy.tell(event("executing", job.prompt_id, node="2"), PREVIEW)
    assert next(previews).node == "2"
    comfy.complete(job.prompt_id)
    assert list(previews) == []


def test_images_over_the_websocket_are_results_and_no_previews(comfy: Comfy, client: Client) -> None:
    workflow = {**WORKFLOW, "9": {"class_type": "SaveImageWebsocket", "inputs": {"images": ["1", 0]}}}
    with client.listen(SocketImage) as images, client.listen("preview") as previews:
        job = client.submit(workflow)
        comfy.tell(*start(job.prompt_id), event("executing", job.prompt_id, node="1"), PREVIEW)
        comfy.tell(event("executing", job.prompt_id, node="9"), PREVIEW + b"1", PREVIEW + b"2")
        assert [image.data for image in taken(images, 2)] == [PNG + b"1", PNG + b"2"]
        assert taken(previews, 1)[0].node == "1"
        assert previews.empty()
    comfy.finish(job.prompt_id, outputs={})
    comfy.tell(*run(job.prompt_id)[-6:])
    result = job.result(PATIENCE)
    assert [file.read() for file in result["9"].images] == [PNG + b"1", PNG + b"2"]


def test_on_a_server_of_2024_the_history_is_the_result(client: Client, comfy: Comfy) -> None:
    del comfy.routes["GET", "/api/jobs/*"]
    job = client.submit(WORKFLOW)
    comfy.finish(job.prompt_id)
    comfy.tell(*old_run(job.prompt_id))
    assert job.result(PATIENCE).images[0].filename == "a_00001_.png"
    assert f"GET /history/{job.prompt_id}" in comfy.questions()
    assert types(list(job.events()))[-1] == "executing"


def test_progress_of_a_job(comfy: Comfy, client: Client) -> None:
    job = client.submit(WORKFLOW)
    assert job.progress == 0.0
    with client.listen("progress", "executing") as listener:
        comfy.tell(*start(job.prompt_id, "1"), event("progress", job.prompt_id, value=1, max=2, node="2"))
        until(listener, Progress)
        assert job.progress == 0.75
        assert job.node_progress == {"1": 1.0, "2": 0.5}
        comfy.finish(job.prompt_id)
        comfy.tell(end(job.prompt_id))
        job.result(PATIENCE)
    assert job.progress == 1.0
    assert job.node_progress == {"1": 1.0, "2": 1.0}


def test_the_websocket_is_told_nothing_but_the_feature_flags(comfy: Comfy, client: Client) -> None:
    comfy.on_prompt = comfy.complete
    client.run(WORKFLOW)
    client.close()
    comfy.wait_for(lambda: comfy.link().closed)  # by then all has come
    assert [opcode for opcode, _ in comfy.link().received] == [TEXT, CLOSE]
