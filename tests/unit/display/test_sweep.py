"""What is said of many runs, with a clock of the test's own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from comfyclient import SweepProgress


class Watched:
    """Runs, what is said of them, and the time."""

    def __init__(self, total: int | None = 4) -> None:
        self.now = 1000.0
        self.running: list[Any] = []
        self.progress = SweepProgress(total, self.running, now=lambda: self.now)

    def pass_by(self, seconds: float, *ended: str, running: float = 0.0) -> None:
        """Some have ended, and one is so far."""
        self.now += seconds
        for how in ended:
            self.progress.count(failed=how == "failed")
        self.running[:] = [SimpleNamespace(progress=running)]
        self.progress.refresh()

    @property
    def said(self) -> tuple[str, str, str]:
        return self.progress.headline, self.progress.times, self.progress.status


def test_it_counts_and_tells_what_is_left() -> None:
    watched = Watched()
    assert watched.said == ("0 of 4 done", "0:00", "in_progress")
    watched.pass_by(5, running=0.5)
    assert watched.progress.fraction == pytest.approx(0.125)
    assert watched.said == ("0 of 4 done", "0:05, 0:35 left", "in_progress")
    watched.pass_by(15, "done", "failed", running=0.0)
    assert watched.progress.fraction == pytest.approx(0.5)
    assert watched.said == ("2 of 4 done, 1 failed", "0:20, 0:20 left", "in_progress")


@pytest.mark.parametrize(
    ("how", "headline", "status"),
    [("done", "1 done in 5.0 s", "completed"), ("failed", "1 done in 5.0 s, 1 failed", "failed")],
)
def test_it_says_how_all_of_them_ended(how: str, headline: str, status: str) -> None:
    watched = Watched(None)
    watched.pass_by(5, how)
    watched.progress.finished, watched.progress.watching = True, False
    watched.progress.refresh()
    assert watched.said == (headline, "", status)
    assert watched.progress.fraction == 1


def test_a_loop_that_is_left_early_says_so() -> None:
    watched = Watched()
    watched.pass_by(1, "done")
    watched.progress.watching = False
    assert watched.said == ("1 of 4 done, the rest is cancelled", "", "cancelled")


def test_of_who_knows_how_many_there_is_no_fraction() -> None:
    watched = Watched(None)
    watched.pass_by(1, "done", running=0.5)
    assert watched.said == ("1 done", "0:01", "in_progress")
    assert watched.progress.fraction == 0


def test_it_never_goes_back_nor_beyond() -> None:
    watched = Watched(2)
    watched.pass_by(1, running=0.8)
    watched.pass_by(1, running=0.2)
    assert watched.progress.fraction == pytest.approx(0.4)
    watched.pass_by(1, "done", "done", "done")  # a list that grew
    assert watched.progress.fraction == 1
