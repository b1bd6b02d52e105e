"""What there is to say of a job that somebody watches, whatever it is drawn with."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from comfyclient._tracking.queue_place import QueuePlace
from comfyclient.display.lettering import clean, cut
from comfyclient.display.pace import Pace, duration, times
from comfyclient.errors import JobLost, WorkflowError
from comfyclient.events import Executing, ExecutionError, Preview, Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient._tracking.state import JobStatus, Outcome
    from comfyclient.events import Event
    from comfyclient.jobs import Job

__all__ = ["JobProgress"]

_LONGEST = 40
"""The columns of a title that are shown."""
_MOST_STEPS = 1e9
"""More steps than this are no steps that anybody counts."""


class JobProgress:
    """How far a job is, in the words and figures that a progress bar shows.

    Of the thread that waits for the job, which feeds it with the job's events and has it refreshed before it draws.
    Its attributes are as of the last refresh; nothing here waits for the server.

    Args:
        job: The job.
        clock: Tells the time, in seconds since 1970.

    Attributes:
        job: The job.
        watching: Whether somebody still waits for it; ``False`` when it is drawn for the last time.
        status: Its ``Job.status``.
        fraction: Its ``Job.progress``.
        node_id: The node that was last heard of, or ``None``: the workflow's own, for a part of one that expanded.
        title: That node's title in the editor, or its class; one short line, empty if there is no node.
        step: How many steps of how many that node has done, or ``None`` if it has none.
        ahead: How many prompts run before it while it waits, or ``None`` if that is not known.
        elapsed: Seconds that it has waited, or run.
        left: Seconds until it has probably ended, by the pace so far; ``None`` if there is no telling.
        preview: The newest preview, or ``None``.
    """

    def __init__(self, job: Job, *, clock: Callable[[], float] = time.time) -> None:
        self.job = job
        self.watching = True
        self.node_id: str | None = None
        self.title = ""
        self.step: tuple[float, float] | None = None
        self.ahead: int | None = None
        self.left: float | None = None
        self.preview: Preview | None = None
        self._clock = clock
        self._state = job._state  # noqa: SLF001 - it shows what the job knows
        self._place = QueuePlace(job._tracker, job._state)  # noqa: SLF001
        self._began = clock()
        self._shown_as: dict[str, str] = {}
        self._turned_at = self._began
        self._steps: Pace | None = None
        self.refresh()

    # ── what happens ─────────────────────────────────────────────────────────────────────────────────────────────

    def feed(self, event: Event) -> None:
        """Take in an event of the job. Cheap: there may be thousands between two refreshes."""
        if isinstance(event, Executing):
            if event.node is not None and event.display_node is not None:
                self._shown_as[event.node] = event.display_node
            self._turn_to(event.node)
        elif isinstance(event, Progress):
            self._turn_to(event.node or self.node_id)
            self._count(event.value, event.max)
        elif isinstance(event, Preview):
            self.preview = event

    def _turn_to(self, node: str | None) -> None:
        shown = self._shown_as.get(node, node) if node is not None else None
        if shown != self.node_id:
            self.node_id, self.step, self._steps = shown, None, None
            self._turned_at = self._clock()

    def _count(self, value: Any, maximum: Any) -> None:
        # Whatever numbers the server sends: NaN compares as False.
        if not (0 <= value <= maximum and 1 < maximum < _MOST_STEPS):
            return
        if self._steps is None or (self.step is not None and value < self.step[0]):  # the next round of many
            self._steps = Pace(value, self._clock())
        self._steps.reach(value, self._clock())
        self.step = (value, maximum)

    def refresh(self) -> None:
        """Bring everything up to date."""
        now = self._clock()
        self._outcome = self._state.outcome
        self.status: JobStatus = self.job.status if self._outcome is None else self._outcome.status
        self.fraction = self.job.progress
        self.title = self._title(self.node_id) if self.node_id is not None else ""
        self.ahead = self._place.ahead() if self.status == "pending" and self.watching else None
        since = self._state.created_at if self.status == "pending" else self._state.started_at
        self.elapsed = max(0.0, now - (since if since is not None else self._began))
        self.left = self._estimate(now) if self.status == "in_progress" else None

    def _estimate(self, now: float) -> float | None:
        """What the steps of this node tell, and for each of the others the mean of those that have run."""
        with self._state.changed:
            meter = self._state.meter
            ended = list(meter.seconds.values()) if meter is not None else []
        mean = sum(ended) / len(ended) if ended else 0.0
        others = sum(share < 1 for node, share in self.job.node_progress.items() if node != self.node_id)
        own = self._steps.left(self.step[1], now) if self._steps is not None and self.step is not None else None
        if own is None:
            own = max(0.0, mean - (now - self._turned_at))
        return own + others * mean or None

    # ── what to say ──────────────────────────────────────────────────────────────────────────────────────────────

    def __repr__(self) -> str:
        return f"<JobProgress {self.fraction:.0%}: {self.headline}>"

    @property
    def headline(self) -> str:
        """What it does, or how it ended: ``"KSampler 7/20"``, ``"waiting for 3 others"``, ``"done in 3.2 s"``."""
        if self._outcome is not None:
            return self._end(self._outcome)
        if not self.watching:
            if self._state.cancel_requested:
                return "is being interrupted"
            return "still waiting on the server" if self.status == "pending" else "still running on the server"
        if self.status == "pending":
            others = {None: "", 0: "", 1: " for another one"}
            return "waiting" + others.get(self.ahead, f" for {self.ahead} others")
        step = f" {_number(self.step[0])}/{_number(self.step[1])}" if self.step is not None else ""
        return (self.title or "running") + step

    def _end(self, outcome: Outcome) -> str:
        failure = outcome.failure
        if outcome.status == "completed":
            started, finished = self._state.started_at, self._state.finished_at
            return "done" if started is None or finished is None else f"done in {duration(finished - started)}"
        if outcome.status == "cancelled":
            ran = self._state.started or failure is not None or outcome.entry is not None
            return "interrupted" if ran else "taken from the queue"
        if isinstance(failure, ExecutionError):
            node_id = self._shown_as.get(failure.node_id, failure.node_id)
            return f"failed: node {_line(node_id)} {self._title(node_id, failure.node_type)}".rstrip()
        return "lost" if failure is None or isinstance(failure, JobLost) else f"lost: {type(failure).__name__}"

    @property
    def times(self) -> str:
        """How long it has waited or run, and how long it still may: ``"0:12, 0:10 left"``; empty once it is over."""
        if not self.watching or self._outcome is not None:
            return ""
        return times(self.elapsed, self.left)

    @property
    def caption(self) -> str:
        """What the preview is of: ``"preview of KSampler"``; empty if there is none."""
        if self.preview is None:
            return ""
        node_id = self.preview.display_node_id or self.preview.node
        return "preview" if node_id is None else f"preview of {self._title(node_id)}"

    def _title(self, node_id: str, node_type: str = "") -> str:
        try:
            title = self.job._document().title(node_id)  # noqa: SLF001 - job.workflow is a copy, of which no need
        except WorkflowError:  # of a prompt that somebody else submitted, in a shape of their own
            title = node_id
        return _line(node_type if title == node_id and node_type else title)


def _line(text: str) -> str:
    """One short line, whatever a title may hold: it comes from a file, or from somebody else's prompt."""
    return cut(clean(text), _LONGEST)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.1f}"
