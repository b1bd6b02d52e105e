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
    from comfyclient._realtime.subscriptions import Subscriptions
    from comfyclient.events import Event

log = logging.getLogger(__name__)

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

    Args:
        subscriptions: Whom to call for an event.
        chores: Called in between; returns the seconds until it wants to be called again, or ``None`` for when
            ``hurry`` is called.

    Attributes:
        is_calling: Whether a callback runs, so that the chores wait.
    """

    def __init__(self, subscriptions: Subscriptions, chores: Callable[[], float | None]) -> None:
        self._subscriptions = subscriptions
        self._chores = chores
        self._lock = threading.RLock()  # guards the fields below
        self._changed = Condition(self._lock)
        self._waiting = Backlog()
        self._asleep = False
        self._chores_at: float | None = None
        self._thread: threading.Thread | None = None
        self._closing = False
        self._aborted = False
        self._batch: deque[Event | _Call] = deque()  # this and the next are the thread's own
        self.is_calling = False

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start the thread, unless it runs or the dispatcher is closed."""
        with self._changed:
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(target=self._run, name="comfyclient-dispatcher", daemon=True)
                self._thread.start()

    def put(self, event: Event) -> None:
        """Hand over an event; never blocks."""
        with self._lock:
            self._waiting.append(event)
            if self._asleep:
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

    def _run(self) -> None:
        while True:
            item = self._next()
            if item is None:
                return
            self.is_calling = True
            self._deliver(item)
            self.is_calling = False
            del item  # what it refers to may be nobody else's any more

    def _next(self) -> Event | _Call | None:
        """The next thing to call, doing the chores when they are due; ``None`` at the end."""
        while True:
            at = self._chores_at
            if at is not None and at <= time.monotonic():
                self._chores_at = None  # before they are done: whoever hurries meanwhile means the next time
                pause = self._do_chores()
                if pause is not None:
                    self.hurry(pause)
            elif self._aborted:
                return None
            elif self._batch:
                return self._batch.popleft()
            elif not self._fetch():
                return None

    def _fetch(self) -> bool:
        """Take what waits, or wait for something to do; ``False`` at the end."""
        with self._lock:
            self._batch.extend(self._waiting.take(_BATCH))
            if self._batch:
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

    def _do_chores(self) -> float | None:
        try:
            return self._chores()
        except Exception:
            log.exception("looking after silent jobs failed; trying again")
            return 1.0

    def _deliver(self, item: Event | _Call) -> None:
        callbacks = (item,) if isinstance(item, _Call) else self._subscriptions.route(item).callbacks
        for each in callbacks:
            try:
                each.callback(item)
            except BaseException:
                log.exception("a callback for %s raised", item.type)
