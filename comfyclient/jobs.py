"""``Job``: the handle of one submitted workflow, in the vocabulary of ``concurrent.futures``."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

from comfyclient import _watched
from comfyclient._displayed import Displayed
from comfyclient._tracking import failures
from comfyclient._tracking.collecting import collect
from comfyclient._tracking.wait import Wait
from comfyclient.errors import ComfyError, JobTimeout, NodeProblem, WorkflowError
from comfyclient.events import Event, ExecutionError, ExecutionInterrupted, Preview
from comfyclient.workflow.node import needed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from comfyclient._realtime.buffer import EventQueue
    from comfyclient._tracking.state import JobState, JobStatus
    from comfyclient._tracking.tracker import Tracker
    from comfyclient.display.progress import JobProgress
    from comfyclient.display.watching import JobWatching
    from comfyclient.results import Result
    from comfyclient.types import HistoryEntry
    from comfyclient.workflow import Workflow

__all__ = ["Job"]


class Job(Displayed):
    """One prompt on the server, to wait for, to watch and to cancel. Safe to use from any number of threads.

    Jobs are made by ``client.submit`` and ``client.job``.

    Example:
        >>> job = client.submit(workflow)
        >>> for event in job.events():
        ...     if event.type == "executing" and event.node in {"3", "9"}:
        ...         print(workflow.title(event.node))
        KSampler
        Save Image
        >>> job.status, job.progress, len(job.result().images)
        ('completed', 1.0, 1)
    """

    __slots__ = (
        "__weakref__",
        "_future",
        "_graph",
        "_lock",
        "_needed",
        "_node_errors",
        "_refused",
        "_secrets",
        "_state",
        "_targets",
        "_tracker",
        "_workflow",
    )

    def __init__(
        self,
        tracker: Tracker,
        state: JobState,
        graph: Callable[[], Workflow],
        *,
        targets: tuple[str, ...] | None = None,
        secrets: tuple[str, ...] = (),
    ) -> None:
        self._tracker = tracker
        self._state = state
        self._graph = graph
        self._targets = targets
        self._workflow: Workflow | None = None
        self._secrets = secrets
        self._node_errors: tuple[NodeProblem, ...] = ()
        self._refused: frozenset[str] = frozenset()
        self._needed: tuple[int, list[str]] | None = None  # as of so many known classes
        self._lock = threading.Lock()  # guards _future
        self._future: Future[Result] | None = None

    # ── what it is ───────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def prompt_id(self) -> str:
        """The prompt's id on the server."""
        return self._state.prompt_id

    @property
    def number(self) -> float | None:
        """Its place in the order of execution; the lowest number runs first. ``None`` if not known."""
        return self._state.number

    @property
    def workflow(self) -> Workflow:
        """What was submitted; a copy, so that editing it changes no job."""
        return self._document().copy()

    @property
    def node_errors(self) -> tuple[NodeProblem, ...]:
        """What the server left out, when it accepted only a part of the workflow (``strict=False``)."""
        return self._node_errors

    @property
    def status(self) -> JobStatus:
        """``"pending"``, ``"in_progress"``, ``"completed"``, ``"failed"``, ``"cancelled"`` or ``"lost"``. No I/O."""
        return self._state.status

    @property
    def progress(self) -> float:
        """How far it is, from 0 to 1, over all nodes that have to run; it never falls, and is 1 on success.

        Those that no output needs do not count, as soon as the client knows which nodes are outputs. No I/O.
        """
        with self._state.changed:
            if self._state.status == "completed":
                return 1.0
            meter = self._state.meter
            if meter is None:
                return 0.0
        expected = self._expected()
        with self._state.changed:
            return meter.overall(expected)

    @property
    def node_progress(self) -> dict[str, float]:
        """How far each node that has to run is, from 0 to 1, by node id; those that came from the cache are at 1."""
        expected = self._expected()
        with self._state.changed:
            if self._state.status == "completed":
                return dict.fromkeys(expected, 1.0)
            meter = self._state.meter
            return meter.nodes(expected) if meter is not None else dict.fromkeys(expected, 0.0)

    def done(self) -> bool:
        """Whether it has ended, in whatever way. No I/O."""
        return self._state.outcome is not None

    def running(self) -> bool:
        """Whether the server works on it now. No I/O."""
        return self._state.status == "in_progress"

    def cancelled(self) -> bool:
        """Whether it was interrupted, by anybody, or taken from the queue by us. No I/O."""
        return self._state.status == "cancelled"

    # ── waiting ──────────────────────────────────────────────────────────────────────────────────────────────────

    def result(self, timeout: float | None = None, *, on_event: Callable[[Event], object] | None = None) -> Result:
        """Wait for the end and return what the job left behind.

        Args:
            timeout: Seconds to wait at most; ``None`` for as long as the server keeps the job.
            on_event: Called in this thread with every event of the job while it waits, past ones first. What it
                raises is raised here.

        Raises:
            JobFailed: A node raised.
            JobInterrupted: It was stopped.
            JobLost: The server no longer knows it.
            JobTimeout: ``timeout`` passed; the prompt goes on.
            ServerUnreachable: The server has not answered for ``config.give_up_after`` seconds.
            ServerError, DecodeError: For as long it has not said anything useful about this job.
            ClientClosed: The client was closed meanwhile.
        """
        try:
            return self._conclude(timeout, on_event, None if on_event is None else self._state.listen())
        except KeyboardInterrupt:
            raise self._left() from None

    def show(
        self,
        timeout: float | None = None,
        *,
        on_event: Callable[[Event], object] | None = None,
        progress: bool | Callable[[JobProgress], object] = True,
    ) -> Result:
        """Wait for the end and return what the job left behind, as ``result`` does, with a progress bar meanwhile.

        It is drawn in this thread while it waits: see ``client.run``. Ctrl-C (a notebook's stop button) ends the
        wait and not the job, since you still have it: ``job.cancel()`` stops it, ``job.show()`` shows it again. The bar
        says so.

        Args:
            timeout: See ``result``.
            on_event: See ``result``.
            progress: A function that draws, instead of the bar: see ``client.run``.

        Raises:
            JobFailed, JobInterrupted, JobLost, JobTimeout, ServerUnreachable, ServerError, DecodeError, ClientClosed:
                See ``result``.
            ImportError: tqdm, which draws the bar, is not installed.
        """
        try:
            with _watched.job(progress) as watching:
                return self._conclude(timeout, on_event, self._state.listen(), watching)
        except KeyboardInterrupt:
            raise self._left() from None

    def exception(self, timeout: float | None = None) -> ComfyError | None:
        """Wait for the end and return the exception that ``result`` would raise, or ``None`` on success.

        Raises:
            JobTimeout: ``timeout`` seconds passed; the prompt goes on.
        """
        outcome = Wait(self._tracker, self._state, timeout).end()
        return failures.error_of(outcome, self.prompt_id, self._document, self._secrets)

    def partial_result(self) -> Result:
        """Return what the job has left behind so far, without waiting: while it runs, and also if it failed.

        While it runs, that is what events have told: nothing yet without a websocket, or for a job of another client.
        Once it has failed or was stopped, the server's history is asked (``GET /history/{prompt_id}``): what was done
        by then is not lost. Of a job that is lost, it is what events had told, and of one that is completed, the
        ``result``.

        Raises:
            ServerUnreachable, RequestTimeout, ServerError, DecodeError, ClientClosed: The history cannot be had, and
                events have not told it all.
        """
        outcome = self._state.outcome
        entry, failure = (None, None) if outcome is None else (outcome.entry, outcome.failure)
        if entry is None and isinstance(failure, (ExecutionError, ExecutionInterrupted)):
            try:
                entry = self._tracker.history.get(self.prompt_id)
            except ComfyError:
                if self._state.gap or not self._state.modern:  # events can have left something out
                    raise
        return self._collected(entry)

    def events(self) -> Iterator[Event]:
        """Every event of this job, past ones first, until it ends; the loop's body runs in the caller's thread.

        It listens from the call on. Of the past, and while the loop is far behind, only the newest progress and
        preview of each node are kept; of a job that has ended, none.
        """
        return self._until_the_end(self._state.listen())

    def _until_the_end(self, listener: EventQueue[Event]) -> Iterator[Event]:
        with listener:
            yield from Wait(self._tracker, self._state).events(listener)

    def previews(self) -> Iterator[Preview]:
        """The previews of this job, until it ends; see ``events``."""
        return (event for event in self.events() if isinstance(event, Preview))

    def add_done_callback(self, function: Callable[[Job], object]) -> None:
        """Have ``function(job)`` called once the job has ended, or now if it has.

        It is called on the client's dispatcher thread; what it raises is logged, as in ``client.on``. After
        ``client.close()`` it is called in the thread that finds the job ended.
        """

        def call() -> None:
            if not self._tracker.dispatcher.call(lambda: function(self), "a job's end"):
                function(self)

        self._state.when_done(call)

    def future(self) -> Future[Result]:
        """This job as a ``concurrent.futures.Future``, for ``asyncio.wrap_future`` and ``concurrent.futures.wait``.

        Its ``cancel()`` does nothing, as for every future that runs: ``job.cancel()`` stops the prompt. Its own
        callbacks run on the dispatcher thread.
        """
        with self._lock:
            if self._future is not None:
                return self._future
            future = self._future = Future()
        future.set_running_or_notify_cancel()
        self.add_done_callback(lambda _: self._resolve(future))
        return future

    def _resolve(self, future: Future[Result]) -> None:
        try:
            future.set_result(self.result(timeout=0))
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever waits for the future has to get it
            future.set_exception(error)

    # ── stopping ─────────────────────────────────────────────────────────────────────────────────────────────────

    def cancel(self, timeout: float | None = 30.0) -> bool:
        """Take the prompt from the queue, or interrupt it if it runs, and wait until that is certain.

        The server can lose an interrupt, and a node that does not look for one runs to its end; so it is repeated
        until the job has ended, in the background even after ``timeout``. It never hits another job: a server
        before 0.3.57 can only interrupt whatever runs, so there it waits until nothing else is queued.

        Args:
            timeout: Seconds to wait at most; ``None`` for as long as it takes.

        Returns:
            Whether the job is cancelled; ``False`` if it ended otherwise, before or meanwhile.

        Raises:
            JobTimeout: It has not ended yet.
        """
        state = self._state
        with state.changed:
            state.cancel_requested = True
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = 0.02
        while not self.done():
            with state.changed:
                state.needs_asking = True  # the answer to a question about the job is what it takes to stop it
            if self._tracker.registry.get(state.prompt_id) is state:
                self._tracker.dispatcher.start()  # Ctrl-C may have come before the submission did
                self._tracker.dispatcher.hurry()
            else:  # the answer to its submission was not waited for, so nobody follows it
                self._tracker.watch.ask(state)
            with state.changed:
                remaining = pause if deadline is None else min(pause, deadline - time.monotonic())
                state.changed.wait_for(self.done, remaining)
            if deadline is not None and time.monotonic() >= deadline and not self.done():
                raise JobTimeout(self.prompt_id, f"prompt {self.prompt_id} has not stopped within {timeout:g} s")
            self._tracker.stand_in(state)
            pause = min(2 * pause, 0.5)
        return self.cancelled()

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _left(self) -> KeyboardInterrupt:
        """A new Ctrl-C: a notebook would show every line on the way to where the first one came."""
        end = "has ended" if self.done() else "goes on; job.cancel() stops it"
        return KeyboardInterrupt(f"prompt {self.prompt_id} {end}")

    def _conclude(
        self,
        timeout: float | None,
        on_event: Callable[[Event], object] | None,
        listener: EventQueue[Event] | None,
        watching: JobWatching | None = None,
    ) -> Result:
        """See ``result``; ``client.run`` listens before it submits, so that nothing is superseded meanwhile."""
        wait = Wait(self._tracker, self._state, timeout)
        if watching is not None:
            watching.begin(self)
        if listener is not None:
            with listener:
                for event in wait.events(listener, watching.glance if watching is not None else bool):
                    if on_event is not None:
                        on_event(event)
                    if watching is not None:
                        watching.feed(event)
        outcome = wait.end()
        error = failures.error_of(outcome, self.prompt_id, self._document, self._secrets)
        if error is not None:
            raise error
        return self._collected(outcome.entry)

    def _document(self) -> Workflow:
        if self._workflow is None:
            self._workflow = self._graph()
        return self._workflow

    def _expected(self) -> Iterable[str]:
        """The nodes that run, as far as is known, in the document's order: those that an output needs."""
        known = len(self._tracker.outputs)
        if self._needed is None or self._needed[0] != known:
            try:
                document = self._document()
            except WorkflowError:  # of a prompt that somebody else submitted, in a shape of their own
                return ()
            if self._targets is None:
                ids = self._tracker.outputs.needed(document, self._refused)
            else:
                ids = needed(document, set(self._targets) - self._refused)
            self._needed = known, [node_id for node_id in document if node_id in ids]
        return self._needed[1]

    def _collected(self, entry: HistoryEntry | None) -> Result:
        tracker = self._tracker
        return collect(self._state, entry, self._document(), files=tracker.files, history=tracker.history)

    def __repr__(self) -> str:
        return f"<Job {self.prompt_id} {self.status} {self.progress:.0%}>"
