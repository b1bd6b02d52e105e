"""Asking the server about jobs: the websocket is only a hint, HTTP is the truth.

While events flow nothing is asked. A silent job is asked about once per interval, with growing intervals, by whoever
waits for it, or by the dispatcher thread when nobody does. Without a websocket the same questions come quickly for the
job that is next in the queue, and slowly for the rest.
"""

from __future__ import annotations

import enum
import logging
import re
import time
from typing import TYPE_CHECKING

from comfyclient._tracking.state import JobState, Outcome
from comfyclient._wire import decode_event
from comfyclient.errors import ClientClosed, ComfyError, JobLost, NotFound, ServerError
from comfyclient.events import ExecutionError
from comfyclient.types import HistoryEntry

if TYPE_CHECKING:
    from comfyclient._realtime.connection import Connection
    from comfyclient._tracking.registry import Registry, Router
    from comfyclient.config import ClientConfig
    from comfyclient.resources import History, Jobs, Queue, System

log = logging.getLogger(__name__)

_FIRST, _LONGEST_QUICK, _LONGEST = 0.02, 1.0, 30.0
"""Seconds between questions about one job: the first, and the longest with and without hope for events."""
_SETTLING = 0.25
"""Seconds that the queue's length and our count of jobs may differ in the ordinary course of things."""
_NEXT = 2
"""How many of the jobs next in the queue are asked about quickly while there is no websocket."""

_TARGETED_INTERRUPT = (0, 3, 57)
"""The first release that interrupts by prompt id; older ones ignore the id and interrupt whatever runs."""


class Place(enum.Enum):
    """Where the server has a prompt."""

    PENDING = enum.auto()
    RUNNING = enum.auto()
    NOWHERE = enum.auto()


