"""What the server can be asked about a prompt, and told to do with it, whatever its age."""

from __future__ import annotations

import enum
import logging
import re
from typing import TYPE_CHECKING

from comfyclient.errors import NotFound, ServerError
from comfyclient.resources import History, Jobs, Queue, System

if TYPE_CHECKING:
    from comfyclient._http import Transport
    from comfyclient.types import HistoryEntry

log = logging.getLogger(__name__)

_TARGETED_INTERRUPT = (0, 3, 57)
"""The first release that interrupts by prompt id; older ones ignore the id and interrupt whatever runs."""


class Place(enum.Enum):
    """Where the server has a prompt."""

    PENDING = enum.auto()
    RUNNING = enum.auto()
    NOWHERE = enum.auto()


class Inquiry:
    """Questions and orders about single prompts; what the server can do is found out once.

    Attributes:
        queue: What waits and runs.
        history: What has ended.
    """

    def __init__(self, transport: Transport) -> None:
        self.queue = Queue(transport)
        self.history = History(transport)
        self._jobs = Jobs(transport)
        self._system = System(transport)
        self._has_jobs_route: bool | None = None
        self._version: tuple[int, ...] | None = None

    def locate(self, prompt_id: str) -> Place | HistoryEntry:
        """Where the server has the prompt, or its history entry once it has ended.

        Raises:
            ServerUnreachable, RequestTimeout, ServerError, DecodeError: The server could not be asked.
        """
        if self._has_jobs_route is not False:
            place = self._locate_by_jobs_route(prompt_id)
            if place is not None:
                return place
        entry = self.history.get(prompt_id)
        if entry is not None:
            return entry
        place = self._locate_in_queue(prompt_id)
        if place is not Place.NOWHERE:
            return place
        # It may have ended between the two questions.
        return self.history.get(prompt_id) or Place.NOWHERE

    def _locate_by_jobs_route(self, prompt_id: str) -> Place | HistoryEntry | None:
        """One cheap question where the server has the route; ``None`` when it could not answer."""
        try:
            job = self._jobs.get(prompt_id)
        except NotFound:
            self._has_jobs_route = False
            return None
        except ServerError:  # anybody's odd prompt can spoil this route for everybody
            return None
        self._has_jobs_route = True
        if job is None:
            return Place.NOWHERE
        if job.status == "pending":
            return Place.PENDING
        if job.status == "in_progress":
            return Place.RUNNING
        # This route rewrites outputs, so they are read from the history; evicted meanwhile, it is gone.
        return self.history.get(prompt_id) or Place.NOWHERE

    def _locate_in_queue(self, prompt_id: str) -> Place:
        state = self.queue.list()
        if any(item.prompt_id == prompt_id for item in state.queue_running):
            return Place.RUNNING
        if any(item.prompt_id == prompt_id for item in state.queue_pending):
            return Place.PENDING
        return Place.NOWHERE

    def queued(self) -> set[str]:
        """The ids of all prompts that wait or run. The dearest of questions when many wait."""
        state = self.queue.list()
        return {item.prompt_id for item in (*state.queue_running, *state.queue_pending)}

    def dequeue(self, prompt_id: str) -> None:
        """Take a waiting prompt from the queue; without effect if it does not wait."""
        self.queue.delete(prompt_id)

    def interrupt(self, prompt_id: str) -> None:
        """Interrupt a running prompt and never another one; without effect if that cannot be made sure."""
        if self._interrupts_by_id():
            self.queue.interrupt(prompt_id)
            return
        # This server would stop whatever runs. With nothing else queued that can only be the one that is meant.
        state = self.queue.list()
        if not state.queue_pending and [item.prompt_id for item in state.queue_running] == [prompt_id]:
            self.queue.interrupt()
        else:
            log.warning(
                "prompt %s is not interrupted yet: this server cannot interrupt one prompt alone, and others wait",
                prompt_id,
            )

    def _interrupts_by_id(self) -> bool:
        if self._has_jobs_route:
            return True
        if self._version is None:
            self._version = _version(self._system.stats().system.comfyui_version)
        return self._version >= _TARGETED_INTERRUPT


def _version(text: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text or "")[:3])
