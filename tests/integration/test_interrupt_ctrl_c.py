"""Ctrl-C, a real one, in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.conftest import soon
from tests.relay import Relay
from tests.workflows import PATIENCE, Gate, node, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comfyclient import Client
    from comfyclient.types import HistoryEntry

pytestmark = [
    pytest.mark.needs_test_nodes,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to whole groups of processes"),
]

ONE = """
import json, sys
from comfyclient import Client
url, client_id, action, workflow = sys.argv[1:]
with Client(url, client_id=client_id) as client:
    if action == "run":
        client.run(json.loads(workflow))
    elif action == "map":
        list(client.map(json.loads(workflow), [{}] * 3))
    else:
        client.submit(json.loads(workflow)).result()
"""

MANY = """
import json, random, signal, sys, threading
from comfyclient import Client
url, client_id, workflow = sys.argv[1:]
workflow = json.loads(workflow)
never = threading.Event()

def interrupt(moment):
    never.wait(moment)
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

with Client(url, client_id=client_id) as client:
    ended = interrupted = 0
    for turn in range(15):
        workflow["1"]["inputs"]["seed"] = random.getrandbits(60)
        thread = threading.Thread(target=interrupt, args=(random.uniform(0, 0.08),))
        try:
            thread.start()
            client.run(workflow, timeout=30)
            ended += 1
            while True:
                never.wait(0.1)  # no longer: a signal just before a wait begins is seen after it
        except KeyboardInterrupt:
            interrupted += 1
        thread.join()
    print(ended, interrupted, client.run(workflow, timeout=30).texts[0])
"""


@contextmanager
def process(script: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", script, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


def submitted_by(client: Client, client_id: str) -> list[str]:
    """The prompts that wait or run."""
    listing = client.queue.list()
    items = (*listing.queue_running, *listing.queue_pending)
    return [item.prompt_id for item in items if item.extra_data.get("client_id") == client_id]


def ended_of(client: Client, client_id: str) -> list[HistoryEntry]:
    entries = client.history.list(limit=100).values()
    return [entry for entry in entries if entry.prompt.extra_data.get("client_id") == client_id]


def test_ctrl_c_interrupts_what_runs_and_nothing_else(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)
    with process(ONE, comfyui_url, gate.name, "run", json.dumps(gate.workflow())) as running:
        gate.wait()
        theirs = client.submit(text("theirs"))
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=PATIENCE)
    assert running.returncode == -signal.SIGINT, errors
    assert submitted_by(client, gate.name) == []
    [entry] = ended_of(client, gate.name)
    assert entry.interrupted
    assert errors.rstrip().endswith(f"KeyboardInterrupt: prompt {entry.prompt.prompt_id} was cancelled")
    assert theirs.result(PATIENCE).texts == ("theirs",)


def test_ctrl_c_takes_what_waits_from_the_queue(comfyui_url: str, client: Client) -> None:
    ours, theirs = Gate(comfyui_url), Gate(comfyui_url)
    job = client.submit(theirs.workflow("theirs"))
    theirs.wait()
    with process(ONE, comfyui_url, ours.name, "run", json.dumps(ours.workflow())) as waiting:
        assert soon(lambda: bool(submitted_by(client, ours.name)), PATIENCE)
        waiting.send_signal(signal.SIGINT)
        _, errors = waiting.communicate(timeout=PATIENCE)
    assert waiting.returncode == -signal.SIGINT, errors
    assert submitted_by(client, ours.name) == []
    assert ended_of(client, ours.name) == []
    assert theirs.is_waited_at()
    theirs.open()
    assert job.result(PATIENCE).texts == ("theirs",)


def test_ctrl_c_while_waiting_for_a_submitted_job_leaves_it_alone(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)
    with process(ONE, comfyui_url, gate.name, "submit", json.dumps(gate.workflow())) as submitting:
        gate.wait()
        submitting.send_signal(signal.SIGINT)
        _, errors = submitting.communicate(timeout=PATIENCE)
    assert submitting.returncode == -signal.SIGINT, errors
    (prompt_id,) = submitted_by(client, gate.name)
    gate.open()
    assert client.job(prompt_id).result(PATIENCE).texts == ("through",)


def test_ctrl_c_in_a_map_stops_all_that_are_in_flight(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)
    with process(ONE, comfyui_url, gate.name, "map", json.dumps(gate.workflow())) as mapping:
        gate.wait()
        assert soon(lambda: len(submitted_by(client, gate.name)) == 3)
        mapping.send_signal(signal.SIGINT)
        _, errors = mapping.communicate(timeout=PATIENCE)
    assert mapping.returncode == -signal.SIGINT, errors
    assert submitted_by(client, gate.name) == []
    assert [entry.interrupted for entry in ended_of(client, gate.name)] == [True]


@pytest.mark.parametrize("action", ["run", "map"])
def test_ctrl_c_before_the_answer_to_the_submission_has_come(comfyui_url: str, client: Client, action: str) -> None:
    gate = Gate(comfyui_url)
    with Relay(comfyui_url) as relay:
        relay.answers.clear()
        with process(ONE, relay.url, gate.name, action, json.dumps(gate.workflow())) as submitting:
            gate.wait()
            submitting.send_signal(signal.SIGINT)
            relay.answers.set()
            _, errors = submitting.communicate(timeout=PATIENCE)
    assert submitting.returncode == -signal.SIGINT, errors
    assert submitted_by(client, gate.name) == []
    assert [entry.interrupted for entry in ended_of(client, gate.name)] == [True]


def test_ctrl_c_between_the_submission_and_what_follows_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(client.config.url)

    def strike(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(client._tracker, "follow", strike)
    with pytest.raises(KeyboardInterrupt, match="was cancelled"):
        client.run(gate.workflow())
    assert submitted_by(client, client.config.client_id) == []


def test_ctrl_c_at_any_moment_leaves_nothing_behind(comfyui_url: str, client: Client) -> None:
    client_id = uuid.uuid4().hex
    graph = {
        "1": node("TestProgress", steps=3, delay=0.01, value="still usable"),
        "2": node("TestProgress", steps=3, delay=0.005, value=["1", 0]),
        "3": node("TestText", value=["2", 0]),
    }
    with process(MANY, comfyui_url, client_id, json.dumps(graph)) as running:
        output, errors = running.communicate(timeout=90)
    assert running.returncode == 0, errors
    ended, interrupted, text_of_last = output.split(maxsplit=2)
    assert (interrupted, text_of_last) == ("15", "still usable\n")
    assert submitted_by(client, client_id) == []
    entries = ended_of(client, client_id)
    assert len([entry for entry in entries if entry.succeeded]) >= int(ended) + 1
    assert all(entry.succeeded or entry.interrupted for entry in entries)
