"""How many prompts run before a job that waits: asked for seldom, since the answer is as long as the queue."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from comfyclient.errors import ComfyError

if TYPE_CHECKING:
    from comfyclient._tracking.state import JobState
    from comfyclient._tracking.tracker import Tracker

log = logging.getLogger(__name__)

_SETTLED = 0.5
"""Seconds that a job may wait before anything is asked: most begin at once."""
_SHORTEST = 3.0
"""Seconds between two questions, at least."""
_SHARE = 0.05
"""How much of the time questions may take: with a very long queue they are further apart."""


class QueuePlace:
    """The place of one job in the queue, for somebody who looks at it again and again.

    The server is asked by the dispatcher thread, between callbacks, so that whoever looks never waits; and only after
    it said that its queue had changed. Where nothing is heard of it, a short question for the queue's length finds out.

    Args:
        tracker: What has the server's words, and asks.
        state: The job.
    """

    def __init__(self, tracker: Tracker, state: JobState) -> None:
        self._tracker = tracker
        self._state = state
        # Written by the thread that asks, each as a whole; the one that looks may see either.
        self._ahead: int | None = None
        self._length: int | None = None
        self._asked_at = 0.0
        self._due_at = time.monotonic() + _SETTLED
        self._is_asking = False

    def ahead(self) -> int | None:
        """How many prompts run before it, as of the last answer; ``None`` if that is not known. Never blocks."""
        _, changed_at = self._tracker.router.queue_count
        if not self._is_asking and time.monotonic() >= self._due_at and (changed_at > self._asked_at or self._is_deaf):
            self._is_asking = True
            self._tracker.dispatcher.call(self._ask, "a place in the queue")
        return self._ahead

    @property
    def _is_deaf(self) -> bool:
        """Whether the server cannot tell that its queue has changed."""
        connection = self._tracker.connection
        return connection is None or not connection.is_open

    def _ask(self) -> None:
        began = self._asked_at = time.monotonic()
        try:
            if self._state.status == "pending" and self._has_changed():
                self._ahead = self._tracker.inquiry.ahead_of(self._state.prompt_id)
        except ComfyError as error:
            log.info("the place of prompt %s is not known: %s", self._state.prompt_id, str(error))
            self._asked_at = 0.0
        finally:
            now = time.monotonic()
            self._due_at = now + max(_SHORTEST, (now - began) / _SHARE)
            self._is_asking = False

    def _has_changed(self) -> bool:
        if not self._is_deaf:
            return True
        length = self._tracker.inquiry.queue.info().exec_info.queue_remaining
        known, self._length = self._length, length
        return length != known
