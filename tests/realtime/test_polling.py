"""Many jobs of which nothing is heard: one poller for all of them, which asks little."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from comfyclient import Client, Reconnect, wait
from comfyclient.errors import JobLost, ServerError
from tests.fakes import last_words, reply
from tests.realtime.comfy import WORKFLOW, Comfy
from tests.realtime.peer import PATIENCE

if TYPE_CHECKING:
    from tests.realtime.conftest import Connect

MANY = 40


def listings(comfy: Comfy) -> int:
    return comfy.questions().count("GET /api/jobs")


def asked_alone(comfy: Comfy, prompt_ids: list[str], start: int = 0) -> set[str]:
    """The prompts that were asked about one by one, since so many questions."""
    return {path.rpartition("/")[2] for path in comfy.questions()[start:]} & set(prompt_ids)


def after_some(comfy: Comfy) -> int:
    """Wait until all are known, and see what is asked then: how many questions came before."""
    count = listings(comfy)
    comfy.wait_for(lambda: listings(comfy) > count + 1)
    start = len(comfy.questions())
    comfy.wait_for(lambda: listings(comfy) > count + 6)
    return start


@pytest.mark.parametrize("blocked", [False, True], ids=["realtime=False", "a proxy that lets no websocket through"])
def test_those_behind_are_asked_about_together(comfy: Comfy, connect: Connect, *, blocked: bool) -> None:
    comfy.handshakes.extend([lambda connection: connection.sendall(reply(403))] * 1000 * blocked)
    client = connect(poll_interval=0.05, realtime=blocked)
    jobs = [client.submit(WORKFLOW) for _ in range(MANY)]
    start = after_some(comfy)
    assert asked_alone(comfy, [job.prompt_id for job in jobs[2:]], start) == set()
    comfy.begin(jobs[1].prompt_id)
    comfy.wait_for(lambda: jobs[1].status == "in_progress")
    comfy.forget(jobs[-1].prompt_id)
    with pytest.raises(JobLost):
        jobs[-1].result(PATIENCE)
    for job in jobs[:-1]:
        comfy.finish(job.prompt_id)
    assert not wait(jobs, PATIENCE).not_done
    assert {job.status for job in jobs[:-1]} == {"completed"}


def test_an_old_server_is_asked_for_its_queue_and_not_about_each() -> None:
    with Comfy(jobs_route=False) as comfy, Client(comfy.url, realtime=False, poll_interval=0.05) as client:
        jobs = [client.submit(WORKFLOW) for _ in range(MANY)]
        start = after_some(comfy)
        assert asked_alone(comfy, [job.prompt_id for job in jobs[2:]], start) == set()
        comfy.forget(jobs[-1].prompt_id)
        with pytest.raises(JobLost):
            jobs[-1].result(PATIENCE)
        for job in jobs[:-1]:
            comfy.finish(job.prompt_id)
        assert not wait(jobs, PATIENCE).not_done


def test_jobs_of_others_are_asked_about_together_beside_a_websocket(comfy: Comfy, connect: Connect) -> None:
    with connect(realtime=False) as other:
        theirs = [other.submit(WORKFLOW).prompt_id for _ in range(10)]
    client = connect(poll_interval=0.05)
    client.connect()
    jobs = [client.job(prompt_id) for prompt_id in theirs]
    start = after_some(comfy)
    assert asked_alone(comfy, theirs[2:], start) == set()
    for prompt_id in theirs:
        comfy.finish(prompt_id)
    assert not wait(jobs, PATIENCE).not_done


def test_that_there_is_no_websocket_is_told_once_there_is_a_job_that_misses_it(
    comfy: Comfy, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    def warnings() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]

    comfy.handshakes.append(last_words(reply(403)))
    client = connect(reconnect=Reconnect(first=60, longest=60))
    accept = comfy.routes["POST", "/prompt"]
    comfy.routes["POST", "/prompt"] = lambda _: reply(413)
    with pytest.raises(ServerError):
        client.submit(WORKFLOW)
    assert warnings() == []
    comfy.routes["POST", "/prompt"] = accept
    for _ in range(2):
        client.submit(WORKFLOW)
    (warning,) = warnings()
    assert "status 403" in warning
    assert warning.endswith("jobs are followed by polling")


def test_after_a_loss_of_the_websocket_all_are_asked_about_at_once(comfy: Comfy, connect: Connect) -> None:
    client = connect(poll_interval=600)
    with client.listen("reconnected") as listener:
        jobs = [client.submit(WORKFLOW) for _ in range(MANY)]
        comfy.forget(jobs[5].prompt_id)
        comfy.links[-1].drop()
        listener.get(timeout=PATIENCE)
    with pytest.raises(JobLost):
        jobs[5].result(PATIENCE)
    comfy.wait_for(lambda: listings(comfy) >= 1)
    assert asked_alone(comfy, [job.prompt_id for job in jobs[10:]]) == set()
    for job in jobs:
        comfy.forget(job.prompt_id)
