"""How a prompt ended, read from what servers wrote about it."""

from __future__ import annotations

from typing import Any

import pytest

from comfyclient._convert import structure
from comfyclient.types import HistoryEntry, HistoryStatus, QueueItem
from tests.captures import capture

ITEM = QueueItem(0, "id", {})


def recorded(name: str) -> HistoryEntry:
    body = capture(f"history_{name}")
    if "prompt" in body:
        return structure(body, HistoryEntry)
    (entry,) = structure(body, dict[str, HistoryEntry]).values()
    return entry


def entry(status_str: str, *kinds: str) -> HistoryEntry:
    return HistoryEntry(ITEM, {}, HistoryStatus(status_str, completed=True, messages=[[kind, {}] for kind in kinds]))


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("success", "succeeded"),
        ("ui_all", "succeeded"),
        ("ui_nan", "succeeded"),
        ("with_assets", "succeeded"),
        ("subgraph_expansion", "succeeded"),
        ("execution_blocked", "succeeded"),
        ("error_run", "error"),
        ("runtime_cycle", "error"),  # whose status_str is "success"
        ("interrupted_run", "interrupted"),  # whose status_str is "error"
    ],
)
def test_every_recorded_end(name: str, end: str) -> None:
    found = recorded(name)

    assert {"succeeded": found.succeeded, "error": bool(found.error), "interrupted": found.interrupted} == {
        other: other == end for other in ("succeeded", "error", "interrupted")
    }
    assert found.extra == {}
    assert found.status is not None
    assert found.status.extra == {}


def test_what_an_error_tells() -> None:
    error = recorded("error_run").error

    assert error is not None
    assert error["node_id"] == "2"
    assert error["exception_message"] == "boom 1\n"


def test_messages() -> None:
    found = recorded("success")

    assert [kind for kind, _ in found.messages] == ["execution_start", "execution_cached", "execution_success"]
    assert found.message("execution_start") == found.messages[0][1]
    assert found.message("execution_error") is None


def test_the_last_of_several_messages_counts() -> None:
    status = HistoryStatus("error", messages=[["a", {"n": 1}], ["a", {"n": 2}]])

    assert HistoryEntry(ITEM, status=status).message("a") == {"n": 2}


@pytest.mark.parametrize("odd", [None, "text", [], ["alone"], ["three", {}, {}], [7, {}], {"kind": {}}])
def test_a_message_of_another_form_is_passed_over(odd: Any) -> None:
    status = HistoryStatus("success", messages=[odd, ["execution_success", {"timestamp": 1}]])
    found = HistoryEntry(ITEM, status=status)

    assert found.messages == [("execution_success", {"timestamp": 1})]
    assert found.succeeded


@pytest.mark.parametrize(
    ("status_str", "kinds", "succeeded"),
    [
        ("success", [], True),
        ("success", ["execution_start", "execution_success"], True),
        ("success", ["execution_error"], False),
        ("success", ["execution_interrupted"], False),
        ("error", ["execution_success"], False),
        ("error", [], False),
        ("odd", [], False),
    ],
)
def test_success_needs_both_the_word_and_no_failure(status_str: str, kinds: list[str], succeeded: bool) -> None:  # noqa: FBT001
    assert entry(status_str, *kinds).succeeded is succeeded


def test_a_failure_without_data_is_a_failure() -> None:
    status = HistoryStatus("success", messages=[["execution_error", None]])

    assert not HistoryEntry(ITEM, status=status).succeeded


@pytest.mark.parametrize("status", [None, {"status": None}])
def test_a_server_without_a_status_is_believed_if_there_are_outputs(status: Any) -> None:
    body = {"prompt": [0, "id", {}, {}, ["1"]], "outputs": {"1": {"images": []}}, **(status or {})}

    assert structure(body, HistoryEntry).succeeded
    assert not structure({**body, "outputs": {}}, HistoryEntry).succeeded
    assert structure(body, HistoryEntry).messages == []
    assert not structure(body, HistoryEntry).interrupted
    assert structure(body, HistoryEntry).error is None


def test_a_server_of_2024() -> None:
    """Without meta, timestamps and execution_success (version_comparison.json)."""
    messages = [["execution_start", {"prompt_id": "id"}], ["execution_cached", {"nodes": [], "prompt_id": "id"}]]
    status = {"status_str": "success", "completed": True, "messages": messages}
    body = {"prompt": [0, "id", {"2": {}}, {"foo": 1}, ["2"]], "outputs": {"2": {"text": ["a"]}}, "status": status}
    found = structure(body, HistoryEntry)

    assert found.succeeded
    assert found.prompt.extra_data == {"foo": 1}
    assert found.meta == {}


def test_the_repr_keeps_graph_and_inputs_to_itself() -> None:
    shown = repr(recorded("error_run"))

    assert "class_type" not in shown
    assert "tensor" not in shown
    assert "client_id" not in shown
