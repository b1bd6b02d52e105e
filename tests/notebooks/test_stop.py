"""The stop button stops what the server does, and the notebook goes on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.conftest import soon
from tests.notebooks.conftest import PATIENCE, WAIT

if TYPE_CHECKING:
    from tests.notebooks.conftest import Notebook
    from tests.notebooks.kernel import Cell

pytestmark = pytest.mark.timeout(240)

FEW = 20
"""Lines that one reads at a glance."""


def is_short(cell: Cell) -> bool:
    return len(cell.traceback) <= FEW


def goes_on(notebook: Notebook) -> bool:
    """Whether the next cell does what it should."""
    cell = notebook.kernel.run("client.run(TEXT).texts")
    return (cell.error, cell.warned, [data["text/plain"] for data in cell.shown]) == (None, "", ["('3',)"])


@pytest.mark.parametrize("options", ["", ", progress=True"])
def test_it_interrupts_what_runs(notebook: Notebook, options: str) -> None:
    cell = notebook.kernel.run(f"client.run(WAIT{options})", notebook.stop_when_it_runs)
    assert cell.error == "KeyboardInterrupt"
    [(prompt_id, entry)] = notebook.client.history.list(limit=1).items()
    assert entry.interrupted
    assert cell.traceback[-1] == f"KeyboardInterrupt: prompt {prompt_id} was cancelled"
    assert is_short(cell), "\n".join(cell.traceback)
    assert cell.warned == ""
    assert notebook.is_idle()
    assert goes_on(notebook)


def test_it_takes_what_waits_from_the_queue(notebook: Notebook) -> None:
    other = notebook.client.submit(WAIT)
    assert notebook.gate.reached.wait(PATIENCE)

    def press() -> None:
        assert soon(lambda: notebook.client.queue.info().exec_info.queue_remaining == 2, PATIENCE)
        notebook.kernel.stop()

    cell = notebook.kernel.run("client.run(WAIT)", press)
    assert cell.error == "KeyboardInterrupt"
    assert is_short(cell), "\n".join(cell.traceback)
    assert notebook.client.queue.info().exec_info.queue_remaining == 1
    assert not other.done()
    notebook.gate.released.set()
    other.result(PATIENCE)
    assert goes_on(notebook)


@pytest.mark.parametrize("options", ["", ", progress=True"])
def test_it_stops_all_of_a_map(notebook: Notebook, options: str) -> None:
    cell = notebook.kernel.run(f"list(client.map(WAIT, [{{}}] * 5{options}))", notebook.stop_when_it_runs)
    assert cell.error == "KeyboardInterrupt"
    assert re.fullmatch(r"KeyboardInterrupt: \d prompts that waited or ran are cancelled", cell.traceback[-1])
    assert is_short(cell), "\n".join(cell.traceback)
    assert notebook.is_idle()
    assert goes_on(notebook)


@pytest.mark.parametrize("wait", ["result", "show"])
def test_a_submitted_job_goes_on(notebook: Notebook, wait: str) -> None:
    notebook.kernel.run("job = client.submit(WAIT)")
    assert notebook.gate.reached.wait(PATIENCE)
    waiting = f"job.{wait}(on_event=lambda event: event.type == 'executing' and print('here', flush=True))"
    cell = notebook.kernel.run(waiting, notebook.kernel.stop, once_it_prints=True)
    assert cell.error == "KeyboardInterrupt"
    assert cell.traceback[-1].endswith("goes on; job.cancel() stops it")
    assert is_short(cell), "\n".join(cell.traceback)
    assert notebook.kernel.run("job.status").shown == [{"text/plain": "'in_progress'"}]
    assert notebook.kernel.run("job.cancel()").shown == [{"text/plain": "True"}]
    assert goes_on(notebook)


def test_the_kernels_event_loop_runs_meanwhile(notebook: Notebook) -> None:
    cell = notebook.kernel.run("import asyncio\nasyncio.get_running_loop().is_running(), client.run(TEXT).texts")
    assert cell.shown == [{"text/plain": "(True, ('3',))"}]
    waiting = "await asyncio.wait_for(asyncio.wrap_future(client.submit(TEXT).future()), 30)"
    assert notebook.kernel.run(f"({waiting}).texts").shown == [{"text/plain": "('3',)"}]
