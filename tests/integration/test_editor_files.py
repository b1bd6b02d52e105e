"""What the editor saves runs as it is, and what the server makes of it opens in the editor again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from comfyclient import Workflow
from tests.workflows import PATIENCE, filled, fresh_color, pixels, plain_saved

if TYPE_CHECKING:
    from pathlib import Path

    from comfyclient import Client, Job


def sent_along(client: Client, job: Job) -> Any:
    """What the server keeps with the prompt as ``extra_pnginfo``."""
    entry = client.history.get(job.prompt_id)
    assert entry is not None
    return entry.prompt.extra_data.get("extra_pnginfo")


def test_a_saved_file_just_runs(client: Client, tmp_path: Path) -> None:
    color = fresh_color()
    path = tmp_path / "saved_in_editor.json"
    path.write_text(json.dumps(plain_saved(color)), encoding="utf-8")
    result = client.run(path, timeout=PATIENCE)
    assert pixels(result.images[0]) == filled(color)


def test_text_and_seed_in_four_lines(client: Client) -> None:
    color = fresh_color()
    workflow = client.load(plain_saved(1))
    workflow.set({"1.color": color, "Save it.filename_prefix": "comfyclient_tests/edited"})
    result = client.run(workflow, timeout=PATIENCE)
    assert pixels(result.images[0]) == filled(color)
    assert result.images[0].filename.startswith("edited")


def test_the_saved_file_goes_along(client: Client) -> None:
    saved = plain_saved(fresh_color())
    job = client.submit(saved)
    image = job.result(timeout=PATIENCE).images[0]
    assert sent_along(client, job) == {"workflow": saved}
    again = Workflow.load(image, prefer="workflow")
    assert again.saved_file == saved
    assert client.load(again) == Workflow.load(image) == job.workflow


def test_an_edited_one_does_not(client: Client) -> None:
    workflow = client.load(plain_saved(1))
    workflow["1"]["color"] = fresh_color()
    job = client.submit(workflow)
    job.result(timeout=PATIENCE)
    assert sent_along(client, job) is None


def test_what_the_user_sends_along_counts(client: Client) -> None:
    saved = plain_saved(fresh_color())
    mine = {"nodes": [], "links": [], "version": 0.4}
    for given, kept in (
        ({"workflow": mine}, {"workflow": mine}),
        ({"note": "mine"}, {"workflow": saved, "note": "mine"}),
    ):
        job = client.submit(saved, extra_data={"extra_pnginfo": given})
        job.result(timeout=PATIENCE)
        assert sent_along(client, job) == kept


def test_variations_of_a_saved_file(client: Client) -> None:
    colors = [fresh_color() for _ in range(3)]
    results = [each.result() for each in client.map(plain_saved(1), [{"1.color": color} for color in colors])]
    assert [pixels(result.images[0]) for result in results] == [filled(color) for color in colors]
