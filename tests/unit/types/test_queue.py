"""The queue in the order in which it runs."""

from __future__ import annotations

from comfyclient._convert import structure
from comfyclient.types import PromptInfo, QueueItem, QueueState
from tests.captures import capture


def test_pending_prompts_are_in_the_order_of_execution() -> None:
    body = capture("queue")
    state = structure(body, QueueState)

    assert [item.number for item in state.queue_pending] == [-99, 0.5, 96, 97, 98]
    assert [item[0] for item in body["queue_pending"]] == [-99, 0.5, 98, 97, 96], "the server sends a heap"
    assert [item.number for item in state.queue_running] == [95]
    assert state.extra == {}


def test_equal_numbers_run_in_the_order_of_their_ids() -> None:
    b, a, first = QueueItem(1, "b", {}), QueueItem(1, "a", {}), QueueItem(-0.5, "z", {})

    assert QueueState((), (b, a, first)).queue_pending == (first, a, b)


def test_an_item_holds_what_was_submitted_and_does_not_show_it() -> None:
    item = structure(capture("queue"), QueueState).queue_running[0]

    assert item.prompt["1"]["class_type"] == "ProtoSleep"
    assert item.extra_data["extra_pnginfo"] == {"workflow": {"id": "wf0"}}
    assert item.outputs_to_execute == ("2",)
    assert "ProtoSleep" not in repr(item)
    assert "wf0" not in repr(item)


def test_how_much_waits_and_runs() -> None:
    assert structure(capture("prompt_info"), PromptInfo).exec_info.queue_remaining == 0
