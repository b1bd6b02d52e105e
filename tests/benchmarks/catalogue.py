"""Target 12: the catalogue of all nodes, from the bytes of the answer on."""

from __future__ import annotations

import gc
import gzip
import json
import random
import time
from typing import TYPE_CHECKING, Any

import requests

from comfyclient._http import Transport
from comfyclient.config import ClientConfig
from comfyclient.resources import Nodes
from tests.benchmarks.measure import SECONDS
from tests.captures import HERE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.measure import Measured

KINDS = ("real", "heavy")
"""What a ComfyUI 0.30.0 sent (610 nodes, 0.7 MB), and a server with many node packs and many models (3,000, 14 MB)."""

_TOUCHED = 10  # nodes, as a workflow of some size has classes


def json_loads(kind: str, times: int) -> Measured:
    """The base: ``json.loads``."""
    return _least(lambda body: json.loads(body), kind, times)  # noqa: PLW0108 - with the same call around it


def lazily(kind: str, times: int) -> Measured:
    """``client.nodes.list()``, and a look at ten nodes and their inputs."""

    def load(body: bytes) -> object:
        nodes = _nodes(body).list()
        return nodes, [nodes[name].inputs for name in [*nodes][:: len(nodes) // _TOUCHED]]

    return _least(load, kind, times)


def deep(kind: str, times: int) -> Measured:
    """``client.nodes.list()``, and a look at every node and every input, as a check of a whole catalogue takes it."""

    def load(body: bytes) -> object:
        nodes = _nodes(body).list()
        return nodes, sum(len(node.inputs) for node in nodes.values())

    return _least(load, kind, times)


def kept(kind: str, times: int) -> Measured:
    """The same, and all that was built is kept: what Python's garbage collector makes of it is measured, too."""

    def load(body: bytes) -> object:
        return [(node, node.inputs) for node in _nodes(body).list().values()]

    return _least(load, kind, times)


def search(kind: str, times: int) -> Measured:
    """``client.nodes.search`` in a catalogue that is there."""
    nodes = _nodes(_body(kind))
    nodes.list()
    return _least(lambda _: nodes.search("upscale image"), kind, times)


def _least(load: Callable[[bytes], object], kind: str, times: int) -> Measured:
    """The processor's time of the fastest one, since whatever else the machine does only adds to it."""
    body = _body(kind)
    took = []
    for _ in range(times):
        gc.collect()
        start = time.process_time()
        loaded = load(body)
        took.append(time.process_time() - start)
        del loaded
    return {SECONDS: min(took)}


def _body(kind: str) -> bytes:
    recorded = gzip.decompress((HERE / "0.30.0" / "object_info_all.json.gz").read_bytes())
    return recorded if kind == "real" else heavy(json.loads(recorded))


def heavy(recorded: dict[str, Any], count: int = 3_000) -> bytes:
    """The recorded nodes over and over, under other names; every fifth one offers a choice of 300 models."""
    chance = random.Random(1)  # noqa: S311 - the same catalogue each time
    nodes: dict[str, Any] = {}
    originals = list(recorded.values())
    for number in range(count):
        name = f"{originals[number % len(originals)]['name']} {number}"
        node = nodes[name] = {**originals[number % len(originals)], "name": name}
        if number % 5 == 0:
            models = [f"models of {number}/{chance.randbytes(14).hex()}.safetensors" for _ in range(300)]
            required = {**node["input"].get("required", {}), "model_name": [models, {"tooltip": "The model to load."}]}
            node["input"] = {**node["input"], "required": required}
    return json.dumps(nodes).encode()


class _InMemory(Transport):
    """Has the answer already."""

    def __init__(self, body: bytes) -> None:
        super().__init__(ClientConfig(url="http://in.memory"))
        self._response = requests.Response()
        self._response.status_code = 200
        self._response.url = self.url("/object_info")
        self._response._content = body

    def request(self, *_: Any, **__: Any) -> requests.Response:
        return self._response


def _nodes(body: bytes) -> Nodes:
    return Nodes(_InMemory(body))
