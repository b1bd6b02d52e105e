"""Asking the server about jobs: the websocket is only a hint, HTTP is the truth.

While events flow nothing is asked. A silent job is asked about once per interval, with growing intervals, by the
dispatcher thread between callbacks, or by whoever waits for the job while a callback takes its time. Without a
websocket the same questions come quickly for the jobs that are next in the queue, and slowly for the rest. Where there
are many to ask about, one question is for all of them.
"""

from __future__ import annotations

import heapq
import logging
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from comfyclient._tracking.inquiry import Place
from comfyclient._tracking.state import JobState, Outcome
from comfyclient._wire import decode_event
from comfyclient.errors import ClientClosed, ComfyError, JobLost, RequestTimeout, ServerError, ServerUnreachable
from comfyclient.events import ExecutionError
from comfyclient.types import HistoryEntry

if TYPE_CHECKING:
    from comfyclient._realtime.connection import Connection
    from comfyclient._tracking.inquiry import Inquiry
    from comfyclient._tracking.registry import Registry, Router
    from comfyclient.config import ClientConfig

log = logging.getLogger(__name__)

_FIRST, _LONGEST_QUICK, _LONGEST = 0.02, 1.0, 30.0
"""Seconds between questions about one job: the first, and the longest without and with hope for events."""
_LIVELY = 10
"""How many intervals a job that waits its turn may go unmentioned while other events arrive."""
_NEXT = 2
"""How many of the jobs next in the queue are asked about quickly while nothing is heard of them."""
_SHARE = 0.05
"""How much of the time questions about all jobs at once may take."""


