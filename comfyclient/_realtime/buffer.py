"""Events on their way to somebody who may be slow: never blocks, never grows without bound because of progress."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from comfyclient.errors import ClientClosed
from comfyclient.events import Event, Preview, ProgressState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

E = TypeVar("E", bound=Event)

BEHIND = 128
"""So many waiting events mean that the consumer is behind; from then on only the newest progress is kept."""
BEHIND_LARGE = 16
"""So many of one kind, where the kind is large and the newest says it all."""
_LARGE = frozenset({Preview, ProgressState})


class Backlog:
    """Waiting events, oldest first.

    While fewer than ``behind`` wait, and fewer than ``BEHIND_LARGE`` previews or snapshots, all are kept. Beyond that
    a newer progress, preview or text takes the place of the older one of its node; everything else is kept always.
    Not safe for threads; its owner has a lock.

    Attributes:
        early: The oldest, which stay whatever comes. To take one from its left is safe without the lock.
    """

    __slots__ = ("_behind", "_behind_large", "_late", "_serial", "early")

    def __init__(self, behind: int = BEHIND, events: Iterable[Any] = ()) -> None:
        self._behind = behind
        self._behind_large = min(behind, BEHIND_LARGE)
        self.early: deque[Any] = deque()
        self._late: OrderedDict[Any, Any] = OrderedDict()  # these came behind them, once there were enough
        self._serial = itertools.count()
        for event in events:
            self.append(event)

    def append(self, event: Any) -> bool:
        """Add an event, or put it in the place of the one that it supersedes; whether there is one more now."""
        late = self._late
        waiting = len(self.early) + len(late)
        key = None
        if waiting >= self._behind:
            key = event.supersedes
        elif waiting >= self._behind_large and type(event) in _LARGE:
            key = event.supersedes
            # Where one waits to be replaced it was too much already, which spares the counting.
            if key not in late and self._count(type(event)) < self._behind_large:
                key = None
        if key is None:
            if late:
                late[next(self._serial)] = event
            else:
                self.early.append(event)
            return True
        superseded = late.pop(key, None)
        late[key] = event
        return superseded is None

    def _count(self, kind: type) -> int:
        early = self.early.copy()  # in one step, since others take from it meanwhile
        return [*map(type, early), *map(type, self._late.values())].count(kind)

    def pop(self) -> Any:
        """Take the oldest event; ``IndexError`` if there is none, perhaps not any more."""
        try:
            return self.early.popleft()
        except IndexError:
            self.early.extend(self._late.values())
            self._late.clear()
            return self.early.popleft()

    def take(self, most: int) -> list[Any]:
        """Take the oldest events, not more than ``most``."""
        return [self.pop() for _ in range(min(most, len(self)))]

    def __len__(self) -> int:
        return len(self._late) + len(self.early)  # in this order: what moves meanwhile is counted twice, not missed

    def __iter__(self) -> Iterator[Any]:
        yield from self.early
        yield from self._late.values()


class EventQueue(queue.Queue[E], Generic[E]):
    """A ``queue.Queue`` of events that can be iterated, ends, and never makes the reader wait.

    Iteration ends when the queue is closed: by ``close()``, by leaving its ``with`` block, with its job, or with the
    client. ``get`` then raises ``ClientClosed`` once everything that had arrived is taken.

    With ``maxsize`` the oldest event is dropped when a newer one finds no room, and ``dropped`` counts them.
    Without, nothing is lost but superseded progress: see ``Backlog``.

    Attributes:
        dropped: How many events found no room.
    """

    def __init__(
        self,
        maxsize: int = 0,
        *,
        past: Iterable[E] = (),
        on_close: Callable[[EventQueue[E]], None] | None = None,
    ) -> None:
        super().__init__(maxsize)
        # Re-entrant, since the garbage collector may close an abandoned queue at any moment, also while it is used.
        self.mutex = threading.RLock()  # type: ignore[assignment]  # all that queue.Queue does with it
        self.not_empty = threading.Condition(self.mutex)
        self.not_full = threading.Condition(self.mutex)
        self.all_tasks_done = threading.Condition(self.mutex)
        # Who waits for an event waits to take this; a Condition would need half as much time again to wake it.
        self._bell = threading.Lock()
        self._bell.acquire()
        self._backlog = Backlog(events=past)
        self._early: deque[E] = self._backlog.early
        self.unfinished_tasks = len(self._backlog)
        self.dropped = 0
        self._on_close = on_close
        self._closed = False

    def __repr__(self) -> str:
        count, end = self.qsize(), ", closed" if self._closed else ""
        return f"<EventQueue with {count} event{'s' * (count != 1)}{end}>"

    # The hooks that queue.Queue has for its subclasses; each is called with the queue's lock held.

    def _init(self, maxsize: int) -> None:
        """Nothing: ``__init__`` makes the backlog."""

    def _qsize(self) -> int:
        return len(self._backlog)

    def _put(self, item: Any) -> None:
        self._backlog.append(item)
        self._ring()

    def _ring(self) -> None:
        if self._bell.locked():
            self._bell.release()

    def offer(self, event: Any) -> None:
        """Put an event without ever waiting; a closed queue takes no more."""
        with self.mutex:
            if self._closed:
                return
            if self._backlog.append(event):
                self.unfinished_tasks += 1
            if self._bell.locked():
                self._bell.release()
            if 0 < self.maxsize < len(self._backlog):
                self._backlog.pop()
                self.unfinished_tasks -= 1
                self.dropped += 1

    def get(self, block: bool = True, timeout: float | None = None) -> E:  # noqa: FBT001, FBT002 - queue.Queue's own signature
        """Take the next event; see ``queue.Queue.get``.

        Raises:
            queue.Empty: Nothing came in time.
            ClientClosed: The queue is closed and everything in it was taken.
        """
        if timeout is not None and timeout < 0:
            msg = "'timeout' must be a non-negative number"
            raise ValueError(msg)
        deadline = None if timeout is None else time.monotonic() + timeout
        rung = False
        while True:
            # The lock only where need be: else reader and consumer wait for it in turn, and each for the GIL as well.
            if self._early and self.maxsize <= 0 and not rung:
                try:
                    return self._early.popleft()
                except IndexError:
                    continue  # another thread took it
            if self._backlog or self._closed:
                event = self._take(rung=rung)
                if event is not None:
                    return event
            rest = -1 if deadline is None else min(max(0.0, deadline - time.monotonic()), threading.TIMEOUT_MAX)
            if not (block and self._bell.acquire(timeout=rest)):
                raise queue.Empty
            rung = True

    def _take(self, *, rung: bool) -> E | None:
        with self.mutex:
            try:
                event: E = self._backlog.pop()
            except IndexError:  # another thread took it
                if not self._closed:
                    return None
                self._ring()
                msg = "this queue of events is closed"
                raise ClientClosed(msg) from None
            if rung and self._backlog:
                self._ring()  # for whoever else waits
            if self.maxsize > 0:  # otherwise nobody waits for room
                self.not_full.notify()
            return event

    def close(self) -> None:
        """Let the queue end after what it holds, and take it from the client. Idempotent."""
        with self.mutex:
            if self._closed:
                return
            self._closed = True
            self._ring()
        if self._on_close is not None:
            self._on_close(self)

    def __iter__(self) -> Iterator[E]:
        while True:
            try:
                yield self.get()
            except ClientClosed:
                return

    def __enter__(self) -> EventQueue[E]:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
