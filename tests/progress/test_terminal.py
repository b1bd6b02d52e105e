"""In a real terminal, and in a pipe: a program of its own that runs one workflow."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import struct
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import soon
from tests.progress.workflows import FAILING, MANY_STEPS, STEPS, WAITING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from comfyclient import Client
    from comfyclient.testing import EmbeddedServer
    from tests.testing.nodes import Gate

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")

SECONDS = 30.0
CTRL_C = b"\x03"
BAR = "█" * 20

PROGRAM = """
import contextlib, json, os, sys
with contextlib.suppress(OSError):
    import fcntl, termios
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C is a signal
from comfyclient import Client
url, client_id, action, workflow, options = sys.argv[1:]
options = json.loads(options)
with Client(url, client_id=client_id) as client:
    if action == "run":
        client.run(json.loads(workflow), progress=True, **options)
    else:
        client.job(workflow).show(**options)
    print("and so on")
"""


def command(server: EmbeddedServer, action: str, workflow: Any, **options: Any) -> list[str]:
    text = workflow if isinstance(workflow, str) else json.dumps(workflow)
    return [sys.executable, "-c", PROGRAM, server.url, "terminal", action, text, json.dumps(options)]


class Terminal:
    """A program in a terminal.

    Attributes:
        text: All that it wrote so far.
    """

    def __init__(self, command: list[str], columns: int) -> None:
        import fcntl  # noqa: PLC0415 - not on Windows
        import pty  # noqa: PLC0415 - not on Windows
        import termios  # noqa: PLC0415 - not on Windows

        self._screen, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.text = ""

    def read(self, until: Callable[[str], bool] = lambda _: False) -> str:
        """Read to the end, or until the condition holds for all the text so far."""
        deadline = time.monotonic() + SECONDS
        data = b""
        while not until(self.text) and time.monotonic() < deadline:
            ready, _, _ = select.select([self._screen], [], [], 1.0)
            try:
                more = os.read(self._screen, 1 << 16) if ready else None
            except OSError:  # Linux says so when the last one has closed the other end
                break
            if more == b"":
                break
            data += more or b""
            with contextlib.suppress(UnicodeDecodeError):  # the rest of a letter is still to come
                self.text += data.decode()
                data = b""
        return self.text

    def press(self, keys: bytes) -> None:
        """Type."""
        os.write(self._screen, keys)

    def lines(self) -> list[str]:
        """What one sees in the end: in each line what was written last, over what was there."""
        assert self.process.wait(SECONDS) is not None
        seen = []
        for line in self.read().split("\r\n"):
            shown = ""
            for part in line.split("\r"):
                shown = part + shown[len(part) :]
            seen.append(shown.rstrip())
        return seen

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait(SECONDS)
        os.close(self._screen)


@contextlib.contextmanager
def terminal(command: list[str], columns: int = 100) -> Iterator[Terminal]:
    opened = Terminal(command, columns)
    try:
        yield opened
    finally:
        opened.close()


def told(bar: str) -> str:
    """What stands beside the bar, without the ``^C`` that the terminal itself wrote."""
    return bar.rpartition("| ")[2].rstrip("^C ")


def estimated(text: str) -> bool:
    """Whether it was said how long it will take: steps are slow until somebody has seen that."""
    return "left]" in text


def test_success_leaves_a_full_bar_and_goes_on_below_it(server: EmbeddedServer) -> None:
    server.latency.step = 0.5
    with terminal(command(server, "run", MANY_STEPS)) as shown:
        seen = re.search(r"\| Steps \d+/15 \[0:0\d, 0:0\d left\]", shown.read(estimated))
        server.latency.step = 0.0
        bar, rest, *empty = shown.lines()
    assert bar.startswith(f"100%|{BAR}| done in ")
    assert (rest, empty) == ("and so on", [""])
    assert seen


def test_a_narrow_terminal_has_a_short_bar_and_all_of_the_text(server: EmbeddedServer) -> None:
    with terminal(command(server, "run", FAILING), columns=36) as shown:
        bar, *_ = shown.lines()
    assert bar == " 50%|███   | failed: node 2 Trouble"
    assert shown.process.returncode == 1


def test_broad_letters_leave_room_for_the_times(server: EmbeddedServer) -> None:
    server.latency.step = 0.5
    graph = {**MANY_STEPS, "1": {**MANY_STEPS["1"], "_meta": {"title": "检查点加载器" * 3}}}
    with terminal(command(server, "run", graph), columns=80) as shown:
        seen = re.search(r"器 \d+/15 \[0:0\d, 0:0\d left\]", shown.read(estimated))
        server.latency.step = 0.0
        shown.lines()
    assert seen


def test_a_failure_is_said_before_its_traceback(server: EmbeddedServer) -> None:
    with terminal(command(server, "run", FAILING)) as shown:
        bar, traceback, *_ = shown.lines()
    assert bar == f" 50%|{BAR[:10]}{' ' * 10}| failed: node 2 Trouble"
    assert traceback == "Traceback (most recent call last):"


def test_an_interrupt_by_somebody_else_is_said(server: EmbeddedServer, client: Client, gate: Gate) -> None:
    with terminal(command(server, "run", WAITING)) as shown:
        assert gate.reached.wait(SECONDS)
        client.queue.interrupt()
        bar, *_ = shown.lines()
    assert bar.endswith("| interrupted")
    assert shown.text.rstrip().splitlines()[-1].startswith("comfyclient.errors.JobInterrupted: ")


def test_a_timeout_says_that_it_goes_on(server: EmbeddedServer, gate: Gate) -> None:
    with terminal(command(server, "run", WAITING, timeout=0.5)) as shown:
        assert gate.reached.wait(SECONDS)
        bar, *_ = shown.lines()
    assert re.fullmatch("still (running|waiting) on the server", told(bar))


def test_ctrl_c_cancels_what_runs(server: EmbeddedServer, client: Client, gate: Gate) -> None:
    with terminal(command(server, "run", WAITING)) as shown:
        shown.read(lambda text: "Patience" in text)
        assert gate.reached.wait(SECONDS)
        shown.press(CTRL_C)
        bar, traceback, *_ = shown.lines()
    assert shown.process.returncode == -signal.SIGINT
    assert told(bar) == "interrupted"
    assert traceback == "Traceback (most recent call last):"
    assert soon(lambda: client.queue.info().exec_info.queue_remaining == 0)
    assert [entry.interrupted for entry in client.history.list().values()] == [True]


def test_ctrl_c_leaves_alone_what_is_shown(server: EmbeddedServer, client: Client, gate: Gate) -> None:
    job = client.submit(WAITING)
    assert gate.reached.wait(SECONDS)
    with terminal(command(server, "show", job.prompt_id)) as shown:
        shown.read(lambda text: "running" in text)
        shown.press(CTRL_C)
        bar, *_ = shown.lines()
    assert shown.process.returncode == -signal.SIGINT
    assert told(bar) == "still running on the server"
    gate.released.set()
    assert job.result(SECONDS)["2"].texts == ("0",)


def test_in_a_pipe_there_are_whole_lines_and_nothing_else(server: EmbeddedServer) -> None:
    done = subprocess.run(
        command(server, "run", STEPS), capture_output=True, text=True, timeout=SECONDS, check=True, stdin=-3
    )
    assert done.stdout == "and so on\n"
    assert done.stderr.startswith("100% done in ")
    assert done.stderr.endswith(" s\n")
    assert done.stderr.count("\n") == 1
    assert "\r" not in done.stderr
