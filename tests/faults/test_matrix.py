"""Every fault in every moment: it ends, with a result or a named error, once, and nothing is left behind.

How each cell ends, docs/explanation/faults.md says; ``python -m tests.faults page`` writes it anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from comfyclient import Client, JobTimeout
from tests.faults import page
from tests.faults.matrix import BREAKING, CELLS, FAULTS, LEFT_OUT, MOMENTS, Cell
from tests.faults.places import Breakable, Embedded, Real
from tests.faults.playing import play
from tests.workflows import failing, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import ComfyUI, StartComfyUI
    from tests.faults.playing import Outcomes

# aiohttp leaves this to the collector when a client breaks off in the middle of an upload.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Unclosed file <tempfile.SpooledTemporaryFile:ResourceWarning"),
    pytest.mark.timeout(600),  # the first test waits for all of them
]

SOUND = [cell for cell in CELLS if cell.fault not in BREAKING]


def wanted(request: pytest.FixtureRequest, test: str) -> list[Cell]:
    """The cells of a test that were selected."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function) and item.originalname == test]
    return [cell for item in items if isinstance(cell := item.callspec.params["cell"], Cell)]


@pytest.fixture(scope="module")
def embedded(request: pytest.FixtureRequest) -> Iterator[Outcomes]:
    place = Embedded()
    with place.server:
        yield play(wanted(request, "test_on_the_embedded_server"), place)


@pytest.fixture(scope="module")
def real(request: pytest.FixtureRequest, comfyui: ComfyUI) -> Outcomes:
    return play(wanted(request, "test_on_a_real_server"), Real(comfyui.url))


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_on_the_embedded_server(cell: Cell, embedded: Outcomes) -> None:
    assert embedded[cell].result() == page.read()[cell]


@pytest.mark.needs_test_nodes
@pytest.mark.parametrize("cell", SOUND, ids=str)
def test_on_a_real_server(cell: Cell, real: Outcomes) -> None:
    assert real[cell].result() == page.read()[cell]


def test_a_real_server_that_is_killed(start_comfyui: StartComfyUI) -> None:
    cells = [Cell(moment, "server restarted", stays=False) for moment in ("after connect", "running", "upload")]
    place = Breakable(start_comfyui(), len(cells))
    for cell, outcome in play(cells, place).items():
        assert outcome.result() == page.read()[cell], cell
    # And then its worker dies, with what it runs, and what waits behind that.
    with Client(place.url) as client:
        jobs = [client.submit(failing(exception="SystemExit")), client.submit(text("never"))]
        for job, moment in zip(jobs, ("running", "queued"), strict=True):
            with pytest.raises(JobTimeout):
                job.result(1)
            assert page.read()[Cell(moment, "worker dead", stays=False)] == "JobTimeout"


def test_the_page_has_every_cell() -> None:
    assert set(page.read()) == set(CELLS)
    for name, part in page.shown(page.read()).items():
        assert page.part(name) == part


def test_no_cell_is_forgotten() -> None:
    assert {(cell.moment, cell.fault) for cell in CELLS} | set(LEFT_OUT) == {(m, f) for m in MOMENTS for f in FAULTS}
    assert not {(cell.moment, cell.fault) for cell in CELLS} & set(LEFT_OUT)
