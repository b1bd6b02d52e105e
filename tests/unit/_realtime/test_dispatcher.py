"""The one thread for callbacks."""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient._realtime.dispatcher import Dispatcher
from comfyclient._realtime.subscriptions import Subscriptions
from comfyclient.events import Event, Executing, Progress, UnknownEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PATIENCE = 10.0


class Stage:
    """A dispatcher, what its callbacks noted, and its chores."""

    def __init__(self) -> None:
        self.subscriptions = Subscriptions()
        self.dispatcher = Dispatcher(self.subscriptions, self.chores)
        self.seen: list[Any] = []
        self.pauses: list[float | Exception | None] = []
        self.chores_at: list[float] = []
        self.changed = threading.Condition()
        self.on_chores: Callable[[], object] = bool

    def chores(self) -> float | None:
        self.on_chores()
        with self.changed:
            self.chores_at.append(time.monotonic())
            self.changed.notify_all()
        pause = self.pauses.pop(0) if self.pauses else None
        if isinstance(pause, Exception):
            raise pause
        return pause

    def wait_for_chores(self, number: int) -> None:
        self.wait_for(lambda: len(self.chores_at) >= number)

    def begin_chores(self) -> threading.Event:
        """Have chores done, wait until they are under way, and return what lets them end."""
        gate, asking = threading.Event(), threading.Event()

        def ask() -> None:
            asking.set()
            assert gate.wait(PATIENCE)

        self.on_chores = ask
        self.dispatcher.hurry()
        assert asking.wait(PATIENCE)
        return gate

    def see(self, what: Any) -> None:
        with self.changed:
            self.seen.append(what)
            self.changed.notify_all()

    def wait_for(self, happened: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(happened, PATIENCE)

    def settle(self) -> None:
        """Wait until everything before this was called."""
        done = threading.Event()
        assert self.dispatcher.call(done.set, "the end")
        assert done.wait(PATIENCE)


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    stage.dispatcher.start()
    yield stage
    stage.dispatcher.close(PATIENCE)


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "comfyclient-dispatcher"]


def test_the_thread_starts_with_the_first_thing_to_do() -> None:
    stage = Stage()
    stage.dispatcher.put(Executing("1"))
    stage.dispatcher.hurry()
    assert threads() == []
    called = threading.Event()
    assert stage.dispatcher.call(called.set, "a call")
    assert called.wait(PATIENCE)
    assert len(threads()) == 1
    stage.dispatcher.start()
    assert len(threads()) == 1
    stage.dispatcher.close(PATIENCE)
    assert threads() == []


def test_invariant_03_callbacks_run_on_one_thread_in_the_order_of_registration(stage: Stage) -> None:
    def note(number: int, event: Event) -> None:
        stage.seen.append((threading.current_thread().name, event, number))

    for number in range(5):
        stage.subscriptions.add(("executing",), partial(note, number))
    events = [Executing(str(at)) for at in range(50)]
    for event in events:
        stage.dispatcher.put(event)
    stage.settle()
    assert stage.seen == [("comfyclient-dispatcher", event, number) for event in events for number in range(5)]


