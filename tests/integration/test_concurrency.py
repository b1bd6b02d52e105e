"""One client, many jobs: one after the other, and from many threads at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from comfyclient import Client, as_completed
from tests.comfyui.images import painted
from tests.conftest import soon
from tests.relay import Relay
from tests.workflows import PATIENCE, Gate, failing, fresh, image, pixels, quick, text

if TYPE_CHECKING:
    from comfyclient import Job

pytestmark = pytest.mark.needs_test_nodes

STALL = 0.1  # seconds
FAST_JOBS = 1000
THREADS, JOBS = 32, 20


def own_threads() -> list[str]:
    return sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("comfyclient-"))


def test_a_thousand_fast_jobs_in_a_row_never_stall(comfyui_url: str) -> None:
    """Between the server's last word about a job and the end of ``run`` nothing takes long.

    What the server itself takes, such as for collecting its garbage, passes before that last word. On a busy machine
    every thread that the word goes through may stand in line for a processor: that is told apart.
    """
    lags: list[float] = []
    seed = fresh()
    with Relay(comfyui_url) as relay, Client(relay.url) as client:
        for i in range(FAST_JOBS):
            result = client.run(quick(seed + i), timeout=PATIENCE)
            lags.append(relay.heard.taken_since())
            assert [file.filename for file in result.files] == [f"text_{seed + i}.txt"]
        assert relay.websockets == 1
        assert own_threads() == ["comfyclient-dispatcher", "comfyclient-reader"]
        assert soon(lambda: len(client._tracker.registry) == 0)  # nothing is kept of what has ended
    lags.sort()
    assert lags[-1] < STALL, lags[-10:]
    assert lags[FAST_JOBS // 2] < STALL / 10


def test_many_threads_share_one_client(comfyui_url: str) -> None:
    """Every image is the one that its thread asked for; one websocket and two threads are enough for all."""
    base = fresh()
    most_threads: list[list[str]] = []

    def work(number: int) -> list[bytes]:
        seen = []
        for turn in range(JOBS):
            result = client.run(image(base + 1000 * number + turn), timeout=90)
            seen.append(pixels(result["2"].images[0]))
        most_threads.append(own_threads())
        return seen

    with Relay(comfyui_url) as relay, Client(relay.url) as client, ThreadPoolExecutor(THREADS) as pool:
        for number, seen in enumerate(pool.map(work, range(THREADS))):
            assert seen == [painted(base + 1000 * number + turn, 16, 16) for turn in range(JOBS)]
        assert relay.websockets == 1
        assert most_threads == [["comfyclient-dispatcher", "comfyclient-reader"]] * THREADS


def test_all_submitted_at_once(client: Client) -> None:
    jobs = {client.submit(text(i)): str(i) for i in range(300)}
    for job in as_completed(jobs, 90):
        assert job.result().texts == (jobs[job],)


def test_a_mixture_of_ends_in_many_threads(comfyui_url: str, client: Client) -> None:
    """Some succeed, some fail, some are cancelled, and each thread learns of its own."""
    names = {"good": "completed", "bad": "failed", "cancelled": "cancelled"}

    def work(number: int) -> None:
        for kind, status in names.items():
            if kind == "cancelled":
                job: Job = client.submit(Gate(comfyui_url).workflow())
                assert job.cancel(PATIENCE)
            else:
                job = client.submit(text(f"{kind} {number}") if kind == "good" else failing(f"{kind} {number}"))
            error = job.exception(PATIENCE)
            assert job.status == status
            assert (error is None) == (kind == "good")
            if kind == "good":
                assert job.result().texts == (f"good {number}",)
            if kind == "bad":
                assert f"bad {number}" in str(error)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, range(24)))


def test_many_threads_wait_for_one_job(comfyui_url: str, client: Client) -> None:
    gate = Gate(comfyui_url)
    job = client.submit(gate.workflow())
    with ThreadPoolExecutor(16) as pool:
        results = [pool.submit(job.result, PATIENCE) for _ in range(16)]
        events = [pool.submit(list, job.events()) for _ in range(4)]
        gate.wait()
        gate.open()
        assert {result.result(PATIENCE).texts for result in results} == {("through",)}
        last = [each.result(PATIENCE)[-1] for each in events]
    assert [event.type for event in last] == ["executing"] * 4


def test_several_clients_at_once(comfyui_url: str) -> None:
    def work(number: int) -> list[tuple[str, ...]]:
        with Client(comfyui_url) as client:
            jobs = [client.submit(text(f"{number} {turn}")) for turn in range(5)]
            return [job.result(PATIENCE).texts for job in jobs]

    with ThreadPoolExecutor(8) as pool:
        for number, seen in enumerate(pool.map(work, range(16))):
            assert seen == [(f"{number} {turn}",) for turn in range(5)]
