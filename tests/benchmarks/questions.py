"""Target 15: what a client asks the server over HTTP while it waits."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from comfyclient import Client
from tests.benchmarks.corpus import Script
from tests.benchmarks.scripted import WORKFLOW, Asked, asked, order, prepare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.measure import Measured

_INTERVAL = 0.25


def while_events_flow(url: str, seconds: float) -> Measured:
    """How many requests a client makes that waits for a job whose events arrive."""
    pause = _INTERVAL / 5
    with Client(url, poll_interval=_INTERVAL) as client:
        job = client.submit(WORKFLOW)
        prepare(url, Script("stamped", int(seconds / pause), job.prompt_id, pause=pause))
        done = threading.Event()
        client.on("execution_success", lambda _: done.set())
        waiting = threading.Thread(target=job.exception)
        waiting.start()
        with client.listen("progress") as flow:
            order(url, "go")
            flow.get()  # by now the classes of a workflow, asked about once, are known
        before = len(asked(url))
        done.wait()
        requests = len(asked(url)) - before
    waiting.join()
    return {"requests": requests}


def without_jobs(url: str, seconds: float) -> Measured:
    """How many requests a connected client makes that has nothing to do."""
    with Client(url, poll_interval=_INTERVAL) as client:
        client.connect()
        before = len(asked(url))
        time.sleep(seconds)
        return {"requests": len(asked(url)) - before}


def while_socket_is_silent(url: str, jobs: int, seconds: float) -> Measured:
    """Questions about jobs of which nothing is heard; three threads wait for the first one, nobody for the others.

    Returns:
        ``per_interval``: the most that were asked about one job within one interval. ``least``: how many were asked
        about the job that was asked about least. ``queue``: how many asked for the whole queue.
    """
    with Client(url, poll_interval=_INTERVAL) as client:
        submitted = [client.submit(WORKFLOW) for _ in range(jobs)]
        before = len(asked(url))
        waiting = [threading.Thread(target=submitted[0].exception) for _ in range(3)]
        for thread in waiting:
            thread.start()
        time.sleep(seconds)
        questions = asked(url)[before:]
    for thread in waiting:
        thread.join()
    by_job = [[question.at for question in questions if job.prompt_id in question.path] for job in submitted]
    return {
        "per_interval": max(map(_most_per_interval, by_job)),
        "least": min(map(len, by_job)),
        "queue": _count(questions, "/queue"),
    }


def _most_per_interval(moments: Sequence[float]) -> int:
    return max((sum(0 <= other - moment < _INTERVAL for other in moments) for moment in moments), default=0)


def _count(questions: Sequence[Asked], path: str) -> int:
    return sum(question.path == path for question in questions)
