"""What a job's end means to the caller."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from attrs import evolve

from comfyclient import _wire
from comfyclient._tracking.failures import error_of
from comfyclient._tracking.state import JobStatus, Outcome
from comfyclient.errors import (
    ClientClosed,
    ComfyError,
    JobFailed,
    JobInterrupted,
    JobLost,
    ServerUnreachable,
    WorkflowError,
)
from comfyclient.events import ExecutionError, ExecutionInterrupted
from comfyclient.types import HistoryEntry
from comfyclient.types.queue import QueueItem
from comfyclient.workflow import Workflow
from tests.captures.ws import VERSIONS, payload

GRAPH: dict[str, Any] = {"1": {"class_type": "A", "inputs": {}, "_meta": {"title": "First"}}}
ENTRY = HistoryEntry(QueueItem(0, "p", {}))


def document() -> Workflow:
    return Workflow(GRAPH)


def told(outcome: Outcome) -> ComfyError:
    error = error_of(outcome, "p", document)
    assert error is not None
    return error


def test_success_is_no_error() -> None:
    assert error_of(Outcome("completed"), "p", document) is None


def test_the_keys_of_an_account_are_not_shown() -> None:
    inputs = {"key": ["hidden1"], "note": ["a hidden2 b", 7, {"deep": ("hidden1",)}]}
    event = ExecutionError("p", "1", "A", "no hidden1", "ValueError", ("at hidden2\n",), current_inputs=inputs)
    assert "hidden" not in repr(evolve(event, exception_message="", traceback=()))
    error = error_of(Outcome("failed", event), "p", document, ("hidden1", "hidden2"))
    assert isinstance(error, JobFailed)
    assert error.current_inputs == {"key": ["***"], "note": ["a *** b", 7, {"deep": ("***",)}]}
    assert (error.exception_message, error.traceback) == ("no ***", ("at ***\n",))
    assert b"hidden" not in pickle.dumps(error)


def test_a_failed_node() -> None:
    event = ExecutionError("p", "1", "A", "boom\n", "ValueError", ("line\n",), current_inputs={"x": [1]})
    error = told(Outcome("failed", event))
    assert isinstance(error, JobFailed)
    assert (error.prompt_id, error.node_id, error.node_type, error.title) == ("p", "1", "A", "First")
    assert (error.exception_type, error.exception_message, error.traceback) == ("ValueError", "boom", ("line\n",))
    assert error.current_inputs == {"x": [1]}
    assert str(error).startswith("node 1 'First' (A) raised ValueError: boom")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_failed_node_of_every_version(version: str) -> None:
    event = _wire.decode_event("execution_error", payload("execution_error", version))
    assert isinstance(event, ExecutionError)
    error = told(Outcome("failed", event))
    assert isinstance(error, JobFailed)
    assert (error.node_type, error.exception_type) == ("ProtoRaise", "ValueError")
    assert error.exception_message.startswith("boom ")


def test_a_failed_node_of_a_workflow_that_cannot_be_read() -> None:
    def unreadable() -> Workflow:
        raise WorkflowError("no")

    for node_type, title in (("A", "A"), ("", "1")):
        error = error_of(Outcome("failed", ExecutionError("p", "1", node_type)), "p", unreadable)
        assert isinstance(error, JobFailed)
        assert error.title == title


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Outcome("cancelled", ExecutionInterrupted("p", "1", "A")), "was interrupted at node 1 'First'"),
        (Outcome("cancelled", ExecutionInterrupted("p")), "was interrupted"),
        (Outcome("cancelled", entry=ENTRY), "was interrupted"),
        (Outcome("cancelled"), "was taken from the queue before it ran"),
    ],
)
def test_a_stopped_job(outcome: Outcome, text: str) -> None:
    error = told(outcome)
    assert isinstance(error, JobInterrupted)
    assert (error.prompt_id, str(error)) == ("p", f"prompt p {text}")


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        ("lost", JobLost("p", "gone")),
        ("lost", ClientClosed("closed")),
        ("lost", ServerUnreachable("http://x", "refused", maybe_sent=True)),
        ("failed", ExecutionError("p", "1", "A")),
        ("cancelled", ExecutionInterrupted("p", "1", "A")),
    ],
)
def test_everybody_gets_an_exception_of_their_own(status: JobStatus, failure: Any) -> None:
    outcome = Outcome(status, failure)
    first, second = told(outcome), told(outcome)
    assert first is not second
    assert first is not failure
    assert (type(first), str(first), vars(first)) == (type(second), str(second), vars(second))
    if isinstance(failure, ComfyError):
        assert (type(first), str(first), vars(first)) == (type(failure), str(failure), vars(failure))
    with pytest.raises(type(first)):
        raise first
    assert second.__traceback__ is None
