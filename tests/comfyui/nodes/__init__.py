"""The comfyclient test nodes, which run inside ComfyUI: whatever a server can do to a client, on demand.

Every node here but TestCheckpoint takes two optional inputs beside its own: ``seed`` (change it to defeat the cache)
and ``value`` (of any type; most nodes pass it through, so that they can stand anywhere in a graph). No test needs
to wait for time to pass: ``TestGate`` and ``TestAsync`` hold a prompt where it is until a request lets it go on.

    GET  /comfyclient_test/waiting              the names of the gates that are waited at now
    GET  /comfyclient_test/reached/{name}       answers once that gate was reached (?timeout=30, then 408)
    POST /comfyclient_test/release/{name}       opens that gate for good, before or after it is reached
    POST /comfyclient_test/emit                 {type, data, sid?}: a JSON event, queued like the server's own
    POST /comfyclient_test/emit/{number}        ?sid=: the body as a binary event of that number, queued too
    POST /comfyclient_test/frame/{text|binary}  ?sid=: the body as one websocket message, exactly as it is
    POST /comfyclient_test/drop                 ?sid=: cuts the connection without a word

Without ``sid`` the last four mean every connected client.
"""

import asyncio
import logging
import socket
import threading
import time
from pathlib import Path
from typing import Any

import comfy.cli_args
import comfy.model_management
import comfy.utils
import folder_paths
import numpy as np
import torch
from aiohttp import web
from comfy_execution.graph_utils import ExecutionBlocker, GraphBuilder
from PIL import Image
from server import PromptServer

from . import shared
from .checkpoint import TestCheckpoint

SUBFOLDER = "comfyclient_tests"
SERVER = PromptServer.instance


class TestError(Exception):
    """An exception that no client has heard of."""


class _AnyType(str):
    """A type name that no other differs from, by which ComfyUI knows that anything may be linked."""

    __slots__ = ()

    def __ne__(self, other: object) -> bool:
        return False


ANY = _AnyType("*")
EXCEPTIONS = {
    kind.__name__: kind
    for kind in (
        ValueError,
        RuntimeError,
        KeyError,
        AssertionError,
        MemoryError,
        TestError,
        torch.OutOfMemoryError,
        SystemExit,  # which ends the worker of ComfyUI for good
    )
}


def _int(default: int = 0, low: int = 0, high: int = 2**64 - 1) -> tuple[str, dict[str, int]]:
    return ("INT", {"default": default, "min": low, "max": high})


class _Node:
    """What all nodes share."""

    CATEGORY = "comfyclient tests"
    FUNCTION = "run"
    RETURN_TYPES: tuple[str, ...] = (ANY,)
    REQUIRED: dict[str, Any] = {}
    OPTIONAL: dict[str, Any] = {}
    HIDDEN: dict[str, str] = {}

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:
        shared = {"seed": _int(), "value": (ANY, {})}
        return {
            "required": cls.REQUIRED,
            "optional": {**cls.OPTIONAL, **shared},
            "hidden": cls.HIDDEN,
        }


# --- pictures -----------------------------------------------------------------------------------------------