class Watch:
    """Asks about the jobs of one client; safe for any number of threads."""

    def __init__(  # noqa: PLR0917 - what there is to ask, and about whom
        self,
        config: ClientConfig,
        registry: Registry,
        router: Router,
        connection: Connection | None,
        queue: Queue,
        history: History,
        jobs: Jobs,
        system: System,
    ) -> None:
        self._config = config
        self._registry = registry
        self._router = router
        self._connection = connection
        self._queue = queue
        self._history = history
        self._jobs = jobs
        self._system = system
        self._has_jobs_route: bool | None = None  # found out with the first question, and never changing back
        self._unreachable_since: float | None = None  # written by whoever asks; the last writer is right
        self._version: tuple[int, ...] | None = None  # asked for once
        self._surveyed_at = 0.0

    # ── the questions ────────────────────────────────────────────────────────────────────────────────────────────

    def locate(self, prompt_id: str) -> Place | HistoryEntry:
        """Where the server has the prompt, or its history entry once it has ended.

        Raises:
            ServerUnreachable, RequestTimeout, ServerError, DecodeError: The server could not be asked.
        """
        if self._has_jobs_route is not False:
            place = self._locate_by_jobs_route(prompt_id)
            if place is not None:
                return place
        entry = self._history.get(prompt_id)
        if entry is not None:
            return entry
        place = self._locate_in_queue(prompt_id)
        if place is not Place.NOWHERE:
            return place
        # It may have ended between the two questions.
        return self._history.get(prompt_id) or Place.NOWHERE

    def _locate_by_jobs_route(self, prompt_id: str) -> Place | HistoryEntry | None:
        """One cheap question where the server has the route; ``None`` when it could not answer."""
        try:
            job = self._jobs.get(prompt_id)
        except NotFound:
            self._has_jobs_route = False
            return None
        except ServerError:  # anybody's odd prompt can spoil this route for everybody
            return None
        self._has_jobs_route = True
        if job is None:
            return Place.NOWHERE
        if job.status == "pending":
            return Place.PENDING
        if job.status == "in_progress":
            return Place.RUNNING
        # This route rewrites outputs, so they are read from the history; evicted meanwhile, it is gone.
        return self._history.get(prompt_id) or Place.NOWHERE

    def _locate_in_queue(self, prompt_id: str) -> Place:
        state = self._queue.list()
        if any(item.prompt_id == prompt_id for item in state.queue_running):
            return Place.RUNNING
        if any(item.prompt_id == prompt_id for item in state.queue_pending):
            return Place.PENDING
        return Place.NOWHERE

    # ── one job ──────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, job: JobState) -> None:
        """Ask about one job and take in the answer; somebody else's question under way counts as ours."""
        with job.changed:
            if job.asking or job.outcome is not None:
                return
            job.asking = True
        try:
            self._ask(job)
        finally:
            with job.changed:
                job.asking = False
                job.asked_at = time.monotonic()
                quick = job.remote or not self._hears
                job.interval = min(
                    _LONGEST_QUICK if quick else _LONGEST,
                    max(_FIRST if quick else self._config.poll_interval, job.interval * 2),
                )
                job.changed.notify_all()
        if job.outcome is not None:
            self._registry.drop(job)

    def _ask(self, job: JobState) -> None:
        try:
            place = self.locate(job.prompt_id)
            self._unreachable_since = None
            self._take_in(job, place)
        except ClientClosed:
            return
        except ComfyError as error:
            self._could_not_ask(job, error)

    def _take_in(self, job: JobState, place: Place | HistoryEntry) -> None:
        if isinstance(place, HistoryEntry):
            if self._connection is not None and self._connection.is_open and not (job.gap or job.ended):
                self._connection.suspect("a prompt ended and the websocket did not hear of it")
            job.finish(_outcome(job.prompt_id, place))
        elif place is Place.NOWHERE:
            if job.accepted:
                job.finish(_vanished(job))
        else:
            job.started = job.started or place is Place.RUNNING
            if job.cancel_requested:
                self._stop(job, place)

    def _stop(self, job: JobState, place: Place) -> None:
        """One attempt to stop a job; it may be lost, so the next question about the job makes another one."""
        if place is Place.PENDING:
            self._queue.delete(job.prompt_id)
            job.dequeued = True
        elif self._interrupts_by_id():
            self._queue.interrupt(job.prompt_id)
        else:
            # This server would stop whatever runs. With nothing else queued that can only be ours.
            state = self._queue.list()
            if not state.queue_pending and [item.prompt_id for item in state.queue_running] == [job.prompt_id]:
                self._queue.interrupt()
            else:
                log.warning(
                    "prompt %s is not interrupted yet: this server cannot interrupt one prompt alone, and others wait",
                    job.prompt_id,
                )

    def _interrupts_by_id(self) -> bool:
        if self._has_jobs_route:
            return True
        if self._version is None:
            self._version = _version(self._system.stats().system.comfyui_version)
        return self._version >= _TARGETED_INTERRUPT

    def _could_not_ask(self, job: JobState, error: ComfyError) -> None:
        log.info("could not ask about prompt %s: %s", job.prompt_id, error)
        if job.ended and job.success and isinstance(error, ServerError):
            # The history of a prompt with an unserialisable output can never be read, but its events were.
            job.finish(Outcome("completed"))
            return
        now = time.monotonic()
        since = self._unreachable_since = self._unreachable_since or now
        if now - since > self._config.give_up_after:
            job.finish(Outcome("lost", error))

    @property
    def _hears(self) -> bool:
        return self._connection is not None and self._connection.is_open

    def due(self, job: JobState) -> float:
        """When the job is to be asked about, on the monotonic clock."""
        if job.needs_asking:
            return 0.0
        if not job.accepted:
            return float("inf")
        if job.remote or not self._hears:
            return job.asked_at + (job.interval or _FIRST)
        if job.cancel_requested:
            return job.asked_at + _LONGEST_QUICK
        interval = job.interval or self._config.poll_interval
        quiet = max(job.asked_at, job.heard_at)
        # While the socket is lively a job that has not begun is most likely just waiting its turn.
        lively = self._connection.heard_at if self._connection is not None and not job.started else 0.0
        return min(max(quiet, lively) + interval, quiet + 10 * interval)

    # ── all jobs ─────────────────────────────────────────────────────────────────────────────────────────────────

    def chores(self) -> float | None:
        """Ask about every job whose time has come and for which nobody waits; seconds until the next time."""
        jobs = self._registry.live()
        if not jobs:
            return None
        self._survey(jobs)
        if not self._hears:
            jobs = self._next_in_queue(jobs)
        now = time.monotonic()
        for job in jobs:
            if self.due(job) <= now and not job.waiters:
                self.ask(job)
        now = time.monotonic()
        soonest = min((self.due(job) for job in jobs if job.outcome is None), default=now + _LONGEST_QUICK)
        return min(max(soonest - now, _FIRST), _LONGEST_QUICK)

    def _next_in_queue(self, jobs: list[JobState]) -> list[JobState]:
        """Without events: the job whose turn it is, and of the others those that were not asked about for long."""
        jobs = sorted(jobs, key=lambda job: (job.number is None, job.number or 0.0))
        now = time.monotonic()
        return [
            job
            for place, job in enumerate(jobs)
            if place < _NEXT or job.ended or now - job.asked_at > self._config.poll_interval
        ]

    def _survey(self, jobs: list[JobState]) -> None:
        """If the queue is shorter than it can be with all our jobs in it, find out who is gone."""
        remaining, counted_at = self._router.queue_count
        if counted_at <= self._surveyed_at or time.monotonic() - counted_at < _SETTLING:
            return
        self._surveyed_at = counted_at
        queued = [job for job in jobs if job.accepted and not job.ended and job.submitted_at < counted_at]
        if remaining >= len(queued):
            return
        try:
            state = self._queue.list()
        except ComfyError as error:
            log.info("could not look at the queue: %s", error)
            return
        known = {item.prompt_id for item in (*state.queue_running, *state.queue_pending)}
        for job in queued:
            if job.prompt_id not in known:
                self.ask(job)


def _outcome(prompt_id: str, entry: HistoryEntry) -> Outcome:
    if entry.succeeded:
        return Outcome("completed", entry=entry)
    if entry.interrupted:
        return Outcome("cancelled", entry=entry)
    event = decode_event("execution_error", entry.error)
    failure = event if isinstance(event, ExecutionError) else ExecutionError(prompt_id, "")
    return Outcome("failed", failure, entry)


def _vanished(job: JobState) -> Outcome:
    if job.dequeued:
        return Outcome("cancelled")
    if job.ended and job.success:
        return Outcome("completed")
    reason = "it was deleted from the queue, its history was cleared, or the server was restarted"
    return Outcome("lost", JobLost(job.prompt_id, f"the server no longer knows prompt {job.prompt_id}: {reason}"))


def _version(text: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text or "")[:3])
