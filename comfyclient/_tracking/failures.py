"""What a job's end means to the caller."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from comfyclient.errors import ComfyError, JobFailed, JobInterrupted, WorkflowError
from comfyclient.events import ExecutionError, ExecutionInterrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient._tracking.state import Outcome
    from comfyclient.workflow import Workflow


def error_of(outcome: Outcome, prompt_id: str, document: Callable[[], Workflow]) -> ComfyError | None:
    """The exception that stands for an outcome, made anew each time; ``None`` for success."""
    if outcome.status == "completed":
        return None
    failure = outcome.failure
    if isinstance(failure, ComfyError):
        return copy.copy(failure)  # threads must not share the traceback of one exception
    if isinstance(failure, ExecutionError):
        return JobFailed(
            prompt_id,
            failure.node_id,
            failure.node_type,
            _title(failure.node_id, failure.node_type, document),
            failure.exception_type,
            failure.exception_message,
            failure.traceback,
            failure.current_inputs,
        )
    if isinstance(failure, ExecutionInterrupted) and failure.node_id is not None:
        title = _title(failure.node_id, failure.node_type or "", document)
        return JobInterrupted(prompt_id, f"prompt {prompt_id} was interrupted at node {failure.node_id} {title!r}")
    if outcome.entry is not None or failure is not None:
        return JobInterrupted(prompt_id, f"prompt {prompt_id} was interrupted")
    return JobInterrupted(prompt_id, f"prompt {prompt_id} was taken from the queue before it ran")


def _title(node_id: str, node_type: str, document: Callable[[], Workflow]) -> str:
    try:
        return document().title(node_id)
    except WorkflowError:  # of a prompt that somebody else submitted, in a shape of their own
        return node_type or node_id
