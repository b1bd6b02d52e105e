"""A real kernel of Jupyter, driven as a notebook drives it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typing_extensions import Self

PATIENCE = 60.0
"""Seconds that the kernel may be silent."""

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Cell:
    """What a cell showed.

    Attributes:
        printed: What it wrote to standard output.
        warned: What it wrote to standard error.
        shown: What it displayed, its own value too, as MIME bundles; of one that was updated, the last state.
        error: The name of the exception that ended it, or ``None``.
        traceback: The lines that a notebook shows of it, without colours.
    """

    printed: str = ""
    warned: str = ""
    shown: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None
    traceback: list[str] = field(default_factory=list)
    _places: dict[str, int] = field(default_factory=dict)

    def take(self, kind: str, content: dict[str, Any]) -> None:
        """Take in what the kernel says of it."""
        if kind == "stream" and content["name"] == "stdout":
            self.printed += content["text"]
        elif kind == "stream":
            self.warned += content["text"]
        elif kind in {"display_data", "execute_result", "update_display_data"}:
            self._show(content["data"], content.get("transient", {}).get("display_id"))
        elif kind == "error":
            self.error = content["ename"]
            self.traceback = _COLOURS.sub("", "\n".join(content["traceback"])).splitlines()

    def _show(self, data: dict[str, Any], name: str | None) -> None:
        if name in self._places:
            self.shown[self._places[name]] = data
            return
        if name is not None:
            self._places[name] = len(self.shown)
        self.shown.append(data)


class Kernel:
    """A kernel with this interpreter.

    Args:
        directory: Where it runs.
        **environment: Variables for it, beside those of the tests.
    """

    def __init__(self, directory: Path, **environment: str) -> None:
        self._directory = directory
        self._environment = {name: value for name, value in os.environ.items() if name != "COMFYUI_URL"} | environment
        self._manager = KernelManager(kernel_name="python3")

    def __enter__(self) -> Self:
        """Start it."""
        self._manager.start_kernel(cwd=str(self._directory), env=self._environment)
        try:
            self._client = self._manager.blocking_client()
            self._client.start_channels()
            self._client.wait_for_ready(PATIENCE)
        except BaseException:
            self._manager.shutdown_kernel(now=True)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End it, whatever it does."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()

    def run(self, code: str, meanwhile: Callable[[], object] | None = None, *, once_it_prints: bool = False) -> Cell:
        """Run a cell.

        Args:
            code: What is in it.
            meanwhile: What is done here while it runs.
            once_it_prints: Do that no earlier than that.
        """
        request = self._client.execute(code, stop_on_error=False)
        if meanwhile is not None and not once_it_prints:
            meanwhile()
            meanwhile = None
        cell = Cell()
        while True:
            message = self._client.get_iopub_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") != request:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return cell
            cell.take(message["msg_type"], message["content"])
            if meanwhile is not None and cell.printed:
                meanwhile()
                meanwhile = None

    def stop(self) -> None:
        """What the stop button does."""
        self._manager.interrupt_kernel()

    def restart(self) -> None:
        """What the button for that does, whatever the kernel is at."""
        self._manager.restart_kernel(now=True)
        self._client.wait_for_ready(PATIENCE)
