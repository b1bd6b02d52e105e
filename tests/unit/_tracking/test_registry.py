"""The way of every event to whom it concerns; and what captured runs come to."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from comfyclient import _convert, _wire
from comfyclient._realtime.subscriptions import Subscriptions
from comfyclient._tracking.registry import Registry, Router
from comfyclient._tracking.state import JobState, Outcome
from comfyclient.events import (
    Connected,
    Disconnected,
    Event,
    Executed,
    Executing,
    ExecutionError,
    ExecutionStart,
    Preview,
    Progress,
    ProgressText,
    Reconnected,
    SocketImage,
    Status,
    UnknownEvent,
)
from comfyclient.types import HistoryEntry
from tests.captures import capture
from tests.captures.ws import HERE, OLD_ID, RUNS, VERSIONS, frames, sequence
from tests.unit._realtime.strategies import binary_frames, text_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PREVIEW = Preview("image/png", b"png")


class Desk:
    """A router with its registry, and what it did."""

    def __init__(self, *jobs: JobState) -> None:
        self.registry = Registry()
        self.subscriptions = Subscriptions()
        self.called_back: list[Event] = []
        self.looks: list[float] = []
        self.router = Router(self.registry, self.subscriptions, self.called_back.append, self.looks.append)
        self.everything = self.subscriptions.listen((), 0)
        for job in jobs:
            self.registry.add(job)

    def deliver(self, *events: Event) -> list[Event]:
        """Deliver events; what a listener for everything got of it."""
        for event in events:
            self.router.deliver(event)
        return [self.everything.get_nowait() for _ in range(self.everything.qsize())]


class _Keeper(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__(logging.ERROR)
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)


@contextmanager
def no_errors_logged() -> Iterator[None]:
    """Nothing of comfyclient logs an error."""
    records: list[logging.LogRecord] = []
    handler = _Keeper(records)
    logger = logging.getLogger("comfyclient")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
    assert [record.getMessage() for record in records] == []


# --- the jobs -----------------------------------------------------------------------------------------------


def test_jobs_come_and_go() -> None:
    registry = Registry()
    first, second = JobState("p"), JobState("q")
    registry.add(first)
    registry.add(second)
    assert (registry.get("p"), registry.get("x"), len(registry), registry.live()) == (first, None, 2, [first, second])
    registry.drop(first)
    registry.drop(first)
    assert registry.live() == [second]
    registry.drop(JobState("q"))  # another job of the same id
    assert registry.get("q") is second


def test_a_submission_keeps_its_own_id() -> None:
    registry = Registry()
    job = JobState("p")
    registry.add(job)
    registry.begin_submission()
    registry.end_submission(job, "p")
    assert (job.prompt_id, registry.live()) == ("p", [job])


def test_invariant_10_the_id_in_the_answer_wins_and_nothing_that_came_before_it_is_lost() -> None:
    job = JobState("mine")
    desk = Desk(job)
    desk.registry.begin_submission()
    early = [ExecutionStart("theirs"), Executing("1", prompt_id="theirs"), Executed("theirs", "1", {})]
    assert desk.deliver(*early, ExecutionStart("stranger")) == [*early, ExecutionStart("stranger")]
    desk.registry.end_submission(job, "theirs")
    assert job.prompt_id == "theirs"
    assert desk.registry.get("theirs") is job
    assert desk.registry.get("mine") is None
    with job.listen() as listener:
        assert [listener.get_nowait() for _ in early] == early
    assert job.outputs == {"1": {}}
    desk.deliver(Executing(None, prompt_id="theirs"))
    assert job.ended


def test_invariant_10_an_event_at_the_very_moment_of_the_answer_is_not_lost() -> None:
    job = JobState("mine")
    desk = Desk(job)
    desk.registry.begin_submission()

    class Moment(dict[str, JobState]):
        """While the reader looks a job up, the answer arrives."""

        def get(self, key: str, default: Any = None) -> Any:
            found = super().get(key, default)
            if desk.registry._submitting:
                desk.registry.end_submission(job, "theirs")
            return found

    desk.registry._jobs = Moment(desk.registry._jobs)
    desk.deliver(ExecutionStart("theirs"))
    assert job.status == "in_progress"


def test_strangers_events_are_kept_only_while_a_submission_is_under_way() -> None:
    registry = Registry()
    jobs = [JobState("a"), JobState("b")]
    assert registry.find("x", ExecutionStart("x")) is None
    assert len(registry._strays) == 0
    for job in jobs:
        registry.add(job)
        registry.begin_submission()
    for number in range(5000):
        registry.find("x", Progress(number, 5000, "x", "1"))
    assert 0 < len(registry._strays) <= 1000
    registry.abandon_submission(jobs[0])
    assert registry.get("a") is None
    assert len(registry._strays) > 0
    registry.end_submission(jobs[1], "b")
    assert len(registry._strays) == 0

    registry.begin_submission()
    registry.find("x", ExecutionStart("x"))
    registry.abandon_submission(jobs[1])
    assert len(registry._strays) == 0


def test_two_submissions_at_once_get_their_own_events() -> None:
    jobs = [JobState("a"), JobState("b")]
    desk = Desk(*jobs)
    for _ in jobs:
        desk.registry.begin_submission()
    desk.deliver(ExecutionStart("B"), Executed("A", "1", {}), Executed("B", "2", {}))
    desk.registry.end_submission(jobs[0], "A")
    desk.registry.end_submission(jobs[1], "B")
    assert [job.outputs for job in jobs] == [{"1": {}}, {"2": {}}]


def test_invariant_06_the_registry_calls_nobody_while_it_is_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    job = JobState("mine")
    registry = Registry()
    registry.add(job)
    registry.begin_submission()
    registry.find("theirs", Executing(None, prompt_id="theirs"))
    free: list[bool] = []

    def take() -> None:
        if registry._lock.acquire(timeout=1):
            free.append(True)
            registry._lock.release()

    def apply(*_: object) -> None:
        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        thread.join(10)

    monkeypatch.setattr(JobState, "apply", apply)
    registry.end_submission(job, "theirs")
    assert free == [True]


# --- the way of an event ------------------------------------------------------------------------------------


def test_an_event_goes_to_its_job_to_queues_and_to_callbacks() -> None:
    job, other = JobState("p"), JobState("q")
    desk = Desk(job, other)
    desk.subscriptions.add(("execution_start",), print)
    with desk.subscriptions.listen(("progress",), 0) as progress:
        events = [ExecutionStart("p"), Progress(1, 2, "p", "1"), ExecutionStart("x"), Status({})]
        assert desk.deliver(*events) == events
        assert [progress.get_nowait() for _ in range(progress.qsize())] == [events[1]]
    assert desk.called_back == [events[0], events[2]]
    assert (job.status, other.status) == ("in_progress", "pending")


def test_a_job_that_has_ended_is_dropped() -> None:
    job = JobState("p")
    desk = Desk(job)
    desk.deliver(ExecutionStart("p"), ExecutionError("p", "1"), Executing(None, prompt_id="p"))
    assert job.status == "failed"
    assert desk.registry.live() == []
    assert desk.looks == []


def test_a_job_whose_history_is_needed_is_looked_at_now() -> None:
    job = JobState("p")
    desk = Desk(job)
    desk.deliver(ExecutionStart("p"), Executing(None, prompt_id="p"))
    assert desk.looks == [0.0]
    assert desk.registry.live() == [job]


def test_pictures_without_a_prompt_are_those_of_the_node_that_runs() -> None:
    job = JobState("p")
    desk = Desk(job)
    assert desk.deliver(PREVIEW) == [PREVIEW]
    desk.deliver(ExecutionStart("p"), Executing("1", prompt_id="p"))
    text = ProgressText("1", "text")
    assert desk.deliver(PREVIEW, text) == [evolve(PREVIEW, prompt_id="p", node="1"), evolve(text, prompt_id="p")]
    desk.deliver(Executing("2", prompt_id="p"))
    assert desk.deliver(PREVIEW) == [evolve(PREVIEW, prompt_id="p", node="2")]
    desk.deliver(Executing(None, prompt_id="p"))
    assert desk.deliver(PREVIEW, text) == [PREVIEW, text]


@pytest.mark.parametrize("lost", [True, False])
def test_pictures_are_nobodys_once_it_is_not_known_who_runs(lost: bool) -> None:  # noqa: FBT001 - a parameter
    job = JobState("p")
    desk = Desk(job)
    desk.deliver(ExecutionStart("p"), Executing("1", prompt_id="p"))
    if lost:
        desk.deliver(Disconnected("lost"))
    else:
        job.finish(Outcome("completed"))  # found out over HTTP
    assert desk.deliver(PREVIEW) == [PREVIEW]


def test_pictures_with_a_prompt_are_left_alone() -> None:
    desk = Desk(JobState("p"))
    desk.deliver(ExecutionStart("p"), Executing("1", prompt_id="p"))
    theirs = evolve(PREVIEW, prompt_id="x", node="7")
    assert desk.deliver(theirs) == [theirs]


def test_results_over_the_websocket_arrive_as_what_they_are() -> None:
    job = JobState("p", image_nodes=frozenset({"9"}))
    desk = Desk(job)
    desk.deliver(ExecutionStart("p"), Executing("9", prompt_id="p"))
    expected = SocketImage("p", "9", "image/png", b"png")
    assert desk.deliver(PREVIEW, evolve(PREVIEW, prompt_id="p", node="9")) == [expected, expected]
    assert job.socket_images == [expected, expected]


def test_a_loss_is_a_gap_for_every_job_and_asks_for_a_look() -> None:
    jobs = [JobState("p"), JobState("q")]
    desk = Desk(*jobs)
    assert desk.deliver(Disconnected("lost")) == [Disconnected("lost")]
    assert [job.gap for job in jobs] == [True, True]
    assert desk.looks == [0.0]


def test_what_was_submitted_without_a_websocket_has_a_gap_when_it_opens() -> None:
    for event in (Connected(), Reconnected()):
        job = JobState("p")
        desk = Desk(job)
        desk.deliver(event)
        assert job.gap


def test_after_a_reconnection_every_job_is_due() -> None:
    job = JobState("p")
    job.interval = 30.0
    desk = Desk(job)
    desk.deliver(Reconnected())
    assert job.needs_asking
    assert desk.looks == [0.0]


def status(remaining: Any) -> Status:
    return Status({"exec_info": {"queue_remaining": remaining}})


def test_a_queue_that_is_shorter_than_our_jobs_asks_for_a_look_soon() -> None:
    desk = Desk(JobState("p"), JobState("q"))
    before = time.monotonic()
    desk.deliver(status(1), status(2), status(3), status("x"))
    assert desk.router.queue_count[0] == 3
    desk.deliver(status(2))
    assert desk.looks == []
    desk.deliver(status(1))
    assert desk.looks == [desk.router.settling]
    assert desk.router.queue_count[1] >= before


# --- whatever comes -----------------------------------------------------------------------------------------

LAST = UnknownEvent("the last one", None)
raw_frames: st.SearchStrategy[tuple[Callable[[bytes], Event], bytes]] = st.tuples(
    st.just(_wire.decode_text), text_frames
) | st.tuples(st.just(_wire.decode_binary), binary_frames)


@given(st.lists(raw_frames, max_size=20))
def test_invariant_01_no_frame_stops_the_next_one(told: list[tuple[Callable[[bytes], Event], bytes]]) -> None:
    jobs = [JobState(prompt_id, image_nodes=frozenset({"2"})) for prompt_id in ("p", "1", "2", "a", "prompt_id")]
    desk = Desk(*jobs)
    desk.subscriptions.add(("*",), print)
    with no_errors_logged():
        for decode, frame in told:
            desk.router.deliver(decode(frame))
        got = desk.deliver(LAST)
    assert len(got) == len(told) + 1
    assert (got[-1], desk.called_back[-1]) == (LAST, LAST)
    for job in jobs:
        if job.meter is not None:
            assert 0.0 <= job.meter.overall(["1", "2", "a"]) <= 1.0


prompts = st.sampled_from(["p", "q", "stranger"])
hostile: st.SearchStrategy[Event] = st.one_of(
    st.builds(Progress, st.floats(), st.floats(), prompts, st.sampled_from(["1", "2"])),
    st.builds(Progress, st.just(1e308), st.just(10**400), prompts, st.just("1")),
    st.builds(Executing, st.none() | st.just("1"), prompt_id=prompts | st.none()),
    st.builds(ExecutionStart, prompts),
    st.builds(ExecutionError, prompts, st.just("1")),
    st.builds(lambda prompt_id: evolve(PREVIEW, prompt_id=prompt_id), prompts | st.none()),
    st.builds(ProgressText, st.just("1"), st.just("text")),
    st.builds(UnknownEvent, st.sampled_from(["executed", "x", ""]), st.builds(dict, prompt_id=prompts), st.text()),
    st.builds(status, st.integers() | st.text()),
    st.sampled_from([Connected(), Disconnected("lost"), Reconnected()]),
)


@given(st.lists(hostile, max_size=30))
def test_invariant_01_no_order_of_events_stops_the_next_one(told: list[Event]) -> None:
    desk = Desk(JobState("p"), JobState("q", image_nodes=frozenset({"1"})))
    with no_errors_logged():
        desk.deliver(*told)
        assert desk.deliver(LAST) == [LAST]


def test_invariant_01_what_breaks_one_delivery_does_not_break_the_next(caplog: pytest.LogCaptureFixture) -> None:
    registry, subscriptions = Registry(), Subscriptions()
    subscriptions.add(("*",), print)

    def fail(_: Event) -> None:
        raise RuntimeError

    router = Router(registry, subscriptions, fail, print)
    with subscriptions.listen((), 0) as everything:
        router.deliver(Progress(1, 2))
        router.deliver(LAST)
        assert [everything.get_nowait() for _ in range(2)] == [Progress(1, 2), LAST]
    assert [record.getMessage() for record in caplog.records] == [
        "an event of type 'progress' was lost",
        "an event of type 'the last one' was lost",
    ]


def test_invariant_01_routing_waits_for_no_slow_consumer() -> None:
    desk = Desk(JobState("p"))
    job = desk.registry.live()[0]
    listener = job.listen()
    done = threading.Event()

    def route() -> None:
        for value in range(10_000):
            desk.router.deliver(Progress(value, 10_000, "p", "1"))
            desk.router.deliver(PREVIEW)
        done.set()

    threading.Thread(target=route, daemon=True).start()
    assert done.wait(30)
    assert listener.qsize() < 300
    assert desk.everything.qsize() < 300


# --- captured runs ------------------------------------------------------------------------------------------

HISTORIES = {
    "normal_run": ("0.30.0", "history_success"),
    "cached_run": ("ws", "history_cached"),
    "error_run": ("0.30.0", "history_error_run"),
    "interrupted_run": ("0.30.0", "history_interrupted_run"),
    "execution_blocked": ("0.30.0", "history_execution_blocked"),
    "runtime_cycle": ("0.30.0", "history_runtime_cycle"),
    "subgraph_expansion": ("0.30.0", "history_subgraph_expansion"),
    "subgraph_error": ("ws", "history_subgraph_error"),
    "async_nodes": ("ws", "history_async_nodes"),
    "list_outputs": ("ws", "history_list_outputs"),
    "ui_all": ("0.30.0", "history_ui_all"),
    "ui_nan": ("0.30.0", "history_ui_nan"),
    "asset_events": ("0.30.0", "history_with_assets"),
}
"""The runs whose history was captured, too."""


def played(name: str, *, image_nodes: frozenset[str] = frozenset()) -> dict[str, JobState]:
    """The jobs of a captured run after its events."""
    events = [
        _wire.decode_text(frame.encode()) if isinstance(frame, str) else _wire.decode_binary(frame)
        for frame in frames(name)
    ]
    ids = dict.fromkeys(event.prompt_id for event in events if event.prompt_id is not None)
    jobs = {prompt_id: JobState(prompt_id, image_nodes=image_nodes) for prompt_id in ids}
    desk = Desk(*jobs.values())
    with no_errors_logged():
        desk.deliver(*events)
    assert desk.registry.live() == [job for job in jobs.values() if job.outcome is None]
    return jobs


def the_job(name: str, **options: Any) -> JobState:
    (job,) = played(name, **options).values()
    return job


@pytest.mark.parametrize("name", HISTORIES)
def test_events_tell_the_same_as_the_history_of_the_same_run(name: str) -> None:
    version, file = HISTORIES[name]
    body = capture(file, version)
    entry = _convert.structure(body if "prompt" in body else next(iter(body.values())), HistoryEntry)
    job = the_job(name)
    assert job.prompt_id == entry.prompt.prompt_id
    assert job.outcome is not None
    assert job.outcome.status == ("completed" if entry.succeeded else "cancelled" if entry.interrupted else "failed")
    outputs = {node: output for node, output in (job.outputs or {}).items() if output is not None}
    assert repr(sorted(outputs.items())) == repr(sorted(entry.outputs.items()))  # NaN equals nothing
    shown = {node: meta["display_node"] for node, meta in entry.meta.items()}
    assert {node: (job.display or {})[node] for node in outputs} == {node: shown[node] for node in outputs}
    assert list(job.cached) == (entry.message("execution_cached") or {})["nodes"]
    if job.outcome.status == "failed":
        assert entry.error is not None
        told = _wire.decode_event("execution_error", entry.error)
        assert isinstance(told, ExecutionError)
        assert isinstance(job.outcome.failure, ExecutionError)
        assert evolve(told, timestamp=None) == evolve(job.outcome.failure, timestamp=None)
    if job.outcome.status == "cancelled":
        told = _wire.decode_event("execution_interrupted", entry.message("execution_interrupted"))
        assert told == job.outcome.failure


@pytest.mark.parametrize(
    "name",
    [
        *(run for run in RUNS if run.startswith(("ksampler", "preview", "saveimage"))),
        *("logs_subscription", "text_progress"),
    ],
)
def test_all_other_captured_runs_of_our_own_complete(name: str) -> None:
    job = the_job(name)
    assert job.outcome is not None
    assert job.outcome.status == "completed"


def test_several_prompts_one_after_the_other() -> None:
    statuses = [job.status for job in played("queue_of_several").values()]
    assert statuses == ["cancelled", "completed", "completed", "completed"]


def test_coming_back_in_the_middle_of_a_run() -> None:
    job = the_job("reconnect_same_client_id")
    assert job.outcome is not None  # these events alone would do; the loss before them makes it a gap
    events = [
        _wire.decode_text(frame.encode()) for frame in frames("reconnect_same_client_id") if isinstance(frame, str)
    ]
    again = JobState(job.prompt_id)
    desk = Desk(again)
    desk.deliver(Disconnected("lost"), Reconnected(), *events)
    assert (again.outcome, again.ended) == (None, True)


def test_what_a_stranger_sees_ends_nothing() -> None:
    job = the_job("no_client_id_observed_by_stranger")
    assert (job.outcome, job.ended, job.status) == (None, False, "in_progress")
    assert played("normal_run_other_client") == {}


@pytest.mark.parametrize("kind", ["legacy", "metadata"])
def test_images_over_the_websocket_are_results(kind: str) -> None:
    job = the_job(f"saveimagewebsocket_{kind}", image_nodes=frozenset({"2"}))
    assert job.socket_images is not None
    assert [(image.node, image.media_type) for image in job.socket_images] == [("2", "image/png")] * 3
    sent = [(HERE / f"bin_saveimagewebsocket_{kind}_{number}.bin").read_bytes() for number in range(3)]
    assert all(raw.endswith(image.data) for raw, image in zip(sent, job.socket_images, strict=True))
    assert all(image.data.startswith(b"\x89PNG") for image in job.socket_images)


@pytest.mark.parametrize("kind", ["jpeg_legacy", "jpeg_metadata", "png_legacy", "png_resized_metadata"])
def test_previews_belong_to_the_node_that_runs(kind: str) -> None:
    job = the_job(f"preview_{kind}")
    assert job.socket_images is None
    events = [
        _wire.decode_text(frame.encode()) if isinstance(frame, str) else _wire.decode_binary(frame)
        for frame in frames(f"preview_{kind}")
    ]
    desk = Desk(JobState(job.prompt_id))
    previews = [event for event in desk.deliver(*events) if isinstance(event, Preview)]
    assert [(preview.prompt_id, preview.node) for preview in previews] == [(job.prompt_id, "1")] * 2


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("run", ["normal", "fully cached", "preview (flags announced)", "error"])
def test_runs_of_every_version_end_at_once_or_by_asking(run: str, version: str) -> None:
    job = JobState(OLD_ID)
    desk = Desk(job)
    desk.deliver(*(_wire.decode_event(message["type"], message["data"]) for message in sequence(run, version)))
    by_asking = version == "2024-03" and run != "error"
    assert (job.outcome is None, job.needs_asking) == (by_asking, by_asking)
    assert desk.looks == [0.0] * by_asking
