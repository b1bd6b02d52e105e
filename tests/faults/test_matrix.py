"""Every fault in every moment: it ends, with a result or a named error, once, and nothing is left behind.

How each cell ends, docs/explanation/faults.md says; ``python -m tests.faults page`` writes it anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults import page
from tests.faults.matrix import CELLS, FAULTS, LEFT_OUT, MOMENTS, Cell
from tests.faults.places import Embedded
from tests.faults.playing import play, wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.playing import Outcomes

# aiohttp leaves this to the collector when a client breaks off in the middle of an upload.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Unclosed file <tempfile.SpooledTemporaryFile:ResourceWarning"),
    pytest.mark.timeout(600),  # the first test waits for all of them
]


@pytest.fixture(scope="module")
def embedded(request: pytest.FixtureRequest) -> Iterator[Outcomes]:
    place = Embedded()
    with place.server:
        yield play(wanted(request, "test_on_the_embedded_server"), place)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_on_the_embedded_server(cell: Cell, embedded: Outcomes) -> None:
    assert embedded[cell].result() == page.read()[cell]


def test_the_page_has_every_cell() -> None:
    assert set(page.read()) == set(CELLS)
    for name, part in page.shown(page.read()).items():
        assert page.part(name) == part


def test_no_cell_is_forgotten() -> None:
    assert {(cell.moment, cell.fault) for cell in CELLS} | set(LEFT_OUT) == {(m, f) for m in MOMENTS for f in FAULTS}
    assert not {(cell.moment, cell.fault) for cell in CELLS} & set(LEFT_OUT)
