"""``comfyclient watch``."""

from __future__ import annotations

import contextlib
import queue
import time
from typing import TYPE_CHECKING, Any

import click
from attrs import asdict, frozen

from comfyclient.cli.command import command
from comfyclient.cli.jobs import complete_jobs, full_id
from comfyclient.cli.server import ServerDocument, look
from comfyclient.cli.watching import Bar, ServerView
from comfyclient.errors import RequestTimeout, ServerUnreachable
from comfyclient.events import ProgressState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

    from comfyclient.cli.app import App
    from comfyclient.display.progress import JobProgress
    from comfyclient.events import Event

_SOONEST = 0.25
"""Seconds between two looks at the server at least, however much it has to tell."""


@frozen(kw_only=True)
class WatchedServer(ServerDocument):
    """How busy the server is, and what it is at.

    What a job is at is told to the client that submitted it, and to everybody only if it named none.

    Attributes:
        url: Its address, without credentials.
        version: The version of ComfyUI, or null.
        running: The ids of the jobs that run: one at most, on every server so far.
        pending: The ids of those that wait, in the order in which they will run.
        devices: What it computes on, the main device first.
        ram_total: The machine's memory in bytes, or null.
        ram_free: What is free of that.
        node_id: The node that runs, or null where the server does not tell.
        step: How many steps that node has done, or null.
        steps: Of how many, or null.
    """

    node_id: str | None
    step: float | None
    steps: float | None


@frozen(kw_only=True)
class WatchedJob:
    """How far a job is.

    Attributes:
        prompt_id: The job.
        status: ``pending``, ``in_progress``, ``completed``, ``failed``, ``cancelled`` or ``lost``.
        progress: How far it is over all nodes, from 0 to 1.
        node_id: The node that was last heard of, or null.
        title: Its title in the editor, or its class; empty if there is none.
        step: How many steps that node has done, or null if it has none.
        steps: Of how many, or null.
        ahead: How many jobs run before it while it waits, or null if that is not known.
        elapsed: Seconds that it has waited, or run.
        left: Seconds until it has probably ended, or null.
    """

    prompt_id: str
    status: str
    progress: float
    node_id: str | None
    title: str
    step: float | None
    steps: float | None
    ahead: int | None
    elapsed: float
    left: float | None


@command(
    WatchedServer,
    WatchedJob,
    stream=True,
    examples="""
$ comfyclient watch
$ comfyclient watch 4f1c2a && comfyclient outputs 4f1c2a --output out/
$ comfyclient watch --json | jq -c '[.running, (.pending | length)]'
""",
)
@click.argument("job", required=False, shell_complete=complete_jobs)
@click.option(
    "--interval",
    type=click.FloatRange(min=_SOONEST),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How often the server is asked, if it does not speak up by itself. Not for a job.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Watch a job no longer. It goes on, and the exit code is 5.",
)
def watch(app: App, job: str | None, *, interval: float, timeout: float | None) -> None:
    """Watch the server, or a job until it ends.

    Without JOB, shows what runs, what waits and the memory, until Ctrl-C. JOB is a job's id, or its beginning: then the
    exit code is the job's.

    In a pipe, and with --json, each change is a line. Ctrl-C ends the watching alone, with exit code 130; the job goes
    on. What another client's job is at is not known before it has ended: the server tells that client alone.
    """
    if job is None:
        _watch_server(app, interval)
    else:
        view = _JobView(app)
        app.client.job(full_id(app, job)).show(timeout, progress=view.draw)


class _JobView:
    """A job, as it goes on: a bar in a terminal, lines elsewhere."""

    def __init__(self, app: App) -> None:
        self._out = app.out
        self._bar = Bar(app.out) if app.out.is_redrawn and not app.out.json else None
        self._last: Any = None

    def draw(self, progress: JobProgress) -> None:
        """The progress so far."""
        if self._bar is not None:
            self._bar.draw(progress)
            if not progress.watching:
                self._out.print(progress.headline)
            return
        step, steps = progress.step or (None, None)
        document = WatchedJob(
            prompt_id=progress.job.prompt_id,
            status=progress.status,
            progress=progress.fraction,
            node_id=progress.node_id,
            title=progress.title,
            step=step,
            steps=steps,
            ahead=progress.ahead,
            elapsed=progress.elapsed,
            left=progress.left,
        )
        news = asdict(document, filter=lambda attribute, _: attribute.name not in {"elapsed", "left"})
        if news != self._last:
            self._last = news
            self._out.result(document, f"{progress.fraction:.0%}\t{progress.headline}")


def _watch_server(app: App, interval: float) -> None:
    last: Any = None
    with ServerView(app.out) as view:
        for document in _states(app, interval):
            if view.is_live:
                view.draw(document, document.node_id, document.step, document.steps)
                continue
            # Memory changes all the time, and is no news by itself.
            news = asdict(document, filter=lambda attribute, _: attribute.name not in {"devices", "ram_free"})
            if news != last:
                last = news
                doing = f"running {' '.join(document.running)}" if document.running else "idle"
                node = f"\tnode {document.node_id}" if document.node_id is not None else ""
                app.out.result(document, f"{time.strftime('%H:%M:%S')}\t{doing}\twaiting {len(document.pending)}{node}")


def _states(app: App, interval: float) -> Iterator[WatchedServer]:
    """How the server is: after each change that it tells of, and every so many seconds."""
    client = app.client
    node = _Node()
    # First the ears, then the eyes: what happens in between is heard.
    with client.listen("status", "progress_state") if client.config.realtime else _Silence() as events:
        if client.config.realtime:
            with contextlib.suppress(ServerUnreachable):  # a proxy may let none through
                client.connect()
        known, answered_at = look(client), time.monotonic()
        while True:
            yield WatchedServer(**asdict(known, recurse=False), **node.told(known))
            until = time.monotonic() + interval
            _hear(events, node, until)
            try:
                known, answered_at = look(client), time.monotonic()
            except (ServerUnreachable, RequestTimeout):
                if time.monotonic() - answered_at > client.config.give_up_after:
                    raise


def _hear(events: Any, node: _Node, until: float) -> None:
    """Take in what the server says, until it says something new about its queue, or enough time has passed."""
    soonest = time.monotonic() + _SOONEST
    is_news = False
    while (left := (soonest if is_news else until) - time.monotonic()) > 0:
        try:
            event = events.get(timeout=left)
        except queue.Empty:
            return
        node.hear(event)
        is_news = True


class _Silence(queue.Queue[Any]):
    """What a client without a websocket hears."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class _Node:
    """What is heard of the node that runs."""

    def __init__(self) -> None:
        self._prompt_id: str | None = None
        self._node_id: str | None = None
        self._step: tuple[float, float] | None = None

    def hear(self, event: Event) -> None:
        """Take in an event."""
        if isinstance(event, ProgressState):
            running = [(node_id, node) for node_id, node in event.nodes.items() if node.state == "running"]
            if running:
                node_id, node = running[-1]
                self._prompt_id, self._node_id = event.prompt_id, node_id
                self._step = (node.value, node.max) if node.max > 1 else None

    def told(self, server: ServerDocument) -> dict[str, Any]:
        """What is known of it, if the job still runs."""
        knows = self._prompt_id in server.running
        step, steps = (self._step or (None, None)) if knows else (None, None)
        return {"node_id": self._node_id if knows else None, "step": step, "steps": steps}
