"""The log of a real server: its end, followed, and as events."""

from __future__ import annotations

import queue
import threading
import uuid
from typing import TYPE_CHECKING

import pytest

from comfyclient import Client
from comfyclient.events import Disconnected, Logs, Reconnected
from tests.conftest import soon
from tests.workflows import PATIENCE, Gate, drop, fresh, node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comfyclient import EventQueue
    from comfyclient.types import LogEntry
    from tests.conftest import StartComfyUI
    from tests.workflows import Graph

pytestmark = pytest.mark.needs_test_nodes


def printing(text: str, how: str = "print", gate: Gate | None = None) -> Graph:
    """A node that writes to the log, and behind it a gate, if there is one."""
    graph = {"1": node("TestPrint", text=text, how=how, seed=fresh())}
    if gate is not None:
        graph["2"] = gate.node(value=["1", 0])
        graph["3"] = node("TestText", value=["2", 0])
    return graph


def a_word() -> str:
    return uuid.uuid4().hex


def search(entries: Iterator[LogEntry], word: str) -> LogEntry:
    """The first entry with that word."""
    found = next((entry for entry in entries if word in entry.m), None)
    assert found is not None
    return found


def hear(listener: EventQueue[Logs], word: str) -> Logs:
    """The first event with that word; what comes before it is left out."""
    while word not in (event := listener.get(timeout=PATIENCE)).text:
        pass
    return event


# --- its end ------------------------------------------------------------------------------------------------


def test_what_nodes_write_is_in_the_log(client: Client) -> None:
    printed, logged = a_word(), a_word()
    client.run(printing(printed))
    client.run(printing(logged, "log"))
    log = client.system.log_entries()

    assert f"{printed}\n" in log.text
    assert f"[INFO] {logged}\n" in log.text
    entry = search(iter(log.entries), logged)
    assert "\x1b[" in entry.m
    assert entry.text == f"[INFO] {logged}\n"
    assert search(iter(log.entries), printed).time < entry.time
    assert log.size is not None
    assert log.size.cols
    assert log.size.rows
    assert log.extra == log.size.extra == entry.extra == {}


def test_the_log_as_one_text(client: Client) -> None:
    word = a_word()
    client.run(printing(word, "log"))

    assert f" - \x1b[32m[INFO]\x1b[0m {word}\n" in client.system.log()
    assert f" - [INFO] {word}\n" in client.system.log(plain=True)
    assert "\x1b" not in client.system.log(plain=True)


# --- followed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["print", "flush", "log"])
def test_what_a_node_writes_is_seen_while_the_prompt_runs(client: Client, comfyui_url: str, how: str) -> None:
    gate, word = Gate(comfyui_url), a_word()
    entries = client.system.follow_log()
    job = client.submit(printing(word, how, gate))
    assert word in search(entries, word).m
    assert not job.done()

    gate.open()
    job.result(PATIENCE)


def test_the_log_of_a_job_is_seen_to_its_end(client: Client) -> None:
    words = [a_word() for _ in range(3)]
    graph = {"0": node("TestPrint", text=words[0], how="print", seed=fresh())}
    for number in (1, 2):
        before = [str(number - 1), 0]
        graph[str(number)] = node("TestPrint", text=words[number], how="print", seed=fresh(), value=before)
    entries = client.system.follow_log(until=lambda: job.done())  # noqa: PLW0108 - there is no job yet
    job = client.submit(graph)
    seen = "".join(entry.text for entry in entries)

    assert job.done()
    positions = [seen.index(f"{word}\n") for word in words]
    assert positions == sorted(positions)
    assert seen.count(words[0]) == 1


def test_it_is_followed_without_a_websocket_and_from_the_past(client: Client, comfyui_url: str) -> None:
    before, after = a_word(), a_word()
    client.run(printing(before))
    with Client(comfyui_url, realtime=False) as polling:
        entries = polling.system.follow_log(past=True)
        client.run(printing(after))
        search(entries, before)
        search(entries, after)


