"""How a run can end, on a real server: each ends with what there is, or with an error that says what happened."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from comfyclient import Client, JobFailed, JobInterrupted, JobLost, Workflow
from comfyclient.events import Executed, ExecutionError
from tests.comfyui.images import painted
from tests.conftest import soon
from tests.workflows import (
    BOTH_WAYS,
    PATIENCE,
    Gate,
    failing,
    filled,
    fresh,
    fresh_color,
    image,
    node,
    pixels,
    plain,
    text,
)

if TYPE_CHECKING:
    from pathlib import Path


needs_test_nodes = pytest.mark.needs_test_nodes


@BOTH_WAYS
def test_a_run_ends_with_its_images(comfyui_url: str, tmp_path: Path, *, realtime: bool) -> None:
    color = fresh_color()
    before = time.time()
    with Client(comfyui_url, realtime=realtime) as client:
        result = client.run(plain(color, batch=2), timeout=PATIENCE)
        assert list(result) == ["2"]
        assert [pixels(file) for file in result["2"].images] == [filled(color)] * 2
        assert result.images == result["2"].images == result.by_title("Save it").images
        assert result.cached_nodes == ()
        assert result.timings.created is not None
        assert result.timings.started is not None
        assert result.timings.finished is not None
        assert before - 1 < result.timings.created <= result.timings.started <= result.timings.finished
        assert result.timings.finished < time.time() + 1
        saved = result.images[0].save(tmp_path / "image.png")
        assert pixels(saved.read_bytes()) == filled(color)
        assert result.history().prompt.prompt_id == result.prompt_id


@BOTH_WAYS
def test_a_run_from_the_cache_ends_with_the_same_images(comfyui_url: str, *, realtime: bool) -> None:
    workflow = Workflow.load(plain(fresh_color()))
    with Client(comfyui_url, realtime=realtime) as client:
        first = client.run(workflow, timeout=PATIENCE)
        job = client.submit(workflow)
        second = job.result(PATIENCE)
        assert second.prompt_id != first.prompt_id
        assert second.cached_nodes == ("1", "2")
        assert second.images == first.images
        assert pixels(second.images[0]) == pixels(first.images[0])
        assert job.progress == 1.0
        assert job.node_progress == {"1": 1.0, "2": 1.0}


@needs_test_nodes
def test_a_run_that_is_cached_in_part(client: Client) -> None:
    seed = fresh()
    client.run(image(seed), timeout=PATIENCE)
    graph = image(seed)
    graph["3"] = node("TestText", value="new", seed=fresh())
    result = client.run(graph, timeout=PATIENCE)
    assert result.cached_nodes == ("1", "2")
    assert pixels(result["2"].images[0]) == painted(seed, 16, 16)
    assert result["3"].texts == ("new",)


def test_ids_of_nodes_are_any_text(client: Client) -> None:
    color = fresh_color()
    graph = plain(color)
    odd = {"12:5": graph["1"], "a b/ü.1": graph["2"]}
    odd["a b/ü.1"]["inputs"]["images"] = ["12:5", 0]
    result = client.run(odd, timeout=PATIENCE)
    assert pixels(result["a b/ü.1"].images[0]) == filled(color)


# --- errors -------------------------------------------------------------------------------------------------


@needs_test_nodes
@BOTH_WAYS
def test_a_node_that_raises(comfyui_url: str, *, realtime: bool) -> None:
    with Client(comfyui_url, realtime=realtime) as client:
        job = client.submit(failing("the reason"))
        with pytest.raises(JobFailed, match=r"node 1 'Trouble' \(TestRaise\) raised ValueError: the reason") as caught:
            job.result(PATIENCE)
        error = caught.value
        assert (error.prompt_id, error.node_id, error.node_type) == (job.prompt_id, "1", "TestRaise")
        assert (error.exception_type, error.exception_message) == ("ValueError", "the reason")
        assert any("in run" in line for line in error.traceback)
        assert "On the server:" in str(error)
        assert job.status == "failed"
        assert not job.cancelled()


@needs_test_nodes
@pytest.mark.parametrize(
    ("exception", "shown"),
    [("KeyError", "KeyError"), ("TestError", "TestError"), ("OutOfMemoryError", "OutOfMemoryError")],
)
def test_every_kind_of_exception_is_named(client: Client, exception: str, shown: str) -> None:
    with pytest.raises(JobFailed, match=shown) as caught:
        client.run(failing("", exception), timeout=PATIENCE)
    assert caught.value.exception_type.endswith(shown)


@needs_test_nodes
@BOTH_WAYS
def test_an_error_after_an_output_is_an_error(comfyui_url: str, *, realtime: bool) -> None:
    graph = image(seed := fresh())
    graph["3"] = node("TestRaise", exception="RuntimeError", message="late", steps=2, value=["2", 0])
    graph["2"] = node("TestOutputs", kinds="images", seed=seed, value=["1", 0])
    with Client(comfyui_url, realtime=realtime) as client:
        job = client.submit(graph)
        with pytest.raises(JobFailed, match=r"node 3 .* raised RuntimeError: late"):
            job.result(PATIENCE)
        if realtime:
            assert [event.node for event in job.events() if isinstance(event, Executed)] == ["2"]
        entry = client.history.get(job.prompt_id)
        assert entry is not None
        assert list(entry.outputs) == ["2"]


@needs_test_nodes
@BOTH_WAYS
def test_a_cycle_that_shows_only_at_run_time_is_an_error(comfyui_url: str, *, realtime: bool) -> None:
    """The server's history calls it a success."""
    graph = {"1": node("TestCycle", seed=fresh()), "2": node("TestText", value=["1", 0])}
    with Client(comfyui_url, realtime=realtime) as client:
        job = client.submit(graph)
        with pytest.raises(JobFailed, match="DependencyCycleError"):
            job.result(PATIENCE)
        assert job.status == "failed"
        entry = client.history.get(job.prompt_id)
        assert entry is not None
        assert entry.status is not None
        assert entry.status.status_str == "success"


