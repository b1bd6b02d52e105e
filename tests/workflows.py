"""Workflows for the tests, in the API format, and the gates that hold them where a test wants them."""

from __future__ import annotations

import io
import uuid
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import requests
from PIL import Image

if TYPE_CHECKING:
    from comfyclient import OutputFile

Graph: TypeAlias = dict[str, dict[str, Any]]

PATIENCE = 30.0
"""Seconds that anything may take before a test gives it up."""


BOTH_WAYS = pytest.mark.parametrize("realtime", [True, False], ids=["websocket", "polling"])
"""Whatever the websocket tells, polling must find out too."""


def fresh() -> int:
    """A seed that no cache knows, for nodes that take any."""
    return uuid.uuid4().int % 2**63


def fresh_color() -> int:
    """A color that hardly any other test takes."""
    return uuid.uuid4().int % 2**24


def node(class_type: str, title: str = "", **inputs: Any) -> dict[str, Any]:
    """A node; a link is a list of node id and output number."""
    return {"class_type": class_type, "inputs": inputs, "_meta": {"title": title or class_type}}


# --- for every server ---------------------------------------------------------------------------------------


def plain(color: int, *, size: int = 16, batch: int = 1) -> Graph:
    """Images of one color, saved; nodes that every ComfyUI has."""
    return {
        "1": node("EmptyImage", width=size, height=size, batch_size=batch, color=color),
        "2": node("SaveImage", "Save it", images=["1", 0], filename_prefix="comfyclient_tests/plain"),
    }


def plain_saved(color: int, *, size: int = 16) -> dict[str, Any]:
    """``plain`` as the editor saves it."""
    empty = {
        "id": 1,
        "type": "EmptyImage",
        "mode": 0,
        "inputs": [],
        "outputs": [{"name": "IMAGE", "type": "IMAGE", "links": [1]}],
        "properties": {},
        "widgets_values": [size, size, 1, color],
    }
    save = {
        "id": 2,
        "type": "SaveImage",
        "title": "Save it",
        "mode": 0,
        "inputs": [{"name": "images", "type": "IMAGE", "link": 1}],
        "outputs": [],
        "properties": {},
        "widgets_values": ["comfyclient_tests/plain"],
    }
    return {
        "id": str(uuid.uuid4()),
        "last_node_id": 2,
        "last_link_id": 1,
        "nodes": [empty, save],
        "links": [[1, 1, 0, 2, 0, "IMAGE"]],
        "version": 0.4,
    }


def half_wrong(color: int) -> Graph:
    """Two outputs, of which the server refuses the one of node 3."""
    graph = plain(color)
    graph["3"] = node("ImageScaleBy", "Enlarge", image=["1", 0], upscale_method="bilinear", scale_by=99.0)
    graph["4"] = node("PreviewImage", images=["3", 0])
    return graph


# --- for servers with our nodes -----------------------------------------------------------------------------


def image(seed: int, *, size: int = 16, batch: int = 1) -> Graph:
    """Images whose pixels ``tests.comfyui.images.painted`` knows, saved."""
    return {
        "1": node("TestImage", seed=seed, width=size, height=size, batch=batch),
        "2": node("SaveImage", "Save it", images=["1", 0], filename_prefix="comfyclient_tests/image"),
    }


def text(value: Any, seed: int | None = None) -> Graph:
    """A text output, without any file."""
    return {"1": node("TestText", value=value, seed=fresh() if seed is None else seed)}


def quick(seed: int) -> Graph:
    """About as little as a prompt can do: one node, one small file."""
    return {"1": node("TestSaveText", text=str(seed), seed=seed)}


def failing(message: str = "because", exception: str = "ValueError") -> Graph:
    """A node that raises; nothing before it."""
    return {"1": node("TestRaise", "Trouble", exception=exception, message=message, seed=fresh())}


def sleeping(seconds: float, *, interruptible: bool = True) -> Graph:
    """A node that sleeps, and only if it is ``interruptible`` looks for interrupts."""
    return {
        "1": node("TestSleep", seconds=seconds, interruptible=interruptible, seed=fresh()),
        "2": node("TestText", value=["1", 0]),
    }


class Gate:
    """Where a prompt waits until the test lets it go on; it notices interrupts meanwhile."""

    def __init__(self, url: str) -> None:
        self.name = uuid.uuid4().hex
        self._routes = f"{url}/comfyclient_test"

    def node(self, **inputs: Any) -> dict[str, Any]:
        """The node that waits; it passes its ``value`` on."""
        return node("TestGate", name=self.name, **inputs)

    def workflow(self, value: Any = "through", **inputs: Any) -> Graph:
        """The gate, perhaps with other inputs of the node, and behind it a text output."""
        return {"1": self.node(value=value, **inputs), "2": node("TestText", "Show it", value=["1", 0])}

    def wait(self) -> None:
        """Until a prompt has reached the gate."""
        answer = requests.get(f"{self._routes}/reached/{self.name}", timeout=2 * PATIENCE)
        assert answer.ok, "no prompt came to the gate"

    def open(self) -> None:
        """Let it go on; it need not be there yet."""
        requests.post(f"{self._routes}/release/{self.name}", timeout=PATIENCE).raise_for_status()

    def is_waited_at(self) -> bool:
        """Whether a prompt is there now."""
        return self.name in requests.get(f"{self._routes}/waiting", timeout=PATIENCE).json()


def drop(url: str, client_id: str) -> None:
    """Have the server cut a client's websocket."""
    requests.post(f"{url}/comfyclient_test/drop", params={"sid": client_id}, timeout=PATIENCE).raise_for_status()


# --- what came out ------------------------------------------------------------------------------------------


def pixels(file: OutputFile | bytes) -> bytes:
    """An image's RGB bytes, fetched from the server if need be."""
    with Image.open(io.BytesIO(file if isinstance(file, bytes) else file.read())) as picture:
        return bytes(picture.convert("RGB").tobytes())


def filled(color: int, size: int = 16) -> bytes:
    """The RGB bytes of an image of one color."""
    return color.to_bytes(3, "big") * size**2
