"""Workflows on the embedded server, as a client and as a bare websocket see them."""

from __future__ import annotations

import io
import json
import struct
from typing import TYPE_CHECKING, Any

import pytest
import requests
from PIL import Image as Picture

from comfyclient import Client, JobFailed, JobInterrupted, JobLost
from comfyclient.events import Preview, Progress
from comfyclient.testing import EmbeddedServer
from tests.conftest import soon
from tests.recorder import SECONDS, Recorder, short
from tests.testing.nodes import NODES, Gate, gate_node, graph, n
from tests.workflows import plain

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


def post(server: EmbeddedServer, prompt: Any, **more: Any) -> str:
    body = {"prompt": prompt, "client_id": "recorder", **more}
    answer = requests.post(f"{server.url}/prompt", json=body, timeout=SECONDS)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["prompt_id"])


def get(server: EmbeddedServer, path: str) -> Any:
    answer = requests.get(f"{server.url}{path}", timeout=SECONDS)
    answer.raise_for_status()
    return answer.json()


# ── what the websocket tells ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_events_of_a_run_come_in_the_captured_order(server: EmbeddedServer) -> None:
    with Recorder(server.url) as recorder:
        prompt_id = post(server, CHAIN)
        messages = recorder.until_end()
    assert recorder.first == {
        "type": "status",
        "data": {"status": {"exec_info": {"queue_remaining": 0}}, "sid": "recorder"},
    }
    words = [short(message) for message in messages]
    assert words == [
        "status",
        "status",
        "execution_start",
        "execution_cached",
        "progress_state",
        "executing:1",
        "progress_state",
        "progress",
        "progress_state",
        "progress",
        "progress_state",
        "progress_state",
        "executing:2",
        "executed:2",
        "progress_state",
        "execution_success",
        "status",
        "executing:None",
    ]
    assert messages[-1] == {"type": "executing", "data": {"node": None, "prompt_id": prompt_id}}
    assert messages[5]["data"] == {"node": "1", "display_node": "1", "prompt_id": prompt_id}
    assert messages[4]["data"]["nodes"]["1"] == {
        "value": 0.0,
        "max": 1.0,
        "state": "running",
        "node_id": "1",
        "prompt_id": prompt_id,
        "display_node_id": "1",
        "parent_node_id": None,
        "real_node_id": "1",
    }
    assert [
        message["data"]["status"]["exec_info"]["queue_remaining"] for message in messages if short(message) == "status"
    ] == [1, 1, 0]


def test_a_cached_run_repeats_what_its_outputs_showed(server: EmbeddedServer) -> None:
    with Recorder(server.url) as recorder:
        post(server, CHAIN)
        recorder.until_end()
        prompt_id = post(server, CHAIN)
        messages = recorder.until_end()
    words = [short(message) for message in messages[2:]]
    assert words == [
        "execution_start",
        "execution_cached",
        "executed:2",
        "progress_state",
        "execution_success",
        "status",
        "executing:None",
    ]
    assert messages[3]["data"]["nodes"] == ["1", "2"]
    assert get(server, f"/history/{prompt_id}")[prompt_id]["outputs"] == {"2": {"text": ["2"]}}


def test_an_error_ends_the_run(server: EmbeddedServer) -> None:
    with Recorder(server.url) as recorder:
        prompt_id = post(server, graph(n1=n("Steps"), n7=n("Fail", message="oh", value=["1", 0])))
        messages = recorder.until_end()
    assert [short(message) for message in messages[-3:]] == ["execution_error", "status", "executing:None"]
    error = messages[-3]["data"]
    assert error.pop("traceback")
    assert error.pop("timestamp") > 0
    assert error == {
        "prompt_id": prompt_id,
        "node_id": "7",
        "node_type": "Fail",
        "executed": ["1"],
        "exception_message": "oh\n",
        "exception_type": "ValueError",
        "current_inputs": {"message": ["oh"], "value": [5]},
        "current_outputs": ["1", "7"],
    }
    status = get(server, f"/history/{prompt_id}")[prompt_id]["status"]
    assert (status["status_str"], status["completed"]) == ("error", False)
    assert [name for name, _ in status["messages"]] == ["execution_start", "execution_cached", "execution_error"]


