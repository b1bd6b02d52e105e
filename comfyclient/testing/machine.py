"""The part of the server that works: its queue, its worker thread, and what that keeps between prompts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
import warnings
from typing import TYPE_CHECKING, Any

from comfyclient.testing.cache import Cache
from comfyclient.testing.context import Context, Interrupt, WorkerKilled
from comfyclient.testing.execution import Run
from comfyclient.testing.log import Log
from comfyclient.testing.progress import TEXT, text_frame
from comfyclient.testing.prompt_queue import PromptQueue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from comfyclient.testing.context import Preview
    from comfyclient.testing.folders import Folders
    from comfyclient.testing.graph import NodeClass
    from comfyclient.testing.prompt_queue import Item
    from comfyclient.testing.script import Script
    from comfyclient.testing.sockets import Sockets
    from comfyclient.testing.versions import Version

_log = logging.getLogger("comfyclient.testing")

PREVIEW_METHODS = {"none", "auto", "latent2rgb", "taesd"}

_PREVIEWS = "latent2rgb"
"""Unlike ComfyUI, which makes none unless it is told so: here they cost nothing, and show more."""

STOPPING = 5.0
"""Seconds that a node may take to notice that the server stops."""


class Machine:
    """What one life of a server remembers; a restart makes a new one.

    Attributes:
        queue: What waits, runs and has ended.
        interrupt: What ends the prompt that runs.
        number: How many prompts were posted without a number of their own.
        client_id: Whose prompt runs, or ran last.
        last_node_id: The node that runs.
        sockets: Whom to tell.
        log: What it says about itself.
    """

    def __init__(
        self, classes: Mapping[str, NodeClass], folders: Folders, version: Version, script: Script, sockets: Sockets
    ) -> None:
        self.classes = classes
        self.folders = folders
        self.version = version
        self.sockets = sockets
        self.interrupt = Interrupt()
        self.log = Log(sockets)
        self.queue = PromptQueue(self._queue_changed)
        self.number = 0
        self.client_id: str | None = None
        self.last_node_id: str | None = None
        self.preview_method = _PREVIEWS
        self._script = script
        self._cache = Cache()
        self._run: Run | None = None
        self._loop: asyncio.AbstractEventLoop | None = None  # the worker's, while it lives
        self._task: asyncio.Task[Any] | None = None
        self._worker: threading.Thread

    def start(self) -> None:
        """Let the worker begin."""
        loop = self._loop = asyncio.new_event_loop()  # here: a server that has started opens no more sockets of its own
        self._worker = threading.Thread(target=self._work, args=(loop,), name="embedded-comfyui-worker", daemon=True)
        self._worker.start()

    @property
    def alive(self) -> bool:
        """Whether the worker is."""
        return self._worker.is_alive()

    def kill(self) -> None:
        """End the worker at once; what it runs stays running for ever as far as clients can see."""
        self.interrupt.kill()
        self.queue.close()
        self._cancel()
        self._worker.join(STOPPING)

    def stop(self) -> None:
        """End it and wait, but not for ever."""
        self.kill()
        if self._worker.is_alive():
            warnings.warn(
                f"node {self.last_node_id} does not return, so its thread outlives the embedded server",
                ResourceWarning,
                stacklevel=2,
            )

    def info(self) -> dict[str, Any]:
        """How much there is to do."""
        return {"exec_info": {"queue_remaining": self.queue.remaining()}}

    def context(self, number: int = 0) -> Context:
        """The surroundings of a node that is only asked about itself."""
        return Context(self, call=number)

    def _queue_changed(self) -> None:
        self.sockets.send("status", {"status": self.info()})

    # ── the worker ───────────────────────────────────────────────────────────────────────────────────────────────

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            while not self.queue.closed:
                if (work := self.queue.get(self.interrupt.clear)) is not None:
                    self._do(loop, *work)
                if self.queue.take_flags().get("free_memory"):
                    self._cache = Cache()
        except BaseException as error:  # noqa: BLE001 - ComfyUI's worker too is gone for good after any of these
            if not isinstance(error, WorkerKilled | asyncio.CancelledError):
                _log.error("the worker has died, as ComfyUI's would have", exc_info=True)
        finally:
            self._loop = None
            loop.close()

    def _do(self, loop: asyncio.AbstractEventLoop, key: int, item: Item) -> None:
        start = time.monotonic()
        self.client_id = item.extra_data.get("client_id")
        wanted = item.extra_data.get("preview_method") if self.version.since("0.9.2") else None
        self.preview_method = wanted if wanted in PREVIEW_METHODS else _PREVIEWS
        run = self._run = Run(self, self._cache, item)
        with self.context().active():  # in which nodes are asked for their inputs
            task = self._task = loop.create_task(run.run())
        try:
            ended = loop.run_until_complete(task)
        finally:
            self._task = None
            if task.done() and not task.cancelled():
                task.exception()  # what ends the worker was raised, and asyncio should not complain that nobody looked
            _cancel_all(loop)
        self.last_node_id = None
        self.log.add(f"Prompt executed in {time.monotonic() - start:.2f} seconds")
        meta, secrets = self.version.display_nodes, self.version.secrets_in_history
        self.queue.done(key, ended, meta=meta, secrets=secrets)
        if self.client_id is not None:
            self.sockets.send("executing", {"node": None, "prompt_id": item.prompt_id}, self.client_id)

    def _cancel(self) -> None:
        """Wake it where it waits for async nodes."""
        loop, task = self._loop, self._task
        if loop is not None and task is not None:
            with contextlib.suppress(RuntimeError):  # it ended meanwhile
                loop.call_soon_threadsafe(task.cancel)

    # ── for nodes ────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def node_seconds(self) -> float:
        """How long to wait before each run of a node."""
        return self._script.latency.node

    @property
    def step_seconds(self) -> float:
        """How long to wait before each step of one."""
        return self._script.latency.step

    @property
    def throttles(self) -> bool:
        """Whether steps that follow each other fast are left out."""
        return self.version.throttles

    def will_fail(self, node_id: str, class_type: str) -> bool:
        """Whether a node is to fail when it runs next."""
        return self._script.will_fail(node_id, class_type)

    def fail_if_scripted(self, node_id: str, class_type: str) -> None:
        """Let it fail if it is to."""
        if error := self._script.take_failure(node_id, class_type):
            raise error

    def progress(self, prompt_id: str, node_id: str, value: float, total: float, preview: Preview | None) -> None:
        """A node is so far."""
        if self._run is not None and prompt_id:
            self._run.progress.update(node_id, value, total, preview)

    def text(self, node_id: str, text: str) -> None:
        """A node has something to say."""
        self.sockets.send_binary(TEXT, text_frame(node_id, text))

    def send(self, event: str | int, data: Any, *, everybody: bool) -> None:
        """A node sends an event of its own."""
        sid = None if everybody else self.client_id
        if isinstance(event, int):
            self.sockets.send_binary(event, data, sid)
        else:
            self.sockets.send(event, data, sid)


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    """End the async nodes that a failed prompt left behind."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
