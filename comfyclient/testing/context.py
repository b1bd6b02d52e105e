"""What a node can do beside returning values: report progress, show previews, find directories, notice interrupts."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal, Protocol

from comfyclient.testing.graph import Expansion

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from comfyclient.testing.folders import Folders

THROTTLE_SECONDS = 0.1
THROTTLE_PART = 0.005
"""Progress in between is told at most that often, and only after that much of the whole (ComfyUI since 0.9)."""

_CURRENT: ContextVar[Context] = ContextVar("comfyclient.testing.context")


class Interrupted(Exception):  # noqa: N818 - no error, and ComfyUI's own is an Exception too
    """The prompt was interrupted; raised in the node that runs, which should let it through."""


class WorkerKilled(BaseException):
    """The thread that runs nodes has to end."""


class Interrupt:
    """The flag that ends what runs."""

    def __init__(self) -> None:
        self._raised = threading.Event()
        self._killed = False

    def kill(self) -> None:
        """End the worker's thread, whatever it does."""
        self._killed = True
        self._raised.set()

    def set(self) -> None:
        """Ask for it."""
        self._raised.set()

    def clear(self) -> None:
        """Forget it."""
        if not self._killed:
            self._raised.clear()

    def check(self) -> None:
        """Take notice of it.

        Raises:
            Interrupted: It was asked for.
        """
        if self._killed:
            raise WorkerKilled
        if self._raised.is_set():
            self._raised.clear()
            raise Interrupted

    def sleep(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            Interrupted: It was asked for.
        """
        if seconds > 0:
            self._raised.wait(seconds)
        self.check()


class Stage(Protocol):
    """Where a node plays."""

    folders: Folders
    interrupt: Interrupt
    preview_method: str

    @property
    def step_seconds(self) -> float:
        """What each step takes beyond what it needs."""

    @property
    def throttles(self) -> bool:
        """Whether steps that follow each other fast are left out."""

    def progress(self, prompt_id: str, node_id: str, value: float, total: float, preview: Preview | None) -> None:
        """Tell the clients."""

    def text(self, node_id: str, text: str) -> None:
        """Tell all of them."""

    def send(self, event: str | int, data: Any, *, everybody: bool) -> None:
        """Tell them anything."""


class Preview:
    """A picture to show while a node runs.

    Args:
        image: A PIL image, or an array of ``[height, width, channels]`` (or a batch of which the first is taken)
            between 0 and 1.
        kind: How it is sent.
        max_size: The longer side on the wire, in pixels; None leaves the picture as it is.
    """

    def __init__(self, image: Any, kind: Literal["JPEG", "PNG"] = "JPEG", max_size: int | None = None) -> None:
        self.kind = kind
        self._image = image
        self._max_size = max_size

    def encoded(self) -> bytes:
        """As a file."""
        from io import BytesIO  # noqa: PLC0415 - see below

        from PIL import Image, ImageOps  # noqa: PLC0415 - the server starts without it, and faster

        image = self._image if isinstance(self._image, Image.Image) else picture(self._image)
        if self._max_size is not None:
            image = ImageOps.contain(image, (self._max_size, self._max_size), Image.Resampling.BILINEAR)
        file = BytesIO()
        image.save(file, self.kind, quality=95, compress_level=1)
        return file.getvalue()


def picture(array: Any) -> Any:
    """An array between 0 and 1 as a PIL image, cut to 8 bits as ComfyUI does it."""
    import numpy as np  # noqa: PLC0415 - the server starts without it, and faster
    from PIL import Image  # noqa: PLC0415

    pixels = np.asarray(array)
    if pixels.ndim > 3:  # noqa: PLR2004 - height, width, channels
        pixels = pixels[0]
    return Image.fromarray(np.clip(255.0 * pixels, 0, 255).astype(np.uint8))


class Context:
    """The surroundings of a node while it is asked something.

    A ``@node`` function gets it in its parameter of this type; any other node calls ``current()``.

    Attributes:
        prompt_id: The prompt that runs; empty while nothing runs, as in ``INPUT_TYPES`` and ``VALIDATE_INPUTS``.
        node_id: The node, likewise.
    """

    def __init__(self, stage: Stage, prompt_id: str = "", node_id: str = "", call: int = 0) -> None:
        self.prompt_id = prompt_id
        self.node_id = node_id
        self._stage = stage
        self._call = call
        self._graphs = 0
        self._told: tuple[float, float] | None = None  # when, and which value

    @property
    def folders(self) -> Folders:
        """The directories of the server, and its models."""
        return self._stage.folders

    @property
    def preview_method(self) -> str:
        """How samplers should make previews of this prompt: ``"none"``, ``"auto"``, ``"latent2rgb"`` or ``"taesd"``."""
        return self._stage.preview_method

    def directory(self, kind: Literal["input", "output", "temp"] = "output") -> Path:
        """One of the server's directories."""
        return self._stage.folders.directory(kind)

    def progress(
        self,
        step: float,
        total: float,
        *,
        preview: Any = None,
        kind: Literal["JPEG", "PNG"] = "JPEG",
        max_size: int | None = None,
    ) -> None:
        """Tell how far it is; like ComfyUI itself, leave out what follows within 0.1 s without a preview.

        Args:
            step: How many steps are done.
            total: How many there are.
            preview: A PIL image, or an array of ``[height, width, channels]`` between 0 and 1.
            kind: How the preview is sent.
            max_size: The longer side of the preview, in pixels.

        Raises:
            Interrupted: The prompt was interrupted.
        """
        stage = self._stage
        stage.interrupt.sleep(stage.step_seconds)
        step = min(step, total)
        now = time.monotonic()
        if stage.throttles and preview is None and self._told is not None and step < total:
            when, value = self._told
            if now - when < THROTTLE_SECONDS or step - value < THROTTLE_PART * total:
                return
        self._told = (now, step)
        shown = None if preview is None else Preview(preview, kind, max_size)
        stage.progress(self.prompt_id, self.node_id, step, total, shown)

    def text(self, text: str) -> None:
        """Show a line of text, which ComfyUI sends to every client."""
        self._stage.text(self.node_id, text)

    def send(self, event: str | int, data: Any, *, everybody: bool = False) -> None:
        """Send an event of any type to the client whose prompt this is: JSON, or bytes under a number."""
        self._stage.send(event, data, everybody=everybody)

    def check(self) -> None:
        """Take notice of interrupts.

        Raises:
            Interrupted: The prompt was interrupted.
        """
        self._stage.interrupt.check()

    def sleep(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            Interrupted: The prompt was interrupted.
        """
        self._stage.interrupt.sleep(seconds)

    def expansion(self) -> Expansion:
        """A builder for the nodes that this one turns into."""
        self._graphs += 1
        return Expansion(f"{self.node_id}.{self._call}.{self._graphs - 1}.")

    @contextmanager
    def active(self) -> Iterator[None]:
        """Be the one that ``current()`` gives."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)


def current() -> Context:
    """The surroundings of the node that calls this.

    Raises:
        RuntimeError: No embedded server calls it.
    """
    try:
        return _CURRENT.get()
    except LookupError:
        raise RuntimeError("current() is for nodes while an embedded server calls them") from None
