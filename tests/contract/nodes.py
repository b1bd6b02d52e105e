"""The test nodes of tests/comfyui/nodes once more, for the embedded server: the same inputs, the same ways.

Written as a user would write nodes. Those that ComfyUI itself can be given as they are come from there.
"""
# ruff: noqa: ARG001, ARG002, N802 - a node accepts what its namesake does, and is called what the class is

from __future__ import annotations

import asyncio
import runpy
import threading
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

from comfyclient.testing import Blocked, Context, Image, node

PACK = Path(__file__).parents[1] / "comfyui" / "nodes"
SHARED: dict[str, Any] = runpy.run_path(str(PACK / "shared.py"))["NODES"]
ANY = Annotated[Any, "*"]


class Gate:
    """Where a prompt waits until it is released."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.released = threading.Event()


class Gates(dict[str, Gate]):
    """All of them, by name."""

    def __missing__(self, name: str) -> Gate:
        return self.setdefault(name, Gate())


GATES = Gates()


class TestError(Exception):
    """An exception that no client has heard of."""

    __test__ = False


EXCEPTIONS: dict[str, type[Exception]] = {
    kind.__name__: kind for kind in (ValueError, RuntimeError, KeyError, AssertionError, MemoryError, TestError)
}


def painted(seed: int, width: int, height: int) -> Any:
    """The pixels of tests/comfyui/images.py, between 0 and 1."""
    pixels = np.empty((height, width, 3), np.float32)
    pixels[..., 0] = seed % 256
    pixels[..., 1] = seed // 256 % 256
    pixels[..., 2] = (seed % 256 + np.arange(width) + np.arange(height)[:, None]) % 256
    return pixels / 255


@node
def TestImage(*, seed: int = 0, width: int = 64, height: int = 64, batch: int = 1, value: ANY = None) -> Image:
    """Images whose every pixel follows from the seed."""
    return np.stack([painted(seed + i, width, height) for i in range(batch)])


@node
def TestPreview(
    context: Context,
    *,
    steps: int,
    format: Literal["JPEG", "PNG"],  # noqa: A002 - as the wire calls it
    width: int = 64,
    height: int = 32,
    max_size: int = 0,
    seed: int = 0,
    value: ANY = None,
) -> ANY:
    """One preview per step."""
    for i in range(steps):
        image = painted(seed + i, width, height)
        context.progress(i + 1, steps, preview=image, kind=format, max_size=max_size or None)
    return painted(seed, width, height)[None] if value is None else value


@node
def TestProgress(context: Context, *, steps: int, delay: float = 0.0, seed: int = 0, value: ANY = None) -> ANY:
    """Progress in steps."""
    for step in range(steps):
        context.sleep(delay)
        context.progress(step + 1, steps)
    return steps if value is None else value


@node
def TestGate(context: Context, name: str, seed: int = 0, value: ANY = None) -> ANY:
    """Waits until its name is released."""
    gate = GATES[name]
    gate.reached.set()
    while not gate.released.wait(0.01):
        context.check()
    return value


@node
async def TestAsync(
    context: Context, *, name: str = "", steps: int = 3, fail: bool = False, seed: int = 0, value: ANY = None
) -> ANY:
    """Progress in steps, then its gate if it has one, then perhaps an error."""
    for step in range(steps):
        await asyncio.sleep(0)
        context.progress(step + 1, steps)
    if name:
        GATES[name].reached.set()
        while not GATES[name].released.is_set():
            context.check()
            await asyncio.sleep(0.01)
    if fail:
        raise TestError("the async node failed")
    return value


@node(output_node=True)
def TestRaise(
    context: Context,
    *,
    exception: str,
    message: str,
    steps: int = 0,
    seed: int = 0,
    value: ANY = None,
) -> ANY:
    """Raises."""
    for step in range(steps):
        context.progress(step + 1, steps)
    kind = EXCEPTIONS[exception]
    raise kind(message) if message else kind()


@node
def TestBlock(message: str = "", seed: int = 0, value: ANY = None) -> ANY:
    """Blocks what follows."""
    return Blocked(message or None)


@node
def TestExpand(
    context: Context, *, count: int, fail: bool = False, show: bool = False, seed: int = 0, value: ANY = None
) -> ANY:
    """Becomes a chain of others."""
    graph = context.expansion()
    last = value
    for _ in range(count):
        last = graph.node("TestProgress", steps=2, seed=seed, value=last).out(0)
    if fail:
        last = graph.node("TestRaise", exception="ValueError", message="inner", seed=seed, value=last).out(0)
    if show:
        graph.node("TestText", value=last)
    return {"result": (last,), "expand": graph.finalize()}


@node
def TestCycle(context: Context, seed: int = 0, value: ANY = None) -> ANY:
    """Becomes two nodes that feed each other."""
    graph = context.expansion()
    first = graph.node("TestProgress", steps=1, seed=seed)
    second = graph.node("TestProgress", steps=1, seed=seed, value=first.out(0))
    first.set_input("value", second.out(0))
    return {"result": (second.out(0),), "expand": graph.finalize()}


class TestList:
    """The numbers from 0 up as a list."""

    __test__ = False
    CATEGORY = "tests"
    FUNCTION = "run"
    RETURN_TYPES = ("INT",)
    OUTPUT_IS_LIST = (True,)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {"count": ("INT", {})}, "optional": {"seed": ("INT", {}), "value": ("*", {})}}

    def run(self, count: int, seed: int = 0, value: Any = None) -> tuple[list[int]]:
        return (list(range(count)),)


LITERALS: dict[str, dict[str, Any]] = {
    "text": {"text": ("first", "second")},
    "result": {"result": ["comfyclient_tests/model.glb", None, {"position": {"x": 1}}]},
    "nan": {"numbers": [float("nan"), float("inf"), float("-inf")]},
    "odd": {"images": [{"filename": "bare.png"}, {"subfolder": ""}, 7, None, "loose.png"], "flag": [None]},
}
ENDINGS = {"audio": "flac", "video": "mp4", "files": "txt", "latents": "latent", "3d": "glb"}


@node(output_node=True)
def TestOutputs(kinds: str, seed: int = 0, value: ANY = None) -> ANY:
    """Outputs of the given kinds, without the files."""
    ui: dict[str, Any] = {}
    for kind in kinds.split(","):
        shown = LITERALS.get(kind)
        if shown is None:
            name = f"{kind}_{seed}.{ENDINGS[kind]}"
            shown = {kind: [{"filename": name, "subfolder": "comfyclient_tests", "type": "output"}]}
        for key, items in shown.items():
            ui[key] = [*ui.get(key, ()), *items]
    return {"ui": ui, "result": (value,)}


@node(output_node=True)
def TestText(seed: int = 0, value: ANY = None) -> ANY:
    """An output of text alone."""
    return {"ui": {"text": (str(value),)}, "result": (value,)}


@node(output_node=True, output=())
def TestSilentOutput(seed: int = 0, value: ANY = None) -> Any:
    """An output node that says nothing."""
    return ()


@node
def TestTextProgress(context: Context, text: str, count: int = 1, seed: int = 0, value: ANY = None) -> ANY:
    """Text while it runs."""
    for i in range(count):
        context.text(f"{text} {i}")
    return value


@node(output_node=True)
def SaveLatent(
    samples: Annotated[Any, "LATENT"], filename_prefix: Annotated[str, {"default": "latents/ComfyUI"}]
) -> Annotated[Any, "LATENT"]:
    """Is validated, and never run."""
    raise NotImplementedError


NODES: dict[str, Any] = {
    each.__name__: each
    for each in (
        TestImage,
        TestPreview,
        TestProgress,
        TestGate,
        TestAsync,
        TestRaise,
        TestBlock,
        TestExpand,
        TestCycle,
        TestList,
        TestOutputs,
        TestText,
        TestSilentOutput,
        TestTextProgress,
        SaveLatent,
    )
}
NODES |= SHARED
