"""Sizes, times and texts."""

from __future__ import annotations

import time

import pytest

from comfyclient.display import lettering, pace, words


@pytest.mark.parametrize(
    ("count", "expected"),
    [(None, ""), (0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KB"), (200 << 10, "200 KB"), (5 << 40, "5.0 TB")],
)
def test_sizes(count: int | None, expected: str) -> None:
    assert words.size(count) == expected


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (None, ""),
        (-3, "0 s"),
        (8.5e-05, "< 1 ms"),
        (0.123, "0.12 s"),
        (9.96, "10 s"),
        (12.3, "12 s"),
        (59.7, "1:00 min"),
        (185, "3:05 min"),
        (7800, "2:10 h"),
    ],
)
def test_durations(duration: float | None, expected: str) -> None:
    assert words.seconds(duration) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(-1, "0.0 s"), (59.94, "59.9 s"), (59.96, "1:00"), (3725, "1:02:05")]
)
def test_durations_beside_a_bar(seconds: float, expected: str) -> None:
    assert pace.duration(seconds) == expected


def test_moments() -> None:
    assert words.ago(None) == ""
    assert words.ago(time.time() + 100) == "just now"
    assert words.ago(time.time() - 600) == "10:00 min ago"


def test_counts() -> None:
    assert [words.counted(number, "file") for number in range(3)] == ["0 files", "1 file", "2 files"]


def test_a_text_is_cut_to_its_room() -> None:
    assert lettering.shortened("short", 100, 10) == "short"
    for room in (20, 40, 60):
        cut = lettering.shortened("a rather long title", room, 10)
        assert cut.endswith("…")
        assert lettering.width(cut, 10) <= room
    assert lettering.cut("日本語の題", 6) == "日本…"
    assert lettering.cut("日本語", 6) == "日本語"
    assert lettering.columns("e\u0301") == 1
    assert lettering.width("e\u0301", 10) == lettering.width("e", 10)
