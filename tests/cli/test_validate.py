"""``comfyclient validate``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.cli.commands.validate import ValidationDocument
from tests.cli import files
from tests.fakes import nobody
from tests.workflows import plain

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Program

OFFLINE = ("--catalog", "nodes.json")


@pytest.fixture(autouse=True)
def directory(program: Program) -> Path:
    """Where the program runs, with the files that it reads."""
    files.written(program.directory)
    return program.directory


@pytest.fixture
def wrong(directory: Path) -> str:
    """A workflow with an unknown class, a value out of range and an unknown input."""
    graph = plain(1)
    graph["1"]["inputs"] |= {"width": -1, "more": 1}
    graph["3"] = {"class_type": "SaveImgae", "inputs": {"images": ["1", 0]}}
    (directory / "wrong.json").write_text(json.dumps(graph))
    return "wrong.json"


@pytest.fixture
def odd(directory: Path) -> str:
    """A workflow that only has an input that its class does not have."""
    graph = plain(1)
    graph["1"]["inputs"]["more"] = 1
    (directory / "odd.json").write_text(json.dumps(graph))
    return "odd.json"


def test_what_is_right(comfyclient: Program) -> None:
    done = comfyclient("validate", "export.json", "saved.json", "both.png")
    assert done.out == ""
    assert done.err.splitlines() == [f"{file}: nothing is wrong" for file in ("export.json", "saved.json", "both.png")]
    assert comfyclient("validate", "export.json", "--quiet").err == ""


def test_each_problem_is_a_line(comfyclient: Program, wrong: str) -> None:
    done = comfyclient("validate", "export.json", wrong, code=3)
    assert [line.partition(" (")[0].partition(",")[0] for line in done.lines] == [
        "wrong.json: error: node 1 'EmptyImage': input 'width': -1 is below the minimum 1",
        "wrong.json: error: node 3 'SaveImgae': the server has no class 'SaveImgae'",
        "wrong.json: warning: node 1 'EmptyImage': the class has no input 'more'",
        "wrong.json: warning: node 3 'SaveImgae': it feeds no output",
    ]
    assert "nearest: 'SaveImage'" in done.lines[1]
    assert done.err == "export.json: nothing is wrong\n"


def test_as_json(comfyclient: Program, wrong: str) -> None:
    found = comfyclient("validate", wrong, "export.json", "--json", code=3).json(ValidationDocument)["files"]
    assert [(each["file"], each["is_valid"]) for each in found] == [(wrong, False), ("export.json", True)]
    problems: list[dict[str, Any]] = found[0]["problems"]
    assert [each["severity"] for each in problems] == ["error", "error", "warning", "warning"]
    assert problems[0]["kind"] == "value_smaller_than_min"
    assert (problems[0]["node_id"], problems[0]["input_name"]) == ("1", "width")
    assert problems[1]["suggestions"][0] == "SaveImage"
    assert found[1]["problems"] == []


def test_warnings_alone_are_no_error_unless_strict(program: Program, odd: str) -> None:
    assert "odd.json: warning: node 1" in program("validate", odd, *OFFLINE).out
    assert "odd.json: warning: node 1" in program("validate", odd, "--strict", *OFFLINE, code=3).out


def test_a_file_without_a_workflow_is_a_problem_of_that_file(program: Program) -> None:
    (program.directory / "shape.json").write_text('{"1": 2, "2": {"inputs": 3}}')
    done = program("validate", "text.txt", "export.json", "shape.json", *OFFLINE, code=3)
    assert done.lines[0].startswith("text.txt: error: text.txt is text of no known kind")
    assert done.lines[1].startswith(
        "shape.json: error: shape.json: the workflow has 3 problems: - node '1' is a number"
    )
    assert len(done.lines) == 2
    assert done.err == "export.json: nothing is wrong\n"


def test_without_any_classes(program: Program, directory: Path) -> None:
    with nobody() as nowhere:
        assert program("validate", "export.json", "--offline", "--url", nowhere).out == ""
        graph = plain(1)
        graph["2"]["inputs"]["images"] = ["7", 0]
        (directory / "broken.json").write_text(json.dumps(graph))
        lines = program("validate", "broken.json", "--offline", code=3).lines
        assert len(lines) == 1
        assert lines[0].startswith(
            "broken.json: error: node 2 'Save it' (SaveImage): input 'images' points at node '7'"
        )
        assert "saved.json is what the editor saved" in program("validate", "saved.json", "--offline", code=2).err
        assert "no ComfyUI server answers" in program("validate", "export.json", "--url", nowhere, code=4).err


def test_the_wrong_words(program: Program) -> None:
    assert "Missing argument 'FILE...'" in program("validate", code=2).err
    assert "--offline takes no --catalog" in program("validate", "export.json", "--offline", *OFFLINE, code=2).err
    assert "none.json: No such file" in program("validate", "none.json", *OFFLINE, code=2).err


def test_colors_in_a_terminal(program: Program, wrong: str) -> None:
    assert "\x1b[31m" in program.in_terminal("validate", wrong, *OFFLINE, code=3)
