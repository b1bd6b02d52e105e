"""A timeout is kept, whatever the server or a callback does meanwhile."""

from __future__ import annotations

import gc
import os
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import ClientClosed, JobInterrupted, JobTimeout
from tests.conftest import soon
from tests.fakes import silence
from tests.realtime.comfy import WORKFLOW, Comfy, event, run, start
from tests.realtime.peer import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient import Client, Job
    from tests.realtime.conftest import Connect


def steps(prompt_id: str, count: int) -> list[Any]:
    """A run that goes on: nodes without number."""
    return [event("executing", prompt_id, node=str(node), display_node=str(node)) for node in range(count)]


@pytest.mark.parametrize("ends", [False, True])
def test_a_slow_on_event_does_not_stretch_the_timeout(
    comfy: Comfy, client: Client, monkeypatch: pytest.MonkeyPatch, *, ends: bool
) -> None:
    job = client.submit(WORKFLOW)
    comfy.tell(*start(job.prompt_id), *steps(job.prompt_id, 200))
    told: list[Any] = []
    clock = SimpleNamespace(monotonic=lambda: 3.0 * len(told))  # each event takes three seconds
    monkeypatch.setattr("comfyclient._tracking.wait.time", clock)

    def slow(heard: Any) -> None:
        told.append(heard)
        if ends and len(told) == 1:
            comfy.complete(job.prompt_id)
            assert soon(job.done)

    if ends:
        assert job.result(timeout=10, on_event=slow).images
    else:
        with pytest.raises(JobTimeout):
            job.result(timeout=10, on_event=slow)
    assert len(told) == 4


def test_the_timeout_of_run_begins_with_the_call(comfy: Comfy, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1e6])  # the submission took a million seconds
    monkeypatch.setattr("comfyclient.client.monotonic", lambda: next(clock))
    with pytest.raises(JobTimeout, match="it goes on"):
        client.run(WORKFLOW, timeout=1e6)
    assert len(comfy.prompts) == 1


def test_cancel_keeps_its_timeout_though_the_server_does_not_answer(comfy: Comfy, connect: Connect) -> None:
    job = connect(read_timeout=6 * PATIENCE).submit(WORKFLOW)
    comfy.routes["GET", "/api/jobs/*"] = lambda _: silence()
    before = time.monotonic()
    with pytest.raises(JobTimeout, match=r"has not stopped within 0\.2 s"):
        job.cancel(timeout=0.2)
    assert time.monotonic() - before < PATIENCE


def test_what_on_event_raises_cancels_the_prompt_of_run(comfy: Comfy, client: Client) -> None:
    comfy.on_prompt = lambda prompt_id: comfy.tell(*start(prompt_id))

    def fail(_: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        client.run(WORKFLOW, on_event=fail)
    assert comfy.pending == []
    (deletion,) = comfy.asked("POST", "/queue")
    assert deletion.json == {"delete": [comfy.prompt()]}


ODD_HISTORY: dict[str, Callable[[dict[str, Any]], object]] = {
    "no list of cached nodes": lambda entry: entry["status"]["messages"].append(["execution_cached", {"nodes": None}]),
    "odd cached nodes": lambda entry: entry["status"]["messages"].append(["execution_cached", {"nodes": [1, {}]}]),
    "odd meta": lambda entry: entry.update(meta={"2": None, "9": {"display_node": 3}}),
}


@pytest.mark.parametrize("odd", ODD_HISTORY)
def test_an_odd_history_resolves_futures_too(comfy: Comfy, connect: Connect, odd: str) -> None:
    job = connect(realtime=False).submit(WORKFLOW)
    future = job.future()
    comfy.finish(job.prompt_id)
    ODD_HISTORY[odd](comfy.history[job.prompt_id])
    assert future.result(PATIENCE).images


def test_abandoned_iterators_that_the_collector_finds_anywhere_block_nobody(comfy: Comfy, client: Client) -> None:
    class Ring:
        def __init__(self, job: Job) -> None:
            self.events = job.events()
            self.me = self
            next(self.events)

    job = client.submit(WORKFLOW)
    thresholds = gc.get_threshold()
    gc.set_threshold(5, 2, 2)
    try:
        for number in range(200):
            comfy.tell(*start(job.prompt_id), *steps(job.prompt_id, 3))
            if number % 4 == 0:
                Ring(job)
    finally:
        gc.set_threshold(*thresholds)
    comfy.complete(job.prompt_id)
    assert job.result(PATIENCE).images


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # that is what this is about
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_client_that_was_used_says_so_in_a_fork(comfy: Comfy, client: Client) -> None:
    job = client.submit(WORKFLOW)
    inside: list[Callable[[], object]] = [
        lambda: client.submit(WORKFLOW),
        client.queue.info,
        lambda: client.on("status", print),
        client.connect,
        lambda: job.result(PATIENCE),
    ]
    child = os.fork()
    if child == 0:
        refused = 0
        for use in inside:
            try:
                use()
            except ClientClosed as error:
                refused += "forked" in str(error)
            except BaseException:  # noqa: BLE001, S110 - the parent sees that one is missing
                pass
        os._exit(refused)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == len(inside)
    comfy.complete(job.prompt_id)
    assert job.result(PATIENCE).images


def test_an_interrupted_close_can_be_repeated(comfy: Comfy, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    client = connect()
    job = client.submit(WORKFLOW)
    connection = client._tracker.connection
    assert connection is not None

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(connection, "close", interrupted)
        with pytest.raises(KeyboardInterrupt):
            client.close()
    client.close()
    assert isinstance(job.exception(PATIENCE), ClientClosed)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("comfyclient-")]
    assert comfy.pending == [job.prompt_id]


def test_a_job_that_was_cancelled_stays_so(comfy: Comfy, client: Client) -> None:
    job = client.submit(WORKFLOW)
    assert job.cancel(PATIENCE)
    assert job.cancel(PATIENCE)
    assert isinstance(job.exception(0), JobInterrupted)
    comfy.tell(*run(job.prompt_id))
    assert job.cancelled()
