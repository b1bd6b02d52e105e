"""Whether somebody wants to see progress: only then is imported what draws it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient.display.progress import JobProgress
    from comfyclient.display.sweep import SweepProgress
    from comfyclient.display.watching import JobWatching, SweepWatching

# ruff: noqa: FBT001 - as users give it
# ruff: noqa: PLC0415 - most programs have nobody who looks


def job(progress: bool | Callable[[JobProgress], object]) -> JobWatching | contextlib.nullcontext[None]:
    """What watches a job; nothing for ``False``.

    Raises:
        TypeError: It is neither a boolean nor a function.
        ImportError: tqdm, which draws the bar, is not installed.
    """
    if progress is False:
        return contextlib.nullcontext()
    from comfyclient.display.watching import JobWatching

    return JobWatching(progress)


def sweep(progress: bool | Callable[[SweepProgress], object]) -> SweepWatching | contextlib.nullcontext[None]:
    """The same for many jobs."""
    if progress is False:
        return contextlib.nullcontext()
    from comfyclient.display.watching import SweepWatching

    return SweepWatching(progress)
