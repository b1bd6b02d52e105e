"""Whatever ComfyUI saves without a GPU holds the workflow that made it, and runs again from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import Client, Workflow
from comfyclient.errors import NotFound, WorkflowError
from comfyclient.workflow.source import read
from tests.comfyui.provision import find
from tests.comfyui.server import RealServer
from tests.conftest import EXTERNAL_URL
from tests.workflows import PATIENCE, fresh, fresh_color, node

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from comfyclient import OutputFile
    from tests.workflows import Graph

NASTY = 'żółć 🦊 ]]> </metadata> a=b; # \\ \n "quotes" {a|b} <b>&amp;</b> \x00'
"""What some format or other takes for its own signs."""

EDITOR = {"id": "0a", "nodes": [{"id": 1, "type": "Note", "widgets_values": [NASTY]}], "links": [], "version": 0.4}
"""What the editor would have sent along."""

PNG = {"format": "png", "format.bit_depth": "16-bit", "format.input_color_space": "sRGB"}
EXR = {"format": "exr", "format.bit_depth": "32-bit float", "format.input_color_space": "sRGB"}

SAVERS = {
    "png": node("SaveImage", images=["image", 0]),
    "16 bit png": node("SaveImageAdvanced", images=["image", 0], **PNG),
    "animated png": node("SaveAnimatedPNG", images=["image", 0], fps=6.0, compress_level=4),
    "exr": node("SaveImageAdvanced", images=["image", 0], **EXR),
    "webp": node("SaveAnimatedWEBP", images=["image", 0], fps=6.0, lossless=True, quality=80, method="default"),
    "vp9 webm": node("SaveWEBM", images=["image", 0], codec="vp9", fps=6.0, crf=32.0),
    "av1 webm": node("SaveWEBM", images=["image", 0], codec="av1", fps=6.0, crf=32.0),
    "mp4": node("SaveVideo", video=["video", 0], format="mp4", codec="h264"),
    "flac": node("SaveAudio", audio=["audio", 0]),
    "mp3": node("SaveAudioMP3", audio=["audio", 0], quality="V0"),
    "opus": node("SaveAudioOpus", audio=["audio", 0], quality="64k"),
    "latent": node("SaveLatent", samples=["latent", 0]),
}

# What makes these in ComfyUI itself takes large models or a paid service.
SOURCES_OF_THE_REST = """
from io import BytesIO

import torch
from comfy_api.latest import IO, Types


class TestMesh:
    INPUT_TYPES = classmethod(lambda cls: {"required": {"size": ("FLOAT", {})}})
    RETURN_TYPES, FUNCTION, CATEGORY = ("MESH",), "make", "test"

    def make(self, size):
        corners = torch.tensor([[[0.0, 0.0, 0.0], [size, 0.0, 0.0], [0.0, size, 0.0]]])
        return (Types.MESH(corners, torch.tensor([[[0, 1, 2]]])),)


class TestSVG:
    INPUT_TYPES = classmethod(lambda cls: {"required": {"size": ("FLOAT", {})}})
    RETURN_TYPES, FUNCTION, CATEGORY = ("SVG",), "make", "test"

    def make(self, size):
        text = f'<?xml version="1.0"?>\\n<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="8"><svg/></svg>'
        return (IO.SVG.Type([BytesIO(text.encode())]),)


