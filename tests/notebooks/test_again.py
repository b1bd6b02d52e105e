"""Cells are run again, and kernels are restarted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import soon
from tests.notebooks.conftest import PATIENCE, WAIT
from tests.notebooks.kernel import Kernel
from tests.testing.nodes import Gate

if TYPE_CHECKING:
    from pathlib import Path

    from comfyclient.testing import EmbeddedServer
    from tests.notebooks.conftest import Gates, Notebook

pytestmark = pytest.mark.timeout(240)

CLIENT = "from comfyclient import Client\nclient = Client()"
THREADS = """
import threading
sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("comfyclient-"))
"""


def websockets(notebook: Notebook) -> int:
    """How many the server has; the test's own client opens none."""
    life = notebook.server._life
    assert life is not None
    return len(life.machine.sockets.open)


def test_a_cell_that_makes_a_client_may_be_run_again(notebook: Notebook) -> None:
    for _ in range(4):
        cell = notebook.kernel.run("client = Client()\nresult = client.run(TEXT)\nresult")
        assert (cell.error, cell.warned) == (None, "")
    names = ["comfyclient-dispatcher", "comfyclient-reader"]
    assert notebook.kernel.run(THREADS).shown == [{"text/plain": str(names)}]
    assert soon(lambda: websockets(notebook) == 1, PATIENCE)


def test_a_client_that_a_cell_showed_lives_on_until_it_is_closed(notebook: Notebook) -> None:
    for count in (1, 2):
        assert notebook.kernel.run("client = Client()\nclient.connect()\nclient").error is None
        assert soon(lambda: websockets(notebook) == count, PATIENCE)  # noqa: B023 - it is asked at once
    assert notebook.kernel.run("for each in Out.values():\n    getattr(each, 'close', int)()").error is None
    assert soon(lambda: websockets(notebook) == 0, PATIENCE)
    assert notebook.kernel.run(THREADS).shown == [{"text/plain": "[]"}]


def test_what_a_callback_raises_is_shown(notebook: Notebook) -> None:
    cell = notebook.kernel.run(
        "client.on('executed', lambda event: event.nod)\nresult = client.run(TEXT)\nclient.close()"
    )
    assert cell.error is None
    assert cell.warned.count("AttributeError: 'Executed' object has no attribute 'nod'") == 1


def test_a_job_is_found_again_after_a_restart(server: EmbeddedServer, gates: Gates, tmp_path: Path) -> None:
    gates.current = Gate()
    with Kernel(tmp_path, COMFYUI_URL=server.url) as kernel:
        submitted = kernel.run(f"{CLIENT}\njob = client.submit({WAIT})\njob.prompt_id")
        assert gates.current.reached.wait(PATIENCE)
        kernel.restart()
        found = kernel.run(f"{CLIENT}\nclient.queue.list().queue_running[0].prompt_id")
        assert found.shown == submitted.shown
        job = f"job = client.job({found.shown[0]['text/plain']})"
        assert kernel.run(f"{job}\njob.status").shown == [{"text/plain": "'in_progress'"}]
        gates.current.released.set()
        assert kernel.run("job.result().prompt_id").shown == submitted.shown
