"""One job's state: what its events said, and how it ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from attrs import frozen

from comfyclient._realtime.buffer import Backlog, EventQueue
from comfyclient._tracking.progress import ProgressMeter
from comfyclient.errors import ComfyError
from comfyclient.events import (
    Event,
    Executed,
    Executing,
    ExecutionCached,
    ExecutionError,
    ExecutionInterrupted,
    ExecutionStart,
    ExecutionSuccess,
    Preview,
    ProgressState,
    SocketImage,
)
from comfyclient.types import HistoryEntry

JobStatus = Literal["pending", "in_progress", "completed", "failed", "cancelled", "lost"]
"""The server's own words, and ``"lost"`` for a job that the server no longer knows or that can no longer be asked for."""


@frozen(eq=False)
class Outcome:
    """How a job ended.

    Attributes:
        status: One of the four last words of ``JobStatus``.
        failure: What ended it: the server's event, the same from its history, or an error of our own.
        entry: The history entry, when the outcome was read there; otherwise the events told it all.
    """

    status: JobStatus
    failure: ExecutionError | ExecutionInterrupted | ComfyError | None = None
    entry: HistoryEntry | None = None


class JobState:
    """What is known of one prompt. It only ever moves forward, and a terminal state absorbs everything.

    Written by the reader (events), by whoever asks over HTTP, and by cancellation; each takes ``changed``.
    """

    __slots__ = (
        "_callbacks",
        "_listeners",
        "_past",
        "_success",
        "accepted",
        "asked_at",
        "asking",
        "cached",
        "cancel_requested",
        "changed",
        "created_at",
        "dequeued",
        "display",
        "ended",
        "failure",
        "finished_at",
        "gap",
        "heard_at",
        "image_nodes",
        "interval",
        "meter",
        "modern",
        "number",
        "outcome",
        "outputs",
        "posted",
        "prompt_id",
        "remote",
        "socket_images",
        "started",
        "started_at",
        "submitted_at",
        "waiters",
    )

    def __init__(self, prompt_id: str, *, image_nodes: frozenset[str] = frozenset(), remote: bool = False) -> None:
        self.prompt_id = prompt_id
        self.image_nodes = image_nodes
        self.remote = remote  # submitted by somebody else: its events go there
        self.changed = threading.Condition()  # guards everything below; a leaf: nothing is called while it is held
        self.number: float | None = None
        self.outcome: Outcome | None = None
        self.posted = self.accepted = remote
        self.started = False
        self.ended = False  # the server said so, but only its history tells how
        self.gap = remote  # events may have been missed
        self.modern = False  # the server sends progress_state, so it also sends the outputs of cached nodes
        self.cancel_requested = False
        self.dequeued = False
        self.failure: ExecutionError | ExecutionInterrupted | None = None
        self.outputs: dict[str, Any] | None = None
        self.display: dict[str, str] | None = None
        self.cached: tuple[str, ...] = ()
        self.socket_images: list[SocketImage] | None = None
        self.meter: ProgressMeter | None = None
        self.started_at: float | None = None
        self._success = False
        self._past: Backlog | None = None
        self._listeners: tuple[EventQueue[Any], ...] = ()
        self._callbacks: tuple[Callable[[], object], ...] = ()
        # For the watch: when the server was last heard of this job, and last asked.
        self.created_at: float | None = None if remote else time.time()
        self.finished_at: float | None = None
        self.submitted_at = self.heard_at = self.asked_at = time.monotonic()
        self.interval = 0.0
        self.asking = False
        self.waiters = 0

    @property
    def status(self) -> JobStatus:
        """Where the job is."""
        if self.outcome is not None:
            return self.outcome.status
        return "in_progress" if self.started else "pending"

    @property
    def needs_asking(self) -> bool:
        """Whether the server said that the prompt has ended, and has not been asked how."""
        return self.ended and not self.interval

    @property
    def succeeded_by_events(self) -> bool:
        """Whether an ``execution_success`` was heard."""
        return self._success

    def apply(self, event: Event) -> bool:
        """Take in an event, in the reader's thread.

        Returns:
            Whether the job has now ended, or needs its history to be read for that.
        """
        with self.changed:
            if self.outcome is not None:
                return False
            self.heard_at = time.monotonic()
            self.interval = 0.0
            if self._past is None:
                self._past = Backlog(behind=0)
            self._past.append(event)
            listeners = self._listeners
            outcome = self._read(event)
            ended = self.ended
            if ended:
                self.changed.notify_all()
        for listener in listeners:
            listener.offer(event)
        if outcome is not None:
            self.finish(outcome)
        return outcome is not None or ended

    def _read(self, event: Event) -> Outcome | None:
        """What an event means; the caller holds ``changed``."""
        if self.meter is None:
            self.meter = ProgressMeter()
        self.meter.apply(event, self.heard_at)
        if isinstance(event, ProgressState):
            self.modern = self.started = True
        elif isinstance(event, ExecutionStart):
            self.started = True
            self.started_at = time.time()
        elif isinstance(event, ExecutionCached):
            self.cached = event.nodes
        elif isinstance(event, Executed):
            if self.outputs is None:
                self.outputs, self.display = {}, {}
            self.outputs[event.node] = event.output
            if event.display_node is not None and self.display is not None:
                self.display[event.node] = event.display_node
        elif isinstance(event, SocketImage):
            self.socket_images = [*(self.socket_images or ()), event]
        elif isinstance(event, ExecutionSuccess):
            self._success = True
        elif isinstance(event, ExecutionInterrupted) or (isinstance(event, ExecutionError) and not event.blocked):
            self.failure = event
        elif isinstance(event, Executing):
            self.started = True
            if event.node is None:
                return self._read_end()
        return None

    def _read_end(self) -> Outcome | None:
        if isinstance(self.failure, ExecutionInterrupted):
            return Outcome("cancelled", self.failure)
        if self.failure is not None:
            return Outcome("failed", self.failure)
        if self._success and self.modern and not self.gap:
            return Outcome("completed")
        self.ended = True
        return None

    def finish(self, outcome: Outcome) -> None:
        """End the job. Only the first call counts."""
        with self.changed:
            if self.outcome is not None:
                return
            self.outcome = outcome
            self._note_times(outcome.entry)
            if self._past is not None:  # what progress there was is of no use any more, and may be large
                kept = [event for event in self._past if event.supersedes is None]
                self._past = Backlog(behind=0, events=kept)
            listeners, self._listeners = self._listeners, ()
            callbacks, self._callbacks = self._callbacks, ()
            self.changed.notify_all()
        for listener in listeners:
            listener.close()
        for callback in callbacks:
            callback()

    def _note_times(self, entry: HistoryEntry | None) -> None:
        """The server's clock where its history was read, ours where the events told it all; never a mixture."""
        if entry is None:
            self.finished_at = time.time()
            return
        stamps = [data.get("timestamp") for _, data in entry.messages if isinstance(data, dict)]
        stamps = [stamp / 1000 for stamp in stamps if isinstance(stamp, (int, float))]
        created = entry.prompt.extra_data.get("create_time")
        self.created_at = created / 1000 if isinstance(created, (int, float)) else None
        self.started_at, self.finished_at = (stamps[0], stamps[-1]) if stamps else (None, None)

    def listen(self) -> EventQueue[Any]:
        """A queue of this job's events, the past ones first; it ends with the job."""
        with self.changed:
            queue: EventQueue[Any] = EventQueue(past=self._past or (), on_close=self._forget)
            over = self.outcome is not None
            if not over:
                self._listeners = (*self._listeners, queue)
        if over:
            queue.close()
        return queue

    def _forget(self, queue: EventQueue[Any]) -> None:
        with self.changed:
            self._listeners = tuple(listener for listener in self._listeners if listener is not queue)

    def when_done(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` once the job has ended: at once, or in the thread that ends it. Not for user code."""
        with self.changed:
            if self.outcome is None:
                self._callbacks = (*self._callbacks, callback)
                return
        callback()

    def forget_when_done(self, callback: Callable[[], object]) -> None:
        """Take back a ``when_done``."""
        with self.changed:
            self._callbacks = tuple(entry for entry in self._callbacks if entry is not callback)

    def adopt(self, preview: Preview) -> Preview | SocketImage:
        """Tell a SaveImageWebsocket node's results from previews."""
        node = preview.node
        if self.image_nodes and node is not None:
            for name in (node, preview.real_node_id, preview.display_node_id):
                if name in self.image_nodes:
                    return SocketImage(self.prompt_id, name, preview.media_type, preview.data)
        return preview
