"""Times: what is left of something that rises, and how people write it."""

from __future__ import annotations

__all__ = ["Pace", "clock", "duration", "times"]

_MINUTE = 60


class Pace:
    """How fast something rises, as seen so far."""

    def __init__(self, value: float, now: float) -> None:
        self._first = self._last = (value, now)

    def reach(self, value: float, now: float) -> None:
        """It is there now."""
        if value > self._last[0]:
            self._last = (value, now)

    def left(self, goal: float, now: float) -> float | None:
        """Seconds until it is at its goal; ``None`` if it has not risen yet, or should have been there by now."""
        (low, since), (high, at) = self._first, self._last
        if high <= low:
            return None
        left = (goal - high) * (at - since) / (high - low) - (now - at)
        return left if left > 0 else None


def duration(seconds: float) -> str:
    """How long something took: ``"3.2 s"``, ``"1:02:05"``."""
    seconds = max(0.0, seconds)
    return f"{seconds:.1f} s" if round(seconds, 1) < _MINUTE else clock(max(seconds, _MINUTE))


def clock(seconds: float) -> str:
    """As a clock shows it: ``"0:12"``, ``"1:02:05"``."""
    minutes, seconds = divmod(int(seconds), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def times(elapsed: float, left: float | None) -> str:
    """Both at once: ``"0:12, 0:10 left"``."""
    return clock(elapsed) + ("" if left is None else f", {clock(left)} left")