def _painted(seed: int, width: int, height: int) -> Any:
    """The same pixels as tests/comfyui/images.py, which says how they come about."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[..., 0] = seed % 256
    pixels[..., 1] = seed // 256 % 256
    pixels[..., 2] = (seed % 256 + np.arange(width) + np.arange(height)[:, None]) % 256
    return pixels


def _tensor(*pixels: Any) -> Any:
    return torch.from_numpy(np.stack(pixels).astype(np.float32) / 255)


class TestImage(_Node):
    """Images whose every pixel follows from the seed, also after SaveImage."""

    RETURN_TYPES = ("IMAGE",)
    OPTIONAL = {"width": _int(64, 1, 8192), "height": _int(64, 1, 8192), "batch": _int(1, 1, 64)}

    def run(self, seed: int = 0, width: int = 64, height: int = 64, batch: int = 1, **_: Any) -> tuple[Any]:
        return (_tensor(*(_painted(seed + i, width, height) for i in range(batch))),)


class TestBigImage(_Node):
    """An output of about that many megabytes: a PNG of noise that is not compressed."""

    OUTPUT_NODE = True
    RETURN_TYPES = ()
    REQUIRED = {"megabytes": ("FLOAT", {"default": 1.0, "min": 0.01, "max": 1000.0})}

    def run(self, megabytes: float, seed: int = 0, **_: Any) -> dict[str, Any]:
        height = max(1, round(megabytes * 1e6 / (3 * 1024)))
        noise = np.random.default_rng(seed).integers(0, 256, (height, 1024, 3), np.uint8)
        item, path = _file(f"big_{seed}_{height}.png")
        Image.fromarray(noise).save(path, compress_level=0)
        return {"ui": {"images": [item]}}


class TestPreview(_Node):
    """One preview per step; preview ``i`` is painted like ``TestImage`` with ``seed + i``."""

    REQUIRED = {"steps": _int(3, 1, 10000), "format": (["JPEG", "PNG"],)}
    OPTIONAL = {"width": _int(64, 1, 8192), "height": _int(32, 1, 8192), "max_size": _int()}

    def run(  # noqa: PLR0917 - ComfyUI passes names
        self,
        steps: int,
        format: str,  # noqa: A002 - as the wire calls it
        width: int = 64,
        height: int = 32,
        max_size: int = 0,
        seed: int = 0,
        value: Any = None,
        **_: Any,
    ) -> tuple[Any]:
        bar = comfy.utils.ProgressBar(steps)
        for i in range(steps):
            image = Image.fromarray(_painted(seed + i, width, height))
            bar.update_absolute(i + 1, steps, (format, image, max_size or None))
        return (_tensor(_painted(seed, width, height)) if value is None else value,)


# --- time ---------------------------------------------------------------------------------------------------


class TestProgress(_Node):
    """Progress in steps; ComfyUI itself leaves out steps that follow each other within 0.1 s."""

    REQUIRED = {"steps": _int(5, 1, 10000)}
    OPTIONAL = {"delay": ("FLOAT", {"default": 0.0, "min": 0.0, "max": 60.0})}

    def run(self, steps: int, delay: float = 0.0, value: Any = None, **_: Any) -> tuple[Any]:
        bar = comfy.utils.ProgressBar(steps)
        for _step in range(steps):
            time.sleep(delay)
            bar.update(1)
        return (steps if value is None else value,)


class TestSleep(_Node):
    """Sleeps; interruptible in small pieces, otherwise in one go like a node that is deep in C++."""

    REQUIRED = {"seconds": ("FLOAT", {"default": 1.0, "min": 0.0, "max": 3600.0})}
    OPTIONAL = {"interruptible": ("BOOLEAN", {"default": True})}

    def run(self, seconds: float, *, interruptible: bool = True, value: Any = None, **_: Any) -> tuple[Any]:
        end = time.monotonic() + seconds
        if not interruptible:
            time.sleep(seconds)
        while (left := end - time.monotonic()) > 0:
            comfy.model_management.throw_exception_if_processing_interrupted()
            time.sleep(min(left, 0.02))
        return (value,)


class _Gate:
    def __init__(self) -> None:
        self.released = threading.Event()
        self.reached = asyncio.Event()  # only the server's event loop touches it
        self.waiting = 0  # only the thread that runs prompts writes it

    def enter(self) -> None:
        self.waiting += 1
        SERVER.loop.call_soon_threadsafe(self.reached.set)


_gates: dict[str, _Gate] = {}


def _gate(name: str) -> _Gate:
    return _gates.setdefault(name, _Gate())


class TestGate(_Node):
    """Waits until its name is released, amid its ``steps`` if it has some. Names should be new in every test.

    It notices interrupts, unless it is to be like a node that is deep in C++.
    """

    REQUIRED = {"name": ("STRING", {"default": "gate"})}
    OPTIONAL = {"steps": _int(0, 0, 10000), "interruptible": ("BOOLEAN", {"default": True})}

    def run(self, name: str, steps: int = 0, *, interruptible: bool = True, value: Any = None, **_: Any) -> tuple[Any]:
        gate = _gate(name)
        bar = comfy.utils.ProgressBar(steps)
        if steps:
            bar.update((steps + 1) // 2)
        gate.enter()
        try:
            while not gate.released.wait(0.01):
                if interruptible:
                    comfy.model_management.throw_exception_if_processing_interrupted()
        finally:
            gate.waiting -= 1
        if steps:
            bar.update(steps)
        return (value,)


class TestAsync(_Node):
    """An async node: progress in steps, then its gate if it has one, then perhaps an error."""

    OPTIONAL = {
        "name": ("STRING", {"default": ""}),
        "steps": _int(3, 1, 10000),
        "fail": ("BOOLEAN", {"default": False}),
    }

    async def run(
        self, name: str = "", steps: int = 3, *, fail: bool = False, value: Any = None, **_: Any
    ) -> tuple[Any]:
        bar = comfy.utils.ProgressBar(steps)
        for _step in range(steps):
            await asyncio.sleep(0)
            bar.update(1)
        if name:
            gate = _gate(name)
            gate.enter()
            try:
                while not gate.released.is_set():
                    comfy.model_management.throw_exception_if_processing_interrupted()
                    await asyncio.sleep(0.01)
            finally:
                gate.waiting -= 1
        if fail:
            msg = "the async node failed"
            raise TestError(msg)
        return (value,)


# --- failure and flow ---------------------------------------------------------------------------------------


class TestRaise(_Node):
    """Raises after ``steps`` steps of progress; a late error is this node after an output node."""

    OUTPUT_NODE = True
    REQUIRED = {"exception": (list(EXCEPTIONS),), "message": ("STRING", {"default": ""})}
    OPTIONAL = {"steps": _int(0, 0, 10000)}

    def run(self, exception: str, message: str, steps: int = 0, **_: Any) -> tuple[Any]:
        bar = comfy.utils.ProgressBar(steps)
        for _step in range(steps):
            bar.update(1)
        kind = EXCEPTIONS[exception]
        raise kind(message) if message else kind()


class TestBlock(_Node):
    """Blocks what follows: with a message as an error, without one in silence."""

    OPTIONAL = {"message": ("STRING", {"default": ""})}

    def run(self, message: str = "", **_: Any) -> tuple[Any]:
        return (ExecutionBlocker(message or None),)


class TestExpand(_Node):
    """Becomes a chain of ``count`` TestProgress, of a TestRaise behind it, and of a TestText beside it."""

    REQUIRED = {"count": _int(2, 1, 100)}
    OPTIONAL = {"fail": ("BOOLEAN", {"default": False}), "show": ("BOOLEAN", {"default": False})}

    def run(
        self,
        count: int,
        *,
        fail: bool = False,
        show: bool = False,
        seed: int = 0,
        value: Any = None,
        **_: Any,
    ) -> dict[str, Any]:
        graph = GraphBuilder()
        last = value
        for _inner in range(count):
            last = graph.node("TestProgress", steps=2, seed=seed, value=last).out(0)
        if fail:
            last = graph.node("TestRaise", exception="ValueError", message="inner", seed=seed, value=last).out(0)
        if show:
            graph.node("TestText", value=last)
        return {"result": (last,), "expand": graph.finalize()}


class TestCycle(_Node):
    """Becomes two nodes that feed each other, which shows only while it runs."""

    def run(self, seed: int = 0, **_: Any) -> dict[str, Any]:
        graph = GraphBuilder()
        first = graph.node("TestProgress", steps=1, seed=seed)
        second = graph.node("TestProgress", steps=1, seed=seed, value=first.out(0))
        first.set_input("value", second.out(0))
        return {"result": (second.out(0),), "expand": graph.finalize()}


class TestList(_Node):
    """The numbers from 0 up as a list, for each of which the nodes behind it run once."""

    RETURN_TYPES = ("INT",)
    OUTPUT_IS_LIST = (True,)
    REQUIRED = {"count": _int(3, 0, 1000)}

    def run(self, count: int, **_: Any) -> tuple[list[int]]:
        return (list(range(count)),)


# --- outputs ------------------------------------------------------------------------------------------------


def _file(name: str, kind: str = "output") -> tuple[dict[str, str], Path]:
    """A file as ui outputs name it, and where it lies."""
    directory = Path(folder_paths.get_directory_by_type(kind)) / SUBFOLDER
    directory.mkdir(parents=True, exist_ok=True)
    return {"filename": name, "subfolder": SUBFOLDER, "type": kind}, directory / name


def _written(name: str, **more: Any) -> dict[str, Any]:
    """A file that contains its own name."""
    item, path = _file(name)
    path.write_text(name, encoding="utf-8")
    return {**item, **more}


def _pictured(name: str, seed: int, kind: str) -> dict[str, str]:
    item, path = _file(name, kind)
    Image.fromarray(_painted(seed, 16, 16)).save(path)
    return item


ENDINGS = {"audio": "flac", "video": "mp4", "files": "txt", "latents": "latent", "3d": "glb"}
LITERALS: dict[str, dict[str, Any]] = {
    "text": {"text": ("first", "second")},
    "result": {"result": [f"{SUBFOLDER}/model.glb", None, {"position": {"x": 1}}]},  # Preview3D
    "nan": {"numbers": [float("nan"), float("inf"), float("-inf")]},
    "odd": {"images": [{"filename": "bare.png"}, {"subfolder": ""}, 7, None, "loose.png"], "flag": [None]},
}


def _ui(kind: str, seed: int) -> dict[str, Any]:
    """One kind of ui output, as it is found in the wild."""
    if kind in ENDINGS:
        return {kind: [_written(f"{kind}_{seed}.{ENDINGS[kind]}")]}
    if kind == "images":
        return {"images": [_pictured(f"{where}_{seed}.png", seed, where) for where in ("output", "temp")]}
    if kind == "gifs":  # VideoHelperSuite
        return {"gifs": [_written(f"gif_{seed}.mp4", format="video/h264-mp4", frame_rate=8.0)]}
    if kind == "animated":  # ComfyUI's own videos and animations
        return {"images": [_written(f"animated_{seed}.mp4")], "animated": (True,)}
    return LITERALS[kind]


class TestOutputs(_Node):
    """Outputs of the given kinds, comma-separated.

    animated, audio, files, gifs, images, latents, nan, odd, result, text, video, 3d. Pictures are 16 x 16 and
    painted with the seed; every other file contains its own name.
    """

    OUTPUT_NODE = True
    REQUIRED = {"kinds": ("STRING", {"default": "images"})}

    def run(self, kinds: str, seed: int = 0, value: Any = None, **_: Any) -> dict[str, Any]:
        ui: dict[str, Any] = {}
        for kind in kinds.split(","):
            for key, items in _ui(kind.strip(), seed).items():
                ui[key] = [*ui.get(key, ()), *items]
        return {"ui": ui, "result": (value,)}


class TestText(_Node):
    """An output of text alone: what it is given, as str() shows it."""

    OUTPUT_NODE = True

    def run(self, value: Any = None, **_: Any) -> dict[str, Any]:
        return {"ui": {"text": (str(value),)}, "result": (value,)}


class TestPreviewMethod(_Node):
    """An output of text alone: how samplers would make their previews now."""

    OUTPUT_NODE = True

    def run(self, **_: Any) -> dict[str, Any]:
        return {"ui": {"text": (comfy.cli_args.args.preview_method.value,)}, "result": (None,)}


class TestSaveText(_Node):
    """The fastest output that is a file."""

    OUTPUT_NODE = True
    REQUIRED = {"text": ("STRING", {"default": ""})}

    def run(self, text: str, seed: int = 0, value: Any = None, **_: Any) -> dict[str, Any]:
        item, path = _file(f"text_{seed}.txt")
        path.write_text(text, encoding="utf-8")
        return {"ui": {"files": [item]}, "result": (text if value is None else value,)}


class TestSilentOutput(_Node):
    """An output node that says nothing."""

    OUTPUT_NODE = True
    RETURN_TYPES = ()

    def run(self, **_: Any) -> tuple[()]:
        return ()


class TestTextProgress(_Node):
    """Text while it runs, which ComfyUI sends to every client; line ``i`` is the text and `` i``."""

    REQUIRED = {"text": ("STRING", {"default": "working"})}
    OPTIONAL = {"count": _int(1, 1, 10000)}
    HIDDEN = {"node_id": "UNIQUE_ID"}

    def run(self, text: str, count: int = 1, value: Any = None, node_id: str = "", **_: Any) -> tuple[Any]:
        for i in range(count):
            SERVER.send_progress_text(f"{text} {i}", node_id)
        return (value,)


class TestPrint(_Node):
    """Writes a text and a line end to the server's log: printed, printed and flushed, or as a logged message."""

    OUTPUT_NODE = True
    REQUIRED = {"text": ("STRING", {"default": "printed"}), "how": (["print", "flush", "log"],)}

    def run(self, text: str, how: str, value: Any = None, **_: Any) -> tuple[Any]:
        if how == "log":
            logging.info(text)  # noqa: LOG015 - as most node packs do
        else:
            print(text, flush=how == "flush")
        return (value,)


