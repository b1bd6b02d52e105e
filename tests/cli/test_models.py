"""``comfyclient models``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from comfyclient.cli.commands.models import FoldersDocument, ModelsDocument, NeededDocument
from comfyclient.testing import EmbeddedServer
from tests.cli.test_program import complete
from tests.fakes import nobody
from tests.workflows import node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.program import Program
    from tests.contract.sides import Side

CHECKPOINT = "v1-5-pruned-emaonly.safetensors"
UNKNOWN = "unknown\tblurry\tclip 'CLIPTextEncode': text\t"


@pytest.fixture
def with_models(program: Program) -> Iterator[Program]:
    """``comfyclient`` for an embedded server with a LoRA of 3 KB."""
    with EmbeddedServer(models={"loras": ["foxes.safetensors"]}) as server:
        (server.root / "models" / "loras" / "foxes.safetensors").write_bytes(b"0" * 3100)
        program.environment["COMFYUI_URL"] = server.url
        yield program


def workflow(program: Program, *names: str) -> str:
    """A file that names these checkpoints, and an embedding."""
    graph = {name: node("CheckpointLoaderSimple", "Load it", ckpt_name=name) for name in names}
    graph["clip"] = node("CLIPTextEncode", text="a fox, embedding:blurry", clip=[names[0], 1])
    (program.directory / "needs.json").write_text(json.dumps(graph))
    return "needs.json"


def test_the_folders(comfyclient: Program, side: Side) -> None:
    known = side.get("/models")
    assert comfyclient("models").lines == known
    assert comfyclient("models", "--json").json(FoldersDocument) == {"folders": known}


def test_the_models_in_one(comfyclient: Program, side: Side) -> None:
    names = [each["name"] for each in side.get("/experiment/models/checkpoints")]
    assert [line.split("\t")[0] for line in comfyclient("models", "checkpoints").lines] == names
    found = comfyclient("models", "checkpoints", "--json").json(ModelsDocument)
    assert found["folder"] == "checkpoints"
    assert [each["name"] for each in found["models"]] == names


def test_size_and_time(with_models: Program) -> None:
    (row,) = [line.split("\t") for line in with_models("models", "loras").lines if line.startswith("foxes")]
    assert row[1] == "3.1 KB"
    assert row[2][:2] == "20"
    (model,) = [
        each
        for each in with_models("models", "loras", "--json").json(ModelsDocument)["models"]
        if each["name"].startswith("foxes")
    ]
    assert (model["name"], model["size"]) == ("foxes.safetensors", 3100)
    assert "size" in with_models.in_terminal("models", "loras")


def test_an_old_server_tells_names_alone(program: Program) -> None:
    with EmbeddedServer(emulate="2024-03") as server:
        assert "does not have" in program("models", "--url", server.url, code=1).err


def test_a_folder_that_is_missing(comfyclient: Program) -> None:
    done = comfyclient("models", "lora", code=1)
    assert "there is no folder of models" in done.err
    assert "'loras'" in done.err
    assert comfyclient("models", "lora", "--json", code=1).error()["type"] == "NotFound"


def test_what_a_workflow_needs(with_models: Program) -> None:
    done = with_models("models", "--for", workflow(with_models, CHECKPOINT))
    assert done.lines == [
        f"there\t{CHECKPOINT}\t{CHECKPOINT} 'Load it' (CheckpointLoaderSimple): ckpt_name\t",
        UNKNOWN,
    ]
    found = with_models("models", "--for", "needs.json", "--json").json(NeededDocument)
    assert found["is_complete"] is True
    assert [(each["name"], each["is_there"]) for each in found["models"]] == [(CHECKPOINT, True), ("blurry", None)]


def test_what_is_missing(comfyclient: Program) -> None:
    name = "sd_xl_base_1.1.safetensors"
    done = comfyclient("models", "--for", workflow(comfyclient, name), code=3)
    assert done.lines[0].startswith(f"missing\t{name}\t{name} 'Load it' (CheckpointLoaderSimple): ckpt_name\t")
    assert done.lines[1] == UNKNOWN
    found = comfyclient("models", "--for", "needs.json", "--json", code=3).json(NeededDocument)
    assert found["is_complete"] is False
    missing = found["models"][0]
    assert (missing["node_id"], missing["title"], missing["input_name"]) == (name, "Load it", "ckpt_name")


def test_what_looks_like_a_missing_one(with_models: Program) -> None:
    name = "sd_xl_base_1.1.safetensors"
    done = with_models("models", "--for", workflow(with_models, name), code=3)
    assert "nearest: 'sd_xl_base_1.0.safetensors'" in done.lines[0]


def test_where_a_missing_one_is_to_be_had(comfyclient: Program) -> None:
    source = {"name": "fox.safetensors", "url": "https://models.example/fox.safetensors", "directory": "checkpoints"}
    loader = {
        "id": 4,
        "type": "CheckpointLoaderSimple",
        "properties": {"models": [source]},
        "widgets_values": [source["name"]],
    }
    saved = {"nodes": [loader], "links": [], "version": 0.4}
    (comfyclient.directory / "saved.json").write_text(json.dumps(saved))
    done = comfyclient("models", "--for", "saved.json", code=3)
    assert done.lines[0].split("\t")[-1].endswith(f"checkpoints: {source['url']}")
    (model,) = comfyclient("models", "--for", "saved.json", "--json", code=3).json(NeededDocument)["models"]
    assert (model["folder"], model["url"]) == (source["directory"], source["url"])


def test_a_workflow_without_models(comfyclient: Program) -> None:
    (comfyclient.directory / "none.json").write_text(json.dumps({"1": node("EmptyImage", width=1)}))
    done = comfyclient("models", "--for", "none.json")
    assert (done.out, done.err) == ("", "none.json names no models\n")


def test_the_wrong_words(program: Program) -> None:
    assert "leave FOLDER out" in program("models", "loras", "--for", "x.json", code=2).err
    assert "--catalog goes with --for only" in program("models", "--catalog", "x.json", code=2).err
    with nobody() as nowhere:
        assert "no ComfyUI server answers" in program("models", "--url", nowhere, code=4).err
        assert "x.json: No such file" in program("models", "--for", "x.json", "--url", nowhere, code=2).err


def test_folders_are_completed(program: Program, embedded_side: Side) -> None:
    assert complete(program, f"comfyclient --url {embedded_side.url} models lor") == ["loras"]
    with nobody() as nowhere:
        assert complete(program, f"comfyclient --url {nowhere} models lor") == []
