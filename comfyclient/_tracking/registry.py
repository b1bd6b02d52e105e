"""The jobs that have not ended, and the way of every event: to its job, to queues, to callbacks."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from attrs import evolve

from comfyclient.events import (
    Connected,
    Disconnected,
    Event,
    Executing,
    ExecutionStart,
    Preview,
    ProgressText,
    Reconnected,
    Status,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient._realtime.subscriptions import Subscriptions
    from comfyclient._tracking.state import JobState

log = logging.getLogger(__name__)

_STRAYS = 1000
"""How many events of prompts with unknown ids are kept while a submission is under way."""
_POINTERS = frozenset({Preview, ExecutionStart, Executing})
"""What tells which job runs, or is completed by that."""
_BREAKS = (Connected, Disconnected, Reconnected)
"""What tells of a time without a websocket; before the first connection, too, jobs may be under way already."""


class Registry:
    """The jobs of one client that have not ended, by prompt id."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # guards the fields below; a finalizer may come in between
        self._jobs: dict[str, JobState] = {}
        self._submitting = 0
        self._strays: deque[Event] = deque(maxlen=_STRAYS)

    def get(self, prompt_id: str) -> JobState | None:
        """The job with this id, if it has not ended."""
        return self._jobs.get(prompt_id)

    def live(self) -> list[JobState]:
        """All jobs that have not ended."""
        with self._lock:
            return list(self._jobs.values())

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: JobState) -> None:
        """Register a job, before its prompt is posted."""
        with self._lock:
            self._jobs[job.prompt_id] = job

    def setdefault(self, job: JobState) -> JobState:
        """The job with this id, which is ``job`` if there was none."""
        with self._lock:
            return self._jobs.setdefault(job.prompt_id, job)

    def drop(self, job: JobState) -> None:
        """Forget a job; events of its prompt find nobody any more."""
        with self._lock:
            if self._jobs.get(job.prompt_id) is job:
                del self._jobs[job.prompt_id]

    def begin_submission(self) -> None:
        """From now on events of unknown prompts are kept: an old server gives the prompt an id of its own."""
        with self._lock:
            self._submitting += 1

    def end_submission(self, job: JobState, prompt_id: str) -> bool:
        """The server's answer has come; its id for the prompt is the one that counts.

        Returns:
            Whether that is possible: not if another job has this id.
        """
        with self._lock:
            self._submitting -= 1
            strays: list[Event] = []
            if prompt_id != job.prompt_id:
                self._jobs.pop(job.prompt_id, None)
                if prompt_id in self._jobs:
                    return False
                job.prompt_id = prompt_id
                self._jobs[prompt_id] = job
                strays = [event for event in self._strays if event.prompt_id == prompt_id]
            if not self._submitting:
                self._strays.clear()
        for event in strays:
            job.apply(event)
        return True

    def abandon_submission(self, job: JobState) -> None:
        """The prompt was not accepted."""
        with self._lock:
            self._submitting -= 1
            self._jobs.pop(job.prompt_id, None)
            if not self._submitting:
                self._strays.clear()

    def find(self, prompt_id: str, event: Event) -> JobState | None:
        """The job that an event of this prompt is for; an unknown prompt's is kept while it may turn out to be ours."""
        job = self._jobs.get(prompt_id)
        if job is None:
            with self._lock:
                job = self._jobs.get(prompt_id)  # its submission may have ended this very moment
                if job is None and self._submitting:
                    self._strays.append(event)
        return job


class Router:
    """Gives every event to whom it concerns. Runs in the reader's thread: takes no time and raises nothing.

    Args:
        registry: The jobs.
        subscriptions: Everybody else.
        call_back: Hands an event over to the dispatcher.
        look: Called with the seconds in which the jobs should be looked at.
        forget: Called when the websocket is back: the server may be another one now.

    Attributes:
        settling: Seconds that the queue's length and our count of jobs may differ in the ordinary course of things.
        queue_count: How many prompts the server last said wait or run, and when it said so, in monotonic seconds.
    """

    settling = 0.25

    def __init__(
        self,
        registry: Registry,
        subscriptions: Subscriptions,
        call_back: Callable[[Event], None],
        look: Callable[[float], None],
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        self._registry = registry
        self._subscriptions = subscriptions
        self._call_back = call_back
        self._look = look
        self._forget = forget
        self._running: JobState | None = None
        self.queue_count = (0, 0.0)

    def deliver(self, event: Event) -> None:
        """Route one event."""
        try:
            prompt_id = event.prompt_id
            if prompt_id is None:
                event = self._place(event)
                prompt_id = event.prompt_id
            if prompt_id is not None:
                job = self._registry.find(prompt_id, event)
                if job is not None:
                    if type(event) in _POINTERS:
                        event = self._look_at(job, event)
                    if job.apply(event):
                        self._conclude(job)
            route = self._subscriptions.route(event)
            for queue in route.queues:
                queue.offer(event)
            if route.callbacks:
                self._call_back(event)
        except Exception:
            log.exception("an event of type %r was lost", event.type)

    def _look_at(self, job: JobState, event: Any) -> Event:
        """See which job runs, and whether a picture is a result."""
        kind = type(event)
        if kind is Preview:
            event = job.adopt(event)
        elif kind is ExecutionStart or event.node is not None:
            self._running = job
        elif self._running is job:
            self._running = None
        result: Event = event
        return result

    def _conclude(self, job: JobState) -> None:
        if job.outcome is not None:
            self._registry.drop(job)
        else:
            self._look(0.0)

    def _place(self, event: Event) -> Event:
        """Complete an event that names no prompt: the server runs one at a time, so it is the one that runs."""
        kind = type(event)
        running = self._running
        if running is not None and running.outcome is not None:  # found out over HTTP; the event is somebody else's
            running = self._running = None
        if kind is Preview and running is not None:
            node = running.meter.node if running.meter is not None else None
            return evolve(event, prompt_id=running.prompt_id, node=node)  # type: ignore[misc]  # a Preview, as was seen
        if kind is ProgressText and running is not None:
            return evolve(event, prompt_id=running.prompt_id)  # type: ignore[misc]  # a ProgressText, as was seen
        if kind is Status:
            self._count(event)  # type: ignore[arg-type]  # a Status, as was seen
        elif kind in _BREAKS:
            self._running = None
            if kind is Reconnected:
                self._forget()
            for job in self._registry.live():
                job.gap = True  # whatever happened while there was no websocket, it did not hear of
                job.needs_asking = job.needs_asking or kind is Reconnected
            self._look(0.0)
        return event

    def _count(self, status: Status) -> None:
        remaining = status.queue_remaining
        if remaining is None:
            return
        fell = remaining < self.queue_count[0]
        self.queue_count = (remaining, time.monotonic())
        if fell and remaining < len(self._registry):
            self._look(self.settling)  # fewer prompts wait or run than we have jobs: one of ours may have been deleted
