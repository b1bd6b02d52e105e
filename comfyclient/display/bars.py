"""Progress bars of text: tqdm's for a terminal, whole lines for everything else."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

from comfyclient.display.lettering import columns

if TYPE_CHECKING:
    from comfyclient.events import Preview

__all__ = ["Lines", "Shown", "TqdmBar"]

_NARROW, _WIDE, _ROOM = 3, 20, 80
"""The columns of a bar, at least and at most, and those of a terminal that does not tell how many it has."""
_ECHO = 4
"""The columns that a terminal's own ``^C`` and what it has moved may take: the last drawing goes over them."""
_PAUSE = 10.0
"""Seconds between two lines where nothing can be drawn over."""


class Shown(Protocol):
    """What can be drawn; see ``JobProgress``."""

    watching: bool
    fraction: float
    preview: Preview | None

    @property
    def status(self) -> str:
        """A ``Job.status``."""

    @property
    def headline(self) -> str:
        """What goes on."""

    @property
    def times(self) -> str:
        """How long it has taken, and how long it still may; empty once it is over."""

    @property
    def caption(self) -> str:
        """What the preview is of."""

    def refresh(self) -> None:
        """Bring everything up to date."""


def text_of(progress: Shown) -> str:
    """What stands beside a bar: ``"KSampler 7/20 [0:12, 0:10 left]"``."""
    return progress.headline + (f" [{progress.times}]" if progress.times else "")


def bar_format(width: int | None = None) -> str:
    """What tqdm is to draw, with a bar of so many columns, or of as many as there are."""
    bar = "{bar}" if width is None else f"{{bar:{width}}}"
    return "{percentage:3.0f}%|" + bar + "| {desc}"


class TqdmBar:
    """A bar that ``tqdm.auto`` draws: on the standard error, or as a widget.

    Args:
        **options: For tqdm.

    Attributes:
        bar: What tqdm made, once it was drawn.

    Raises:
        ImportError: tqdm is not installed.
    """

    def __init__(self, **options: Any) -> None:
        try:
            from tqdm.auto import tqdm  # noqa: PLC0415 - an extra
        except ImportError as error:
            advice = "pip install tqdm (for notebooks: pip install 'comfyclient[notebook]')"
            raise ImportError(f"tqdm draws the progress bar: {advice}") from error
        # Its monitor would draw from a thread of its own; and all that is drawn is drawn by whoever waits.
        self._type: Any = type("Bar", (tqdm,), {"monitor_interval": 0})
        self._options = {"bar_format": bar_format(_WIDE), "dynamic_ncols": True, **options}
        self.bar: Any = None
        self._length = 0

    def __call__(self, progress: Shown) -> None:
        """Draw it; for the last time, leave it where it is and go on in a new line."""
        if self.bar is None:
            self.bar = self._type(total=1.0, **self._options)
        text = text_of(progress)
        if not self.bar.gui:  # a widget has room enough
            room = (self.bar.format_dict["ncols"] or _ROOM) - columns(text) - len("100%|| ")
            self.bar.bar_format = bar_format(max(_NARROW, min(_WIDE, room)))
            if not progress.watching:
                text += " " * (self._length + _ECHO - columns(text))
            self._length = columns(text)
        self.bar.n = progress.fraction
        self.bar.set_description_str(text, refresh=progress.watching)
        if not progress.watching:
            self.bar.close()


class Lines:
    """A line now and then on the standard error, for pipes and logs, and one at the end."""

    def __init__(self) -> None:
        self._due_at = time.monotonic() + _PAUSE

    def __call__(self, progress: Shown) -> None:
        """Write a line if it is time to."""
        now = time.monotonic()
        if sys.stderr is None or (progress.watching and now < self._due_at):  # pythonw has none
            return
        self._due_at = now + _PAUSE
        sys.stderr.write(f"{progress.fraction:4.0%} {text_of(progress)}\n")
