"""Prompts of which only a part is run: the rest is refused, or not asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import Client, PromptRejected
from tests.conftest import soon
from tests.workflows import BOTH_WAYS, PATIENCE, Gate, filled, fresh, fresh_color, half_wrong, node, pixels, plain, text

if TYPE_CHECKING:
    from tests.workflows import Graph

needs_test_nodes = pytest.mark.needs_test_nodes


def prompts_with(client: Client, name: str, value: Any) -> list[str]:
    """The prompts, waiting, running or ended, in which an input has this value."""
    queue = client.queue.list()
    items = [*queue.queue_running, *queue.queue_pending]
    items += [entry.prompt for entry in client.history.list(limit=20).values()]
    return [item.prompt_id for item in items if value in [node["inputs"].get(name) for node in item.prompt.values()]]


@BOTH_WAYS
def test_without_strict_the_good_part_runs(comfyui_url: str, *, realtime: bool) -> None:
    color = fresh_color()
    with Client(comfyui_url, realtime=realtime) as client:
        job = client.submit(half_wrong(color), strict=False)
        (problem,) = job.node_errors
        assert (problem.node_id, problem.title, problem.class_type) == ("3", "Enlarge", "ImageScaleBy")
        assert (problem.type, problem.input_name, problem.received_value) == ("value_bigger_than_max", "scale_by", 99.0)
        assert "99" in problem.message
        assert soon(lambda: set(job.node_progress) == {"1", "2"})
        result = job.result(PATIENCE)
        assert list(result) == ["2"]
        assert pixels(result.images[0]) == filled(color)
        assert (job.status, job.progress) == ("completed", 1.0)


@needs_test_nodes
def test_with_strict_nothing_runs(comfyui_url: str, client: Client) -> None:
    gate, color = Gate(comfyui_url), fresh_color()
    blocker = client.submit(gate.workflow())
    gate.wait()
    with pytest.raises(PromptRejected, match=r"node 3 'Enlarge' \(ImageScaleBy\): .*99") as caught:
        client.submit(half_wrong(color))
    assert caught.value.status == 200
    assert [problem.node_id for problem in caught.value.problems] == ["3"]
    assert set(caught.value.node_errors) == {"3"}
    assert prompts_with(client, "color", color) == []
    gate.open()
    blocker.result(PATIENCE)
    assert prompts_with(client, "color", color) == []


@needs_test_nodes
def test_with_strict_what_runs_already_is_stopped(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)
    graph = {
        **gate.workflow(),
        "3": node("TestPreview", steps=0, format="PNG", seed=fresh()),
        "4": node("TestText", value=["3", 0]),
    }
    with pytest.raises(PromptRejected, match="what it accepted was cancelled"):
        client.run(graph, timeout=PATIENCE)
    assert not gate.is_waited_at()
    for prompt_id in prompts_with(client, "name", gate.name):  # it had begun
        entry = client.history.get(prompt_id)
        assert entry is not None
        assert entry.interrupted


def test_a_workflow_without_any_good_output_is_refused(client: Client) -> None:
    graph = half_wrong(fresh_color())
    del graph["2"]
    for strict in (True, False):
        with pytest.raises(PromptRejected, match="node 3 'Enlarge'") as caught:
            client.submit(graph, strict=strict)
        assert caught.value.status == 400


# --- targets ------------------------------------------------------------------------------------------------


def three_outputs(color: int) -> Graph:
    graph = plain(color)
    graph["12"] = {**graph["2"], "_meta": {"title": "another"}}
    graph["3"] = node("PreviewImage", images=["1", 0])
    return graph


@pytest.mark.parametrize(
    ("targets", "expected"), [(["2"], ["2"]), (("3", "12"), ["3", "12"]), ("12", ["12"]), (None, ["2", "3", "12"])]
)
def test_only_the_targets_are_run(client: Client, targets: Any, expected: list[str]) -> None:
    color = fresh_color()
    job = client.submit(three_outputs(color), targets=targets)
    result = job.result(PATIENCE)
    assert list(result) == expected
    assert {pixels(file) for file in result.images} == {filled(color)}
    assert job.progress == 1.0
    assert set(job.node_progress) == {"1", *expected}


def test_a_target_that_is_no_output_is_refused(client: Client) -> None:
    with pytest.raises(PromptRejected, match=r"nothing to run; .* none among the targets"):
        client.run(plain(fresh_color()), targets=["1"], timeout=PATIENCE)


@needs_test_nodes
def test_targets_leave_out_what_is_wrong(client: Client) -> None:
    graph = {**half_wrong(fresh_color()), "9": text("good")["1"]}
    result = client.run(graph, targets=["9"], timeout=PATIENCE)
    assert result.texts == ("good",)
