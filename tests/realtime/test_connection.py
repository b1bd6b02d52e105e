"""Opening the websocket and reading what it brings."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import Client
from comfyclient._realtime.connection import Connection
from comfyclient.config import ClientConfig, Reconnect
from comfyclient.errors import ClientClosed, ServerUnreachable
from comfyclient.events import (
    Connected,
    Disconnected,
    Event,
    Executing,
    FeatureFlags,
    Preview,
    Progress,
    Reconnected,
    ReconnectFailed,
    Status,
    UnknownEvent,
)
from tests.fakes import hang_up, last_words, reply, silence
from tests.realtime.comfy import QUICK, WORKFLOW, Comfy, event, our_threads, until
from tests.realtime.peer import BINARY, CLOSE, PATIENCE, PING, PONG, TEXT, fragments, frame, message

if TYPE_CHECKING:
    from tests.realtime.conftest import Connect

PATIENT = Reconnect(first=60, longest=60)
"""Tries once in the time of a test."""
JPEG = b"\0\0\0\1\0\0\0\1"
MARK = {"type": "mark", "data": None}


def marked(listener: Any) -> list[Event]:
    """What came before the mark."""
    told: list[Event] = []
    while not told or told[-1] != UnknownEvent("mark", None):
        told.append(listener.get(timeout=PATIENCE))
    return told[:-1]


# --- opening ------------------------------------------------------------------------------------------------


def test_invariant_13_importing_does_nothing() -> None:
    script = """
import atexit, logging, os, signal, sys, threading
import websocket, requests, concurrent.futures, tempfile  # what they do is not ours
before = dict(os.environ), atexit._ncallbacks(), [signal.getsignal(n) for n in signal.valid_signals()]
handlers = list(logging.root.handlers)
import comfyclient
for name in comfyclient.__all__:
    getattr(comfyclient, name)
