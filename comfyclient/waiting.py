"""Waiting for several jobs, in the vocabulary of ``concurrent.futures``."""

from __future__ import annotations

import functools
import queue
import time
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION
from typing import TYPE_CHECKING, NamedTuple

from comfyclient.errors import JobTimeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from comfyclient.jobs import Job

__all__ = ["ALL_COMPLETED", "FIRST_COMPLETED", "FIRST_EXCEPTION", "DoneAndNotDone", "Finish", "as_completed", "wait"]

_GLANCE = 0.25
"""Seconds between two looks at jobs that nothing is heard of."""


class DoneAndNotDone(NamedTuple):
    """What ``wait`` returns."""

    done: set[Job]
    not_done: set[Job]


class Finish:
    """Where jobs arrive in the order in which they end. Of one thread.

    Attributes:
        pending: The jobs that have not been taken yet, in the order in which they were added.
    """

    def __init__(self, jobs: Iterable[Job] = ()) -> None:
        self._ended: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self.pending: dict[Job, Callable[[], object]] = {}
        for job in jobs:
            self.add(job)

    def add(self, job: Job) -> None:
        """Await a job; one that is awaited already counts once."""
        if job not in self.pending:
            watcher = self.pending[job] = functools.partial(self._ended.put, job)
            job._state.when_done(watcher)  # noqa: SLF001 - jobs know who waits for them

    def take(self, deadline: float | None = None, glance: Callable[[], object] = bool) -> list[Job]:
        """Wait for the next job to end; it, and those that have ended too by now.

        Args:
            deadline: Until when, on the monotonic clock.
            glance: Called again and again while nothing is heard.

        Raises:
            JobTimeout: None has ended by ``deadline``.
        """
        while True:
            remaining = _GLANCE if deadline is None else min(_GLANCE, max(0.0, deadline - time.monotonic()))
            try:
                jobs = [self._ended.get(timeout=remaining)]
            except queue.Empty:
                if deadline is not None and time.monotonic() >= deadline:
                    late = next(iter(self.pending)).prompt_id
                    raise JobTimeout(late, f"prompt {late} and perhaps others have not ended in time") from None
                for tracker in {job._tracker for job in self.pending}:  # noqa: SLF001 - jobs know who waits for them
                    tracker.stand_in()
                glance()
            else:
                while not self._ended.empty():
                    jobs.append(self._ended.get())
                for job in jobs:
                    del self.pending[job]
                return jobs

    def close(self) -> None:
        """Await nothing any more."""
        for job, watcher in self.pending.items():
            job._state.forget_when_done(watcher)  # noqa: SLF001 - jobs know who waits for them


def as_completed(jobs: Iterable[Job], timeout: float | None = None) -> Iterator[Job]:
    """Yield each job once it has ended, the first to end first.

    Args:
        jobs: Jobs, of any clients.
        timeout: Seconds to wait at most, from now.

    Raises:
        JobTimeout: ``timeout`` passed; it names one of the jobs that have not ended.

    Example:
        >>> jobs = [client.submit(workflow, front=True) for _ in range(3)]
        >>> for job in as_completed(jobs, timeout=600):
        ...     print(job.status)
        completed
        completed
        completed
    """
    return _as_completed(Finish(jobs), None if timeout is None else time.monotonic() + timeout)


def _as_completed(finish: Finish, deadline: float | None) -> Iterator[Job]:
    try:
        while finish.pending:
            yield from finish.take(deadline)
    finally:
        finish.close()


def wait(jobs: Iterable[Job], timeout: float | None = None, return_when: str = ALL_COMPLETED) -> DoneAndNotDone:
    """Wait for several jobs, as ``concurrent.futures.wait`` does for futures.

    Args:
        jobs: Jobs, of any clients.
        timeout: Seconds to wait at most.
        return_when: ``ALL_COMPLETED``, ``FIRST_COMPLETED``, or ``FIRST_EXCEPTION`` for the first job that did not
            succeed.

    Returns:
        The jobs that have ended and the others.
    """
    if return_when not in {ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION}:
        msg = f"return_when is one of ALL_COMPLETED, FIRST_COMPLETED and FIRST_EXCEPTION, not {return_when!r}"
        raise ValueError(msg)
    everything = set(jobs)
    done = {job for job in everything if job.done()}
    try:
        for job in as_completed(everything, timeout):
            done.add(job)
            failed = job.status != "completed"
            if return_when == FIRST_COMPLETED or (return_when == FIRST_EXCEPTION and failed):
                break
    except JobTimeout:
        pass
    done |= {job for job in everything if job.done()}
    return DoneAndNotDone(done, everything - done)
