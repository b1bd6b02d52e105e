"""How many prompts come first: asked for seldom, by another thread than the one that looks."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import Client, Job
from comfyclient._tracking.queue_place import QueuePlace
from tests.conftest import soon
from tests.fakes import reply
from tests.realtime.comfy import WORKFLOW, Comfy, start, status
from tests.realtime.peer import PATIENCE

if TYPE_CHECKING:
    from tests.fakes import Request
    from tests.realtime.conftest import Connect


def listings(comfy: Comfy) -> int:
    return sum(question in {"GET /api/jobs", "GET /queue"} for question in comfy.questions())


def others(client: Client, count: int, **options: Any) -> list[str]:
    """Prompts of somebody else's."""
    ids = [str(uuid.uuid4()) for _ in range(count)]
    for prompt_id in ids:
        client.queue.submit(WORKFLOW, prompt_id=prompt_id, **options)
    return ids


def place_of(job: Job) -> QueuePlace:
    """Its place, which may be asked for at once."""
    place = QueuePlace(job._tracker, job._state)
    place._due_at = 0.0
    return place


def becomes(place: QueuePlace, ahead: int | None) -> bool:
    return soon(lambda: place.ahead() == ahead, PATIENCE)


def asked(place: QueuePlace) -> bool:
    """Look once; whether that asked the server, and if so, wait for the answer."""
    before = place._due_at
    place.ahead()
    assert soon(lambda: not place._is_asking, PATIENCE)
    return place._due_at != before


def test_what_runs_and_what_waits_before_it_counts(comfy: Comfy, client: Client) -> None:
    first, *_ = others(client, 3)
    job = client.submit(WORKFLOW)
    others(client, 2)
    comfy.begin(first)
    place = place_of(job)
    assert becomes(place, 3)
    assert listings(comfy) == 1


def test_an_old_server_tells_it_too() -> None:
    with Comfy(jobs_route=False) as comfy, Client(comfy.url) as client:
        others(client, 2)
        job = client.submit(WORKFLOW)
        others(client, 1)
        assert becomes(place_of(job), 2)


def test_it_is_asked_for_again_only_after_the_queue_has_changed_and_some_time(comfy: Comfy, client: Client) -> None:
    first, _ = others(client, 2)
    job = client.submit(WORKFLOW)
    assert soon(lambda: client._tracker.router.queue_count[0] == 3)  # all that was told of the queue has come
    place = place_of(job)
    assert becomes(place, 2)
    place._due_at = 0.0
    assert not asked(place)  # nothing has changed
    comfy.forget(first)
    counted = client._tracker.router.queue_count
    comfy.tell(status(2))
    assert soon(lambda: client._tracker.router.queue_count != counted)
    place._due_at = float("inf")
    assert not asked(place)  # too soon
    place._due_at = 0.0
    assert asked(place)
    assert place.ahead() == 1
    assert listings(comfy) == 2


def test_a_job_that_has_just_been_queued_is_not_asked_about(client: Client) -> None:
    job = client.submit(WORKFLOW)
    place = QueuePlace(job._tracker, job._state)
    place._due_at += 1000
    assert not asked(place)


def test_the_server_is_not_asked_about_a_job_that_runs(comfy: Comfy, client: Client) -> None:
    job = client.submit(WORKFLOW)
    place = place_of(job)
    comfy.begin(job.prompt_id)
    comfy.tell(*start(job.prompt_id))
    assert soon(lambda: job.status == "in_progress")
    assert asked(place)  # it may have begun while the question was on its way to the thread that asks
    assert (place.ahead(), listings(comfy)) == (None, 0)


def test_without_a_websocket_the_queue_is_listed_when_its_length_has_changed(comfy: Comfy, connect: Connect) -> None:
    client = connect(realtime=False, poll_interval=1000)
    first, _ = others(client, 2)
    job = client.submit(WORKFLOW)
    place = place_of(job)
    assert becomes(place, 2)
    place._due_at = 0.0
    assert asked(place)
    assert (place.ahead(), listings(comfy)) == (2, 1)
    comfy.forget(first)
    place._due_at = 0.0
    assert asked(place)
    assert (place.ahead(), listings(comfy)) == (1, 2)


def test_whoever_looks_does_not_wait_for_a_slow_server_and_asks_it_seldom(comfy: Comfy, client: Client) -> None:
    reached, released = threading.Event(), threading.Event()
    ordinary = comfy.routes["GET", "/api/jobs"]

    def slow(request: Request) -> Any:
        reached.set()
        assert released.wait(PATIENCE)
        return ordinary(request)

    others(client, 1)
    job = client.submit(WORKFLOW)
    comfy.routes["GET", "/api/jobs"] = slow
    place = place_of(job)
    assert place.ahead() is None
    assert reached.wait(PATIENCE)
    assert place.ahead() is None
    released.set()
    assert becomes(place, 1)


@pytest.mark.parametrize("answer", [reply(500), reply(200, "nonsense")], ids=["an error", "nonsense"])
def test_a_server_that_does_not_say_leaves_it_open_and_is_asked_again(
    comfy: Comfy, client: Client, answer: bytes
) -> None:
    others(client, 1)
    job = client.submit(WORKFLOW)
    routes = {key: comfy.routes[key] for key in (("GET", "/api/jobs"), ("GET", "/queue"))}
    comfy.routes |= dict.fromkeys(routes, answer)
    place = place_of(job)
    assert asked(place)
    assert place.ahead() is None
    comfy.routes |= routes
    place._due_at = 0.0
    assert becomes(place, 1)
