"""Waiting for jobs, in every way: results, exceptions, callbacks, futures, several jobs at once."""

from __future__ import annotations

import concurrent.futures
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import (
    FIRST_COMPLETED,
    FIRST_EXCEPTION,
    Client,
    ClientClosed,
    Job,
    JobFailed,
    JobInterrupted,
    JobTimeout,
    Result,
    Workflow,
    as_completed,
    wait,
)
from comfyclient.events import Executed
from tests.conftest import soon
from tests.workflows import BOTH_WAYS, PATIENCE, Gate, failing, fresh, node, quick, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient.events import Event

pytestmark = pytest.mark.needs_test_nodes


class Calls:
    """What a callback was called with, and until when."""

    def __init__(self, expected: int) -> None:
        self.seen: list[Any] = []
        self._expected = expected
        self._done = threading.Event()

    def __call__(self, value: Any) -> None:
        self.seen.append(value)
        if len(self.seen) == self._expected:
            self._done.set()

    def wait(self) -> list[Any]:
        assert self._done.wait(PATIENCE)
        return self.seen


# --- one job ------------------------------------------------------------------------------------------------


def two_branches(gate: Gate, last: dict[str, Any]) -> dict[str, Any]:
    """A text, then a gate, and behind that something else."""
    return {"1": node("TestText", value="kept", seed=fresh()), "2": gate.node(value=["1", 0]), "3": last}


@BOTH_WAYS
def test_what_a_job_made_before_it_failed_is_not_lost(comfyui_url: str, *, realtime: bool) -> None:
    gate = Gate(comfyui_url)
    graph = two_branches(gate, node("TestRaise", exception="ValueError", message="because", value=["2", 0]))
    with Client(comfyui_url, realtime=realtime) as client, Client(comfyui_url) as other:
        for is_cached in (False, True):
            graph["2"]["inputs"]["seed"] = fresh()  # what fails waits for it, and comes after the text from the cache
            job = client.submit(graph)
            if not is_cached:
                gate.wait()
            gate.open()
            with pytest.raises(JobFailed) as caught:
                job.result(PATIENCE)
            for each in (job, other.job(caught.value.prompt_id)):
                assert each.partial_result().texts == ("kept",)
                assert list(each.partial_result()) == ["1"]


def test_what_a_job_has_made_so_far_is_there_while_it_runs(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)
    job = client.submit(two_branches(gate, node("TestText", value=["2", 0])))
    assert next(event.node for event in job.events() if isinstance(event, Executed)) == "1"
    so_far = job.partial_result()
    assert (so_far.texts, so_far.timings.finished) == (("kept",), None)
    assert other_texts(comfyui_url, job) == ()
    gate.open()
    assert len(job.result(PATIENCE).texts) == 2
    assert job.partial_result().texts == job.result().texts
    assert so_far.texts == ("kept",)


def test_what_a_job_made_before_it_was_stopped_is_not_lost(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)
    running = client.submit(two_branches(gate, node("TestText", value=["2", 0])))
    gate.wait()
    waiting = client.submit(text("never"))
    assert waiting.cancel(PATIENCE)
    assert waiting.partial_result().texts == ()
    assert running.cancel(PATIENCE)
    assert running.partial_result().texts == ("kept",)
    assert other_texts(comfyui_url, running) == ("kept",)


def test_what_a_job_made_before_it_was_lost_needs_no_server(comfyui_url: str) -> None:
    gate = Gate(comfyui_url)
    with Client(comfyui_url) as client:
        job = client.submit(two_branches(gate, node("TestText", value=["2", 0])))
        assert any(isinstance(event, Executed) for event in job.events())
    gate.open()
    assert job.status == "lost"
    assert job.partial_result().texts == ("kept",)


def other_texts(url: str, job: Job) -> tuple[str, ...]:
    """What a client that did not submit it can know of it."""
    with Client(url) as other:
        return other.job(job.prompt_id).partial_result().texts


