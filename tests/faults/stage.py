"""One cell of the matrix, played: what a user does, and the fault that strikes meanwhile."""

from __future__ import annotations

import itertools
import os
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
import requests

from comfyclient import Client, ComfyError, Reconnect, Retry
from comfyclient.events import ReconnectFailed
from tests.conftest import soon
from tests.faults.cutter import ON_THE_LINE, Cutter
from tests.faults.places import SECONDS, SIZE, Place, picture
from tests.workflows import filled, fresh_color, pixels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Self

    from comfyclient import Job, Result
    from tests.faults.lines import Frame
    from tests.faults.matrix import Cell
    from tests.workflows import Gate

T = TypeVar("T")

RESULT = "result"
UPLOAD = 8 * 2**20  # bytes; more than the operating system's buffers hold
GARBAGE = b"\x8f\xff" + bytes(range(256))  # a frame of no kind, of a length that nobody has
_DAY = 86400.0


class Stage:
    """A server, the cutter before it, and one client.

    Attributes:
        client: The client, of the cutter.
        other: Another one, which goes straight to the server.
    """

    def __init__(self, cell: Cell, place: Place) -> None:
        self._cell = cell
        self._place = place
        self._color = fresh_color()
        self._prompts: list[str] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._monkeypatch = self._stack.enter_context(pytest.MonkeyPatch.context())
        self._path = Path(self._stack.enter_context(tempfile.TemporaryDirectory())) / "picture.png"
        self._cutter = self._stack.enter_context(Cutter(self._place.url))
        crawls = self._cell.fault in {"half-open", "1 byte/s"}
        self.client = self._stack.enter_context(
            Client(
                self._cutter.url,
                connect_timeout=2 if crawls else 5,
                read_timeout=3 if crawls else 2 * SECONDS,  # a busy machine needs fifty to start a real server again
                # What the history has lost may not have been found there before.
                poll_interval=SECONDS if self._cell.fault == "history cleared" else 0.2,
                give_up_after=0.5 if self._cell.stays else SECONDS,
                retry=Retry(attempts=2 if self._cell.stays else 10, first=0.02, longest=0.2),
                reconnect=Reconnect(first=0.02, longest=0.1, ping_interval=0.5, ping_timeout=0.5, deaf_after=0.5),
            )
        )
        self.other = self._stack.enter_context(Client(self._place.url, realtime=False))
        self._pool = self._stack.enter_context(ThreadPoolExecutor(1))
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self._within(self.client.close)
            tracker = self.client._tracker
            assert not tracker.dispatcher.is_alive, "the dispatcher outlived its client"
            assert tracker.connection is None or not tracker.connection.is_alive, "the reader outlived its client"
            if self._cell.moment != "upload":  # whose unsent rest the operating system keeps, after the client is gone
                assert soon(lambda: self._cutter.abandoned), "a connection outlived its client"
            ids = [posted.body["prompt_id"] for posted in self._cutter.posted]
            assert len(set(ids)) == len(ids), "a prompt was posted twice"
        finally:
            self._stack.close()

    def _within(self, function: Callable[[], T]) -> T:
        """What it returns or raises; it must come to an end."""
        return self._pool.submit(function).result(2 * SECONDS)

    def outcome(self, function: Callable[[], object]) -> str:
        """How it ended: with a result or by a named error, but in time."""
        try:
            self._within(function)
        except ComfyError as error:
            return type(error).__name__
        return RESULT

    # ── the moments ──────────────────────────────────────────────────────────────────────────────────────────────

    def play(self) -> str:
        """Do what a user does, and let the fault strike; how it ends for the user."""
        moment = self._cell.moment
        moments: dict[str, Callable[[], str]] = {
            "before connect": self._before_connect,
            "after connect": self._after_connect,
            "POST and answer": self._post,
            "queued": self._queued,
            "running": self._running,
            "at completion": self._completion,
            "download": self._download,
            "upload": self._upload,
            "close": self._close,
        }
        return moments[moment]()

    def _before_connect(self) -> str:
        self._strike(more=1)
        return self.outcome(self._run)

    def _after_connect(self) -> str:
        self._connect()
        self._strike()
        return self.outcome(self._run)

    def _post(self) -> str:
        self._connect()
        gate = self._place.gate()  # nothing is to be heard of the prompt before the fault
        self.other.submit(picture(self._color, gate))
        gate.wait()

        def strike() -> str | None:
            try:
                return self._strike()
            finally:
                gate.open()

        self._cutter.arm("POST /prompt", strike)
        return self.outcome(self._run)

    def _queued(self) -> str:
        gate = self._place.gate()
        first = self.client.submit(picture(self._color, gate))
        gate.wait()
        job = self.client.submit(picture(self._color))
        self._prompts = [job.prompt_id]
        self._strike()
        gate.open()
        outcome = self.outcome(lambda: self._check(job.result(self._patience)))
        self.outcome(lambda: first.result(self._patience))
        return outcome

    def _running(self) -> str:
        gate = self._place.gate()
        job = self._at(gate)
        self._strike()
        gate.open()
        return self.outcome(lambda: self._check(job.result(self._patience)))

    def _completion(self) -> str:
        gate = self._place.gate()
        job = self._at(gate)
        # For the history to be cleared it has to be there; and the worker is to die when it is done.
        last = self._cell.fault in {"history cleared", "worker dead"}
        self._cutter.arm('"node": null' if last else "execution_success", self._strike)
        gate.open()
        return self.outcome(lambda: self._check(job.result(self._patience)))

    def _download(self) -> str:
        result = self.client.run(picture(self._color), timeout=SECONDS)
        self._prompts = [result.prompt_id]
        self._cutter.arm("GET /view", self._strike)
        outcome = self.outcome(lambda: result.images[0].save(self._path))
        assert list(self._path.parent.iterdir()) == [self._path] * (outcome == RESULT)
        if outcome == RESULT:
            assert pixels(self._path.read_bytes()) == filled(self._color, SIZE)
        return outcome

    def _upload(self) -> str:
        self._connect()
        content, name = os.urandom(UPLOAD), f"{self._color:06x}{time.monotonic_ns()}.png"
        struck = threading.Event()

        def strike() -> str | None:
            try:
                return self._strike()
            finally:
                struck.set()

        self._cutter.arm("POST /upload/image", strike)
        outcome = self.outcome(lambda: self.client.files.upload_image(content, filename=name))
        assert struck.wait(4 * SECONDS)  # a server that starts slowly may not be back yet
        answer = requests.get(f"{self._place.url}/view", {"filename": name, "type": "input"}, timeout=SECONDS)
        assert answer.status_code == 404 or answer.content == content
        assert answer.ok or outcome != RESULT
        return outcome

    def _close(self) -> str:
        gate = self._place.gate()
        job = self._at(gate)
        self._strike()
        self._within(self.client.close)
        outcome = self.outcome(lambda: job.result(0))
        gate.open()
        if self._cell.fault not in {"server restarted", "worker dead", "deleted by others", "history cleared"}:
            assert soon(lambda: self.other.history.get(job.prompt_id) is not None, SECONDS)
        return outcome

    # ── their parts ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _patience(self) -> float:
        """Few where a job will not end; at completion it has."""
        return 1.0 if self._cell.fault == "worker dead" and self._cell.moment != "at completion" else SECONDS

    def _connect(self) -> None:
        """As a client that is used already: with a websocket, and with connections that were kept."""
        self.client.connect()
        self._within(self.client.queue.info)

    def _at(self, gate: Gate) -> Job:
        job = self.client.submit(picture(self._color, gate))
        self._prompts = [job.prompt_id]
        gate.wait()
        return job

    def _run(self) -> None:
        self._check(self.client.run(picture(self._color), timeout=self._patience))

    def _check(self, result: Result) -> None:
        (image,) = result.images
        assert image.filename.endswith(".png")
        data = requests.get(
            f"{self._place.url}/view", {"filename": image.filename, "subfolder": image.subfolder}, timeout=SECONDS
        )
        assert pixels(data.content) == filled(self._color, SIZE)

    # ── the faults ───────────────────────────────────────────────────────────────────────────────────────────────

    def _strike(self, more: int | None = None) -> str | None:
        """Let the fault strike; what becomes of the request that goes through in this moment."""
        fault, stays = self._cell.fault, self._cell.stays
        if fault in ON_THE_LINE:
            # Who connects for the first time meets it; for the others it passes once they have noticed.
            if fault == "refused" and not stays and "connect" not in self._cell.moment:
                self.client.on(ReconnectFailed, lambda _: self._cutter.heal())
            if more is None:
                more = 0 if fault in {"half-open", "1 byte/s"} else 1
            self._cutter.strike(fault, stays=stays, more=more)
            return fault
        faults: dict[str, Callable[[], object]] = {
            "garbage frame": self._garbage,
            "event twice": lambda: self._alter(lambda told: [told, told]),
            "event missing": lambda: self._alter(loses("executed", "execution_start", "sid")),
            "events reordered": lambda: self._alter(Reversed()),
            "deaf socket": self._cutter.deafen,
            "server restarted": self._restart,
            "worker dead": self._kill_worker,
            "history cleared": self._clear,
            "deleted by others": self._delete,
            "clock jumps": self._jump,
        }
        faults[fault]()
        return "reset" if fault == "server restarted" else None

    def _alter(self, alter: Callable[[Frame], Any]) -> None:
        self._cutter.alter = alter

    def _garbage(self) -> None:
        self._cutter.say(GARBAGE)
        garbage = iter([GARBAGE])
        self._alter(lambda told: [*garbage, told])

    def _restart(self) -> None:
        self._place.restart()  # type: ignore[union-attr]  # only where it can be
        self._cutter.hang_up()

    def _kill_worker(self) -> None:
        self._place.kill_worker()  # type: ignore[union-attr]  # only where it can be

    def _clear(self) -> None:
        for prompt_id in self._prompts:
            self.other.history.delete(prompt_id)
        if self._cell.moment == "at completion":
            self._cutter.hang_up()

    def _delete(self) -> None:
        for prompt_id in self._prompts:
            self.other.queue.delete(prompt_id)
            self.other.queue.interrupt(prompt_id)

    def _jump(self) -> None:
        jumps, clock = itertools.cycle([_DAY, -_DAY]), time.time
        self._monkeypatch.setattr(time, "time", lambda: clock() + next(jumps))


def loses(*words: str) -> Callable[[Frame], list[Frame]]:
    """Leaves out messages with one of these words."""
    return lambda told: [] if any(f'"{word}"'.encode() in told[1] for word in words) else [told]


class Reversed:
    """Holds messages back until a run has ended, and sends them in the opposite order."""

    def __init__(self) -> None:
        self._held: list[Frame] = []

    def __call__(self, told: Frame) -> Iterator[Frame]:
        self._held.insert(0, told)
        if b'"node": null' in told[1] or b'"sid"' in told[1]:
            held, self._held = self._held, []
            yield from held
