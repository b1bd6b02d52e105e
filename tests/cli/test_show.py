"""``comfyclient show``."""

from __future__ import annotations

import io
import subprocess
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from comfyclient import Workflow
from comfyclient.cli.exchange import MadeDocument
from tests.cli import files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Program
    from tests.contract.sides import Side


@pytest.fixture(autouse=True)
def directory(program: Program) -> Path:
    """Where the program runs, with the files that it reads."""
    files.written(program.directory)
    return program.directory


@pytest.mark.parametrize("source", ["export.json", "saved.json", "both.png", "edited.png"])
def test_as_text(program: Program, source: str) -> None:
    shown = program("show", source).out
    assert shown == program("show", source, "-o", "-").out
    assert "EmptyImage" in shown
    assert "Save it" in shown
    assert shown == f"{Workflow.load(program.directory / source).draw().to_text()}\n"


def test_as_svg(program: Program, directory: Path) -> None:
    done = program("show", "saved.json", "-o", "fox.svg")
    assert (done.out, done.err) == ("", "Wrote fox.svg\n")
    svg = (directory / "fox.svg").read_text(encoding="utf-8")
    assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own text
    assert program("show", "saved.json", "--format", "svg").out == svg
    assert program("show", "saved.json", "--format", "svg", "--theme", "dark").out != svg
    assert program("show", "saved.json", "--format", "svg", "--highlight", "2").out != svg
    assert "fox.svg exists; --overwrite" in program("show", "saved.json", "-o", "fox.svg", code=1).err


def test_as_png(program: Program, directory: Path) -> None:
    program("show", "export.json", "-o", "fox.png")
    with Image.open(directory / "fox.png") as image:
        assert image.format == "PNG"
        assert image.width > 100
    command = program.command("show", "export.json", "--format", "png")
    piped = subprocess.run(command, capture_output=True, cwd=directory, env=program.environment, timeout=60, check=True)
    with Image.open(io.BytesIO(piped.stdout)) as image:
        assert image.format == "PNG"
    assert "goes into a file or a pipe" in program.in_terminal("show", "export.json", "--format", "png", code=2)
    error = program("show", "export.json", "--format", "png", "--json", code=2).error()
    assert error["message"].startswith("A PNG goes into a file or a pipe: say where with -o FILE.")


def test_as_json(program: Program) -> None:
    made = program("show", "export.json", "--json").json(MadeDocument)
    assert (made["format"], made["path"]) == ("text", None)
    assert made["content"] == program("show", "export.json").out.removesuffix("\n")
    made = program("show", "export.json", "--json", "-o", "fox.png").json(MadeDocument)
    assert made == {"format": "png", "path": "fox.png", "content": None}


def test_with_node_classes(program: Program) -> None:
    plain = program("show", "saved.json", "--format", "svg").out
    assert program("show", "export.json", "--format", "svg", "--catalog", "nodes.json").out != plain


def test_a_picture_on_a_server(comfyclient: Program, side: Side) -> None:
    name = f"fox-{side.name}.png"
    sent = {"image": (name, files.picture(prompt=files.EXPORT))}
    assert side.ask("POST", "/upload/image", files=sent, data={"overwrite": "true"}).ok
    assert "Save it" in comfyclient("show", f"{side.url}/view?filename={name}&type=input").out


def test_what_is_no_workflow(program: Program) -> None:
    assert "text.txt is text of no known kind" in program("show", "text.txt", code=3).err
    assert "none.json: No such file" in program("show", "none.json", code=2).err
    assert "'gif' is not one of" in program("show", "export.json", "--format", "gif", code=2).err
