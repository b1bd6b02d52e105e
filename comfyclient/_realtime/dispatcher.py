"""The dispatcher thread: callbacks one after the other, and between them the questions that silent jobs call for."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import frozen

from comfyclient._condition import Condition
from comfyclient._realtime.buffer import Backlog

if TYPE_CHECKING:
    from comfyclient._realtime.connection import Connection
    from comfyclient._realtime.subscriptions import Subscriptions
    from comfyclient.events import Event

log = logging.getLogger(__name__)

_GLANCE = 0.02
"""Seconds between the reader's looks at what callbacks do."""
_MOST = 0.5
"""How much of the time they may take until the reader reads again."""
_BATCH = 16
"""So many events leave the backlog at once, so that reader and dispatcher seldom meet at its lock."""


@frozen(eq=False)
class _Call:
    """Something to call once, in the shape of an event and of the only subscription to it."""

    callback: Callable[[object], object]
    type: str
    supersedes = None


class Dispatcher:
    """One thread for all callbacks of a client. It starts with the first thing there is to do.

    When it has nothing to call, the reader lends it the websocket. It then calls back what it reads itself, and the
    reader looks after silent jobs in its stead, and watches: once callbacks take most of the time, the reader reads
    again, so that the socket is read whatever they do.

    Args:
        subscriptions: Whom to call for an event.
        chores: Called in between; returns the seconds until it wants to be called again, or ``None`` for when
            ``hurry`` is called.

    Attributes:
        would_read: Whether the last event found it with nothing to do. The reader's own.
    """

    def __init__(self, subscriptions: Subscriptions, chores: Callable[[], float | None]) -> None:
        self._subscriptions = subscriptions
        self._chores = chores
        self._lock = threading.RLock()  # guards the fields below, all but for reading them
        self._changed = Condition(self._lock)  # the reader waits at it while the websocket is lent, else the dispatcher
        self._waiting = Backlog()
        self._has_waiting = False
        self._asleep = False
        self._chores_at: float | None = None
        self._thread: threading.Thread | None = None
        self._closing = False
        self._aborted = False
        self._lent: Connection | None = None
        self._watched = False
        self._beckoned = False
        self._turn = threading.Lock()  # held by who reads; free while the dispatcher might and calls back
        self._turn.acquire()
        self.would_read = False
        self._asking = False  # written by the reader
        self._owed = False  # the next callback comes before the next question
        self._at_chores = False  # this and the next are written by the dispatcher's thread
        self._batch: deque[Event | _Call] = deque()
        self._reading = False
        self._calling_since: float | None = None
        self._called = 0.0

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def is_calling(self) -> bool:
        """Whether a callback runs and the chores wait for it."""
        return self._calling_since is not None and self._lent is None

    def start(self) -> None:
        """Start the thread, unless it runs or the dispatcher is closed."""
        with self._changed:
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(target=self._run, name="comfyclient-dispatcher", daemon=True)
                self._thread.start()

    def put(self, event: Event) -> None:
        """Hand over an event, in the thread that reads; never blocks."""
        if self._reading and not (self._asking or self._has_waiting):
            self._batch.append(event)  # this is the dispatcher's thread
            return
        with self._lock:
            self._waiting.append(event)
            self._has_waiting = True
            if self._asleep:
                self.would_read = True
                self._wake()

    def call(self, function: Callable[[], object], what: str) -> bool:
        """Hand over a function to call once; ``what`` names it in the log.

        Returns:
            Whether it will be called: not once the dispatcher is closed.
        """
        self.start()
        with self._changed:
            if self._closing:
                return False
            self._waiting.append(_Call(lambda _: function(), what))
            self._has_waiting = True
            if threading.current_thread() is not self._thread:
                self._beckoned = self._lent is not None
                self._wake()
            return True

    def hurry(self, pause: float = 0.0) -> None:
        """Have the chores done in ``pause`` seconds at the latest, if no callback runs then."""
        at = time.monotonic() + pause
        with self._changed:
            if self._chores_at is None or at < self._chores_at:
                self._chores_at = at
                self._wake()

    def stop(self) -> None:
        """Call what waits, then end. Returns at once."""
        with self._changed:
            self._closing = True
            self._wake()

    def _wake(self) -> None:
        self._asleep = False
        self._changed.notify()

    def close(self, timeout: float) -> None:
        """Call what waits, then end. Idempotent; returns at once when called from a callback."""
        self.stop()
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return
        with contextlib.suppress(RuntimeError):  # Ctrl-C hit its start: it is about to run, and to see that it is over
            thread.join(timeout)
            with self._changed:
                self._aborted = True
            thread.join(timeout)
        if thread.is_alive():
            log.warning("a callback is still running %g s after its client was closed", 2 * timeout)

    # ── the dispatcher's thread ──────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        while True:
            if self._lent is None and self._is_time():
                self._do_own_chores()
            elif self._aborted:
                break
            elif self._batch and not (self._asking and self._lent is not None):
                self._call_next()
            elif not (self._read() or self._fetch()):
                break
        self._give_back()

    def _read(self) -> bool:
        """Read, and call back for what was read, until there is something else to do; whether anything was read."""
        lent, turn, batch = self._lent, self._turn, self._batch
        if lent is None:
            return False
        has_read = False
        while (self._asking or not (self._has_waiting or batch)) and turn.acquire(blocking=False):
            self._reading = has_read = True
            going_on = lent.step()
            self._reading = False
            turn.release()
            if not going_on:
                self._give_back()
                break
            # Once the reading is taken back, chores come before the next, and so may the end.
            while batch and not self._asking and self._lent is lent:
                self._call_next()
        return has_read

    def _give_back(self) -> None:
        with self._changed:
            self._lent = None
            self._changed.notify()

    def _fetch(self) -> bool:
        """Take what waits, or wait for something to do; ``False`` at the end."""
        with self._lock:
            if self._lent is None or not self._asking:
                self._batch.extend(self._waiting.take(_BATCH))
                self._has_waiting = len(self._waiting) > 0
            if self._batch or self._lent is not None:
                return True
            if self._closing:
                return False
            at = self._chores_at
            pause = None if at is None else at - time.monotonic()
            if pause is None or pause > 0:
                self._asleep = True
                self._changed.wait(pause)
                self._asleep = False
            return True

    def _call_next(self) -> None:
        began = self._calling_since = time.monotonic()
        lent = self._lent is not None
        if not (lent and self._asking):  # the reader looks whether a callback runs once it has said that it is asking
            if lent and not self._watched:
                with self._changed:
                    self._changed.notify()
            self._owed = False
            self._deliver(self._batch.popleft())
        self._calling_since = None
        self._called += time.monotonic() - began

    def _deliver(self, item: Event | _Call) -> None:
        for each in (item,) if isinstance(item, _Call) else self._subscriptions.route(item).callbacks:
            try:
                each.callback(item)
            except BaseException as error:
                log.exception("a callback for %s raised", item.type)
                if not _is_read(log):
                    _show(error)

    def _is_time(self) -> bool:
        at = self._chores_at
        return at is not None and at <= time.monotonic()

    def _do_own_chores(self) -> None:
        with self._lock:
            if self._lent is not None:  # in this very moment: they are the reader's now
                return
            self._at_chores = True  # from here on nothing is lent, for nobody would read it
        self._do_chores()
        self._at_chores = False

    def _do_chores(self) -> None:
        self._chores_at = None  # before they are done: whoever hurries meanwhile means the next time
        try:
            pause = self._chores()
        except Exception:
            log.exception("looking after silent jobs failed; trying again")
            pause = 1.0
        if pause is not None:
            self.hurry(pause)

    # ── the reader's thread ──────────────────────────────────────────────────────────────────────────────────────

    def lend(self, connection: Connection) -> None:
        """Have the dispatcher read, until callbacks take most of the time or there is nothing more to read."""
        self.would_read = self._owed = False
        with self._changed:
            if self._at_chores:
                return
            self._lent = connection
            self._turn.release()
            self._wake()
        looked_at, before, busy = time.monotonic(), 0.0, self._called
        while self._is_lent and not connection.is_over:
            self._wait_for_trouble(before)
            if self._is_time() and not self._owed:
                self._ask()
            if self._beckoned:
                self._beckoned = False
                connection.nudge()
            now = time.monotonic()
            before, busy = busy, self._busy(now)
            if busy - before > _MOST * max(now - looked_at, _GLANCE) and self._take_back():
                return
            looked_at = now
        with self._changed:
            self._lent = None
        self._turn.acquire()

    @property
    def _is_lent(self) -> bool:
        return self._lent is not None

    def _busy(self, now: float) -> float:
        """The seconds that callbacks have taken so far."""
        called = self._called  # first: an end in between may be counted late, and not twice
        since = self._calling_since
        return called if since is None else called + now - since

    def _wait_for_trouble(self, busy: float) -> None:
        """Wait until it is time to look: at the dispatcher, if it has called since it was ``busy``, or after jobs."""
        with self._changed:
            if self._lent is None or self._beckoned:
                return
            self._watched = False  # before the look at what is called: then what comes later wakes this thread
            self._watched = self._calling_since is not None or self._called > busy
            pause = _GLANCE if self._watched else None
            if self._chores_at is not None and self._calling_since is None and not self._owed:
                until = max(0.0, self._chores_at - time.monotonic())
                pause = until if pause is None else min(pause, until)
            self._changed.wait(pause)
            self._watched = True

    def _ask(self) -> None:
        """Do the chores. No callback runs meanwhile, since nobody would read in its stead."""
        self._asking = True
        if self._calling_since is None:
            self._do_chores()
        self._owed = True  # before callbacks go on, which take it back
        self._asking = False
        if self._has_waiting or self._batch:
            self._beckoned = True
        else:
            self._owed = False

    def _take_back(self) -> bool:
        with self._changed:
            if not self._turn.acquire(blocking=False):
                return False
            self._lent = None
            return True


def _is_read(logger: logging.Logger | None) -> bool:
    """Whether a log goes anywhere; comfyclient's own handler is one that throws away."""
    while logger is not None:
        if not all(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
            return True
        logger = logger.parent if logger.propagate else None
    return False


def _show(error: BaseException) -> None:
    """Do what Python does with what ends a thread: it prints a traceback, unless somebody wants something else."""
    with contextlib.suppress(BaseException):  # the thread goes on, whatever their hook does
        threading.excepthook(
            threading.ExceptHookArgs((type(error), error, error.__traceback__, threading.current_thread()))
        )
