"""The same matrix before a real server, with the faults that this survives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults import page
from tests.faults.matrix import BREAKING, CELLS, Cell
from tests.faults.places import Real
from tests.faults.playing import play, wanted

if TYPE_CHECKING:
    from tests.conftest import ComfyUI
    from tests.faults.playing import Outcomes

SOUND = [cell for cell in CELLS if cell.fault not in BREAKING]

pytestmark = [
    pytest.mark.needs_test_nodes,
    pytest.mark.timeout(600),  # the first test waits for all of them
]


@pytest.fixture(scope="module")
def real(request: pytest.FixtureRequest, comfyui: ComfyUI) -> Outcomes:
    return play(wanted(request, "test_on_a_real_server"), Real(comfyui.url))


@pytest.mark.parametrize("cell", SOUND, ids=str)
def test_on_a_real_server(cell: Cell, real: Outcomes) -> None:
    assert real[cell].result() == page.read()[cell]
