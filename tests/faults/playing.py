"""Many cells of the matrix at once, since most of each is waiting."""

from __future__ import annotations

import gc
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.conftest import open_sockets, soon
from tests.faults.matrix import BREAKING, Cell
from tests.faults.places import Breakable, Embedded, Place
from tests.faults.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable

    Outcomes = dict[Cell, Future[str]]

AT_ONCE = 8
CLOCK = time.time


def wanted(request: pytest.FixtureRequest, test: str) -> list[Cell]:
    """The cells of a test that were selected."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function) and item.originalname == test]
    return [cell for item in items if isinstance(cell := item.callspec.params["cell"], Cell)]


def play(cells: Iterable[Cell], place: Place) -> Outcomes:
    """Play them all, on this server; where those break, on embedded servers of their own, unless this one may."""

    def one(cell: Cell) -> str:
        if cell.fault not in BREAKING or isinstance(place, Breakable):
            return _on(cell, place)
        fragile = Embedded()
        with fragile.server:
            return _on(cell, fragile)

    before = open_sockets()
    cells = list(cells)
    with pytest.MonkeyPatch.context() as patch:
        # Pauses of which nothing is to be learnt here.
        patch.setattr("comfyclient._tracking.submission._LOOKS", (0.0, 0.01, 0.02, 0.04, 0.08, 0.15, 0.2))
        outcomes: Outcomes = {}
        for jumps, at_once in ((False, AT_ONCE), (True, 1)):  # the clock is everybody's
            with ThreadPoolExecutor(at_once) as pool:
                wanted = [cell for cell in cells if (cell.fault == "clock jumps") is jumps]
                outcomes |= {cell: pool.submit(one, cell) for cell in wanted}
    assert time.time is CLOCK, "a cell has kept the clock"
    gc.collect()
    if all(future.exception() is None for future in outcomes.values()):  # a traceback keeps what it is about
        assert soon(lambda: open_sockets() <= before), "sockets outlived their clients"
    return outcomes


def _on(cell: Cell, place: Place) -> str:
    with Stage(cell, place) as stage:
        return stage.play()