import comfyclient.events, comfyclient.types
after = dict(os.environ), atexit._ncallbacks(), [signal.getsignal(n) for n in signal.valid_signals()]
assert before == after, [a for a, b in zip(before, after) if a != b]
assert threading.enumerate() == [threading.main_thread()]
assert logging.root.handlers == handlers
assert logging.root.level == logging.WARNING
ours = [log for name, log in logging.root.manager.loggerDict.items() if name.startswith("comfyclient")]
ours = [log for log in ours if isinstance(log, logging.Logger)]
assert ours
assert all(isinstance(handler, logging.NullHandler) for log in ours for handler in log.handlers)
assert all(log.level == logging.NOTSET for log in ours)
assert not websocket.isEnabledForTrace() and websocket.getdefaulttimeout() is None
"""
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, timeout=60)


def test_invariant_13_making_a_client_and_using_http_alone_starts_nothing(comfy: Comfy, connect: Connect) -> None:
    client = connect()
    assert comfy.requests == []
    assert client.queue.list().queue_pending == ()
    assert comfy.attempts == []
    assert our_threads() == []


def test_the_handshake(comfy: Comfy, connect: Connect) -> None:
    client = connect(client_id="an id/with ü", headers={"X-Token": "t"})
    client.connect()
    request = comfy.link().request
    assert request.path == "/ws"
    assert request.query == {"clientId": "an id/with ü"}
    assert "origin" not in request.headers
    assert "sec-websocket-extensions" not in request.headers
    assert request.headers["x-token"] == "t"
    comfy.wait_for(lambda: comfy.links[0].sent(TEXT))
    assert json.loads(comfy.links[0].sent(TEXT)[0]) == {
        "type": "feature_flags",
        "data": {"supports_preview_metadata": True},
    }


def test_a_path_prefix_and_credentials_in_the_url(comfy: Comfy) -> None:
    with Client(f"http://me:s3cret@127.0.0.1:{comfy.port}/comfy/", reconnect=QUICK) as client:
        client.connect()
    request = comfy.link().request
    assert request.path == "/comfy/ws"
    assert request.headers["authorization"] == "Basic bWU6czNjcmV0"


def test_connecting_twice_and_from_many_threads_opens_one_websocket(comfy: Comfy, client: Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.connect(), range(16)))
    client.connect()
    assert len(comfy.links) == len(comfy.attempts) == 1
    assert len(our_threads()) == 1  # no callbacks, no dispatcher


def test_a_client_without_a_websocket(comfy: Comfy, connect: Connect) -> None:
    client = connect(realtime=False)
    for use in (client.connect, client.listen, lambda: client.on("progress", print)):
        with pytest.raises(ValueError, match="realtime=False"):
            use()
    job = client.submit(WORKFLOW)
    comfy.finish(job.prompt_id)
    assert job.result(PATIENCE).images[0].filename == "a_00001_.png"
    assert comfy.attempts == []


def test_events_of_the_connection(comfy: Comfy, client: Client) -> None:
    with client.listen() as listener:
        assert listener.get(timeout=PATIENCE) == Connected()
        greeting = listener.get(timeout=PATIENCE)
        assert isinstance(greeting, Status)
        assert greeting.sid == client.config.client_id
        comfy.link().send({"type": "feature_flags", "data": {"supports_preview_metadata": True}})
        assert until(listener, FeatureFlags).flags == {"supports_preview_metadata": True}


REFUSALS = {
    "status 403": last_words(reply(403, "secret page of a proxy")),
    "status 404": last_words(reply(404)),
    "status 502": last_words(reply(502, "<html>")),
    "Redirect limit": last_words(reply(302, Location="http://127.0.0.1:1/ws")),
    "Connection to remote host was lost": hang_up,
    "timed out": silence(),
    "status 200": last_words(reply(200, "{}")),
    "Invalid WebSocket Header": last_words(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: bm90IHRoZSByaWdodCBvbmU=\r\n\r\n"
    ),
    "Invalid status line": last_words(b"220 smtp.example.com ESMTP\r\n\r\n"),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_a_refused_handshake_is_told(comfy: Comfy, connect: Connect, reason: str) -> None:
    comfy.handshakes.append(REFUSALS[reason])
    client = connect(connect_timeout=2 if reason == "timed out" else PATIENCE, reconnect=PATIENT)
    with client.listen() as listener:
        told = listener.get(timeout=PATIENCE)
        assert isinstance(told, ReconnectFailed)
        assert reason.lower() in told.error.lower()
        assert "secret" not in told.error
        assert told.retry_in is not None
        assert 30 <= told.retry_in <= 60
        client.connect()  # cuts the pause short
        assert listener.get(timeout=PATIENCE) == Connected()


def test_connect_says_why_it_could_not(comfy: Comfy, connect: Connect) -> None:
    comfy.handshakes += [last_words(reply(403))] * 2
    client = connect(reconnect=None)
    for _ in range(2):
        with pytest.raises(ServerUnreachable, match=rf"127.0.0.1:{comfy.port} \(websocket\) .*status 403") as caught:
            client.connect()
        assert isinstance(caught.value, ConnectionError)
    client.connect()
    assert len(comfy.attempts) == 3


def test_nobody_there_is_told_at_once(comfy: Comfy, connect: Connect) -> None:
    comfy.hide()
    client = connect(reconnect=None)
    for _ in range(20):  # the outcome may be there before anybody waits for it
        with pytest.raises(ServerUnreachable, match="refused"):
            client.connect()


def test_an_outcome_before_anybody_waits_for_it_counts(comfy: Comfy, monkeypatch: pytest.MonkeyPatch) -> None:
    comfy.hide()
    connection = Connection(ClientConfig(url=comfy.url, reconnect=None), lambda _: None)
    start = connection.start

    def start_slowly() -> None:
        start()
        assert connection._thread is not None
        connection._thread.join(0.2)  # the attempt fails in this time, if anything lets it

    monkeypatch.setattr(connection, "start", start_slowly)
    before = time.monotonic()
    assert not connection.ready(6 * PATIENCE)
    assert time.monotonic() - before < PATIENCE
    connection.close()


def test_a_server_that_says_nothing_is_not_taken_for_an_open_one(comfy: Comfy, connect: Connect) -> None:
    comfy.on_link = lambda _: None
    client = connect(connect_timeout=0.2)
    with client.listen() as listener:
        assert "timed out" in until(listener, ReconnectFailed).error.lower()
        comfy.on_link = comfy.greet
        until(listener, Connected)
        assert until(listener, Status).sid == client.config.client_id


def test_a_server_that_closes_at_once_refuses(comfy: Comfy, connect: Connect) -> None:
    comfy.on_link = lambda link: link.raw(frame(PING, b"first") + frame(CLOSE, b"\x03\xe9"))
    client = connect()
    with client.listen() as listener:
        assert until(listener, ReconnectFailed).error == "the server closed the connection"
        comfy.on_link = comfy.greet
        until(listener, Status)


def test_invariant_13_no_secret_in_logs_or_errors(comfy: Comfy, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "comfyclient")
    comfy.handshakes += [last_words(reply(401, "Bearer s3cret is wrong", Set_Cookie="s3cret")), None]
    told: list[str] = []
    url = f"http://me:s3cret@127.0.0.1:{comfy.port}"
    with Client(url, headers={"X-Token": "s3cret", "Cookie": "s3cret"}, reconnect=QUICK) as client:
        told.append(repr(client))
        with client.listen() as listener:
            told.append(repr(until(listener, ReconnectFailed)))
            until(listener, Connected)
            comfy.link().send(event("progress", "s3cret prompt", value=1))
            told.append(repr(client.config))
            client.submit({"1": {"class_type": "A", "inputs": {"text": "s3cret"}}}, extra_data={"key": "s3cret"})
            comfy.link().drop()
            until(listener, Reconnected)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("comfyclient")]
    assert len(ours) > 2
    assert [text for text in told + ours if "s3cret" in text] == []


# --- reading ------------------------------------------------------------------------------------------------


def test_frames_of_every_kind_arrive(comfy: Comfy, client: Client) -> None:
    image = bytes(range(256)) * 400
    with client.listen() as listener:
        until(listener, Connected)
        link = comfy.link()
        link.raw(b"".join(fragments(TEXT, json.dumps(event("progress", "p", value=1, max=2, node="1")).encode(), 7)))
        link.raw(frame(BINARY, JPEG + b"tiny", length_bytes=8))
        link.raw(frame(TEXT, json.dumps(event("executing", "p", node="1")).encode(), mask=b"abcd"))
        link.raw(frame(BINARY, JPEG + image) + frame(PING, b"are you there"))
        link.raw(b"".join([frame(TEXT, b'{"type": "x",', fin=False), frame(PING), frame(0, b'"data": 1}')]))
        link.send(MARK)
        told = [told for told in marked(listener) if not isinstance(told, Status)]
        assert told == [
            Progress(1, 2, "p", "1"),
            Preview("image/jpeg", b"tiny"),
            Executing("1", prompt_id="p"),
            Preview("image/jpeg", image),
            UnknownEvent("x", 1),
        ]
        comfy.wait_for(lambda: link.sent(PONG) == [b"are you there", b""])


def test_a_message_byte_by_byte(comfy: Comfy, client: Client) -> None:
    with client.listen("progress") as listener:
        data = message(event("progress", "p", value=1, max=2, node="1"))
        for byte in data:
            comfy.link().raw(bytes([byte]))
        assert listener.get(timeout=PATIENCE) == Progress(1, 2, "p", "1")


def test_a_stall_in_the_middle_of_a_message(comfy: Comfy, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comfyclient._realtime.connection._TICK", 0.01)
    ticks = threading.Semaphore(0)

    def look_up(_: Connection, looked_at: float) -> str:
        del looked_at
        ticks.release()
        return ""

    monkeypatch.setattr(Connection, "_unheard", look_up)
    with client.listen("progress", "preview") as listener:
        link = comfy.link()
        messages = [message(event("progress", "p", value=1, max=2, node="1")), message(JPEG + bytes(70_000))]
        for data in messages:
            for start, stop in ((0, 1), (1, 5), (5, len(data) // 2), (len(data) // 2, len(data))):
                for _ in range(3):
                    assert ticks.acquire(timeout=PATIENCE)  # the reader looked up from its socket in mid-message
                link.raw(data[start:stop])
        assert listener.get(timeout=PATIENCE) == Progress(1, 2, "p", "1")
        assert listener.get(timeout=PATIENCE) == Preview("image/jpeg", bytes(70_000))


def test_invariant_01_hostile_messages_do_not_stop_the_next_ones(
    comfy: Comfy, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    hostile: list[bytes] = [
        frame(TEXT, b""),
        frame(TEXT, b"\xff\xfe"),
        frame(TEXT, b"null"),
        frame(TEXT, b"[" * 100_000),
        frame(TEXT, b'{"type": "status", "data": ' * 5000),
        frame(TEXT, b'{"type": "progress", "data": {"value": 1e999, "max": ' + b"9" * 400 + b', "node": "1"}}'),
        frame(BINARY, b""),
        frame(BINARY, b"\0\0\0\4\xff\xff\xff\xff"),
        frame(BINARY, b"\0\0\0\1\0\0\0\7"),
        message({"type": "progress_state", "data": {"prompt_id": "p", "nodes": {"1": []}}}),
        message({"type": "executed", "data": {"prompt_id": ["p"], "node": {}}}),
        message({"type": ["status"], "data": 1}),
        message({"type": "executing", "data": None}),
    ]
    with client.listen() as listener:
        until(listener, Status)
        comfy.link().raw(b"".join(hostile) + message(MARK))
        assert len(marked(listener)) == len(hostile)
    assert len(comfy.attempts) == 1
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    "nonsense",
    [b"\x83\x00", b"\xc1\x00", b"\x88\x01x", b"\x80\x00", b"\x70\x00", frame(PING, bytes(126))],
)
def test_invariant_01_a_broken_stream_is_given_up_for_a_new_one(comfy: Comfy, client: Client, nonsense: bytes) -> None:
    with client.listen() as listener:
        until(listener, Status)
        comfy.link().raw(nonsense)
        until(listener, Disconnected)
        until(listener, Reconnected)
        comfy.link(1).send(MARK)
        marked(listener)


# --- the socket is always drained ---------------------------------------------------------------------------

FRAMES = 3000
PICTURE = JPEG + bytes(20_000)
"""Sixty megabytes in all, more than sockets hold."""


def flood(comfy: Comfy) -> None:
    """Send many pictures; this hangs if nobody reads them."""
    link = comfy.link()
    sent = threading.Event()

    def send() -> None:
        for number in range(FRAMES):
            link.send(PICTURE, event("executing", "p", node=str(number)))
        link.send(MARK)
        sent.set()

    threading.Thread(target=send, name="peer", daemon=True).start()
    assert sent.wait(30)


def test_invariant_02_a_listener_that_never_reads_stops_nothing(comfy: Comfy, client: Client) -> None:
    with client.listen() as listener, client.listen(maxsize=5) as small, client.listen("mark") as mark:
        flood(comfy)
        assert mark.get(timeout=PATIENCE) == UnknownEvent("mark", None)
        assert small.dropped > FRAMES
        assert small.qsize() == 5
        told = marked(listener)
    nodes = [event.node for event in told if isinstance(event, Executing)]
    assert nodes == [str(number) for number in range(FRAMES)]
    assert sum(isinstance(event, Preview) for event in told) < 200


def test_invariant_02_a_callback_that_hangs_stops_nothing(comfy: Comfy, client: Client) -> None:
    gate = threading.Event()
    seen: list[Event] = []

    @client.on("*")
    def slow(event: Event) -> None:
        assert gate.wait(60)
        seen.append(event)

    with client.listen("mark") as mark:
        flood(comfy)
        assert mark.get(timeout=PATIENCE) == UnknownEvent("mark", None)
    gate.set()
    client.close()
    nodes = [event.node for event in seen if isinstance(event, Executing)]
    assert nodes == [str(number) for number in range(FRAMES)]
    assert seen[-1] == UnknownEvent("mark", None)
    assert sum(isinstance(event, Preview) for event in seen) < 200


def test_invariant_02_events_of_a_job_that_nobody_reads_stop_nothing(comfy: Comfy, client: Client) -> None:
    job = client.submit(WORKFLOW)
    events = job.events()
    comfy.tell(event("execution_start", job.prompt_id))
    assert next(events).type == "execution_start"
    with client.listen("mark") as mark:
        comfy.tell(*(event("progress", job.prompt_id, value=at, max=9999, node="1") for at in range(9999)))
        comfy.tell(MARK)
        assert mark.get(timeout=PATIENCE) == UnknownEvent("mark", None)
    comfy.complete(job.prompt_id)
    values = [event.value for event in events if isinstance(event, Progress)]
    assert values == sorted(values)
    assert len(values) < 200
    assert values[-1] == 9998


def test_a_client_that_was_closed_opens_nothing(comfy: Comfy, client: Client) -> None:
    client.close()
    for use in (client.connect, client.listen, lambda: client.on("progress", print)):
        with pytest.raises(ClientClosed):
            use()
    assert comfy.attempts == []
