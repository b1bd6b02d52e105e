"""The table: what was measured, against which bound, and whether it holds."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "performance.md"
BEGIN = "<!-- written by make bench: from here -->"
END = "<!-- to here -->"


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        target: Its number among the project's targets; empty for what is only there to be seen.
        what: What was measured, and against what.
        values: What each round measured; the median counts.
        bound: The most that it may be; ``None`` if nothing was promised.
        unit: What is counted; empty for a ratio.
        note: What a reader has to know to make sense of it.
    """

    target: str
    what: str
    values: Sequence[float]
    bound: float | None = None
    unit: str = ""
    note: str = ""

    @property
    def measured(self) -> float:
        """The median over the rounds."""
        return median(self.values)

    @property
    def holds(self) -> bool:
        """Whether it keeps to its bound."""
        return self.bound is None or self.measured <= self.bound

    def cells(self) -> list[str]:
        """The line's columns."""
        low, high = min(self.values), max(self.values)
        spread = "" if low == high else f"{_shown(low)} to {_shown(high)}"
        unit = f" {self.unit}" if self.unit else ""
        bound = "" if self.bound is None else f"≤ {_shown(self.bound)}{unit}"
        holds = "" if self.bound is None else "yes" if self.holds else "**no**"
        return [self.target, self.what, bound, f"{_shown(self.measured)}{unit}", spread, holds, self.note]


_HEADS = ["target", "what", "bound", "measured", "rounds", "holds", "note"]


def _shown(value: float) -> str:
    if value == int(value):
        return f"{value:.0f}"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def for_terminal(rows: Iterable[Row]) -> str:
    """The table in columns; the notes below the lines that they belong to."""
    lines = [_HEADS[:-1]]
    notes = [""]
    for row in rows:
        *cells, note = row.cells()
        lines.append(cells)
        notes.append(note)
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = []
    for cells, note in zip(lines, notes, strict=True):
        text.append("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())
        if note:
            text.append(" " * (widths[0] + 4) + note)
    return "\n".join(text)


def for_page(rows: Iterable[Row], rounds: int) -> str:
    """The table in Markdown, with a line about the machine."""
    lines = [f"| {' | '.join(cells)} |" for cells in (_HEADS, ["---"] * len(_HEADS), *(row.cells() for row in rows))]
    version = platform.python_version()
    where = f"{platform.system()} {platform.machine()}, Python {version}, {rounds} rounds"
    return "\n".join([f"Last measured on {where}.", "", *lines])


def write_page(rows: Iterable[Row], rounds: int, page: Path = PAGE) -> None:
    """Put the table between the page's two marks and leave everything else as it is."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        sys.exit(f"{page} has lost its marks {BEGIN!r} and {END!r}")
    page.write_text(f"{before}{BEGIN}\n\n{for_page(rows, rounds)}\n\n{END}{after}", encoding="utf-8")