@BOTH_WAYS
def test_a_timeout_ends_the_wait_and_not_the_job(comfyui_url: str, *, realtime: bool) -> None:
    gate = Gate(comfyui_url)
    with Client(comfyui_url, realtime=realtime) as client:
        job = client.submit(gate.workflow())
        gate.wait()
        for ask in (job.result, job.exception, lambda timeout: job.result(timeout, on_event=print)):
            started = time.monotonic()
            with pytest.raises(JobTimeout, match=r"in_progress|in progress|pending") as caught:
                ask(0.05)
            assert 0.05 <= time.monotonic() - started < PATIENCE
            assert isinstance(caught.value, TimeoutError)
            assert caught.value.prompt_id == job.prompt_id
        with pytest.raises(JobTimeout):
            job.result(timeout=0)
        with pytest.raises(JobTimeout, match="goes on"):
            client.run(text("x"), timeout=0.05)
        gate.open()
        assert job.result(PATIENCE).texts == ("through",)
        assert job.result(timeout=0).texts == ("through",)


@BOTH_WAYS
def test_the_states_of_a_job(comfyui_url: str, *, realtime: bool) -> None:
    first, second = Gate(comfyui_url), Gate(comfyui_url)
    with Client(comfyui_url, realtime=realtime) as client:
        running, waiting = client.submit(first.workflow()), client.submit(second.workflow())
        first.wait()
        assert soon(running.running)  # the gate tells us before an event or an answer does
        assert (running.status, running.running(), running.done()) == ("in_progress", True, False)
        assert (waiting.status, waiting.running(), waiting.done()) == ("pending", False, False)
        assert running.number is not None
        assert waiting.number is not None
        assert running.number < waiting.number
        assert waiting.progress == 0.0
        assert waiting.prompt_id in repr(waiting)
        assert "pending" in repr(waiting)
        first.open()
        second.open()
        assert waiting.result(PATIENCE).prompt_id == waiting.prompt_id
        assert running.exception(PATIENCE) is None
        assert (running.status, running.running(), running.done()) == ("completed", False, True)


def test_a_job_keeps_its_workflow(client: Client) -> None:
    graph = text("as it was")
    job = client.submit(graph)
    graph["1"]["inputs"]["value"] = "changed"
    job.workflow["1"]["value"] = "changed too"
    assert job.workflow["1"]["value"] == "as it was"
    assert job.result(PATIENCE).texts == ("as it was",)
    assert job.result().workflow == job.workflow


def test_exception_returns_what_result_raises(client: Client) -> None:
    assert client.submit(quick(fresh())).exception(PATIENCE) is None
    job = client.submit(failing("told twice"))
    error = job.exception(PATIENCE)
    assert isinstance(error, JobFailed)
    with pytest.raises(JobFailed, match="told twice") as caught:
        job.result()
    assert caught.value is not error  # threads must not share one traceback
    assert str(caught.value) == str(error)


def test_events_come_in_order_in_the_waiting_thread(client: Client) -> None:
    seen: list[tuple[str, threading.Thread]] = []

    def note(event: Event) -> None:
        seen.append((event.type, threading.current_thread()))

    client.run(quick(fresh()), timeout=PATIENCE, on_event=note)
    assert {thread for _, thread in seen} == {threading.current_thread()}
    kinds = [kind for kind, _ in seen if kind != "progress_state"]
    assert kinds == ["execution_start", "execution_cached", "executing", "executed", "execution_success", "executing"]


def test_what_on_event_raises_comes_out_of_run(client: Client) -> None:
    def refuse(_: Event) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        client.run(quick(fresh()), timeout=PATIENCE, on_event=refuse)
    assert client.run(text("next"), timeout=PATIENCE).texts == ("next",)


# --- callbacks ----------------------------------------------------------------------------------------------


@BOTH_WAYS
def test_done_callbacks_come_in_order_and_one_that_raises_harms_nobody(
    comfyui_url: str, caplog: pytest.LogCaptureFixture, *, realtime: bool
) -> None:
    gate, calls = Gate(comfyui_url), Calls(3)

    def explode(_: Job) -> None:
        raise ZeroDivisionError("on purpose")

    with Client(comfyui_url, realtime=realtime) as client:
        job = client.submit(gate.workflow())
        job.add_done_callback(lambda job: calls((1, job, threading.current_thread().name)))
        job.add_done_callback(explode)
        job.add_done_callback(lambda job: calls((2, job, threading.current_thread().name)))
        gate.open()
        job.result(PATIENCE)
        assert soon(lambda: len(calls.seen) == 2)  # whoever waits for the end may know of it before they are called
        job.add_done_callback(explode)
        job.add_done_callback(lambda job: calls((3, job, threading.current_thread().name)))
        assert calls.wait() == [(i, job, "comfyclient-dispatcher") for i in (1, 2, 3)]
        assert client.run(text("alive"), timeout=PATIENCE).texts == ("alive",)
    logged = [record for record in caplog.records if record.name.startswith("comfyclient")]
    assert [record.levelno for record in logged if record.exc_info] == [logging.ERROR] * 2
    assert "ZeroDivisionError: on purpose" in caplog.text


