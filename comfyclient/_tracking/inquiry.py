"""What the server can be asked about a prompt, and told to do with it, whatever its age."""

from __future__ import annotations

import enum
import logging
from typing import TYPE_CHECKING

from comfyclient.errors import ServerError, Unsupported
from comfyclient.resources import History, Queue
from comfyclient.resources._jobs_elsewhere import interrupt
from comfyclient.resources.jobs import Jobs, look_up

if TYPE_CHECKING:
    from comfyclient._http import Transport
    from comfyclient.resources import Server
    from comfyclient.types import HistoryEntry, JobInfo

log = logging.getLogger(__name__)


class Place(enum.Enum):
    """Where the server has a prompt."""

    PENDING = enum.auto()
    RUNNING = enum.auto()
    NOWHERE = enum.auto()


_QUEUED = {"pending": Place.PENDING, "in_progress": Place.RUNNING}


class Inquiry:
    """Questions and orders about single prompts.

    Attributes:
        queue: What waits and runs.
        history: What has ended.
    """

    def __init__(self, transport: Transport, server: Server) -> None:
        self.queue = Queue(transport)
        self.history = History(transport)
        self._jobs = Jobs(transport, server)
        self._transport = transport
        self._server = server

    def locate(self, prompt_id: str) -> Place | HistoryEntry:
        """Where the server has the prompt, or its history entry once it has ended.

        Raises:
            ServerUnreachable, RequestTimeout, ServerError, DecodeError: The server could not be asked.
        """
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
            if not self._server.has("jobs"):
                return None
            job = look_up(self._transport, prompt_id)
        except Unsupported:  # an older server has taken its place
            self._server.refresh()
            return None
        except ServerError:  # anybody's odd prompt can spoil this route for everybody
            return None
        if job is None:
            return Place.NOWHERE
        # This route rewrites outputs, so they are read from the history; evicted meanwhile, it is gone.
        return _QUEUED.get(job.status) or self.history.get(prompt_id) or Place.NOWHERE

    def _locate_in_queue(self, prompt_id: str) -> Place:
        state = self.queue.list()
        if any(item.prompt_id == prompt_id for item in state.queue_running):
            return Place.RUNNING
        if any(item.prompt_id == prompt_id for item in state.queue_pending):
            return Place.PENDING
        return Place.NOWHERE

    def at_a_glance(self) -> dict[str, Place]:
        """All prompts that wait or run; without their graphs, where the server can leave them out.

        Raises:
            ServerUnreachable, RequestTimeout, ServerError, DecodeError: The server could not be asked.
        """
        page = self._jobs.list(status=_QUEUED)
        return {job.id: _QUEUED[job.status] for job in page.jobs if job.status in _QUEUED}

    def ahead_of(self, prompt_id: str) -> int | None:
        """How many prompts run before one that waits; ``None`` if it does not wait.

        Raises:
            ServerUnreachable, RequestTimeout, ServerError, DecodeError: The server could not be asked.
        """
        jobs = [job for job in self._jobs.list(status=_QUEUED).jobs if job.status in _QUEUED]
        own = next((_turn(job) for job in jobs if job.id == prompt_id and job.status == "pending"), None)
        return None if own is None else sum(_turn(job) < own for job in jobs)

    def dequeue(self, prompt_id: str) -> None:
        """Take a waiting prompt from the queue; without effect if it does not wait."""
        self.queue.delete(prompt_id)

    def interrupt(self, prompt_id: str) -> None:
        """Interrupt a running prompt and never another one; without effect if that cannot be made sure."""
        if not interrupt(self._server, self.queue, prompt_id):
            log.warning(
                "prompt %s is not interrupted yet: this server cannot interrupt one prompt alone, and others wait",
                prompt_id,
            )


def _turn(job: JobInfo) -> tuple[bool, float, str]:
    """Sorts jobs by when their turn comes: what runs is before all that waits."""
    return job.status == "pending", job.priority or 0, job.id