NODE_CLASS_MAPPINGS: dict[str, Any] = {cls.__name__: cls for cls in (*_Node.__subclasses__(), TestCheckpoint)}
NODE_CLASS_MAPPINGS |= shared.NODES

# --- requests -----------------------------------------------------------------------------------------------


def _sids(request: web.Request) -> list[str]:
    return [request.query["sid"]] if "sid" in request.query else list(SERVER.sockets)


@SERVER.routes.get("/comfyclient_test/routes")
async def routes(_: web.Request) -> web.Response:
    found = [
        (route.method, route.resource.canonical, isinstance(route.resource, web.StaticResource))
        for application in (SERVER.app, *SERVER.app._subapps)
        for route in application.router.routes()
        if route.resource
    ]
    return web.json_response(found)


@SERVER.routes.get("/comfyclient_test/waiting")
async def waiting(_: web.Request) -> web.Response:
    return web.json_response(sorted(name for name, gate in _gates.items() if gate.waiting))


@SERVER.routes.get("/comfyclient_test/reached/{name}")
async def reached(request: web.Request) -> web.Response:
    try:
        await asyncio.wait_for(
            _gate(request.match_info["name"]).reached.wait(), float(request.query.get("timeout", 30))
        )
    except asyncio.TimeoutError:
        raise web.HTTPRequestTimeout from None
    return web.Response()


@SERVER.routes.post("/comfyclient_test/release/{name}")
async def release(request: web.Request) -> web.Response:
    _gate(request.match_info["name"]).released.set()
    return web.Response()


@SERVER.routes.post("/comfyclient_test/emit")
async def emit(request: web.Request) -> web.Response:
    event = await request.json()
    SERVER.send_sync(event["type"], event.get("data"), event.get("sid"))
    return web.Response()


@SERVER.routes.post("/comfyclient_test/emit/{number}")
async def emit_binary(request: web.Request) -> web.Response:
    SERVER.send_sync(int(request.match_info["number"]), await request.read(), request.query.get("sid"))
    return web.Response()


@SERVER.routes.post("/comfyclient_test/frame/{kind}")
async def frame(request: web.Request) -> web.Response:
    body = await request.read()
    for sid in _sids(request):
        if request.match_info["kind"] == "text":
            await SERVER.sockets[sid].send_str(body.decode())
        else:
            await SERVER.sockets[sid].send_bytes(body)
    return web.Response()


@SERVER.routes.post("/comfyclient_test/drop")
async def drop(request: web.Request) -> web.Response:
    for sid in _sids(request):
        SERVER.sockets[sid].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
    return web.Response()
