"""Jobs that somebody else submitted: another client, or this one in an earlier life."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING

import pytest

from comfyclient import Client, JobFailed, JobInterrupted, JobLost, as_completed
from tests.comfyui.images import painted
from tests.conftest import soon
from tests.workflows import PATIENCE, Gate, failing, fresh, image, node, pixels, text

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.needs_test_nodes


@pytest.fixture(params=[True, False], ids=["websocket", "polling"])
def second(comfyui_url: str, request: pytest.FixtureRequest) -> Iterator[Client]:
    """The client that takes up the jobs of another one."""
    with Client(comfyui_url, realtime=request.param) as client:
        yield client


def test_a_job_that_runs(comfyui_url: str, client: Client, second: Client) -> None:
    gate, ended = Gate(comfyui_url), threading.Event()
    original = client.submit(gate.workflow())
    gate.wait()
    job = second.job(original.prompt_id)
    job.add_done_callback(lambda _: ended.set())
    assert (job.prompt_id, job.status, job.number) == (original.prompt_id, "in_progress", original.number)
    assert job.workflow == original.workflow
    gate.open()
    result = job.result(PATIENCE)
    assert result.texts == ("through",)
    assert result.by_title("Show it").texts == ("through",)
    assert job.progress == 1.0
    assert ended.wait(PATIENCE)
    assert original.result(PATIENCE).texts == ("through",)


def test_a_job_that_waits(comfyui_url: str, client: Client, second: Client) -> None:
    gate, seed = Gate(comfyui_url), fresh()
    client.submit(gate.workflow())
    gate.wait()
    original = client.submit(image(seed))
    job = second.job(original.prompt_id)
    assert job.status == "pending"
    assert job.progress == 0.0
    gate.open()
    assert pixels(job.result(PATIENCE).images[0]) == painted(seed, 16, 16)
    assert list(job.events()) == []  # they went to the other client


def test_a_job_that_has_ended(client: Client, second: Client) -> None:
    good, bad = client.submit(text("over")), client.submit(failing("long ago"))
    good.result(PATIENCE)
    assert bad.exception(PATIENCE) is not None
    job = second.job(good.prompt_id)
    assert job.done()
    assert job.result(timeout=0).texts == ("over",)
    assert job.result().timings.finished is not None
    with pytest.raises(JobFailed, match=r"node 1 'Trouble' \(TestRaise\) raised ValueError: long ago"):
        second.job(bad.prompt_id).result(timeout=0)
    assert not job.cancel()


def test_a_job_that_nobody_knows(second: Client) -> None:
    prompt_id = str(uuid.uuid4())
    with pytest.raises(JobLost, match=f"no prompt {prompt_id}"):
        second.job(prompt_id)


def test_a_job_that_is_deleted_meanwhile(comfyui_url: str, client: Client, second: Client) -> None:
    gate = Gate(comfyui_url)
    client.submit(gate.workflow())
    gate.wait()
    job = second.job(client.submit(text("never")).prompt_id)
    client.queue.delete(job.prompt_id)
    with pytest.raises(JobLost):
        job.result(PATIENCE)
    gate.open()


def test_a_running_job_can_be_cancelled(comfyui_url: str, client: Client, second: Client) -> None:
    gate = Gate(comfyui_url)
    original = client.submit(gate.workflow())
    gate.wait()
    assert second.job(original.prompt_id).cancel(PATIENCE)
    assert isinstance(original.exception(PATIENCE), JobInterrupted)


def test_a_waiting_job_can_be_cancelled(comfyui_url: str, client: Client, second: Client) -> None:
    gate = Gate(comfyui_url)
    client.submit(gate.workflow())
    gate.wait()
    original = client.submit(text("never"))
    job = second.job(original.prompt_id)
    assert job.cancel(PATIENCE)
    assert isinstance(job.exception(), JobInterrupted)
    assert isinstance(original.exception(PATIENCE), JobLost)  # for its own client somebody else deleted it
    gate.open()


def test_outputs_of_expanded_nodes_are_found_under_them(client: Client, second: Client) -> None:
    original = client.submit(
        {
            "1": node("TestExpand", "Becomes more", count=1, show=True, seed=fresh(), value="inside"),
            "2": node("TestText", value=["1", 0]),
        }
    )
    assert original.result(PATIENCE)["1"].texts == ("inside",)
    result = second.job(original.prompt_id).result(PATIENCE)
    assert list(result) == ["1", "2"]
    assert result.by_title("Becomes more").texts == ("inside",)


def test_a_client_takes_up_its_own_job(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)
    first = client.submit(gate.workflow())
    gate.wait()
    again = client.job(first.prompt_id)
    events = again.events()
    gate.open()
    assert again.result(PATIENCE).texts == first.result(PATIENCE).texts == ("through",)
    assert "executed" in {event.type for event in events}
    assert client.job(first.prompt_id).result(timeout=0).texts == ("through",)


def test_a_client_with_the_id_of_one_that_is_gone_hears_its_events(comfyui_url: str) -> None:
    """Such as a service that was restarted and knows its own prompts."""
    gate, client_id = Gate(comfyui_url), uuid.uuid4().hex
    with Client(comfyui_url, client_id=client_id) as first:
        prompt_id = first.submit(gate.workflow()).prompt_id
        gate.wait()
    with Client(comfyui_url, client_id=client_id) as second:
        second.connect()
        job = second.job(prompt_id)
        heard = job.events()
        gate.open()
        assert job.result(PATIENCE).texts == ("through",)
        assert "executed" in {event.type for event in heard}


def test_many_jobs_of_others_are_followed_at_once(comfyui_url: str, client: Client, second: Client) -> None:
    gate = Gate(comfyui_url)
    client.submit(gate.workflow())
    originals = [client.submit(text(i)) for i in range(20)]
    jobs = [second.job(original.prompt_id) for original in originals]
    gate.open()
    for job in as_completed(jobs, PATIENCE):
        assert job.status == "completed"
    assert [job.result().texts for job in jobs] == [(str(i),) for i in range(20)]
    assert soon(lambda: all(original.done() for original in originals))
