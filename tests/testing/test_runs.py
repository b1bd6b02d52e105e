"""Workflows on the embedded server, as a client and as a bare websocket see them."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from PIL import Image as Picture

from comfyclient import Client, JobInterrupted, JobLost
from comfyclient.events import Preview, Progress
from comfyclient.testing import Context, EmbeddedServer, node
from tests.conftest import soon
from tests.recorder import SECONDS, Recorder, short
from tests.testing.nodes import NODES, Gate, gate_node, graph, n

if TYPE_CHECKING:
    from collections.abc import Iterator

CHAIN = graph(n1=n("Steps", steps=2), n2=n("Show", value=["1", 0]))


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def server(gate: Gate) -> Iterator[EmbeddedServer]:
    with EmbeddedServer([*NODES, gate_node(gate)]) as server:
        yield server


def get(server: EmbeddedServer, path: str) -> Any:
    answer = requests.get(f"{server.url}{path}", timeout=SECONDS)
    answer.raise_for_status()
    return answer.json()


def test_a_node_sends_what_it_likes() -> None:
    @node(output_node=True)
    def Notify(context: Context) -> None:  # noqa: N802 - a node
        context.send("mine", {"node": context.node_id})
        context.send("mine.for.all", {}, everybody=True)
        context.send(99, b"bytes")

    with (
        EmbeddedServer([Notify]) as server,
        Recorder(server.url) as ours,
        Recorder(server.url, "stranger") as stranger,
    ):
        body = {"prompt": graph(n1=n("Notify")), "client_id": "recorder"}
        requests.post(f"{server.url}/prompt", json=body, timeout=SECONDS).raise_for_status()
        messages = ours.until_end()
        assert {"type": "mine", "data": {"node": "1"}} in messages
        assert b"\0\0\0\x63bytes" in messages
        assert {short(each) for each in stranger.until("mine.for.all")} == {"status", "mine.for.all"}


def test_partial_success_runs_the_good_outputs(client: Client) -> None:
    workflow = graph(n1=n("Steps"), n2=n("Show", value=["1", 0]), n3=n("Show"))
    job = client.submit(workflow, strict=False)
    assert [problem.node_id for problem in job.node_errors] == ["3"]
    assert job.result(timeout=SECONDS)["2"].texts == ("5",)


def test_the_standard_workflow_runs_with_progress_and_previews(client: Client) -> None:
    steps: list[float] = []
    previews = []

    def note(event: Any) -> None:
        if isinstance(event, Progress):
            steps.append(event.value)
        elif isinstance(event, Preview):
            previews.append(event)

    result = client.run("docs/examples/portrait.json", timeout=SECONDS, on_event=note)
    assert steps[-1] == 20
    assert previews
    first = result.images[0].read()
    with Picture.open(io.BytesIO(first)) as image:
        assert image.size == (512, 512)
        assert json.loads(image.text["prompt"]).keys() == {"3", "4", "5", "6", "7", "8", "9"}


def test_a_picture_follows_from_prompt_and_seed(client: Client) -> None:
    from comfyclient import Workflow  # noqa: PLC0415

    def made(seed: int, text: str) -> bytes:
        workflow = Workflow.load("docs/examples/portrait.json")
        workflow["3"]["seed"], workflow["6"]["text"] = seed, text
        workflow["5"]["width"] = workflow["5"]["height"] = 64
        with Picture.open(io.BytesIO(client.run(workflow, timeout=SECONDS).images[0].read())) as image:
            return bytes(image.tobytes())

    fox = made(1, "fox")
    assert made(2, "fox") != fox
    assert made(1, "hare") != fox
    assert made(1, "fox") == fox


def test_a_running_job_is_cancelled(client: Client, gate: Gate) -> None:
    job = client.submit(graph(n1=n("Wait"), n2=n("Show", value=["1", 0])))
    assert gate.reached.wait(SECONDS)
    assert job.cancel()
    with pytest.raises(JobInterrupted):
        job.result(timeout=SECONDS)
    assert client.jobs.get(job.prompt_id).status == "cancelled"  # type: ignore[union-attr]


def test_a_waiting_job_is_removed(client: Client, gate: Gate) -> None:
    first = client.submit(graph(n1=n("Wait"), n2=n("Show", value=["1", 0])))
    assert gate.reached.wait(SECONDS)
    second = client.submit(CHAIN)
    assert client.jobs.get(second.prompt_id).status == "pending"  # type: ignore[union-attr]
    client.queue.delete(second.prompt_id)
    gate.released.set()
    first.result(timeout=SECONDS)
    with pytest.raises(JobLost):
        second.result(timeout=SECONDS)


@pytest.mark.parametrize("realtime", [True, False])
def test_a_dead_worker_leaves_the_prompt_running(server: EmbeddedServer, realtime: bool) -> None:  # noqa: FBT001
    with Client(server.url, realtime=realtime) as client:
        job = client.submit(graph(n1=n("Die")))
        assert soon(lambda: not server.worker_alive)
        assert [item.prompt_id for item in client.queue.list().queue_running] == [job.prompt_id]
