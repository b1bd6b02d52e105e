"""What is said of a job: from its events alone, without a server and with a clock of the test's own."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import Client, Job, JobLost, JobProgress, ServerUnreachable, Workflow
from comfyclient._tracking.state import JobState, Outcome
from comfyclient.events import (
    Event,
    Executing,
    ExecutionCached,
    ExecutionError,
    ExecutionInterrupted,
    ExecutionStart,
    ExecutionSuccess,
    Preview,
    Progress,
)
from comfyclient.types import HistoryEntry
from comfyclient.types.history import HistoryStatus
from comfyclient.types.queue import QueueItem

if TYPE_CHECKING:
    from collections.abc import Iterator

GRAPH: dict[str, Any] = {
    "1": {"class_type": "Load", "inputs": {}, "_meta": {"title": "Load it"}},
    "2": {"class_type": "KSampler", "inputs": {"model": ["1", 0]}},
    "3": {"class_type": "Decode", "inputs": {"latent": ["2", 0]}},
    "4": {"class_type": "Save", "inputs": {"images": ["3", 0]}, "_meta": {"title": "Save\nit \x1b[31m" + "!" * 50}},
}


class Watched:
    """A job, what is said of it, and the time."""

    def __init__(self, client: Client, graph: Any = GRAPH) -> None:
        self.now = self.since = 1000.0
        self.running: str | None = None
        self.state = JobState("p")
        self.state.created_at = self.now
        self.job = Job(client._tracker, self.state, functools.partial(Workflow, graph))
        self.progress = JobProgress(self.job, clock=lambda: self.now)

    def hear(self, *events: Event, after: float = 0.0) -> None:
        self.now += after
        for event in events:
            self.state.apply(event)
            self.progress.feed(event)
            if isinstance(event, Executing):
                self.note_time(event.node)
        if isinstance(events[0] if events else None, ExecutionStart):
            self.state.started_at = self.now
        self.progress.refresh()

    def note_time(self, node_id: str | None) -> None:
        """What the job itself notes of its nodes, by the test's clock."""
        meter = self.state.meter
        assert meter is not None
        if self.running is not None:
            meter.seconds[self.running] = self.now - self.since
        self.running, self.since = node_id, self.now

    def end(self, outcome: Outcome) -> None:
        self.state.finish(outcome)
        self.progress.watching = False
        self.progress.refresh()

    @property
    def said(self) -> tuple[str, str]:
        return self.progress.headline, self.progress.times


@pytest.fixture
def client() -> Iterator[Client]:
    with Client("http://127.0.0.1:1", realtime=False) as client:
        yield client


@pytest.fixture
def watched(client: Client) -> Watched:
    return Watched(client)


START = (ExecutionStart("p"), ExecutionCached("p", ()))


def node(node_id: str | None, shown_as: str | None = None) -> Executing:
    return Executing(node_id, display_node=shown_as or node_id, prompt_id="p")


def step(value: float, maximum: float, of: str | None = "2") -> Progress:
    return Progress(value, maximum, "p", of)


def test_it_waits_then_runs_node_by_node_and_step_by_step(watched: Watched) -> None:
    assert watched.said == ("waiting", "0:00")
    watched.hear(after=65)
    assert watched.said == ("waiting", "1:05")
    watched.hear(*START)
    assert watched.said == ("running", "0:00")
    watched.hear(node("1"))
    assert watched.said == ("Load it", "0:00")
    watched.hear(node("2"), after=10)
    assert watched.said == ("KSampler", "0:10, 0:30 left")  # three of ten seconds each
    watched.hear(step(0, 20))
    watched.hear(step(1, 20), after=1)
    assert watched.progress.step == (1, 20)
    assert watched.said == ("KSampler 1/20", "0:11, 0:39 left")  # nineteen steps, and two more of ten seconds
    assert watched.progress.fraction == pytest.approx((1 + 1 / 20) / 4)
    watched.hear(node("3"))
    assert watched.said[0] == "Decode"
    assert watched.progress.step is None


def test_what_came_from_the_cache_is_no_measure_of_the_pace(watched: Watched) -> None:
    watched.hear(ExecutionStart("p"), ExecutionCached("p", ("1",)), node("2"), step(0, 20))
    assert watched.progress.fraction == pytest.approx(0.25)
    assert watched.progress.left is None
    watched.hear(step(5, 20), after=50)
    assert watched.progress.left == pytest.approx(150)  # of the two that follow nobody knows
    watched.hear(after=5)
    assert watched.progress.left == pytest.approx(145)


def test_what_takes_longer_than_it_should_says_no_more_than_the_rest_takes(watched: Watched) -> None:
    watched.hear(*START, node("1"))
    watched.hear(node("2"), after=2)
    assert watched.progress.left == pytest.approx(6)
    watched.hear(after=60)
    assert watched.said == ("KSampler", "1:02, 0:04 left")


def test_when_the_last_node_takes_longer_than_it_should_nothing_is_said_of_the_time_left(watched: Watched) -> None:
    watched.hear(*START, node("1"))
    for node_id in ("2", "3", "4"):
        watched.hear(node(node_id), after=2)
    assert watched.progress.times == "0:06, 0:02 left"
    watched.hear(after=3)
    assert watched.progress.times == "0:09"


def test_another_round_of_steps_begins_anew(watched: Watched) -> None:
    watched.hear(*START, node("2"), step(0, 4))
    watched.hear(step(4, 4), after=100)
    watched.hear(step(0, 4))
    watched.hear(step(1, 4), after=1)
    assert watched.progress.step == (1, 4)


