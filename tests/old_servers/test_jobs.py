"""Whatever a server's age, ``client.jobs`` knows its prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.realtime.comfy import WORKFLOW

if TYPE_CHECKING:
    from comfyclient import Client
    from tests.old_servers.emulated import Emulated


@pytest.fixture
def prompts(server: Emulated, client: Client) -> dict[str, str]:
    """One of each state, by its word; in the order in which they were submitted."""
    words = ("completed", "failed", "cancelled", "in_progress", "pending")
    extra = {"extra_pnginfo": {"workflow": {"id": "w"}}}
    found = {word: client.queue.submit(WORKFLOW, extra_data=extra).prompt_id for word in words}
    for word, do in {"completed": server.play, "failed": server.fail, "cancelled": server.stop}.items():
        server.begin(found[word])
        do(found[word])
    server.begin(found["in_progress"])
    return found


def test_one(prompts: dict[str, str], client: Client) -> None:
    for number, (word, prompt_id) in enumerate(prompts.items()):
        job = client.jobs.get(prompt_id)
        assert job is not None
        assert (job.id, job.status, job.priority, job.workflow_id) == (prompt_id, word, number, "w")
        assert (job.execution_error is not None) == (word == "failed")
        assert (job.execution_status is not None) == (word in {"completed", "failed", "cancelled"})
        assert bool(job.outputs) == bool(job.outputs_count) == (word == "completed")
    assert client.jobs.get("unknown") is None


def test_all(prompts: dict[str, str], client: Client) -> None:
    listed = client.jobs.list(sort_order="asc")
    assert {job.id: job.status for job in listed.jobs} == {prompt_id: word for word, prompt_id in prompts.items()}
    assert [job.id for job in listed.jobs] == [*prompts.values()]
    assert [job.id for job in client.jobs.list().jobs] == [*reversed(prompts.values())]
    assert [job.id for job in client.jobs.iter(sort_order="asc", page_size=2)] == [*prompts.values()]


def test_some(prompts: dict[str, str], client: Client) -> None:
    page = client.jobs.list(status=["pending", "completed"], limit=1, offset=1)
    assert [job.id for job in page.jobs] == [prompts["completed"]]
    assert (page.pagination.total, page.pagination.has_more) == (2, False)
    assert client.jobs.list(workflow_id="w", limit=2).pagination.has_more
    assert client.jobs.list(workflow_id="v").jobs == ()


def test_a_server_without_the_route_is_asked_for_its_queue_and_history(
    server: Emulated, prompts: dict[str, str], client: Client
) -> None:
    before = len(server.asked())
    client.jobs.list(status="pending")
    asked = [request.path for request in server.asked()[before:]]
    assert asked == (["/api/jobs"] if server.since("0.9.2") else ["/api/jobs", "/queue"])
    before = len(server.asked())
    client.jobs.get(prompts["completed"])
    asked = [request.path.rpartition("/")[0] for request in server.asked()[before:]]
    assert asked == (["/api/jobs"] if server.since("0.9.2") else ["/api/jobs", "/history"])
