"""What lies between the reader and whoever may be slow."""

from __future__ import annotations

import queue
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfyclient._realtime.buffer import BEHIND, BEHIND_LARGE, Backlog, EventQueue
from comfyclient.errors import ClientClosed
from comfyclient.events import Executed, Executing, Preview, Progress, ProgressState, ProgressText
from tests.conftest import soon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from comfyclient.events import Event

PATIENCE = 10.0


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def progress(value: int, node: str = "1", prompt_id: str = "p") -> Progress:
    return Progress(value, 1000, prompt_id, node)


def executing(number: int) -> Executing:
    return Executing(str(number), prompt_id="p")


# --- the backlog --------------------------------------------------------------------------------------------


def test_who_keeps_up_sees_everything_in_order() -> None:
    backlog = Backlog()
    events = [progress(value) for value in range(BEHIND)]
    for event in events:
        backlog.append(event)
    assert list(backlog) == events
    assert [backlog.pop() for _ in range(len(backlog))] == events


def test_who_is_behind_gets_only_the_newest_progress_of_each_node() -> None:
    backlog = Backlog(behind=2)
    for event in (executing(1), executing(2), progress(1), progress(1, "2"), executing(3), progress(2), progress(3)):
        backlog.append(event)
    assert list(backlog) == [executing(1), executing(2), progress(1, "2"), executing(3), progress(3)]


def test_what_was_waiting_before_stays() -> None:
    backlog = Backlog(behind=2, events=[progress(1), progress(2)])
    backlog.append(progress(3))
    backlog.append(progress(4))
    assert list(backlog) == [progress(1), progress(2), progress(4)]


def test_of_what_is_large_only_the_newest_is_kept_much_sooner() -> None:
    backlog = Backlog()
    previews = [Preview("image/png", bytes([value]), "p", "1") for value in range(BEHIND_LARGE + 3)]
    snapshots = [ProgressState("p", {str(value): {}}) for value in range(BEHIND_LARGE + 3)]
    steps = [progress(value) for value in range(5)]
    for event in (*previews, *snapshots, *steps):
        backlog.append(event)
    kept = [*previews[:BEHIND_LARGE], previews[-1], *snapshots[:BEHIND_LARGE], snapshots[-1], *steps]
    assert list(backlog) == kept


def test_nothing_large_is_left_out_because_of_what_else_waits() -> None:
    previews = [Preview("image/png", bytes([value]), "p", "1") for value in range(BEHIND_LARGE)]
    others = [ProgressState("p", {}) if value % 5 == 0 else executing(value) for value in range(80)]
    backlog = Backlog(events=[*others, *previews])
    assert list(backlog) == [*others, *previews]
    older, newest = (Preview("image/png", data, "p", "1") for data in (b"older", b"newest"))
    backlog.append(older)
    backlog.append(newest)
    assert list(backlog) == [*others, *previews, newest]


def test_what_was_too_much_once_is_replaced_while_much_waits() -> None:
    previews = [Preview("image/png", bytes([value]), "p", "1") for value in range(BEHIND_LARGE)]
    first, second, third = (Preview("image/png", data, "p", "1") for data in (b"first", b"second", b"third"))
    others = [executing(value) for value in range(BEHIND_LARGE)]
    backlog = Backlog(events=[*previews, first, *others])
    backlog.take(BEHIND_LARGE - 1)
    backlog.append(second)
    assert list(backlog) == [previews[-1], *others, second]
    backlog.take(BEHIND_LARGE)
    backlog.append(third)
    assert list(backlog) == [others[-1], second, third]


def test_several_are_taken_at_once() -> None:
    backlog = Backlog(behind=2, events=[executing(number) for number in range(5)])
    assert backlog.take(3) == [executing(number) for number in range(3)]
    assert backlog.take(3) == [executing(3), executing(4)]
    assert backlog.take(3) == []


def test_kinds_prompts_and_nodes_are_kept_apart() -> None:
    events: list[Event] = [
        progress(1),
        progress(1, "2"),
        progress(1, prompt_id="q"),
        Preview("image/png", b"1", "p", "1"),
        ProgressText("1", "text", "p"),
        ProgressState("p", {}),
    ]
    assert list(Backlog(behind=0, events=events)) == events


