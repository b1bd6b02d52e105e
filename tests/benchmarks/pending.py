"""Target 14: a thousand jobs waiting on one client."""

from __future__ import annotations

import json
import threading
import time
import tracemalloc
import uuid
from typing import TYPE_CHECKING, Any

import requests

from comfyclient import Client
from tests.benchmarks.runs import workflow

if TYPE_CHECKING:
    from tests.benchmarks.measure import Measured


def on_real_server(url: str, jobs: int) -> Measured:
    """Submit jobs while a gate holds the queue, then let them all run. Seconds for each job, and threads."""
    gate = uuid.uuid4().hex
    with Client(url) as client:
        holding = client.submit(_gate(gate))
        requests.get(f"{url}/comfyclient_test/reached/{gate}", timeout=60).raise_for_status()
        start = time.perf_counter()
        submitted = [client.submit(workflow()) for _ in range(jobs)]
        submitting = time.perf_counter() - start
        threads = sum(thread.name.startswith("comfyclient-") for thread in threading.enumerate())
        start = time.perf_counter()
        requests.post(f"{url}/comfyclient_test/release/{gate}", timeout=60).raise_for_status()
        for job in submitted:
            job.result()
        running = time.perf_counter() - start
        holding.result()
    return {"submit": submitting / jobs, "run": running / jobs, "threads": threads}


def memory(url: str, jobs: int) -> float:
    """Bytes that each waiting job takes beside its prompt of 30 nodes, which is kept as JSON."""
    prompt = _thirty_nodes()
    kept = len(json.dumps(prompt).encode())
    tracemalloc.start()
    with Client(url) as client:
        submitted = [client.submit(prompt) for _ in range(20)]  # whatever is made once is made now
        before = tracemalloc.get_traced_memory()[0]
        submitted += [client.submit(prompt) for _ in range(jobs)]
        taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return taken / jobs - kept


def _gate(name: str) -> dict[str, Any]:
    return {
        "1": {"class_type": "TestGate", "inputs": {"name": name}},
        "2": {"class_type": "TestText", "inputs": {"value": ["1", 0]}},
    }


def _thirty_nodes() -> dict[str, Any]:
    nodes = workflow()
    nodes["3"]["inputs"]["images"] = ["30", 0]
    for number in range(4, 31):
        before = "2" if number == 4 else str(number - 1)
        nodes[str(number)] = {"class_type": "ImageInvert", "inputs": {"image": [before, 0]}}
    return nodes
