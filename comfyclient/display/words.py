"""How sizes, times and ids are told."""

from __future__ import annotations

import time

_ID = 8


def size(count: float | None) -> str:
    """Bytes, in the unit that fits."""
    if count is None:
        return ""
    for unit in ("bytes", "KB", "MB", "GB"):
        if count < 1024:  # noqa: PLR2004 - of each in the next
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"  # noqa: PLR2004 - three digits
        count /= 1024
    return f"{count:.1f} TB"


def seconds(duration: float | None) -> str:
    """A duration: ``< 1 ms``, ``0.42 s``, ``12 s``, ``3:05 min`` or ``2:10 h``."""
    if duration is None:
        return ""
    duration = max(0.0, duration)  # clocks are put back
    if 0 < duration < 0.001:  # noqa: PLR2004 - which would be written as 8.5e-05
        return "< 1 ms"
    if duration < 59.5:  # noqa: PLR2004 - what is not rounded to a minute
        return f"{duration:.2g} s" if duration < 10 else f"{duration:.0f} s"  # noqa: PLR2004 - two digits
    minutes, rest = divmod(round(duration), 60)
    hours, odd = divmod(minutes, 60)
    return f"{hours}:{odd:02d} h" if hours else f"{minutes}:{rest:02d} min"


def ago(moment: float | None) -> str:
    """How long ago a moment was, in seconds since 1970; by this machine's clock."""
    if moment is None:
        return ""
    passed = time.time() - moment
    return f"{seconds(passed)} ago" if passed >= 1 else "just now"


def short(prompt_id: str) -> str:
    """The beginning of a prompt's id: enough to tell them apart."""
    return prompt_id[:_ID]


def counted(number: int, noun: str) -> str:
    """A number of things."""
    return f"{number} {noun}{'s' * (number != 1)}"
