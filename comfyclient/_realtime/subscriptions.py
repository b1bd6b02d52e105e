"""Who wants which events."""

from __future__ import annotations

import difflib
import threading
import warnings
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from comfyclient._realtime.buffer import EventQueue
from comfyclient.events import EVENT_TYPES, LOCAL_TYPES, Event, UnknownEvent

if TYPE_CHECKING:
    from collections.abc import Callable

Topic = type[Event] | str
"""An event class, which stands for its subclasses too, or the wire type of an event that has no class."""

_NAMES = {**EVENT_TYPES, **LOCAL_TYPES, "*": Event}


def topic(event: str | type[Event]) -> Topic:
    """What a user's name or class stands for.

    Raises:
        TypeError: It is neither a string nor an event class.
    """
    if isinstance(event, type) and issubclass(event, Event):
        return event
    if not isinstance(event, str):
        msg = f"an event is named by a string such as 'progress' or by a class of comfyclient.events, not by {event!r}"
        raise TypeError(msg)
    if event in _NAMES:
        return _NAMES[event]
    if near := difflib.get_close_matches(event, _NAMES, n=1, cutoff=0.8):
        # Custom nodes send types of their own, so this is no error; it is shown where `on` or `listen` is called.
        warnings.warn(f"no event of ComfyUI is called {event!r}; did you mean {near[0]!r}?", stacklevel=4)
    return event


class Subscription:
    """A callback's registration, returned by ``client.on``.

    Attributes:
        topics: What it was registered for: names and classes.
        callback: What is called.
    """

    __slots__ = ("_remove", "callback", "topics")

    def __init__(
        self, topics: frozenset[Topic], callback: Callable[[Any], object], remove: Callable[[Subscription], None]
    ) -> None:
        self.topics = topics
        self.callback = callback
        self._remove = remove

    def cancel(self) -> None:
        """Stop the calls. Idempotent; safe from any thread, and from within the callback itself."""
        self._remove(self)

    def __repr__(self) -> str:
        names = sorted(topic if isinstance(topic, str) else topic.__name__ for topic in self.topics)
        return f"<Subscription to {', '.join(names)}>"


@frozen
class Route:
    """Who gets events of one kind: ``callbacks`` in order of registration, ``queues`` in no order."""

    callbacks: tuple[Subscription, ...]
    queues: tuple[EventQueue[Any], ...]


@frozen(eq=False)
class _Table:
    """All registrations at one moment; replaced as a whole, so that it can be read without a lock."""

    callbacks: tuple[Subscription, ...] = ()
    queues: tuple[tuple[frozenset[Topic], EventQueue[Any]], ...] = ()
    custom: frozenset[Topic] = frozenset()
    routes: dict[Topic, Route] = field(factory=dict)


class Subscriptions:
    """All registrations of one client."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # guards the replacement of _table; reading it takes no lock
        self._table = _Table()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._table.callbacks) + len(self._table.queues)

    def add(self, events: tuple[str | type[Event], ...], callback: Callable[[Any], object]) -> Subscription:
        """Register a callback."""
        subscription = Subscription(frozenset(map(topic, events)), callback, self._remove)
        with self._lock:
            self._replace((*self._table.callbacks, subscription), self._table.queues)
        return subscription

    def listen(self, events: tuple[str | type[Event], ...], maxsize: int) -> EventQueue[Any]:
        """Register a queue; no events means every event."""
        topics = frozenset(map(topic, events or ("*",)))
        listener: EventQueue[Any] = EventQueue(maxsize, on_close=self._forget)
        with self._lock:
            self._replace(self._table.callbacks, (*self._table.queues, (topics, listener)))
        return listener

    def route(self, event: Event) -> Route:
        """Who gets this event."""
        table = self._table
        # Types of strangers' making are remembered only when somebody asked for them, or the table would grow for ever.
        key: Topic = event.type if type(event) is UnknownEvent and event.type in table.custom else type(event)
        found = table.routes.get(key)
        if found is None:
            found = table.routes[key] = Route(
                tuple(entry for entry in table.callbacks if _wants(entry.topics, event)),
                tuple(listener for topics, listener in table.queues if _wants(topics, event)),
            )
        return found

    def close(self) -> None:
        """End every queue."""
        for _, listener in self._table.queues:
            listener.close()

    def _replace(
        self, callbacks: tuple[Subscription, ...], queues: tuple[tuple[frozenset[Topic], EventQueue[Any]], ...]
    ) -> None:
        topics = frozenset[Topic]().union(*(entry.topics for entry in callbacks), *(entry[0] for entry in queues))
        self._table = _Table(callbacks, queues, frozenset(entry for entry in topics if isinstance(entry, str)))

    def _remove(self, subscription: Subscription) -> None:
        with self._lock:
            kept = tuple(entry for entry in self._table.callbacks if entry is not subscription)
            self._replace(kept, self._table.queues)

    def _forget(self, listener: EventQueue[Any]) -> None:
        with self._lock:
            kept = tuple(entry for entry in self._table.queues if entry[1] is not listener)
            self._replace(self._table.callbacks, kept)


def _wants(topics: frozenset[Topic], event: Event) -> bool:
    return any(
        isinstance(event, entry) if isinstance(entry, type) else type(event) is UnknownEvent and event.type == entry
        for entry in topics
    )