@pytest.mark.parametrize(
    "event", [step(math.nan, 20), step(3, math.inf), step(30, 20), step(-1, 20), step(0, 10**400), step(0, 1)]
)
def test_steps_that_are_none_are_left_out(watched: Watched, event: Progress) -> None:
    watched.hear(*START, node("2"), event)
    assert watched.said[0] == "KSampler"


def test_a_part_of_a_node_that_expanded_is_shown_as_that_node(watched: Watched) -> None:
    watched.hear(*START, node("2.0.0.1", shown_as="2"), step(3, 7, "2.0.0.1"))
    assert (watched.progress.node_id, watched.said[0]) == ("2", "KSampler 3/7")
    watched.hear(ExecutionError("p", "2.0.0.1", "Inner"), node(None))
    watched.end(Outcome("failed", ExecutionError("p", "2.0.0.1", "Inner")))
    assert watched.said == ("failed: node 2 KSampler", "")


def test_of_nodes_that_run_at_once_it_shows_the_one_that_was_heard_of(watched: Watched) -> None:
    watched.hear(*START, node("1"), node("3"), step(1, 5, "1"))
    assert watched.said[0] == "Load it 1/5"


def test_progress_that_names_no_node_is_of_the_one_that_runs(watched: Watched) -> None:
    watched.hear(*START, node("2"), step(1.5, 5, None))
    assert watched.said[0] == "KSampler 1.5/5"


def test_a_title_is_one_short_line_without_escapes(watched: Watched) -> None:
    watched.hear(*START, node("4"))
    assert watched.said[0] == "Save it [31m" + "!" * 27 + "…"


def test_broad_letters_count_twice(client: Client) -> None:
    watched = Watched(client, graph={"4": {"class_type": "Save", "inputs": {}, "_meta": {"title": "采" * 30}}})
    watched.hear(*START, node("4"))
    assert watched.said[0] == "采" * 19 + "…"


def test_a_node_that_the_workflow_does_not_have_goes_by_its_id(client: Client) -> None:
    watched = Watched(client, graph={"1": "somebody else's"})
    watched.hear(*START)
    watched.hear(node("7"), Preview("image/png", b"", "p", "7"))
    assert (watched.progress.headline, watched.progress.caption) == ("7", "preview of 7")
    watched.end(Outcome("failed", ExecutionError("p", "7", "Theirs")))
    assert watched.progress.headline == "failed: node 7 Theirs"


def test_the_newest_preview_is_kept(watched: Watched) -> None:
    old, new = (Preview("image/jpeg", data, "p", "2") for data in (b"old", b"new"))
    assert watched.progress.caption == ""
    watched.hear(*START, node("2"), old, new)
    assert watched.progress.preview is new
    assert watched.progress.caption == "preview of KSampler"
    watched.hear(Preview("image/jpeg", b"", "p", "2.0.1", display_node_id="1"))
    assert watched.progress.caption == "preview of Load it"
    watched.hear(Preview("image/jpeg", b""))
    assert watched.progress.caption == "preview"


# --- how it ends --------------------------------------------------------------------------------------------


def test_done_says_how_long_it_ran(watched: Watched) -> None:
    watched.hear(*START, node("1"), ExecutionSuccess("p"))
    watched.state.started_at = None
    watched.end(Outcome("completed"))
    assert watched.said == ("done", "")
    assert watched.progress.fraction == 1
    watched.state.started_at, watched.state.finished_at = 1000.0, 1003.21
    assert watched.said[0] == "done in 3.2 s"
    watched.state.finished_at = 1000.0 + 3725
    assert watched.said[0] == "done in 1:02:05"
    watched.state.finished_at = 999.0  # their clock went back
    assert watched.said[0] == "done in 0.0 s"


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome("failed", ExecutionError("p", "2", "KSampler")), "failed: node 2 KSampler"),
        (Outcome("failed", ExecutionError("p", "9", "Theirs")), "failed: node 9 Theirs"),
        (Outcome("cancelled", ExecutionInterrupted("p", "2", "KSampler")), "interrupted"),
        (Outcome("lost", JobLost("p", "gone")), "lost"),
        (Outcome("lost", ServerUnreachable("http://x", "no answer")), "lost: ServerUnreachable"),
    ],
)
def test_it_says_how_it_ended(watched: Watched, outcome: Outcome, said: str) -> None:
    watched.hear(*START, node("2"), step(1, 2))
    fraction = watched.progress.fraction
    watched.end(outcome)
    assert watched.said == (said, "")
    assert watched.progress.fraction == fraction


def test_what_never_ran_was_taken_from_the_queue(watched: Watched) -> None:
    watched.end(Outcome("cancelled"))
    assert watched.said == ("taken from the queue", "")


def test_what_was_interrupted_before_it_was_taken_up_ran(watched: Watched) -> None:
    entry = HistoryEntry(QueueItem(0, "p", GRAPH), {}, HistoryStatus("error"))
    watched.end(Outcome("cancelled", entry=entry))
    assert watched.said == ("interrupted", "")


def test_somebody_stopped_watching_and_it_goes_on(watched: Watched) -> None:
    watched.progress.watching = False
    watched.progress.refresh()
    assert watched.said == ("still waiting on the server", "")
    watched.hear(*START, node("2"))
    assert watched.said == ("still running on the server", "")
    watched.state.cancel_requested = True
    assert watched.said == ("is being interrupted", "")


@pytest.mark.parametrize(
    ("ahead", "said"),
    [(None, "waiting"), (0, "waiting"), (1, "waiting for another one"), (3, "waiting for 3 others")],
)
def test_it_says_how_many_come_first(watched: Watched, ahead: int | None, said: str) -> None:
    watched.progress.ahead = ahead
    assert watched.progress.headline == said
