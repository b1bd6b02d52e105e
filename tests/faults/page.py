"""The page of the documentation that shows how every cell ends: written from what was played, and read by the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.docs.pages import DOCS
from tests.faults.cutter import ON_THE_LINE
from tests.faults.matrix import FAULTS, LEFT_OUT, MOMENTS, Cell

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE = DOCS / "explanation" / "faults.md"
_BEGIN, _END = "<!-- played: {} -->", "<!-- end of {} -->"
_TABLES = {"passes": False, "stays": True}


def shown(outcomes: Mapping[Cell, str]) -> dict[str, str]:
    """The parts of the page that follow from what was played."""
    reasons = list(dict.fromkeys(LEFT_OUT.values()))
    parts = {}
    for name, stays in _TABLES.items():
        rows = [["", *MOMENTS], ["---"] * (1 + len(MOMENTS))]
        for fault in ON_THE_LINE if stays else FAULTS:
            row = [fault]
            for moment in MOMENTS:
                if reason := LEFT_OUT.get((moment, fault)):
                    row.append(f"({reasons.index(reason) + 1})")
                else:
                    outcome = outcomes[Cell(moment, fault, stays)]
                    row.append(outcome if outcome.islower() else f"`{outcome}`")
            rows.append(row)
        parts[name] = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    parts["reasons"] = "\n".join(f"{at}. {reason[0].upper()}{reason[1:]}." for at, reason in enumerate(reasons, 1))
    return parts


def write(outcomes: Mapping[Cell, str]) -> None:
    """Put them into the page."""
    text = PAGE.read_text("utf-8")
    for name, part in shown(outcomes).items():
        begin, end = _BEGIN.format(name), _END.format(name)
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n\n{part}\n\n{end}{rest.partition(end)[2]}"
    PAGE.write_text(text, "utf-8")


def part(name: str) -> str:
    """What the page has there."""
    return PAGE.read_text("utf-8").partition(_BEGIN.format(name))[2].partition(_END.format(name))[0].strip()


def read() -> dict[Cell, str]:
    """How every cell ends, as the page has it."""
    found = {}
    for name, stays in _TABLES.items():
        head, _, *rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in part(name).splitlines()]
        for fault, *cells in rows:
            for moment, cell in zip(head[-len(MOMENTS) :], cells, strict=True):
                if not cell.startswith("("):
                    found[Cell(moment, fault, stays)] = cell.strip("`")
    return found
