"""Runs captured from the real server, repeated with nodes of the same ways: the same events in the same order."""

# ruff: noqa: N802 - a node's function is called what the class is

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pytest
import requests

from comfyclient.testing import Blocked, Context, EmbeddedServer, Image, node
from tests.recorder import SECONDS, Recorder, short

if TYPE_CHECKING:
    from collections.abc import Iterator

CAPTURES = Path(__file__).parent.parent / "captures" / "ws"
ANY = Annotated[Any, "*"]


@node
def ProtoSleep(context: Context, seconds: float, steps: int, nonce: int, any: ANY = None) -> int:  # noqa: A002, ARG001
    """Progress in steps."""
    for step in range(steps):
        time.sleep(seconds / steps)
        context.progress(step + 1, steps)
    return nonce


@node(output_node=True)
def ProtoRaise(kind: str, nonce: int, image: Image | None = None, any: ANY = None) -> int:  # noqa: A002, ARG001
    """Raises."""
    raise ValueError(f"boom {nonce}")


@node(output_node=True)
def ProtoText(context: Context, text: str, nonce: int) -> str:  # noqa: ARG001
    """Says something in every way."""
    context.text(text)
    context.text(f"to-client:{text}")
    context.send("proto-notify", {"msg": text, "node": context.node_id}, everybody=True)
    context.send(99, b"\x01\x02\x03custom")
    return {"ui": {"text": (text,)}, "result": (text,)}  # type: ignore[return-value]  # as any node may


class ProtoList:
    """A list."""

    CATEGORY = "proto"
    FUNCTION = "run"
    RETURN_TYPES = ("INT", "STRING")
    OUTPUT_IS_LIST = (True, False)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {"n": ("INT", {"default": 3})}}

    def run(self, n: int) -> tuple[list[int], str]:
        return (list(range(n)), "x")


@node(output_node=True)
def ProtoShow(any: ANY) -> None:  # noqa: A002
    """Shows it."""
    return {"ui": {"text": [str(any)]}}  # type: ignore[return-value]


@node(output_node=True)
def ProtoUI(kind: str, nonce: int) -> None:  # noqa: ARG001
    """Shows what is no JSON, strictly."""
    return {"ui": {"value": [float("nan"), float("inf")]}}  # type: ignore[return-value]


@node
def ProtoBlock(message: str) -> ANY:
    """Blocks."""
    return Blocked(message or None)


@node
async def ProtoAsync(context: Context, seconds: float, nonce: int, fail: bool) -> int:  # noqa: ARG001, FBT001
    """Takes its time, and lets others run."""
    for step in range(3):
        await asyncio.sleep(seconds / 3)
        context.progress(step + 1, 3)
    return nonce


@node
def ProtoExpand(context: Context, n: int, fail: bool, show: bool) -> int:  # noqa: FBT001
    """Turns into others."""
    graph = context.expansion()
    last: Any = None
    for number in range(n):
        more = {} if last is None else {"any": last.out(0)}
        last = graph.node("ProtoSleep", seconds=0.2, steps=2, nonce=number, **more)
    if fail:
        last = graph.node("ProtoRaise", kind="ValueError", nonce=77, any=last.out(0))
    if show:
        graph.node("ProtoShow", any=last.out(0))
    return {"result": (last.out(0),), "expand": graph.finalize()}  # type: ignore[return-value]


@node
def ProtoCycle(context: Context, nonce: int) -> int:
    """Turns into two that wait for each other."""
    graph = context.expansion()
    first = graph.node("ProtoSleep", seconds=0.1, steps=1, nonce=nonce)
    second = graph.node("ProtoSleep", seconds=0.1, steps=1, nonce=nonce + 1, any=first.out(0))
    first.set_input("any", second.out(0))
    return {"result": (second.out(0),), "expand": graph.finalize()}  # type: ignore[return-value]


NODES = [
    ProtoSleep,
    ProtoRaise,
    ProtoText,
    ProtoList,
    ProtoShow,
    ProtoUI,
    ProtoBlock,
    ProtoAsync,
    ProtoExpand,
    ProtoCycle,
]


def n(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


# In the order in which the real server, whose outputs are a set, happened to run them.
RUNS: dict[str, dict[str, Any]] = {
    "list_outputs": {
        "1": n("ProtoList", n=3),
        "3": n("ProtoShow", any=["1", 1]),
        "2": n("ProtoShow", any=["1", 0]),
    },
    "async_nodes": {
        "1": n("ProtoAsync", seconds=0.3, nonce=1, fail=False),
        "2": n("ProtoAsync", seconds=0.3, nonce=2, fail=False),
        "3": n("ProtoShow", any=["1", 0]),
        "4": n("ProtoShow", any=["2", 0]),
    },
    "subgraph_expansion": {
        "1": n("ProtoExpand", n=2, fail=False, show=True),
        "3": n("ProtoShow", any=["1", 0]),
    },
    "subgraph_error": {
        "1": n("ProtoExpand", n=1, fail=True, show=False),
        "3": n("ProtoShow", any=["1", 0]),
    },
    "execution_blocked": {"1": n("ProtoBlock", message="blocked!"), "2": n("ProtoShow", any=["1", 0])},
    "runtime_cycle": {"1": n("ProtoCycle", nonce=1), "2": n("ProtoShow", any=["1", 0])},
    "text_progress": {"1": n("ProtoText", text="grüße", nonce=1)},
    "ui_nan": {"1": n("ProtoUI", kind="nan", nonce=0)},
    "error_run": {
        "1": n("EmptyImage", width=8, height=8, batch_size=1, color=0),
        "3": n("PreviewImage", images=["1", 0]),
        "2": n("ProtoRaise", kind="ValueError", nonce=1, image=["1", 0]),
    },
}
# The real server still knew the first node of that chain from the run before.
BEFORE = {"subgraph_error": "subgraph_expansion"}


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    with EmbeddedServer(NODES) as server:
        yield server


def captured(name: str) -> list[Any]:
    lines = (CAPTURES / f"ws_{name}.jsonl").read_text(encoding="utf-8").splitlines()
    frames = [json.loads(line) for line in lines]
    messages = [frame["text"] if "text" in frame else bytes.fromhex(frame["hex_head"]) for frame in frames]
    start = max(place for place, message in enumerate(messages) if short(message) == "execution_start")
    end = next(place for place, message in enumerate(messages) if short(message) == "executing:None" and place > start)
    return messages[start : end + 1]


@pytest.mark.parametrize("name", RUNS)
def test_a_captured_run(name: str, server: EmbeddedServer) -> None:
    messages: list[Any] = []
    with Recorder(server.url) as recorder:
        for each in filter(None, (BEFORE.get(name), name)):
            body = {"prompt": RUNS[each], "client_id": "recorder"}
            requests.post(f"{server.url}/prompt", json=body, timeout=SECONDS).raise_for_status()
            messages = recorder.until_end()[2:]
    expected = captured(name)
    assert list(map(short, messages)) == list(map(short, expected))
    assert [shape(message) for message in messages] == [shape(message) for message in expected]


def shape(message: Any) -> Any:
    """Which fields a message has, and what follows from the workflow alone."""
    if isinstance(message, bytes):
        return message
    data = message["data"]
    if message["type"] == "progress_state":
        return {key: [*sorted(state), state["state"], state["display_node_id"]] for key, state in data["nodes"].items()}
    kept = {"node", "display_node", "node_id", "node_type", "exception_message", "exception_type", "executed"}
    known = {key: data[key] for key in kept & set(data)}
    if "executed" in known:
        known["executed"] = sorted(known["executed"])  # a set, there
    return sorted(data), known
