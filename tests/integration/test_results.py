"""What real jobs leave behind."""

from __future__ import annotations

import io
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from comfyclient import Workflow
from tests.comfyui.images import painted

if TYPE_CHECKING:
    from pathlib import Path

    from comfyclient import Client

pytestmark = pytest.mark.needs_test_nodes


def seed() -> int:
    """A new one each time, so that nothing is cached."""
    return uuid.uuid4().int % 2**32


def node(class_type: str, *, title: str | None = None, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs, "_meta": {"title": title or class_type}}


def pictures(number: int, **output: Any) -> Workflow:
    return Workflow.load({"1": node("TestImage", seed=number, batch=2, width=8, height=4), "10": output})


def test_saved_images_are_those_that_were_painted(client: Client, tmp_path: Path) -> None:
    number = seed()
    output = node("SaveImage", title="Save portrait", images=["1", 0], filename_prefix=f"comfyclient/{number}")
    result = client.run(pictures(number, **output))
    assert [file.node_id for file in result.images] == ["10", "10"]
    assert result["10"].images == result.by_title("Save portrait").images == result.images
    assert result["10"].class_type == "SaveImage"
    assert [image.pil().tobytes() for image in result.images] == [painted(number + i, 8, 4) for i in (0, 1)]
    assert (result.images[0].subfolder, result.images[0].type) == ("comfyclient", "output")
    paths = result.save(tmp_path / "out")
    assert [path.name for path in paths] == [f"{number}_{i:05d}_.png" for i in (1, 2)]
    assert [path.read_bytes() for path in paths] == [image.read() for image in result.images]
    assert result.timings.running is not None
    assert result.timings.running >= 0
    assert result.prompt_id in repr(result)


def test_images_sent_over_the_websocket_are_results(client: Client, tmp_path: Path) -> None:
    number = seed()
    result = client.run(pictures(number, **node("SaveImageWebsocket", images=["1", 0])))
    assert [(image.filename, image.type, image.url) for image in result.images] == [
        (f"10_{i:05d}.png", "websocket", None) for i in (0, 1)
    ]
    for i, image in enumerate(result["10"].images):
        with Image.open(image.save(tmp_path)) as saved:
            assert saved.tobytes() == painted(number + i, 8, 4)


def test_every_kind_of_output(client: Client) -> None:
    kinds = "animated,audio,files,gifs,images,latents,nan,odd,result,text,video,3d"
    result = client.run(Workflow.load({"7": node("TestOutputs", kinds=kinds, seed=(number := seed()))}))
    assert {file.filename for file in result.images} == {f"output_{number}.png", f"temp_{number}.png", "bare.png"}
    assert {file.filename for file in result.videos} == {f"{it}_{number}.mp4" for it in ("animated", "gif", "video")}
    assert [file.filename for file in result.audio] == [f"audio_{number}.flac"]
    assert result.texts == ("first", "second")
    assert {file.kind for file in result.files} == {"image", "video", "audio", "text", "model3d", "file"}
    for file in result.files:
        if file.filename in {"bare.png", "model.glb"}:  # reported, and not written
            continue
        if file.kind == "image":
            with Image.open(io.BytesIO(file.read())) as image:
                assert image.tobytes() == painted(number, 16, 16)
        else:
            assert file.read().decode() == file.filename


def test_an_expanded_node_and_a_silent_one(client: Client) -> None:
    graph = {
        "1": node("TestExpand", title="Many", count=1, show=True, seed=seed()),
        "2": node("TestSilentOutput", value=["1", 0]),
        "3": node("TestText", value=["1", 0]),
    }
    result = client.run(Workflow.load(graph))
    assert result.by_title("Many").texts == result["1"].texts == ("2",)
    (inner,) = (part for part in result.history().outputs if part.startswith("1."))
    assert result[inner].texts == ("2",)
    assert result["3"].texts == ("2",)
    assert "2" not in result


def test_a_cached_run_has_the_same_files(client: Client) -> None:
    number = seed()
    workflow = pictures(number, **node("SaveImage", images=["1", 0], filename_prefix=f"comfyclient/{number}"))
    first, second = client.run(workflow), client.run(workflow)
    assert first.cached_nodes == ()
    assert second.cached_nodes == ("1", "10")
    assert second.images == first.images
