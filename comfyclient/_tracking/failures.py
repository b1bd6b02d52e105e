"""What a job's end means to the caller."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from comfyclient.errors import ComfyError, JobFailed, JobInterrupted, WorkflowError
from comfyclient.events import ExecutionError, ExecutionInterrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from comfyclient._tracking.state import Outcome
    from comfyclient.workflow import Workflow


def error_of(
    outcome: Outcome, prompt_id: str, document: Callable[[], Workflow], secrets: Collection[str] = ()
) -> ComfyError | None:
    """The exception that stands for an outcome, made anew each time; ``None`` for success.

    Args:
        outcome: How the job ended.
        prompt_id: Which one.
        document: Where titles come from.
        secrets: What it must not show: a node that takes the key of an account has it among its inputs.
    """
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
            _without(secrets, failure.exception_message),
            _without(secrets, failure.traceback),
            _without(secrets, failure.current_inputs),
        )
    if isinstance(failure, ExecutionInterrupted) and failure.node_id is not None:
        title = _title(failure.node_id, failure.node_type or "", document)
        return JobInterrupted(prompt_id, f"prompt {prompt_id} was interrupted at node {failure.node_id} {title!r}")
    if outcome.entry is not None or failure is not None:
        return JobInterrupted(prompt_id, f"prompt {prompt_id} was interrupted")
    return JobInterrupted(prompt_id, f"prompt {prompt_id} was taken from the queue before it ran")


def _without(secrets: Collection[str], value: Any) -> Any:
    """The same value, as JSON knows them, with asterisks for secrets."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "***")
    elif isinstance(value, (list, tuple)):
        return type(value)(_without(secrets, item) for item in value)
    elif isinstance(value, dict):
        return {key: _without(secrets, item) for key, item in value.items()}
    return value


def _title(node_id: str, node_type: str, document: Callable[[], Workflow]) -> str:
    try:
        return document().title(node_id)
    except WorkflowError:  # of a prompt that somebody else submitted, in a shape of their own
        return node_type or node_id
