"""Whatever a server's age, it gets what it can read, and its refusals say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import PromptRejected, ServerError, Unsupported
from tests.fakes import hang_up, reply
from tests.realtime.comfy import WORKFLOW
from tests.realtime.peer import PATIENCE

if TYPE_CHECKING:
    from comfyclient import Client
    from tests.fakes import Request
    from tests.old_servers.emulated import Emulated

TWO: dict[str, Any] = {
    **WORKFLOW,
    "3": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}, "_meta": {"title": "Keep it"}},
}
"""Two outputs."""


def sent(server: Emulated) -> Any:
    """The body of the last prompt."""
    return server.asked("POST", "/prompt")[-1].json


# --- refusals -----------------------------------------------------------------------------------------------


def test_a_class_that_the_server_does_not_have(server: Emulated, client: Client) -> None:
    """In March 2024 it answered 500 without a word."""
    graph = {"1": {"class_type": "Nope", "inputs": {}}, "2": {"class_type": "SaveImages", "inputs": {}}}
    with pytest.raises(PromptRejected) as caught:
        client.submit(graph)
    _, first, second = str(caught.value).splitlines()
    assert first == "  node 1 'Nope': the server has no class 'Nope' (is a pack of custom nodes missing?)"
    assert "node 2 'SaveImages': " in second
    assert "nearest: 'SaveImage'" in second
    assert [problem.type for problem in caught.value.problems] == ["missing_node_type"] * 2
    assert caught.value.status == (500 if server.version == "2024-03" else 400)
    assert len(server.asked("POST", "/prompt")) == 1


def test_a_failure_that_is_not_the_workflows(server: Emulated, client: Client) -> None:
    server.routes["POST", "/prompt"] = reply(500, "500 Internal Server Error", "text/plain")
    with pytest.raises(ServerError, match="answered 500: 500 Internal Server Error") as caught:
        client.submit(WORKFLOW)
    assert type(caught.value) is ServerError


def test_nothing_to_run(server: Emulated, client: Client) -> None:
    with pytest.raises(PromptRejected, match="there is nothing to run; it has no output node"):
        client.submit({"1": WORKFLOW["1"]})
    assert server.prompts == []


@pytest.mark.parametrize("lost", [False, True], ids=["", "its answer lost"])
def test_a_prompt_that_is_accepted_in_part(server: Emulated, client: Client, *, lost: bool) -> None:
    server.refused = {"3"}
    if lost:
        server.routes["POST", "/prompt"] = lambda request: (server.accept(request), hang_up)[1]
    with pytest.raises(PromptRejected, match=r"a part of the workflow.* what it accepted was cancelled") as caught:
        client.submit(TWO)
    (problem,) = caught.value.problems
    assert (problem.node_id, problem.title, problem.class_type) == ("3", "Keep it", "SaveImage")
    assert ("in an answer that got lost" in problem.message) == lost
    assert set(caught.value.node_errors) == {"3"}
    assert (len(server.prompts), server.pending, server.running) == (1, [], [])


@pytest.mark.parametrize("lost", [False, True], ids=["", "its answer lost"])
def test_the_good_part_runs_if_that_is_wanted(server: Emulated, client: Client, *, lost: bool) -> None:
    server.refused = {"3"}
    if lost:
        server.routes["POST", "/prompt"] = lambda request: (server.accept(request), hang_up)[1]
    job = client.submit(TWO, strict=False)
    assert [problem.node_id for problem in job.node_errors] == ["3"]
    server.begin(job.prompt_id)
    server.play(job.prompt_id)
    assert list(job.result(PATIENCE)) == ["2"]


def test_a_whole_prompt_whose_answer_is_lost(server: Emulated, client: Client) -> None:
    server.routes["POST", "/prompt"] = lambda request: (server.accept(request), hang_up)[1]
    job = client.submit(TWO)
    assert (job.prompt_id, job.node_errors) == (server.prompts[0], ())
    assert client.submit(TWO, targets=["3"]).node_errors == ()


def test_a_part_that_begins_to_run_before_its_answer_is_lost(server: Emulated, client: Client) -> None:
    """Its events find it then, and do not tell which outputs run."""

    def lose(request: Request) -> Any:
        server.begin(server.accept(request)["prompt_id"])
        return hang_up

    server.refused = {"3"}
    server.routes["POST", "/prompt"] = lose
    with pytest.raises(PromptRejected, match="what it accepted was cancelled"):
        client.submit(TWO)
    assert server.hit == server.prompts


def test_a_part_of_which_nothing_can_be_known(server: Emulated, client: Client) -> None:
    server.refused = {"3"}
    server.routes["POST", "/prompt"] = lambda request: (server.accept(request), hang_up)[1]
    server.routes = {key: route for key, route in server.routes.items() if not key[1].startswith("/object_info")}
    assert client.submit(TWO).prompt_id == server.prompts[0]


# --- what old servers would ignore --------------------------------------------------------------------------


def test_only_the_targets_are_run(server: Emulated, client: Client) -> None:
    job = client.submit(TWO, targets=["3"])
    server.begin(job.prompt_id)
    server.play(job.prompt_id)
    assert list(job.result(PATIENCE)) == ["3"]
    assert set(job.node_progress) == {"1", "3"}
    assert list(job.workflow) == ["1", "2", "3"]
    if server.version == "2024-03":
        assert (set(sent(server)["prompt"]), "partial_execution_targets" in sent(server)) == ({"1", "3"}, False)
    else:
        assert (set(sent(server)["prompt"]), sent(server)["partial_execution_targets"]) == ({"1", "2", "3"}, ["3"])


@pytest.mark.parametrize("targets", [["1"], ["9"], []])
def test_targets_that_are_no_outputs(client: Client, targets: list[str]) -> None:
    with pytest.raises(PromptRejected, match=r"nothing to run; .* none among the targets"):
        client.submit(TWO, targets=targets)


def test_previews_of_one_prompt(server: Emulated, client: Client) -> None:
    if server.since("0.9.2"):
        job = client.submit(WORKFLOW, preview_method="taesd")
        assert sent(server)["extra_data"]["preview_method"] == "taesd"
        assert server.pending == [job.prompt_id]
    else:
        with pytest.raises(Unsupported, match=r"a preview_method for one prompt, which came with version 0\.9\.0"):
            client.submit(WORKFLOW, preview_method="taesd")
        assert server.prompts == []
    assert len(client._tracker.registry) == len(server.prompts)