def test_a_restart_is_sat_out(start_comfyui: StartComfyUI) -> None:
    server = start_comfyui()
    with Client(server.url, give_up_after=3600) as client, client.listen(Logs) as listener:
        client.system.subscribe_log()
        entries = client.system.follow_log()
        restarting = threading.Thread(target=server.restart)
        restarting.start()
        try:
            search(entries, "To see the GUI go to")
        finally:
            restarting.join()
        assert soon(lambda: _is_sent(client, listener), 60)


def _is_sent(client: Client, listener: EventQueue[Logs]) -> bool:
    """Whether the log is sent now."""
    word = a_word()
    client.run(printing(word, "flush"))
    try:
        while word not in listener.get(timeout=1).text:
            pass
    except queue.Empty:
        return False
    return True


# --- as events ----------------------------------------------------------------------------------------------


def test_the_log_is_sent_when_it_was_asked_for(client: Client, comfyui_url: str) -> None:
    gate, flushed, logged = Gate(comfyui_url), a_word(), a_word()
    called: queue.Queue[Logs] = queue.Queue()
    client.on("logs", called.put)
    with client.listen(Logs) as listener:
        client.run(printing(a_word(), "log"))
        assert listener.empty(), "nobody asked for it"

        client.system.subscribe_log()
        job = client.submit(printing(flushed, "flush", gate))
        assert f"{flushed}\n" in hear(listener, flushed).text
        assert not job.done()
        gate.open()
        job.result(PATIENCE)
        client.run(printing(logged, "log"))
        event = hear(listener, logged)
    assert search(iter(event.entries), logged).text == f"[INFO] {logged}\n"
    assert soon(lambda: event in [*called.queue])


def test_what_is_printed_is_sent_with_the_next_flush(client: Client) -> None:
    client.system.subscribe_log()
    printed, logged, flushed = a_word(), a_word(), a_word()
    with client.listen(Logs) as listener:
        client.run(printing(printed))
        client.run(printing(logged, "log"))
        assert printed not in hear(listener, logged).text
        client.run(printing(flushed, "flush"))
        event = hear(listener, flushed)
    assert event.text.index(printed) < event.text.index(flushed)


def test_it_is_sent_again_after_a_reconnect(client: Client, comfyui_url: str) -> None:
    client.system.subscribe_log()
    with client.listen(Logs) as listener, client.listen(Disconnected, Reconnected) as connection:
        for _ in range(2):
            drop(comfyui_url, client.config.client_id)
            with Client(comfyui_url, realtime=False) as other:
                other.run(printing(a_word(), "log"))  # at which the server forgets who is not there
            while not isinstance(connection.get(timeout=PATIENCE), Reconnected):
                pass
            assert soon(lambda: _is_sent(client, listener), PATIENCE)


def test_it_is_sent_no_longer_when_it_is_not_wanted(client: Client) -> None:
    client.system.subscribe_log()
    word = a_word()
    with client.listen(Logs) as listener:
        client.run(printing(word, "log"))
        hear(listener, word)
        client.system.subscribe_log(enabled=False)
        client.run(printing(a_word(), "log"))
        word = a_word()
        client.run(printing(word, "log"))
    assert not any(word in event.text for event in listener)


def test_everybody_is_sent_what_they_asked_for(client: Client, comfyui_url: str) -> None:
    word = a_word()
    with (
        Client(comfyui_url) as second,
        Client(comfyui_url) as third,
        client.listen(Logs) as one,
        second.listen(Logs) as two,
        third.listen(Logs) as none,
    ):
        client.system.subscribe_log()
        second.system.subscribe_log()
        third.connect()
        third.run(printing(word, "flush"))
        assert f"{word}\n" in hear(one, word).text
        assert f"{word}\n" in hear(two, word).text
        assert none.empty()
