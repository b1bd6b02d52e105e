"""``client.jobs``: what it asks for, and what it makes of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.errors import DecodeError, NotFound, ServerError
from comfyclient.resources import Jobs
from tests.captures import capture
from tests.fakes import FlakyServer, json_reply, reply

if TYPE_CHECKING:
    from comfyclient._http import Transport


@pytest.fixture
def jobs(to_flaky: Transport) -> Jobs:
    return Jobs(to_flaky)


def test_get(jobs: Jobs, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("job_detail_completed"))]
    job = jobs.get("a b")

    assert job is not None
    assert job.status == "completed"
    assert flaky.requests[0].target == "/api/jobs/a%20b"


def test_what_is_not_known_is_none(jobs: Jobs, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply({"error": "Job not found"}, 404)]

    assert jobs.get("a") is None


@pytest.mark.parametrize("answer", [reply(404), reply(404, "404: Not Found"), json_reply({"error": "no route"}, 404)])
def test_a_server_without_the_route_is_another_thing(jobs: Jobs, flaky: FlakyServer, answer: bytes) -> None:
    flaky.answers = [answer]
    with pytest.raises(NotFound):
        jobs.get("a")
    with pytest.raises(NotFound):
        jobs.list()


def test_list(jobs: Jobs, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("jobs_list_active"))]
    page = jobs.list()

    assert len(page.jobs) == 6
    assert not page.pagination.has_more
    assert flaky.requests[0].target == "/api/jobs"


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"status": ["pending", "in_progress"]}, {"status": "pending,in_progress"}),
        ({"status": iter(["pending"])}, {"status": "pending"}),
        ({"status": "pending"}, {"status": "pending"}),
        ({"sort_by": "created_at", "sort_order": "asc"}, {"sort_by": "created_at", "sort_order": "asc"}),
        ({"limit": 5, "offset": 0}, {"limit": "5", "offset": "0"}),
        ({"workflow_id": "w&f"}, {"workflow_id": "w&f"}),
    ],
)
def test_each_option_has_its_key(jobs: Jobs, flaky: FlakyServer, given: dict[str, Any], sent: dict[str, str]) -> None:
    flaky.answers = [json_reply(capture("jobs_list_active"))]
    jobs.list(**given)

    assert flaky.requests[0].query == sent


def test_a_word_that_the_server_does_not_know(jobs: Jobs, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply({"error": "Invalid status value(s): bogus."}, 400)]
    with pytest.raises(ServerError, match="answered 400: Invalid status value"):
        jobs.list(status=["bogus"])


@pytest.mark.parametrize("cancelled", [True, False])
def test_cancel(jobs: Jobs, flaky: FlakyServer, cancelled: bool) -> None:  # noqa: FBT001
    flaky.answers = [json_reply({"cancelled": cancelled})]

    assert jobs.cancel("a/b") is cancelled
    assert jobs.cancel_all(iter(["a", "b"])) is cancelled
    one, several = flaky.requests
    assert (one.method, one.target) == ("POST", "/api/jobs/a%2Fb/cancel")
    assert (several.method, several.target, several.json) == ("POST", "/api/jobs/cancel", {"job_ids": ["a", "b"]})


def test_a_server_that_cannot_cancel(jobs: Jobs, flaky: FlakyServer) -> None:
    flaky.answers = [reply(405, "405: Method Not Allowed")]
    with pytest.raises(ServerError, match="answered 405: 405: Method Not Allowed"):
        jobs.cancel("a")


def test_an_answer_of_another_form(jobs: Jobs, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply({"cancelled": "yes"})]
    with pytest.raises(DecodeError, match=r"a boolean is due, not a string @ \$\.cancelled"):
        jobs.cancel("a")
