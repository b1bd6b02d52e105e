"""When something happened, and how long it took us since then."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

_THREADS = Path("/proc/self/task")


def _queued() -> float:
    """Seconds that the threads of this process have stood in line for a processor, as Linux counts; 0 elsewhere."""
    nanoseconds = 0
    for thread in _THREADS.glob("*/schedstat"):
        try:
            nanoseconds += int(thread.read_text(encoding="ascii").split()[1])
        except OSError:  # it has ended
            continue
    return nanoseconds / 1e9


@dataclass(frozen=True)
class Moment:
    """A point in time.

    Attributes:
        at: On the monotonic clock.
        queued: How long our threads had stood in line for a processor by then.
    """

    at: float = field(default_factory=time.monotonic)
    queued: float = field(default_factory=_queued)

    def taken_since(self) -> float:
        """Seconds since then that were ours: all but those in which a thread could run and the machine let it not.

        What sleeps, waits for a lock or for an answer takes its time of us; so does what computes.
        """
        now = Moment()
        return now.at - self.at - max(0.0, now.queued - self.queued)
