"""Nodes that the tests of the embedded server run."""
# ruff: noqa: N802 - a node's function is called what the class is

from __future__ import annotations

import threading
from typing import Annotated, Any

from comfyclient.testing import Blocked, Context, Expansion, node

ANY = Annotated[Any, "*"]


class Gate:
    """Where a prompt waits until the test lets it go on."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.released = threading.Event()


def gate_node(gate: Gate) -> type[Any]:
    """A node that waits there, and notices interrupts."""

    @node(output="INT", cached=False)
    def Wait(context: Context, value: Annotated[int, {"default": 0}] = 0) -> int:
        gate.reached.set()
        while not gate.released.is_set():
            context.sleep(0.01)
        return value

    return Wait


@node(output_node=True)
def Show(value: ANY) -> ANY:
    """An output of text alone."""
    return {"ui": {"text": [str(value)]}, "result": (value,)}


@node
def Steps(context: Context, steps: int = 5, previews: bool = False, value: ANY = None) -> ANY:  # noqa: FBT001, FBT002
    """Progress in steps."""
    import numpy as np  # noqa: PLC0415

    for step in range(1, steps + 1):
        context.progress(step, steps, preview=np.full((4, 8, 3), step / steps) if previews else None)
    return steps if value is None else value


@node(output_node=True)
def Fail(message: str = "because", value: ANY = None) -> ANY:  # noqa: ARG001
    """What the name says."""
    raise ValueError(message)


@node
def Block(message: str = "") -> ANY:
    """Blocks what follows."""
    return Blocked(message or None)


@node
async def Later(value: int, fail: bool = False) -> int:  # noqa: FBT001, FBT002
    """Is async, and lets others go first."""
    import asyncio  # noqa: PLC0415

    for _ in range(3):
        await asyncio.sleep(0)
    if fail:
        raise ValueError("later")
    return value


class Count:
    """The numbers up to another, one by one."""

    CATEGORY = "tests"
    FUNCTION = "run"
    RETURN_TYPES = ("INT",)
    OUTPUT_IS_LIST = (True,)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {"count": ("INT", {"default": 3})}}

    def run(self, count: int) -> tuple[list[int]]:
        return (list(range(count)),)


class Gather:
    """All of a list at once."""

    CATEGORY = "tests"
    FUNCTION = "run"
    RETURN_TYPES = ("INT",)
    INPUT_IS_LIST = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {"value": ("INT", {})}}

    def run(self, value: list[int]) -> tuple[int]:
        return (sum(value),)


class Choose:
    """Runs only what it needs."""

    CATEGORY = "tests"
    FUNCTION = "run"
    RETURN_TYPES = ("*",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        lazy = ("*", {"lazy": True})
        return {"required": {"first": ("BOOLEAN", {"default": True})}, "optional": {"a": lazy, "b": lazy}}

    def check_lazy_status(self, first: bool, a: Any = None, b: Any = None) -> list[str]:  # noqa: ARG002, FBT001
        return ["a" if first else "b"]

    def run(self, first: bool, a: Any = None, b: Any = None) -> tuple[Any]:  # noqa: FBT001
        return (a if first else b,)


@node
def Expand(context: Context, count: int = 2, fail: bool = False, show: bool = False) -> ANY:  # noqa: FBT001, FBT002
    """Turns into a chain of others."""
    graph: Expansion = context.expansion()
    last: Any = None
    for _ in range(count):
        last = graph.node("Steps", steps=2, value=last).out(0) if last else graph.node("Steps", steps=2).out(0)
    if fail:
        last = graph.node("Fail", message="inner", value=last).out(0)
    if show:
        graph.node("Show", value=last)
    return {"result": (last,), "expand": graph.finalize()}


@node
def Cycle(context: Context) -> ANY:
    """Turns into two that wait for each other."""
    graph = context.expansion()
    first = graph.node("Steps", steps=1)
    second = graph.node("Steps", steps=1, value=first.out(0))
    first.set_input("value", second.out(0))
    return {"result": (second.out(0),), "expand": graph.finalize()}


@node(output_node=True)
def Die() -> None:
    """Ends the worker, as ComfyUI's would end."""
    raise SystemExit(3)


NODES = [Show, Steps, Fail, Block, Later, Count, Gather, Choose, Expand, Cycle, Die]


def graph(**nodes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A workflow; the names of the arguments without their first letter are the ids."""
    return {name[1:]: each for name, each in nodes.items()}


def n(class_type: str, **inputs: Any) -> dict[str, Any]:
    """A node of one."""
    return {"class_type": class_type, "inputs": inputs}
