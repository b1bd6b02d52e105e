"""One job's state: what its events said, and how it ended."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

from comfyclient._condition import Condition
from comfyclient._realtime.buffer import EventQueue
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
    UnknownEvent,
)
from comfyclient.types import HistoryEntry

if TYPE_CHECKING:
    from collections.abc import Callable

JobStatus = Literal["pending", "in_progress", "completed", "failed", "cancelled", "lost"]
"""The server's own words, and ``"lost"`` for a job that the server no longer knows or cannot be asked for."""

_LATEST = 1e15
"""No time is later than this, in milliseconds since 1970."""


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

    Written by the reader (events), by whoever asks over HTTP, and by cancellation; each takes the lock.
    """

    __slots__ = (
        "_callbacks",
        "_changed",
        "_listeners",
        "_lock",
        "_past",
        "accepted",
        "asked_at",
        "asking",
        "cached",
        "cancel_requested",
        "created_at",
        "dequeued",
        "display",
        "due",
        "ended",
        "failure",
        "finished_at",
        "gap",
        "heard_at",
        "image_nodes",
        "interval",
        "meter",
        "modern",
        "needs_asking",
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
        "success",
        "unanswered_since",
    )

    def __init__(
        self,
        prompt_id: str,
        *,
        image_nodes: frozenset[str] = frozenset(),
        due: tuple[str, ...] = (),
        taken_up: bool = False,
        remote: bool = False,
    ) -> None:
        self.prompt_id = prompt_id
        self.image_nodes = image_nodes
        self.due = due  # nodes that report something, or else the history is asked for what they did
        self.remote = remote  # its events go to the client that submitted it
        self._lock = threading.RLock()  # guards everything below; a leaf: nothing is called while it is held
        self._changed: Condition | None = None
        self.number: float | None = None
        self.outcome: Outcome | None = None
        self.posted = self.accepted = taken_up
        self.started = False
        self.ended = False  # the server said so, but only its history tells how
        self.gap = taken_up  # events may have been missed
        self.modern = False  # the server sends progress_state, so it also sends the outputs of cached nodes
        self.cancel_requested = False
        self.dequeued = False
        self.success = False  # execution_success was heard
        self.failure: ExecutionError | ExecutionInterrupted | None = None
        self.outputs: dict[str, Any] | None = None
        self.display: dict[str, str] | None = None
        self.cached: tuple[str, ...] = ()
        self.socket_images: list[SocketImage] | None = None
        self.meter: ProgressMeter | None = None
        self.started_at: float | None = None
        self._past: dict[Any, Event] | None = None
        self._listeners: tuple[EventQueue[Any], ...] = ()
        self._callbacks: tuple[Callable[[], object], ...] = ()
        # For the watch: when the server was last heard of this job, and last asked.
        self.created_at: float | None = None if taken_up else time.time()
        self.finished_at: float | None = None
        self.submitted_at = self.heard_at = self.asked_at = time.monotonic()
        self.interval = 0.0
        self.asking = False
        self.needs_asking = False  # something happened since the last question that only an answer can tell
        self.unanswered_since: float | None = None

    @property
    def changed(self) -> Condition:
        """To wait at, and to hold the lock by. Made with the first use: it is the larger half of a job that waits."""
        with self._lock:
            if self._changed is None:
                self._changed = Condition(self._lock)
            return self._changed

    @property
    def status(self) -> JobStatus:
        """Where the job is."""
        if self.outcome is not None:
            return self.outcome.status
        return "in_progress" if self.started else "pending"

    def apply(self, event: Event) -> bool:
        """Take in an event, in the reader's thread.

        Returns:
            Whether the job has now ended, or needs its history to be read for that.
        """
        with self._lock:
            if self.outcome is not None:
                return False
            self.heard_at = now = time.monotonic()
            self.interval = 0.0
            self._remember(event)
            listeners = self._listeners
            meter = self.meter
            if meter is None:
                meter = self.meter = ProgressMeter()
            meter.apply(event, now)
            reader = _READERS.get(type(event))
            outcome = None if reader is None else reader(self, event)
            ended = self.ended
            if ended and self._changed is not None:
                self._changed.notify_all()
        for listener in listeners:
            listener.offer(event)
        if outcome is not None:
            self.finish(outcome)
        return outcome is not None or ended

    def _remember(self, event: Event) -> None:
        """Keep an event for who asks for the past, in the place of the one that it supersedes; with the lock held."""
        past = self._past
        if past is None:
            past = self._past = {}
        key: Any = event.supersedes
        if key is None:
            key = len(past)  # of what is kept nothing goes, so this number grows
        else:
            past.pop(key, None)
        past[key] = event

    # What each event means; the caller holds the lock.

    def _on_start(self, _event: ExecutionStart) -> None:
        self.started = True
        self.started_at = time.time()

    def _on_cached(self, event: ExecutionCached) -> None:
        self.cached = event.nodes

    def _on_progress_state(self, _event: ProgressState) -> None:
        self.modern = self.started = True

    def _on_executed(self, event: Executed) -> None:
        if self.outputs is None or self.display is None:
            self.outputs, self.display = {}, {}
        self.outputs[event.node] = event.output
        if event.display_node is not None:
            self.display[event.node] = event.display_node

    def _on_socket_image(self, event: SocketImage) -> None:
        if self.socket_images is None:
            self.socket_images = []
        self.socket_images.append(event)

    def _on_success(self, _event: ExecutionSuccess) -> None:
        self.success = True

    def _on_failure(self, event: ExecutionError | ExecutionInterrupted) -> None:
        if isinstance(event, ExecutionInterrupted) or not event.blocked:
            self.failure = event

    def _on_unknown(self, event: UnknownEvent) -> None:
        self.gap = self.gap or event.error is not None  # it may have been an output

    def _on_executing(self, event: Executing) -> Outcome | None:
        self.started = True
        if event.node is not None:
            return None
        if isinstance(self.failure, ExecutionInterrupted):
            return Outcome("cancelled", self.failure)
        if self.failure is not None:
            return Outcome("failed", self.failure)
        if self.modern and self.told_all:
            return Outcome("completed")
        self.ended = self.needs_asking = True
        return None

    @property
    def told_all(self) -> bool:
        """Whether the events tell of a success, and of the output of each node that is due to have one.

        Whatever lies between client and server can lose some.
        """
        heard = {*(self.outputs or ()), *(self.display or {}).values()}
        return self.success and not self.gap and heard.issuperset(self.due)

    def finish(self, outcome: Outcome) -> None:
        """End the job. Only the first call counts."""
        with self._lock:
            if self.outcome is not None:
                return
            self.outcome = outcome
            self._note_times(outcome.entry)
            if self._past is not None:  # what progress there was is of no use any more, and may be large
                self._past = {key: event for key, event in self._past.items() if event.supersedes is None}
            listeners, self._listeners = self._listeners, ()
            callbacks, self._callbacks = self._callbacks, ()
            if self._changed is not None:
                self._changed.notify_all()
        for listener in listeners:
            listener.close()
        for callback in callbacks:
            callback()

    def _note_times(self, entry: HistoryEntry | None) -> None:
        """The server's clock where its history was read, ours where the events told it all; never a mixture."""
        if entry is None:
            self.finished_at = time.time()
            return
        noted = [_seconds(data.get("timestamp")) for _, data in entry.messages if isinstance(data, dict)]
        stamps = [stamp for stamp in noted if stamp is not None]
        self.created_at = _seconds(entry.prompt.extra_data.get("create_time"))
        self.started_at, self.finished_at = (stamps[0], stamps[-1]) if stamps else (None, None)

    def seen(self, *, running: bool) -> None:
        """The server has it still, as a list of all says."""
        with self._lock:
            self.started = self.started or running
            self.needs_asking = self.needs_asking and self.ended
            self.asked_at = time.monotonic()

    def listen(self) -> EventQueue[Any]:
        """A queue of this job's events, the past ones first; it ends with the job."""
        with self._lock:
            queue: EventQueue[Any] = EventQueue(past=(self._past or {}).values(), on_close=self._forget)
            over = self.outcome is not None
            if not over:
                self._listeners = (*self._listeners, queue)
        if over:
            queue.close()
        return queue

    def _forget(self, queue: EventQueue[Any]) -> None:
        with self._lock:
            self._listeners = tuple(listener for listener in self._listeners if listener is not queue)

    def when_done(self, callback: Callable[[], object]) -> None:
        """Call ``callback`` once the job has ended: at once, or in the thread that ends it. Not for user code."""
        with self._lock:
            if self.outcome is None:
                self._callbacks = (*self._callbacks, callback)
                return
        callback()

    def forget_when_done(self, callback: Callable[[], object]) -> None:
        """Take back a ``when_done``."""
        with self._lock:
            self._callbacks = tuple(entry for entry in self._callbacks if entry is not callback)

    def adopt(self, preview: Preview) -> Preview | SocketImage:
        """Tell a SaveImageWebsocket node's results from previews."""
        node = preview.node
        if self.image_nodes and node is not None:
            for name in (node, preview.real_node_id, preview.display_node_id):
                if name in self.image_nodes:
                    return SocketImage(self.prompt_id, name, preview.media_type, preview.data)
        return preview


def _seconds(stamp: Any) -> float | None:
    """A time of the server, which counts milliseconds; ``None`` for what is none."""
    return stamp / 1000 if isinstance(stamp, (int, float)) and 0 < stamp < _LATEST else None


_READERS: dict[type[Event], Callable[[JobState, Any], Outcome | None]] = {
    ExecutionStart: JobState._on_start,  # noqa: SLF001 - of this very module
    ExecutionCached: JobState._on_cached,  # noqa: SLF001
    ProgressState: JobState._on_progress_state,  # noqa: SLF001
    Executed: JobState._on_executed,  # noqa: SLF001
    SocketImage: JobState._on_socket_image,  # noqa: SLF001
    ExecutionSuccess: JobState._on_success,  # noqa: SLF001
    ExecutionError: JobState._on_failure,  # noqa: SLF001
    ExecutionInterrupted: JobState._on_failure,  # noqa: SLF001
    Executing: JobState._on_executing,  # noqa: SLF001
    UnknownEvent: JobState._on_unknown,  # noqa: SLF001
}
