"""``client.queue``: the prompts that run and wait, and how to add and remove them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from comfyclient._displayed import Displayed
from comfyclient.resources._answers import get, read
from comfyclient.resources._ids import checked_ids
from comfyclient.resources._noun import Noun
from comfyclient.types.queue import PromptInfo, PromptStatus, QueueState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from comfyclient._http import Transport

__all__ = ["Queue"]


class Queue(Displayed, Noun):
    """The server's queue, which all its clients share. Everything here runs in the caller's thread.

    Besides what its own text says, every method raises ``ServerUnreachable`` without a connection,
    ``RequestTimeout`` without an answer in time, ``ServerError`` when the server refuses, and ``DecodeError``
    for an answer that is not ComfyUI's.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def info(self) -> PromptInfo:
        """Return how many prompts wait or run (``GET /prompt``). Cheap, unlike ``list``."""
        return get(self._transport, "/prompt", PromptInfo)

    def list(self) -> QueueState:
        """Return the prompts that run and wait, with their graphs (``GET /queue``).

        The answer is as large as all the graphs together: with many prompts waiting, it is no call to repeat
        often.
        """
        return get(self._transport, "/queue", QueueState)

    def submit(
        self,
        prompt: Mapping[str, Any],
        *,
        client_id: str | None = None,
        prompt_id: str | None = None,
        number: float | None = None,
        front: bool = False,
        targets: Iterable[str] | None = None,
        extra_data: Mapping[str, Any] | None = None,
    ) -> PromptStatus:
        """Add a prompt (``POST /prompt``) and do no more; ``client.submit`` makes a job of it.

        It is sent once: whether it arrived is not known after ``ServerUnreachable`` with ``maybe_sent``, or
        after ``RequestTimeout``.

        Args:
            prompt: The graph in the API format: by node id, ``class_type`` and ``inputs``.
            client_id: The websocket that is to be told of its progress; ``None`` for nobody.
            prompt_id: A lowercase UUID to know it by; ``None`` to let the server choose. Servers before 0.3.45
                choose in any case: the id in the answer counts.
            number: Its place in the order of execution, instead of the next one: the lowest runs first.
            front: Run it before all that wait; has no effect beside ``number``.
            targets: The output nodes to run, by id; ``None`` for all. Servers before 0.3.48 run all.
            extra_data: What goes along, such as ``{"extra_pnginfo": {...}}`` for the metadata of images.

        Returns:
            Its id, its number, and why outputs were left out, if any were. The server accepts a prompt if one
            output is valid.

        Raises:
            ServerError: The server refuses the prompt; ``body`` says why. Status 400 when no output is valid,
                500 when its form is wrong, 413 when it is too large.
            TypeError: An option is of another type, or something in the prompt is nothing that JSON knows.
            ValueError: ``number`` is not finite.
        """
        _check(client_id, prompt_id, number, front)
        given = {
            "client_id": client_id,
            "prompt_id": prompt_id,
            "number": number,
            "front": front or None,
            "partial_execution_targets": None if targets is None else checked_ids(targets),
            "extra_data": None if extra_data is None else dict(extra_data),
        }
        # An explicit null is not the same: some servers take it for the id "None".
        body = {"prompt": dict(prompt), **{key: value for key, value in given.items() if value is not None}}
        return read(self._transport, self._transport.request("POST", "/prompt", json_body=body), PromptStatus)

    def delete(self, *prompt_ids: str) -> None:
        """Remove prompts that wait (``POST /queue``).

        Those that run, have ended or are unknown are passed over in silence. A removed prompt leaves no
        trace: it is not in the history, and no event tells of it.

        Raises:
            TypeError: An id is no string.
        """
        if ids := checked_ids(prompt_ids):
            self._transport.request("POST", "/queue", json_body={"delete": ids})

    def clear(self) -> None:
        """Remove all prompts that wait, everybody's (``POST /queue``). What runs goes on."""
        self._transport.request("POST", "/queue", json_body={"clear": True})

    def interrupt(self, prompt_id: str | None = None) -> None:
        """Stop the prompt that runs (``POST /interrupt``).

        The server stops at the next node, or where the node looks for it; a prompt whose last node does not
        look ends as if nothing had happened. An interrupt in the first moments of a prompt can get lost.

        Args:
            prompt_id: Stop only this one; if it does not run now, nothing happens. **Servers before 0.3.57
                ignore this and stop whatever runs**, somebody else's prompt included. ``None`` for whatever
                runs.

        Raises:
            TypeError: The id is no string.
            ValueError: The id is empty; the server would stop whatever runs.
        """
        if prompt_id is not None and not checked_ids([prompt_id])[0]:
            raise ValueError("this id is empty; leave it out to stop whatever runs")
        target = {} if prompt_id is None else {"prompt_id": prompt_id}
        self._transport.request("POST", "/interrupt", json_body=target)


def _check(client_id: Any, prompt_id: Any, number: Any, front: Any) -> None:
    """See to it that these are what they should be; a list as ``client_id`` would even kill the server."""
    for name, value in (("client_id", client_id), ("prompt_id", prompt_id)):
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{name} is a string, not {type(value).__name__}")
    if not isinstance(front, bool):
        raise TypeError(f"front is True or False, not {front!r}")
    if number is None:
        return
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        raise TypeError(f"number is an int or a float, not {type(number).__name__}")
    if not math.isfinite(number):
        raise ValueError(f"number is finite, not {number!r}")
