"""Losing the websocket and getting it back."""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from comfyclient._realtime import frames
from comfyclient._realtime.connection import Connection
from comfyclient._realtime.vital_signs import VitalSigns
from comfyclient.config import ClientConfig, Reconnect
from comfyclient.errors import JobLost
from comfyclient.events import (
    Connected,
    Disconnected,
    Event,
    Executing,
    ExecutionCached,
    Progress,
    Reconnected,
    ReconnectFailed,
    Status,
)
from tests.conftest import soon
from tests.fakes import last_words, reply
from tests.realtime.clock import Clock
from tests.realtime.comfy import (
    OUTPUT,
    QUICK,
    WORKFLOW,
    Comfy,
    event,
    executed,
    progress_state,
    reader_threads,
    run,
    start,
    success,
    until,
)
from tests.realtime.peer import BINARY, CLOSE, PATIENCE, PING, Link, frame, message

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient import Client, EventQueue
    from comfyclient.jobs import Job
    from tests.realtime.conftest import Connect

WATCHFUL = evolve(QUICK, ping_interval=0.1)
BOTH: dict[str, Any] = {"1": {"text": ["first"]}, "2": OUTPUT}


@pytest.fixture(autouse=True)
def _quick_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader looks up from a silent socket more often than twice a second."""
    monkeypatch.setattr("comfyclient._realtime.connection._TICK", 0.02)


class ReadersClock(Clock):
    """The clock of the thread that reads.

    Attributes:
        looks: How often it has found that nothing came, and thought about it.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(monkeypatch, "_realtime.connection", "_realtime.vital_signs")
        self.looks = 0
        worry = VitalSigns.worry

        def look(signs: VitalSigns, heard_at: float, looked_at: float) -> str:
            worries = worry(signs, heard_at, looked_at)
            self.looks += 1
            return worries

        monkeypatch.setattr(VitalSigns, "worry", look)

    def wait_for_a_look(self) -> None:
        """One that begins from now on."""
        until = self.looks + 2
        assert soon(lambda: self.looks >= until, PATIENCE)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ReadersClock:
    return ReadersClock(monkeypatch)


def opened(client: Client, comfy: Comfy) -> EventQueue[Any]:
    """A listener to everything, once the websocket is open and greeted; nothing else may have opened it."""
    listener = client.listen()
    until(listener, Status)
    comfy.link()
    return listener


def stop_answering(link: Link) -> None:
    link.answers_pings = link.answers_close = False


def stall(link: Link) -> None:
    stop_answering(link)
    link.raw(frame(BINARY, bytes(1000))[:100])


def lose(comfy: Comfy, clock: ReadersClock, reason: str) -> None:
    """Have the websocket lost."""
    LOSSES[reason](comfy.link(0))
    if "ping" in reason:
        for _ in range(2):  # it is pinged, and there is no answer
            clock.wait_for_a_look()
            clock.advance(QUICK.ping_interval + 1)


LOSSES: dict[str, Callable[[Link], object]] = {
    "Connection to remote host was lost": Link.drop,
    "the server closed the connection": lambda link: link.raw(frame(CLOSE, b"\x03\xe9")),
    "rsv is not implemented": lambda link: link.raw(b"\xc1\x00"),
    "no answer to a ping": stop_answering,
    "no answer to a  ping": stall,
}


@pytest.mark.parametrize("reason", LOSSES)
def test_invariant_09_the_old_socket_is_closed_before_the_new_one_opens(
    comfy: Comfy, client: Client, clock: ReadersClock, reason: str
) -> None:
    with opened(client, comfy) as listener:
        lose(comfy, clock, reason)
        assert reason.replace("  ", " ") in until(listener, Disconnected).error
        assert listener.get(timeout=PATIENCE) == Reconnected()
        comfy.link(1)
        assert comfy.overlaps == [[], []]
        ids = [link.request.query["clientId"] for link in comfy.links]
        assert ids == [client.config.client_id] * 2
        comfy.link(1).send(event("progress", "p", value=1, max=2))
        assert until(listener, Progress) == Progress(1, 2, "p")
        comfy.wait_for(lambda: comfy.links[0].closed)
        assert len(reader_threads()) == 1


