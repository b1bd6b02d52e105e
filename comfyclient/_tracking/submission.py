"""Handing a workflow to the server: exactly once, or a clear no."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from comfyclient import _rejection
from comfyclient._tracking.state import JobState
from comfyclient.errors import ComfyError, DecodeError, NodeProblem, RequestTimeout, ServerError, ServerUnreachable
from comfyclient.types import PromptStatus, QueueItem
from comfyclient.workflow import Workflow
from comfyclient.workflow.node import leaves, needed

if TYPE_CHECKING:
    from comfyclient._tracking.tracker import Tracker
    from comfyclient.resources import Server

log = logging.getLogger(__name__)

_SOCKET_IMAGE_CLASSES = frozenset({"SaveImageWebsocket"})
_MARK = "comfyclient_submission"
"""The key in ``extra_data`` under which a submission can be found on servers that give prompts ids of their own."""
_LOOKING = 20.0
"""Seconds after which no new look is taken; ``give_up_after`` may be less."""
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

    def adapted(self, server: Server) -> Request:
        """The same for a server that may be too old for it.

        Raises:
            Unsupported: It would not have the effect that is wanted.
            ServerUnreachable, RequestTimeout, ServerError, DecodeError: The server does not say how old it is.
        """
        if "preview_method" in self.extra_data:
            server.require("preview_method")
        if self.targets is None or server.has("targets"):
            return self
        # It would run everything; so it gets only what the targets need.
        wanted = needed(self.workflow, self.targets)
        graph = {node: entry for node, entry in self.workflow.to_api().items() if node in wanted}
        return evolve(self, workflow=Workflow(graph), targets=None)


def new_job(workflow: Workflow, targets: tuple[str, ...] | None) -> JobState:
    """A job of our own, with an id that nobody else has, so that it can be looked for whatever happens."""
    image_nodes = frozenset(node.id for node in workflow.values() if node.class_type in _SOCKET_IMAGE_CLASSES)
    # What runs is an output or feeds one, so that those that feed nobody are outputs.
    outputs = leaves(workflow) if targets is None else targets
    due = tuple(node_id for node_id in outputs if node_id not in image_nodes)
    return JobState(str(uuid.uuid4()), image_nodes=image_nodes, due=due)


def submit(tracker: Tracker, job: JobState, request: Request) -> PromptStatus:
    """Post a checked workflow; from then on its job is registered and followed.

    Returns:
        The server's answer.

    Raises:
        PromptRejected: The server refused all of it.
        ServerUnreachable, RequestTimeout, ServerError, DecodeError: It was not queued, as far as can be known.
        Unsupported: The server is too old; nothing was sent.
    """
    if job.image_nodes and tracker.connection is None:
        log.warning("SaveImageWebsocket sends its images over the websocket, which this client does not use")
    tracker.prepare()
    request = request.adapted(tracker.server)
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
            extra_data={**tracker.config.account, **request.extra_data, _MARK: job.prompt_id},
        )
    except ServerError as error:
        if _rejection.is_rejection(error):
            raise _rejection.explain(error, request.workflow, _choices(tracker), _classes(tracker)) from None
        if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        doubt: ComfyError = error
    except ServerUnreachable as error:
        if not error.maybe_sent:
            raise
        doubt = error
    except (RequestTimeout, DecodeError) as error:
        doubt = error
    try:
        return _find(tracker, job, request, doubt)
    except ServerError as error:
        # Servers before May 2024 stumble over a class that they do not have.
        stumbled = error.status == HTTPStatus.INTERNAL_SERVER_ERROR
        refusal = _rejection.of_missing_classes(error, request.workflow, _classes(tracker)) if stumbled else None
        raise refusal or error from None


def problems(tracker: Tracker, status: PromptStatus, workflow: Workflow) -> tuple[NodeProblem, ...]:
    """What the server left out of a prompt that it accepted in part."""
    return _rejection.problems_of(status.node_errors, workflow, _choices(tracker))


def refused(status: PromptStatus) -> frozenset[str]:
    """The outputs that it left out."""
    reports = [report for report in status.node_errors.values() if isinstance(report, dict)]
    return frozenset(str(output) for report in reports for output in report.get("dependent_outputs") or ())


def _classes(tracker: Tracker) -> _rejection.Classes:
    return partial(tracker.nodes.names, refresh=True)


def _choices(tracker: Tracker) -> _rejection.Choices:
    def choices(class_type: str, input_name: str) -> list[Any] | None:
        info = tracker.nodes.get(class_type, refresh=True)  # what the server checked against, not what it once had
        return info.choices(input_name) if info is not None else None

    return choices


def _find(tracker: Tracker, job: JobState, request: Request, doubt: ComfyError) -> PromptStatus:
    """The answer to a submission was lost: look whether the prompt is there. It is never posted again.

    Raises:
        ComfyError: ``doubt`` if it is not there; if that cannot be known, the text says so.
    """
    # As text here and wherever an error is logged: it holds a socket, and whoever keeps the record would keep that.
    log.info("submitting prompt %s: %s; looking for it", job.prompt_id, str(doubt))
    answered = False
    deadline = time.monotonic() + min(_LOOKING, tracker.config.give_up_after)
    # ComfyUI itself has said its last word with a 500, or with an answer of whatever kind: then one answer is enough.
    final = isinstance(doubt, DecodeError) or (
        isinstance(doubt, ServerError) and doubt.status == HTTPStatus.INTERNAL_SERVER_ERROR
    )
    for pause in _LOOKS:
        if (answered and final) or time.monotonic() + pause > deadline:
            break
        with job.changed:
            job.changed.wait(pause)
        known = job.started or job.outcome is not None  # by events
        try:
            item = _look(tracker, job)
        except ComfyError as error:
            log.info("looking for prompt %s: %s", job.prompt_id, str(error))
            item = None
        else:
            answered = True
        if item is not None:
            return PromptStatus(item.prompt_id, item.number, _left_out(tracker, request, item))
        if known:
            return PromptStatus(job.prompt_id, job.number or 0)
    if answered:
        raise doubt
    what = doubt.reason if isinstance(doubt, ServerUnreachable) else str(doubt)
    reason = f"{what}; whether prompt {job.prompt_id} was queued is not known"
    raise ServerUnreachable(tracker.config.shown_url, reason, maybe_sent=True)


def _look(tracker: Tracker, job: JobState) -> QueueItem | None:
    queue, history = tracker.inquiry.queue, tracker.inquiry.history
    state = queue.list()
    items = [*state.queue_running, *state.queue_pending]
    entry = history.get(job.prompt_id)
    if entry is not None:
        items.append(entry.prompt)
    if not any(_is_ours(item, job) for item in items):
        items += [entry.prompt for entry in history.list(limit=64).values()]
    return next((item for item in items if _is_ours(item, job)), None)


def _is_ours(item: QueueItem, job: JobState) -> bool:
    return job.prompt_id in {item.prompt_id, item.extra_data.get(_MARK)}


def _left_out(tracker: Tracker, request: Request, item: QueueItem) -> dict[str, Any]:
    """Which outputs the server does not run, in the form in which its lost answer said so."""
    if not item.outputs_to_execute:  # there is always one, so it does not tell
        return {}
    wanted = request.workflow if request.targets is None else request.targets
    others = {node: request.workflow.class_type(node) or "" for node in set(wanted) - set(item.outputs_to_execute)}
    try:
        infos = {class_type: tracker.nodes.get(class_type) for class_type in sorted({*others.values()} - {""})}
    except ComfyError as error:
        log.warning("prompt %s was accepted, and maybe only a part of it: %s", item.prompt_id, str(error))
        return {}
    outputs = {class_type for class_type, info in infos.items() if info is not None and info.output_node}
    reason = "the server left this output out; its reasons were in an answer that got lost"
    return {
        node: {
            "errors": [{"type": "unknown", "message": reason, "details": "", "extra_info": {}}],
            "dependent_outputs": [node],
            "class_type": class_type,
        }
        for node, class_type in others.items()
        if class_type in outputs
    }
