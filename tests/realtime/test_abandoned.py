"""Clients that nobody closed: their threads end once nobody has any use for them, and somebody is told."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import warnings
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import Client
from tests.conftest import soon
from tests.fakes import silence
from tests.realtime.comfy import QUICK, WORKFLOW, Comfy, our_threads
from tests.realtime.peer import CLOSE, PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient import Job, Result

NOT_CLOSED = r"a client of http://127\.0\.0\.1:\d+ was not closed: use it in a `with` statement, or call its close\(\)"


def make(comfy: Comfy, **options: Any) -> Client:
    return Client(comfy.url, reconnect=QUICK, **options)


def threads_end() -> bool:
    return soon(lambda: our_threads() == [])


def test_its_threads_end_and_somebody_is_told(comfy: Comfy) -> None:
    client = make(comfy)
    client.connect()
    comfy.on_prompt = comfy.complete
    assert client.run(WORKFLOW).images
    assert len(our_threads()) == 2
    with pytest.warns(ResourceWarning, match=NOT_CLOSED):
        del client
    assert threads_end()
    comfy.wait_for(lambda: comfy.link().closed)
    assert comfy.link().sent(CLOSE) == [b"\x03\xe8"]


def test_without_a_websocket_too(comfy: Comfy) -> None:
    client = make(comfy, realtime=False)
    comfy.on_prompt = comfy.finish
    assert client.run(WORKFLOW).images
    with pytest.warns(ResourceWarning, match=NOT_CLOSED):
        del client
    assert threads_end()


def test_what_was_closed_or_never_started_anything_is_nobodys_business(comfy: Comfy) -> None:
    with make(comfy) as client:
        client.connect()
    never = make(comfy)
    assert never.queue.list().queue_running == ()
    del client, never
    gc.collect()  # a warning would be an error


def test_a_client_that_was_closed_is_freed_though_its_callbacks_know_it(comfy: Comfy) -> None:
    def use() -> weakref.ref[Client]:
        client = make(comfy)
        client.on("mark", lambda _: client)
        client.close()
        return weakref.ref(client)

    gone = use()
    gc.collect()
    assert gone() is None


def test_a_job_keeps_what_it_needs(comfy: Comfy) -> None:
    job = make(comfy).submit(WORKFLOW)
    gc.collect()
    assert len(our_threads()) == 2
    comfy.complete(job.prompt_id)
    assert job.result(PATIENCE).images
    with pytest.warns(ResourceWarning, match=NOT_CLOSED):
        del job
    assert threads_end()


def test_a_result_keeps_no_threads_and_can_be_used_without(comfy: Comfy) -> None:
    comfy.on_prompt = comfy.complete
    comfy.routes["GET", "/view"] = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nPNG"

    def leave() -> Result:
        return make(comfy).run(WORKFLOW)

    with pytest.warns(ResourceWarning, match=NOT_CLOSED):
        result = leave()
    assert threads_end()
    assert result.images[0].read() == b"PNG"
    assert result.history().succeeded


def test_a_promise_to_call_back_is_kept(comfy: Comfy) -> None:
    ended = threading.Event()

    def end_it() -> bool:
        comfy.complete(comfy.prompt())
        return ended.wait(PATIENCE) and threads_end()

    make(comfy).submit(WORKFLOW).add_done_callback(lambda _: ended.set())
    gc.collect()
    with pytest.warns(ResourceWarning, match=NOT_CLOSED):  # in the dispatcher's thread, which has the last reference
        assert end_it()


@pytest.mark.parametrize("how", ["callback", "queue"])
def test_who_still_wants_events_has_them(comfy: Comfy, how: str) -> None:
    heard = threading.Event()
    client = make(comfy)
    client.connect()
    connection, dispatcher = client._tracker.connection, client._tracker.dispatcher
    assert connection is not None
    queue = client.listen("mark") if how == "queue" else None
    if queue is None:
        client.on("mark", lambda _: heard.set())
    with pytest.warns(ResourceWarning, match=NOT_CLOSED):
        del client
    try:
        comfy.link().send({"type": "mark", "data": None})
        if queue is None:
            assert heard.wait(PATIENCE)
        else:
            assert queue.get(timeout=PATIENCE).type == "mark"
            queue.close()
    finally:
        connection.close()
        dispatcher.close(PATIENCE)


def hang(comfy: Comfy) -> Client:
    """The websocket's handshake is not answered."""
    client = make(comfy, connect_timeout=0.5)
    comfy.handshakes.append(silence())
    with client.listen("mark"):
        comfy.wait_for(lambda: comfy.attempts)
    return client


def rest(comfy: Comfy) -> Client:
    """There is no server any more, and the next attempt is a while off."""
    client = make(comfy)
    client.connect()
    with client.listen("disconnected") as losses:
        comfy.hide()
        comfy.link().drop()
        losses.get(timeout=PATIENCE)
    return client


def ask(comfy: Comfy) -> Client:
    """A question about a job is not answered."""
    client = make(comfy, read_timeout=0.5, poll_interval=0.05)
    comfy.routes["GET", "/api/jobs/*"] = lambda _: silence()
    client.submit(WORKFLOW)
    comfy.wait_for(lambda: comfy.asked("GET", "/api/jobs/*"))
    return client


@pytest.mark.parametrize("trouble", [hang, rest, ask])
def test_in_whatever_state(comfy: Comfy, trouble: Callable[[Comfy], Client]) -> None:
    client = trouble(comfy)
    with pytest.warns(ResourceWarning, match=NOT_CLOSED):
        del client
    assert threads_end()


def test_in_a_cycle_that_a_thread_of_its_own_may_collect(comfy: Comfy) -> None:
    class Ring:
        def __init__(self, client: Client, job: Job) -> None:
            self.client, self.job, self.me = client, job, self

    def ring() -> None:
        client = make(comfy)
        Ring(client, client.submit(WORKFLOW))

    def abandon() -> bool:
        for _ in range(10):
            ring()
            comfy.tell(*[{"type": "mark", "data": None}] * 20)
        gc.collect()
        return threads_end()

    thresholds = gc.get_threshold()
    gc.set_threshold(5, 2, 2)
    try:
        with pytest.warns(ResourceWarning, match=NOT_CLOSED):
            assert abandon()
    finally:
        gc.set_threshold(*thresholds)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # that is what this is about
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_fork_leaves_the_clients_of_its_parent_alone(comfy: Comfy, connect: Any) -> None:
    client = connect()
    client.connect()
    child = os.fork()
    if child == 0:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            client._tracker._finalizer()
        os._exit(len([warning for warning in told if warning.category is ResourceWarning]))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    comfy.on_prompt = comfy.complete
    assert client.run(WORKFLOW).images  # over the same websocket
    assert len(comfy.attempts) == 1


def test_a_program_that_ends_is_not_bothered(comfy: Comfy) -> None:
    program = f"import comfyclient; client = comfyclient.Client({comfy.url!r}); client.connect()"
    command = [sys.executable, "-W", "always", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
