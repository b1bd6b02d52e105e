"""Handing a workflow to the server: exactly once, or a clear no."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from attrs import frozen

from comfyclient import _rejection
from comfyclient._tracking.state import JobState
from comfyclient.errors import ComfyError, DecodeError, NodeProblem, RequestTimeout, ServerError, ServerUnreachable
from comfyclient.types import PromptStatus, QueueItem
from comfyclient.workflow import Workflow

if TYPE_CHECKING:
    from comfyclient._tracking.tracker import Tracker

log = logging.getLogger(__name__)

_SOCKET_IMAGE_CLASSES = frozenset({"SaveImageWebsocket"})
_MARK = "comfyclient_submission"
"""The key in ``extra_data`` under which a submission can be found on servers that give prompts ids of their own."""
_LOOKING = 20.0
"""Seconds after which no new look is taken."""
_LOOKS = (0.0, 0.1, 0.2, 0.4, 0.8, 1.5, 2.0)
"""Seconds before each look for a prompt whose answer was lost."""


@frozen(eq=False, kw_only=True)
class Request:
    """What is to be submitted: a checked workflow and the rest of ``POST /prompt``; see ``Client.submit``."""

    workflow: Workflow
    front: bool
    number: float | None
    targets: tuple[str, ...] | None
    extra_data: Mapping[str, Any]


def new_job(workflow: Workflow) -> JobState:
    """A job of our own, with an id that nobody else has, so that it can be looked for whatever happens."""
    image_nodes = frozenset(node.id for node in workflow.values() if node.class_type in _SOCKET_IMAGE_CLASSES)
    return JobState(str(uuid.uuid4()), image_nodes=image_nodes)


def submit(tracker: Tracker, job: JobState, request: Request) -> PromptStatus:
    """Post a checked workflow; from then on its job is registered and followed.

    Returns:
        The server's answer.

    Raises:
        PromptRejected: The server refused all of it.
        ServerUnreachable, RequestTimeout, ServerError, DecodeError: It was not queued, as far as can be known.
    """
    if job.image_nodes and tracker.connection is None:
        log.warning("SaveImageWebsocket sends its images over the websocket, which this client does not use")
    tracker.prepare()
    tracker.registry.add(job)
    tracker.registry.begin_submission()
    posted_at = time.monotonic()
    try:
        status = _post(tracker, job, request)
    except BaseException:
        tracker.registry.abandon_submission(job)
        raise
    job.accepted = True
    job.number = status.number
    if not tracker.registry.end_submission(job, status.prompt_id):
        problem = f"the new prompt has the id of another one, {status.prompt_id}"
        raise DecodeError(f"{tracker.config.shown_url}/prompt", (problem,))
    if job.outcome is not None:  # it ended before the answer to its submission came
        tracker.registry.drop(job)
    if tracker.connection is not None:
        tracker.connection.expect_message(posted_at)
    tracker.follow(job)
    return status


def _post(tracker: Tracker, job: JobState, request: Request) -> PromptStatus:
    job.posted = True  # from here on the prompt may be on the server, whatever happens
    try:
        return tracker.queue.submit(
            request.workflow.to_api(),
            client_id=tracker.config.client_id,
            prompt_id=job.prompt_id,
            number=request.number,
            front=request.front,
            targets=request.targets,
            extra_data={**request.extra_data, _MARK: job.prompt_id},
        )
    except ServerError as error:
        if _rejection.is_rejection(error):
            raise _rejection.explain(error, request.workflow, _choices(tracker), tracker.nodes.names) from None
        if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        doubt: ComfyError = error
    except ServerUnreachable as error:
        if not error.maybe_sent:
            raise
        doubt = error
    except (RequestTimeout, DecodeError) as error:
        doubt = error
    return _find(tracker, job, doubt)


def problems(tracker: Tracker, status: PromptStatus, workflow: Workflow) -> tuple[NodeProblem, ...]:
    """What the server left out of a prompt that it accepted in part."""
    return _rejection.problems_of(status.node_errors, workflow, _choices(tracker))


def _choices(tracker: Tracker) -> _rejection.Choices:
    def choices(class_type: str, input_name: str) -> list[Any] | None:
        info = tracker.nodes.get(class_type)
        return info.choices(input_name) if info is not None else None

    return choices


def _find(tracker: Tracker, job: JobState, doubt: ComfyError) -> PromptStatus:
    """The answer to a submission was lost: look whether the prompt is there. It is never posted again.

    Raises:
        ComfyError: ``doubt`` if it is not there; if that cannot be known, the text says so.
    """
    log.info("submitting prompt %s: %s; looking for it", job.prompt_id, doubt)
    answered = False
    deadline = time.monotonic() + _LOOKING
    # ComfyUI itself has said its last word with a 500, or with an answer of whatever kind: then one look is enough.
    final = isinstance(doubt, DecodeError) or (
        isinstance(doubt, ServerError) and doubt.status == HTTPStatus.INTERNAL_SERVER_ERROR
    )
    for pause in _LOOKS[:1] if final else _LOOKS:
        if time.monotonic() > deadline:
            break
        with job.changed:
            job.changed.wait(pause)
        if job.started or job.outcome is not None:
            return PromptStatus(job.prompt_id, job.number or 0)
        try:
            found = _look(tracker, job)
        except ComfyError as error:
            log.info("looking for prompt %s: %s", job.prompt_id, error)
            continue
        if found is not None:
            return found
        answered = True
    if answered:
        raise doubt
    reason = f"{doubt}; whether prompt {job.prompt_id} was queued is not known"
    raise ServerUnreachable(tracker.config.shown_url, reason, maybe_sent=True)


def _look(tracker: Tracker, job: JobState) -> PromptStatus | None:
    queue, history = tracker.inquiry.queue, tracker.inquiry.history
    state = queue.list()
    items = [*state.queue_running, *state.queue_pending]
    entry = history.get(job.prompt_id)
    if entry is not None:
        items.append(entry.prompt)
    if not any(_is_ours(item, job) for item in items):
        items += [entry.prompt for entry in history.list(limit=64).values()]
    return next((PromptStatus(item.prompt_id, item.number) for item in items if _is_ours(item, job)), None)


def _is_ours(item: QueueItem, job: JobState) -> bool:
    return job.prompt_id in {item.prompt_id, item.extra_data.get(_MARK)}
