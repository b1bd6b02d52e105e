"""Whatever a server's age, a workflow ends the same way."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from comfyclient import JobFailed, JobInterrupted
from tests.realtime.comfy import WORKFLOW
from tests.realtime.peer import PATIENCE

if TYPE_CHECKING:
    from comfyclient import Client
    from tests.old_servers.emulated import Emulated
    from tests.realtime.conftest import Connect


def test_a_run(server: Emulated, client: Client) -> None:
    job = client.submit(WORKFLOW)
    server.begin(job.prompt_id)
    server.play(job.prompt_id)
    result = job.result(PATIENCE)
    assert [file.type for file in result["2"].images] == ["temp"]
    assert (job.status, job.progress) == ("completed", 1.0)
    assert result.history().succeeded


def test_a_run_whose_every_node_is_cached(server: Emulated, client: Client) -> None:
    """No word of the outputs on the websocket in March 2024; none in the history of 0.9.2 without a client id."""
    names = []
    for _ in range(2):
        job = client.submit(WORKFLOW)
        server.begin(job.prompt_id)
        server.play(job.prompt_id)
        names.append([file.filename for file in job.result(PATIENCE).images])
    assert names[0] == names[1] != []
    assert {request.json["client_id"] for request in server.asked("POST", "/prompt")} == {client.config.client_id}


def test_outputs_of_a_cached_run_without_a_client_id(server: Emulated, client: Client) -> None:
    """What all the care is for."""
    outputs = []
    for _ in range(2):
        prompt_id = client.queue.submit(WORKFLOW).prompt_id
        server.begin(prompt_id)
        server.play(prompt_id)
        entry = client.history.get(prompt_id)
        assert entry is not None
        outputs.append(entry.outputs)
    assert outputs[0]
    assert outputs[1] == ({} if server.version == "0.9.2" else outputs[0])


def test_a_node_that_raises(server: Emulated, client: Client) -> None:
    job = client.submit(WORKFLOW)
    server.begin(job.prompt_id)
    server.fail(job.prompt_id)
    with pytest.raises(JobFailed, match=r"node 1 'EmptyImage' \(ProtoRaise\) raised ValueError: boom \d+\n") as caught:
        job.result(PATIENCE)
    assert caught.value.current_inputs["kind"] == ["ValueError"]
    assert job.status == "failed"


def test_somebody_interrupts_it(server: Emulated, client: Client) -> None:
    job = client.submit(WORKFLOW)
    server.begin(job.prompt_id)
    server.stop(job.prompt_id)
    with pytest.raises(JobInterrupted):
        job.result(PATIENCE)
    assert job.cancelled()


def test_the_id_in_the_answer_counts(server: Emulated, client: Client) -> None:
    """In March 2024 the server chose; and null would have been the id "None" of 0.3.64 and 0.9.2."""
    job = client.submit(WORKFLOW)
    (request,) = server.asked("POST", "/prompt")
    assert job.prompt_id == server.prompts[0]
    assert (job.prompt_id == request.json["prompt_id"]) == (server.version != "2024-03")
    raw = client.queue.submit(WORKFLOW)
    assert raw.prompt_id == str(uuid.UUID(raw.prompt_id))
    server.begin(job.prompt_id)
    server.play(job.prompt_id)
    assert job.result(PATIENCE).prompt_id == job.prompt_id


def test_a_place_in_the_queue_is_a_number_of_any_kind(client: Client) -> None:
    client.submit(WORKFLOW)
    assert client.submit(WORKFLOW, front=True).number == -1
    assert client.submit(WORKFLOW, number=2).number == 2.0
    assert client.submit(WORKFLOW, number=0.5).number == 0.5
    assert [item.number for item in client.queue.list().queue_pending] == [-1, 0, 0.5, 2.0]


def test_a_job_of_somebody_else_is_taken_up(server: Emulated, client: Client, connect: Connect) -> None:
    theirs = connect().submit(WORKFLOW)
    job = client.job(theirs.prompt_id)
    server.begin(job.prompt_id)
    server.play(job.prompt_id)
    assert job.result(PATIENCE).images
    assert client.job(theirs.prompt_id).result(PATIENCE).images


def test_the_key_of_an_account_is_not_shown_even_where_the_server_tells_everybody(
    server: Emulated, client: Client
) -> None:
    job = client.submit(WORKFLOW, extra_data={"api_key_comfy_org": "hidden-key"})
    listed = client.queue.list()
    server.begin(job.prompt_id)
    server.play(job.prompt_id)
    entry, info = client.history.get(job.prompt_id), client.jobs.get(job.prompt_id)
    assert entry is not None
    assert info is not None
    told = [listed.queue_pending[0].extra_data, entry.prompt.extra_data]
    expected = [server.tells("secret visible in GET /queue"), server.tells("secret visible in GET /history")]
    assert ["api_key_comfy_org" in extra for extra in told] == expected
    assert "hidden-key" not in repr((listed, entry, info, job, job.result(PATIENCE)))


def test_only_the_jobs_api_is_asked_for_below_api(server: Emulated, client: Client) -> None:
    """The prefix is younger than the oldest of these servers."""
    job = client.submit(WORKFLOW, targets=["2"])
    server.begin(job.prompt_id)
    assert client.jobs.list().pagination.total == 1
    job.cancel(PATIENCE)
    below = {request.path.split("/")[2] for request in server.asked("*", "/api/*")}
    assert below == {"jobs"}