def test_done_callbacks_are_called_however_a_job_ends(comfyui_url: str) -> None:
    calls = Calls(3)
    gate = Gate(comfyui_url)
    with Client(comfyui_url) as client, Client(comfyui_url) as other:
        client.submit(failing()).add_done_callback(calls)
        running, waiting = client.submit(gate.workflow()), client.submit(text("never"))
        running.add_done_callback(calls)
        waiting.add_done_callback(calls)
        gate.wait()
        other.queue.delete(waiting.prompt_id)
        other.queue.interrupt(running.prompt_id)
        assert {job.status for job in calls.wait()} == {"failed", "cancelled", "lost"}


@BOTH_WAYS
def test_jobs_can_be_run_inside_of_a_callback(comfyui_url: str, *, realtime: bool) -> None:
    """The reader resolves them, or whoever waits; not the thread that the callback blocks."""
    calls = Calls(1)

    with Client(comfyui_url, realtime=realtime) as client:

        def again(job: Job) -> None:
            other = client.submit(text("submitted"))
            several = [client.submit(text(i)) for i in range(3)]
            calls(
                [
                    threading.current_thread().name,
                    job.result().texts,
                    client.run(text("run"), timeout=PATIENCE).texts,
                    other.result(PATIENCE).texts,
                    sorted(job.result().texts for job in as_completed(several, PATIENCE)),
                    client.submit(failing()).exception(PATIENCE).__class__,
                ]
            )

        client.submit(text("first")).add_done_callback(again)
        assert calls.wait() == [
            [
                "comfyclient-dispatcher",
                ("first",),
                ("run",),
                ("submitted",),
                [("0",), ("1",), ("2",)],
                JobFailed,
            ]
        ]


def test_a_job_can_be_run_inside_of_an_event_callback(client: Client) -> None:
    calls = Calls(1)

    def once(_: Event) -> None:
        subscription.cancel()
        calls(client.run(text("inner"), timeout=PATIENCE).texts)

    subscription = client.on("executed", once)
    assert client.run(text("outer"), timeout=PATIENCE).texts == ("outer",)
    assert calls.wait() == [("inner",)]


# --- futures ------------------------------------------------------------------------------------------------


def test_futures_are_those_of_the_standard_library(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)
    slow = client.submit(gate.workflow())
    future = slow.future()
    assert future is slow.future()
    assert future.running()
    assert not future.cancel()
    bad = client.submit(failing("by future")).future()
    done, not_done = concurrent.futures.wait([future, bad], timeout=0.05)
    assert (done, not_done) == (set(), {future, bad})
    gate.open()
    done, not_done = concurrent.futures.wait([future, bad], timeout=PATIENCE)
    assert (done, not_done) == ({future, bad}, set())
    assert isinstance(future.result(), Result)
    assert future.result().texts == ("through",)
    with pytest.raises(JobFailed, match="by future"):
        bad.result()
    late = slow.future()
    assert late.result(PATIENCE).texts == ("through",)


def test_a_future_of_a_job_that_has_ended(client: Client) -> None:
    job = client.submit(text("over"))
    job.result(PATIENCE)
    assert job.future().result(PATIENCE).texts == ("over",)


def test_a_future_does_not_outlive_its_client(comfyui_url: str) -> None:
    gate = Gate(comfyui_url)
    with Client(comfyui_url) as client:
        future = client.submit(gate.workflow()).future()
    with pytest.raises(ClientClosed):
        future.result(PATIENCE)
    gate.open()


# --- several jobs -------------------------------------------------------------------------------------------