@pytest.mark.parametrize(("features", "number"), [(None, 1), ({"supports_preview_metadata": True}, 4)])
def test_previews_come_in_the_frames_that_the_client_knows(server: EmbeddedServer, features: Any, number: int) -> None:
    with Recorder(server.url, features=features) as recorder:
        prompt_id = post(server, graph(n1=n("Steps", steps=2, previews=True), n2=n("Show", value=["1", 0])))
        messages = recorder.until_end()
    order = [short(message) for message in messages if short(message) in {"progress", "BIN1", "BIN4"}]
    assert order == ["progress", "BIN1"] * 2 if number == 1 else ["BIN4", "progress"] * 2
    frame = next(message for message in messages if isinstance(message, bytes))
    (size,) = struct.unpack(">I", frame[4:8])
    if number == 4:
        assert json.loads(frame[8 : 8 + size]) == {
            "node_id": "1",
            "prompt_id": prompt_id,
            "display_node_id": "1",
            "parent_node_id": None,
            "real_node_id": "1",
            "image_type": "image/jpeg",
        }
    else:
        assert size == 1
    image = Picture.open(io.BytesIO(frame[8 + (size if number == 4 else 0) :]))
    assert (image.format, image.size) == ("JPEG", (8, 4))


def test_without_a_client_id_progress_goes_to_everybody_and_the_rest_to_nobody(server: EmbeddedServer) -> None:
    with Recorder(server.url, "stranger") as stranger:
        answer = requests.post(f"{server.url}/prompt", json={"prompt": CHAIN}, timeout=SECONDS)
        prompt_id = answer.json()["prompt_id"]
        assert soon(lambda: prompt_id in get(server, f"/history/{prompt_id}"))
        server.send("end", {})
        messages: list[Any] = []
        while not messages or short(messages[-1]) != "end":
            messages.append(stranger.next())
    assert {short(message) for message in messages[:-1]} == {"status", "progress_state", "progress"}


def test_a_fast_node_leaves_steps_out(server: EmbeddedServer) -> None:
    with Recorder(server.url) as recorder:
        post(server, graph(n1=n("Steps", steps=50), n2=n("Show", value=["1", 0])))
        messages = recorder.until_end()
    values = [message["data"]["value"] for message in messages if short(message) == "progress"]
    assert (values[0], values[-1]) == (1, 50)
    assert len(values) < 50


# ── the ways of nodes ────────────────────────────────────────────────────────────────────────────────────────────────


def outputs(client: Client, workflow: Any) -> dict[str, Any]:
    result = client.run(workflow, timeout=SECONDS)
    return client.history.get(result.prompt_id).outputs  # type: ignore[union-attr]


def test_lists_run_what_follows_once_for_each_item(client: Client) -> None:
    shown = outputs(
        client,
        graph(
            n1=n("Count", count=3),
            n2=n("Show", value=["1", 0]),
            n3=n("Gather", value=["1", 0]),
            n4=n("Show", value=["3", 0]),
        ),
    )
    assert shown == {"2": {"text": ["0", "1", "2"]}, "4": {"text": ["3"]}}


def test_lazy_inputs_are_run_only_if_they_are_needed(client: Client) -> None:
    workflow = graph(
        n1=n("Steps", steps=1),
        n2=n("Fail"),
        n3=n("Choose", first=True, a=["1", 0], b=["2", 0]),
        n4=n("Show", value=["3", 0]),
    )
    result = client.run(workflow, timeout=SECONDS, targets=["4"])
    assert result["4"].texts == ("1",)


def test_async_nodes(client: Client) -> None:
    workflow = graph(
        n1=n("Later", value=1), n2=n("Later", value=2), n3=n("Show", value=["1", 0]), n4=n("Show", value=["2", 0])
    )
    assert outputs(client, workflow) == {"3": {"text": ["1"]}, "4": {"text": ["2"]}}
    with pytest.raises(JobFailed, match="later"):
        client.run(graph(n1=n("Later", value=1, fail=True), n2=n("Show", value=["1", 0])), timeout=SECONDS)


def test_a_blocked_output_is_skipped_and_the_prompt_succeeds(server: EmbeddedServer) -> None:
    with Recorder(server.url) as recorder:
        post(server, graph(n1=n("Block", message="no"), n2=n("Show", value=["1", 0])))
        messages = recorder.until_end()
    errors = [message["data"] for message in messages if short(message) == "execution_error"]
    assert [error["exception_message"] for error in errors] == ["Execution Blocked: no"]
    assert errors[0]["exception_type"] == "ExecutionBlocked"
    assert "timestamp" not in errors[0]
    assert short(messages[-3]) == "execution_success"


