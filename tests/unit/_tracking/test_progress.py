"""How far a prompt is, by what servers of any age say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfyclient import _wire
from comfyclient._tracking.progress import ProgressMeter
from comfyclient.events import Event, Executed, Executing, ExecutionCached, Progress, ProgressState
from tests.captures.ws import RUNS, VERSIONS, frames, sequence
from tests.unit._realtime.strategies import numbers, values

NODES = ("1", "2", "3")


def snapshot(**nodes: Any) -> ProgressState:
    return ProgressState("p", {name.lstrip("_"): raw for name, raw in nodes.items()})


def running(value: float, maximum: float) -> dict[str, Any]:
    return {"value": value, "max": maximum, "state": "running"}


FINISHED = {"value": 0.0, "max": 1.0, "state": "finished"}


def after(*events: Event) -> ProgressMeter:
    meter = ProgressMeter()
    for second, event in enumerate(events):
        meter.apply(event, float(second))
    return meter


def test_nothing_known_yet() -> None:
    assert after().nodes(NODES) == {"1": 0.0, "2": 0.0, "3": 0.0}
    assert after().overall(NODES) == 0.0
    assert after().overall(()) == 0.0


def test_snapshots_of_newer_servers() -> None:
    meter = after(
        Executing("1"),
        Progress(1, 4, "p", "1"),
        snapshot(_1=running(2, 4)),
        snapshot(_1=FINISHED, _2=running(1, 4)),
    )
    assert meter.nodes(NODES) == {"1": 1.0, "2": 0.25, "3": 0.0}
    assert meter.overall(NODES) == pytest.approx(1.25 / 3)


def test_progress_of_older_servers() -> None:
    meter = after(Executing("1"), Progress(3, 4, "p", "1"))
    assert meter.nodes(NODES)["1"] == 0.75
    meter.apply(Executing("2"), 5.0)
    assert meter.nodes(NODES) == {"1": 1.0, "2": 0.0, "3": 0.0}
    meter.apply(Executed("p", "2"), 6.0)
    assert meter.nodes(NODES)["2"] == 1.0
    meter.apply(Executing(None), 7.0)
    assert meter.node is None


@pytest.mark.parametrize("later", [snapshot(_3=running(1, 2)), Progress(1, 2, "p", "3")])
def test_cached_nodes_count(later: Event) -> None:
    meter = after(ExecutionCached("p", ("1", "2")), later)
    assert meter.nodes(NODES) == {"1": 1.0, "2": 1.0, "3": 0.5}
    assert meter.overall(NODES) == pytest.approx(2.5 / 3)


def test_nodes_that_a_node_expanded_into_are_no_nodes_of_the_workflow() -> None:
    meter = after(snapshot(_1=running(0, 1), **{"1.0.0.1": FINISHED}))
    assert meter.overall(["1"]) == 0.0


def test_it_never_falls() -> None:
    meter = after(snapshot(_1=running(3, 4)))
    assert meter.overall(["1"]) == 0.75
    meter.apply(snapshot(_1=running(1, 4)), 1.0)  # the node runs a second time
    assert meter.nodes(["1"]) == {"1": 0.25}
    assert meter.overall(["1"]) == 0.75


def test_how_long_each_node_ran() -> None:
    meter = after(Executing("1"), Progress(1, 2, "p", "1"), Executing("2"), Executing("1"), Executing(None))
    assert meter.seconds == {"1": 3.0, "2": 1.0}


@pytest.mark.parametrize(
    ("value", "maximum", "share"),
    [
        (21, 20, 1.0),
        (5, 0, 0.0),
        (0, 0, 0.0),
        (-1, 4, 0.0),
        (-1, -4, 0.0),
        (float("nan"), 4, 0.0),
        (1, float("nan"), 0.0),
        (float("inf"), float("inf"), 1.0),
        (1, float("inf"), 0.0),
        (10**400, 10**400, 1.0),
        (1.5, 10**400, 0.0),
        (10**399, 10**400, 0.1),
    ],
)
def test_numbers_that_make_no_sense(value: float, maximum: float, share: float) -> None:
    assert after(Progress(value, maximum, "p", "1")).nodes(["1"]) == {"1": share}
    assert after(snapshot(_1=running(value, maximum))).nodes(["1"]) == {"1": share}


@pytest.mark.parametrize("raw", [None, 1, [], {}, {"value": "1", "max": None}, {"state": ["finished"]}])
def test_nodes_of_a_snapshot_that_make_no_sense(raw: Any) -> None:
    assert after(snapshot(_1=raw)).nodes(["1"]) == {"1": 0.0}


nodes = st.sampled_from([*NODES, "1.0.0.1", "9"])
raw_nodes = st.fixed_dictionaries(
    {}, optional={"value": numbers, "max": numbers, "state": st.sampled_from(["running", "finished", "x", 1])}
)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(Progress, numbers, numbers, st.just("p"), st.none() | nodes),
    st.builds(Executing, st.none() | nodes),
    st.builds(Executed, st.just("p"), nodes),
    st.builds(ExecutionCached, st.just("p"), st.lists(nodes, max_size=3).map(tuple)),
    st.builds(ProgressState, st.just("p"), st.dictionaries(nodes, raw_nodes | values, max_size=4)),
)


@given(st.lists(events, max_size=30))
def test_whatever_comes_it_rises_from_0_to_1(told: list[Event]) -> None:
    meter = ProgressMeter()
    before = 0.0
    for second, event in enumerate(told):
        meter.apply(event, float(second))
        assert all(0.0 <= share <= 1.0 for share in meter.nodes(NODES).values())
        now = meter.overall(NODES)
        assert before <= now <= 1.0
        before = now
    assert all(seconds >= 0 for seconds in meter.seconds.values())


def course(told: list[Event], expected: set[str]) -> list[float]:
    meter = ProgressMeter()
    course = []
    for second, event in enumerate(told):
        meter.apply(event, float(second))
        course.append(meter.overall(expected))
    return course


@pytest.mark.parametrize(
    "run",
    [run for run in RUNS if run.startswith(("normal_run", "cached", "async", "list", "subgraph_exp", "ksampler"))],
)
def test_captured_runs_rise_to_the_end(run: str) -> None:
    told = [_wire.decode_text(frame.encode()) for frame in frames(run) if isinstance(frame, str)]
    ids = [event.prompt_id for event in told if event.prompt_id is not None]
    if not ids:  # as another client sees it
        assert course(told, {"1"})[-1] == 0.0
        return
    mine = [event for event in told if event.prompt_id == ids[0]]
    expected = {node for event in mine if isinstance(event, ProgressState) for node in event.nodes if "." not in node}
    assert expected
    found = course(mine, expected)
    assert found == sorted(found)
    assert found[-1] == 1.0
    if run != "cached_run":
        assert len(set(found)) > 2  # it does not jump there


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("run", ["normal", "fully cached"])
def test_runs_of_every_version_rise_to_the_end(version: str, run: str) -> None:
    told = [_wire.decode_event(message["type"], message["data"]) for message in sequence(run, version)]
    found = course(told, {"1", "2"})
    assert found == sorted(found)
    assert found[-1] == 1.0
