"""``client.history`` on a real server."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.workflows import failing, fresh, fresh_color, node, plain, text

if TYPE_CHECKING:
    from comfyclient import Client
    from tests.conftest import ComfyUI
    from tests.integration.resources.conftest import Run

needs_nodes = pytest.mark.needs_test_nodes


def test_what_ran_and_what_it_left(run: Run) -> None:
    graph = plain(fresh_color(), batch=2)
    entry = run(graph)

    assert entry.succeeded
    assert not entry.interrupted
    assert entry.error is None
    assert entry.extra == {}
    assert entry.prompt.prompt.keys() == graph.keys()
    assert len(entry.outputs["2"]["images"]) == 2
    assert entry.meta["2"]["display_node"] == "2"
    assert [kind for kind, _ in entry.messages] == ["execution_start", "execution_cached", "execution_success"]


def test_what_is_not_known(client: Client) -> None:
    assert client.history.get(str(uuid.uuid4())) is None
    assert client.history.get("../a b/ü") is None


@needs_nodes
def test_what_still_runs_is_no_history(client: Client, busy: str) -> None:
    assert client.history.get(busy) is None


@needs_nodes
def test_a_node_that_failed(run: Run) -> None:
    entry = run(failing("because"))

    assert not entry.succeeded
    assert not entry.interrupted
    assert entry.error is not None
    assert entry.error["node_type"] == "TestRaise"
    assert entry.error["exception_message"] == "because\n"
    assert entry.extra == {}


@needs_nodes
def test_a_cycle_that_shows_at_run_time_is_no_success(run: Run) -> None:
    entry = run({"1": node("TestCycle"), "2": node("TestText", value=["1", 0])})

    assert entry.status is not None
    assert entry.status.status_str == "success", "the server says so, and is wrong"
    assert not entry.succeeded
    assert entry.error is not None


@needs_nodes
def test_outputs_that_json_does_not_know(run: Run) -> None:
    entry = run({"1": node("TestOutputs", kinds="nan,odd,text")})

    assert entry.succeeded
    assert "nan" in repr(entry.outputs)


def test_the_newest_and_those_after_the_oldest(client: Client, comfyui: ComfyUI, run: Run) -> None:
    ids = [run(plain(fresh_color())).prompt.prompt_id for _ in range(3)]
    if not comfyui.own:
        pytest.skip("other people's prompts would be in between")
    everything = list(client.history.list())

    assert everything[-3:] == ids
    assert list(client.history.list(limit=2)) == ids[-2:]
    assert list(client.history.list(limit=2, offset=len(everything) - 3)) == ids[:2]
    assert list(client.history.list(offset=len(everything) - 1)) == ids[-1:]
    assert client.history.list(limit=0) == {}
    assert client.history.list(limit=0, offset=0) == {}


def test_all_of_them_page_by_page(client: Client, comfyui: ComfyUI, run: Run) -> None:
    if not comfyui.own:
        pytest.skip("other people's prompts would be in between")
    client.history.clear()  # of thousands that other tests left, each would be a page
    ids = [run(plain(fresh_color())).prompt.prompt_id for _ in range(9)]
    for size in (1, 2, 3, 1000):
        assert [entry.prompt.prompt_id for entry in client.history.iter(page_size=size)] == list(client.history.list())
    entries = client.history.iter(page_size=2)
    everything = [next(entries).prompt.prompt_id]
    client.history.delete(*everything, ids[0])
    new = run(plain(fresh_color())).prompt.prompt_id
    everything += [entry.prompt.prompt_id for entry in entries]

    assert len(everything) == len(set(everything))
    assert everything == [*ids, new]
    assert set(client.history.list()) <= set(everything)


def test_prompts_are_forgotten(client: Client, run: Run) -> None:
    first, second, third = [run(plain(fresh_color())).prompt.prompt_id for _ in range(3)]
    client.history.delete(first, second, "unknown")

    assert client.history.get(first) is None
    assert client.history.get(second) is None
    assert client.history.get(third) is not None


def test_clear(client: Client, comfyui: ComfyUI, run: Run) -> None:
    if not comfyui.own:
        pytest.skip("it would remove other people's prompts")
    run(plain(fresh_color()))
    client.history.clear()

    assert client.history.list() == {}


@needs_nodes
def test_nodes_that_the_server_made_have_one_to_stand_for_them(run: Run) -> None:
    entry = run({"1": node("TestExpand", count=2, show=True, seed=fresh()), "2": node("TestText", value=["1", 0])})

    assert entry.succeeded
    assert entry.outputs.keys() - {"1", "2"}, "ids of the server's making"
    assert entry.outputs.keys() <= entry.meta.keys()
    assert {entry.meta[key]["display_node"] for key in entry.outputs} <= {"1", "2"}


@needs_nodes
def test_texts_of_all_kinds_come_back(run: Run) -> None:
    entry = run(text('ü "quoted"\n\\ 🦊'))

    assert entry.outputs["1"]["text"] == ['ü "quoted"\n\\ 🦊']
