"""``client.queue`` on a real server."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.errors import ServerError
from tests.conftest import soon
from tests.workflows import PATIENCE, Gate, fresh_color, half_wrong, plain, text

if TYPE_CHECKING:
    from comfyclient import Client
    from tests.conftest import ComfyUI
    from tests.integration.resources.conftest import Run

needs_nodes = pytest.mark.needs_test_nodes


def pending(client: Client) -> list[str]:
    return [item.prompt_id for item in client.queue.list().queue_pending]


def running(client: Client) -> list[str]:
    return [item.prompt_id for item in client.queue.list().queue_running]


def ended(client: Client, prompt_id: str) -> bool:
    return soon(lambda: client.history.get(prompt_id) is not None, PATIENCE)


def test_a_prompt_is_accepted_under_its_id(client: Client) -> None:
    prompt_id = str(uuid.uuid4())
    status = client.queue.submit(plain(fresh_color()), prompt_id=prompt_id)

    assert status.prompt_id == prompt_id
    assert status.node_errors == {}
    assert status.extra == {}
    assert ended(client, prompt_id)


def test_a_prompt_of_which_one_output_is_wrong(client: Client) -> None:
    status = client.queue.submit(half_wrong(fresh_color()))

    assert list(status.node_errors) == ["3"]
    assert status.node_errors["3"]["errors"][0]["type"] == "value_bigger_than_max"
    assert ended(client, status.prompt_id)


def test_only_the_targets_run(client: Client) -> None:
    graph = plain(fresh_color())
    graph["3"] = {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}
    prompt_id = client.queue.submit(graph, targets=["3"]).prompt_id
    assert ended(client, prompt_id)
    entry = client.history.get(prompt_id)

    assert entry is not None
    assert entry.prompt.outputs_to_execute == ("3",)
    assert list(entry.outputs) == ["3"]


@pytest.mark.parametrize(
    ("graph", "status", "says"),
    [
        ({}, 400, "no_outputs"),
        ({"1": {"class_type": "Nope", "inputs": {}}}, 400, "missing_node_type"),
        ({"1": {"class_type": "SaveImage", "inputs": {}}}, 400, "prompt_outputs_failed_validation"),
        ({"1": None}, 500, "500 Internal Server Error"),
    ],
)
def test_a_refusal(client: Client, graph: dict[str, Any], status: int, says: str) -> None:
    with pytest.raises(ServerError) as caught:
        client.queue.submit(graph)

    assert caught.value.status == status
    assert says in str(caught.value.body)


def test_what_belongs_to_a_prompt_is_kept(client: Client, run: Run) -> None:
    extra = {"extra_pnginfo": {"workflow": {"id": "w", "nodes": []}}, "mine": [1, None]}
    prompt_id = client.queue.submit(plain(fresh_color()), extra_data=extra).prompt_id
    assert ended(client, prompt_id)
    entry = client.history.get(prompt_id)

    assert entry is not None
    assert extra.items() <= entry.prompt.extra_data.items()
    assert run(plain(fresh_color())).prompt.extra_data.keys() == {"create_time"}


@needs_nodes
def test_the_order_of_execution(client: Client, comfyui: ComfyUI, busy: str) -> None:
    if not comfyui.own:
        pytest.skip("other people's prompts would be in between")
    normal = [client.queue.submit(text(i)).prompt_id for i in range(3)]
    fractional = client.queue.submit(text("x"), number=0.5).prompt_id
    urgent = client.queue.submit(text("y"), number=-1_000_000.5).prompt_id
    front = client.queue.submit(text("z"), front=True).prompt_id

    assert running(client) == [busy]
    assert [*pending(client)[:1], *pending(client)[-3:]] == [urgent, *normal]
    assert set(pending(client)) == {*normal, fractional, urgent, front}
    assert client.queue.info().exec_info.queue_remaining == 7
    numbers = [item.number for item in client.queue.list().queue_pending]
    assert numbers == sorted(numbers)


@needs_nodes
def test_prompts_are_removed_before_they_run(client: Client, busy: str) -> None:
    first, second, third = [client.queue.submit(text(i)).prompt_id for i in range(3)]
    client.queue.delete(first, second, "unknown", busy)

    assert third in pending(client)
    assert not {first, second} & set(pending(client))
    assert running(client) == [busy], "what runs is not touched"
    assert client.history.get(first) is None


@needs_nodes
def test_clear(client: Client, comfyui: ComfyUI, busy: str) -> None:
    if not comfyui.own:
        pytest.skip("it would remove other people's prompts")
    for i in range(3):
        client.queue.submit(text(i))
    client.queue.clear()

    assert pending(client) == []
    assert running(client) == [busy]


@needs_nodes
def test_interrupt_hits_the_one_that_is_meant(client: Client, busy: str) -> None:
    waiting = client.queue.submit(text("after")).prompt_id
    client.queue.interrupt(waiting)
    client.queue.interrupt(str(uuid.uuid4()))
    assert running(client) == [busy]

    client.queue.interrupt(busy)
    assert ended(client, busy)
    assert ended(client, waiting)
    interrupted, finished = client.history.get(busy), client.history.get(waiting)
    assert interrupted is not None
    assert interrupted.interrupted
    assert not interrupted.succeeded
    assert finished is not None
    assert finished.succeeded


@needs_nodes
def test_an_empty_id_interrupts_nothing(client: Client, busy: str) -> None:
    with pytest.raises(ValueError, match="this id is empty"):
        client.queue.interrupt("")
    assert running(client) == [busy]


@needs_nodes
def test_interrupt_without_an_id_hits_whatever_runs(client: Client, comfyui: ComfyUI, comfyui_url: str) -> None:
    if not comfyui.own:
        pytest.skip("it would stop other people's prompts")
    client.queue.interrupt()  # nothing runs, and nothing is left of it
    gate = Gate(comfyui_url)
    prompt_id = client.queue.submit(gate.workflow()).prompt_id
    gate.wait()
    client.queue.interrupt()

    assert ended(client, prompt_id)
    entry = client.history.get(prompt_id)
    assert entry is not None
    assert entry.interrupted
