"""Running ``comfyclient`` as a shell does, with pipes or in a terminal, and looking at what it prints."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.cli.documents import ErrorDocument
from comfyclient.cli.program import run
from tests.cli.documents import check

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PATIENCE = 60.0  # seconds that a program may take in all; it is alone with a busy machine
KEPT = {"PATH", "LANG", "TMPDIR", "SYSTEMROOT", "PYTHONPATH"}


@dataclass(frozen=True)
class Done:
    """A program that has ended.

    Attributes:
        code: Its exit code.
        out: What it wrote to standard output.
        err: What it wrote to standard error.
    """

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of standard output."""
        return self.out.splitlines()

    def json(self, document: type) -> Any:
        """The one document on standard output, which has to be of this class."""
        found = json.loads(self.out)
        check(found, document)
        return found

    def json_lines(self, *documents: type) -> list[Any]:
        """The documents on standard output, one in each line, each of which has to be of one of these classes."""
        found = [json.loads(line) for line in self.lines]
        for item in found:
            check(item, *documents)
        return found

    def error(self) -> Any:
        """What the error document says, which has to be all that there is."""
        error = self.json(ErrorDocument)["error"]
        assert error["exit_code"] == self.code
        return error


class Running:
    """A program that runs; its output is read all the time, so that it never waits for us."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._said: dict[str, list[str]] = {"out": [], "err": []}
        self._changed = threading.Condition()  # guards _said
        self._readers = [
            threading.Thread(target=self._read, args=(name, stream), daemon=True)
            for name, stream in (("out", process.stdout), ("err", process.stderr))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, name: str, stream: Any) -> None:
        with stream:
            for line in stream:
                with self._changed:
                    self._said[name].append(line)
                    self._changed.notify_all()

    def wait_for(self, text: str, where: str = "out", *, after: int = 0) -> str:
        """Wait until it has written a line with this text, after so many lines; that line."""

        def found() -> str | None:
            return next((line for line in self._said[where][after:] if text in line), None)

        with self._changed:
            assert self._changed.wait_for(found, PATIENCE), f"no {text!r} in {self._said}"
            return found() or ""

    def signal(self, number: int = signal.SIGINT) -> None:
        """Send it a signal, by default that of Ctrl-C."""
        self.process.send_signal(number)

    def end(self) -> Done:
        """Wait for its end."""
        code = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return Done(code, "".join(self._said["out"]), "".join(self._said["err"]))


class Program:
    """``comfyclient``, with an environment of its own.

    Attributes:
        directory: Where it runs.
        configuration: The configuration file that it reads; not there at first.
        environment: Its environment.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.configuration = directory / "configuration" / "config.toml"
        kept = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith("COVERAGE_")}
        self.environment = {
            **kept,
            "HOME": str(directory),
            "COMFYCLIENT_CONFIG": str(self.configuration),
            "PYTHONWARNINGS": "error",
            "COLUMNS": "100",
        }
        self._running: list[Running] = []

    def command(self, *arguments: str) -> list[str]:
        """The command line."""
        return [sys.executable, "-m", "comfyclient", *arguments]

    def __call__(
        self, *arguments: str | Path, code: int = 0, stdin: str | bytes = "", env: Mapping[str, str] | None = None
    ) -> Done:
        """Run it to its end; it has to end with this exit code, and never shows a traceback."""
        done = subprocess.run(
            self.command(*map(str, arguments)),
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            cwd=self.directory,
            env={**self.environment, **(env or {})},
            timeout=PATIENCE,
            check=False,
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == code, f"exit code {done.returncode}\n{out}\n{err}"
        assert "--debug" in arguments or "Traceback" not in err, err
        assert "\x1b" not in out + err, "escape codes in a pipe"
        return Done(done.returncode, out, err)

    def inside(self, *arguments: str | Path, code: int = 0, env: Mapping[str, str] | None = None) -> Done:
        """The same in this process, which takes a hundredth of the time: for whatever is no matter of processes."""
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        environment = {**self.environment, **(env or {})}
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.directory)
            patch.setattr(os, "environ", environment)
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                found = run([*map(str, arguments)])
        done = Done(found, *(stream.buffer.getvalue().decode() for stream in (out, err)))
        assert found == code, done
        return done

    def start(self, *arguments: str | Path) -> Running:
        """Start it, and go on at once."""
        process = subprocess.Popen(
            self.command(*map(str, arguments)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.directory,
            env=self.environment,
        )
        self._running.append(Running(process))
        return self._running[-1]

    def in_terminal(
        self,
        *arguments: str | Path,
        keys: str = "",
        until: bytes | None = None,
        code: int = 0,
        term: str = "xterm-256color",
    ) -> str:
        """Run it in a terminal; all that appears there.

        Args:
            *arguments: The command line.
            keys: What is typed.
            until: Press Ctrl-C once this has appeared; otherwise it runs to its end.
            code: The exit code that it has to have.
            term: The kind of terminal.
        """
        screen, terminal = os.openpty()
        environment = {**self.environment, "TERM": term}
        with os.fdopen(screen, "rb", buffering=0) as shown:
            process = subprocess.Popen(
                self.command(*map(str, arguments)),
                stdin=terminal,
                stdout=terminal,
                stderr=terminal,
                cwd=self.directory,
                env=environment,
            )
            os.close(terminal)
            os.write(screen, keys.encode())
            said = _all_of(shown, process, until)
            assert process.wait(PATIENCE) == code, said
        return said

    def configure(self, text: str) -> None:
        """Write the configuration file, for its owner alone."""
        self.configuration.parent.mkdir(exist_ok=True)
        self.configuration.touch(mode=0o600)
        self.configuration.write_text(text, encoding="utf-8")

    def close(self) -> None:
        """End what still runs, as after a failed test."""
        for running in self._running:
            if running.process.poll() is None:
                running.process.kill()
            running.end()


def _all_of(shown: Any, process: subprocess.Popen[bytes], until: bytes | None) -> str:
    """What a terminal shows until the last program in it has ended."""
    pieces: list[bytes] = []
    while True:
        if until is not None and until in b"".join(pieces):
            process.send_signal(signal.SIGINT)
            until = None
        try:
            piece = shown.read(65536)
        except OSError:  # EIO: nobody is left who could write
            piece = b""
        if not piece:
            return b"".join(pieces).decode(errors="replace")
        pieces.append(piece)
