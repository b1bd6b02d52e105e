"""Every program under docs/examples runs, as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import DOCS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.needs_test_nodes

EXAMPLES = DOCS / "examples"


def run(name: str, *arguments: str) -> str:
    """What the program prints."""
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


@pytest.mark.parametrize("embedded", [False, True])
def test_demo(place: Path, monkeypatch: pytest.MonkeyPatch, *, embedded: bool) -> None:
    if embedded:
        monkeypatch.delenv("COMFYUI_URL")
    said = run("demo.py")
    assert ("an embedded server" in said) is embedded
    assert "100%" in said
    assert (place / "demo.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["portrait.json", "portrait-saved.json"])
def test_first_image(place: Path, name: str) -> None:
    assert "Saved images/portrait_" in run("first_image.py", name, "a fox in the snow")
    assert len(list((place / "images").iterdir())) == 1


def test_first_image_says_what_is_wrong(place: Path) -> None:
    command = [sys.executable, str(EXAMPLES / "first_image.py"), "photo.png", "a fox"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=place)
    assert done.returncode == 1
    assert "Export (API)" in done.stderr
    assert "Traceback" not in done.stderr


def test_gather(place: Path) -> None:
    lines = run("gather.py", "portrait.json", "a fox", "an owl").splitlines()
    assert [line.split(":")[0] for line in lines] == ["a fox", "an owl"]
    assert len(list((place / "images").iterdir())) == 2


def test_reattach(place: Path) -> None:
    prompt_id = run("reattach.py", "submit", "portrait.json").strip()
    assert "Saved images/portrait_" in run("reattach.py", "collect", prompt_id)
    assert len(list((place / "images").iterdir())) == 1


def test_every_example_is_tested() -> None:
    programs = {path.stem for path in EXAMPLES.glob("*.py")}
    assert programs == {name.removeprefix("test_") for name in globals() if name.removeprefix("test_") in programs}
