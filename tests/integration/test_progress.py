"""What is said of jobs on a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from comfyclient import Client, JobFailed, JobInterrupted
from tests.workflows import BOTH_WAYS, PATIENCE, Gate, failing, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient import JobProgress

pytestmark = pytest.mark.needs_test_nodes


class Said(list[str]):
    """The headlines that were drawn, each change once."""

    def __init__(self, act: Callable[[JobProgress], object] = lambda _: None) -> None:
        super().__init__()
        self.act = act

    def __call__(self, progress: JobProgress) -> None:
        """Note it."""
        if progress.headline not in self[-1:]:
            self.append(progress.headline)
        self.act(progress)


def test_nodes_and_steps_are_named_as_the_workflow_names_them(client: Client, comfyui_url: str) -> None:
    gate = Gate(comfyui_url)
    graph = gate.workflow("seen", steps=3)
    graph["1"]["_meta"]["title"] = "Slow one"

    def let_go(progress: JobProgress) -> None:
        if progress.headline == "Slow one 2/3":
            gate.open()

    said = Said(let_go)
    result = client.run(graph, progress=said, timeout=PATIENCE)
    assert result.texts == ("seen",)
    assert "Slow one 2/3" in said
    assert said[-1] == f"done in {result.timings.running:.1f} s"


def test_a_failure_names_its_node(client: Client) -> None:
    said = Said()
    with pytest.raises(JobFailed):
        client.run(failing(), progress=said, timeout=PATIENCE)
    assert said[-1] == "failed: node 1 Trouble"


def test_an_interrupt_is_said(client: Client, comfyui_url: str) -> None:
    gate = Gate(comfyui_url)

    def interrupt(progress: JobProgress) -> None:
        if gate.is_waited_at():
            client.queue.interrupt(progress.job.prompt_id)

    said = Said(interrupt)
    with pytest.raises(JobInterrupted):
        client.run(gate.workflow(), progress=said, timeout=PATIENCE)
    assert said[-1] == "interrupted"


@BOTH_WAYS
def test_the_queue_is_shown(client: Client, comfyui_url: str, *, realtime: bool) -> None:
    gate = Gate(comfyui_url)
    theirs = [client.submit(gate.workflow("theirs")), client.submit(text("theirs"))]
    gate.wait()

    def let_go(progress: JobProgress) -> None:
        if progress.ahead == 2:
            gate.open()

    said = Said(let_go)
    with Client(comfyui_url, realtime=realtime) as other:
        assert other.run(text("ours"), progress=said, timeout=PATIENCE).texts == ("ours",)
    assert "waiting for 2 others" in said
    for job in theirs:
        assert job.result(PATIENCE).texts == ("theirs",)
