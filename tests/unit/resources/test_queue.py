"""``client.queue``: what it asks for, and what it makes of the answers."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.errors import DecodeError, ServerError
from comfyclient.resources import Queue
from comfyclient.types import ExecInfo, PromptInfo, PromptStatus
from tests.captures import capture
from tests.fakes import FlakyServer, json_reply, reply

if TYPE_CHECKING:
    from comfyclient._http import Transport

GRAPH = {"1": {"class_type": "A", "inputs": {}}}
ACCEPTED = {"prompt_id": "id", "number": 3, "node_errors": {}}


@pytest.fixture
def queue(to_flaky: Transport) -> Queue:
    return Queue(to_flaky)


def test_info(queue: Queue, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("prompt_info"))]

    assert queue.info() == PromptInfo(ExecInfo(0))
    assert [(r.method, r.target) for r in flaky.requests] == [("GET", "/prompt")]


def test_list(queue: Queue, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("queue"))]
    state = queue.list()

    assert (len(state.queue_running), len(state.queue_pending)) == (1, 5)
    assert flaky.requests[0].target == "/queue"


def test_a_prompt_is_sent_with_what_was_given_and_no_more(queue: Queue, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(ACCEPTED)]

    assert queue.submit(GRAPH) == PromptStatus("id", 3)
    (request,) = flaky.requests
    assert (request.method, request.target) == ("POST", "/prompt")
    assert request.json == {"prompt": GRAPH}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"client_id": "c"}, {"client_id": "c"}),
        ({"client_id": ""}, {"client_id": ""}),
        ({"prompt_id": "p"}, {"prompt_id": "p"}),
        ({"number": 0}, {"number": 0}),
        ({"number": -1.5}, {"number": -1.5}),
        ({"front": True}, {"front": True}),
        ({"front": False}, {}),
        ({"targets": ["9", "3"]}, {"partial_execution_targets": ["9", "3"]}),
        ({"targets": iter(["9"])}, {"partial_execution_targets": ["9"]}),
        ({"targets": "12"}, {"partial_execution_targets": ["12"]}),  # the server would run 1 and 2
        ({"targets": []}, {"partial_execution_targets": []}),
        ({"extra_data": {"a": None}}, {"extra_data": {"a": None}}),
        ({"extra_data": {}}, {"extra_data": {}}),
    ],
)
def test_each_option_has_its_key(queue: Queue, flaky: FlakyServer, given: dict[str, Any], sent: dict[str, Any]) -> None:
    flaky.answers = [json_reply(ACCEPTED)]
    queue.submit(GRAPH, **given)

    assert flaky.requests[0].json == {"prompt": GRAPH, **sent}


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"client_id": ["c"]}, TypeError),
        ({"prompt_id": 5}, TypeError),
        ({"number": float("nan")}, ValueError),
        ({"number": float("inf")}, ValueError),
        ({"number": True}, TypeError),
        ({"number": "7"}, TypeError),
        ({"number": Fraction(1, 2)}, TypeError),
        ({"number": 1j}, TypeError),
        ({"front": "false"}, TypeError),
        ({"front": None}, TypeError),
        ({"front": 1}, TypeError),
        ({"targets": ["9", 3]}, TypeError),
        ({"extra_data": {"a": {1, 2}}}, TypeError),
    ],
)
def test_what_harms_the_server_is_not_sent(
    queue: Queue, flaky: FlakyServer, given: dict[str, Any], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        queue.submit(GRAPH, **given)

    assert not flaky.requests


def test_a_part_that_was_refused_is_reported(queue: Queue, flaky: FlakyServer) -> None:
    errors = {"2": {"errors": [], "dependent_outputs": ["2"], "class_type": "B"}}
    flaky.answers = [json_reply({**ACCEPTED, "node_errors": errors})]

    assert queue.submit(GRAPH).node_errors == errors


def test_a_refusal_keeps_the_servers_report(queue: Queue, flaky: FlakyServer) -> None:
    body = {
        "error": {"type": "prompt_no_outputs", "message": "Prompt has no outputs", "details": ""},
        "node_errors": [],
    }
    flaky.answers = [json_reply(body, 400)]
    with pytest.raises(ServerError, match=r"POST .*/prompt answered 400: Prompt has no outputs") as caught:
        queue.submit(GRAPH)

    assert type(caught.value) is ServerError
    assert caught.value.body == body


def test_an_answer_of_another_form(queue: Queue, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply({"prompt_id": None}), json_reply([]), json_reply({"queue_running": []})]
    with pytest.raises(DecodeError) as submitted:
        queue.submit(GRAPH)
    with pytest.raises(DecodeError) as info:
        queue.info()
    with pytest.raises(DecodeError) as listed:
        queue.list()

    assert submitted.value.url == f"{flaky.url}/prompt"
    assert set(submitted.value.errors) == {
        "a string is due, not null @ $.prompt_id",
        "'number' is missing @ $.number",
    }
    assert info.value.errors == ("an object is due, not an array @ $",)
    assert listed.value.errors == ("'queue_pending' is missing @ $.queue_pending",)


def test_delete_and_clear(queue: Queue, flaky: FlakyServer) -> None:
    flaky.answers = [reply()]
    queue.delete()
    queue.delete("a", "b")
    queue.clear()

    assert [(r.method, r.target, r.json) for r in flaky.requests] == [
        ("POST", "/queue", {"delete": ["a", "b"]}),
        ("POST", "/queue", {"clear": True}),
    ]


def test_interrupt(queue: Queue, flaky: FlakyServer) -> None:
    flaky.answers = [reply()]
    queue.interrupt()
    queue.interrupt("a")

    assert [(r.method, r.target, r.json) for r in flaky.requests] == [
        ("POST", "/interrupt", {}),
        ("POST", "/interrupt", {"prompt_id": "a"}),
    ]


@pytest.mark.parametrize(
    ("prompt_id", "error"), [("", ValueError), (0, TypeError), (False, TypeError), (["a"], TypeError)]
)
def test_an_interrupt_that_would_hit_whatever_runs_is_not_sent(
    queue: Queue, flaky: FlakyServer, prompt_id: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        queue.interrupt(prompt_id)

    assert not flaky.requests


@pytest.mark.parametrize("ids", [["a"], 7, None])
def test_what_is_no_id_is_not_sent(queue: Queue, flaky: FlakyServer, ids: Any) -> None:
    with pytest.raises(TypeError, match="an id is a string, not"):
        queue.delete("a", ids)

    assert not flaky.requests