NODE_CLASS_MAPPINGS = {"TestMesh": TestMesh, "TestSVG": TestSVG}
"""
SAVERS_OF_THE_REST = {
    "svg": node("SaveSVGNode", svg=["svg", 0]),
    "glb": node("SaveGLB", mesh=["mesh", 0]),
}


def graph(saver: dict[str, Any]) -> Graph:
    """The saver, and what it needs."""
    sources = {
        "image": node("EmptyImage", NASTY, width=32, height=32, batch_size=3, color=fresh_color()),
        "video": node("CreateVideo", NASTY, images=["image", 0], fps=8.0),
        "audio": node("EmptyAudio", NASTY, duration=0.2, sample_rate=44100, channels=2),
        "latent": node("EmptyLatentImage", NASTY, width=64, height=64, batch_size=1),
        "svg": node("TestSVG", NASTY, size=8.0),
        "mesh": node("TestMesh", NASTY, size=1.0),
    }
    inputs = {**saver["inputs"], "filename_prefix": f"comfyclient_tests/{fresh()}"}
    whole: Graph = {"save it": {**saver, "inputs": inputs, "_meta": {"title": NASTY}}}
    for part in whole.copy().values():
        links = [value[0] for value in part["inputs"].values() if isinstance(value, list)]
        whole |= {name: sources[name] for name in links}
        whole |= {"image": sources["image"]} if "video" in links else {}
    return whole


def save(client: Client, workflow: Graph | Workflow) -> OutputFile:
    """The file that it makes, or the first one."""
    sent_along = {"extra_pnginfo": {"workflow": EDITOR}}
    file, *_ = client.run(workflow, extra_data=sent_along, timeout=PATIENCE).files
    return file


def check(client: Client, saver: dict[str, Any], directory: Path) -> None:
    """Save, load in every way, and run what was loaded."""
    sent = graph(saver)
    file = save(client, sent)
    path = file.save(directory / "a file of any name")
    loaded = Workflow.load(path)
    assert loaded.to_api() == sent
    assert loaded == Workflow.load(file) == Workflow.load(file.url or "") == Workflow.load(file.read())
    assert read(path, prefer="workflow")[0] == EDITOR

    loaded["save it"]["filename_prefix"] = f"comfyclient_tests/{fresh()}"
    again = save(client, loaded)
    assert again.filename != file.filename
    assert Workflow.load(again) == loaded


@pytest.mark.parametrize("name", SAVERS)
def test_what_was_saved_is_loaded_and_runs_again(client: Client, tmp_path: Path, name: str) -> None:
    check(client, SAVERS[name], tmp_path)


@pytest.fixture(scope="module")
def more_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that has vector graphics and meshes without having to make them."""
    installation = find()
    if EXTERNAL_URL or installation is None:
        pytest.skip("needs a ComfyUI that the tests start themselves")
    directory = tmp_path_factory.mktemp("comfyui")
    (directory / "custom_nodes").mkdir()
    (directory / "custom_nodes" / "sources.py").write_text(SOURCES_OF_THE_REST, encoding="utf-8")
    with RealServer(installation, base_directory=directory) as server:
        yield server.url


@pytest.mark.parametrize("name", SAVERS_OF_THE_REST)
def test_what_only_other_nodes_make(more_nodes: str, tmp_path: Path, name: str) -> None:
    with Client(more_nodes) as client:
        check(client, SAVERS_OF_THE_REST[name], tmp_path)


def test_what_the_server_notes_of_changes_is_left_out(client: Client) -> None:
    uploaded = client.files.upload_image(save(client, graph(SAVERS["png"])).read(), filename=f"{fresh()}.png")
    sent = {"1": node("LoadImage", image=uploaded.annotated), "2": node("PreviewImage", images=["1", 0])}
    (file,) = client.run(sent, timeout=PATIENCE).files
    assert b'"is_changed"' in file.read()
    assert Workflow.load(file).to_api() == sent


def test_what_servers_say_of_prompts(client: Client) -> None:
    sent = graph(SAVERS["png"])
    result = client.run(sent, extra_data={"extra_pnginfo": {"workflow": EDITOR}}, timeout=PATIENCE)
    for route in (f"/history/{result.prompt_id}", f"/api/jobs/{result.prompt_id}"):
        answer = client.request("GET", route).json()
        for source in (answer, f"{client.config.url}{route}"):
            assert Workflow.load(source).to_api() == sent
            assert read(source, prefer="workflow")[0] == EDITOR


def test_addresses_that_have_no_workflow(client: Client, comfyui_url: str) -> None:
    with pytest.raises(NotFound):
        Workflow.load(client.files.url("nowhere.png"))
    with pytest.raises(WorkflowError, match=f"^{comfyui_url} is a web page into which ComfyUI puts no workflow"):
        Workflow.load(comfyui_url)
    encoded = client.files.url(save(client, graph(SAVERS["png"])), preview="jpeg;80")
    with pytest.raises(WorkflowError, match="is a JPEG image without a workflow, since many sites"):
        Workflow.load(encoded)


def test_a_server_that_writes_none(tmp_path_factory: pytest.TempPathFactory) -> None:
    installation = find()
    if EXTERNAL_URL or installation is None:
        pytest.skip("needs a ComfyUI that the tests start themselves")
    directory = tmp_path_factory.mktemp("comfyui")
    with (
        RealServer(installation, "--disable-metadata", base_directory=directory) as server,
        Client(server.url) as client,
    ):
        for name in ("png", "webp", "exr", "mp4", "flac", "latent"):
            with pytest.raises(WorkflowError, match="without a workflow, since many sites and programs take it out"):
                Workflow.load(save(client, graph(SAVERS[name])))
