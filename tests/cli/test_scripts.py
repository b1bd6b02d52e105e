"""``comfyclient stubs`` and ``comfyclient to-python``."""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import Workflow
from comfyclient.builder import Builder
from comfyclient.cli.exchange import MadeDocument
from tests.captures import catalog
from tests.cli import files
from tests.fakes import nobody

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Program
    from tests.contract.sides import Side

OFFLINE = ("--catalog", "nodes.json")


@pytest.fixture(autouse=True)
def directory(program: Program) -> Path:
    """Where the program runs, with the files that it reads."""
    files.written(program.directory)
    return program.directory


def methods(code: str) -> set[str]:
    """The methods of the class that stubs write."""
    (nodes,) = [each for each in ast.parse(code).body if isinstance(each, ast.ClassDef) and each.name == "Nodes"]
    return {each.name for each in nodes.body if isinstance(each, ast.FunctionDef)}


def test_the_stubs_of_a_server(comfyclient: Program, directory: Path) -> None:
    done = comfyclient("stubs", "-o", "comfy_nodes.pyi")
    assert (done.out, done.err) == ("", "Wrote comfy_nodes.pyi\n")
    code = (directory / "comfy_nodes.pyi").read_text(encoding="utf-8")
    assert {"EmptyImage", "SaveImage", "KSampler"} <= methods(code)
    assert comfyclient("stubs").out == code
    assert "comfy_nodes.pyi exists; --overwrite" in comfyclient("stubs", "-o", "comfy_nodes.pyi", code=1).err
    comfyclient("stubs", "-o", "comfy_nodes.pyi", "--overwrite", "--quiet")


def test_stubs_without_a_server(program: Program) -> None:
    made = program("stubs", *OFFLINE, "--json").json(MadeDocument)
    assert made["format"] == "stubs"
    assert "ImageUpscaleWithModel" in methods(made["content"])
    with nobody() as nowhere:
        assert "no ComfyUI server answers" in program("stubs", "--url", nowhere, code=4).err


@pytest.mark.parametrize("source", ["export.json", "saved.json", "both.png"])
def test_a_script_that_builds_the_same(comfyclient: Program, source: str) -> None:
    names: dict[str, Any] = {"__name__": "script"}
    exec(compile(comfyclient("to-python", source).out, "script.py", "exec"), names)  # noqa: S102 - what it is for
    assert names["build"](Builder(catalog())) == Workflow(files.EXPORT)


def test_a_script_that_runs(comfyclient: Program, side: Side, directory: Path) -> None:
    comfyclient("to-python", "saved.json", "-o", "fox.py")
    environment = {**comfyclient.environment, "PYTHONWARNINGS": "default"}
    before = len(side.get("/history"))
    subprocess.run([sys.executable, "fox.py"], cwd=directory, env=environment, timeout=60, check=True)
    assert len(side.get("/history")) == before + 1


def test_a_script_without_a_server(program: Program) -> None:
    made = program("to-python", "edited.png", *OFFLINE, "--json").json(MadeDocument)
    assert made["format"] == "python"
    assert "g.EmptyImage(" in made["content"]
    image = (program.directory / "edited.png").read_bytes()
    assert program("to-python", "-", *OFFLINE, stdin=image).out == made["content"]


def test_what_is_no_workflow(program: Program) -> None:
    assert "text.txt is text of no known kind" in program("to-python", "text.txt", code=3).err
    assert "none.json: No such file" in program("to-python", "none.json", code=2).err
    assert "Missing argument 'FILE'" in program("to-python", code=2).err
