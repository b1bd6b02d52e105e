"""Cancelling on a real server: at whatever moment, it hits the one prompt that is meant, and ends."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

import pytest

from comfyclient import Client, JobInterrupted, JobTimeout
from comfyclient.events import Disconnected, Executing
from tests.workflows import BOTH_WAYS, PATIENCE, Gate, fresh, node, sleeping, text

if TYPE_CHECKING:
    from comfyclient import Job
    from tests.workflows import Graph

pytestmark = pytest.mark.needs_test_nodes


def history_says(client: Client, job: Job) -> str | None:
    """How the server remembers the job's end, in the job's words; ``None`` if it never began."""
    entry = client.history.get(job.prompt_id)
    if entry is None:
        return None
    return "completed" if entry.succeeded else "cancelled" if entry.interrupted else "failed"


@BOTH_WAYS
def test_a_running_job(comfyui_url: str, *, realtime: bool) -> None:
    gate = Gate(comfyui_url)
    with Client(comfyui_url, realtime=realtime) as client:
        job = client.submit(gate.workflow())
        gate.wait()
        assert job.cancel(PATIENCE)
        assert job.cancelled()
        assert job.done()
        assert not gate.is_waited_at()
        with pytest.raises(JobInterrupted, match=f"prompt {job.prompt_id} was interrupted"):
            job.result()
        assert history_says(client, job) == "cancelled"
        assert job.cancel()  # the second time there is nothing to do
        assert client.run(text("next"), timeout=PATIENCE).texts == ("next",)


@BOTH_WAYS
def test_a_waiting_job(comfyui_url: str, *, realtime: bool) -> None:
    gate = Gate(comfyui_url)
    with Client(comfyui_url, realtime=realtime) as client:
        running = client.submit(gate.workflow())
        gate.wait()
        job = client.submit(text("never"))
        assert job.cancel(PATIENCE)
        assert job.status == "cancelled"
        with pytest.raises(JobInterrupted, match="taken from the queue before it ran"):
            job.result()
        assert job.prompt_id not in {item.prompt_id for item in client.queue.list().queue_pending}
        assert job.cancel()
        gate.open()
        assert running.result(PATIENCE).texts == ("through",)
        assert history_says(client, job) is None


def test_a_job_that_has_ended(client: Client) -> None:
    job = client.submit(text("done"))
    assert job.result(PATIENCE).texts == ("done",)
    assert not job.cancel()
    assert job.status == "completed"


def test_cancelling_disturbs_no_connection(comfyui_url: str, client: Client) -> None:
    """The answer to a question may be quicker than the event of the end; the websocket is not deaf for that."""
    losses = client.listen(Disconnected)
    for _ in range(10):
        gate = Gate(comfyui_url)
        job = client.submit(gate.workflow())
        gate.wait()
        assert job.cancel(PATIENCE)
    assert client.run(sleeping(0.7), timeout=PATIENCE)  # longer than the reader's own pauses
    assert losses.empty()


@BOTH_WAYS
def test_a_node_that_does_not_look_is_stopped_in_the_background(comfyui_url: str, *, realtime: bool) -> None:
    gate, ended = Gate(comfyui_url), threading.Event()
    with Client(comfyui_url, realtime=realtime) as client:
        job = client.submit(gate.workflow(interruptible=False))
        job.add_done_callback(lambda _: ended.set())
        gate.wait()
        with pytest.raises(JobTimeout, match=r"has not stopped within 0\.2 s"):
            job.cancel(0.2)
        assert not job.done()
        gate.open()
        assert ended.wait(PATIENCE)  # nobody waits for the job meanwhile
        assert job.cancelled()
        assert isinstance(job.exception(), JobInterrupted)
        assert history_says(client, job) == "cancelled"


def test_cancelled_by_several_at_once(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)
    job = client.submit(gate.workflow())
    gate.wait()
    answers: list[bool] = []
    threads = [threading.Thread(target=lambda: answers.append(job.cancel(PATIENCE))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert answers.count(True) >= 1
    assert len(answers) == 4
    assert job.cancelled()


@BOTH_WAYS
def test_from_within_a_callback(comfyui_url: str, *, realtime: bool) -> None:
    gate, done = Gate(comfyui_url), threading.Event()
    answers: list[bool] = []
    with Client(comfyui_url, realtime=realtime) as client:
        first = client.submit(text("first"))
        running, waiting = client.submit(gate.workflow()), client.submit(text("never"))

        def cancel(_: Job) -> None:
            gate.wait()
            answers.extend(job.cancel(PATIENCE) for job in (waiting, running))
            done.set()

        first.add_done_callback(cancel)
        assert done.wait(PATIENCE)
        assert answers == [True, True]
        assert (running.status, waiting.status) == ("cancelled", "cancelled")


def test_from_within_an_event(comfyui_url: str, client: Client) -> None:
    first, gate = Gate(comfyui_url), Gate(comfyui_url)
    client.submit(first.workflow())
    job = client.submit(gate.workflow())

    @client.on(Executing)
    def cancel(event: Executing) -> None:
        if event.prompt_id == job.prompt_id and event.node == "1":
            assert job.cancel(PATIENCE)

    first.open()
    assert isinstance(job.exception(PATIENCE), JobInterrupted)


def test_a_client_that_is_closed_leaves_its_prompts_alone(comfyui_url: str) -> None:
    gate = Gate(comfyui_url)
    with Client(comfyui_url) as other:
        with Client(comfyui_url) as client:
            job = client.submit(gate.workflow())
            gate.wait()
        assert gate.is_waited_at()
        gate.open()
        assert other.job(job.prompt_id).result(PATIENCE).texts == ("through",)


# --- at random moments --------------------------------------------------------------------------------------


def several_steps() -> Graph:
    return {
        "1": node("TestProgress", steps=3, delay=0.005, seed=fresh(), value="kept"),
        "2": node("TestProgress", steps=3, delay=0.005, value=["1", 0]),
        "3": node("TestText", value=["2", 0]),
    }


@BOTH_WAYS
def test_at_any_moment_around_the_submission(comfyui_url: str, *, realtime: bool) -> None:
    """Thirty prompts, each cancelled in another moment, between prompts of another client: none of those is hit."""
    moments = random.Random(f"{realtime}")  # noqa: S311 - not a secret
    with Client(comfyui_url, realtime=realtime) as client, Client(comfyui_url) as other:
        theirs: list[Job] = []
        for _ in range(30):
            theirs.append(other.submit(several_steps()))
            if moments.random() < 0.5:  # sometimes ours runs at once
                theirs[-1].exception(PATIENCE)
            ours = client.submit(several_steps())
            theirs.append(other.submit(several_steps()))
            if realtime:
                count = moments.randrange(12)
                for event, _ in zip(ours.events(), range(count), strict=False):
                    assert event.prompt_id == ours.prompt_id
            elif moments.random() < 0.5:
                theirs[-2].exception(PATIENCE)
            cancelled = ours.cancel(PATIENCE)
            error = ours.exception(PATIENCE)
            assert ours.status in {"cancelled", "completed"}
            assert ours.cancelled() == isinstance(error, JobInterrupted) == (error is not None)
            assert cancelled <= ours.cancelled()  # what had ended when it was asked for is not cancelled by that
            assert history_says(client, ours) in {ours.status, None}
            assert ours.status == "cancelled" or history_says(client, ours) == "completed"
        for job in theirs:
            assert job.result(PATIENCE).texts == ("kept",)
