"""Closing: at any moment, from any thread, beside any peer; bounded, and nothing stays behind."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partialmethod
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import Client
from comfyclient._realtime.connection import Connection
from comfyclient.config import Reconnect
from comfyclient.errors import ClientClosed, ComfyError, JobTimeout
from comfyclient.events import Event, ReconnectFailed, UnknownEvent
from tests.fakes import last_words, reply, silence
from tests.realtime.comfy import QUICK, WORKFLOW, Comfy, event, our_threads, reader_threads, start, status, until
from tests.realtime.peer import BINARY, CLOSE, PATIENCE, frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.realtime.conftest import Connect

MARK = {"type": "mark", "data": None}


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


@pytest.fixture
def _long_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing waits long for a thread that does not notice, so that nobody can take the one for the other."""
    monkeypatch.setattr(Connection, "close", partialmethod(Connection.close, 6 * PATIENCE))


@contextmanager
def within(seconds: float) -> Iterator[None]:
    before = time.monotonic()
    yield
    assert time.monotonic() - before < seconds


def test_invariant_04_closing_twice_and_from_many_threads(
    comfy: Comfy, client: Client, pool: ThreadPoolExecutor
) -> None:
    client.on("mark", print)
    client.connect()
    assert len(our_threads()) == 2
    with within(PATIENCE):
        list(pool.map(lambda _: client.close(), range(16)))
        client.close()
    assert our_threads() == []
    comfy.wait_for(lambda: comfy.link().closed)


def test_invariant_04_closing_what_was_never_opened(comfy: Comfy, connect: Connect) -> None:
    client = connect()
    client.close()
    client.close()
    assert comfy.attempts == []
    with pytest.raises(ClientClosed):
        client.submit(WORKFLOW)
    with pytest.raises(ClientClosed):
        client.queue.list()