@pytest.mark.parametrize("reason", LOSSES)
def test_invariant_09_a_loss_is_a_loss_though_the_dispatcher_reads(
    comfy: Comfy, client: Client, clock: ReadersClock, reason: str
) -> None:
    called = threading.Semaphore(0)
    with opened(client, comfy) as listener:
        client.on("progress", lambda _: called.release())
        for value in range(3):  # each finds it idle
            comfy.link(0).send(event("progress", "p", value=value, max=9))
            assert called.acquire(timeout=PATIENCE)
        comfy.link(0).answers_close = False  # the connection stays until it is closed here
        lose(comfy, clock, reason)
        assert reason.replace("  ", " ") in until(listener, Disconnected).error
        assert listener.get(timeout=PATIENCE) == Reconnected()
        comfy.link(1).send(event("progress", "p", value=9, max=9))
        assert called.acquire(timeout=PATIENCE)
        assert comfy.overlaps == [[], []]


def test_invariant_09_connections_lost_in_a_row_never_overlap(comfy: Comfy, client: Client) -> None:
    with opened(client, comfy) as listener:
        for number in range(6):
            link = comfy.link(number)
            link.answers_close = bool(number % 2)
            link.raw(frame(CLOSE) if number % 3 else b"\xc1\x00")
            until(listener, Disconnected)
            until(listener, Reconnected)
        comfy.link(6)
        assert comfy.overlaps == [[]] * 7
        assert len(comfy.attempts) == 7


def test_listeners_and_callbacks_go_on(comfy: Comfy, client: Client) -> None:
    called: list[int] = []
    done = threading.Event()

    def note(event: Progress) -> None:
        called.append(int(event.value))
        if event.value == 2:
            done.set()

    with opened(client, comfy) as listener:
        client.on(Progress, note)
        comfy.link(0).send(event("progress", "p", value=1, max=2))
        until(listener, Progress)
        comfy.link(0).drop()
        until(listener, Reconnected)
        comfy.link(1).send(event("progress", "p", value=2, max=2))
        assert until(listener, Progress).value == 2
        assert done.wait(PATIENCE)
        assert called == [1, 2]


# --- jobs ---------------------------------------------------------------------------------------------------


def test_invariant_09_jobs_are_brought_up_to_date(comfy: Comfy, connect: Connect) -> None:
    client = connect(poll_interval=60)  # nothing but the reconnection makes it ask
    with opened(client, comfy) as listener:
        finished, running, waiting, gone = (client.submit(WORKFLOW) for _ in range(4))
        comfy.tell(*start(finished.prompt_id))
        comfy.begin(finished.prompt_id)

        def meanwhile(_: Any) -> None:
            comfy.finish(finished.prompt_id)
            comfy.begin(running.prompt_id)
            comfy.forget(gone.prompt_id)

        comfy.handshakes.append(meanwhile)
        comfy.link(0).drop()
        until(listener, Reconnected)
        assert finished.result(PATIENCE).images[0].filename == "a_00001_.png"
        with pytest.raises(JobLost, match=gone.prompt_id):
            gone.result(PATIENCE)
        comfy.wait_for(lambda: "GET /api/jobs" in comfy.questions())
        assert waiting.status == "pending"
        comfy.complete(running.prompt_id)
        assert running.result(PATIENCE).images
        comfy.complete(waiting.prompt_id)
        assert waiting.result(PATIENCE).images


def finish_with_both(comfy: Comfy, job: Job, *rest: Any) -> None:
    """The rest of a run of which the beginning, with the output of node 1, was not heard."""
    comfy.finish(job.prompt_id, outputs=BOTH)
    comfy.link().send(progress_state(job.prompt_id, _1=(1, 1, "finished")), *rest, executed(job.prompt_id))
    comfy.link().send(*success(job.prompt_id))


def test_invariant_09_what_was_not_heard_is_read_from_the_history(comfy: Comfy, client: Client) -> None:
    with opened(client, comfy) as listener:
        job = client.submit(WORKFLOW)
        comfy.tell(*start(job.prompt_id))
        comfy.begin(job.prompt_id)
        until(listener, ExecutionCached)
        comfy.link(0).drop()
        until(listener, Reconnected)
        comfy.link(1).send({"type": "executing", "data": {"node": "2"}})
        finish_with_both(comfy, job)
        result = job.result(PATIENCE)
        assert result.texts == ("first",)
        assert len(result.images) == 1


