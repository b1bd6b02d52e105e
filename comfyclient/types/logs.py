"""What the server's log is made of: in ``client.system.log_entries`` and in ``logs`` events."""

import re
from datetime import datetime
from typing import Any

from attrs import field, frozen

__all__ = ["LogEntry", "ServerLog", "TerminalSize"]

_ESCAPE = re.compile(
    r"""\x1b(?:
        \[ [0-?]* [ -/]* [@-~]                      # colors and movements
        | \] [^\x07\x1b]* (?:\x07|\x1b\\)?          # titles and links
        | [ -/]+ [0-~] | [0-Z\\^-~]                 # and the rest
    )""",
    re.VERBOSE,
)


def plain(text: str) -> str:
    """The text without what is meant for a terminal: colors, movements of the cursor, titles."""
    return _ESCAPE.sub("", text)


@frozen
class TerminalSize:
    """The terminal that the server writes to; 80 by 24 where there is none.

    Attributes:
        cols: Its width in characters.
        rows: Its height in lines.
        extra: What else the server said.
    """

    cols: int | None = None
    rows: int | None = None
    extra: dict[str, Any] = field(factory=dict)


@frozen
class LogEntry:
    r"""One write to the server's standard output or error.

    A logged message is one write. What is printed is several: ``print("a", "b")`` writes ``"a"``, ``" "``, ``"b"``
    and ``"\n"``. A bar of progress begins with ``"\r"``, and takes the place of the one before it.

    Attributes:
        t: When, by the server's clock and in its time zone, in ISO 8601; see ``time``.
        m: What, as written, with colors and line ends; see ``text``.
        extra: What else the server said.
    """

    t: str
    m: str
    extra: dict[str, Any] = field(factory=dict)

    @property
    def time(self) -> datetime:
        """When, without a time zone, since the server does not name its own.

        Raises:
            ValueError: ``t`` is not a time.
        """
        return datetime.fromisoformat(self.t)

    @property
    def text(self) -> str:
        """What, without colors and other ANSI escapes."""
        return plain(self.m)


@frozen
class ServerLog:
    """The answer of ``GET /internal/logs/raw``.

    Attributes:
        entries: The last 300 writes, oldest first.
        size: The terminal.
        extra: What else the server said.
    """

    entries: tuple[LogEntry, ...]
    size: TerminalSize | None = None
    extra: dict[str, Any] = field(factory=dict)

    @property
    def text(self) -> str:
        """All of it, as the terminal showed it, without colors and other ANSI escapes."""
        return plain("".join(entry.m for entry in self.entries))
