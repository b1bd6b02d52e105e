"""Everything that a client keeps going for its jobs, wired together: threads, registry, questions."""

from __future__ import annotations

import functools
import logging
import time
import warnings
import weakref
from typing import TYPE_CHECKING

from attrs import evolve

from comfyclient._http import Transport
from comfyclient._process import OneProcess
from comfyclient._realtime.connection import Connection
from comfyclient._realtime.dispatcher import Dispatcher
from comfyclient._realtime.subscriptions import Subscriptions
from comfyclient._tracking.inquiry import Inquiry
from comfyclient._tracking.outputs import OutputClasses
from comfyclient._tracking.registry import Registry, Router
from comfyclient._tracking.state import JobState, Outcome
from comfyclient._tracking.watch import Watch
from comfyclient.errors import ClientClosed, ServerUnreachable
from comfyclient.resources.nodes import Nodes
from comfyclient.resources.server import Server

if TYPE_CHECKING:
    from comfyclient.config import ClientConfig
    from comfyclient.resources import Files, History, Queue
    from comfyclient.workflow import Workflow

log = logging.getLogger(__name__)

_PATIENCE = 10.0
"""Seconds that the answer to a question about a job may take; callbacks wait meanwhile, and the next one follows."""


class Tracker:
    """The moving parts behind one client. At most two threads, started with the first need.

    The client and its jobs refer to it, and nothing that the threads refer to does: when it is collected unclosed,
    nobody has any use for them.

    Attributes:
        server: What the server can do.
        outputs: Which of its classes are outputs.
        connection: The websocket, or ``None`` for a client that polls.
        watch: The questions over HTTP.
        registry: The jobs that have not ended.
    """

    def __init__(
        self,
        config: ClientConfig,
        *,
        queue: Queue,
        history: History,
        nodes: Nodes,
        files: Files,
    ) -> None:
        def chores() -> float | None:
            return watch.chores()

        self.config = config
        self.queue = queue
        self.history = history
        self.nodes = nodes
        self.files = files
        # Questions have their own connections, so that close() can cut them off while callbacks still use the others.
        self._asking = Transport(evolve(self.config, read_timeout=min(_PATIENCE, self.config.read_timeout), retry=None))
        self.server = Server(self._asking)
        self.inquiry = Inquiry(self._asking, self.server)
        self.outputs = OutputClasses(Nodes(self._asking))
        self.subscriptions = Subscriptions()
        self.registry = Registry()
        self.dispatcher = Dispatcher(self.subscriptions, chores)
        self.router = Router(
            self.registry, self.subscriptions, self.dispatcher.put, self.dispatcher.hurry, self.server.refresh
        )
        self.connection = (
            Connection(self.config, self.router.deliver, self.dispatcher) if self.config.realtime else None
        )
        self.watch = watch = Watch(self.config, self.registry, self.router, self.connection, self.inquiry)
        self._closed = False
        self._missed = False  # that the websocket did not open is told once there is a job that misses it
        self._process = OneProcess()
        self._finalizer = weakref.finalize(
            self, _let_go, self.config.shown_url, self.connection, self.dispatcher, self.subscriptions
        )
        self._finalizer.atexit = False

    def listen(self) -> None:
        """See to it that events arrive, now or as soon as there is a server.

        Raises:
            ValueError: The client was made without a websocket.
            ClientClosed: The client is closed.
        """
        self._process.check()
        self._websocket().start()
        self.dispatcher.start()

    def _websocket(self) -> Connection:
        if self.connection is None:
            msg = "this client was made with realtime=False: no events reach it"
            raise ValueError(msg)
        return self.connection

    def connect(self) -> None:
        """Open the websocket and wait for it.

        Raises:
            ServerUnreachable: It did not open.
            ValueError: The client was made without a websocket.
            ClientClosed: The client is closed.
        """
        self._process.check()
        connection = self._websocket()
        if not connection.ready(2 * self.config.connect_timeout):
            raise ServerUnreachable(f"{self.config.shown_url} (websocket)", connection.error or "no answer")

    def prepare(self) -> None:
        """Before a submission: have the websocket open if it can be, so that no event is missed.

        Raises:
            ClientClosed: The client is closed, or another process's.
        """
        self._process.check()
        if self.connection is None:
            return
        if self.connection.hopeless:
            self.connection.start()
        elif not self.connection.is_open:
            self._missed = not self.connection.ready(2 * self.config.connect_timeout)

    def learn_outputs(self, workflow: Workflow, refused: frozenset[str]) -> None:
        """Have the dispatcher find out which nodes of a workflow run, if there is any doubt: nobody waits for that."""
        if not self.outputs.is_clear(workflow, refused):
            self.dispatcher.call(functools.partial(self.outputs.learn, workflow, refused), "the outputs of a workflow")

    def follow(self, job: JobState) -> None:
        """Look after a job that the server has accepted."""
        if self._closed:  # since the submission began
            self._abandon(job)
            return
        if self._missed and self.connection is not None and not self.connection.is_open:
            self._missed = False
            log.warning("no websocket (%s); jobs are followed by polling", self.connection.error)
        self.dispatcher.start()
        self.watch.arrange(job)
        self.dispatcher.hurry(max(0.0, self.watch.due(job) - time.monotonic()))

    def stand_in(self, job: JobState | None = None) -> None:
        """Do the dispatcher's chores, those of ``job`` first, while a callback keeps the dispatcher from them.

        It may be this very callback that waits for a job. Otherwise nothing is asked here, since a question to a
        server that stands still would take longer than the caller may want to wait.
        """
        self._process.check()
        if not self.dispatcher.is_calling:
            return
        if job is not None and self.watch.due(job) <= time.monotonic():
            self.watch.ask(job)
        else:
            self.watch.chores()

    def close(self, timeout: float) -> None:
        """End both threads and every wait. Idempotent; returns at once when called from a callback."""
        self._closed = True
        # Each step may be taken again, since a first close() may have been interrupted.
        self._asking.close()
        if self.connection is not None:
            self.connection.close()
        for job in self.registry.live():
            self._abandon(job)
        self.subscriptions.close()
        self.dispatcher.close(timeout)
        self._finalizer.detach()  # it would keep alive what callbacks refer to

    def _abandon(self, job: JobState) -> None:
        job.finish(Outcome("lost", ClientClosed(f"the client was closed before prompt {job.prompt_id} ended")))
        self.registry.drop(job)


def _let_go(
    shown_url: str, connection: Connection | None, dispatcher: Dispatcher, subscriptions: Subscriptions
) -> None:
    """What becomes of the threads when client and jobs were collected, in whatever thread and moment.

    They end within moments, unless somebody still wants events, for whom they go on.
    """
    running = dispatcher.is_alive or (connection is not None and connection.is_alive)
    if not running:  # nothing was started, or only in the process of which this one is a fork
        return
    if not len(subscriptions):
        if connection is not None:
            connection.stop()
        dispatcher.stop()
    message = f"a client of {shown_url} was not closed: use it in a `with` statement, or call its close()"
    warnings.warn(message, ResourceWarning, stacklevel=2)