def test_a_job_submitted_without_a_websocket_has_its_whole_result(comfy: Comfy, connect: Connect) -> None:
    """The websocket opens for the first time while the job runs."""
    comfy.handshakes.append(last_words(reply(503)))
    client = connect(poll_interval=60, reconnect=Reconnect(first=60, longest=60))
    job = client.submit(WORKFLOW)
    comfy.begin(job.prompt_id)
    with client.listen(Connected, Executing) as listener:
        client.connect()
        link = comfy.link(0)
        link.send(event("executing", job.prompt_id, node="2"))
        until(listener, Executing)
        finish_with_both(comfy, job)
        assert job.result(PATIENCE).texts == ("first",)


def test_a_job_submitted_during_an_outage_has_its_whole_result(comfy: Comfy, connect: Connect) -> None:
    client = connect(poll_interval=60)
    with opened(client, comfy) as listener:
        comfy.handshakes += [last_words(reply(503))] * 1000
        comfy.link(0).drop()
        until(listener, ReconnectFailed)
        job = client.submit(WORKFLOW)
        comfy.begin(job.prompt_id)
        comfy.handshakes.clear()
        until(listener, Reconnected)
        comfy.link(1)
        finish_with_both(comfy, job, event("executing", job.prompt_id, node="2"))
        assert job.result(PATIENCE).texts == ("first",)


def test_what_is_submitted_once_the_websocket_is_open_needs_no_history(comfy: Comfy, connect: Connect) -> None:
    comfy.on_prompt = comfy.complete
    for _ in range(5):
        client = connect()
        assert client.submit(WORKFLOW).result(PATIENCE).images
    assert comfy.questions() == []


def test_a_server_that_restarts_has_lost_its_jobs(comfy: Comfy, client: Client) -> None:
    with opened(client, comfy) as listener:
        jobs = [client.submit(WORKFLOW) for _ in range(3)]
        comfy.hide()
        comfy.pending.clear()
        comfy.drop_all()
        until(listener, ReconnectFailed)
        comfy.show()
        until(listener, Reconnected)
        for job in jobs:
            with pytest.raises(JobLost, match="the server no longer knows prompt"):
                job.result(PATIENCE)


def test_a_server_that_is_away_for_a_while_keeps_its_jobs(comfy: Comfy, client: Client) -> None:
    with opened(client, comfy) as listener:
        job = client.submit(WORKFLOW)
        comfy.hide()
        comfy.drop_all()
        for _ in range(5):
            assert "refused" in until(listener, ReconnectFailed).error
        assert not job.done()
        comfy.show()
        until(listener, Reconnected)
        comfy.link(1)
        comfy.complete(job.prompt_id)
        assert job.result(PATIENCE).images


# --- when it tries again ------------------------------------------------------------------------------------


def gaps(comfy: Comfy) -> list[float]:
    return [later - earlier for (earlier, _), (later, _) in pairwise(comfy.attempts)]


def test_attempts_become_rarer(comfy: Comfy, connect: Connect) -> None:
    comfy.handshakes += [last_words(reply(403))] * 6
    client = connect(reconnect=Reconnect(first=0.02, longest=0.2))
    with client.listen(ReconnectFailed, Connected) as listener:
        told = [until(listener, ReconnectFailed) for _ in range(6)]
        until(listener, Connected)
    announced = [event.retry_in or 0.0 for event in told]
    for number, (pause, gap) in enumerate(zip(announced, gaps(comfy), strict=True)):
        assert min(0.2, 0.02 * 2**number) / 2 <= pause <= min(0.2, 0.02 * 2**number)
        assert gap >= pause


def test_a_server_that_drops_everybody_is_not_hammered(comfy: Comfy, connect: Connect) -> None:
    comfy.on_link = Link.drop
    client = connect(reconnect=Reconnect(first=0.02, longest=10))
    client.on("*", lambda _: None)
    comfy.wait_for(lambda: len(comfy.links) == 6)
    assert all(gap >= 0.01 * 2**number for number, gap in enumerate(gaps(comfy)))


