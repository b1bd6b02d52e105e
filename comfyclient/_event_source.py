"""``on`` and ``listen``: how a client's user gets at events, with the types that editors complete by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar, overload

from comfyclient import events as e

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient._realtime.buffer import EventQueue
    from comfyclient._realtime.subscriptions import Subscription
    from comfyclient._tracking.tracker import Tracker
    from comfyclient.events import Event

E = TypeVar("E", bound=e.Event)
E_co = TypeVar("E_co", bound=e.Event, covariant=True)
R = TypeVar("R")


_AssetsSeed: TypeAlias = Literal[
    "assets.seed.started",
    "assets.seed.progress",
    "assets.seed.fast_complete",
    "assets.seed.enrich_complete",
    "assets.seed.completed",
    "assets.seed.cancelled",
    "assets.seed.paused",
    "assets.seed.resumed",
    "assets.seed.error",
]


class Decorator(Protocol[E_co]):
    """Takes a callback and returns it as it is."""

    def __call__(self, callback: Callable[[E_co], R], /) -> Callable[[Any], R]:  # Any: it may be decorated again
        """Register the callback."""


class EventSource:
    """The part of a client that hands out events."""

    def __init__(self, tracker: Tracker) -> None:
        self.__tracker = tracker

    # One pair of overloads for each name that has a class of its own.
    @overload
    def on(self, event: Literal["status"], callback: Callable[[e.Status], object], /) -> Subscription: ...
    @overload
    def on(self, event: Literal["status"], /) -> Decorator[e.Status]: ...
    @overload
    def on(
        self, event: Literal["execution_start"], callback: Callable[[e.ExecutionStart], object], /
    ) -> Subscription: ...
    @overload
    def on(self, event: Literal["execution_start"], /) -> Decorator[e.ExecutionStart]: ...
    @overload
    def on(
        self, event: Literal["execution_cached"], callback: Callable[[e.ExecutionCached], object], /
    ) -> Subscription: ...
    @overload
    def on(self, event: Literal["execution_cached"], /) -> Decorator[e.ExecutionCached]: ...
    @overload
    def on(self, event: Literal["executing"], callback: Callable[[e.Executing], object], /) -> Subscription: ...
    @overload
    def on(self, event: Literal["executing"], /) -> Decorator[e.Executing]: ...
    @overload
    def on(
        self, event: Literal["progress_state"], callback: Callable[[e.ProgressState], object], /
    ) -> Subscription: ...
    @overload
    def on(self, event: Literal["progress_state"], /) -> Decorator[e.ProgressState]: ...
    @overload
    def on(self, event: Literal["progress"], callback: Callable[[e.Progress], object], /) -> Subscription: ...
    @overload
    def on(self, event: Literal["progress"], /) -> Decorator[e.Progress]: ...
    @overload
    def on(self, event: Literal["executed"], callback: Callable[[e.Executed], object], /) -> Subscription: ...
    @overload
    def on(self, event: Literal["executed"], /) -> Decorator[e.Executed]: ...
    @overload
    def on(
        self, event: Literal["execution_success"], callback: Callable[[e.ExecutionSuccess], object], /
    ) -> Subscription: ...
    @overload
    def on(self, event: Literal["execution_success"], /) -> Decorator[e.ExecutionSuccess]: ...
    @overload
    def on(
        self, event: Literal["execution_error"], callback: Callable[[e.ExecutionError], object], /
    ) -> Subscription: ...
    @overload
    def on(self, event: Literal["execution_error"], /) -> Decorator[e.ExecutionError]: ...
    @overload
    def on(
        self, event: Literal["execution_interrupted"], callback: Callable[[e.ExecutionInterrupted], object], /
    ) -> Subscription: ...
    @overload
    def on(self, event: Literal["execution_interrupted"], /) -> Decorator[e.ExecutionInterrupted]: ...
    @overload
    def on(self, event: Literal["feature_flags"], callback: Callable[[e.FeatureFlags], object], /) -> Subscription: ...
    @overload
    def on(self, event: Literal["feature_flags"], /) -> Decorator[e.FeatureFlags]: ...
    @overload
    def on(self, event: Literal["logs"], callback: Callable[[e.Logs], object], /) -> Subscription: ...
    @overload
    def on(self, event: Literal["logs"], /) -> Decorator[e.Logs]: ...
    @overload
    def on(self, event: Literal["preview"], callback: Callable[[e.Preview], object], /) -> Subscription: ...
    @overload
    def on(self, event: Literal["preview"], /) -> Decorator[e.Preview]: ...
    @overload
    def on(self, event: Literal["socket_image"], callback: Callable[[e.SocketImage], object], /) -> Subscription: ...
    @overload
    def on(self, event: Literal["socket_image"], /) -> Decorator[e.SocketImage]: ...
    @overload
    def on(self, event: Literal["progress_text"], callback: Callable[[e.ProgressText], object], /) -> Subscription: ...
    @overload
    def on(self, event: Literal["progress_text"], /) -> Decorator[e.ProgressText]: ...
    @overload
    def on(self, event: Literal["connected"], callback: Callable[[e.Connected], object], /) -> Subscription: ...
    @overload
    def on(self, event: Literal["connected"], /) -> Decorator[e.Connected]: ...
    @overload
    def on(self, event: Literal["disconnected"], callback: Callable[[e.Disconnected], object], /) -> Subscription: ...
    @overload
    def on(self, event: Literal["disconnected"], /) -> Decorator[e.Disconnected]: ...
    @overload
    def on(self, event: Literal["reconnected"], callback: Callable[[e.Reconnected], object], /) -> Subscription: ...
    @overload
    def on(self, event: Literal["reconnected"], /) -> Decorator[e.Reconnected]: ...
    @overload
    def on(
        self, event: Literal["reconnect_failed"], callback: Callable[[e.ReconnectFailed], object], /
    ) -> Subscription: ...
    @overload
    def on(self, event: Literal["reconnect_failed"], /) -> Decorator[e.ReconnectFailed]: ...
    @overload
    def on(self, event: _AssetsSeed, callback: Callable[[e.AssetsSeed], object], /) -> Subscription: ...
    @overload
    def on(self, event: _AssetsSeed, /) -> Decorator[e.AssetsSeed]: ...
    @overload
    def on(self, event: Literal["*"], callback: Callable[[e.Event], object], /) -> Subscription: ...
    @overload
    def on(self, event: Literal["*"], /) -> Decorator[e.Event]: ...
    @overload
    def on(self, event: type[E], callback: Callable[[E], object], /) -> Subscription: ...
    @overload
    def on(self, event: type[E], /) -> Decorator[E]: ...
    # Of other names nothing is known, so that a callback for a known one has to fit it.
    @overload
    def on(self, event: str, callback: Callable[[e.UnknownEvent], object], /) -> Subscription: ...
    @overload
    def on(self, event: str, /) -> Decorator[Any]: ...
    def on(self, event: str | type[Event], callback: Callable[[Any], object] | None = None, /) -> Any:
        """Have a function called with every event of a kind; the websocket is opened in the background if need be.

        All callbacks of a client run on its dispatcher thread, one after the other, those of one event in the order
        of their registration. What one raises is logged and harms nothing else; in a program that does not configure
        logging, its traceback is printed. While they are far behind, only the newest progress, preview and text of
        each node are kept, and everything else.

        Args:
            event: A wire type such as ``"progress"``, also one that only a custom node sends; a class of
                ``comfyclient.events``, which stands for its subclasses too; or ``"*"`` for everything.
            callback: The function; without it, ``on`` is a decorator.

        Returns:
            A ``Subscription`` to cancel; the decorator returns the function as it was.

        Raises:
            TypeError: ``event`` is neither a string nor an event class, or ``callback`` cannot be called.
            ValueError: The client was made with ``realtime=False``.
            ClientClosed: The client is closed.

        Example:
            >>> @client.on("execution_error")
            ... def tell(event):
            ...     print(f"node {event.node_id} failed: {event.exception_message}")
        """
        if callback is not None and not callable(callback):
            msg = f"a callback is a function that takes the event, not {callback!r}"
            raise TypeError(msg)
        if callback is None:

            def decorate(function: Callable[[Any], R]) -> Callable[[Any], R]:
                self.on(event, function)
                return function

            return decorate
        subscription = self.__tracker.subscriptions.add((event,), callback)
        try:
            self.__start()
        except BaseException:
            subscription.cancel()
            raise
        return subscription

    @overload
    def listen(self, event: type[E], /, *, maxsize: int = 0) -> EventQueue[E]: ...
    @overload
    def listen(self, /, *events: str | type[Event], maxsize: int = 0) -> EventQueue[Any]: ...
    def listen(self, /, *events: str | type[Event], maxsize: int = 0) -> EventQueue[Any]:
        """A ``queue.Queue`` of every event of the given kinds, from now on, for a thread of the caller's own.

        It can be iterated, which ends when it or the client is closed, and is a context manager that closes it. The
        websocket is opened in the background if need be.

        Args:
            *events: As for ``on``; none means everything.
            maxsize: How many events wait at most; the oldest is dropped when there are more, and ``dropped`` counts
                them. 0 keeps all but superseded progress.

        Raises:
            TypeError: An event is neither a string nor an event class.
            ValueError: The client was made with ``realtime=False``.
            ClientClosed: The client is closed.

        Example:
            >>> with client.listen("executed") as queue:
            ...     result = client.run(workflow)
            ...     queue.get(timeout=10).node
            '9'
        """
        queue = self.__tracker.subscriptions.listen(events, maxsize)
        try:
            self.__start()
        except BaseException:
            queue.close()
            raise
        return queue

    def __start(self) -> None:
        self.__tracker.listen()
