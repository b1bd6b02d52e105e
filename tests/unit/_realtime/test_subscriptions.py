"""Who gets which events."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient._realtime.subscriptions import Subscriptions
from comfyclient.events import (
    AssetsSeed,
    AssetsSeedStarted,
    Event,
    Executed,
    Executing,
    Progress,
    SocketImage,
    Status,
    UnknownEvent,
)

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRESS = Progress(1, 2)


def ignore(_: Any) -> None:
    pass


def callbacks(subscriptions: Subscriptions, event: Event) -> list[Callable[[Any], object]]:
    return [subscription.callback for subscription in subscriptions.route(event).callbacks]


@pytest.mark.parametrize(
    ("wanted", "event", "gets_it"),
    [
        ("progress", PROGRESS, True),
        (Progress, PROGRESS, True),
        ("progress", Executing(None), False),
        ("*", PROGRESS, True),
        (Event, UnknownEvent("x", 1), True),
        ("socket_image", SocketImage("p", "1", "image/png", b""), True),
        (AssetsSeed, AssetsSeedStarted(), True),
        ("assets.seed.started", AssetsSeedStarted(), True),
        ("assets.seed.progress", AssetsSeedStarted(), False),
        ("x", UnknownEvent("x", 1), True),
        ("x", UnknownEvent("y", 1), False),
        ("binary.99", UnknownEvent("binary.99", b""), True),
        (UnknownEvent, UnknownEvent("x", 1), True),
        ("progress", UnknownEvent("progress", 1, "does not fit"), False),
        (UnknownEvent, UnknownEvent("progress", 1, "does not fit"), True),
    ],
)
def test_names_and_classes(wanted: str | type[Event], event: Event, gets_it: bool) -> None:  # noqa: FBT001 - a table
    subscriptions = Subscriptions()
    subscriptions.add((wanted,), ignore)
    listener = subscriptions.listen((wanted,), 0)
    route = subscriptions.route(event)
    assert (len(route.callbacks), len(route.queues)) == (gets_it, gets_it)
    assert route.queues == (listener,) * gets_it


def test_the_order_is_that_of_registration() -> None:
    subscriptions = Subscriptions()
    functions: list[Callable[[Any], object]] = [lambda _, number=number: number for number in range(9)]  # type: ignore[misc]
    topics: list[str | type[Event]] = ["progress", "*", Progress]
    for number, function in enumerate(functions):
        subscriptions.add((topics[number % 3],), function)
    assert callbacks(subscriptions, PROGRESS) == functions


def test_several_events_for_one_registration_and_none_for_all() -> None:
    subscriptions = Subscriptions()
    subscriptions.add(("progress", "executed", "progress"), ignore)
    subscriptions.listen((), 0)
    assert callbacks(subscriptions, PROGRESS) == [ignore]
    assert callbacks(subscriptions, Executed("p", "1")) == [ignore]
    assert callbacks(subscriptions, Status({})) == []
    assert len(subscriptions.route(Status({})).queues) == 1


def test_one_function_registered_twice_is_called_twice_and_cancelled_once() -> None:
    subscriptions = Subscriptions()
    first = subscriptions.add(("progress",), ignore)
    subscriptions.add(("progress",), ignore)
    assert callbacks(subscriptions, PROGRESS) == [ignore, ignore]
    first.cancel()
    first.cancel()
    assert callbacks(subscriptions, PROGRESS) == [ignore]


def test_later_registrations_count_at_once() -> None:
    subscriptions = Subscriptions()
    assert callbacks(subscriptions, PROGRESS) == []
    assert callbacks(subscriptions, UnknownEvent("x", 1)) == []
    subscriptions.add(("progress",), ignore)
    subscriptions.add(("x",), ignore)
    assert callbacks(subscriptions, PROGRESS) == [ignore]
    assert callbacks(subscriptions, UnknownEvent("x", 1)) == [ignore]


def test_closing_a_queue_takes_it_away() -> None:
    subscriptions = Subscriptions()
    with subscriptions.listen(("progress",), 5) as listener:
        assert listener.maxsize == 5
        assert subscriptions.route(PROGRESS).queues == (listener,)
    assert subscriptions.route(PROGRESS).queues == ()


def test_closing_all_ends_every_queue() -> None:
    subscriptions = Subscriptions()
    listeners = [subscriptions.listen((), 0) for _ in range(3)]
    subscriptions.close()
    assert [list(listener) for listener in listeners] == [[], [], []]
    assert subscriptions.route(PROGRESS).queues == ()


def test_strangers_types_are_not_remembered_one_by_one() -> None:
    subscriptions = Subscriptions()
    subscriptions.add(("x",), ignore)
    for number in range(1000):
        subscriptions.route(UnknownEvent(f"type {number}", None))
    assert len(subscriptions._table.routes) == 1


@pytest.mark.parametrize("wrong", [None, 1, int, Event(), b"progress", ("progress",)])
def test_what_names_no_event(wrong: Any) -> None:
    subscriptions = Subscriptions()
    with pytest.raises(TypeError, match="an event is named by a string such as 'progress' or by a class"):
        subscriptions.add((wrong,), ignore)
    with pytest.raises(TypeError, match="an event is named by"):
        subscriptions.listen((wrong,), 0)


def test_a_slip_of_the_pen_is_pointed_out() -> None:
    with pytest.warns(UserWarning, match=r"^no event of ComfyUI is called 'progres'; did you mean 'progress'\?$"):
        Subscriptions().add(("progres",), ignore)
    Subscriptions().add(("crystools.monitor", "progress"), ignore)  # warnings are errors


def test_a_subscription_says_what_it_is_for() -> None:
    subscription = Subscriptions().add(("x", "progress", Event), ignore)
    assert repr(subscription) == "<Subscription to Event, Progress, x>"


def test_invariant_06_routing_waits_for_nobody_who_registers() -> None:
    subscriptions = Subscriptions()
    subscriptions.add(("progress",), ignore)
    with subscriptions._lock:
        routed: list[Any] = []
        thread = threading.Thread(target=lambda: routed.append(subscriptions.route(PROGRESS)), daemon=True)
        thread.start()
        thread.join(10)
    assert len(routed) == 1


def test_routes_hold_while_others_come_and_go() -> None:
    subscriptions = Subscriptions()
    subscriptions.add(("progress",), ignore)
    stop = threading.Event()

    def come_and_go() -> None:
        while not stop.is_set():
            subscriptions.add(("progress",), print).cancel()
            subscriptions.listen(("progress",), 0).close()

    threads = [threading.Thread(target=come_and_go, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(2000):
        assert callbacks(subscriptions, PROGRESS)[0] is ignore
    stop.set()
    for thread in threads:
        thread.join(10)
    route = subscriptions.route(PROGRESS)
    assert (len(route.callbacks), len(route.queues)) == (1, 0)
