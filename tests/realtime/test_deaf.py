"""The websocket is a hint, HTTP is the truth: silent, deaf and lying sockets."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from comfyclient import as_completed, wait
from comfyclient._realtime.vital_signs import VitalSigns
from comfyclient.config import Reconnect
from comfyclient.errors import JobFailed, JobInterrupted, JobLost, JobTimeout, ServerError, ServerUnreachable
from comfyclient.events import Disconnected, Progress, Reconnected, Status
from tests.conftest import soon
from tests.fakes import Request, hang_up, json_reply, reply, silence
from tests.realtime.clock import Clock
from tests.realtime.comfy import (
    IMAGE,
    QUICK,
    WORKFLOW,
    Comfy,
    end,
    event,
    executed,
    failure,
    old_run,
    progress_state,
    run,
    start,
    status,
    success,
    until,
)
from tests.realtime.peer import PATIENCE, PING, PONG, frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from comfyclient import Client, EventQueue
    from tests.realtime.conftest import Connect

KEEN = Reconnect(first=0.01, longest=0.05, ping_interval=0.05, ping_timeout=10, deaf_after=0.4)
"""Pings all the time, and soon suspects a socket of being deaf."""
PATIENT = evolve(KEEN, deaf_after=5)
"""For what is heard: it comes to nothing sooner, or to a new socket."""
UNHEARD = Disconnected("the server accepted a prompt and the websocket did not hear of it")


@pytest.fixture(autouse=True)
def _quick_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader looks up from a silent socket more often than twice a second."""
    monkeypatch.setattr("comfyclient._realtime.connection._TICK", 0.02)


def opened(client: Client) -> EventQueue[Any]:
    """A listener to everything, once the websocket is open and greeted."""
    listener = client.listen()
    until(listener, Status)
    return listener


def has_heard(client: Client) -> bool:
    """Whether the websocket soon has nothing to hear of any more; a new one has not, either."""
    connection = client._tracker.connection
    assert connection is not None
    return soon(lambda: connection._expecting_since is None)


@pytest.fixture
def ticker() -> Iterator[Callable[[float, Callable[[], object]], None]]:
    """Has something done again and again until the test ends."""
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def tick(pause: float, action: Callable[[], object]) -> None:
        def run() -> None:
            while not stop.wait(pause):
                action()

        threads.append(threading.Thread(target=run, name="peer", daemon=True))
        threads[-1].start()

    yield tick
    stop.set()
    for thread in threads:
        thread.join(PATIENCE)


# --- deaf sockets -------------------------------------------------------------------------------------------


def test_invariant_08_a_deaf_socket_is_replaced_though_it_answers_pings(comfy: Comfy, connect: Connect) -> None:
    client = connect(reconnect=KEEN, poll_interval=60)
    with opened(client) as listener:
        comfy.silent = True
        job = client.submit(WORKFLOW)
        assert until(listener, Disconnected) == UNHEARD
        comfy.silent = False
        until(listener, Reconnected)
        comfy.wait_for(lambda: comfy.link(0).sent(PING))
        assert comfy.overlaps == [[], []]
        comfy.link(1)
        comfy.complete(job.prompt_id)
        assert job.result(PATIENCE).images


def test_invariant_08_a_deaf_socket_is_replaced_though_the_server_pings(
    comfy: Comfy, connect: Connect, ticker: Callable[[float, Callable[[], object]], None]
) -> None:
    client = connect(reconnect=Reconnect(first=0.01, ping_interval=60, deaf_after=0.4), poll_interval=60)
    with opened(client) as listener:
        link = comfy.link(0)
        ticker(0.005, lambda: link.raw(frame(PING)))  # the reader never sees a silent moment
        comfy.wait_for(lambda: link.sent(PONG))
        comfy.silent = True
        client.submit(WORKFLOW)
        assert until(listener, Disconnected) == UNHEARD


def test_invariant_08_a_deaf_socket_is_replaced_while_prompts_keep_coming(comfy: Comfy, connect: Connect) -> None:
    client = connect(reconnect=KEEN, poll_interval=60)
    with opened(client) as listener:
        comfy.silent = True
        pause = threading.Event()
        deadline = time.monotonic() + PATIENCE
        while listener.empty() and time.monotonic() < deadline:
            client.submit(WORKFLOW)
            pause.wait(0.05)  # well below the time after which a socket counts as deaf
        assert not listener.empty()
        assert until(listener, Disconnected) == UNHEARD