@pytest.mark.usefixtures("_long_wait")
def test_invariant_04_a_close_frame_is_sent_and_the_connection_ends_at_once(
    comfy: Comfy, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comfyclient._realtime.connection._TICK", 60)
    client.connect()
    link = comfy.link()
    with within(PATIENCE):
        client.close()
    comfy.wait_for(lambda: link.closed)
    assert link.sent(CLOSE) == [b"\x03\xe8"]


def mute(comfy: Comfy) -> None:
    """A peer that answers nothing any more, not even a close frame."""
    comfy.link().answers_close = comfy.link().answers_pings = False


def half_a_frame(comfy: Comfy) -> None:
    mute(comfy)
    comfy.link().raw(frame(BINARY, bytes(100_000))[:500])


def a_flood(comfy: Comfy) -> None:
    mute(comfy)
    link = comfy.link()

    def send() -> None:
        while not link.closed:
            link.send({"type": "x", "data": 1})

    threading.Thread(target=send, name="peer", daemon=True).start()


def a_dribble(comfy: Comfy) -> None:
    """A message that never ends, byte by byte: recv never times out, and its message never comes."""
    mute(comfy)
    link = comfy.link()
    link.raw(b"\x82\x7f" + (1 << 30).to_bytes(8, "big"))

    def send() -> None:
        pause = threading.Event()
        while not link.closed:
            link.raw(b"x")
            pause.wait(0.05)

    threading.Thread(target=send, name="peer", daemon=True).start()


@pytest.mark.parametrize("trouble", [mute, half_a_frame, a_flood, a_dribble])
def test_invariant_04_closing_beside_a_difficult_peer_is_bounded(comfy: Comfy, client: Client, trouble: Any) -> None:
    with client.listen() as listener:
        listener.get(timeout=PATIENCE)
        trouble(comfy)
        with within(PATIENCE):
            client.close()
    assert our_threads() == []
    comfy.wait_for(lambda: comfy.link().closed)


def test_invariant_04_closing_beside_a_handshake_that_hangs_is_bounded(
    comfy: Comfy, connect: Connect, pool: ThreadPoolExecutor
) -> None:
    comfy.handshakes.append(silence())
    client = connect(connect_timeout=60)
    connecting = pool.submit(client.connect)
    comfy.wait_for(lambda: comfy.attempts)
    with within(PATIENCE):
        client.close()
    assert our_threads() == []
    assert isinstance(connecting.exception(PATIENCE), ClientClosed)


@pytest.mark.parametrize("way", ["TLS", "proxy"])
def test_invariant_04_closing_before_the_handshake_is_bounded(pool: ThreadPoolExecutor, way: str) -> None:
    """Somebody takes the connection, and says nothing to TLS or about a tunnel."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        options: Any = {"verify": False} if way == "TLS" else {"proxy": f"http://{address}"}
        client = Client(f"https://{address}" if way == "TLS" else "http://comfy.test", connect_timeout=60, **options)
        connecting = pool.submit(client.connect)
        peer, _ = listener.accept()
        with peer:
            assert peer.recv(1)
            with within(PATIENCE):
                client.close()
    assert our_threads() == []
    assert isinstance(connecting.exception(PATIENCE), ClientClosed)


def test_invariant_04_closing_beside_a_handshake_that_dribbles_is_bounded(comfy: Comfy, connect: Connect) -> None:
    stop = threading.Event()

    def dribble(connection: Any) -> None:
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nX-Long: ")
        while not stop.wait(0.05):
            connection.sendall(b"x")

    comfy.handshakes.append(dribble)
    client = connect(connect_timeout=0.5)
    client.on("mark", print)
    comfy.wait_for(lambda: comfy.attempts)
    with within(PATIENCE):
        client.close()
    assert reader_threads() == []
    stop.set()


@pytest.mark.usefixtures("_long_wait")
def test_invariant_04_closing_while_it_pauses_before_the_next_attempt(comfy: Comfy, connect: Connect) -> None:
    comfy.handshakes.append(last_words(reply(403)))
    client = connect(reconnect=Reconnect(first=60, longest=60))
    with client.listen() as listener:
        until(listener, ReconnectFailed)
        with within(PATIENCE):
            client.close()
    assert our_threads() == []
    assert len(comfy.attempts) == 1


@pytest.mark.parametrize("attempt", range(10))
def test_invariant_04_closing_at_any_moment_of_connecting(comfy: Comfy, connect: Connect, attempt: int) -> None:
    client = connect()
    with client.listen():
        if attempt % 3 == 1:
            comfy.wait_for(lambda: comfy.attempts)
        elif attempt % 3 == 2:
            comfy.link()
        with within(PATIENCE):
            client.close()
    assert our_threads() == []


def test_invariant_04_closing_ends_every_wait(comfy: Comfy, client: Client, pool: ThreadPoolExecutor) -> None:
    jobs = [client.submit(WORKFLOW) for _ in range(3)]
    comfy.tell(*start(jobs[0].prompt_id))
    waits = [pool.submit(job.result) for job in jobs] + [pool.submit(job.exception) for job in jobs]
    loops = [pool.submit(lambda job=job: list(job.events())) for job in jobs]  # type: ignore[misc]
    futures = [job.future() for job in jobs]
    with within(PATIENCE):
        client.close()
    for wait in waits[:3]:
        assert isinstance(wait.exception(PATIENCE), ClientClosed)
    for wait in waits[3:]:
        assert isinstance(wait.result(PATIENCE), ClientClosed)
    for loop in loops:
        loop.result(PATIENCE)
    for future in futures:
        assert isinstance(future.exception(PATIENCE), ClientClosed)
    assert [job.status for job in jobs] == ["lost"] * 3


def test_invariant_04_closing_during_a_submission_leaves_nobody_waiting(
    comfy: Comfy, client: Client, pool: ThreadPoolExecutor
) -> None:
    posted, gate = threading.Event(), threading.Event()

    def hold(_: str) -> None:
        posted.set()
        assert gate.wait(PATIENCE)

    comfy.on_prompt = hold

    def submit_and_wait() -> None:
        client.submit(WORKFLOW).result(PATIENCE)

    waiting = pool.submit(submit_and_wait)
    assert posted.wait(PATIENCE)
    closing = pool.submit(client.close)
    comfy.wait_for(lambda: comfy.link().closed)
    gate.set()
    closing.result(PATIENCE)
    error = waiting.exception(2 * PATIENCE)
    assert isinstance(error, ComfyError)
    assert not isinstance(error, JobTimeout)  # it would have waited for ever


def test_invariant_08_a_job_submitted_while_the_client_closes_is_not_waited_for_for_ever(
    comfy: Comfy, connect: Connect, pool: ThreadPoolExecutor
) -> None:
    client = connect(realtime=False)
    gate, inside = threading.Event(), threading.Event()

    def hang(_: Any) -> None:
        inside.set()
        assert gate.wait(PATIENCE)

    done, early = client.submit(WORKFLOW), client.submit(WORKFLOW)
    done.add_done_callback(hang)
    comfy.finish(done.prompt_id)
    assert inside.wait(PATIENCE)
    closing = pool.submit(client.close, PATIENCE)
    assert isinstance(early.exception(PATIENCE), ClientClosed)  # so far it has come, and waits for the callback
    try:
        late = client.submit(WORKFLOW)
    except ClientClosed:
        return
    finally:
        gate.set()
        closing.result(PATIENCE)
    assert isinstance(late.exception(PATIENCE), ClientClosed)


def test_invariant_04_closing_from_on_event(comfy: Comfy, client: Client) -> None:
    def close(_: Event) -> None:
        client.close()

    comfy.on_prompt = lambda prompt_id: comfy.tell(*start(prompt_id))
    with pytest.raises(ClientClosed):
        client.run(WORKFLOW, timeout=PATIENCE, on_event=close)
    assert our_threads() == []


def test_invariant_04_callbacks_that_wait_their_turn_are_called(comfy: Comfy, client: Client) -> None:
    seen: list[Any] = []
    gate = threading.Event()

    @client.on("mark")
    def slow(event: UnknownEvent) -> None:
        assert gate.wait(PATIENCE)
        seen.append(event)

    with client.listen("mark") as marks:
        comfy.link().send(*[MARK] * 20)
        for _ in range(20):
            marks.get(timeout=PATIENCE)
    gate.set()
    client.close()
    assert len(seen) == 20


def test_invariant_04_a_callback_that_hangs_does_not_hang_the_close(comfy: Comfy, client: Client) -> None:
    gate, inside = threading.Event(), threading.Event()

    @client.on("mark")
    def hang(_: UnknownEvent) -> None:
        inside.set()
        assert gate.wait(6 * PATIENCE)

    comfy.link().send(MARK)
    assert inside.wait(PATIENCE)
    with within(PATIENCE):
        client.close(timeout=0.2)
    assert reader_threads() == []
    gate.set()
    for thread in our_threads():
        thread.join(PATIENCE)


def test_invariant_04_a_question_that_is_not_answered_does_not_outlive_the_close(
    comfy: Comfy, connect: Connect
) -> None:
    comfy.routes["GET", "/api/jobs/*"] = lambda _: silence()
    client = connect(poll_interval=0.05, read_timeout=30)
    client.submit(WORKFLOW)
    comfy.wait_for(lambda: comfy.asked("GET", "/api/jobs/*"))  # the dispatcher thread is in there now
    with within(PATIENCE):
        client.close(timeout=0.5)
    alive = our_threads()
    comfy.drop_all()
    assert alive == []


def test_a_context_manager_closes(comfy: Comfy) -> None:
    with Client(comfy.url, reconnect=QUICK) as client:
        client.connect()
    with pytest.raises(ClientClosed):
        client.connect()

    def fail() -> None:
        with Client(comfy.url, reconnect=QUICK) as client:
            client.on("mark", print)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert our_threads() == []


def test_two_clients_do_not_close_each_other(comfy: Comfy, connect: Connect) -> None:
    first, second = connect(), connect()
    first.connect()
    with second.listen("mark") as marks:
        second.connect()
        first.close()
        comfy.links[1].send(status(1), MARK)
        assert marks.get(timeout=PATIENCE) == UnknownEvent("mark", None)


def test_jobs_on_the_server_go_on(comfy: Comfy, client: Client) -> None:
    job = client.submit(WORKFLOW)
    comfy.tell(event("execution_start", job.prompt_id))
    client.close()
    assert comfy.pending == [job.prompt_id]
    assert comfy.asked("POST", "/interrupt") == []
