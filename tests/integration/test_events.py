"""Events and progress of real runs, and listeners who do not listen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import Client
from comfyclient.events import (
    Executed,
    Executing,
    ExecutionCached,
    ExecutionStart,
    ExecutionSuccess,
    FeatureFlags,
    Preview,
    Progress,
    ProgressState,
    Status,
    UnknownEvent,
)
from tests.comfyui.images import painted
from tests.conftest import soon
from tests.workflows import PATIENCE, Gate, fresh, node, pixels, quick, text

if TYPE_CHECKING:
    from comfyclient import Job
    from comfyclient.events import Event
    from tests.workflows import Graph

pytestmark = pytest.mark.needs_test_nodes

ONE_NODE = [ExecutionStart, ExecutionCached, Executing, Executed, ExecutionSuccess, Executing]


def several_nodes(gate: Gate | None = None, seed: int = 0, late: Gate | None = None) -> Graph:
    """Two that may be cached, three that are not."""
    fourth: dict[str, Any] = {"steps": 12, "value": ["3", 0]}
    return {
        "1": node("TestProgress", steps=3, seed=seed, value="kept"),
        "2": node("TestText", value=["1", 0], seed=seed),
        "3": gate.node(value=["1", 0]) if gate else node("TestText", value=["1", 0]),
        "4": late.node(**fourth) if late else node("TestProgress", **fourth, seed=fresh()),
        "5": node("TestText", value=["4", 0], seed=fresh()),
    }


def test_a_job_tells_its_events_also_when_it_has_ended(client: Client) -> None:
    job = client.submit(quick(fresh()))
    live = [type(event) for event in job.events()]
    assert [kind for kind in live if kind is not ProgressState] == ONE_NODE
    assert [type(event) for event in job.events()] == ONE_NODE
    again: list[Event] = []
    assert job.result(on_event=again.append).files
    assert again == list(job.events())
    assert {event.prompt_id for event in again} == {job.prompt_id}
    assert isinstance(again[-1], Executing)
    assert again[-1].node is None


def test_every_listener_hears_everything_that_it_asked_for(client: Client) -> None:
    called: list[Event] = []
    client.on("executed", called.append)
    with client.listen("executed", ExecutionSuccess) as some, client.listen() as everything:
        jobs = [client.submit(quick(fresh())) for _ in range(3)]
        results = [job.result(PATIENCE) for job in jobs]
    heard = list(some)
    assert [(type(event), event.prompt_id) for event in heard] == [
        (kind, result.prompt_id) for result in results for kind in (Executed, ExecutionSuccess)
    ]
    assert [event for event in everything if isinstance(event, (Executed, ExecutionSuccess))] == heard
    assert soon(lambda: len(called) == 3)
    assert called == [event for event in heard if isinstance(event, Executed)]


def test_jobs_of_one_client_hear_only_their_own(comfyui_url: str, client: Client) -> None:
    first, second = Gate(comfyui_url), Gate(comfyui_url)
    jobs = [client.submit(gate.workflow()) for gate in (first, second)]
    events = [job.events() for job in jobs]
    first.open()
    second.open()
    assert [{event.prompt_id for event in each} for each in events] == [{job.prompt_id} for job in jobs]


def test_nothing_that_a_real_server_sends_is_unknown(client: Client) -> None:
    with client.listen("*") as everything:
        client.run(several_nodes(), timeout=PATIENCE)
    heard = list(everything)
    assert {type(event) for event in heard} >= {Status, FeatureFlags, ProgressState, Progress, *ONE_NODE}
    assert [event for event in heard if isinstance(event, UnknownEvent)] == []
    assert [event for event in heard if getattr(event, "extra", None)] == []


# --- progress -----------------------------------------------------------------------------------------------


def shares(job: Job) -> tuple[float, dict[str, float]]:
    return job.progress, job.node_progress


def test_progress_grows_to_one(comfyui_url: str, client: Client) -> None:
    gates = Gate(comfyui_url), Gate(comfyui_url)
    job = client.submit(several_nodes(gates[0], fresh(), gates[1]))
    seen = [shares(job)]

    def look(event: Event) -> None:
        seen.append(shares(job))
        if isinstance(event, Executing) and event.node == "3":
            assert seen[-1][0] == pytest.approx(0.4)
            assert seen[-1][1] == {"1": 1.0, "2": 1.0, "3": 0.0, "4": 0.0, "5": 0.0}
            gates[0].open()
        if isinstance(event, Progress) and event.node == "4" and event.value < event.max:
            assert seen[-1][0] == pytest.approx(0.7)
            assert seen[-1][1] == {"1": 1.0, "2": 1.0, "3": 1.0, "4": 0.5, "5": 0.0}
            gates[1].open()

    job.result(PATIENCE, on_event=look)
    seen.append(shares(job))
    overall = [progress for progress, _ in seen]
    assert overall == sorted(overall)
    assert all(0 <= progress <= 1 for progress in overall)
    assert len(set(overall)) > 2
    for name in "12345":
        of_node = [nodes[name] for _, nodes in seen]
        assert of_node == sorted(of_node)
        assert of_node[-1] == 1.0
    assert (job.progress, job.node_progress) == (1.0, dict.fromkeys("12345", 1.0))


def test_cached_nodes_count_as_done(comfyui_url: str, client: Client) -> None:
    seed, gate = fresh(), Gate(comfyui_url)
    client.run(several_nodes(seed=seed), timeout=PATIENCE)
    job = client.submit(several_nodes(gate, seed))
    gate.wait()
    events = job.events()
    next(event for event in events if isinstance(event, Executing))
    assert job.node_progress == {"1": 1.0, "2": 1.0, "3": 0.0, "4": 0.0, "5": 0.0}
    assert job.progress == pytest.approx(0.4)
    gate.open()
    assert job.result(PATIENCE).cached_nodes == ("1", "2")
    assert job.progress == 1.0


def test_progress_of_a_job_that_failed_stays_where_it_was(client: Client) -> None:
    job = client.submit(
        {
            "1": node("TestProgress", steps=2, seed=fresh()),
            "2": node("TestRaise", exception="ValueError", message="", value=["1", 0]),
        }
    )
    assert job.exception(PATIENCE) is not None
    assert 0 < job.progress < 1
    assert job.node_progress["1"] == 1.0


def test_nodes_that_are_not_targets_do_not_count(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)
    graph = {**gate.workflow(), "3": node("TestText", value="not wanted", seed=fresh())}
    job = client.submit(graph, targets=["2"])
    gate.wait()
    assert set(job.node_progress) == {"1", "2"}
    gate.open()
    assert job.result(PATIENCE).texts == ("through",)


def test_nodes_that_no_output_needs_do_not_count(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)
    graph = {
        **gate.workflow(),
        "3": node("EmptyImage"),
        "4": node("ImageInvert", image=["3", 0]),
        "5": node("TestText", value="wanted", seed=fresh()),
    }
    job = client.submit(graph)
    gate.wait()
    assert soon(lambda: set(job.node_progress) == {"1", "2", "5"})
    again = client.submit(graph)  # by now it is known at once
    assert list(again.node_progress) == ["1", "2", "5"]
    assert set(client.job(job.prompt_id).node_progress) == {"1", "2", "5"}
    gate.open()
    assert job.result(PATIENCE).texts == ("through", "wanted")
    assert set(job.node_progress) == {"1", "2", "5"}


# --- those who do not listen --------------------------------------------------------------------------------


def test_a_queue_that_nobody_reads_harms_nobody(client: Client) -> None:
    forgotten, small, seed = client.listen(), client.listen(maxsize=5), fresh()
    graph = {
        "1": node("TestPreview", steps=300, format="PNG", width=256, height=256, seed=seed, value="x"),
        "2": node("TestText", value=["1", 0]),
    }
    job = client.submit(graph)
    *_, newest = job.previews()
    assert job.result(PATIENCE).texts == ("x",)
    assert pixels(newest.data) == painted(seed + 299, 256, 256)
    assert small.qsize() == 5
    assert small.dropped > 0
    assert client.run(text("alive"), timeout=PATIENCE).texts == ("alive",)
    kept = [forgotten.get_nowait() for _ in range(forgotten.qsize())]
    previews = [event for event in kept if isinstance(event, Preview)]
    assert len(previews) < 100  # old ones have made way for new ones
    assert previews[-1] == newest
    assert [type(event) for event in kept if event.prompt_id == job.prompt_id and event.supersedes is None] == [
        *ONE_NODE[:3],
        *ONE_NODE[2:],
    ]


def test_a_slow_callback_delays_no_job(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)

    def wait_for_the_end(_: Event) -> None:
        gate.wait()

    client.on("execution_start", wait_for_the_end)
    for i in range(5):
        assert client.run(text(i), timeout=PATIENCE).texts == (str(i),)
    gate.open()
    with Client(comfyui_url) as other:
        other.run(gate.workflow(), timeout=PATIENCE)
