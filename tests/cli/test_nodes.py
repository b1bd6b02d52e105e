"""``comfyclient nodes``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from comfyclient.cli.commands.nodes import NodesDocument
from comfyclient.cli.documents import dumps
from comfyclient.cli.node_page import NodeDocument, page
from comfyclient.workflow.classes import Classes
from tests.captures import catalog
from tests.cli.documents import check
from tests.cli.test_program import complete

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Program
    from tests.contract.sides import Side


@pytest.fixture
def nodes_json(tmp_path: Path) -> str:
    """A file with a server's node classes."""
    path = tmp_path / "nodes.json"
    path.write_text(json.dumps(catalog()), encoding="utf-8")
    return path.name


def test_all_of_them(comfyclient: Program, side: Side) -> None:
    known = side.get("/object_info")
    lines = [line.split("\t") for line in comfyclient("nodes").lines]
    assert [line[0] for line in lines] == list(known)
    found = comfyclient("nodes", "--json").json(NodesDocument)["nodes"]
    assert [each["name"] for each in found] == list(known)
    assert lines[0] == [found[0]["name"], found[0]["title"], found[0]["category"]]


def test_those_in_which_words_occur(comfyclient: Program) -> None:
    lines = comfyclient("nodes", "save", "IMAGE").lines
    assert lines[0].split("\t")[:2] == ["SaveImage", "Save Image"]
    assert "KSampler" not in {line.split("\t")[0] for line in lines}
    assert comfyclient("nodes", "save image", "--json").json(NodesDocument)["nodes"][0]["name"] == "SaveImage"


def test_none_is_no_failure(comfyclient: Program) -> None:
    done = comfyclient("nodes", "nothing", "of", "the", "kind")
    assert (done.out, done.err) == ("", "no class has all of these words\n")
    assert comfyclient("nodes", "--json", "nothing of the kind").json(NodesDocument) == {"nodes": []}


def test_one_is_shown(comfyclient: Program) -> None:
    lines = comfyclient("nodes", "--show", "ImageScale").lines
    assert lines[0] == "Upscale Image"
    assert "class ImageScale; in image/upscaling; from nodes" in lines
    inputs = lines[lines.index("Inputs") + 1 : lines.index("Outputs")]
    assert inputs[:3] == [
        "  image  IMAGE",
        "  upscale_method  one of 5; default 'nearest-exact'",
        "      nearest-exact, bilinear, area, bicubic, lanczos",
    ]
    assert any(line.startswith("  width  INT; from 0 to ") and line.endswith("; default 512") for line in inputs)
    assert lines[lines.index("Outputs") + 1] == "  IMAGE  IMAGE"


def test_one_as_json(comfyclient: Program) -> None:
    node = comfyclient("nodes", "--show", "ImageScale", "--json").json(NodeDocument)
    assert (node["name"], node["category"], node["is_output"]) == ("ImageScale", "image/upscaling", False)
    inputs = {each["name"]: each for each in node["inputs"]}
    assert inputs["upscale_method"]["choices"] == ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"]
    assert (inputs["width"]["type"], inputs["width"]["default"], inputs["width"]["min"]) == ("INT", 512, 0)
    assert inputs["image"]["default"] is None
    assert [(each["name"], each["type"], each["is_list"]) for each in node["outputs"]] == [("IMAGE", "IMAGE", False)]


def test_one_that_is_missing(comfyclient: Program) -> None:
    done = comfyclient("nodes", "--show", "SaveImgae", code=1)
    assert done.err.startswith("There is no node class 'SaveImgae'; nearest: 'SaveImage'")
    assert comfyclient("nodes", "--show", "SaveImgae", "--json", code=1).error()["message"] in done.err


def test_a_file_is_as_good_as_a_server(program: Program, nodes_json: str) -> None:
    assert program("nodes", "--catalog", nodes_json, "upscale", "with", "model").lines[0].startswith("ImageUpscaleWith")
    assert program("nodes", "--catalog", nodes_json, "--show", "KSampler").lines[0] == "KSampler"