def test_as_completed_yields_the_first_to_end_first(comfyui_url: str, client: Client) -> None:
    gates = [Gate(comfyui_url) for _ in range(3)]
    with Client(comfyui_url) as other:  # the jobs may be of several clients
        jobs = [
            submitter.submit(gate.workflow()) for submitter, gate in zip((client, other, client), gates, strict=True)
        ]
        completed = as_completed([*reversed(jobs), jobs[0]], PATIENCE)
        for gate, job in zip(gates, jobs, strict=True):
            gate.open()
            assert next(completed) is job
        assert list(completed) == []
        assert list(as_completed(jobs, timeout=0)) == jobs  # they have ended


def test_as_completed_gives_up_in_time(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)
    done, slow = client.submit(quick(fresh())), client.submit(gate.workflow())
    done.result(PATIENCE)
    completed = as_completed([slow, done], timeout=0.1)
    assert next(completed) is done
    with pytest.raises(JobTimeout, match=slow.prompt_id):
        next(completed)
    gate.open()
    assert slow.result(PATIENCE).texts == ("through",)


@BOTH_WAYS
def test_wait_returns_when_it_should(comfyui_url: str, *, realtime: bool) -> None:
    bad, slow = Gate(comfyui_url), Gate(comfyui_url)
    with Client(comfyui_url, realtime=realtime) as client:
        jobs = [
            client.submit(quick(fresh())),
            client.submit(
                {"1": bad.node(), "2": node("TestRaise", exception="ValueError", message="", value=["1", 0])}
            ),
            client.submit(slow.workflow()),
        ]
        assert wait(jobs, PATIENCE, FIRST_COMPLETED) == ({jobs[0]}, {jobs[1], jobs[2]})
        assert wait(jobs, 0.05) == ({jobs[0]}, {jobs[1], jobs[2]})
        assert wait(jobs, 0) == ({jobs[0]}, {jobs[1], jobs[2]})
        bad.open()
        assert wait(jobs, PATIENCE, FIRST_EXCEPTION) == ({jobs[0], jobs[1]}, {jobs[2]})
        slow.open()
        assert wait(jobs, PATIENCE).not_done == set()
        assert wait([]) == (set(), set())
        with pytest.raises(ValueError, match="ALL_COMPLETED"):
            wait(jobs, return_when="sometime")


# --- how it is submitted ------------------------------------------------------------------------------------


def test_front_and_number_decide_about_the_order(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)
    order: list[str] = []
    note: Callable[[Job], None] = lambda job: order.append(job.result().texts[0])  # noqa: E731
    first = client.submit(gate.workflow("gate"))
    gate.wait()
    assert first.number is not None
    jobs = [
        client.submit(text("normal")),
        client.submit(text("front"), front=True),
        client.submit(text("by number"), number=first.number + 0.5),
        client.submit(text("last"), number=1e9),
    ]
    for job in jobs:
        job.add_done_callback(note)
    queue = client.queue.list()
    ours = {job.prompt_id: job.number for job in jobs}
    assert [item.number for item in queue.queue_pending if item.prompt_id in ours] == sorted(
        number for number in ours.values() if number is not None
    )
    gate.open()
    assert soon(lambda: len(order) == len(jobs), PATIENCE)
    assert order == ["front", "by number", "normal", "last"]


def test_extra_data_goes_along(client: Client) -> None:
    pnginfo = {"workflow": {"id": "6f1c2a0e-0b7e-4f0c-8e7e-2f3c9d8f1a10", "nodes": []}}
    job = client.submit(text("x"), extra_data={"extra_pnginfo": pnginfo, "mine": [1, None]})
    extra_data = job.result(PATIENCE).history().prompt.extra_data
    assert extra_data["extra_pnginfo"] == pnginfo
    assert extra_data["mine"] == [1, None]
    assert extra_data["client_id"] == client.config.client_id


@pytest.mark.parametrize("method", ["latent2rgb", "taesd", None])
def test_a_preview_method_is_that_of_one_prompt(client: Client, method: str | None) -> None:
    graph = {"1": node("TestPreviewMethod", seed=fresh())}
    assert client.run(graph, timeout=PATIENCE, preview_method=method).texts == (method or "none",)


def test_an_interrupted_job_says_so_everywhere(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)
    job = client.submit(Workflow(gate.workflow()))
    future = job.future()
    gate.wait()
    client.queue.interrupt(job.prompt_id)
    assert isinstance(job.exception(PATIENCE), JobInterrupted)
    assert isinstance(future.exception(PATIENCE), JobInterrupted)
    assert wait([job], 0).done == {job}
