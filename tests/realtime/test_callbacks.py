"""``on``: who is called, on which thread, and what callbacks may do."""

from __future__ import annotations

import logging
import ssl
import threading
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from comfyclient import Client
from comfyclient.errors import ClientClosed, JobFailed, JobTimeout
from comfyclient.events import Event, Executing, ExecutionError, Progress, Status, UnknownEvent
from tests.realtime.comfy import QUICK, WORKFLOW, Comfy, end, event, failure, our_threads, run, start
from tests.realtime.peer import PATIENCE, PING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from comfyclient.jobs import Job

DISPATCHER = "comfyclient-dispatcher"


def progress(value: int) -> dict[str, Any]:
    return event("progress", "p", value=value, max=9, node="1")


class Notes:
    """What callbacks wrote down, to wait for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._notes: list[Any] = []

    def add(self, note: Any) -> None:
        with self._changed:
            self._notes.append(note)
            self._changed.notify_all()

    def take_until(self, note: Any) -> list[Any]:
        with self._changed:
            assert self._changed.wait_for(lambda: note in self._notes, PATIENCE), self._notes
            return list(self._notes)

    def take(self, number: int) -> list[Any]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._notes) >= number, PATIENCE), self._notes
            return list(self._notes)


@pytest.fixture
def notes() -> Notes:
    return Notes()


# --- registration -------------------------------------------------------------------------------------------


def test_a_registration_opens_the_websocket_by_itself(comfy: Comfy, client: Client, notes: Notes) -> None:
    client.on("progress", notes.add)
    comfy.link().send(progress(1))
    assert notes.take(1) == [Progress(1, 9, "p", "1")]
    assert len(our_threads()) == 2


@pytest.mark.usefixtures("comfy")
@pytest.mark.parametrize(
    "subscribe", [lambda client: client.on("progres", print), lambda client: client.listen("progres")]
)
def test_a_slip_of_the_pen_is_pointed_out_where_it_is(client: Client, subscribe: Callable[[Client], object]) -> None:
    with pytest.warns(UserWarning, match="did you mean 'progress'") as told:
        subscribe(client)
    assert [warning.filename for warning in told] == [__file__]


def test_names_classes_and_everything(comfy: Comfy, client: Client, notes: Notes) -> None:
    client.on("progress", lambda event: notes.add(("name", event.value)))
    client.on(Progress, lambda event: notes.add(("class", event.value)))
    client.on("*", lambda event: notes.add(("all", event.type)))
    client.on(Event, lambda event: notes.add(("base", event.type)))
    client.on("custom", lambda event: notes.add(("custom", event.data)))
    comfy.link().send(progress(1), {"type": "custom", "data": [1]})
    told = notes.take_until(("custom", [1]))
    assert told[told.index(("name", 1)) :] == [  # what comes before may have come before the registrations
        *(("name", 1), ("class", 1), ("all", "progress"), ("base", "progress")),
        *(("all", "custom"), ("base", "custom"), ("custom", [1])),
    ]


def test_as_a_decorator(comfy: Comfy, client: Client, notes: Notes) -> None:
    @client.on("progress")
    @client.on("executing")
    def show(event: Any) -> str:
        notes.add(event.type)
        return "its own result"

    assert show(UnknownEvent("x", 1)) == "its own result"
    comfy.link().send(progress(1), event("executing", "p", node="1"))
    assert notes.take(3) == ["x", "progress", "executing"]


def test_what_is_no_event(client: Client) -> None:
    wrong: Any = 1
    with pytest.raises(TypeError, match="an event is named by"):
        client.on(wrong, print)
    assert our_threads() == []


def test_a_cancelled_callback_is_not_called(comfy: Comfy, client: Client, notes: Notes) -> None:
    subscription = client.on("progress", lambda event: notes.add(("first", event.value)))
    client.on("progress", lambda event: notes.add(("second", event.value)))
    comfy.link().send(progress(1))
    notes.take(2)
    subscription.cancel()
    comfy.link().send(progress(2))
    assert notes.take(3) == [("first", 1), ("second", 1), ("second", 2)]


# --- order, thread, exceptions ------------------------------------------------------------------------------


def test_invariant_03_callbacks_run_in_order_on_one_thread_of_the_client(
    comfy: Comfy, client: Client, notes: Notes
) -> None:
    for number in range(3):
        client.on("progress", lambda event, number=number: notes.add((event.value, number)))  # type: ignore[misc]
    client.on("progress", lambda _: notes.add(threading.current_thread().name))
    comfy.link().send(*(progress(value) for value in range(30)))
    told = [(value, number) for value in range(30) for number in (0, 1, 2)]
    got = notes.take(120)
    assert [note for note in got if note != DISPATCHER] == told
    assert got.count(DISPATCHER) == 30


def test_invariant_03_an_exception_is_logged_and_harms_no_neighbour(
    comfy: Comfy, client: Client, notes: Notes, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Event) -> None:
        raise ValueError("my own mistake")

    client.on("progress", fail)
    client.on("progress", notes.add)
    comfy.link().send(progress(1), progress(2))
    assert [event.value for event in notes.take(2)] == [1, 2]
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.getMessage() for record in errors] == ["a callback for progress raised"] * 2
    assert all(record.exc_info and "my own mistake" in str(record.exc_info[1]) for record in errors)


# --- what callbacks may do ----------------------------------------------------------------------------------


def test_a_done_callback_is_called_though_the_dispatcher_waits_for_events(
    comfy: Comfy, client: Client, notes: Notes
) -> None:
    client.on("progress", notes.add)
    job = client.submit(WORKFLOW)
    comfy.link().send(progress(1), progress(2))
    notes.take(2)  # from now on the dispatcher reads
    job.add_done_callback(lambda job: notes.add((job.status, threading.current_thread().name)))
    assert job.cancel()  # over HTTP
    notes.take_until(("cancelled", DISPATCHER))


class SecureComfy(Comfy):
    """The same with TLS."""

    def __init__(self, authority: trustme.CA) -> None:
        super().__init__()
        self.url = self.url.replace("http:", "https:")
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self._tls)

    def _serve(self, connection: socket.socket, number: int) -> None:
        with self._tls.wrap_socket(connection, server_side=True) as secure:
            with self.changed:
                self._open.discard(connection)
                self._open.add(secure)
            super()._serve(secure, number)


def test_over_tls_nothing_is_lent_so_that_nothing_has_to_be_sent_beside_a_read(tmp_path: Path, notes: Notes) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with SecureComfy(authority) as comfy, Client(comfy.url, verify=str(tmp_path / "ca.pem"), reconnect=QUICK) as client:
        client.on("progress", notes.add)
        job = client.submit(WORKFLOW)
        for value in range(3):  # each finds it idle
            comfy.link().send(progress(value))
            notes.take(value + 1)
        job.add_done_callback(lambda job: notes.add((job.status, threading.current_thread().name)))
        assert job.cancel()
        notes.take_until(("cancelled", DISPATCHER))
        assert comfy.link().sent(PING) == []


def test_invariant_05_run_works_inside_a_callback(comfy: Comfy, client: Client, notes: Notes) -> None:
    comfy.on_prompt = comfy.complete
    client.on("custom", lambda _: notes.add(client.run(WORKFLOW, timeout=PATIENCE)))
    comfy.link().send({"type": "custom", "data": 1})
    assert notes.take(1)[0].images[0].filename == "a_00001_.png"


@pytest.mark.parametrize("silent", [False, True])
def test_invariant_05_waiting_for_a_job_works_inside_a_callback(
    comfy: Comfy,
    connect: Callable[..., Client],
    notes: Notes,
    silent: bool,  # noqa: FBT001 - a parameter
) -> None:
    client = connect(poll_interval=0.05)
    job = client.submit(WORKFLOW)
    inside = threading.Event()

    @client.on("custom")
    def wait(_: Event) -> None:
        inside.set()
        notes.add(job.result(PATIENCE).images[0].filename)

    comfy.link().send({"type": "custom", "data": 1})
    assert inside.wait(PATIENCE)
    if silent:
        comfy.finish(job.prompt_id)
    else:
        comfy.complete(job.prompt_id)
    assert notes.take(1) == ["a_00001_.png"]


def test_invariant_05_failures_are_raised_inside_a_callback_too(comfy: Comfy, client: Client, notes: Notes) -> None:
    @client.on("custom")
    def submit(_: Event) -> None:
        job = client.submit(WORKFLOW)
        with pytest.raises(JobTimeout):
            job.result(0.01)
        comfy.tell(*start(job.prompt_id), failure(job.prompt_id), end(job.prompt_id))
        with pytest.raises(JobFailed, match="boom"):
            job.result(PATIENCE)
        notes.add("both")

    comfy.link().send({"type": "custom", "data": 1})
    assert notes.take(1) == ["both"]


def test_a_callback_can_register_listen_and_cancel(comfy: Comfy, client: Client, notes: Notes) -> None:
    subscription = client.on("status", lambda event: notes.add(event.type))  # first, and with it the greeting

    @client.on("custom")
    def rearrange(_: Event) -> None:
        with client.listen("progress") as listener:
            comfy.link().send(progress(7))
            notes.add(listener.get(timeout=PATIENCE).value)
        client.on("progress", lambda event: notes.add(event.value))
        subscription.cancel()

    notes.take(1)
    comfy.link().send({"type": "custom", "data": 1})
    notes.take(2)
    comfy.link().send({"type": "status", "data": {"status": {}}}, progress(8))
    assert notes.take(3)[2:] in ([8], [7])  # 7 again, if it was still on its way when the callback was registered


def test_done_callbacks_run_on_the_dispatcher_thread_after_the_events(
    comfy: Comfy, client: Client, notes: Notes
) -> None:
    client.on(Executing, lambda event: notes.add(event.node))
    job = client.submit(WORKFLOW)

    def done(job: Job) -> None:
        notes.add((job.status, threading.current_thread().name))

    job.add_done_callback(done)
    comfy.complete(job.prompt_id)
    assert set(notes.take(4)) == {"1", "2", None, ("completed", DISPATCHER)}
    job.add_done_callback(done)
    assert notes.take(5)[4] == ("completed", DISPATCHER)


def test_a_done_callback_may_ask_for_the_result_and_submit_the_next(comfy: Comfy, client: Client, notes: Notes) -> None:
    comfy.on_prompt = comfy.complete

    def chain(job: Job) -> None:
        notes.add(job.result(0).images[0].filename)
        if len(comfy.prompts) < 5:
            client.submit(WORKFLOW).add_done_callback(chain)

    client.submit(WORKFLOW).add_done_callback(chain)
    assert notes.take(5) == ["a_00001_.png"] * 5


def test_on_event_runs_in_the_thread_that_waits(comfy: Comfy, client: Client) -> None:
    comfy.on_prompt = comfy.complete
    told: list[Event] = []
    threads: set[str] = set()

    def show(event: Event) -> None:
        told.append(event)
        threads.add(threading.current_thread().name)

    result = client.run(WORKFLOW, on_event=show)
    assert threads == {threading.current_thread().name}
    assert told[-1] == Executing(None, prompt_id=result.prompt_id)
    expected = [message["type"] for message in run(result.prompt_id) if message["type"] != "status"]
    assert {event.type for event in told} == set(expected)
    assert not any(isinstance(event, Status) for event in told)


def test_what_on_event_raises_is_raised_here(comfy: Comfy, client: Client) -> None:
    comfy.on_prompt = comfy.complete

    def fail(_: Event) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        client.run(WORKFLOW, on_event=fail)
    assert client.run(WORKFLOW).images


def test_invariant_04_closing_from_a_callback_returns_there(comfy: Comfy, client: Client, notes: Notes) -> None:
    job = client.submit(WORKFLOW)

    @client.on("custom")
    def close(_: Event) -> None:
        client.close()
        client.close()
        notes.add("closed")

    client.on("custom", lambda _: notes.add("the next one"))
    comfy.link().send({"type": "custom", "data": 1}, {"type": "custom", "data": 2})
    assert notes.take(2)[:2] == ["closed", "the next one"]
    with pytest.raises(ClientClosed):
        job.result(PATIENCE)
    for thread in our_threads():
        thread.join(PATIENCE)
    assert our_threads() == []


def test_a_node_that_was_blocked_is_told_and_ends_nothing(comfy: Comfy, client: Client, notes: Notes) -> None:
    client.on("execution_error", notes.add)
    job = client.submit(WORKFLOW)
    blocked = failure(job.prompt_id, exception_type="ExecutionBlocked", exception_message="Execution Blocked: no")
    begin, finish = run(job.prompt_id)[:4], run(job.prompt_id)[4:]
    comfy.finish(job.prompt_id)
    comfy.tell(*begin, blocked, *finish)
    assert job.result(PATIENCE).images
    (told,) = notes.take(1)
    assert isinstance(told, ExecutionError)
    assert told.blocked