@pytest.mark.parametrize("error", [ValueError("secret detail"), KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_invariant_03_an_exception_is_logged_with_the_event_and_harms_no_neighbour(
    stage: Stage, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    def fail(_: Any) -> None:
        raise error

    stage.subscriptions.add(("executing",), fail)
    stage.subscriptions.add(("executing",), stage.seen.append)
    stage.dispatcher.put(Executing("1"))
    stage.dispatcher.put(Executing("2"))
    stage.settle()
    assert [event.node for event in stage.seen] == ["1", "2"]
    found = [record for record in caplog.records if record.name.startswith("comfyclient")]
    assert [(record.levelno, record.getMessage()) for record in found] == [
        (logging.ERROR, "a callback for executing raised")
    ] * 2
    assert found[0].exc_info is not None
    assert found[0].exc_info[1] is error


@pytest.mark.parametrize("is_read", [True, False])
def test_what_a_callback_raises_is_shown_if_nobody_reads_the_log(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, *, is_read: bool
) -> None:
    shown: list[threading.ExceptHookArgs] = []

    def show(args: threading.ExceptHookArgs) -> None:
        shown.append(args)
        raise OSError("there is no standard error")

    monkeypatch.setattr(threading, "excepthook", show)
    monkeypatch.setattr(logging.getLogger("comfyclient"), "propagate", is_read)  # pytest reads at the root
    error = ValueError("my own mistake")

    def fail(_: Any) -> None:
        raise error

    stage.subscriptions.add(("executing",), fail)
    stage.subscriptions.add(("executing",), stage.seen.append)
    stage.dispatcher.put(Executing("1"))
    stage.settle()
    assert stage.seen == [Executing("1")]
    assert [(args.exc_type, args.exc_value, args.exc_traceback, args.thread) for args in shown] == (
        [] if is_read else [(ValueError, error, error.__traceback__, threads()[0])]
    )


def test_a_callback_can_cancel_itself_and_others(stage: Stage) -> None:
    def once(event: Event) -> None:
        stage.seen.append(event)
        first.cancel()
        second.cancel()

    first = stage.subscriptions.add(("executing",), once)
    second = stage.subscriptions.add(("progress",), stage.seen.append)
    stage.dispatcher.put(Executing("1"))
    stage.dispatcher.put(Executing("2"))
    stage.dispatcher.put(Progress(1, 2))
    stage.settle()
    assert stage.seen == [Executing("1")]


def test_a_callback_can_register_another(stage: Stage) -> None:
    stage.subscriptions.add(("executing",), lambda _: stage.subscriptions.add(("progress",), stage.seen.append))
    stage.dispatcher.put(Executing("1"))
    stage.settle()
    stage.dispatcher.put(Progress(1, 2))
    stage.settle()
    assert stage.seen == [Progress(1, 2)]


def test_events_of_unknown_types_find_their_callbacks(stage: Stage) -> None:
    stage.subscriptions.add(("x",), stage.seen.append)
    stage.dispatcher.put(UnknownEvent("y", 1))
    stage.dispatcher.put(UnknownEvent("x", 1))
    stage.settle()
    assert stage.seen == [UnknownEvent("x", 1)]


def test_calls_keep_their_place_among_events(stage: Stage) -> None:
    gate = threading.Event()
    assert stage.dispatcher.call(lambda: gate.wait(PATIENCE), "the gate")
    stage.subscriptions.add(("*",), stage.seen.append)
    stage.dispatcher.put(Executing("1"))
    assert stage.dispatcher.call(lambda: stage.seen.append("call"), "a call")
    stage.dispatcher.put(Executing("2"))
    gate.set()
    stage.settle()
    assert stage.seen == [Executing("1"), "call", Executing("2")]


def test_invariant_02_a_slow_callback_gets_the_newest_progress_and_all_the_rest(stage: Stage) -> None:
    gate = threading.Event()
    assert stage.dispatcher.call(lambda: gate.wait(PATIENCE), "the gate")
    stage.subscriptions.add(("*",), stage.seen.append)
    for value in range(2000):
        stage.dispatcher.put(Progress(value, 2000, "p", "1"))
        stage.dispatcher.put(Executing(str(value)))
    gate.set()
    stage.settle()
    assert [event.node for event in stage.seen if isinstance(event, Executing)] == [str(at) for at in range(2000)]
    values = [event.value for event in stage.seen if isinstance(event, Progress)]
    assert len(values) < 200
    assert values[-1] == 1999


# --- chores -------------------------------------------------------------------------------------------------


def test_chores_are_done_when_due_and_again_when_they_ask_for_it(stage: Stage) -> None:
    stage.pauses = [0.02, 0.02, None]
    stage.dispatcher.hurry()
    stage.wait_for_chores(3)
    assert all(later - earlier >= 0.019 for earlier, later in pairwise(stage.chores_at))
    stage.settle()
    assert len(stage.chores_at) == 3


def test_the_earliest_date_for_chores_counts(stage: Stage) -> None:
    before = time.monotonic()
    stage.dispatcher.hurry(100)
    stage.dispatcher.hurry(0.05)
    stage.dispatcher.hurry(200)
    stage.wait_for_chores(1)
    assert 0.05 <= stage.chores_at[0] - before < 5


def test_chores_that_fail_are_tried_again(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.pauses = [RuntimeError("chores")]
    stage.dispatcher.hurry()
    stage.wait_for_chores(2)
    assert stage.chores_at[1] - stage.chores_at[0] >= 0.9
    assert [record.getMessage() for record in caplog.records] == [
        "looking after silent jobs failed; trying again",
    ]


def test_chores_wait_for_a_callback_and_go_before_the_next(stage: Stage) -> None:
    gate = threading.Event()
    assert stage.dispatcher.call(lambda: gate.wait(PATIENCE), "the gate")
    done_at: list[int] = []
    assert stage.dispatcher.call(lambda: done_at.append(len(stage.chores_at)), "a call")
    stage.dispatcher.hurry()
    assert stage.chores_at == []
    gate.set()
    stage.settle()
    assert done_at == [1]


# --- the reading on loan -------------------------------------------------------------------------------------


class Line:
    """A connection without a socket, whose reader lends it whenever the dispatcher would read.

    Attributes:
        readers: The name of the thread that read each event.
        nudges: How often whoever reads was asked to look up.
        loans: How often it was lent.
        returned: How often it was given or taken back.
        answers: Whether a nudge is noticed.
        looks: How often the reader has found that it is still lent.
        reads: Counts the reads that have begun.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._frames: queue.Queue[tuple[Event, ...] | str] = queue.Queue()
        self.readers: list[str] = []
        self.nudges = self.loans = self.returned = self.looks = 0
        self.answers = True
        self.has_ended = False
        self.reads = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name="reader")
        self._thread.start()

    def send(self, *events: Event) -> None:
        for event in events:
            self.send_at_once(event)

    def send_at_once(self, *events: Event) -> None:
        self._frames.put(events)

    def step(self) -> bool:
        if self.has_ended:
            return False
        self.reads.release()
        frame = self._frames.get(timeout=PATIENCE)
        if frame == "over":
            self.has_ended = True
        elif not isinstance(frame, str):
            for event in frame:
                self._stage.dispatcher.put(event)
            with self._stage.changed:
                self.readers += [threading.current_thread().name] * len(frame)
                self._stage.changed.notify_all()
        return not self.has_ended

    @property
    def is_over(self) -> bool:
        with self._stage.changed:
            self.looks += 1
            self._stage.changed.notify_all()
        return self.has_ended

    def nudge(self) -> None:
        self.nudges += 1
        if self.answers:
            self._frames.put("pong")

    def end(self) -> None:
        self._frames.put("over")
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        while not self.has_ended:
            if self._stage.dispatcher.would_read:
                self.loans += 1
                self._stage.dispatcher.lend(self)  # type: ignore[arg-type]  # as far as it goes
                with self._stage.changed:
                    self.returned += 1
                    self._stage.changed.notify_all()
            else:
                self.step()


def never_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a callback takes, and on a busy machine that may be any of them."""
    monkeypatch.setattr("comfyclient._realtime.dispatcher._MOST", math.inf)


@pytest.fixture
def line(stage: Stage) -> Iterator[Line]:
    """The dispatcher is reading, and nothing is under way."""
    line = Line(stage)
    called = threading.Semaphore(0)
    subscription = stage.subscriptions.add(("progress",), lambda _: called.release())
    with pytest.MonkeyPatch.context() as patch:
        never_taken_back(patch)
        while not line.loans:  # until one finds it asleep
            line.send(Progress(0, 1))
            assert called.acquire(timeout=PATIENCE)
        subscription.cancel()
        line.readers.clear()
        line.reads = threading.Semaphore(0)
        line.nudge()  # the read that comes after this has begun after the callback
        assert line.reads.acquire(timeout=PATIENCE)
    line.nudges = 0
    yield line
    line.end()


def nodes(numbers: Iterable[int]) -> list[Executing]:
    return [Executing(str(number)) for number in numbers]


class Gate:
    """A callback that notes its event once it is let go."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._open = threading.Event()
        self._inside = threading.Event()
        stage.subscriptions.add(("executing",), self._hold)

    def _hold(self, event: Event) -> None:
        self._inside.set()
        assert self._open.wait(6 * PATIENCE)  # longer than anybody waits for what it should not hold up
        self._stage.see(event)

    def wait(self) -> None:
        assert self._inside.wait(PATIENCE)

    def open(self) -> None:
        self._open.set()


def test_a_dispatcher_with_nothing_to_call_reads_by_itself(
    stage: Stage, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_taken_back(monkeypatch)
    stage.subscriptions.add(("executing",), lambda event: stage.see((event.node, threading.current_thread().name)))
    line.send(*nodes(range(100)))
    stage.wait_for(lambda: len(stage.seen) == 100)
    assert stage.seen == [(str(number), "comfyclient-dispatcher") for number in range(100)]
    assert line.readers == ["comfyclient-dispatcher"] * 100
    assert (line.loans, line.nudges) == (1, 0)


def test_invariant_02_the_reader_reads_again_when_a_callback_takes_its_time(stage: Stage, line: Line) -> None:
    gate = Gate(stage)
    line.send(*nodes(range(100)))
    gate.wait()
    stage.wait_for(lambda: len(line.readers) == 100)  # though the callback has not returned
    assert line.readers == ["comfyclient-dispatcher"] + ["reader"] * 99
    assert stage.dispatcher.is_calling
    gate.open()
    line.send(*nodes(range(100, 200)))
    stage.wait_for(lambda: len(stage.seen) == 200)
    assert stage.seen == nodes(range(200))
    assert line.nudges == 0


def test_invariant_02_the_reader_reads_again_when_many_callbacks_take_most_of_the_time(
    stage: Stage, line: Line
) -> None:
    never = threading.Event()
    stage.subscriptions.add(("executing",), lambda _: never.wait(0.004))  # each by itself would be no reason
    line.send(*nodes(range(2000)))
    stage.wait_for(lambda: "reader" in line.readers)
    never.set()


def test_quick_callbacks_are_no_reason_to_read_elsewhere(stage: Stage, line: Line) -> None:
    def be_looked_at(event: Executing) -> None:
        looks = line.looks
        stage.dispatcher.hurry(600 - len(stage.seen))  # the reader looks up when something is to be done sooner
        stage.wait_for(lambda: line.looks > looks or line.returned == line.loans)
        stage.see(event)

    stage.subscriptions.add(("executing",), be_looked_at)
    for number in range(100):
        line.send(*nodes([number]))
        stage.wait_for(lambda: len(stage.seen) > number)  # noqa: B023 - it is called here
    assert line.readers.count("reader") < 50  # none, unless the machine takes its time in midst of a callback


def test_while_it_reads_the_reader_does_the_chores(stage: Stage, line: Line) -> None:
    names: list[str] = []
    stage.on_chores = lambda: names.append(threading.current_thread().name)
    stage.dispatcher.hurry(0.01)
    stage.wait_for_chores(1)
    assert names == ["reader"]
    assert (line.readers, line.nudges) == ([], 0)


def test_while_the_reader_is_asking_events_are_read_and_callbacks_wait(stage: Stage, line: Line) -> None:
    stage.subscriptions.add(("executing",), stage.see)
    gate = stage.begin_chores()
    line.send(*nodes(range(50)))
    stage.wait_for(lambda: len(line.readers) == 50)
    assert line.readers == ["comfyclient-dispatcher"] * 50
    assert stage.seen == []
    gate.set()
    stage.wait_for(lambda: len(stage.seen) == 50)
    line.send(*nodes(range(50, 60)))
    stage.wait_for(lambda: len(stage.seen) == 60)
    assert stage.seen == nodes(range(60))


def test_chores_wait_for_a_callback_that_may_need_the_reader(stage: Stage, line: Line) -> None:
    gate = Gate(stage)
    line.send(*nodes([1]))
    gate.wait()
    stage.dispatcher.hurry()
    stage.wait_for(lambda: line.returned == 1)
    assert stage.dispatcher.is_calling
    assert stage.chores_at == []
    gate.open()
    stage.wait_for_chores(1)


def test_chores_that_became_the_readers_go_before_the_next_callback_once_it_reads_again(
    stage: Stage, line: Line
) -> None:
    gate = Gate(stage)
    stage.subscriptions.add(("executing",), lambda _: stage.see(len(stage.chores_at)))
    line.send_at_once(*nodes([1, 2]))
    gate.wait()
    stage.dispatcher.hurry()
    stage.wait_for(lambda: line.returned == 1)
    gate.open()
    stage.wait_for(lambda: len(stage.seen) == 4)
    assert stage.seen == [Executing("1"), 0, Executing("2"), 1]


def test_after_a_question_a_callback_comes_before_the_next_question(stage: Stage, line: Line) -> None:
    called: list[int] = []

    def ask() -> None:
        called.append(len(stage.seen))
        if len(called) == 1:
            line.send(*nodes([1]))
            stage.wait_for(lambda: len(line.readers) == 1)
        stage.dispatcher.hurry()

    line.answers = False
    stage.on_chores = ask
    stage.subscriptions.add(("executing",), stage.see)
    stage.dispatcher.hurry()
    stage.wait_for_chores(1)
    line.send(*nodes([2]))  # until then the dispatcher hears of nothing
    stage.wait_for_chores(3)
    stage.on_chores = bool
    assert called[0] == 0
    assert called[1] > 0


def test_invariant_02_nothing_is_lent_while_the_dispatcher_is_asking(stage: Stage) -> None:
    stage.subscriptions.add(("executing",), stage.see)
    while not stage.dispatcher.would_read:  # until one finds it asleep
        stage.dispatcher.put(Executing("0"))
    gate = stage.begin_chores()
    line = Line(stage)
    line.send(*nodes([1]))
    stage.wait_for(lambda: len(line.readers) == 1)
    assert line.readers == ["reader"]
    gate.set()
    line.end()


def test_a_call_from_elsewhere_makes_it_look_up(stage: Stage, line: Line) -> None:
    assert stage.dispatcher.call(lambda: stage.see(threading.current_thread().name), "a call")
    stage.wait_for(lambda: stage.seen == ["comfyclient-dispatcher"])
    assert line.nudges == 1


def test_a_call_from_a_callback_comes_next_and_wakes_nobody(stage: Stage, line: Line) -> None:
    def note(event: Executing) -> None:
        stage.see(event.node)
        stage.dispatcher.call(lambda: stage.see(f"after {event.node}"), "a call")

    stage.subscriptions.add(("executing",), note)
    line.send(*nodes([1]))
    stage.wait_for(lambda: len(stage.seen) == 2)
    line.send(*nodes([2]))
    stage.wait_for(lambda: len(stage.seen) == 4)
    assert stage.seen == ["1", "after 1", "2", "after 2"]
    assert line.nudges == 0


def test_what_there_is_no_more_of_is_given_back(stage: Stage, line: Line) -> None:
    line.end()
    stage.dispatcher.put(Progress(1, 1))
    stage.settle()
    assert (line.loans, line.returned) == (1, 1)


def test_invariant_04_a_line_that_ends_beside_a_callback_that_hangs_ends_at_once(
    stage: Stage, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_taken_back(monkeypatch)
    gate = Gate(stage)
    line.send(*nodes([1]))
    gate.wait()
    line.has_ended = True
    stage.wait_for(lambda: line.returned == 1)
    assert stage.seen == []
    gate.open()


# --- the end ------------------------------------------------------------------------------------------------


def test_invariant_04_closing_calls_what_waits_and_ends_the_thread() -> None:
    stage = Stage()
    stage.subscriptions.add(("*",), stage.seen.append)
    stage.dispatcher.start()
    for number in range(500):
        stage.dispatcher.put(Executing(str(number)))
    stage.dispatcher.close(PATIENCE)
    assert len(stage.seen) == 500
    assert threads() == []
    stage.dispatcher.close(PATIENCE)
    assert not stage.dispatcher.call(lambda: stage.seen.append("late"), "a late call")
    stage.dispatcher.start()
    assert threads() == []
    assert len(stage.seen) == 500


def test_invariant_04_closing_before_anything_ran() -> None:
    stage = Stage()
    stage.dispatcher.close(PATIENCE)
    stage.dispatcher.start()
    assert threads() == []


def test_invariant_04_closing_from_a_callback_returns_and_the_rest_is_still_called() -> None:
    stage = Stage()
    closed = threading.Event()

    def close() -> None:
        stage.dispatcher.close(PATIENCE)
        closed.set()

    gate = threading.Event()
    stage.subscriptions.add(("*",), stage.seen.append)
    stage.dispatcher.call(lambda: gate.wait(PATIENCE), "the gate")
    stage.dispatcher.call(close, "closing")
    stage.dispatcher.put(Executing("1"))
    (thread,) = threads()
    gate.set()
    assert closed.wait(PATIENCE)
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert stage.seen == [Executing("1")]


def test_invariant_04_closing_beside_a_callback_that_hangs_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    gate, inside = threading.Event(), threading.Event()

    def hang() -> None:
        inside.set()
        gate.wait(6 * PATIENCE)

    stage.dispatcher.call(hang, "the gate")
    stage.dispatcher.call(lambda: stage.seen.append("called"), "a call")
    assert inside.wait(PATIENCE)
    (thread,) = threads()
    before = time.monotonic()
    stage.dispatcher.close(0.1)
    assert 0.2 <= time.monotonic() - before < PATIENCE
    assert [record.getMessage() for record in caplog.records] == [
        "a callback is still running 0.2 s after its client was closed"
    ]
    gate.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert stage.seen == []  # nothing is called any more once closing gave up
