"""Jobs in a notebook, on the embedded server: as far as they are known, and without a question to the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from comfyclient import Client, Job, JobProgress, Workflow
from tests.docs.pages import DOCS
from tests.testing.nodes import Gate, graph, n
from tests.unit.display.page import page_of
from tests.workflows import PATIENCE

if TYPE_CHECKING:
    from comfyclient.testing import EmbeddedServer


@pytest.fixture
def portrait() -> Workflow:
    return Workflow.load(DOCS / "examples" / "portrait.json")


def red(job: Job) -> list[str | None]:
    """The ids of the nodes that are red in the job's drawing."""
    tags = page_of(job).tags
    return [
        outer["data-node"]
        for (tag, outer), (_, rect) in zip(tags, tags[2:], strict=False)
        if tag == "g" and rect.get("stroke") == "#e5484d"
    ]


def test_one_that_has_ended_says_how_long_it_ran(client: Client, portrait: Workflow) -> None:
    job = client.submit(portrait)
    job.result(PATIENCE)
    page = page_of(job)
    assert repr(JobProgress(job)).startswith("<JobProgress 100%: done in ")
    assert f"Job · {job.prompt_id[:8]} · completed ·  100% · ran " in page.text
    assert "its workflow: 7 nodes" in page.text
    assert len(page.all("g")) == 7
    assert red(job) == []


def test_one_that_runs_says_where_it_is_and_one_that_waits_that_it_waits(client: Client, gate: Gate) -> None:
    job = client.submit(graph(n1=n("Wait"), n2=n("Show", value=["1", 0])))
    assert gate.reached.wait(PATIENCE)
    waiting = client.submit(graph(n1=n("Show", value="no")))
    next(event for event in job.events() if event.type == "executing")
    assert "in progress" in page_of(job).text
    assert "at Wait #1" in page_of(job).text
    assert "pending" in page_of(waiting).text
    queue = page_of(client.queue)
    assert [(row["prompt"], row["status"]) for row in queue.table()] == [
        (job.prompt_id[:8], "running"),
        (waiting.prompt_id[:8], "waiting"),
    ]
    gate.released.set()
    job.result(PATIENCE)
    waiting.result(PATIENCE)
    assert [row["status"] for row in page_of(client.history).table()] == ["success", "success"]


def test_one_that_failed_shows_the_node_in_red(server: EmbeddedServer, client: Client, portrait: Workflow) -> None:
    server.fail_next("KSampler", MemoryError("no <b>memory</b>"))
    job = client.submit(portrait)
    assert job.exception(PATIENCE) is not None
    page = page_of(job)
    assert "failed" in page.text
    assert "MemoryError · KSampler · #3" in page.text
    assert "no <b>memory</b>" in page.text
    assert red(job) == ["3"]
    assert "error KSampler: MemoryError" in page_of(client.history).text


def test_one_that_was_cancelled_says_so(client: Client, gate: Gate) -> None:
    job = client.submit(graph(n1=n("Wait"), n2=n("Show", value=["1", 0])))
    assert gate.reached.wait(PATIENCE)
    assert job.cancel(PATIENCE)
    assert "was interrupted" in page_of(job).text
    assert red(job) == []


def test_what_the_server_left_out_is_told_and_red(client: Client) -> None:
    job = client.submit(
        graph(n1=n("Show", value="good"), n2=n("Steps", steps="many"), n3=n("Show", value=["2", 0])), strict=False
    )
    job.result(PATIENCE)
    assert "What the server left out" in page_of(job).text
    assert red(job) == ["2"]


def test_nothing_is_asked(server: EmbeddedServer, client: Client, portrait: Workflow) -> None:
    job = client.submit(portrait)
    job.result(PATIENCE)
    client.close()
    server.stop()
    assert "completed" in page_of(job).text


def test_a_result_is_shown_with_its_image(client: Client, portrait: Workflow) -> None:
    result = client.run(portrait)
    page = page_of(result)
    assert str(page.all("img")[0]["src"]).startswith("data:image/")
    assert "7 nodes ran" in page.text
    assert "7 came from the cache" in page_of(client.run(portrait)).text


def test_classes_and_the_machine_are_shown(client: Client) -> None:
    info = client.nodes.get("KSampler")
    assert info is not None
    assert {"model", "seed", "steps"} <= {row[0] for row in page_of(info).rows}
    assert "ComfyUI" in page_of(client.system.stats()).text