def test_after_a_long_connection_the_first_attempt_comes_soon(
    comfy: Comfy, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comfyclient._realtime.connection._SETTLED", 0.0)
    client = connect(reconnect=Reconnect(first=0.001, longest=600))
    with opened(client, comfy) as listener:
        for number in range(14):  # by doubling this would come to more than ten seconds
            comfy.link(number).drop()
            until(listener, Reconnected)


def test_somebody_who_wants_it_now_cuts_the_pause_short(comfy: Comfy, connect: Connect) -> None:
    client = connect(reconnect=Reconnect(first=60, longest=60))
    with opened(client, comfy) as listener:
        comfy.link(0).drop()
        until(listener, Disconnected)
        client.connect()
        assert listener.get(timeout=PATIENCE) == Reconnected()


def test_without_a_policy_it_stays_away_until_somebody_wants_it(comfy: Comfy, connect: Connect) -> None:
    client = connect(reconnect=None, poll_interval=0.05)
    with opened(client, comfy) as listener:
        job = client.submit(WORKFLOW)
        comfy.link(0).drop()
        until(listener, Disconnected)
        comfy.finish(job.prompt_id)
        assert job.result(PATIENCE).images  # by polling
        for thread in reader_threads():
            thread.join(PATIENCE)
        assert (reader_threads(), len(comfy.attempts)) == ([], 1)
        comfy.on_prompt = comfy.complete
        assert client.run(WORKFLOW).images
        until(listener, Reconnected)
        assert len(comfy.attempts) == 2


def test_whoever_asks_for_it_in_the_moment_of_the_loss_gets_one_new_socket(comfy: Comfy) -> None:
    told: list[Event] = []
    again = threading.Event()

    def deliver(event: Event) -> None:
        told.append(event)
        if isinstance(event, Disconnected):
            connection.start()  # as somebody else may at this very moment
        elif isinstance(event, Reconnected):
            again.set()

    connection = Connection(ClientConfig(url=comfy.url, reconnect=None), deliver)
    try:
        assert connection.ready(PATIENCE)
        (first,) = reader_threads()
        comfy.link(0).drop()
        assert again.wait(PATIENCE)
        first.join(PATIENCE)
        assert not first.is_alive()
        assert connection.ready(PATIENCE)
        assert len(comfy.attempts) == 2
        assert len(reader_threads()) == 1
    finally:
        connection.close()


# --- pings --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("buffered", [True, False])
def test_a_silent_server_is_pinged_and_kept_as_long_as_it_answers(
    comfy: Comfy,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    buffered: bool,  # noqa: FBT001 - a parameter
) -> None:
    monkeypatch.setattr(frames, "_SUPPORTED", buffered)
    client = connect(reconnect=WATCHFUL)
    with opened(client, comfy):
        comfy.wait_for(lambda: len(comfy.link(0).sent(PING)) >= 5)
        assert len(comfy.attempts) == 1


def test_a_large_message_on_a_slow_line_is_a_sign_of_life(comfy: Comfy, client: Client, clock: ReadersClock) -> None:
    with opened(client, comfy) as listener:
        link = comfy.link(0)
        link.answers_pings = False  # a server that sends cannot answer
        data = message(event("progress", "p", value=1, max=2, node="1" * 100))
        assert client._tracker.connection is not None
        current = client._tracker.connection._socket
        assert current is not None
        before = current.received
        for count in range(1, 20):
            link.raw(data[count - 1 : count])
            assert soon(lambda count=count: current.received == before + count, PATIENCE)  # type: ignore[misc]
            clock.wait_for_a_look()
            clock.advance(0.9 * QUICK.ping_interval)
        link.raw(data[count:])
        assert until(listener, Progress).value == 1
        assert len(comfy.attempts) == 1


def test_a_busy_server_is_not_pinged(comfy: Comfy, client: Client, clock: ReadersClock) -> None:
    with opened(client, comfy) as listener:
        link = comfy.link(0)
        for value in range(40):
            link.send(event("progress", "p", value=value, max=40))
            until(listener, Progress)
            clock.wait_for_a_look()
            clock.advance(0.9 * QUICK.ping_interval)
        assert link.sent(PING) == []


def test_a_healthy_course_is_not_disturbed(comfy: Comfy, connect: Connect) -> None:
    client = connect(reconnect=QUICK)
    comfy.on_prompt = lambda prompt_id: comfy.tell(*run(prompt_id))
    for _ in range(50):
        assert client.run(WORKFLOW, timeout=PATIENCE).images
    assert comfy.questions() == []
    assert len(comfy.attempts) == 1
