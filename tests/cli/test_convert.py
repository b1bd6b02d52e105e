"""``comfyclient convert`` and ``comfyclient extract``: workflows from one format to the other, and out of images."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from comfyclient import Client, Workflow
from comfyclient.cli.exchange import MadeDocument
from tests.captures import catalog
from tests.cli import files
from tests.fakes import nobody
from tests.workflows import fresh_color, plain

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


# --- convert ------------------------------------------------------------------------------------------------


def test_what_the_editor_saved_becomes_an_export(comfyclient: Program) -> None:
    assert json.loads(comfyclient("convert", "saved.json").out) == files.EXPORT


def test_and_back(comfyclient: Program, directory: Path) -> None:
    done = comfyclient("convert", "export.json", "--to", "editor", "-o", "laid-out.json")
    assert (done.out, done.err) == ("", "Wrote laid-out.json\n")
    assert isinstance(json.loads((directory / "laid-out.json").read_text())["nodes"], list)
    assert json.loads(comfyclient("convert", "laid-out.json").out) == files.EXPORT


@pytest.mark.parametrize("source", ["saved.json", "export.json", "both.png", "ran.png", "edited.png"])
def test_whatever_holds_a_workflow_and_no_server(program: Program, source: str) -> None:
    assert json.loads(program("convert", source, *OFFLINE).out) == files.EXPORT
    saved = json.loads(program("convert", source, *OFFLINE, "--to", "editor").out)
    assert Workflow(saved, catalog=catalog()) == Workflow(files.EXPORT)
    assert (saved == files.SAVED) == (source not in {"export.json", "ran.png"})  # what is there stays as it is


def test_no_server_is_asked_if_none_is_needed(program: Program) -> None:
    with nobody() as nowhere:
        assert json.loads(program("convert", "ran.png", "--url", nowhere).out) == files.EXPORT
        assert json.loads(program("convert", "both.png", "--url", nowhere, "--to", "editor").out) == files.SAVED
        assert "no ComfyUI server answers" in program("convert", "saved.json", "--url", nowhere, code=4).err
        assert (
            "no ComfyUI server answers"
            in program("convert", "export.json", "--to", "editor", "--url", nowhere, code=4).err
        )


def test_standard_input_and_output(program: Program, directory: Path) -> None:
    image = (directory / "edited.png").read_bytes()
    assert json.loads(program("convert", "-", *OFFLINE, "-o", "-", stdin=image).out) == files.EXPORT
    assert "the data is empty" in program("convert", "-", code=3).err


def test_an_address(program: Program, embedded_side: Side) -> None:
    embedded_side.ask("POST", "/upload/image", files={"image": ("ran.png", files.picture(prompt=files.EXPORT))})
    address = f"{embedded_side.url}/view?filename=ran.png&type=input"
    assert json.loads(program("convert", address).out) == files.EXPORT


def test_a_file_that_exists_is_not_replaced_unless_told(program: Program, directory: Path) -> None:
    arguments = ("convert", "ran.png", "-o", "export.json")
    before = (directory / "export.json").read_bytes()
    assert "export.json exists; --overwrite replaces it" in program(*arguments, code=1).err
    assert (directory / "export.json").read_bytes() == before
    assert ". is a directory" in program("convert", "ran.png", "-o", ".", "--overwrite", code=2).err
    program(*arguments, "--overwrite")
    assert json.loads((directory / "export.json").read_text()) == files.EXPORT
    assert (directory / "export.json").read_bytes() != before


def test_as_json(program: Program, directory: Path) -> None:
    made = program("convert", "ran.png", "--json").json(MadeDocument)
    assert made == {"format": "api", "path": None, "content": files.EXPORT}
    made = program("convert", "edited.png", "--json", "--to", "editor", "-o", "new/made.json").json(MadeDocument)
    assert made == {"format": "editor", "path": "new/made.json", "content": None}
    assert json.loads((directory / "new" / "made.json").read_text()) == files.SAVED


@pytest.mark.parametrize("command", ["convert", "extract"])
def test_what_is_no_workflow(program: Program, command: str) -> None:
    assert "none.json: No such file" in program(command, "none.json", code=2).err
    done = program(command, "text.txt", code=3)
    assert done.err.startswith("text.txt is text of no known kind, neither JSON nor a file that ComfyUI makes")
    assert not done.out
    assert program(command, "text.txt", "--json", code=3).error()["type"] == "WorkflowError"
    assert "Missing argument" in program(command, code=2).err
    assert "'sideways'" in program(command, "x", "--to" if command == "convert" else "--format", "sideways", code=2).err


def test_a_terminal_gets_no_escapes_of_a_workflow(program: Program, directory: Path) -> None:
    graph = plain(1)
    graph["2"]["inputs"]["filename_prefix"] = "\x1b]0;title\x07"
    (directory / "bad.json").write_text(json.dumps(graph))
    assert "\x1b" not in program.in_terminal("convert", "bad.json")


# --- extract ------------------------------------------------------------------------------------------------


def test_what_ran_comes_first(program: Program) -> None:
    assert json.loads(program("extract", "both.png").out) == files.EXPORT
    assert json.loads(program("extract", "edited.png").out) == files.SAVED


def test_the_one_that_is_wanted(program: Program, directory: Path) -> None:
    assert json.loads(program("extract", "both.png", "--format", "api").out) == files.EXPORT
    program("extract", "both.png", "--format", "editor", "-o", "found.json")
    assert json.loads((directory / "found.json").read_text()) == files.SAVED
    found = program("extract", "--json", "both.png", "--format", "editor").json(MadeDocument)
    assert (found["format"], found["content"]) == ("editor", files.SAVED)


def test_both(program: Program) -> None:
    assert json.loads(program("extract", "both.png", "--format", "both").out) == {
        "prompt": files.EXPORT,
        "workflow": files.SAVED,
    }
    done = program("extract", "ran.png", "--format", "both")
    assert json.loads(done.out) == {"prompt": files.EXPORT}
    assert done.err == "ran.png holds only the prompt that ran; comfyclient convert --to editor lays it out\n"


def test_one_that_is_not_there(program: Program) -> None:
    done = program("extract", "ran.png", "--format", "editor", code=3)
    assert done.err == "ran.png holds only the prompt that ran; comfyclient convert --to editor lays it out\n"
    done = program("extract", "edited.png", "--format", "api", code=3)
    assert done.err == "edited.png holds only what the editor saved; comfyclient convert makes an export of it\n"


def test_a_picture_without(program: Program, directory: Path) -> None:
    (directory / "empty.png").write_bytes(files.picture())
    assert "empty.png is a PNG image without a workflow" in program("extract", "empty.png", code=3).err


def test_what_a_server_made(comfyclient: Program, side: Side) -> None:
    graph = plain(fresh_color())
    with Client(side.url) as client:
        image = client.run(graph).images[0]
        address = client.files.url(image)
    assert json.loads(comfyclient("extract", address).out) == graph