def test_after_catching_up_everything_is_kept_again() -> None:
    backlog = Backlog(behind=2, events=[progress(value) for value in range(9)])
    assert [backlog.pop() for _ in range(len(backlog))] == [progress(0), progress(1), progress(8)]
    backlog.append(progress(9))
    backlog.append(progress(10))
    assert list(backlog) == [progress(9), progress(10)]


class Contested(deque[Any]):
    """The oldest events of a backlog, with another thread that comes in between, once."""

    after_counting: Callable[[], object] = bool
    before_taking: Callable[[], object] = bool

    def __len__(self) -> int:
        length = super().__len__()
        between, self.after_counting = self.after_counting, bool
        between()
        return length

    def popleft(self) -> Any:
        between, self.before_taking = self.before_taking, bool
        between()
        return super().popleft()


def test_it_is_not_empty_because_events_move_while_they_are_counted() -> None:
    backlog = Backlog(behind=0, events=[progress(1, "1"), progress(1, "2")])
    backlog.early = Contested()
    backlog.early.after_counting = backlog.pop
    assert len(backlog) > 0
    assert list(backlog) == [progress(1, "2")]


def test_who_finds_the_oldest_taken_gets_the_next() -> None:
    backlog = Backlog(behind=1, events=[executing(1), progress(1)])
    backlog.early = Contested(backlog.early)
    backlog.early.before_taking = backlog.early.popleft
    assert backlog.pop() == progress(1)
    with pytest.raises(IndexError):
        backlog.pop()


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3))), st.integers(0, 5))
def test_lifecycle_events_are_never_left_out_and_the_newest_progress_neither(
    plan: list[tuple[bool, int]], behind: int
) -> None:
    events = [progress(at, str(node)) if is_progress else executing(at) for at, (is_progress, node) in enumerate(plan)]
    kept = list(Backlog(behind, events))
    assert [event for event in kept if isinstance(event, Executing)] == [
        event for event in events if isinstance(event, Executing)
    ]
    newest = {event.node: event for event in events if isinstance(event, Progress)}
    assert all(event in kept for event in newest.values())
    positions = [events.index(event) for event in kept]
    assert positions == sorted(positions)
    assert sum(isinstance(event, Progress) for event in kept) <= behind + len(newest)


# --- the queue ----------------------------------------------------------------------------------------------


def test_it_is_a_queue() -> None:
    events: EventQueue[Any] = EventQueue()
    assert isinstance(events, queue.Queue)
    with pytest.raises(queue.Empty):
        events.get_nowait()
    with pytest.raises(queue.Empty):
        events.get(timeout=0.01)
    with pytest.raises(ValueError, match="non-negative"):
        events.get(timeout=-1)
    events.put(executing(1))
    events.offer(executing(2))
    assert (events.qsize(), events.empty(), events.full()) == (2, False, False)
    assert [events.get(), events.get_nowait()] == [executing(1), executing(2)]
    assert events.empty()


def test_get_waits_for_the_next_event(pool: ThreadPoolExecutor) -> None:
    events: EventQueue[Any] = EventQueue()
    got = pool.submit(events.get)
    events.offer(executing(1))
    assert got.result(PATIENCE) == executing(1)


def test_iteration_ends_after_what_had_arrived() -> None:
    events: EventQueue[Any] = EventQueue(past=[executing(1)])
    events.offer(executing(2))
    events.close()
    events.offer(executing(3))
    assert events.qsize() == 2
    assert list(events) == [executing(1), executing(2)]
    assert events.empty()
    assert list(events) == []


def test_get_after_the_end_raises() -> None:
    events: EventQueue[Any] = EventQueue()
    events.close()
    for _ in range(2):
        with pytest.raises(ClientClosed, match="queue of events is closed"):
            events.get()
        with pytest.raises(ClientClosed):
            events.get_nowait()


def test_closing_wakes_everybody_who_waits(pool: ThreadPoolExecutor) -> None:
    events: EventQueue[Any] = EventQueue()
    consumers = [pool.submit(list, events) for _ in range(4)]
    assert soon(lambda: all(consumer.running() for consumer in consumers))
    events.offer(executing(1))
    events.close()
    got = [event for consumer in consumers for event in consumer.result(PATIENCE)]
    assert got == [executing(1)]


