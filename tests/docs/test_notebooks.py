"""The notebooks do what they say, on the server embedded in them and on a real one, and look like it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from nbformat import from_dict

from tests.browser import CHROMIUM, WITHOUT, Browser
from tests.docs.notebooks import NOTEBOOKS, executed, exported, normalised, outputs, read, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import ComfyUI

pytestmark = pytest.mark.timeout(600)

FIRST, SWEEP = "docs/tutorial/first-image-in-a-notebook.ipynb", "docs/tutorial/parameter-sweep.ipynb"
HERE = {"g.CheckpointLoaderSimple": "g.TestCheckpoint", 'client.models.list("checkpoints")': '["random weights"]'}
"""What stands for what on a real server, where there are no models."""

IMAGES = """[...document.querySelectorAll(".cell_output img, .jp-OutputArea img")]
    .map((each) => [each.naturalWidth, each.offsetWidth])"""
BARS = (
    """[...document.querySelectorAll("progress")].map((each) => [each.offsetWidth, each.parentNode.innerText.trim()])"""
)
DRAWINGS = """[...document.querySelectorAll("svg")].filter((each) => each.textContent.includes("KSampler")).length"""


# --- as they are kept ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_kept_as_it_was_written(name: str) -> None:
    text = NOTEBOOKS[name].read_text("utf-8")
    assert text == normalised(text), "`python -m tests.docs.notebooks` writes it as it is to be kept"
    ids = [cell.id for cell in read(text).cells]
    assert len({*ids}) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", each) for each in ids), "a cell's id is a word that says what it is"


def test_what_running_leaves_behind_is_not_kept() -> None:
    text = NOTEBOOKS[FIRST].read_text("utf-8")
    notebook = read(text)
    notebook.metadata["widgets"] = {}
    for cell in notebook.cells:
        cell.metadata["scrolled"] = True
        if cell.cell_type == "code":
            cell.execution_count = 3
            output = {"output_type": "stream", "name": "stdout", "text": "what it printed"}
            cell.outputs = [from_dict(output)]  # type: ignore[no-untyped-call]
    assert normalised(written(notebook)) == text


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_links_to_files_lead_somewhere(name: str) -> None:
    for cell in read(NOTEBOOKS[name].read_text("utf-8")).cells:
        for target in re.findall(r"\]\(([^)\s#]+)", cell.source) if cell.cell_type == "markdown" else ():
            assert "://" in target or (NOTEBOOKS[name].parent / target).is_file(), target


# --- as they run ---------------------------------------------------------------------------------------------


class Run(NamedTuple):
    """One that was run."""

    name: str
    notebook: Any


@pytest.fixture(scope="module", params=NOTEBOOKS)
def run(request: pytest.FixtureRequest, built: Path) -> Run:
    """Each of them, as it was run for the documentation, on the server that is embedded in it."""
    place = built.parent / "jupyter_execute" / str(request.param).removeprefix("docs/")
    return Run(request.param, read(place.read_text("utf-8")))


@pytest.fixture(scope="module", params=NOTEBOOKS)
def real_run(request: pytest.FixtureRequest, comfyui: ComfyUI, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same on a real one. Not made in a test, since Jupyter keeps an event loop for the next time."""
    text = NOTEBOOKS[request.param].read_text("utf-8")
    for there, here in HERE.items():
        text = text.replace(json.dumps(there)[1:-1], json.dumps(here)[1:-1])
    return Run(request.param, executed(text, tmp_path_factory.mktemp("notebook"), COMFYUI_URL=comfyui.url))


def check(run: Run) -> None:
    """That it left behind what it should."""
    shown = outputs(run.notebook)
    assert not [output for each in shown.values() for output in each if output.get("name") == "stderr"]
    if run.name == FIRST:
        assert shown["save"][0]["text"] == "fox.png\n"
        for cell in ("picture", "again", "reattach"):
            bar, *previews, result = (output["data"] for output in shown[cell])
            assert bar["text/plain"].startswith("100% done")
            assert all("image/jpeg" in preview for preview in previews)
            assert "<img" in result["text/html"]
        assert len(shown["picture"]) == 3
    else:
        [sheet], [bar, *_, seconds], [plot] = shown["contact-sheet"], shown["measure"], shown["plot"]
        assert "<progress" in bar["data"]["text/html"]
        assert "image/png" in sheet["data"]
        assert "image/png" in plot["data"]
        assert len(json.loads(seconds["data"]["text/plain"])) == 4


def test_it_runs_on_the_embedded_server(run: Run) -> None:
    check(run)


@pytest.mark.needs_test_nodes
def test_it_runs_on_a_real_server(real_run: Run) -> None:
    check(real_run)


# --- as they look --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser that reaches nobody."""
    if CHROMIUM is None:
        pytest.skip(WITHOUT)
    with Browser(CHROMIUM, "--host-resolver-rules=MAP * ~NOTFOUND") as browser:
        yield browser


def look(browser: Browser, page: Path, name: str) -> None:
    """That the page shows what there is."""
    browser.open(page.as_uri())
    images, bars = browser.evaluate(IMAGES), browser.evaluate(BARS)
    assert all(natural > 0 and shown > 0 for natural, shown in images)
    assert all(width > 100 and text.strip().startswith("100% ") for width, text in bars)
    assert len(bars) == (3 if name == FIRST else 1)
    if name == FIRST:
        assert len(images) > 3  # at least one of the previews
        assert browser.evaluate(DRAWINGS) > 0
    else:
        assert len(images) == 2


def test_the_documentation_shows_bars_previews_and_pictures(run: Run, built: Path, browser: Browser) -> None:
    look(browser, built / run.name.removeprefix("docs/").replace(".ipynb", ".html"), run.name)


def test_an_export_shows_bars_previews_and_pictures(run: Run, tmp_path: Path, browser: Browser) -> None:
    page = tmp_path / "page.html"
    page.write_text(exported(run.notebook), encoding="utf-8")
    look(browser, page, run.name)
