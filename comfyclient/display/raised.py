"""What a notebook shows where a cell raises: the user's own lines, then what is wrong."""

from __future__ import annotations

import contextlib
import os
import traceback
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from comfyclient.display.notebook import shell

if TYPE_CHECKING:
    from comfyclient.errors import ComfyError

_OURS = (f"{Path(__file__).parents[1]}{os.sep}", contextlib.__file__)
"""Where the code is that nobody wants to see; the ways inside lead through context managers."""


def lines(error: ComfyError) -> list[str]:
    """The traceback, without the ways inside of this package; ``%xmode Verbose`` has them.

    Whatever went wrong there is told by the message. That of a bug, which is another exception, is left as it is.
    """
    here = shell()
    if here is None:
        return traceback.format_exception(error)
    formatter = here.InteractiveTB
    way = error.__traceback__
    shown = way if formatter.mode == "Verbose" else _without_ours(way)
    formatted: list[str] = formatter.structured_traceback(type(error), error, shown)
    return formatted


def _without_ours(way: TracebackType | None) -> TracebackType | None:
    steps = []
    while way is not None:
        if not way.tb_frame.f_code.co_filename.startswith(_OURS):
            steps.append(way)
        way = way.tb_next
    shown: TracebackType | None = None
    for step in reversed(steps):
        shown = TracebackType(shown, step.tb_frame, step.tb_lasti, step.tb_lineno)
    return shown
