"""A job in a notebook, as far as it is known here: nothing is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfyclient.display import colors, failures
from comfyclient.display.html import Html, badge, bar, code, folded, heading, joined, red
from comfyclient.display.lettering import clean
from comfyclient.display.words import counted, seconds, short
from comfyclient.display.workflows import of_drawing
from comfyclient.errors import JobFailed, WorkflowError

if TYPE_CHECKING:
    from comfyclient.display.drawing import Highlight
    from comfyclient.jobs import Job


def of_job(job: Job) -> Html:
    """Its status and progress, the node that runs, and why it failed; its workflow is there to open."""
    status, share = job.status, job.progress
    color = colors.of_status(status)
    times = job._state.started_at, job._state.finished_at  # noqa: SLF001 - one of our own
    ran = f"ran {seconds(times[1] - times[0])}" if times[0] is not None and times[1] is not None else ""
    progress = joined([bar(share, color), f" {share:.0%}"])
    head = heading("Job", code(short(job.prompt_id)), badge(status.replace("_", " "), color), progress, ran, _node(job))
    parts, highlight = [head], list[str]()
    error = job.exception(timeout=0) if job.done() else None
    if isinstance(error, JobFailed):
        parts.append(failures.of_failure(error))
        highlight.append(error.node_id)
    elif error is not None:
        parts.append(red(str(error)))
    if job.node_errors:
        parts += [heading("What the server left out"), failures.refusals(job.node_errors)]
        highlight += [problem.node_id for problem in job.node_errors]
    return joined([*parts, _workflow(job, highlight)])


def _node(job: Job) -> str:
    """The node that runs, by the last event."""
    state = job._state  # noqa: SLF001 - one of our own
    with state.changed:
        node_id = state.meter.node if state.meter is not None and state.status == "in_progress" else None
    if node_id is None:
        return ""
    try:
        title = job._document().title(node_id)  # noqa: SLF001 - which is no copy
    except WorkflowError:
        title = node_id
    return f"at {clean(title)} #{clean(node_id)}" if title != node_id else f"at #{clean(node_id)}"


def _workflow(job: Job, highlight: Highlight) -> Html:
    try:
        drawing = job._document().draw(highlight=highlight)  # noqa: SLF001
    except WorkflowError:  # of a prompt that somebody else submitted, in a shape of their own
        return Html()
    return folded(f"its workflow: {counted(len(drawing), 'node')}", of_drawing(drawing), is_open=bool(highlight))