def test_long_lists_are_cut_unless_all_is_wanted(program: Program, nodes_json: str) -> None:
    some = program("nodes", "--catalog", nodes_json, "--show", "KSampler").out
    every = program("nodes", "--catalog", nodes_json, "--show", "KSampler", "--all").out
    sampler = catalog()["KSampler"]["input"]["required"]["sampler_name"][0][-1]
    assert "more" in some
    assert sampler not in some
    assert sampler in every


def test_inputs_that_a_choice_brings_along(program: Program, nodes_json: str) -> None:
    options = ("--catalog", nodes_json, "--show", "ResizeImageMaskNode")
    lines = program("nodes", *options).lines
    assert "      with 'scale width':" in lines
    assert any(line.startswith("        resize_type.width  INT") for line in lines)
    inputs = {each["name"]: each for each in program("nodes", *options, "--json").json(NodeDocument)["inputs"]}
    assert inputs["resize_type"]["brings"]["scale width"][0]["name"] == "resize_type.width"


def test_inputs_that_take_more_than_one_type_or_link(program: Program, nodes_json: str) -> None:
    lines = program("nodes", "--catalog", nodes_json, "--show", "ResizeImageMaskNode").lines
    assert "  input  IMAGE or MASK" in lines
    assert lines[-1] == "  resized  the type that comes in"
    options = ("--catalog", nodes_json, "--show", "BatchImagesNode")
    assert "  images  list of IMAGE" in program("nodes", *options).lines
    (images,) = program("nodes", *options, "--json").json(NodeDocument)["inputs"]
    assert (images["types"], images["takes_many"]) == (["IMAGE"], True)


def test_every_class_of_a_server_can_be_shown() -> None:
    known = Classes(catalog())
    for name in known:
        node = NodeDocument.of(known[name])
        check(json.loads(dumps(node)), NodeDocument)
        assert name in page(node, width=80, everything=True).plain


def test_what_is_no_catalogue(program: Program, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("[]")
    assert "bad.json: a catalogue of nodes is" in program("nodes", "--catalog", "bad.json", code=2).err
    assert "none.json" in program("nodes", "--catalog", "none.json", code=2).err
    assert "--all goes with --show" in program("nodes", "--all", code=2).err
    assert "--show takes one class" in program("nodes", "fox", "--show", "KSampler", code=2).err


def test_a_terminal_gets_a_table(program: Program, embedded_side: Side) -> None:
    shown = program.in_terminal("nodes", "blur", "--url", embedded_side.url)
    assert "\x1b[1mclass" in shown
    assert "ImageBlur" in shown
    assert "\x1b[1;36mblur_radius" in program.in_terminal("nodes", "--show", "ImageBlur", "--url", embedded_side.url)


def test_a_narrow_terminal_cuts_no_names(program: Program, nodes_json: str) -> None:
    program.environment["COLUMNS"] = "60"
    shown = program.in_terminal("nodes", "HunyuanVideo15LatentUpscaleWithModel", "--catalog", nodes_json)
    column = "".join(line[:20].split(" ")[0] for line in shown.splitlines()[1:])
    assert column.startswith("HunyuanVideo15LatentUpscaleWithModel")
    assert "…" not in shown


def test_a_description_does_nothing_to_a_terminal(program: Program, tmp_path: Path) -> None:
    info = {**catalog()["SaveImage"], "description": "\x1b]0;title\x07red", "display_name": "\x1b[31mSave"}
    (tmp_path / "bad.json").write_text(json.dumps({"SaveImage": info}))
    shown = program.in_terminal("nodes", "--catalog", "bad.json", "--show", "SaveImage")
    assert "\x1b]0" not in shown
    assert "\x1b[31m" not in shown


def test_classes_are_completed(program: Program, embedded_side: Side) -> None:
    line = f"comfyclient --url {embedded_side.url} nodes --show SaveIm"
    assert complete(program, line) == ["SaveImage", "SaveImageWebsocket"]
