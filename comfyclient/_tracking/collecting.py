"""What a job has left behind, as its events told or as the server's history has it."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING

from comfyclient.results import Result, Timings

if TYPE_CHECKING:
    from comfyclient._tracking.state import JobState
    from comfyclient.resources import Files, History
    from comfyclient.types import HistoryEntry
    from comfyclient.workflow import Workflow

log = logging.getLogger(__name__)


def collect(
    state: JobState, entry: HistoryEntry | None, workflow: Workflow, *, files: Files, history: History
) -> Result:
    """The result, so far.

    Args:
        state: The job.
        entry: What the server's history has of it; without, what events told is taken.
        workflow: What was submitted.
        files: Where its files are fetched.
        history: Where the history is asked, if somebody wants to see it.
    """
    with state.changed:  # events may still come in
        outputs, display, cached = dict(state.outputs or {}), dict(state.display or {}), state.cached
        images = [(image.node, image.media_type, image.data) for image in state.socket_images or ()]
        timings = Timings(
            created=state.created_at,
            started=state.started_at,
            finished=state.finished_at,
            nodes=dict(state.meter.seconds) if state.meter is not None else {},
        )
        is_lossy = state.gap and bool(state.image_nodes)
    if is_lossy:
        log.warning("images that prompt %s sent while the websocket was away are lost", state.prompt_id)
    return Result(
        prompt_id=state.prompt_id,
        workflow=workflow,
        outputs=outputs if entry is None else entry.outputs,
        display=display if entry is None else entry.display_nodes,
        cached=cached if entry is None else entry.cached_nodes,
        socket_images=images,
        timings=timings,
        files=files,
        fetch_history=functools.partial(_fetch, entry, history, state.prompt_id),
    )


def _fetch(entry: HistoryEntry | None, history: History, prompt_id: str) -> HistoryEntry | None:
    # Not a method: a result that is kept must not keep its client's threads.
    return entry or history.get(prompt_id)
