"""What there is to say of many runs of one workflow."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from comfyclient.display.pace import Pace, duration, times

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from comfyclient.events import Preview
    from comfyclient.jobs import Job

__all__ = ["SweepProgress"]


class SweepProgress:
    """How far a ``client.map`` is; ``JobProgress`` for many jobs.

    Of the thread that takes the variations, which counts those that have ended and has it refreshed before it draws.

    Args:
        total: How many there are, or ``None`` if nobody knows.
        running: The jobs that wait or run; looked at, and never changed.
        now: Tells the time, in seconds.

    Attributes:
        watching: Whether more may come; ``False`` when it is drawn for the last time.
        finished: Whether all have ended, and the loop was not left early.
        total: How many there are, or ``None``.
        done: How many have ended, in whatever way.
        failed: How many of these did not succeed.
        fraction: How far all of them are together, from 0 to 1; 0 as long as nobody knows how many there are.
        elapsed: Seconds since the first one was submitted.
        left: Seconds until the last has probably ended; ``None`` if there is no telling.
    """

    preview: Preview | None = None
    """There is none, of many jobs."""
    caption = ""
    """Nor anything to say of it."""

    def __init__(self, total: int | None, running: Collection[Job], *, now: Callable[[], float] = time.time) -> None:
        self.watching = True
        self.finished = False
        self.total = total
        self.done = self.failed = 0
        self.fraction = self.elapsed = 0.0
        self.left: float | None = None
        self._running = running
        self._now = now
        self._began = now()
        self._pace = Pace(0.0, self._began)

    def count(self, *, failed: bool) -> None:
        """One has ended."""
        self.done += 1
        self.failed += failed

    def refresh(self) -> None:
        """Bring everything up to date."""
        now = self._now()
        if self.finished:
            self.fraction = 1.0
        elif self.total is not None:
            share = (self.done + sum(job.progress for job in self._running)) / self.total
            self.fraction = max(self.fraction, min(1.0, share))
        self.elapsed = max(0.0, now - self._began)
        self._pace.reach(self.fraction, now)
        self.left = self._pace.left(1.0, now)

    @property
    def status(self) -> str:
        """A ``Job.status`` for all of them: ``"failed"`` if one of them is."""
        if self.watching:
            return "in_progress"
        return "cancelled" if not self.finished else "failed" if self.failed else "completed"

    @property
    def headline(self) -> str:
        """``"12 of 50 done, 1 failed"``, and in the end ``"50 done in 3:20, 1 failed"``."""
        failed = f", {self.failed} failed" if self.failed else ""
        if self.finished:
            return f"{self.done} done in {duration(self.elapsed)}{failed}"
        of = "" if self.total is None else f" of {self.total}"
        return f"{self.done}{of} done{failed}" + ("" if self.watching else ", the rest is cancelled")

    @property
    def times(self) -> str:
        """How long it has taken, and how long it still may: ``"0:12, 0:10 left"``; empty once it is over."""
        return times(self.elapsed, self.left) if self.watching else ""

    def __repr__(self) -> str:
        return f"<SweepProgress {self.fraction:.0%}: {self.headline}>"