def test_several_consumers_share_the_events(pool: ThreadPoolExecutor) -> None:
    events: EventQueue[Any] = EventQueue()
    consumers = [pool.submit(lambda: list(events)) for _ in range(4)]
    for number in range(1000):
        events.offer(executing(number))
    events.close()
    shares = [consumer.result(PATIENCE) for consumer in consumers]
    numbers = [[int(event.node) for event in share] for share in shares]
    assert sorted(number for share in numbers for number in share) == list(range(1000))
    assert all(share == sorted(share) for share in numbers)


def test_a_consumer_whose_event_is_taken_by_another_waits_on(pool: ThreadPoolExecutor) -> None:
    events: EventQueue[Any] = EventQueue()
    contested = events._backlog.early = events._early = Contested()
    waiting = pool.submit(events.get)
    assert soon(waiting.running)
    taken = threading.Event()

    def take() -> None:
        contested.popleft()
        taken.set()

    with events.mutex:  # the consumer is woken up, and comes for this
        events.offer(executing(1))
        contested.before_taking = take
    assert taken.wait(PATIENCE)
    events.offer(executing(2))
    assert waiting.result(PATIENCE) == executing(2)


def test_closing_is_told_once() -> None:
    closed: list[Any] = []
    events: EventQueue[Any] = EventQueue(on_close=closed.append)
    with events as entered:
        assert entered is events
        assert closed == []
    events.close()
    assert closed == [events]


def test_a_bounded_queue_drops_the_oldest_and_counts() -> None:
    events: EventQueue[Any] = EventQueue(3)
    for number in range(10):
        events.offer(executing(number))
    assert (events.qsize(), events.full(), events.dropped) == (3, True, 7)
    assert [events.get() for _ in range(3)] == [executing(7), executing(8), executing(9)]
    events.offer(executing(10))
    assert (events.get(), events.dropped) == (executing(10), 7)


def test_closing_a_full_queue_drops_nothing() -> None:
    events: EventQueue[Any] = EventQueue(2)
    events.offer(executing(1))
    events.offer(executing(2))
    events.close()
    assert list(events) == [executing(1), executing(2)]
    assert events.dropped == 0


def test_progress_that_replaces_older_progress_needs_no_room() -> None:
    events: EventQueue[Any] = EventQueue(BEHIND)
    for number in range(BEHIND - 1):
        events.offer(executing(number))
    events.offer(executing(BEHIND))
    events.offer(progress(1))
    assert events.dropped == 1
    for value in range(2, 100):
        events.offer(progress(value))
    assert (events.dropped, events.qsize()) == (1, BEHIND)
    events.close()
    assert list(events)[-2:] == [executing(BEHIND), progress(99)]


def test_join_waits_for_the_events_that_can_be_taken(pool: ThreadPoolExecutor) -> None:
    events: EventQueue[Any] = EventQueue(BEHIND + 1, past=[executing(0)])
    for value in range(BEHIND * 3):
        events.offer(progress(value))
        events.offer(executing(value))
    events.close()
    for _ in events:
        events.task_done()
    pool.submit(events.join).result(PATIENCE)
    with pytest.raises(ValueError, match="too many"):
        events.task_done()


def test_invariant_02_nobody_makes_the_putter_wait() -> None:
    for maxsize in (0, 1, 5):
        events: EventQueue[Any] = EventQueue(maxsize)
        done = threading.Event()

        def put(events: EventQueue[Any] = events, done: threading.Event = done) -> None:
            for value in range(20_000):
                events.offer(progress(value, str(value % 3)))
            done.set()

        threading.Thread(target=put, daemon=True).start()
        assert done.wait(PATIENCE)
        assert events.qsize() <= (maxsize or BEHIND + 3)
        events.close()
        assert list(events)[-1] == progress(19_999, "1")


def test_lifecycle_events_are_all_there_however_slow_the_consumer() -> None:
    events: EventQueue[Any] = EventQueue()
    for number in range(5000):
        events.offer(progress(number))
        events.offer(Executed("p", str(number)))
    events.close()
    assert [event.node for event in events if isinstance(event, Executed)] == [str(number) for number in range(5000)]
