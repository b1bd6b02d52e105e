"""``client.jobs`` on a real server."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from comfyclient.errors import ServerError
from tests.conftest import soon
from tests.workflows import PATIENCE, failing, fresh_color, plain, text

if TYPE_CHECKING:
    from comfyclient import Client
    from tests.conftest import ComfyUI
    from tests.integration.resources.conftest import Run

needs_nodes = pytest.mark.needs_test_nodes


def test_a_job_that_has_ended(client: Client, run: Run) -> None:
    entry = run(plain(fresh_color()))
    job = client.jobs.get(entry.prompt.prompt_id)

    assert job is not None
    assert job.status == "completed"
    assert job.priority == entry.prompt.number
    assert job.outputs == entry.outputs
    assert job.outputs_count == 1
    assert job.preview_output is not None
    assert job.preview_output["nodeId"] == "2"
    assert job.execution_status == entry.status
    assert job.workflow is not None
    assert job.workflow["prompt"] == entry.prompt.prompt
    assert job.create_time <= job.execution_start_time <= job.execution_end_time  # type: ignore[operator]  # all known
    assert job.extra == {}


@needs_nodes
def test_a_job_that_failed(client: Client, run: Run) -> None:
    job = client.jobs.get(run(failing("because")).prompt.prompt_id)

    assert job is not None
    assert job.status == "failed"
    assert job.execution_error is not None
    assert job.execution_error["exception_message"] == "because\n"
    assert job.extra == {}


def test_what_is_not_known(client: Client) -> None:
    assert client.jobs.get(str(uuid.uuid4())) is None
    assert client.jobs.get("a b/ü") is None


@needs_nodes
def test_what_runs_and_what_waits(client: Client, busy: str) -> None:
    waiting = client.queue.submit(text("after"), extra_data={"extra_pnginfo": {"workflow": {"id": busy}}}).prompt_id
    running, pending = client.jobs.get(busy), client.jobs.get(waiting)

    assert running is not None
    assert (running.status, running.outputs, running.extra) == ("in_progress", None, {})
    assert pending is not None
    assert (pending.status, pending.workflow_id, pending.extra) == ("pending", busy, {})
    found = client.jobs.list(workflow_id=busy)
    assert [job.id for job in found.jobs] == [waiting]


@needs_nodes
def test_a_part_of_the_list(client: Client, comfyui: ComfyUI, busy: str) -> None:
    if not comfyui.own:
        pytest.skip("other people's prompts would be in between")
    waiting = [client.queue.submit(text(i)).prompt_id for i in range(3)]
    active = client.jobs.list(status=["pending", "in_progress"], sort_order="asc")

    assert {job.id for job in active.jobs} == {busy, *waiting}
    times = [job.create_time or 0 for job in active.jobs]  # in milliseconds, so two may have the same
    assert times == sorted(times)
    assert (active.pagination.total, active.pagination.has_more) == (4, False)
    page = client.jobs.list(status="pending", sort_by="created_at", sort_order="desc", limit=2, offset=1)
    assert len({job.id for job in page.jobs} & set(waiting)) == 2
    assert (page.jobs[0].create_time or 0) >= (page.jobs[1].create_time or 0)
    assert (page.pagination.offset, page.pagination.limit, page.pagination.total) == (1, 2, 3)
    assert not page.pagination.has_more
    assert client.jobs.list(status="pending", limit=2).pagination.has_more


@needs_nodes
def test_all_of_them(client: Client, comfyui: ComfyUI, busy: str) -> None:
    if not comfyui.own:
        pytest.skip("other people's prompts would be in between")
    waiting = [client.queue.submit(text(i)).prompt_id for i in range(5)]
    found = [job.id for job in client.jobs.iter(status=["pending", "in_progress"], page_size=2)]

    assert len(found) == 6
    assert set(found) == {busy, *waiting}
    assert {job.id for job in client.jobs.iter()} >= {busy, *waiting}


@needs_nodes
def test_somebodys_odd_prompt_puts_the_routes_out_of_order_and_not_us(client: Client, busy: str) -> None:
    """The server answers 500 to everybody as long as it remembers it."""
    waiting = client.queue.submit(text("after")).prompt_id
    whole = client.jobs.list()
    odd = client.queue.submit(text("odd"), extra_data={"extra_pnginfo": None}).prompt_id
    try:
        with pytest.raises(ServerError) as caught:
            client.request("GET", "/api/jobs")
        assert caught.value.status == 500
        page = client.jobs.list()
        found = {job.id: job for job in page.jobs}
        assert page.pagination.total == whole.pagination.total + 1
        assert (found[busy].status, found[waiting].status, found[odd].status) == ("in_progress", "pending", "pending")
        ended = client.history.list()
        for job in whole.jobs:
            failed = job.id in ended and not ended[job.id].succeeded and not ended[job.id].interrupted
            # Another test may have left a cycle that showed only at run time, which the server calls completed.
            expected = "failed" if failed else job.status
            assert found[job.id] == evolve(job, preview_output=None, status=expected)
        assert {job.id for job in client.jobs.iter(status="pending")} == {waiting, odd}
        known = client.jobs.get(odd)
        assert known is not None
        assert (known.status, known.workflow_id) == ("pending", None)
    finally:
        client.queue.delete(odd)
    assert client.jobs.get(odd) is None


@pytest.mark.parametrize("wrong", [{"status": ["bogus"]}, {"sort_by": "size"}, {"sort_order": "up"}, {"limit": 0}])
def test_a_word_that_the_server_does_not_know(client: Client, wrong: dict[str, str]) -> None:
    with pytest.raises(ServerError) as caught:
        client.jobs.list(**wrong)  # type: ignore[arg-type]  # which is what is tested

    assert caught.value.status == 400


@needs_nodes
def test_cancelling(client: Client, busy: str) -> None:
    one, two, three, left = [client.queue.submit(text(i)).prompt_id for i in range(4)]

    assert client.jobs.cancel(one)
    assert not client.jobs.cancel(one)
    assert not client.jobs.cancel("unknown")
    assert client.jobs.cancel_all([two, three, str(uuid.uuid4())])
    assert not client.jobs.cancel_all([two])
    with pytest.raises(ServerError, match="invalid id"):
        client.jobs.cancel_all(["no UUID"])
    assert {client.jobs.get(prompt_id) for prompt_id in (one, two, three)} == {None}

    assert client.jobs.cancel(busy)
    assert soon(lambda: client.history.get(left) is not None, PATIENCE)
    stopped = client.jobs.get(busy)
    assert stopped is not None
    assert stopped.status == "cancelled"