# --- what others do -----------------------------------------------------------------------------------------


@needs_test_nodes
@BOTH_WAYS
def test_an_interrupt_by_somebody_else(comfyui_url: str, *, realtime: bool) -> None:
    gate = Gate(comfyui_url)
    with Client(comfyui_url, realtime=realtime) as client, Client(comfyui_url) as other:
        job = client.submit(gate.workflow())
        gate.wait()
        other.queue.interrupt(job.prompt_id)
        with pytest.raises(JobInterrupted, match=f"prompt {job.prompt_id} was interrupted"):
            job.result(PATIENCE)
        assert job.status == "cancelled"
        assert job.cancelled()


@needs_test_nodes
@BOTH_WAYS
@pytest.mark.parametrize("busy", [True, False], ids=["with others waiting", "alone"])
def test_a_waiting_prompt_that_somebody_else_deletes_is_lost_soon(
    comfyui_url: str, *, realtime: bool, busy: bool
) -> None:
    gate = Gate(comfyui_url)
    with Client(comfyui_url, realtime=realtime) as client, Client(comfyui_url) as other:
        first = other.submit(gate.workflow())
        gate.wait()
        job = client.submit(text("never"))
        others = [other.submit(text("later")) for _ in range(3)] if busy else []
        assert not job.done()
        other.queue.delete(job.prompt_id)
        with pytest.raises(JobLost, match=f"no longer knows prompt {job.prompt_id}: it was deleted"):
            job.result(PATIENCE)
        assert job.status == "lost"
        gate.open()
        for survivor in (first, *others):
            survivor.result(PATIENCE)


@needs_test_nodes
def test_a_queue_that_is_too_short_for_our_prompts_tells_that_one_was_deleted(comfyui_url: str) -> None:
    gate = Gate(comfyui_url)
    with Client(comfyui_url, poll_interval=600) as client, Client(comfyui_url) as other:
        running = client.submit(gate.workflow())
        gate.wait()
        waiting, deleted = client.submit(text("later")), client.submit(text("never"))
        other.queue.delete(deleted.prompt_id)
        with pytest.raises(JobLost):
            deleted.result(PATIENCE)
        assert not waiting.done()
        gate.open()
        assert [running.result(PATIENCE).texts, waiting.result(PATIENCE).texts] == [("through",), ("later",)]


@needs_test_nodes
def test_somebody_elses_long_job_after_ours_keeps_nobody_waiting(comfyui_url: str, client: Client) -> None:
    ours, theirs = Gate(comfyui_url), Gate(comfyui_url)
    with Client(comfyui_url) as other:
        job = client.submit(ours.workflow("ours"))
        ours.wait()
        long = other.submit(theirs.workflow("theirs"))
        ours.open()
        assert job.result(PATIENCE).texts == ("ours",)
        theirs.wait()
        assert soon(long.running)  # the gate may tell us before the websocket does
        theirs.open()
        assert long.result(PATIENCE).texts == ("theirs",)


@needs_test_nodes
def test_of_two_outputs_the_slow_one_is_waited_for(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)
    job = client.submit(
        {
            "1": node("TestText", value="fast", seed=fresh()),
            "2": gate.node(value=["1", 0]),
            "3": node("TestText", value=["2", 0]),
        }
    )
    events = job.events()
    first = next(event for event in events if isinstance(event, Executed))
    assert (first.node, first.output) == ("1", {"text": ["fast"]})
    gate.wait()
    assert job.running()
    assert not job.done()
    gate.open()
    assert job.result(PATIENCE).texts == ("fast", "fast")
    assert [event.node for event in events if isinstance(event, Executed)] == ["3"]


@needs_test_nodes
def test_a_blocked_output_is_no_failure(client: Client) -> None:
    graph = {
        "1": node("TestBlock", message="not today", seed=fresh()),
        "2": node("TestText", value=["1", 0]),
        "3": node("TestText", value="free", seed=fresh()),
    }
    job = client.submit(graph)
    result = job.result(PATIENCE)
    assert result.texts == ("free",)
    assert list(result) == ["3"]
    (blocked,) = (event for event in job.events() if isinstance(event, ExecutionError))
    assert blocked.blocked
    assert "not today" in blocked.exception_message
