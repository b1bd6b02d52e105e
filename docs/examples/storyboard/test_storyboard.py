"""The tests of ``storyboard.py``; they need neither a GPU nor ComfyUI."""

from pathlib import Path

import pytest
from PIL import Image
from storyboard import STYLE, draw, main, scenes_of

from comfyclient import Client, Workflow
from comfyclient.testing import EmbeddedServer

WORKFLOW = Path(__file__).with_name("portrait.json")


@pytest.fixture
def workflow() -> Workflow:
    """The workflow that the application runs, with smaller pictures."""
    workflow = Workflow.load(WORKFLOW)
    workflow["5"].update(width=64, height=64)
    return workflow


def test_notes_and_empty_lines_are_no_scenes() -> None:
    assert scenes_of("# Act one\n\na fox wakes\n  snow falls \n") == ["a fox wakes", "snow falls"]


def test_every_scene_becomes_a_picture(comfy_client: Client, workflow: Workflow, tmp_path: Path) -> None:
    frames = list(draw(comfy_client, workflow, ["a fox wakes", "snow falls"], tmp_path))

    assert [frame.scene for frame in frames] == ["a fox wakes", "snow falls"]
    for frame in frames:
        assert frame.picture is not None
        with Image.open(frame.picture) as picture:
            assert picture.size == (64, 64)


def test_the_server_is_asked_for_the_style(
    comfy_server: EmbeddedServer, comfy_client: Client, workflow: Workflow, tmp_path: Path
) -> None:
    list(draw(comfy_client, workflow, ["a fox wakes"], tmp_path))

    [submission] = comfy_server.submitted
    assert submission.prompt["6"]["inputs"]["text"] == f"a fox wakes, {STYLE}"


def test_what_fails_stops_nothing_else(
    comfy_server: EmbeddedServer, comfy_client: Client, workflow: Workflow, tmp_path: Path
) -> None:
    comfy_server.fail_next("KSampler", RuntimeError("out of ink"))

    first, second = draw(comfy_client, workflow, ["a fox wakes", "snow falls"], tmp_path)

    assert first.error is not None
    assert "out of ink" in first.error
    assert second.picture is not None


def test_a_restart_of_the_server_costs_no_picture(
    comfy_server: EmbeddedServer, comfy_client: Client, workflow: Workflow, tmp_path: Path
) -> None:
    comfy_server.latency.step = 0.05  # seconds that each step takes longer
    frames = draw(comfy_client, workflow, ["a fox wakes", "snow falls", "spring"], tmp_path)

    assert next(frames).picture is not None
    comfy_server.restart()
    comfy_server.latency.step = 0.0

    assert all(frame.picture for frame in frames)


def test_the_page_shows_the_story(
    comfy_server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COMFYUI_URL", comfy_server.url)
    story = tmp_path / "story.txt"
    story.write_text("a fox & an owl\n", encoding="utf-8")

    main([str(story), "--workflow", str(WORKFLOW), "--into", str(tmp_path / "book")])

    assert "a fox &amp; an owl" in (tmp_path / "book" / "index.html").read_text(encoding="utf-8")
    assert (tmp_path / "book" / "001.png").exists()
