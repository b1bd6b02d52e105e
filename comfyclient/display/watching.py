"""Somebody watches a job: when its progress is drawn, and with what."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from comfyclient.display.bars import Lines, TqdmBar
from comfyclient.display.notebook import NotebookBar, is_notebook
from comfyclient.display.progress import JobProgress

if TYPE_CHECKING:
    from typing_extensions import Self

    from comfyclient.events import Event
    from comfyclient.jobs import Job

log = logging.getLogger(__name__)

Draw: TypeAlias = Callable[[JobProgress], object]
"""Draws what there is to say; for the last time when it is no longer ``watching``."""

_QUICK, _SLOW = 0.1, 1.0
"""Seconds between two drawings at least when there is news, and for the sake of the clock alone."""


class Watching:
    """Has the progress of a job drawn, by the thread that waits for it and by no other.

    A context manager around the wait: on leaving it, in whatever way, the last state is drawn; nothing at all if the
    wait never began.

    Args:
        progress: What draws; ``True`` for a bar that fits where the program runs. What a function raises ends the wait.

    Raises:
        TypeError: It is neither ``True`` nor a function.
        ImportError: tqdm, which draws the bar, is not installed.
    """

    def __init__(self, progress: bool | Draw) -> None:  # noqa: FBT001 - as users give it
        if progress is not True and not callable(progress):
            raise TypeError(f"progress is True, False or a function that draws, not {progress!r}")
        self._draw = _Bar(_bar_for_here()) if progress is True else progress
        self._progress: JobProgress | None = None
        self._drawn_at = 0.0
        self._is_news = False

    def begin(self, job: Job) -> None:
        """The wait for a job begins."""
        self._progress = JobProgress(job)
        self._show()

    def feed(self, event: Event) -> None:
        """Take in an event of the job."""
        if self._progress is not None:
            self._progress.feed(event)
            self._is_news = True
            self.glance()

    def glance(self) -> None:
        """Draw if it is time to; called again and again."""
        if time.monotonic() - self._drawn_at >= (_QUICK if self._is_news else _SLOW):
            self._show()

    def _show(self) -> None:
        if self._progress is not None:
            self._progress.refresh()
            self._draw(self._progress)
            self._drawn_at, self._is_news = time.monotonic(), False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._progress is not None:
            self._progress.watching = False
            self._show()


class _Bar:
    """Draws with a bar of our own: one that cannot be drawn harms no job."""

    def __init__(self, draw: Draw) -> None:
        self._draw: Draw | None = draw

    def __call__(self, progress: JobProgress) -> None:
        if self._draw is not None:
            try:
                self._draw(progress)
            except Exception as error:  # noqa: BLE001 - a closed standard error, a kernel that is gone, whatever it is
                log.warning("the progress bar could not be drawn: %r", error)
                self._draw = None


def _bar_for_here() -> Draw:
    if is_notebook():
        return NotebookBar()
    return TqdmBar() if sys.stderr is not None and sys.stderr.isatty() else Lines()