def test_invariant_08_a_socket_that_hears_is_kept(comfy: Comfy, connect: Connect) -> None:
    client = connect(reconnect=PATIENT)
    with opened(client):
        for _ in range(2):
            client.submit(WORKFLOW)
            assert has_heard(client)
        assert len(comfy.attempts) == 1


def test_invariant_08_what_comes_while_the_reader_is_held_up_is_heard(
    comfy: Comfy, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between a look at the socket and what follows from it, a busy machine may have no time for the thread."""
    wanted, held, go_on = (threading.Event() for _ in range(3))
    worry = VitalSigns.worry

    def hold(signs: VitalSigns, heard_at: float, looked_at: float) -> str:
        if wanted.is_set():
            held.set()
            assert go_on.wait(PATIENCE)
        return worry(signs, heard_at, looked_at)

    monkeypatch.setattr(VitalSigns, "worry", hold)
    client = connect(reconnect=Reconnect(first=0.01, ping_interval=60, deaf_after=1e-9))
    with opened(client):
        wanted.set()
        assert held.wait(PATIENCE)
        client.submit(WORKFLOW)  # the server says so before it answers
        go_on.set()
        assert has_heard(client)
        assert len(comfy.attempts) == 1


def test_invariant_08_an_end_that_was_not_heard_makes_the_socket_suspect(comfy: Comfy, connect: Connect) -> None:
    client = connect(reconnect=KEEN, poll_interval=0.05)
    with opened(client) as listener:
        job = client.submit(WORKFLOW)
        until(listener, Status)
        comfy.silent = True
        comfy.finish(job.prompt_id)
        assert job.result(PATIENCE).images
        assert until(listener, Disconnected) == UNHEARD
        until(listener, Reconnected)


def test_a_job_that_is_asked_about_all_the_time_does_not_cost_the_socket(comfy: Comfy, connect: Connect) -> None:
    """Cancelling asks often, so its questions meet every moment of a prompt's end; the socket hears it all the same."""
    client = connect(reconnect=PATIENT)

    def stop(request: Request) -> bytes:
        prompt_id = request.json["prompt_id"]
        interrupted = event("execution_interrupted", prompt_id, node_id="1", node_type="EmptyImage", executed=[])
        comfy.finish(prompt_id, *start(prompt_id), interrupted, status_str="error", outputs={})
        comfy.tell(*start(prompt_id), interrupted, status(0), end(prompt_id))
        return reply(200)

    comfy.routes["POST", "/interrupt"] = stop
    with opened(client):
        for _ in range(20):
            job = client.submit(WORKFLOW)
            comfy.begin(job.prompt_id)
            assert job.cancel(PATIENCE) is True
            with pytest.raises(JobInterrupted):
                job.result(PATIENCE)
        assert has_heard(client)
        assert len(comfy.attempts) == 1


def test_without_a_policy_a_deaf_socket_is_left_alone(comfy: Comfy, connect: Connect) -> None:
    client = connect(reconnect=None, poll_interval=0.05)
    with opened(client):
        comfy.silent = True
        for _ in range(3):
            job = client.submit(WORKFLOW)
            comfy.finish(job.prompt_id)
            assert job.result(PATIENCE).images
        assert len(comfy.attempts) == 1


# --- what is asked, and when --------------------------------------------------------------------------------


def test_invariant_08_nothing_is_asked_while_events_flow(
    comfy: Comfy, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch, "_realtime.connection", "_tracking.registry", "_tracking.state", "_tracking.watch")
    client = connect(poll_interval=60, reconnect=None)
    with client.listen("progress") as listener:
        running, waiting = client.submit(WORKFLOW), client.submit(WORKFLOW)
        comfy.tell(*start(running.prompt_id), event("executing", running.prompt_id, node="1"))
        for value in range(10):  # nine intervals
            comfy.tell(event("progress", running.prompt_id, value=value, max=9, node="1"))
            until(listener, Progress)
            clock.advance(54)
            client._tracker.watch.chores()
        assert comfy.questions() == []
        clock.advance(54)
        client._tracker.watch.chores()
        assert comfy.questions() != []
        comfy.complete(running.prompt_id)
        comfy.complete(waiting.prompt_id)
        assert wait([running, waiting], PATIENCE).not_done == set()


def test_invariant_08_a_whole_course_needs_no_question(comfy: Comfy, connect: Connect) -> None:
    comfy.on_prompt = comfy.complete  # all events come before the answer to the submission
    client = connect(poll_interval=60)
    for _ in range(20):
        assert client.run(WORKFLOW).images
    assert comfy.questions() == []


def test_invariant_08_a_silent_job_is_asked_about_ever_more_rarely(comfy: Comfy, connect: Connect) -> None:
    asked_at: list[float] = []
    find = comfy.routes["GET", "/api/jobs/*"]

    def note(request: Request) -> Any:
        asked_at.append(time.monotonic())
        return find(request)

    client = connect(poll_interval=0.1)
    assert client.server.has("jobs")
    comfy.routes["GET", "/api/jobs/*"] = note
    submitted_at = time.monotonic()
    job = client.submit(WORKFLOW)
    comfy.begin(job.prompt_id)
    comfy.wait_for(lambda: len(asked_at) >= 4)
    comfy.finish(job.prompt_id)
    assert job.result(PATIENCE).images
    gaps = [later - earlier for earlier, later in pairwise([submitted_at, *asked_at[:4]])]
    assert all(gap >= 0.09 * 2 ** max(0, number - 1) for number, gap in enumerate(gaps))
    assert {path.split("/")[1] for path in comfy.questions()} == {"api", "history"}


@pytest.mark.parametrize("jobs_route", [True, False])
def test_invariant_08_a_pending_job_deleted_in_silence_is_lost(
    connect: Connect,
    comfy: Comfy,
    jobs_route: bool,  # noqa: FBT001 - a parameter
) -> None:
    if not jobs_route:
        del comfy.routes["GET", "/api/jobs/*"]
    client = connect(poll_interval=0.1)
    job, other = client.submit(WORKFLOW), client.submit(WORKFLOW)
    comfy.silent = True
    comfy.forget(job.prompt_id)
    with pytest.raises(JobLost, match=f"the server no longer knows prompt {job.prompt_id}"):
        job.result(PATIENCE)
    assert (job.status, other.status) == ("lost", "pending")
    asked = [path.replace(job.prompt_id, "ID") for path in comfy.questions() if other.prompt_id not in path]
    assert asked.count(asked[0]) == 1  # whether there is such a route; nobody has to be asked twice
    if jobs_route:
        assert set(asked[1:]) == {"GET /api/jobs/ID"}
    else:
        assert "GET /api/jobs/ID" not in asked
        while asked[-1] == "GET /queue":  # for the other one, meanwhile
            asked.pop()
        assert asked[-3:] == ["GET /history/ID", "GET /queue", "GET /history/ID"]


def test_a_pending_job_deleted_aloud_is_lost_at_once(comfy: Comfy, connect: Connect) -> None:
    client = connect(poll_interval=60)
    with opened(client):
        jobs = [client.submit(WORKFLOW) for _ in range(3)]
        comfy.forget(jobs[1].prompt_id)
        comfy.tell(status(2))
        with pytest.raises(JobLost):
            jobs[1].result(PATIENCE)
        assert [job.status for job in jobs] == ["pending", "lost", "pending"]


def test_invariant_08_nobody_has_to_wait_for_a_job_for_it_to_be_looked_after(comfy: Comfy, connect: Connect) -> None:
    client = connect(poll_interval=0.05)
    ended = threading.Event()
    job = client.submit(WORKFLOW)
    job.add_done_callback(lambda _: ended.set())
    comfy.silent = True
    comfy.finish(job.prompt_id)
    assert ended.wait(PATIENCE)
    assert job.status == "completed"


@pytest.mark.parametrize("silent", [False, True])
def test_invariant_07_servers_of_2024_are_asked_for_the_history(comfy: Comfy, connect: Connect, silent: bool) -> None:  # noqa: FBT001 - a parameter
    del comfy.routes["GET", "/api/jobs/*"]
    client = connect(poll_interval=0.1 if silent else 60)
    job = client.submit(WORKFLOW)
    comfy.silent = silent
    comfy.finish(job.prompt_id)
    comfy.tell(*old_run(job.prompt_id))
    assert job.result(PATIENCE).images[0].filename == "a_00001_.png"
    assert "GET /queue" not in comfy.questions()


def test_invariant_07_success_without_the_end_is_no_end(comfy: Comfy, client: Client) -> None:
    job = client.submit(WORKFLOW)
    with client.listen("execution_success") as listener:
        done = progress_state(job.prompt_id, _1=(1, 1, "finished"))
        events = [*start(job.prompt_id), done, executed(job.prompt_id), *success(job.prompt_id)]
        comfy.tell(*events[:-2])
        listener.get(timeout=PATIENCE)
        assert not job.done()
        with pytest.raises(JobTimeout):
            job.result(0.05)
        comfy.tell(events[-1])
        job.result(PATIENCE)
    assert comfy.questions() == []


def test_a_success_of_which_an_output_was_not_heard_is_read_from_the_history(comfy: Comfy, client: Client) -> None:
    job = client.submit(WORKFLOW)
    comfy.finish(job.prompt_id)
    comfy.tell(*(told for told in run(job.prompt_id) if told["type"] != "executed"))
    assert [file.filename for file in job.result(PATIENCE).files] == [IMAGE["filename"]]


def test_a_success_whose_outputs_nobody_can_know_any_more_is_lost(comfy: Comfy, client: Client) -> None:
    job = client.submit(WORKFLOW)
    comfy.forget(job.prompt_id)
    comfy.tell(*(told for told in run(job.prompt_id) if told["type"] != "executed"))
    with pytest.raises(JobLost):
        job.result(PATIENCE)


def test_a_jobs_route_that_is_out_of_order_is_done_without(comfy: Comfy, connect: Connect) -> None:
    comfy.routes["GET", "/api/jobs/*"] = reply(500, "500 Internal Server Error", "text/plain")
    client = connect(poll_interval=0.1)
    lost, done = client.submit(WORKFLOW), client.submit(WORKFLOW)
    comfy.silent = True
    comfy.forget(lost.prompt_id)
    comfy.finish(done.prompt_id)
    with pytest.raises(JobLost):
        lost.result(PATIENCE)
    assert done.result(PATIENCE).images


def test_a_failure_that_was_not_heard_is_read_from_the_history(comfy: Comfy, connect: Connect) -> None:
    client = connect(poll_interval=0.05)
    job = client.submit(WORKFLOW)
    comfy.silent = True
    told = failure(job.prompt_id)
    comfy.finish(job.prompt_id, *start(job.prompt_id), told, status_str="error", outputs={})
    with pytest.raises(JobFailed, match=r"node 1 'EmptyImage' raised ValueError: boom"):
        job.result(PATIENCE)


def test_a_history_that_cannot_be_read_does_not_keep_a_success_waiting(comfy: Comfy, connect: Connect) -> None:
    comfy.routes["GET", "/history/*"] = reply(500)
    client = connect(poll_interval=0.05)
    job = client.submit(WORKFLOW)
    comfy.finish(job.prompt_id)
    comfy.tell(*start(job.prompt_id), event("execution_success", job.prompt_id), end(job.prompt_id))
    assert job.result(PATIENCE).files == ()


def test_a_history_that_cannot_be_read_hides_nothing_that_events_told(comfy: Comfy, connect: Connect) -> None:
    """Old servers do not tell of cached outputs by events."""
    comfy.routes["GET", "/history/*"] = reply(500)
    client = connect(retry=None)
    old, today = client.submit(WORKFLOW), client.submit(WORKFLOW)
    for job, snapshots in ((old, []), (today, [progress_state(today.prompt_id, _1=(0.0, 1.0, "running"))])):
        told = [executed(job.prompt_id), failure(job.prompt_id), end(job.prompt_id)]
        comfy.tell(*start(job.prompt_id), *snapshots, *told)
        assert isinstance(job.exception(PATIENCE), JobFailed)
    with pytest.raises(ServerError):
        old.partial_result()
    assert [file.filename for file in today.partial_result().images] == [IMAGE["filename"]]


def test_invariant_08_a_server_that_is_gone_ends_every_wait(comfy: Comfy, connect: Connect) -> None:
    client = connect(poll_interval=0.05, give_up_after=0.5, retry=None)
    jobs = [client.submit(WORKFLOW) for _ in range(3)]
    comfy.hide()
    comfy.drop_all()
    for job in jobs:
        with pytest.raises(ServerUnreachable):
            job.result(PATIENCE)
    assert [job.status for job in jobs] == ["lost"] * 3


def test_invariant_08_a_server_that_answers_nothing_ends_every_wait(comfy: Comfy, connect: Connect) -> None:
    client = connect(poll_interval=0.05, read_timeout=0.2, give_up_after=0.5, retry=None)
    jobs = [client.submit(WORKFLOW) for _ in range(2)]
    comfy.silent = True
    comfy.link().answers_pings = False
    for path in ("/api/jobs/*", "/history/*", "/queue"):
        comfy.routes["GET", path] = lambda _: silence()
    for job in jobs:
        assert isinstance(job.exception(PATIENCE), (ServerUnreachable, TimeoutError))
        assert job.status == "lost"


def test_invariant_08_a_proxy_that_talks_nonsense_ends_every_wait(comfy: Comfy, connect: Connect) -> None:
    client = connect(poll_interval=0.05, give_up_after=0.3, retry=None)
    job = client.submit(WORKFLOW)
    comfy.silent = True
    for path in ("/api/jobs/*", "/history/*", "/queue"):
        comfy.routes["GET", path] = reply(200, "<html><title>Welcome</title>", "text/html")
    assert job.exception(PATIENCE) is not None
    assert job.status == "lost"


def test_what_a_proxy_says_counts_although_the_connection_broke_before(comfy: Comfy, connect: Connect) -> None:
    client = connect(poll_interval=0.05, give_up_after=0.3, retry=None)
    job = client.submit(WORKFLOW)
    comfy.silent = True
    answers = iter([hang_up])
    for path in ("/api/jobs/*", "/history/*", "/queue"):
        comfy.routes["GET", path] = lambda _: next(answers, reply(502, "<html>"))
    error = job.exception(PATIENCE)
    assert isinstance(error, ServerError)
    assert error.status == 502


def test_a_success_is_not_taken_from_a_proxys_word(comfy: Comfy, connect: Connect) -> None:
    """Its events did not tell of any output; only ComfyUI's own 500 means that there is no more to be had."""
    client = connect(poll_interval=0.05)
    job = client.submit(WORKFLOW)
    comfy.finish(job.prompt_id)
    find = comfy.routes["GET", "/history/*"]
    answers = iter([reply(502, "<html>")] * 3)
    comfy.routes["GET", "/history/*"] = lambda request: next(answers, None) or find(request)
    comfy.tell(*(told for told in run(job.prompt_id) if told["type"] != "executed"))
    assert job.result(PATIENCE).images


def test_a_cancel_whose_answer_was_lost_is_one(comfy: Comfy, connect: Connect) -> None:
    client = connect(poll_interval=0.05)
    job = client.submit(WORKFLOW)
    comfy.silent = True

    def lose(request: Request) -> Any:
        comfy.forget(request.json["delete"][0])
        return hang_up

    comfy.routes["POST", "/queue"] = lose
    assert job.cancel(PATIENCE)


def test_several_jobs_are_waited_for_by_asking(comfy: Comfy, connect: Connect) -> None:
    client = connect(poll_interval=0.05)
    jobs = [client.submit(WORKFLOW) for _ in range(5)]
    comfy.silent = True
    for job in jobs:
        comfy.finish(job.prompt_id)
    assert set(as_completed(jobs, PATIENCE)) == set(jobs)
    assert wait(jobs, PATIENCE).not_done == set()


def test_a_worker_that_died_leaves_the_job_running_until_patience_ends(comfy: Comfy, connect: Connect) -> None:
    client = connect(poll_interval=0.05)
    job = client.submit(WORKFLOW)
    comfy.begin(job.prompt_id)
    comfy.silent = True
    assert soon(job.running)
    with pytest.raises(JobTimeout, match=r"is in progress and has not ended in time"):
        job.result(0.6)
    assert job.status == "in_progress"


def test_an_unknown_job_in_another_dialect(comfy: Comfy, connect: Connect) -> None:
    """A proxy's 404 about /api is no word of the server about the job."""
    comfy.routes["GET", "/api/jobs/*"] = json_reply({"detail": "Not Found"}, 404)
    client = connect(poll_interval=0.05, reconnect=QUICK)
    job = client.submit(WORKFLOW)
    comfy.silent = True
    comfy.wait_for(lambda: "GET /queue" in comfy.questions())
    assert job.status == "pending"
    comfy.finish(job.prompt_id)
    assert job.result(PATIENCE).images
