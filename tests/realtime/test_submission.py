"""A workflow runs exactly once, whatever happens to the answer."""

from __future__ import annotations

import contextlib
import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.errors import DecodeError, PromptRejected, RequestTimeout, ServerError, ServerUnreachable
from comfyclient.events import Executed
from tests.fakes import Request, hang_up, json_reply, reply, silence
from tests.realtime.comfy import OUTPUT, WORKFLOW, Comfy, event, old_run, run, start, status, until
from tests.realtime.peer import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient import Client
    from tests.realtime.conftest import Connect

THEIRS = "11111111-2222-4333-8444-555555555555"


@pytest.fixture(autouse=True)
def _short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A prompt whose answer was lost is looked for as often as ever, but not for five seconds."""
    monkeypatch.setattr("comfyclient._tracking.submission._LOOKS", (0.0, 0.01, 0.02, 0.04, 0.08, 0.15, 0.2))


def posts(comfy: Comfy) -> int:
    return len(comfy.asked("POST", "/prompt"))


# --- the ordinary course ------------------------------------------------------------------------------------


def test_invariant_10_the_client_chooses_the_id(comfy: Comfy, client: Client) -> None:
    job = client.submit(WORKFLOW)
    (request,) = comfy.asked("POST", "/prompt")
    assert {node: sent["inputs"] for node, sent in request.json["prompt"].items()} == {
        node: sent["inputs"] for node, sent in WORKFLOW.items()
    }
    assert request.json["client_id"] == client.config.client_id == comfy.link().request.query["clientId"]
    assert request.json["prompt_id"] == job.prompt_id == str(uuid.UUID(job.prompt_id))
    assert uuid.UUID(job.prompt_id).version == 4


def test_invariant_10_the_websocket_is_open_and_the_job_known_before_the_prompt_is_posted(
    comfy: Comfy, client: Client
) -> None:
    links: list[int] = []

    def complete(prompt_id: str) -> None:
        links.append(len(comfy.links))
        comfy.complete(prompt_id)

    comfy.on_prompt = complete
    job = client.submit(WORKFLOW)
    assert links == [1]
    assert job.result(PATIENCE).images
    assert comfy.questions() == []


def test_many_threads_submit_at_once(comfy: Comfy, client: Client) -> None:
    comfy.on_prompt = lambda prompt_id: comfy.link().send(*run(prompt_id))
    with ThreadPoolExecutor(16) as pool:
        jobs = list(pool.map(lambda _: client.submit(WORKFLOW), range(64)))
        results = list(pool.map(lambda job: job.result(PATIENCE), jobs))
    assert [result.prompt_id for result in results] == [job.prompt_id for job in jobs]
    assert len({job.prompt_id for job in jobs}) == posts(comfy) == 64
    assert len(comfy.attempts) == 1


def test_a_refusal_is_final(comfy: Comfy, client: Client) -> None:
    body = {
        "error": {"type": "prompt_no_outputs", "message": "Prompt has no outputs", "details": "", "extra_info": {}},
        "node_errors": {},
    }
    comfy.routes["POST", "/prompt"] = json_reply(body, 400)
    with pytest.raises(PromptRejected, match="the server refused the workflow"):
        client.submit(WORKFLOW)
    assert posts(comfy) == 1
    assert comfy.questions() == []
    assert client._tracker.registry.live() == []


@pytest.mark.parametrize("code", [413, 429, 500])
def test_invariant_10_other_errors_are_not_tried_again(comfy: Comfy, client: Client, code: int) -> None:
    comfy.routes["POST", "/prompt"] = reply(code, "no", "text/plain")
    with pytest.raises(ServerError, match=f"answered {code}: no"):
        client.submit(WORKFLOW)
    assert posts(comfy) == 1


# --- lost answers -------------------------------------------------------------------------------------------


def losing(comfy: Comfy, then: Callable[[str], object], answer: Any = hang_up) -> Callable[[Request], Any]:
    """Accept a prompt, do something with it, and answer badly."""

    def route(request: Request) -> Any:
        accepted: dict[str, Any] = comfy.accept(request)
        then(accepted["prompt_id"])
        return answer

    return route


def nothing(_: str) -> None:
    pass


ANSWERS: dict[str, Any] = {
    "closed": hang_up,
    "502": reply(502, "<html><title>Bad Gateway</title>", "text/html"),
    "504": reply(504),
    "none in time": silence(),
    "500": reply(500, "oops", "text/plain"),
    "524": reply(524, "<html><title>A timeout occurred</title>", "text/html"),
    "empty": reply(200),
    "a page": reply(200, "<html>Welcome</html>", "text/html"),
    "half of one": lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
}


def patience(answer: str) -> float:
    """Seconds that an answer may take: few only where there is none."""
    return 0.3 if answer == "none in time" else PATIENCE


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("place", ["pending", "running", "history"])
def test_invariant_10_a_prompt_whose_answer_was_lost_is_found(
    comfy: Comfy, connect: Connect, place: str, answer: str
) -> None:
    then = {"pending": nothing, "running": comfy.begin, "history": comfy.finish}[place]
    comfy.routes["POST", "/prompt"] = losing(comfy, then, ANSWERS[answer])
    client = connect(read_timeout=patience(answer), poll_interval=0.05)
    job = client.submit(WORKFLOW)
    assert posts(comfy) == 1
    assert comfy.prompts == [job.prompt_id]
    assert job.number == 0
    if place != "history":
        comfy.complete(job.prompt_id)
    assert job.result(PATIENCE).images
    assert posts(comfy) == 1


@pytest.mark.parametrize("answer", ["closed", "502", "none in time"])
def test_invariant_10_a_prompt_that_is_not_found_is_an_error_and_not_posted_again(
    comfy: Comfy, connect: Connect, answer: str
) -> None:
    comfy.routes["POST", "/prompt"] = lambda _: ANSWERS[answer]
    client = connect(read_timeout=patience(answer))
    kind = {"closed": ServerUnreachable, "502": ServerError, "none in time": RequestTimeout}[answer]
    with pytest.raises(kind):
        client.submit(WORKFLOW)
    assert posts(comfy) == 1
    assert comfy.questions().count("GET /queue") == 7
    assert client._tracker.registry.live() == []


def test_invariant_10_a_prompt_that_appears_late_is_found(comfy: Comfy, connect: Connect) -> None:
    looked = threading.Semaphore(0)
    held: list[Request] = []
    find = comfy.routes["GET", "/queue"]

    def queue(request: Request) -> Any:
        looked.release()
        if len(comfy.asked("GET", "/queue")) == 3:
            comfy.accept(held[0])
        return find(request)

    def lose(request: Request) -> Any:
        held.append(request)
        return hang_up

    comfy.routes["POST", "/prompt"] = lose
    comfy.routes["GET", "/queue"] = queue
    job = connect().submit(WORKFLOW)
    assert comfy.prompts == [job.prompt_id]
    assert posts(comfy) == 1


def test_invariant_10_events_find_it_sooner(comfy: Comfy, client: Client) -> None:
    def begin(prompt_id: str) -> None:
        comfy.tell(*start(prompt_id))
        heard.get(timeout=PATIENCE)

    comfy.routes["POST", "/prompt"] = losing(comfy, begin)
    comfy.routes["GET", "/queue"] = reply(500)  # nothing can be found here
    with client.listen("execution_cached") as heard:
        job = client.submit(WORKFLOW)
    comfy.complete(job.prompt_id)
    assert job.result(PATIENCE).images
    assert posts(comfy) == 1


def test_invariant_10_where_nothing_can_be_known_the_error_says_so(comfy: Comfy, connect: Connect) -> None:
    def vanish(request: Request) -> Any:
        comfy.accept(request)
        comfy.hide()
        comfy.drop_all()
        return hang_up

    comfy.routes["POST", "/prompt"] = vanish
    client = connect(retry=None)
    with pytest.raises(ServerUnreachable, match=r"whether prompt [0-9a-f-]{36} was queued is not known") as caught:
        client.submit(WORKFLOW)
    assert caught.value.maybe_sent
    assert str(caught.value).count("gave no complete answer") == 1
    comfy.show()
    prompt_id = re.findall(r"prompt ([0-9a-f-]{36})", str(caught.value))[0]
    job = client.job(prompt_id)
    comfy.complete(prompt_id)
    assert job.result(PATIENCE).images
    assert posts(comfy) == 1


def test_a_page_instead_of_every_answer_is_shown(comfy: Comfy, connect: Connect) -> None:
    """A portal that wants somebody to sign in; the connection itself is fine."""
    page = reply(200, "<html>Sign in to continue</html>", "text/html")
    comfy.routes["POST", "/prompt"] = comfy.routes["GET", "/queue"] = page
    with pytest.raises(ServerUnreachable, match=r"gave no complete answer: .* 200 .*Sign in to continue") as caught:
        connect(give_up_after=1).submit(WORKFLOW)
    assert "broke" not in str(caught.value)


def test_invariant_10_a_look_that_was_not_answered_is_none(comfy: Comfy, client: Client) -> None:
    """A proxy talks nonsense once more than for the submission alone."""
    comfy.routes["POST", "/prompt"] = losing(comfy, lambda _: None, reply(200, "{", "application/json"))
    find = comfy.routes["GET", "/queue"]
    answers = iter([reply(200, "{", "application/json")])
    comfy.routes["GET", "/queue"] = lambda request: next(answers, None) or find(request)
    job = client.submit(WORKFLOW)
    comfy.complete(job.prompt_id)
    assert job.result(PATIENCE).images
    assert posts(comfy) == 1


def test_looking_ends_with_the_patience_for_a_server_that_is_gone(
    comfy: Comfy, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comfyclient._tracking.submission._LOOKS", (0.0, 600.0))
    comfy.routes["POST", "/prompt"] = losing(comfy, lambda _: None)
    comfy.routes["GET", "/queue"] = hang_up
    with pytest.raises(ServerUnreachable, match="is not known"):
        connect(give_up_after=1).submit(WORKFLOW)


def test_invariant_10_nobody_there_is_told_at_once(comfy: Comfy, connect: Connect) -> None:
    client = connect()
    client.connect()
    comfy.hide()
    comfy.drop_all()
    with pytest.raises(ServerUnreachable, match="no ComfyUI server answers") as caught:
        client.submit(WORKFLOW)
    assert not caught.value.maybe_sent
    assert posts(comfy) == 0


def test_invariant_10_a_connection_that_the_server_closed_meanwhile_is_not_used(comfy: Comfy, client: Client) -> None:
    for _ in range(5):
        client.queue.list()  # leaves an open connection behind
        with comfy.changed:
            idle = [connection for connection in comfy._open if connection is not _socket_of(comfy)]
        for connection in idle:
            with contextlib.suppress(OSError):
                connection.shutdown(2)
        comfy.wait_for(lambda: not set(idle) & comfy._open)  # noqa: B023 - called at once
        client.submit(WORKFLOW)
    assert posts(comfy) == len(comfy.prompts) == 5


def _socket_of(comfy: Comfy) -> Any:
    return comfy.links[0]._connection if comfy.links else None


# --- servers that choose the ids ----------------------------------------------------------------------------


def old(comfy: Comfy) -> None:
    """Servers before 2025: ids of their own, and no route for jobs."""
    comfy.chosen_ids = [str(uuid.uuid4()) for _ in range(100)]
    del comfy.routes["GET", "/api/jobs/*"]


def test_invariant_10_the_id_in_the_answer_wins(comfy: Comfy, client: Client) -> None:
    old(comfy)
    expected = comfy.chosen_ids[0]
    job = client.submit(WORKFLOW)
    assert job.prompt_id == expected
    comfy.finish(job.prompt_id)
    comfy.tell(*old_run(job.prompt_id))
    result = job.result(PATIENCE)
    assert result.prompt_id == expected
    assert result.images
    assert client._tracker.registry.live() == []


def test_invariant_10_events_before_the_answer_are_not_lost(comfy: Comfy, client: Client) -> None:
    old(comfy)
    sent = threading.Event()

    def go_ahead(prompt_id: str) -> None:
        comfy.tell(*old_run(prompt_id)[:5])
        executed_heard.get(timeout=PATIENCE)
        sent.set()

    comfy.on_prompt = go_ahead
    with client.listen(Executed) as executed_heard:
        job = client.submit(WORKFLOW)
        assert sent.is_set()
        assert job.status == "in_progress"
        events = job.events()
        kinds = [next(events).type for _ in range(5)]
        assert kinds == ["execution_start", "execution_cached", "executing", "executing", "executed"]
        comfy.finish(job.prompt_id)
        comfy.tell(*old_run(job.prompt_id)[5:])
        assert job.result(PATIENCE).images


def test_invariant_10_a_whole_run_before_the_answer_is_not_lost(comfy: Comfy, connect: Connect) -> None:
    old(comfy)
    client = connect(poll_interval=60)  # nobody comes to its help

    def run_it(prompt_id: str) -> None:
        comfy.finish(prompt_id)
        comfy.tell(*old_run(prompt_id))
        until(everything, Executed)

    comfy.on_prompt = run_it
    with client.listen() as everything:
        for _ in range(5):
            assert client.submit(WORKFLOW).result(PATIENCE).images


def test_invariant_10_many_threads_on_an_old_server_get_their_own_results(comfy: Comfy, connect: Connect) -> None:
    old(comfy)
    client = connect(poll_interval=60)

    def run_it(prompt_id: str) -> None:
        comfy.finish(prompt_id, outputs={"2": {"text": [prompt_id]}})
        comfy.link().send(*old_run(prompt_id))

    comfy.on_prompt = run_it
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: client.run(WORKFLOW, timeout=PATIENCE), range(40)))
    assert all(result.texts == (result.prompt_id,) for result in results)
    assert len({result.prompt_id for result in results}) == 40


@pytest.mark.parametrize("place", ["pending", "history"])
def test_invariant_10_a_lost_answer_of_an_old_server_is_found_by_its_mark(
    comfy: Comfy, connect: Connect, place: str
) -> None:
    old(comfy)
    expected = comfy.chosen_ids[0]
    comfy.routes["POST", "/prompt"] = losing(comfy, nothing if place == "pending" else comfy.finish)
    client = connect(poll_interval=0.05)
    job = client.submit(WORKFLOW)
    assert job.prompt_id == expected
    if place == "pending":
        comfy.finish(job.prompt_id)
        comfy.tell(*old_run(job.prompt_id))
    assert job.result(PATIENCE).images
    assert posts(comfy) == 1


def test_somebody_elses_prompt_is_not_taken_for_ours(comfy: Comfy, connect: Connect) -> None:
    client = connect()
    client.queue.submit(WORKFLOW, prompt_id=THEIRS)
    comfy.tell(status(1), event("execution_start", THEIRS), event("executed", THEIRS, node="2", output=OUTPUT))
    comfy.routes["POST", "/prompt"] = lambda _: hang_up
    with pytest.raises(ServerUnreachable):
        client.submit(WORKFLOW)
    assert comfy.prompts == [THEIRS]


def test_an_answer_with_the_id_of_another_prompt_is_an_error(comfy: Comfy, client: Client) -> None:
    comfy.chosen_ids = [THEIRS, THEIRS]
    first = client.submit(WORKFLOW)
    with pytest.raises(DecodeError, match="has the id of another one"):
        client.submit(WORKFLOW)
    comfy.complete(THEIRS)
    assert first.result(PATIENCE).images
