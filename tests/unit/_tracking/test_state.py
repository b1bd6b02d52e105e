"""One job's state: forward only, and ended once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfyclient import _wire
from comfyclient._tracking.state import JobState, Outcome
from comfyclient.errors import ClientClosed
from comfyclient.events import (
    Event,
    Executed,
    Executing,
    ExecutionCached,
    ExecutionError,
    ExecutionInterrupted,
    ExecutionStart,
    ExecutionSuccess,
    Preview,
    Progress,
    ProgressState,
    SocketImage,
    UnknownEvent,
)
from comfyclient.types import HistoryEntry
from comfyclient.types.history import HistoryStatus
from comfyclient.types.queue import QueueItem
from tests.captures.ws import VERSIONS, sequence

if TYPE_CHECKING:
    from collections.abc import Callable

START = ExecutionStart("p")
SNAPSHOT = ProgressState("p", {})
SUCCESS = ExecutionSuccess("p")
END = Executing(None, prompt_id="p")
ERROR = ExecutionError("p", "1", "A", "boom", "ValueError")
BLOCKED = ExecutionError("p", "1", "A", "Execution Blocked: x", "ExecutionBlocked")
INTERRUPTED = ExecutionInterrupted("p", "1", "A")
COMPLETED = Outcome("completed")


def after(*events: Event) -> JobState:
    job = JobState("p")
    for event in events:
        job.apply(event)
    return job


def ended(job: JobState) -> tuple[str | None, bool]:
    """How it ended as far as the events tell, and whether its history must be asked for that."""
    return job.outcome.status if job.outcome is not None else None, job.ended


# --- what the events say ------------------------------------------------------------------------------------


def test_from_waiting_to_the_end() -> None:
    job = JobState("p")
    assert [job.status, *((job.apply(event), job.status) for event in (START, SNAPSHOT, SUCCESS, END))] == [
        "pending",
        (False, "in_progress"),
        (False, "in_progress"),
        (False, "in_progress"),
        (True, "completed"),
    ]
    assert job.outcome is not None
    assert (job.outcome.failure, job.outcome.entry) == (None, None)


def test_invariant_07_success_alone_is_too_early() -> None:
    job = after(START, SNAPSHOT, SUCCESS)
    assert (ended(job), job.status, job.needs_asking) == ((None, False), "in_progress", False)
    job.apply(END)
    assert ended(job) == ("completed", False)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("run", ["normal", "fully cached", "preview (flags announced)", "error"])
def test_invariant_07_captured_runs_of_every_version_end_with_their_last_event(run: str, version: str) -> None:
    events = [_wire.decode_event(message["type"], message["data"]) for message in sequence(run, version)]
    mine = [event for event in events if event.prompt_id is not None]
    job = after(*mine[:-1])
    assert ended(job) == (None, False)
    assert job.apply(mine[-1]) is True
    if run == "error":
        assert ended(job) == ("failed", False)
    elif version == "2024-03":  # no execution_success, and of cached nodes not even outputs
        assert ended(job) == (None, True)
        assert job.needs_asking
        assert (job.outputs is None) == (run == "fully cached")
    else:
        assert ended(job) == ("completed", False)
        assert job.outputs is not None
        assert set(job.outputs) == {"2"}


@pytest.mark.parametrize(
    "events",
    [
        [END],
        [START, END],
        [START, SUCCESS, END],
        [START, SNAPSHOT, END],
        [START, SNAPSHOT, BLOCKED, END],
        [START, SNAPSHOT, UnknownEvent("executed", {"prompt_id": "p"}, "does not fit"), SUCCESS, END],
    ],
)
def test_events_that_do_not_tell_everything_leave_it_to_the_history(events: list[Event]) -> None:
    job = after(*events)
    assert ended(job) == (None, True)
    assert job.needs_asking
    assert job.status == "in_progress"


def test_a_gap_leaves_it_to_the_history() -> None:
    job = after(START, SNAPSHOT)
    job.gap = True
    assert job.apply(SUCCESS) is False
    assert job.apply(END) is True
    assert ended(job) == (None, True)


def test_events_of_unknown_types_are_no_gap() -> None:
    job = after(START, SNAPSHOT, UnknownEvent("x", {"prompt_id": "p"}), SUCCESS, END)
    assert ended(job) == ("completed", False)


@pytest.mark.parametrize(
    ("events", "status", "failure"),
    [
        ([ERROR], "failed", ERROR),
        ([INTERRUPTED], "cancelled", INTERRUPTED),
        ([BLOCKED, ERROR], "failed", ERROR),
        ([ERROR, BLOCKED], "failed", ERROR),
        ([BLOCKED, INTERRUPTED], "cancelled", INTERRUPTED),
    ],
)
def test_failures_count_when_the_prompt_has_ended(events: list[Event], status: str, failure: Event) -> None:
    job = after(START, SNAPSHOT, *events)
    assert ended(job) == (None, False)
    assert job.apply(END) is True
    assert job.outcome is not None
    assert (job.outcome.status, job.outcome.failure) == (status, failure)


def test_a_blocked_node_is_no_failure() -> None:
    assert ended(after(START, SNAPSHOT, BLOCKED, SUCCESS, END)) == ("completed", False)


def test_what_the_events_leave_behind() -> None:
    job = after(
        ExecutionCached("p", ("1",)),
        Executed("p", "2", {"text": ["a"]}, "2"),
        Executed("p", "3.0.0.1", None, "3"),
        Executed("p", "4", {"text": ["b"]}),
        Executed("p", "2", {"text": ["c"]}, "2"),
        SocketImage("p", "5", "image/png", b"1"),
        SocketImage("p", "5", "image/png", b"2"),
    )
    assert job.cached == ("1",)
    assert job.outputs == {"2": {"text": ["c"]}, "3.0.0.1": None, "4": {"text": ["b"]}}
    assert job.display == {"2": "2", "3.0.0.1": "3"}
    assert job.socket_images is not None
    assert [image.data for image in job.socket_images] == [b"1", b"2"]


def test_hearing_of_a_job_puts_off_questions() -> None:
    job = JobState("p")
    job.heard_at, job.interval = 0.0, 7.0
    job.apply(Progress(1, 2, "p", "1"))
    assert job.heard_at > 0
    assert job.interval == 0.0


# --- the end ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [COMPLETED, Outcome("failed", ERROR), Outcome("lost", ClientClosed())])
def test_the_first_end_is_the_only_one(first: Outcome) -> None:
    job = after(START)
    job.finish(first)
    job.finish(Outcome("cancelled"))
    for event in (ERROR, SNAPSHOT, Executed("p", "1", {}), END):
        assert job.apply(event) is False
    assert job.outcome is first
    assert (job.outputs, job.failure) == (None, None)


@pytest.mark.parametrize("wake", [lambda job: job.finish(COMPLETED), lambda job: job.apply(END)])
def test_whoever_waits_is_woken(wake: Callable[[JobState], object]) -> None:
    job = JobState("p")
    waiting, woken = threading.Event(), threading.Event()

    def wait() -> None:
        with job.changed:
            waiting.set()
            if job.changed.wait(10):
                woken.set()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    assert waiting.wait(10)
    wake(job)
    thread.join(10)
    assert woken.is_set()


def test_callbacks_are_called_once_whenever_they_are_registered() -> None:
    job = JobState("p")
    called: list[str] = []
    callbacks: list[Callable[[], object]] = [lambda name=name: called.append(name) for name in "abc"]  # type: ignore[misc]
    for callback in callbacks:
        job.when_done(callback)
    job.forget_when_done(callbacks[1])
    job.forget_when_done(print)
    assert called == []
    job.finish(COMPLETED)
    job.finish(COMPLETED)
    assert called == ["a", "c"]
    job.when_done(callbacks[1])
    assert called == ["a", "c", "b"]


def test_invariant_06_nothing_is_called_while_the_lock_is_held() -> None:
    job = JobState("p")
    free: list[bool] = []

    def look() -> None:
        """Whether another thread can have the lock now."""

        def take() -> None:
            if job.changed.acquire(timeout=1):
                free.append(True)
                job.changed.release()

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        thread.join(10)

    with job.listen() as listener:
        listener._on_close = lambda _: look()
        job.when_done(look)
        job.finish(COMPLETED)
        job.when_done(look)
    assert free == [True, True, True]


@pytest.mark.parametrize(
    ("messages", "create_time", "times"),
    [
        ([["execution_start", {"timestamp": 2000}], ["execution_success", {"timestamp": 5000}]], 1000, (1.0, 2.0, 5.0)),
        ([["execution_start", {}]], None, (None, None, None)),
        ([], "1000", (None, None, None)),
        ([["execution_start", {"timestamp": 10**400}], ["x", {"timestamp": True}]], 10**400, (None, 0.001, 0.001)),
        ([["x", {"timestamp": float("nan")}], ["y", {"timestamp": -1}]], float("inf"), (None, None, None)),
    ],
)
def test_times_of_the_history_are_the_servers(messages: list[Any], create_time: Any, times: tuple[Any, ...]) -> None:
    item = QueueItem(0, "p", {}, {"create_time": create_time})
    job = after(START)
    job.finish(Outcome("completed", entry=HistoryEntry(item, status=HistoryStatus("success", messages=messages))))
    assert (job.created_at, job.started_at, job.finished_at) == times


def test_times_of_the_events_are_ours() -> None:
    job = after(START, SNAPSHOT, SUCCESS, END)
    assert job.created_at is not None
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.created_at <= job.started_at <= job.finished_at


# --- those who listen ---------------------------------------------------------------------------------------


def test_a_listener_gets_the_past_first_and_ends_with_the_job() -> None:
    job = after(START, Progress(1, 3, "p", "1"), Progress(2, 3, "p", "1"))
    listener = job.listen()
    later = [Progress(3, 3, "p", "1"), SNAPSHOT, SUCCESS, END]
    for event in later:
        job.apply(event)
    assert list(listener) == [START, Progress(2, 3, "p", "1"), *later]


def test_a_late_listener_gets_the_lifecycle_and_ends() -> None:
    job = after(START, Preview("image/png", b"large", "p", "1"), Progress(1, 3, "p", "1"), SNAPSHOT, SUCCESS, END)
    assert list(job.listen()) == [START, SUCCESS, END]


def test_a_job_without_events_has_nothing_to_listen_to() -> None:
    job = JobState("p")
    early = job.listen()
    job.finish(COMPLETED)
    assert list(early) == list(job.listen()) == []


def test_a_listener_that_leaves_is_forgotten() -> None:
    job = JobState("p")
    with job.listen() as listener, job.listen() as other:
        listener.close()
        job.apply(START)
        assert list(listener) == []
        assert other.get_nowait() == START
    assert job._listeners == ()


# --- images over the websocket ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preview", "node"),
    [
        (Preview("image/png", b"x", "p", "9"), "9"),
        (Preview("image/png", b"x", "p", "3.0.0.1", real_node_id="9"), "9"),
        (Preview("image/png", b"x", "p", "3.0.0.1", display_node_id="9"), "9"),
        (Preview("image/png", b"x", "p", "1"), None),
        (Preview("image/png", b"x", "p", None, real_node_id="9"), None),
    ],
)
def test_results_are_told_from_previews_by_their_node(preview: Preview, node: str | None) -> None:
    job = JobState("p", image_nodes=frozenset({"9"}))
    expected = preview if node is None else SocketImage("p", node, "image/png", b"x")
    assert job.adopt(preview) == expected
    assert JobState("p").adopt(preview) is preview


# --- whatever comes -----------------------------------------------------------------------------------------

events = st.sampled_from(
    [
        *(START, SNAPSHOT, SUCCESS, END, ERROR, BLOCKED, INTERRUPTED, Executing("1", prompt_id="p")),
        *(ExecutionCached("p", ("1",)), Executed("p", "2", {"text": ["a"]}, "2"), Progress(1, 2, "p", "1")),
        *(Preview("image/png", b"", "p", "1"), UnknownEvent("x", {}), UnknownEvent("executed", {}, "error")),
    ]
)
RANK = {"pending": 0, "in_progress": 1, "completed": 2, "failed": 2, "cancelled": 2, "lost": 2}


@given(st.lists(events, max_size=15))
def test_any_order_of_events_only_moves_forward(told: list[Event]) -> None:
    job = JobState("p")
    listener = job.listen()
    rank, outcome = 0, None
    for event in told:
        before = job.outcome
        done = job.apply(event)
        assert RANK[job.status] >= rank
        rank = RANK[job.status]
        assert outcome is None or job.outcome is outcome
        outcome = job.outcome
        assert done == (before is None and (outcome is not None or job.ended))
        assert (outcome is not None) <= (event is END or before is not None)
    if END not in told:
        assert job.outcome is None
        job.finish(COMPLETED)
    elif job.outcome is None:
        assert job.ended
        job.finish(COMPLETED)
    heard = list(listener)
    assert heard == told[: len(heard)]
