"""Files of one's own among the inputs are on the server by the time a workflow runs."""

from __future__ import annotations

import wave
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from comfyclient import Client, Workflow, WorkflowError
from tests.workflows import PATIENCE, fresh, fresh_color, node

if TYPE_CHECKING:
    from pathlib import Path

    from comfyclient import Result


def shown(image: Any) -> Workflow:
    return Workflow({"10": node("LoadImage", image=image), "9": node("PreviewImage", images=["10", 0])})


def color(result: Result) -> Any:
    return result.images[0].pil().convert("RGB").getpixel((0, 0))


def picture() -> tuple[Image.Image, Any]:
    rgb = tuple(fresh_color().to_bytes(3, "big"))
    return Image.new("RGB", (8, 8), rgb), rgb


def test_a_path_is_uploaded_before_the_workflow_runs(client: Client, tmp_path: Path) -> None:
    image, rgb = picture()
    image.save(tmp_path / "own.png")
    workflow = shown(None)
    workflow["10"]["image"] = tmp_path / "own.png"
    job = client.submit(workflow)
    assert color(job.result(timeout=PATIENCE)) == rgb
    assert job.workflow["10"]["image"].startswith("own")
    assert job.workflow["10"]["image"].endswith(".png [input]")
    assert workflow["10"]["image"] == tmp_path / "own.png"


@pytest.mark.parametrize("kind", ["bytes", "pillow", "numpy"])
def test_images_in_memory_are_uploaded(client: Client, tmp_path: Path, kind: str) -> None:
    image, rgb = picture()
    image.save(tmp_path / "own.png")
    values = {"bytes": (tmp_path / "own.png").read_bytes(), "pillow": image, "numpy": np.array(image)}
    assert color(client.run(shown(values[kind]), timeout=PATIENCE)) == rgb


def test_each_variation_has_its_file(client: Client, tmp_path: Path) -> None:
    colors = []
    for number in range(3):
        image, rgb = picture()
        image.save(tmp_path / f"{number}.png")
        colors.append(rgb)
    variations = [{"10.image": tmp_path / f"{number}.png"} for number in (0, 1, 2, 0)]
    ended = list(client.map(shown("x.png"), [*variations, {"10.image": tmp_path / "no.png"}]))
    assert [color(variation.result()) for variation in ended[:4]] == [*colors, colors[0]]
    assert isinstance(ended[4].error, WorkflowError)


def test_sounds_and_videos_are_uploaded_too(client: Client, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "own.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(np.random.default_rng(fresh()).integers(-9000, 9000, 800, np.int16).tobytes())
    heard = Workflow({"1": node("LoadAudio", audio=tmp_path / "own.wav"), "2": node("PreviewAudio", audio=["1", 0])})
    assert client.run(heard, timeout=PATIENCE).audio[0].read()

    made = client.run(
        {
            "1": node("EmptyImage", width=16, height=16, batch_size=4, color=fresh_color()),
            "2": node("CreateVideo", images=["1", 0], fps=8.0),
            "3": node("SaveVideo", video=["2", 0], filename_prefix="comfyclient_tests/own", format="mp4", codec="h264"),
        },
        timeout=PATIENCE,
    )
    film = made.files[0].save(tmp_path / "own.mp4")
    seen = Workflow(
        {
            "1": node("LoadVideo", file=film),
            "2": node("GetVideoComponents", video=["1", 0]),
            "3": node("PreviewImage", images=["2", 0]),
        }
    )
    assert len(client.run(seen, timeout=PATIENCE).images) == 4


def test_the_server_checks_what_was_uploaded(client: Client, tmp_path: Path) -> None:
    (tmp_path / "own.png").write_bytes(b"no picture")
    with pytest.raises(WorkflowError, match="takes no file; 'image' does"):
        client.run({"1": node("LoadImage", image="a.png", mask=tmp_path / "own.png")})


@pytest.mark.needs_test_nodes
def test_the_largest_seed_survives_loading_saving_and_running(client: Client, tmp_path: Path) -> None:
    graph = {"1": node("TestSilentOutput", seed=2**64 - 1)}
    Workflow(graph).save(tmp_path / "workflow.json")
    job = client.submit(tmp_path / "workflow.json")
    job.result(timeout=PATIENCE)
    entry = client.history.get(job.prompt_id)
    assert entry is not None
    assert entry.prompt.prompt["1"]["inputs"]["seed"] == 2**64 - 1
    assert job.workflow["1"]["seed"] == 2**64 - 1