class Watch:
    """Asks about the jobs of one client; safe for any number of threads."""

    def __init__(
        self,
        config: ClientConfig,
        registry: Registry,
        router: Router,
        connection: Connection | None,
        inquiry: Inquiry,
    ) -> None:
        self._config = config
        self._registry = registry
        self._router = router
        self._connection = connection
        self._inquiry = inquiry
        # Written by any thread that asks, each as a whole; the last one to write is right.
        self._next: frozenset[JobState] = frozenset()
        self._unreachable_since: float | None = None
        self._surveyed_at = 0.0
        self._has_remote = False
        self._breather = 0.0

    # ── one job ──────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, job: JobState) -> None:
        """Ask about one job and take in the answer; if somebody is asking already, wait for that."""
        with job.changed:
            if job.asking:
                job.changed.wait_for(lambda: not job.asking or job.outcome is not None, _LONGEST_QUICK)
                return
            if job.outcome is not None:
                return
            job.asking = True
            job.needs_asking = False
        try:
            self._ask(job)
        finally:
            with job.changed:
                job.asking = False
                job.asked_at = time.monotonic()
                shortest, longest = (_FIRST, _LONGEST_QUICK) if self._is_quick(job) else self._slow
                job.interval = min(longest, max(shortest, 2 * job.interval))
                job.changed.notify_all()
        if job.outcome is not None:
            self._registry.drop(job)
            self.arrange()

    def _ask(self, job: JobState) -> None:
        asked_at = time.monotonic()
        try:
            place = self._inquiry.locate(job.prompt_id)
            self._unreachable_since = job.unanswered_since = None
            if isinstance(place, HistoryEntry):
                if self._hears and not (job.gap or job.ended):
                    self._connection.expect_message(asked_at)  # type: ignore[union-attr]  # it hears
                job.finish(_outcome(job.prompt_id, place))
            elif place is not Place.NOWHERE:
                job.started = job.started or place is Place.RUNNING
                if job.cancel_requested:
                    self._stop(job, place)
            elif job.accepted or job.dequeued:
                job.finish(_vanished(job))
        except ClientClosed:
            return
        except ComfyError as error:
            self._could_not_ask(job, error)

    def _stop(self, job: JobState, place: Place) -> None:
        """One attempt to stop a job; it may be lost, so the next question about the job makes another one."""
        if place is Place.PENDING:
            job.dequeued = True  # before, since the answer may get lost and the order not
            self._inquiry.dequeue(job.prompt_id)
        else:
            self._inquiry.interrupt(job.prompt_id)

    def _could_not_ask(self, job: JobState, error: ComfyError) -> None:
        log.info("could not ask about prompt %s: %s", job.prompt_id, str(error))
        now = time.monotonic()
        if isinstance(error, (ServerUnreachable, RequestTimeout)):
            heard_at = self._connection.heard_at if self._connection is not None else 0.0
            since = self._unreachable_since
            if since is None or since < max(heard_at, job.submitted_at):  # it has answered since
                since = self._unreachable_since = now
        else:
            self._unreachable_since = None
            since = job.unanswered_since = job.unanswered_since or now
            says_500 = isinstance(error, ServerError) and error.status == HTTPStatus.INTERNAL_SERVER_ERROR
            if job.ended and job.success and says_500:
                # The history of a prompt with an unserialisable output can never be read, but its events were.
                job.finish(Outcome("completed"))
        if now - since > self._config.give_up_after:
            job.finish(self._out_of_reach() if since == self._unreachable_since else Outcome("lost", error))

    # ── when ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _hears(self) -> bool:
        return self._connection is not None and self._connection.is_open

    def _is_silent(self, job: JobState) -> bool:
        """Whether no event will tell of it."""
        return job.remote or not self._hears

    def _is_quick(self, job: JobState) -> bool:
        return job in self._next and self._is_silent(job)

    @property
    def _slow(self) -> tuple[float, float]:
        return self._config.poll_interval, max(_LONGEST, self._config.poll_interval)

    def due(self, job: JobState) -> float:
        """When the job is to be asked about, on the monotonic clock."""
        if job.needs_asking:
            return 0.0
        if not job.accepted:
            return float("inf")
        if self._is_quick(job):
            return job.asked_at + (job.interval or _FIRST)
        interval = job.interval or self._config.poll_interval
        if job.cancel_requested or self._is_silent(job):
            return job.asked_at + min(interval, max(self._config.poll_interval, self._breather))
        quiet = max(job.asked_at, job.heard_at)
        # While the socket is lively a job that has not begun is most likely just waiting its turn.
        lively = self._connection.heard_at if self._connection is not None and not job.started else 0.0
        return min(max(quiet, lively) + interval, quiet + _LIVELY * interval)

    def arrange(self, new: JobState | None = None) -> None:
        """Find out which jobs are next in the queue: those that are worth asking about quickly, if nothing is heard."""
        self._has_remote = self._has_remote or (new is not None and new.remote)
        if self._hears and not self._has_remote:
            return
        silent = [job for job in self._registry.live() if job.accepted and self._is_silent(job)]
        self._has_remote = any(job.remote for job in silent)
        following = frozenset(heapq.nsmallest(_NEXT, silent, key=lambda job: job.number or 0.0))
        if following != self._next:
            self._next = following
            for job in following:
                job.interval = 0.0  # so far they were asked about at leisure

    # ── all jobs ─────────────────────────────────────────────────────────────────────────────────────────────────

    def chores(self) -> float | None:
        """Ask about every job whose time has come; seconds until the next time."""
        jobs = self._registry.live()
        if not jobs:
            return None
        self.arrange()
        self._survey(jobs)
        now = time.monotonic()
        due = {job for job in jobs if self.due(job) <= now}  # what falls due from now on may be among many again
        due -= self._ask_about_many(jobs, due)
        for job in jobs:
            if job in due and not job.asking:
                self.ask(job)
                if self._unreachable_since is not None:
                    self._give_up(jobs)
                    break  # it is the same for all of them, and each attempt takes its time
        now = time.monotonic()
        soonest = min((self.due(job) for job in jobs if job.outcome is None), default=now)
        return min(max(soonest - now, _FIRST), _LONGEST_QUICK)

    def _ask_about_many(self, jobs: list[JobState], due: set[JobState]) -> set[JobState]:
        """If one of many is due, one question finds out about all of them: those that still wait or run."""
        began = time.monotonic()
        many = {job for job in jobs if job.accepted and not (job.ended or job.cancel_requested or self._is_quick(job))}
        if len(many) <= _NEXT or not many & due:
            return set()
        try:
            known = self._inquiry.at_a_glance()
        except ComfyError as error:
            log.info("could not ask about %d prompts: %s", len(many), str(error))
            return set()  # each by itself meets the same
        self._breather = (time.monotonic() - began) / _SHARE
        found = {job for job in many if job.prompt_id in known}  # the others have ended, or are gone
        for job in found:
            job.seen(running=known[job.prompt_id] is Place.RUNNING)
            job.interval = min(self._slow[1], max(self._slow[0], 2 * job.interval))
        return found

    def _give_up(self, jobs: list[JobState]) -> None:
        since = self._unreachable_since
        if since is not None and time.monotonic() - since > self._config.give_up_after:
            for job in jobs:
                job.finish(self._out_of_reach())
                self._registry.drop(job)

    def _out_of_reach(self) -> Outcome:
        """The same for all jobs, whichever of them was asked about last."""
        reason = f"no answer for {self._config.give_up_after:g} s; the prompt may still run"
        return Outcome("lost", ServerUnreachable(self._config.shown_url, reason, maybe_sent=True))

    def _survey(self, jobs: list[JobState]) -> None:
        """If the queue is shorter than it can be with all our jobs in it, find out who is gone."""
        remaining, counted_at = self._router.queue_count
        if counted_at <= self._surveyed_at or time.monotonic() - counted_at < self._router.settling:
            return
        self._surveyed_at = counted_at
        queued = [job for job in jobs if job.accepted and not job.ended and job.submitted_at < counted_at]
        if remaining >= len(queued):
            return
        try:
            known = self._inquiry.at_a_glance()
        except ComfyError as error:
            log.info("could not look at the queue: %s", str(error))
            return
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
    if job.ended and job.told_all:
        return Outcome("completed")
    reason = "it was deleted from the queue, its history was cleared, or the server was restarted"
    return Outcome("lost", JobLost(job.prompt_id, f"the server no longer knows prompt {job.prompt_id}: {reason}"))
