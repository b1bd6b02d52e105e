"""What a notebook shows of a real server: its files, refusals, queue, history and classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import OutputFile, PromptRejected, Workflow
from tests.unit.display.page import page_of
from tests.workflows import fresh_color, plain

if TYPE_CHECKING:
    from comfyclient import Client


def test_a_result_is_shown_by_node_with_its_images(client: Client) -> None:
    result = client.run(plain(fresh_color(), size=32, batch=3))
    page = page_of(result)
    assert "Save it · SaveImage · #2" in page.text
    assert [str(image["src"]).partition(",")[0] for image in page.all("img")] == ["data:image/png;base64"] * 3


def test_a_large_image_comes_as_webp(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comfyclient.display.files.WHOLE", 10)
    [file] = client.run(plain(fresh_color(), size=32)).images
    [image] = page_of(file).all("img")
    assert str(image["src"]).startswith("data:image/webp;base64,UklGR")


def test_a_file_that_is_not_there_is_told(client: Client) -> None:
    page = page_of(OutputFile(filename="comfyclient-nowhere.png", source=client.files))
    assert not page.all("img")
    assert "not shown: " in page.text


def test_what_the_server_refuses_is_a_table_and_red(client: Client) -> None:
    graph = plain(fresh_color())
    graph["1"]["inputs"]["width"] = -5
    workflow = Workflow(graph)
    with pytest.raises(PromptRejected) as caught:
        client.run(workflow)
    [row] = page_of(caught.value).table()
    assert (row["node"], row["input"]) == ("1", "width")
    found = workflow.validate(client.nodes.list())
    assert [(each["node"], each["input"]) for each in page_of(found).table()] == [("1", "width")]
    assert workflow.draw(highlight=found).to_text() == workflow.draw(highlight=caught.value.problems).to_text()


def test_history_queue_machine_and_classes_are_shown(client: Client) -> None:
    job = client.submit(plain(fresh_color()))
    job.result()
    rows: list[dict[str, Any]] = page_of(client.history).table()
    assert ("success", "1 file", "2") in [
        (row["status"], row["outputs"], row["nodes"]) for row in rows if row["prompt"] == job.prompt_id[:8]
    ]
    assert page_of(client.queue).text.startswith("Queue")
    info = client.nodes.get("KSampler")
    assert info is not None
    assert ["cfg", "FLOAT", "", "8.0"] in [row[:4] for row in page_of(info).rows]
    assert "memory" in page_of(client.system.stats()).text
