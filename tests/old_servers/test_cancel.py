"""Whatever a server's age, cancelling hits the prompt that is meant, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from comfyclient import JobTimeout, Unsupported
from tests.conftest import soon
from tests.realtime.comfy import WORKFLOW
from tests.realtime.peer import PATIENCE

if TYPE_CHECKING:
    from comfyclient import Client, Job
    from tests.old_servers.emulated import Emulated
    from tests.realtime.conftest import Connect

A_WHILE = 0.4
"""Seconds in which a client that may interrupt has done so many times over."""


@pytest.fixture
def theirs(connect: Connect) -> Job:
    """Somebody else's job."""
    return connect().submit(WORKFLOW)


def test_a_job_that_waits_is_taken_from_the_queue(server: Emulated, client: Client, theirs: Job) -> None:
    server.begin(theirs.prompt_id)
    job = client.submit(WORKFLOW)
    assert job.cancel(PATIENCE)
    assert (server.pending, server.running, server.hit) == ([], [theirs.prompt_id], [])


def test_a_job_that_runs_alone_is_interrupted(server: Emulated, client: Client) -> None:
    job = client.submit(WORKFLOW)
    server.begin(job.prompt_id)
    assert job.cancel(PATIENCE)
    assert server.hit == [job.prompt_id]


def test_a_job_that_runs_while_others_wait(server: Emulated, client: Client, connect: Connect) -> None:
    """In March 2024 an interrupt would hit the next one, if ours ended meanwhile."""
    job = client.submit(WORKFLOW)
    server.begin(job.prompt_id)
    theirs = connect().submit(WORKFLOW)
    if server.version == "2024-03":
        with pytest.raises(JobTimeout):
            job.cancel(A_WHILE)
        assert server.hit == []
        theirs.cancel(PATIENCE)
        assert soon(lambda: server.hit == [job.prompt_id])  # it has not been forgotten
        assert job.cancel(PATIENCE)
    else:
        assert job.cancel(PATIENCE)
        assert server.pending == [theirs.prompt_id]
        sent = server.asked("POST", "/interrupt")
        assert {request.json["prompt_id"] for request in sent} == {job.prompt_id}
    assert server.hit == [job.prompt_id]


def test_a_job_that_has_ended_without_our_knowing(server: Emulated, client: Client, theirs: Job) -> None:
    job = client.submit(WORKFLOW)
    with server.changed:  # before the client can look
        server.begin(job.prompt_id)
        owner, server._bodies[job.prompt_id][3]["client_id"] = client.config.client_id, "nobody hears of it"
        server.play(job.prompt_id)
        server.begin(theirs.prompt_id)
    assert owner
    assert not job.cancel(PATIENCE)
    assert job.status == "completed"
    assert (server.running, server.hit) == ([theirs.prompt_id], [])


# --- client.jobs --------------------------------------------------------------------------------------------


def test_a_prompt_that_waits(server: Emulated, client: Client, theirs: Job) -> None:
    waiting = client.queue.submit(WORKFLOW).prompt_id
    assert client.jobs.cancel(waiting)
    assert not client.jobs.cancel(waiting)
    assert not client.jobs.cancel("unknown")
    assert (server.pending, server.hit) == ([theirs.prompt_id], [])


def test_a_prompt_that_runs_alone(server: Emulated, client: Client) -> None:
    running = client.queue.submit(WORKFLOW).prompt_id
    server.begin(running)
    assert client.jobs.cancel(running)
    assert server.hit == [running]
    assert not client.jobs.cancel(running)


def test_a_prompt_that_runs_while_others_wait(server: Emulated, client: Client, connect: Connect) -> None:
    running = client.queue.submit(WORKFLOW).prompt_id
    server.begin(running)
    theirs = connect().submit(WORKFLOW)
    if server.version == "2024-03":
        with pytest.raises(Unsupported, match=r"a way to interrupt one prompt and no other, .* version 0\.3\.57"):
            client.jobs.cancel(running)
        assert (server.running, server.hit) == ([running], [])
    else:
        assert client.jobs.cancel(running)
        assert server.hit == [running]
    assert server.pending == [theirs.prompt_id]


def test_several_prompts(server: Emulated, client: Client, theirs: Job) -> None:
    running, *waiting = [client.queue.submit(WORKFLOW).prompt_id for _ in range(3)]
    server.begin(running)
    theirs.cancel(PATIENCE)
    assert client.jobs.cancel_all([running, *waiting, "00000000-0000-4000-8000-00000000000f"])
    assert (server.pending, server.running, server.hit) == ([], [], [running])
    assert not client.jobs.cancel_all([running, *waiting])
