"""What the embedded server can be told to do wrong."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests
import websocket

from comfyclient import Client, JobFailed, JobLost, ServerError, ServerUnreachable
from comfyclient.testing import EmbeddedServer
from tests.conftest import soon
from tests.recorder import Recorder, short
from tests.testing.nodes import NODES, Gate, gate_node, graph, n
from tests.workflows import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 10.0
HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
CHAIN = graph(n1=n("Steps", steps=2), n2=n("Show", value=["1", 0]))
WAITING = graph(n1=n("Wait"), n2=n("Show", value=["1", 0]))


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def server(gate: Gate) -> Iterator[EmbeddedServer]:
    with EmbeddedServer([*NODES, gate_node(gate)]) as server:
        yield server


def test_what_was_submitted_is_kept(server: EmbeddedServer, client: Client) -> None:
    result = client.run(CHAIN, timeout=SECONDS, extra_data={"mine": 1})
    assert requests.post(f"{server.url}/prompt", json={}, timeout=SECONDS).status_code == 400
    first, second = server.submitted
    assert first.accepted
    assert first.prompt_id == result.prompt_id
    assert first.prompt["1"]["inputs"] == {"steps": 2}
    assert first.client_id in server.sockets
    assert first.extra_data["mine"] == 1
    assert (second.accepted, second.status, second.prompt) == (False, 400, {})


@pytest.mark.parametrize("target", ["1", "Steps"])
def test_a_node_fails_once_even_if_it_is_cached(target: str, server: EmbeddedServer, client: Client) -> None:
    client.run(CHAIN, timeout=SECONDS)
    server.fail_next(target, KeyError("mine"))
    with pytest.raises(JobFailed, match="mine") as caught:
        client.run(CHAIN, timeout=SECONDS)
    assert (caught.value.node_id, caught.value.exception_type) == ("1", "KeyError")
    client.run(CHAIN, timeout=SECONDS)
    server.fail_next(target)
    with pytest.raises(JobFailed, match="was told to fail"):
        client.run(CHAIN, timeout=SECONDS)


def test_what_never_happened_is_said() -> None:
    with EmbeddedServer() as server, Client(server.url) as client:
        for name in ("KSmapler", "EmptyImage"):
            server.fail_next(name)
        with pytest.raises(JobFailed, match="EmptyImage was told to fail"):
            client.run(plain(1), timeout=SECONDS)
        server.answer_next("/queue", 500)
        server.lose_next_answer()
        said = "fail_next('KSmapler'), answer_next('/queue'), lose_next_answer('/prompt'): nothing of the kind ran"
        with pytest.warns(UserWarning, match=re.escape(said)):
            server.stop()


def test_latency_ends_with_an_interrupt(server: EmbeddedServer, client: Client) -> None:
    server.latency.node = 1000
    job = client.submit(CHAIN)
    assert soon(lambda: job.status == "in_progress")
    assert job.cancel()
    assert soon(job.done)


def test_sockets_are_dropped_and_come_back(server: EmbeddedServer, client: Client, gate: Gate) -> None:
    job = client.submit(WAITING)
    assert gate.reached.wait(SECONDS)
    server.drop_sockets()
    gate.released.set()
    assert job.result(timeout=SECONDS)["2"].texts == ("0",)
    server.drop_sockets(reset=True)
    assert client.run(CHAIN, timeout=SECONDS)["2"].texts == ("2",)


def test_a_deaf_socket_answers_pings_and_hears_nothing(server: EmbeddedServer) -> None:
    with Recorder(server.url) as deaf, Recorder(server.url, "other") as other:
        server.deafen("recorder")
        server.send("word", {})
        assert short(other.next()) == "word"
        assert deaf.ping() == b"are you there?"


def test_a_frozen_socket_is_silent(server: EmbeddedServer) -> None:
    with Recorder(server.url) as frozen, Recorder(server.url, "other") as other:
        server.freeze("recorder")
        server.send("word", {})
        assert short(other.next()) == "word"
        frozen._socket.ping("hello?")
        with pytest.raises(websocket.WebSocketTimeoutException):
            frozen.next(0.2)


def test_http_is_frozen_until_it_thaws(server: EmbeddedServer) -> None:
    server.freeze(http=True)
    with pytest.raises(requests.Timeout):
        requests.get(f"{server.url}/prompt", timeout=0.2)
    server.thaw()
    assert requests.get(f"{server.url}/prompt", timeout=SECONDS).ok


def test_a_lost_answer_of_a_prompt_that_was_accepted(server: EmbeddedServer, client: Client) -> None:
    server.lose_next_answer()
    assert client.run(CHAIN, timeout=SECONDS)["2"].texts == ("2",)
    assert len(server.submitted) == 1


def test_a_lost_answer_of_a_prompt_that_never_arrived(server: EmbeddedServer, client: Client) -> None:
    server.lose_next_answer(handled=False)
    with pytest.raises(ServerUnreachable):
        client.run(CHAIN, timeout=SECONDS)
    assert server.submitted == []


def test_a_prepared_answer(server: EmbeddedServer, client: Client) -> None:
    server.answer_next("/queue", 418, "<html>teapot</html>", method="GET", headers={"Content-Type": "text/html"})
    server.answer_next("/features", 200, {"garbage": True})
    assert requests.get(f"{server.url}/api/features", timeout=SECONDS).json() == {"garbage": True}
    with pytest.raises(ServerError, match="418"):
        client.queue.list()
    assert client.queue.list().queue_running == ()


def test_a_restart_forgets_everything(server: EmbeddedServer, client: Client, gate: Gate) -> None:
    url = server.url
    server.directory("temp").joinpath("old.png").touch()
    done = client.run(CHAIN, timeout=SECONDS)
    job = client.submit(WAITING)
    assert gate.reached.wait(SECONDS)
    server.restart()
    assert server.url == url
    with pytest.raises(JobLost):
        job.result(timeout=SECONDS)
    assert client.history.get(done.prompt_id) is None
    assert not server.directory("temp").joinpath("old.png").exists()
    assert requests.post(f"{url}/prompt", json={"prompt": CHAIN}, timeout=SECONDS).json()["number"] == 0


def test_a_restart_may_remember(server: EmbeddedServer, client: Client, gate: Gate) -> None:
    job = client.submit(WAITING)
    assert gate.reached.wait(SECONDS)
    server.restart(forget=False)
    gate.released.set()
    assert job.result(timeout=SECONDS)["2"].texts == ("0",)


def test_it_is_down_for_a_while(server: EmbeddedServer, client: Client, gate: Gate) -> None:
    job = client.submit(WAITING)
    assert gate.reached.wait(SECONDS)
    with server.down():
        with pytest.raises(requests.ConnectionError):
            requests.get(server.url, timeout=SECONDS)
        gate.released.set()
    assert job.result(timeout=SECONDS)["2"].texts == ("0",)


def test_it_keeps_its_port_while_it_is_down(server: EmbeddedServer) -> None:
    with server.down(), socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", server.port))


def test_a_killed_worker_leaves_everything_where_it_was(server: EmbeddedServer, client: Client, gate: Gate) -> None:
    job = client.submit(WAITING)
    assert gate.reached.wait(SECONDS)
    server.kill_worker()
    assert not server.worker_alive
    later = client.submit(CHAIN)
    queue = client.queue.list()
    assert [item.prompt_id for item in queue.queue_running] == [job.prompt_id]
    assert [item.prompt_id for item in queue.queue_pending] == [later.prompt_id]
    server.restart()
    assert server.worker_alive


def test_messages_and_bytes_of_any_kind(server: EmbeddedServer) -> None:
    with Recorder(server.url) as recorder:
        server.send_message('{"type": "mine", "data": {}}')
        assert recorder.next() == {"type": "mine", "data": {}}
        server.send_message(b"\x00\x00\x00\x63custom", "recorder")
        assert recorder.next() == b"\x00\x00\x00\x63custom"
        server.send_raw(b"\x81\x02{}")
        assert recorder.next() == {}


def test_events_are_lost_and_doubled(server: EmbeddedServer) -> None:
    def altered(message: Any) -> list[Any]:
        if isinstance(message, bytes):
            return [message]
        return {"lost": [], "doubled": [message, message]}.get(message["type"], [message])

    server.alter_events(altered)
    with Recorder(server.url) as recorder:
        for event in ("lost", "doubled", "plain"):
            server.send(event, {})
        server.send_message(b"frame")
        assert [recorder.next() for _ in range(4)][-1] == b"frame"
        server.alter_events(None)
        server.send("lost", {})
        assert short(recorder.next()) == "lost"


def test_two_servers_know_nothing_of_each_other(server: EmbeddedServer) -> None:
    with EmbeddedServer(NODES) as second, Client(server.url) as one, Client(second.url) as two:
        results: list[Any] = []

        def run(client: Client, number: int) -> None:
            results.append(client.run(graph(n1=n("Show", value=number)), timeout=SECONDS))

        threads = [threading.Thread(target=run, args=each) for each in ((one, 1), (two, 2))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(result["1"].texts for result in results) == [("1",), ("2",)]
        assert json.dumps(one.history.list().keys() & two.history.list().keys(), default=list) == "[]"


@pytest.mark.parametrize("forget", [True, False])
def test_a_restart_ends_being_down(server: EmbeddedServer, client: Client, *, forget: bool) -> None:
    with server.down():
        server.restart(forget=forget)
        assert client.queue.list().queue_running == ()
    assert client.queue.list().queue_running == ()


def test_it_may_be_stopped_while_it_is_down() -> None:
    server = EmbeddedServer()
    server.start()
    with server.down():
        server.stop()
    with server:  # it is as if it had never been
        assert requests.get(f"{server.url}/prompt", timeout=SECONDS).ok


@pytest.mark.parametrize("returned", [None, {"type": "mine"}, "text"], ids=str)
def test_what_alters_events_returns_a_list(returned: Any) -> None:
    server = EmbeddedServer()
    server.start()
    root = server.root
    server.alter_events(lambda _: returned)
    server.send("mine", {})
    with pytest.raises(TypeError, match="a list of messages"):
        server.stop()
    assert not root.exists()
    assert repr(server) == "<EmbeddedServer stopped>"


@pytest.mark.parametrize("path", ["queue", "/queue?x=1", ""])
def test_a_path_that_no_request_has(server: EmbeddedServer, path: str) -> None:
    with pytest.raises(ValueError, match="is no path"):
        server.answer_next(path, 502)
    with pytest.raises(ValueError, match="is no path"):
        server.lose_next_answer(path)


def test_a_path_may_be_that_below_api(server: EmbeddedServer, client: Client) -> None:
    server.answer_next("/api/queue", 418)
    with pytest.raises(ServerError, match="418"):
        client.queue.list()


def test_who_hangs_up_during_the_handshake_is_no_error(
    server: EmbeddedServer, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    server.latency.answer = 0.2  # in which the connection goes
    with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as line:
        line.sendall(HANDSHAKE)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.latency.answer = 0.0
    client.run(CHAIN, timeout=SECONDS)
    assert not caplog.records
