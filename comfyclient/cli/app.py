"""``App``: what every command is given."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import signal
from typing import TYPE_CHECKING, Any

import click

from comfyclient.cli.failures import ExitCode
from comfyclient.cli.output import Output
from comfyclient.errors import AuthenticationError, ServerUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from comfyclient.cli.configuration import Configuration
    from comfyclient.client import Client
    from comfyclient.config import ClientConfig

__all__ = ["App"]

_SHOW_CURSOR, _CLEAR_LINE = b"\x1b[?25h", b"\r\x1b[2K"
_STDERR = 2


class App:
    """The server to talk to, and where to say things.

    Attributes:
        server: The name or the address that the command line gives, if it does.
        token: The token that it gives.
        debug: Whether errors are shown with where they arose, and comfyclient's log.
        out: Where results and messages go.
        interrupted_by: The exit code of the interruption, if there is one.
        farewell: What is written to standard error at once when somebody presses Ctrl-C.
    """

    def __init__(self) -> None:
        self.server: str | None = None
        self.token: str | None = None
        self.debug = False
        self.out = Output()
        self.farewell = b""
        self.interrupted_by = ExitCode.INTERRUPTED
        self._open = contextlib.ExitStack()

    # ── the server ───────────────────────────────────────────────────────────────────────────────────────────────

    @functools.cached_property
    def configuration(self) -> Configuration:
        """The configuration file.

        Raises:
            click.UsageError: It is wrong.
        """
        from comfyclient.cli.configuration import Configuration  # noqa: PLC0415 - help is quicker without

        configuration = Configuration.read()
        if configuration.exposed():
            self.out.warn(f"{configuration.path} holds secrets that others can read; chmod 600 keeps them yours")
        return configuration

    def config(self, **options: Any) -> ClientConfig:
        """How to reach the server, from the command line, the environment and the configuration file.

        Args:
            **options: Options of ``ClientConfig`` that this command wants.

        Raises:
            click.UsageError: Something in it is wrong.
        """
        from comfyclient.config import ClientConfig  # noqa: PLC0415 - help is quicker without

        name, given = self._given()
        if self.token is not None:
            given.pop("auth", None)
            given["token"] = self.token
        try:
            return ClientConfig(**{**given, **options})
        except (TypeError, ValueError) as error:
            where = "" if name is None else f"{self.configuration.path}, server {name!r}: "
            raise click.UsageError(f"{where}{error}") from None

    def _given(self) -> tuple[str | None, dict[str, Any]]:
        """The server's name in the file, if it has one, and what is known of it; the environment knows the rest."""
        servers, name = self.configuration.servers, self.server
        if name is None and not os.environ.get("COMFYUI_URL"):
            name = self.configuration.default
        if name is not None and name in servers:
            return name, dict(servers[name])
        return None, {} if name is None else {"url": name}

    @functools.cached_property
    def client(self) -> Client:
        """The client of the server; it is closed when the command ends."""
        return self.connect()

    def connect(self, **options: Any) -> Client:
        """A client with options of its own; see ``config``."""
        from comfyclient.client import Client  # noqa: PLC0415 - commands without a server are quicker

        return self._open.enter_context(Client(config=self.config(**options)))

    def hint(self, error: BaseException) -> str | None:
        """What may help somebody with this error."""
        if isinstance(error, AuthenticationError):
            return "credentials come from --token, COMFYUI_TOKEN or the configuration file (comfyclient servers --help)"
        if (
            not isinstance(error, ServerUnreachable)
            or self.server is None
            or any(sign in self.server for sign in ".:/")
        ):
            return None
        servers = self.configuration.servers
        if not servers or self.server in servers:
            return None
        return f"{self.server!r} is none of the servers in {self.configuration.path} ({', '.join(servers)})"

    # ── its life ─────────────────────────────────────────────────────────────────────────────────────────────────

    def close(self) -> None:
        """Close what was opened."""
        self._open.close()

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM end the command, which may still put things in order; the second one ends the program."""
        came = False

        def handle(number: int, _: FrameType | None) -> None:
            nonlocal came
            code = ExitCode.TERMINATED if number == signal.SIGTERM else ExitCode.INTERRUPTED
            if came:
                _write_at_once(_SHOW_CURSOR, only_to_terminal=True)  # a live display may have hidden it
                os._exit(code)
            came = True
            _write_at_once(_CLEAR_LINE, only_to_terminal=True)
            _write_at_once(self.farewell)
            self.interrupted_by = code
            raise KeyboardInterrupt

        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:  # as under nohup: who started us wants it so
                signal.signal(number, handle)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def show_log(self) -> None:
        """Show what comfyclient logs until the command ends: warnings, and with ``--debug`` everything."""
        logger, handler = logging.getLogger("comfyclient"), _Messages(self)
        logger.addHandler(handler)
        self._open.callback(logger.removeHandler, handler)
        logger.setLevel(logging.DEBUG)
        self._open.callback(logger.setLevel, logging.NOTSET)


def _write_at_once(text: bytes, *, only_to_terminal: bool = False) -> None:
    """Write to standard error past its buffer, in which a signal may have interrupted somebody else."""
    with contextlib.suppress(OSError):
        if not only_to_terminal or (os.isatty(_STDERR) and os.environ.get("TERM") != "dumb"):
            os.write(_STDERR, text)


class _Messages(logging.Handler):
    """Log records as messages."""

    def __init__(self, app: App) -> None:
        super().__init__()
        self._app = app

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            self._app.out.warn(record.getMessage())
        elif self._app.debug:
            self._app.out.debug(f"{record.name}: {record.getMessage()}")
