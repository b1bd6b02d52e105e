"""A client without a websocket. That it finds out every end, the other tests show, which do everything both ways."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from comfyclient import Client, as_completed
from tests.comfyui.images import painted
from tests.relay import Relay
from tests.workflows import PATIENCE, Gate, fresh, image, node, pixels, quick, text

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.needs_test_nodes


@pytest.fixture
def polling(comfyui_url: str) -> Iterator[Client]:
    """It asks at leisure about jobs that are far from their turn: too late for any test that relies on it."""
    with Client(comfyui_url, realtime=False, poll_interval=600) as client:
        yield client


def test_there_is_no_websocket_and_one_thread(comfyui_url: str) -> None:
    with Relay(comfyui_url) as relay, Client(relay.url, realtime=False) as client:
        client.run(quick(fresh()), timeout=PATIENCE)
        assert relay.websockets == 0
        threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("comfyclient-")]
        assert threads == ["comfyclient-dispatcher"]


def test_nobody_can_listen(polling: Client) -> None:
    for listen in (lambda: polling.on("progress", print), polling.listen, polling.connect):
        with pytest.raises(ValueError, match="realtime=False"):
            listen()


def test_one_after_the_other(polling: Client) -> None:
    started = time.monotonic()
    for i in range(50):
        assert polling.run(text(i), timeout=PATIENCE).texts == (str(i),)
    assert time.monotonic() - started < 60


def test_many_at_once(polling: Client) -> None:
    jobs = {polling.submit(text(i)): str(i) for i in range(150)}
    for job in as_completed(jobs, 90):
        assert job.result().texts == (jobs[job],)


def test_from_many_threads(polling: Client) -> None:
    base = fresh()

    def work(number: int) -> list[bytes]:
        jobs = [polling.submit(image(base + 10 * number + turn)) for turn in range(4)]
        return [pixels(job.result(90).images[0]) for job in jobs]

    with ThreadPoolExecutor(12) as pool:
        for number, seen in enumerate(pool.map(work, range(12))):
            assert seen == [painted(base + 10 * number + turn, 16, 16) for turn in range(4)]


def test_the_one_that_runs_is_asked_about_however_many_wait(comfyui_url: str, polling: Client) -> None:
    gates = [Gate(comfyui_url) for _ in range(3)]
    jobs = [polling.submit(gate.workflow()) for gate in gates]
    waiting = [polling.submit(text(i)) for i in range(30)]
    for gate, job in zip(gates, jobs, strict=True):
        gate.wait()
        opened = time.monotonic()
        gate.open()
        job.result(PATIENCE)
        assert time.monotonic() - opened < 10
    for job in waiting:
        job.result(PATIENCE)


def test_a_job_has_no_events_and_still_an_end(polling: Client) -> None:
    job = polling.submit(text("silent"))
    assert list(job.events()) == []
    assert job.done()
    assert job.result(timeout=0).texts == ("silent",)
    seen: list[object] = []
    assert polling.run(text("silent"), timeout=PATIENCE, on_event=seen.append).texts == ("silent",)
    assert seen == []
    assert job.progress == 1.0


def test_images_for_the_websocket_are_missed_and_that_is_said(
    polling: Client, caplog: pytest.LogCaptureFixture
) -> None:
    graph = {"1": node("TestImage", seed=fresh()), "2": node("SaveImageWebsocket", images=["1", 0])}
    with caplog.at_level(logging.WARNING, "comfyclient"):
        assert polling.run(graph, timeout=PATIENCE).images == ()
    assert "SaveImageWebsocket" in caplog.text
