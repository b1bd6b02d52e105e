"""Targets 6 and 7: whole runs of a small workflow on a real ComfyUI, against scripts that do the least."""

from __future__ import annotations

import itertools
import json
import time
import urllib.parse
import urllib.request
import uuid
from statistics import median
from typing import TYPE_CHECKING, Any

import requests

from comfyclient import Client
from tests.benchmarks import raw
from tests.benchmarks.measure import SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.benchmarks.measure import Measured

_colors = itertools.count(1)


def workflow() -> dict[str, Any]:
    """EmptyImage, ImageInvert, SaveImage; of another colour each time, so that nothing comes from the cache."""
    return {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": next(_colors)},
        },
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "bench"}},
    }


def with_sdk(url: str, runs: int) -> Measured:
    """``client.run`` and the image's bytes. Seconds, the median over the runs."""
    with Client(url) as client:
        client.connect()
        return _median(lambda: _check(client.run(workflow()).images[0].read()), runs)


def with_raw_script(url: str, runs: int) -> Measured:
    """The base: an open websocket, one ``Session``, images from ``executed``, over at ``execution_success``."""
    client_id = uuid.uuid4().hex
    socket = raw.connect(url, client_id)
    with requests.Session() as session:

        def run() -> None:
            body = {"prompt": workflow(), "client_id": client_id}
            prompt_id = session.post(f"{url}/prompt", json=body).json()["prompt_id"]
            images: list[Any] = []
            while True:
                message = json.loads(socket.recv())
                if message["data"].get("prompt_id") != prompt_id:
                    continue
                if message["type"] == "executed":
                    images += message["data"]["output"]["images"]
                elif message["type"] == "execution_success":
                    break
            _check(session.get(f"{url}/view", params=images[0]).content)

        measured = _median(run, runs)
    socket.close()
    return measured


def with_official_example(url: str, runs: int) -> Measured:
    """As ComfyUI's websockets_api_example.py does it: urllib, over at ``executing`` None, outputs from the history."""
    client_id = uuid.uuid4().hex
    socket = raw.connect(url, client_id, check_utf8=True)

    def fetch(path: str, data: bytes | None = None) -> bytes:
        with urllib.request.urlopen(urllib.request.Request(url + path, data)) as response:  # noqa: S310 - our own URL
            content: bytes = response.read()
            return content

    def run() -> None:
        body = {"prompt": workflow(), "client_id": client_id}
        prompt_id = json.loads(fetch("/prompt", json.dumps(body).encode()))["prompt_id"]
        while True:
            message = json.loads(socket.recv())
            if message["type"] == "executing" and message["data"] == {"node": None, "prompt_id": prompt_id}:
                break
        outputs = json.loads(fetch(f"/history/{prompt_id}"))[prompt_id]["outputs"]
        _check(fetch(f"/view?{urllib.parse.urlencode(outputs['3']['images'][0])}"))

    measured = _median(run, runs)
    socket.close()
    return measured


def one_after_the_other(url: str, jobs: int) -> Measured:
    """``client.run`` for each. Seconds for all."""
    with Client(url) as client:
        client.connect()
        start = time.perf_counter()
        for _ in range(jobs):
            _check(client.run(workflow()).images[0].read())
        return {SECONDS: time.perf_counter() - start}


def all_at_once(url: str, jobs: int) -> Measured:
    """``client.submit`` for all of them, then their results. Seconds for all."""
    with Client(url) as client:
        client.connect()
        start = time.perf_counter()
        submitted = [client.submit(workflow()) for _ in range(jobs)]
        for job in submitted:
            _check(job.result().images[0].read())
        return {SECONDS: time.perf_counter() - start}


def _median(run: Callable[[], None], runs: int) -> Measured:
    """Of the first run nothing is counted. The median, since the server collects garbage now and then."""
    run()
    return {SECONDS: median(_timed(run, runs))}


def _timed(run: Callable[[], None], runs: int) -> Iterator[float]:
    for _ in range(runs):
        start = time.perf_counter()
        run()
        yield time.perf_counter() - start


def _check(image: bytes) -> None:
    if not image.startswith(b"\x89PNG"):
        raise ValueError(f"this is no image: {image[:80]!r}")
