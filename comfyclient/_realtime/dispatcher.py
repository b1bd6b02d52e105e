"""The dispatcher thread: callbacks one after the other, and between them the questions that silent jobs call for."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import frozen

from comfyclient._condition import Condition
from comfyclient._realtime.buffer import Backlog

if TYPE_CHECKING:
    from comfyclient._realtime.subscriptions import Subscriptions
    from comfyclient.events import Event

log = logging.getLogger(__name__)


@frozen(eq=False)
class _Call:
    """Something to call once."""

    function: Callable[[], object]
    what: str
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
        self._chores_at: float | None = None
        self._thread: threading.Thread | None = None
        self._closing = False
        self._aborted = False
        self.is_calling = False  # written by the thread alone

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
            if len(self._waiting) == 1:  # with more, the thread is awake already
                self._changed.notify()

    def call(self, function: Callable[[], object], what: str) -> bool:
        """Hand over a function to call once; ``what`` names it in the log.

        Returns:
            Whether it will be called: not once the dispatcher is closed.
        """
        self.start()
        with self._changed:
            if self._closing:
                return False
            self._waiting.append(_Call(function, what))
            self._changed.notify()
            return True

    def hurry(self, pause: float = 0.0) -> None:
        """Have the chores done in ``pause`` seconds at the latest, if no callback runs then."""
        at = time.monotonic() + pause
        with self._changed:
            if self._chores_at is None or at < self._chores_at:
                self._chores_at = at
                self._changed.notify()

    def stop(self) -> None:
        """Call what waits, then end. Returns at once."""
        with self._changed:
            self._closing = True
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
            with self._lock:
                pause = self._pause()
                while pause is None or pause > 0:
                    if self._waiting and not self._aborted:
                        item: Event | _Call = self._waiting.pop()
                        return item
                    if self._aborted or self._closing:
                        return None
                    self._changed.wait(pause)
                    pause = self._pause()
                self._chores_at = None
            pause = self._do_chores()
            if pause is not None:
                self.hurry(pause)

    def _pause(self) -> float | None:
        """Seconds until the chores are due."""
        return None if self._chores_at is None else self._chores_at - time.monotonic()

    def _do_chores(self) -> float | None:
        try:
            return self._chores()
        except Exception:
            log.exception("looking after silent jobs failed; trying again")
            return 1.0

    def _deliver(self, item: Event | _Call) -> None:
        if isinstance(item, _Call):
            _guarded(item.function, item.what)
            return
        for subscription in self._subscriptions.route(item).callbacks:
            _guarded(subscription.callback, item.type, item)


def _guarded(function: Callable[..., object], what: str, *arguments: Event) -> None:
    try:
        function(*arguments)
    except BaseException:
        log.exception("a callback for %s raised", what)
