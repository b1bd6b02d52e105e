"""One workflow, many variations."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import Client, JobFailed, JobInterrupted, PromptRejected, WorkflowError
from tests.comfyui.images import painted
from tests.conftest import soon
from tests.workflows import PATIENCE, Gate, fresh, image, node, pixels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from comfyclient.events import Executing, ExecutionStart
    from tests.workflows import Graph

pytestmark = pytest.mark.needs_test_nodes


def gated(gate: Gate) -> Graph:
    """The gate's name can be varied."""
    return gate.workflow("x")


def on_the_server(client: Client) -> int:
    """How many prompts of this client wait or run."""
    queue = client.queue.list()
    items = (*queue.queue_running, *queue.queue_pending)
    return sum(item.extra_data.get("client_id") == client.config.client_id for item in items)


def test_results_come_in_the_order_of_the_variations(client: Client) -> None:
    seeds = [fresh() for _ in range(12)]
    variations = client.map(image(0), [{"1.seed": seed} for seed in seeds], in_flight=3)
    seen = [(variation.index, pixels(variation.result().images[0])) for variation in variations]
    assert seen == [(index, painted(seed, 16, 16)) for index, seed in enumerate(seeds)]


@pytest.mark.parametrize("in_order", [True, False])
def test_they_come_in_order_or_as_they_end(comfyui_url: str, client: Client, *, in_order: bool) -> None:
    """With ``front`` those that wait end the other way round."""
    gate = Gate(comfyui_url)
    with Client(comfyui_url) as other:
        other.submit(gate.workflow())
        gate.wait()

        def changes() -> Iterator[Mapping[str, Any]]:
            for index in range(5):
                yield {"1.value": index}
            gate.open()

        graph = {"1": node("TestText", value="", seed=fresh())}
        variations = client.map(graph, changes(), in_flight=6, in_order=in_order, front=True)
        texts = [variation.result().texts[0] for variation in variations]
        assert texts == (list("01234") if in_order else list("43210"))


@pytest.mark.parametrize("in_order", [True, False])
def test_what_goes_wrong_with_one_is_not_lost_and_harms_no_other(client: Client, *, in_order: bool) -> None:
    graph = {
        "1": node("TestRaise", "Trouble", exception="ValueError", message="bad", seed=0),
        "2": node("TestText", value="", seed=0),
        "3": node("TestPreview", steps=1, format="PNG", width=8, height=8, value=["2", 0]),
        "4": node("TestText", value=["3", 0]),
    }
    changes: list[Mapping[str, Any]] = [
        {"2.value": "first", "1.seed": fresh()},
        {"2.value": "fine", "2.no_such_input": 1},
        {"2.value": "fine", "3.steps": -1},
        {"2.value": "last", "1.seed": fresh()},
    ]
    seen = {variation.index: variation for variation in client.map(graph, changes, in_order=in_order, targets=["4"])}
    assert [seen[index].changes for index in range(4)] == changes
    assert [type(seen[index].error) for index in range(4)] == [type(None), WorkflowError, PromptRejected, type(None)]
    assert [seen[index].job is None for index in range(4)] == [False, True, True, False]
    assert [seen[index].result()["4"].texts for index in (0, 3)] == [("first",), ("last",)]
    with pytest.raises(WorkflowError, match="no_such_input"):
        seen[1].result()
    failed, *_ = client.map(graph, [{"1.seed": fresh()}])
    with pytest.raises(JobFailed, match="node 1 'Trouble'"):
        failed.result()
    assert "JobFailed" in repr(failed)


def test_no_more_than_the_bound_is_in_flight_and_no_less(comfyui_url: str, client: Client) -> None:
    gates = [Gate(comfyui_url) for _ in range(15)]
    left = iter(range(15, 0, -1))
    counts: list[int] = []

    @client.on("execution_start")
    def count_and_let_go(_: ExecutionStart) -> None:
        rest = next(left)
        soon(lambda: on_the_server(client) >= min(4, rest), PATIENCE)  # the queue is kept fed
        counts.append(on_the_server(client))
        gates[-rest].open()

    variations = client.map(gated(gates[0]), [{"1.name": gate.name} for gate in gates], in_flight=4)
    assert len(list(variations)) == 15
    assert counts == [4] * 12 + [3, 2, 1]


def test_variations_may_be_endless(client: Client) -> None:
    graph = {"1": node("TestText", value="", seed=fresh())}
    variations = client.map(graph, ({"1.value": i} for i in itertools.count()), in_flight=3)
    taken = list(itertools.islice(variations, 10))
    assert [variation.result().texts for variation in taken] == [(str(i),) for i in range(10)]
    variations.close()  # type: ignore[attr-defined]  # it is a generator
    assert soon(lambda: on_the_server(client) == 0)


def test_leaving_the_loop_cancels_what_is_in_flight(comfyui_url: str, client: Client) -> None:
    opened, gate = Gate(comfyui_url), Gate(comfyui_url)
    opened.open()
    started: list[str] = []
    client.on("execution_start", lambda event: started.append(event.prompt_id))
    names = [opened.name, gate.name, gate.name, gate.name]
    with Client(comfyui_url) as other:
        theirs = None
        for variation in client.map(gated(gate), [{"1.name": name} for name in names], in_flight=4):
            assert variation.result().texts == ("x",)
            gate.wait()
            theirs = other.submit(opened.workflow("theirs"))
            break
        del variation
        assert soon(lambda: on_the_server(client) == 0)
        assert not gate.is_waited_at()
        assert theirs is not None
        assert theirs.result(PATIENCE).texts == ("theirs",)
    last = client.submit(opened.workflow("last")).prompt_id
    assert soon(lambda: last in started)  # whatever began before has been told of, too
    assert len(started) == 3
    entry = client.history.get(started[1])
    assert entry is not None
    assert entry.interrupted


def test_an_interrupted_variation(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)

    @client.on("executing")
    def interrupt(event: Executing) -> None:
        if event.node == "1":
            client.queue.interrupt(event.prompt_id)

    (variation,) = client.map(gated(gate), [{}])
    assert isinstance(variation.error, JobInterrupted)


def test_nothing_at_all(client: Client) -> None:
    assert list(client.map(image(0), [])) == []
    with pytest.raises(ValueError, match="in_flight is at least 1"):
        client.map(image(0), [], in_flight=0)
    with pytest.raises(WorkflowError):
        client.map("{", [{}])
