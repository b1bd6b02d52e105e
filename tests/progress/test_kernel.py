"""In a notebook: executed by a real kernel, saved, and exported as a page."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from comfyclient.testing import EmbeddedServer
from tests.progress.workflows import FAILING, STEPS, WAITING
from tests.testing.nodes import NODES, Gate, gate_node

pytestmark = pytest.mark.timeout(240)

SECONDS = 60
WIDGETS = "application/vnd.jupyter.widget-state+json"
RUN = "client.run(STEPS, progress=True, preview_method='auto', timeout=30).prompt_id"
NO_WIDGETS = "import sys\nsys.modules['ipywidgets'] = None  # as if it were not installed"
THREADS = """
import threading
threads = set()
publisher = get_ipython().display_pub

def noting(publish):
    def note(*args, **kwargs):
        threads.add(threading.current_thread().name)
        return publish(*args, **kwargs)
    return note

publisher.publish = noting(publisher.publish)
"""
ENDS = (
    """
with suppress(ComfyError):
    client.run(FAILING, progress=True)
""",
    """
def interrupt(event):
    if event.type == "executing":
        client.queue.interrupt(event.prompt_id)

with suppress(ComfyError):
    client.run(WAITING, progress=True, on_event=interrupt, timeout=30)
""",
    """
job = client.submit(WAITING)
with suppress(ComfyError):
    job.show(timeout=0)
job.cancel();
""",
)
HOSTILE = """
from types import SimpleNamespace
from comfyclient.display.notebook import NotebookBar
from comfyclient.events import Preview
said = dict(watching=False, fraction=1, status="completed", headline="done", times="", caption="")
NotebookBar()(SimpleNamespace(preview=Preview("text/html", b"<script>"), **said))
"""


def executed(server: EmbeddedServer, *cells: str) -> Any:
    """The notebook, saved after its cells were run."""
    beginning = f"""
        from contextlib import suppress
        from comfyclient import Client, ComfyError
        client = Client({server.url!r})
        STEPS, FAILING, WAITING = {STEPS!r}, {FAILING!r}, {WAITING!r}
    """
    texts = ["\n".join(line.strip() for line in beginning.splitlines()), *cells, "client.close()"]
    notebook: Any = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    notebook.cells = [nbformat.v4.new_code_cell(text) for text in texts]  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=SECONDS, kernel_name="python3").execute()
    return notebook


def outputs(notebook: Any, cell: int) -> list[dict[str, Any]]:
    """What the cell shows; nothing in here is ever an error or a warning."""
    shown = notebook.cells[cell].outputs
    assert {output.output_type for output in shown} <= {"display_data", "execute_result"}
    return [dict(output.data) for output in shown]


def page(notebook: Any) -> str:
    body, _ = HTMLExporter().from_notebook_node(notebook)  # type: ignore[no-untyped-call]
    return str(body)


@pytest.fixture(scope="module", params=[True, False], ids=["widgets", "no widgets"])
def with_widgets(request: pytest.FixtureRequest) -> bool:
    """Whether there is ipywidgets."""
    return bool(request.param)


@pytest.fixture(scope="module")
def notebook(*, with_widgets: bool) -> Any:
    """What all tests look at. Not made in a test, since Jupyter keeps an event loop for the next time."""
    gate = Gate()
    with EmbeddedServer([*NODES, gate_node(gate)]) as server:
        server.latency.step = 0.12
        return executed(server, THREADS if with_widgets else f"{NO_WIDGETS}\n{THREADS}", RUN, "threads", *ENDS, HOSTILE)


def test_bar_and_preview_are_in_the_saved_notebook_and_its_page(notebook: Any) -> None:
    bar, preview, result = outputs(notebook, 2)
    assert bar["text/plain"].startswith("100% done in ")
    assert bar["text/html"].startswith('<div><progress max="1" value="1.0000" ')
    assert preview["text/plain"] == "<preview of Steps>"
    assert set(result) == {"text/plain"}
    html = page(notebook)
    assert "<progress max=" in html
    assert preview["image/jpeg"].rstrip()[:200] in html
    assert notebook.cells[2].outputs[1].metadata == {"image/jpeg": {"alt": "preview of Steps", "width": 256}}


def test_the_bar_is_a_widget_where_there_are_widgets(notebook: Any, *, with_widgets: bool) -> None:
    states = notebook.metadata.get("widgets", {}).get(WIDGETS, {}).get("state", {})
    assert ("FloatProgressModel" in {state["model_name"] for state in states.values()}) is with_widgets


def test_only_the_thread_of_the_cell_draws(notebook: Any) -> None:
    assert outputs(notebook, 3) == [{"text/plain": "{'MainThread'}"}]


def test_a_preview_that_is_no_picture_is_not_shown(notebook: Any) -> None:
    assert [shown["text/plain"] for shown in outputs(notebook, 7)] == ["100% done"]


def test_how_it_ended_stays_visible(notebook: Any) -> None:
    failed, interrupted, late = [outputs(notebook, cell) for cell in (4, 5, 6)]
    assert [shown["text/plain"] for shown in failed] == ["50% failed: node 2 Trouble"]
    assert 'value="0.5000"' in failed[0]["text/html"]
    assert [shown["text/plain"] for shown in interrupted] == ["0% interrupted"]
    assert [shown["text/plain"].startswith("0% still ") for shown in late] == [True]
