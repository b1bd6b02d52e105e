"""Somebody watches: when progress is drawn, and with what."""

from __future__ import annotations

import logging
import sys
import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

from comfyclient.display.bars import Lines, Shown, TqdmBar
from comfyclient.display.notebook import NotebookBar, is_notebook
from comfyclient.display.progress import JobProgress
from comfyclient.display.sweep import SweepProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from typing_extensions import Self

    from comfyclient.events import Event
    from comfyclient.jobs import Job

log = logging.getLogger(__name__)

P = TypeVar("P", bound=Shown)

_QUICK, _SLOW = 0.1, 1.0
"""Seconds between two drawings at least when there is news, and for the sake of the clock alone."""


class Watching(Generic[P]):
    """Has progress drawn, by the thread that waits and by no other.

    A context manager around the wait: on leaving it, in whatever way, the last state is drawn; nothing at all if the
    wait never began.

    Args:
        progress: What draws; ``True`` for a bar that fits where the program runs. What a function raises ends the wait.
            It is called for the last time when its argument is no longer ``watching``.

    Attributes:
        shown: What is drawn, once the wait has begun.

    Raises:
        TypeError: It is neither ``True`` nor a function.
        ImportError: tqdm, which draws the bar, is not installed.
    """

    def __init__(self, progress: bool | Callable[[P], object]) -> None:  # noqa: FBT001 - as users give it
        if progress is not True and not callable(progress):
            raise TypeError(f"progress is True, False or a function that draws, not {progress!r}")
        self._draw: Callable[[P], object] = _Bar(_bar_for_here()) if progress is True else progress
        self.shown: P | None = None
        self._thread: int | None = None
        self._drawn_at = 0.0
        self._is_news = False

    def start(self, shown: P) -> None:
        """The wait begins."""
        self.shown = shown
        self._thread = threading.get_ident()
        self._show()

    def news(self) -> None:
        """Something has happened."""
        self._is_news = True
        self.glance()

    def glance(self) -> None:
        """Draw if it is time to; called again and again."""
        if time.monotonic() - self._drawn_at >= (_QUICK if self._is_news else _SLOW):
            self._show()

    def _show(self) -> None:
        if self.shown is not None:
            self.shown.refresh()
            self._draw(self.shown)
            self._drawn_at, self._is_news = time.monotonic(), False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        # An abandoned loop over variations may be collected in any thread.
        if self.shown is not None and self._thread == threading.get_ident():
            self.shown.watching = False
            self._show()


class JobWatching(Watching[JobProgress]):
    """Watches one job."""

    def begin(self, job: Job) -> None:
        """The wait for a job begins."""
        self.start(JobProgress(job))

    def feed(self, event: Event) -> None:
        """Take in an event of the job."""
        if self.shown is not None:
            self.shown.feed(event)
            self.news()


class SweepWatching(Watching[SweepProgress]):
    """Watches many jobs."""

    def begin(self, total: int | None, running: Collection[Job]) -> None:
        """They begin; see ``SweepProgress``."""
        self.start(SweepProgress(total, running))

    def count(self, *, failed: bool) -> None:
        """One of them has ended."""
        if self.shown is not None:
            self.shown.count(failed=failed)
            self.news()

    def finish(self) -> None:
        """All of them have ended."""
        if self.shown is not None:
            self.shown.finished = True


class _Bar:
    """Draws with a bar of our own: one that cannot be drawn harms no job."""

    def __init__(self, draw: Callable[[Shown], object]) -> None:
        self._draw: Callable[[Shown], object] | None = draw

    def __call__(self, progress: Shown) -> None:
        if self._draw is not None:
            try:
                self._draw(progress)
            except Exception as error:  # noqa: BLE001 - a closed standard error, a kernel that is gone, whatever it is
                log.warning("the progress bar could not be drawn: %r", error)
                self._draw = None


def _bar_for_here() -> Callable[[Shown], object]:
    if is_notebook():
        return NotebookBar()
    return TqdmBar() if sys.stderr is not None and sys.stderr.isatty() else Lines()
