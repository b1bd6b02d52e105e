"""When progress is drawn, by whom, and what is drawn last."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from comfyclient import Client, JobFailed, JobInterrupted, JobTimeout, PromptRejected
from tests.conftest import soon
from tests.progress.workflows import FAILING, MANY_STEPS, STEPS, WAITING

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient import JobProgress
    from comfyclient.events import Event
    from comfyclient.testing import EmbeddedServer
    from tests.testing.nodes import Gate

SECONDS = 30.0


@frozen
class Drawn:
    """What was drawn once."""

    headline: str
    fraction: float
    status: str
    watching: bool
    thread: int
    ahead: int | None
    elapsed: float


class Drawings(list[Drawn]):
    """All that was drawn; called to draw."""

    def __init__(self, act: Callable[[JobProgress], object] = lambda _: None) -> None:
        super().__init__()
        self.act = act

    def __call__(self, progress: JobProgress) -> None:
        """Note it, and do what the test wants to do meanwhile."""
        p = progress
        thread = threading.get_ident()
        self.append(Drawn(p.headline, p.fraction, p.status, p.watching, thread, p.ahead, p.elapsed))
        self.act(progress)


def test_it_is_drawn_in_this_thread_until_it_has_ended(client: Client, server: EmbeddedServer) -> None:
    def go_on(progress: JobProgress) -> None:
        if progress.step is not None:
            server.latency.step = 0.0

    server.latency.step = 0.5  # until one of them is seen
    drawn = Drawings(go_on)
    result = client.run(MANY_STEPS, progress=drawn, timeout=SECONDS)
    assert {each.thread for each in drawn} == {threading.get_ident()}
    assert [each.watching for each in drawn] == [True] * (len(drawn) - 1) + [False]
    fractions = [each.fraction for each in drawn]
    assert fractions == sorted(fractions)
    assert any(each.headline.startswith("Steps ") and each.headline.endswith("/15") for each in drawn)
    assert (drawn[-1].headline, drawn[-1].fraction) == (f"done in {result.timings.running:.1f} s", 1)


def test_what_has_ended_before_anybody_looked_is_shown_as_ended(client: Client) -> None:
    job = client.submit(STEPS)
    job.result(SECONDS)
    drawn = Drawings()
    assert job.show(progress=drawn).prompt_id == job.prompt_id
    assert drawn[-1].headline.startswith("done in ")
    assert {each.fraction for each in drawn} == {1}


def test_events_are_told_too(client: Client) -> None:
    told: list[Event] = []
    drawn = Drawings()
    client.run(STEPS, on_event=told.append, progress=drawn, timeout=SECONDS)
    assert [event.node for event in told if event.type == "executing"] == ["1", "2", None]  # type: ignore[attr-defined]
    assert drawn[-1].status == "completed"


def test_a_failure_is_the_last_that_is_drawn(client: Client) -> None:
    drawn = Drawings()
    with pytest.raises(JobFailed):
        client.run(FAILING, progress=drawn, timeout=SECONDS)
    assert drawn[-1].headline == "failed: node 2 Trouble"
    assert drawn[-1].fraction == 0.5


def test_an_interrupt_by_somebody_else_is_drawn(client: Client, gate: Gate) -> None:
    def interrupt(progress: JobProgress) -> None:
        if progress.headline == "Patience" and gate.reached.is_set():
            client.queue.interrupt(progress.job.prompt_id)

    drawn = Drawings(interrupt)
    with pytest.raises(JobInterrupted):
        client.run(WAITING, progress=drawn, timeout=SECONDS)
    assert drawn[-1].headline == "interrupted"


def test_after_a_timeout_it_says_that_the_job_goes_on(client: Client, gate: Gate) -> None:
    job = client.submit(WAITING)
    assert soon(job.running, SECONDS)
    drawn = Drawings()
    with pytest.raises(JobTimeout):
        job.show(0.05, progress=drawn)
    assert drawn[-1].headline == "still running on the server"
    gate.released.set()
    assert job.show(SECONDS, progress=drawn)["2"].texts == ("0",)
    assert drawn[-1].headline.startswith("done")


def test_ctrl_c_in_run_is_drawn_as_the_interrupt_that_it_is(client: Client, gate: Gate) -> None:
    def press(progress: JobProgress) -> None:
        if gate.reached.is_set() and progress.watching:
            raise KeyboardInterrupt

    drawn = Drawings(press)
    with pytest.raises(KeyboardInterrupt):
        client.run(WAITING, progress=drawn, timeout=SECONDS)
    assert drawn[-1].headline == "interrupted"


def test_ctrl_c_in_show_leaves_the_job_alone_and_says_so(client: Client, gate: Gate) -> None:
    def press(progress: JobProgress) -> None:
        if progress.headline == "Patience":
            raise KeyboardInterrupt

    job = client.submit(WAITING)
    drawn = Drawings(press)
    with pytest.raises(KeyboardInterrupt):
        job.show(progress=drawn)
    assert drawn[-1].headline == "still running on the server"
    assert job.status == "in_progress"
    gate.released.set()
    job.result(SECONDS)


def test_nothing_is_drawn_of_what_was_never_submitted(client: Client) -> None:
    drawn = Drawings()
    with pytest.raises(PromptRejected):
        client.run({"1": {"class_type": "Unknown", "inputs": {}}}, progress=drawn)
    assert drawn == []


def test_while_nothing_happens_the_clock_goes_on(client: Client, gate: Gate) -> None:
    def let_go(progress: JobProgress) -> None:
        if progress.elapsed > 1 and gate.reached.is_set():
            gate.released.set()

    drawn = Drawings(let_go)
    client.run(WAITING, progress=drawn, timeout=SECONDS)
    quiet = [each for each in drawn if each.headline == "Patience"]
    assert quiet[-1].elapsed > 1
    assert len(drawn) < 20


def test_the_queue_is_shown_while_the_job_waits(client: Client, gate: Gate) -> None:
    theirs = client.submit(WAITING)
    assert gate.reached.wait(SECONDS)

    def let_go(progress: JobProgress) -> None:
        if progress.ahead == 1:
            gate.released.set()

    drawn = Drawings(let_go)
    client.run(STEPS, progress=drawn, timeout=SECONDS)
    assert "waiting for another one" in [each.headline for each in drawn]
    assert {each.ahead for each in drawn if each.status != "pending"} == {None}
    theirs.result(SECONDS)


@pytest.mark.parametrize("realtime", [True, False])
def test_a_job_of_another_client_is_shown_as_well_as_it_can_be(
    client: Client, server: EmbeddedServer, gate: Gate, *, realtime: bool
) -> None:
    theirs = client.submit(WAITING)
    assert gate.reached.wait(SECONDS)

    def let_go(progress: JobProgress) -> None:
        if progress.headline == "running":
            gate.released.set()

    drawn = Drawings(let_go)
    with Client(server.url, realtime=realtime) as other:
        assert other.job(theirs.prompt_id).show(SECONDS, progress=drawn)["2"].texts == ("0",)
    assert drawn[-1].headline.startswith("done in ")


def test_what_a_drawing_raises_ends_the_wait_and_cancels_as_on_event_does(client: Client, gate: Gate) -> None:
    def fail(_: JobProgress) -> None:
        if gate.reached.is_set():
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        client.run(WAITING, progress=fail, timeout=SECONDS)
    assert soon(lambda: client.queue.info().exec_info.queue_remaining == 0)
    assert [entry.interrupted for entry in client.history.list().values()] == [True]


def test_progress_is_a_boolean_or_a_function(client: Client, server: EmbeddedServer) -> None:
    with pytest.raises(TypeError, match="progress is True, False or a function that draws, not 3"):
        client.run(STEPS, progress=3)  # type: ignore[arg-type]
    assert server.submitted == []


# --- the bar that it chooses --------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """A standard error that says it is a terminal, and remembers who wrote to it."""

    encoding = "utf-8"

    def __init__(self) -> None:
        super().__init__()
        self.writers: set[str] = set()

    def isatty(self) -> bool:
        """Say so."""
        return True

    def write(self, text: str) -> int:
        """Note the thread."""
        self.writers.add(threading.current_thread().name)
        return super().write(text)


def test_only_the_thread_that_waits_writes_to_the_terminal(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    before = set(threading.enumerate())
    client.run(STEPS, progress=True, timeout=SECONDS)
    assert terminal.writers == {threading.current_thread().name}
    started = {thread.name for thread in set(threading.enumerate()) - before}
    assert started <= {"comfyclient-reader", "comfyclient-dispatcher"}  # tqdm has a monitor otherwise
    lines = terminal.getvalue().rsplit("\r", 1)[-1].splitlines()
    assert [line.rstrip().split("| ")[0] for line in lines] == ["100%|" + "█" * 20]
    assert lines[0].split("| ")[1].startswith("done in ")


def test_without_tqdm_it_says_what_helps_before_anything_is_submitted(
    client: Client, server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    for name in ("tqdm", "tqdm.auto"):
        monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    with pytest.raises(ImportError, match=r"pip install tqdm \(for notebooks: pip install 'comfyclient\[notebook\]'\)"):
        client.run(STEPS, progress=True)
    assert server.submitted == []
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    client.run(STEPS, progress=True, timeout=SECONDS)  # lines need no tqdm


class Broken(Terminal):
    """A terminal that is gone."""

    def write(self, text: str) -> int:
        """Fail."""
        raise OSError(28, "No space left on device", text[:0])


def test_a_bar_that_cannot_be_drawn_harms_no_job(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "stderr", Broken())
    with caplog.at_level(logging.WARNING, "comfyclient"):
        assert client.run(STEPS, progress=True, timeout=SECONDS)["2"].texts == ("7",)
    assert [record.getMessage() for record in caplog.records] == [
        "the progress bar could not be drawn: OSError(28, 'No space left on device')"
    ]


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_elsewhere_the_last_line_is_all_of_a_short_job(
    client: Client, monkeypatch: pytest.MonkeyPatch, stream: io.StringIO | None
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)  # pythonw has none
    result = client.run(STEPS, progress=True, timeout=SECONDS)
    if stream is not None:
        assert stream.getvalue() == f"100% done in {result.timings.running:.1f} s\n"


NOBODY_LOOKS = """
import sys
from comfyclient import Client
with Client(sys.argv[1]) as client:
    client.run({"1": {"class_type": "Show", "inputs": {"value": 1}}}, timeout=30, on_event=print)
loaded = {name.partition(".")[0] for name in sys.modules if name != "comfyclient"}
sys.exit(bool({"tqdm", "IPython", "ipywidgets"} & loaded) or "comfyclient.display" in sys.modules)
"""


def test_whoever_does_not_ask_for_it_pays_nothing(server: EmbeddedServer) -> None:
    command: list[Any] = [sys.executable, "-c", NOBODY_LOOKS, server.url]
    subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL)
