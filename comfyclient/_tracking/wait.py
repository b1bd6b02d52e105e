"""One wait for one job, in whatever thread has the time."""

from __future__ import annotations

import queue
import time
from typing import TYPE_CHECKING

from comfyclient.errors import ClientClosed, JobTimeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from comfyclient._realtime.buffer import EventQueue
    from comfyclient._tracking.state import JobState, Outcome
    from comfyclient._tracking.tracker import Tracker
    from comfyclient.events import Event

_GLANCE = 0.25
"""Seconds between two looks at a silent job by somebody who waits for it."""


class Wait:
    """Waits, and looks after silent jobs while a callback keeps the dispatcher from it.

    Args:
        tracker: What looks after the job.
        state: The job.
        timeout: Seconds from now to wait at most; ``None`` for as long as it takes.
    """

    def __init__(self, tracker: Tracker, state: JobState, timeout: float | None = None) -> None:
        self._tracker = tracker
        self._state = state
        self._deadline = None if timeout is None else time.monotonic() + timeout

    def end(self) -> Outcome:
        """How the job ended.

        Raises:
            JobTimeout: The time is up.
        """
        state, dispatcher = self._state, self._tracker.dispatcher
        while True:
            pause = self._pause()
            with state.changed:
                state.changed.wait_for(
                    lambda: state.outcome is not None or (state.needs_asking and dispatcher.is_calling), pause
                )
                if state.outcome is not None:
                    return state.outcome
            self._look()

    def events(self, listener: EventQueue[Event], glance: Callable[[], object] = bool) -> Iterator[Event]:
        """The job's events until its end, or until the time is up though it has ended.

        Args:
            listener: Where they arrive.
            glance: Called again and again while nothing is heard.

        Raises:
            JobTimeout: The time is up, and the job has not ended.
        """
        while not (self._is_up and self._state.outcome is not None):
            try:
                event = listener.get(timeout=self._pause())
            except queue.Empty:
                self._look()
                glance()
            except ClientClosed:
                return
            else:
                self._check()
                yield event

    @property
    def _is_up(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _pause(self) -> float:
        """Seconds until the next look."""
        now = time.monotonic()
        look_at = now + _GLANCE
        if self._tracker.dispatcher.is_calling:
            look_at = min(look_at, self._tracker.watch.due(self._state))
        return max(0.0, min(look_at, self._deadline if self._deadline is not None else look_at) - now)

    def _look(self) -> None:
        """After a silent pause: see whether the caller's patience has ended, and whether something has to be asked."""
        self._check()
        self._tracker.stand_in(self._state)

    def _check(self) -> None:
        if self._is_up and self._state.outcome is None:
            prompt_id, status = self._state.prompt_id, self._state.status.replace("_", " ")
            raise JobTimeout(
                prompt_id,
                f"prompt {prompt_id} is {status} and has not ended in time; it goes on, and job.cancel() stops it",
            )
