"""When jobs are asked about, and what the answers do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfyclient._tracking.inquiry import Inquiry, Place
from comfyclient._tracking.registry import Registry, Router
from comfyclient._tracking.state import JobState
from comfyclient._tracking.watch import Watch
from comfyclient.config import ClientConfig
from comfyclient.events import Executing

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient.types import HistoryEntry


class Answering(Inquiry):
    """Answers without a server, as a test says."""

    def __init__(self, answer: Callable[[str], Place | HistoryEntry]) -> None:
        self._answer = answer

    def locate(self, prompt_id: str) -> Place | HistoryEntry:
        return self._answer(prompt_id)


def watching(job: JobState, answer: Callable[[str], Place | HistoryEntry]) -> Watch:
    registry = Registry()
    registry.add(job)
    router = Router(registry, None, lambda _: None, lambda _: None)  # type: ignore[arg-type]  # it routes nothing here
    return Watch(ClientConfig(poll_interval=60), registry, router, None, Answering(answer))


def test_an_end_that_comes_while_a_question_is_under_way_is_asked_about_once_more() -> None:
    job = JobState("p", taken_up=True)

    def ends_meanwhile(_: str) -> Place:
        job.apply(Executing(None, prompt_id="p"))
        return Place.RUNNING

    watch = watching(job, ends_meanwhile)
    watch.ask(job)
    assert job.needs_asking
    assert watch.due(job) == 0


def test_a_question_takes_the_need_for_it_away() -> None:
    job = JobState("p", taken_up=True)
    job.apply(Executing(None, prompt_id="p"))
    assert job.needs_asking
    watching(job, lambda _: Place.RUNNING).ask(job)
    assert not job.needs_asking
