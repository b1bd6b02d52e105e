"""What the matrix says of servers and workers that die is true of a real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from comfyclient import Client, JobTimeout
from tests.faults import page
from tests.faults.matrix import Cell
from tests.faults.places import Breakable
from tests.faults.playing import play
from tests.workflows import failing, text

if TYPE_CHECKING:
    from tests.conftest import StartComfyUI


@pytest.mark.timeout(300)
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
