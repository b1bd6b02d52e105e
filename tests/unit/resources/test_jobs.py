"""``client.jobs``: what it asks for, and what it makes of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from comfyclient._convert import structure
from comfyclient.errors import AuthenticationError, DecodeError, ServerError, Unsupported
from comfyclient.resources import Jobs, Server
from comfyclient.types import JobInfo
from tests.captures import capture
from tests.fakes import FlakyServer, json_reply, reply

if TYPE_CHECKING:
    from comfyclient._http import Transport
    from tests.fakes import Answer


@pytest.fixture
def jobs(to_flaky: Transport) -> Jobs:
    return Jobs(to_flaky, Server(to_flaky))


def test_get(jobs: Jobs, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("job_detail_completed"))]
    job = jobs.get("a b")

    assert job is not None
    assert job.status == "completed"
    assert flaky.requests[0].target == "/api/jobs/a%20b"


def test_what_is_not_known_is_none(jobs: Jobs, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply({"error": "Job not found"}, 404)]

    assert jobs.get("a") is None


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


def pages(*parts: list[str], total: int) -> list[Answer]:
    """Answers of the list route with jobs of these ids."""
    answers: list[Answer] = []
    offset = 0
    for part in parts:
        jobs = [{"id": prompt_id, "status": "completed"} for prompt_id in part]
        paging = {"offset": offset, "limit": 2, "total": total, "has_more": offset + len(part) < total}
        answers.append(json_reply({"jobs": jobs, "pagination": paging}))
        offset += len(part)
    return answers


def test_iter_goes_over_all_pages(jobs: Jobs, flaky: FlakyServer) -> None:
    flaky.answers = pages(["a", "b"], ["c", "d"], ["e"], total=5)
    found = jobs.iter(status=iter(["completed"]), sort_by="created_at", sort_order="asc", workflow_id="w", page_size=2)
    first = next(found)

    assert first.id == "a"
    assert len(flaky.requests) == 1  # the next page is not asked for before it is wanted
    assert [job.id for job in found] == ["b", "c", "d", "e"]
    same = {"status": "completed", "sort_by": "created_at", "sort_order": "asc", "workflow_id": "w", "limit": "2"}
    assert [request.query for request in flaky.requests] == [{**same, "offset": at} for at in ("0", "2", "4")]


def test_iter_shows_nothing_twice_though_the_list_moves(jobs: Jobs, flaky: FlakyServer) -> None:
    flaky.answers = pages(["c", "b"], ["b", "a"], total=4)  # one more came meanwhile

    assert [job.id for job in jobs.iter(page_size=2)] == ["c", "b", "a"]


def test_iter_ends_with_a_list_that_became_shorter(jobs: Jobs, flaky: FlakyServer) -> None:
    flaky.answers = pages(["c", "b"], [], total=4)

    assert [job.id for job in jobs.iter(page_size=2)] == ["c", "b"]


@pytest.mark.parametrize("cancelled", [True, False])
def test_cancel(jobs: Jobs, flaky: FlakyServer, cancelled: bool) -> None:  # noqa: FBT001
    flaky.answers = [json_reply({"cancelled": cancelled})]

    assert jobs.cancel("a/b") is cancelled
    assert jobs.cancel_all(iter(["a", "b"])) is cancelled
    one, several = flaky.requests
    assert (one.method, one.target) == ("POST", "/api/jobs/a%2Fb/cancel")
    assert (several.method, several.target, several.json) == ("POST", "/api/jobs/cancel", {"job_ids": ["a", "b"]})


def test_an_answer_of_another_form(jobs: Jobs, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply({"cancelled": "yes"})]
    with pytest.raises(DecodeError, match=r"a boolean is due, not a string @ \$\.cancelled"):
        jobs.cancel("a")


# --- without the routes -------------------------------------------------------------------------------------

MISSING = [reply(404), reply(404, "404: Not Found"), json_reply({"error": "no route"}, 404), reply(404, "<html>no")]
POISONED = reply(500, "500 Internal Server Error", "text/plain")


def paths(flaky: FlakyServer) -> list[str]:
    return [f"{request.method} {request.target}" for request in flaky.requests]


@pytest.mark.parametrize("answer", [*MISSING, POISONED])
@pytest.mark.parametrize("run", ["error_run", "interrupted_run", "execution_blocked", "ui_all"])
def test_get_reads_the_history_as_the_route_would(jobs: Jobs, flaky: FlakyServer, run: str, answer: bytes) -> None:
    expected = structure(capture(f"job_{run}"), JobInfo)
    history = capture(f"history_{run}")
    flaky.answers = [answer, json_reply(history)]
    job = jobs.get(expected.id)

    assert job == evolve(expected, preview_output=None, outputs=history[expected.id]["outputs"])
    assert paths(flaky) == [f"GET /api/jobs/{expected.id}", f"GET /history/{expected.id}"]


def test_get_looks_into_the_queue(jobs: Jobs, flaky: FlakyServer) -> None:
    for expected in structure(capture("jobs_list_active"), dict[str, Any])["jobs"]:
        flaky.requests.clear()
        flaky.answers = [reply(404), json_reply({}), json_reply(capture("queue"))]
        assert jobs.get(expected["id"]) == structure(expected, JobInfo)


def test_get_notices_a_job_that_ends_between_the_questions(jobs: Jobs, flaky: FlakyServer) -> None:
    history = capture("history_interrupted_run")
    (prompt_id,) = history
    empty: dict[str, Any] = {"queue_running": [], "queue_pending": []}
    flaky.answers = [reply(404), json_reply({}), json_reply(empty), json_reply(history)]
    job = jobs.get(prompt_id)

    assert job is not None
    assert job.status == "cancelled"


def test_get_of_what_is_nowhere(jobs: Jobs, flaky: FlakyServer) -> None:
    empty: dict[str, Any] = {"queue_running": [], "queue_pending": []}
    flaky.answers = [reply(404), json_reply({}), json_reply(empty), json_reply({})]

    assert jobs.get("a") is None


@pytest.mark.parametrize("answer", [*MISSING, POISONED])
def test_list_reads_queue_and_history_as_the_route_would(jobs: Jobs, flaky: FlakyServer, answer: bytes) -> None:
    flaky.answers = [answer, json_reply(capture("queue")), json_reply(capture("history_list"))]
    page = jobs.list()
    found = {job.id: job for job in page.jobs}

    for name in ("jobs_list_active", "jobs_list_history"):
        for expected in capture(name)["jobs"]:
            assert found[expected["id"]] == structure(expected, JobInfo)
    assert (page.pagination.total, len(found), page.pagination.has_more) == (11, 11, False)
    times = [job.create_time for job in page.jobs]
    assert times == sorted(times, key=lambda time: -(time or 0))
    assert paths(flaky) == ["GET /api/jobs", "GET /queue", "GET /history"]


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({"status": "pending"}, ["GET /queue"]),
        ({"status": ["In_Progress", "pending"]}, ["GET /queue"]),
        ({"status": "failed, cancelled"}, ["GET /history"]),
        ({"status": "failed,pending"}, ["GET /queue", "GET /history"]),
    ],
)
def test_list_asks_for_no_more_than_it_needs(
    jobs: Jobs, flaky: FlakyServer, given: dict[str, Any], asked: list[str]
) -> None:
    words = given["status"] if isinstance(given["status"], list) else given["status"].split(",")
    bodies = {"GET /queue": capture("queue"), "GET /history": capture("history_list")}
    flaky.answers = [reply(404), *(json_reply(bodies[path]) for path in asked)]
    page = jobs.list(**given)

    assert {job.status for job in page.jobs} == {word.strip().lower() for word in words}
    assert paths(flaky)[1:] == asked


def test_list_sorts_selects_and_cuts(jobs: Jobs, flaky: FlakyServer) -> None:
    def listed(**given: Any) -> Any:
        flaky.requests.clear()
        queued = [] if "status" in given else [json_reply(capture("queue"))]
        flaky.answers = [reply(404), *queued, json_reply(capture("history_list"))]
        return jobs.list(**given)

    every = listed(sort_order="asc")
    times = [job.create_time for job in every.jobs]
    assert times == sorted(times)
    durations = [
        (job.execution_end_time or 0) - (job.execution_start_time or 0)
        for job in listed(sort_by="execution_duration", status="completed,failed,cancelled").jobs
    ]
    assert durations == sorted(durations, reverse=True)
    assert durations[0] > 0
    page = listed(sort_order="asc", limit=2, offset=3)
    assert page.jobs == every.jobs[3:5]
    assert (page.pagination.offset, page.pagination.limit, page.pagination.total) == (3, 2, 11)
    assert page.pagination.has_more
    assert listed(offset=-1).pagination.offset == 0
    assert listed(offset=99).jobs == ()
    assert not listed(offset=10, limit=5).pagination.has_more
    assert {job.workflow_id for job in listed(workflow_id="wf1").jobs} == {"wf1"}
    assert listed(workflow_id="none").pagination.total == 0


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"status": ["bogus", "pending"]}, "status: bogus is none of pending, in_progress, completed"),
        ({"sort_by": "size"}, "sort_by: size is none of created_at, execution_duration"),
        ({"sort_order": "up"}, "sort_order: up is none of asc, desc"),
        ({"limit": 0}, "limit is at least 1, not 0"),
    ],
)
def test_list_knows_the_same_words(jobs: Jobs, flaky: FlakyServer, wrong: dict[str, Any], text: str) -> None:
    flaky.answers = [reply(404)]
    with pytest.raises(ValueError, match=text):
        jobs.list(**wrong)


def test_where_no_time_was_noted_the_order_is_that_of_running(jobs: Jobs, flaky: FlakyServer) -> None:
    """Servers before 0.9 do not note when a prompt was submitted."""

    def item(number: float, prompt_id: str) -> list[Any]:
        return [number, prompt_id, {}, {"create_time": "yesterday"}, []]

    history = {name: {"prompt": item(number, name), "outputs": {}} for number, name in enumerate("ab")}
    queue = {"queue_running": [item(2, "c")], "queue_pending": [item(4, "e"), item(-3, "d")]}
    for order, expected in {"asc": "abcde", "desc": "edcba"}.items():
        flaky.requests.clear()
        flaky.answers = [reply(404), json_reply(queue), json_reply(history)]
        assert "".join(job.id for job in jobs.list(sort_order=order).jobs) == expected


def test_odd_prompts_of_others_do_not_matter(jobs: Jobs, flaky: FlakyServer) -> None:
    odd: list[Any] = [{"extra_pnginfo": None}, {"extra_pnginfo": []}, {"extra_pnginfo": {"workflow": None}}, {}]
    waiting = [[number, f"{number}", {}, extra, []] for number, extra in enumerate(odd)]
    messages = [["execution_start", None], ["odd"], 7, ["execution_success", {"timestamp": "now"}]]
    outputs = {"1": {"images": "all", "3d": ["a.GLB", None, "b.txt"], "animated": [True]}, "2": None}
    status = {"status_str": "success", "completed": True, "messages": messages}
    done = {"prompt": [9, "9", {}, {}, []], "outputs": outputs, "status": status}
    queue = {"queue_running": [], "queue_pending": waiting}
    flaky.answers = [POISONED, json_reply(queue), json_reply({"9": done})]
    found = {job.id: job for job in jobs.list().jobs}

    assert {found[f"{number}"].workflow_id for number in range(4)} == {None}
    assert (found["9"].status, found["9"].outputs_count) == ("completed", 1)
    assert (found["9"].execution_start_time, found["9"].execution_end_time) == (None, None)


def test_a_cycle_that_shows_at_run_time_is_a_failure_here(jobs: Jobs, flaky: FlakyServer) -> None:
    entry = capture("history_runtime_cycle")
    flaky.answers = [POISONED, json_reply({entry["prompt"][1]: entry})]
    job = jobs.get(entry["prompt"][1])

    assert job is not None
    assert job.status == "failed"
    assert job.execution_error is not None


def test_iter_reads_queue_and_history_once(jobs: Jobs, flaky: FlakyServer) -> None:
    flaky.answers = [reply(404), json_reply(capture("queue")), json_reply(capture("history_list"))]

    assert len([*jobs.iter(page_size=2)]) == 11
    assert len(flaky.requests) == 3


@pytest.mark.parametrize("answer", [reply(403), reply(502), reply(503)])
def test_other_failures_are_failures(jobs: Jobs, flaky: FlakyServer, answer: bytes) -> None:
    flaky.answers = [answer]
    for ask in (lambda: jobs.get("a"), jobs.list, lambda: next(jobs.iter()), lambda: jobs.cancel("a")):
        with pytest.raises((ServerError, AuthenticationError)):
            ask()


# --- cancelling without the route; the rest is in tests/old_servers -----------------------------------------


def queue(*running: str, pending: tuple[str, ...] = ()) -> bytes:
    items = {name: [0, name, {}, {}, []] for name in (*running, *pending)}
    state = {"queue_running": [items[name] for name in running], "queue_pending": [items[name] for name in pending]}
    return json_reply(state)


NO_JOBS, NO_CANCEL = reply(404), reply(405, "405: Method Not Allowed")
NEW = json_reply({"system": {"os": "linux", "comfyui_version": "0.3.64"}, "devices": []})
OLD = json_reply({"system": {"os": "posix"}, "devices": []})


@pytest.mark.parametrize("missing", [NO_CANCEL, NO_JOBS])
def test_what_waits_is_deleted(jobs: Jobs, flaky: FlakyServer, missing: bytes) -> None:
    flaky.answers = [missing, queue("x", pending=("a", "b", "a")), reply(200), queue("x", pending=("b",))]

    assert jobs.cancel("a")
    assert paths(flaky)[1:] == ["GET /queue", "POST /queue", "GET /queue"]
    assert flaky.requests[2].json == {"delete": ["a", "a"]}  # as often as it waits


def test_what_is_unknown_is_left_alone(jobs: Jobs, flaky: FlakyServer) -> None:
    flaky.answers = [NO_CANCEL, queue("x", pending=("b",))]

    assert not jobs.cancel("a")
    assert paths(flaky)[1:] == ["GET /queue"]


def test_what_begins_to_run_meanwhile_is_interrupted(jobs: Jobs, flaky: FlakyServer) -> None:
    flaky.answers = [NO_CANCEL, queue("x", pending=("a",)), reply(200), queue("a"), NO_JOBS, NEW, reply(200)]

    assert jobs.cancel("a")
    assert paths(flaky)[-1] == "POST /interrupt"
    assert flaky.requests[-1].json == {"prompt_id": "a"}


def test_an_old_server_interrupts_what_is_alone(jobs: Jobs, flaky: FlakyServer) -> None:
    flaky.answers = [NO_CANCEL, queue("a"), NO_JOBS, OLD, reply(404), queue("a"), reply(200)]

    assert jobs.cancel("a")
    assert (paths(flaky)[-1], flaky.requests[-1].json) == ("POST /interrupt", {})


@pytest.mark.parametrize("then", [queue(), queue("b"), queue("b", pending=("c",))])
def test_an_old_server_interrupts_nothing_when_it_has_just_ended(jobs: Jobs, flaky: FlakyServer, then: bytes) -> None:
    flaky.answers = [NO_CANCEL, queue("a"), NO_JOBS, OLD, reply(404), then]

    assert jobs.cancel("a")
    assert "POST /interrupt" not in paths(flaky)


@pytest.mark.parametrize("others", [queue("a", pending=("b",)), queue("a", "b")])
def test_an_old_server_interrupts_nothing_beside_others(jobs: Jobs, flaky: FlakyServer, others: bytes) -> None:
    flaky.answers = [NO_CANCEL, others, NO_JOBS, OLD, reply(404), others]
    with pytest.raises(Unsupported, match="a way to interrupt one prompt and no other"):
        jobs.cancel_all(["a"])
    assert "POST /interrupt" not in paths(flaky)


def test_one_id_is_not_its_letters(jobs: Jobs, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply({"cancelled": True})]
    jobs.cancel_all("abc")

    assert flaky.requests[0].json == {"job_ids": ["abc"]}