def test_a_node_turns_into_others(server: EmbeddedServer, client: Client) -> None:
    result = client.run(graph(n1=n("Expand", count=2, show=True), n2=n("Show", value=["1", 0])), timeout=SECONDS)
    entry = get(server, f"/history/{result.prompt_id}")[result.prompt_id]
    assert entry["outputs"] == {"1.0.0.3": {"text": ["2"]}, "2": {"text": ["2"]}}
    assert entry["meta"]["1.0.0.3"] == {
        "node_id": "1.0.0.3",
        "display_node": "1",
        "parent_node": "1",
        "real_node_id": "1",
    }
    with pytest.raises(JobFailed) as caught:
        client.run(graph(n1=n("Expand", count=2, fail=True), n2=n("Show", value=["1", 0])), timeout=SECONDS)
    assert (caught.value.node_id, caught.value.node_type) == ("1", "Expand")


def test_a_cycle_that_shows_only_now_is_an_error_and_a_success(server: EmbeddedServer) -> None:
    with Recorder(server.url) as recorder:
        prompt_id = post(server, graph(n1=n("Cycle"), n2=n("Show", value=["1", 0])))
        messages = recorder.until_end()
    error = messages[-3]["data"]
    assert (error["exception_type"], error["node_id"]) == ("graph.DependencyCycleError", "1")
    assert get(server, f"/history/{prompt_id}")[prompt_id]["status"]["status_str"] == "success"


def test_partial_success_runs_the_good_outputs(client: Client) -> None:
    workflow = graph(n1=n("Steps"), n2=n("Show", value=["1", 0]), n3=n("Show"))
    job = client.submit(workflow, strict=False)
    assert [problem.node_id for problem in job.node_errors] == ["3"]
    assert job.result(timeout=SECONDS)["2"].texts == ("5",)


# ── clients ──────────────────────────────────────────────────────────────────────────────────────────────────────────


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


def test_pixels_and_names_of_saved_images(client: Client) -> None:
    result = client.run(plain(0x102030, batch=2), timeout=SECONDS)
    assert [(file.filename, file.subfolder, file.type) for file in result.images] == [
        ("plain_00001_.png", "comfyclient_tests", "output"),
        ("plain_00002_.png", "comfyclient_tests", "output"),
    ]
    with Picture.open(io.BytesIO(result.images[0].read())) as image:
        assert image.getpixel((0, 0)) == (0x10, 0x20, 0x30)


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


def test_priorities(server: EmbeddedServer, client: Client, gate: Gate) -> None:
    def text(word: str) -> Any:
        return graph(n1=n("Show", value=word))

    first = client.submit(graph(n1=n("Wait"), n2=n("Show", value=["1", 0])))
    assert gate.reached.wait(SECONDS)
    jobs = [
        client.submit(text("third"), number=50),
        client.submit(text("second")),
        client.submit(text("first"), front=True),
    ]
    gate.released.set()
    for job in (first, *jobs):
        job.result(timeout=SECONDS)
    history = get(server, "/history")
    assert [entry["outputs"].get("1", {}).get("text") for entry in history.values()] == [
        None,
        ["first"],
        ["second"],
        ["third"],
    ]


def test_free_memory_forgets_what_was_cached(server: EmbeddedServer) -> None:
    with Recorder(server.url) as recorder:
        post(server, CHAIN)
        recorder.until_end()
        requests.post(f"{server.url}/free", json={"free_memory": True}, timeout=SECONDS).raise_for_status()
        post(server, graph(n1=n("Show", value="between")))
        recorder.until_end()
        post(server, CHAIN)
        messages = recorder.until_end()
    assert "executing:1" in map(short, messages)


@pytest.mark.parametrize("realtime", [True, False])
def test_a_dead_worker_leaves_the_prompt_running(server: EmbeddedServer, realtime: bool) -> None:  # noqa: FBT001
    with Client(server.url, realtime=realtime) as client:
        job = client.submit(graph(n1=n("Die")))
        assert soon(lambda: not server.worker_alive)
        assert [item.prompt_id for item in client.queue.list().queue_running] == [job.prompt_id]
