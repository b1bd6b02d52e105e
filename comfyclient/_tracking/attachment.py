"""Taking up a job that is on the server already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfyclient._tracking.state import JobState
from comfyclient.errors import JobLost

if TYPE_CHECKING:
    from comfyclient._tracking.tracker import Tracker
    from comfyclient.types import QueueItem


def attach(tracker: Tracker, prompt_id: str) -> tuple[JobState, QueueItem]:
    """Find a prompt on the server and follow it from now on; see ``Client.job``.

    Raises:
        JobLost: The server does not know it.
    """
    listing = tracker.queue.list()
    queued = {item.prompt_id: item for item in (*listing.queue_pending, *listing.queue_running)}
    item = queued.get(prompt_id)
    if item is None:
        entry = tracker.history.get(prompt_id)
        if entry is None:
            raise JobLost(prompt_id, f"the server knows no prompt {prompt_id}, neither queued nor in its history")
        item = entry.prompt
    ours = item.extra_data.get("client_id") == tracker.config.client_id
    if ours:  # by an earlier process with the same id, perhaps: its events come to us
        tracker.prepare()
    state = tracker.registry.setdefault(JobState(prompt_id, taken_up=True, remote=not ours))
    state.number = item.number
    state.started = state.started or item in listing.queue_running
    if prompt_id not in queued:
        tracker.watch.ask(state)
    tracker.follow(state)
    return state, item
