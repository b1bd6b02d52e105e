"""Where commands say things: results on standard output, messages on standard error."""

from __future__ import annotations

import functools
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from comfyclient.cli.documents import dumps

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console, RenderableType

__all__ = ["Output", "harmless", "in_words", "to_nowhere"]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys; of these, new lines and tabs alone are text. The last ones turn the direction of writing."""


_WHOLE, _FOLDED = 19, 8
"""In tables, cells of so many columns are never torn: ids, words, times. Longer ones have so many at least."""


def harmless(text: object) -> str:
    """Text of a server as it may be shown in a terminal: without colors, and what else it would obey made visible."""
    text = str(text)
    if "\x1b" in text:
        from comfyclient.types.logs import plain  # noqa: PLC0415 - slow to load, and hardly ever needed

        text = plain(text)
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def to_nowhere(stream: TextIO) -> None:
    """Nobody takes it any more: what is left in its buffer must not complain when Python ends."""
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def in_words(status: str) -> str:
    """A job's status, as people are told."""
    return {"in_progress": "running", "pending": "waiting"}.get(status, status)


class Output:
    """Standard output for results, standard error for messages.

    Attributes:
        json: Whether results are JSON.
        quiet: Whether messages other than warnings and errors are left out.
        is_stream: Whether documents are lines, the error that ends the command among them.
    """

    def __init__(self) -> None:
        self.json = False
        self.quiet = False
        self.is_stream = False

    # ── results ──────────────────────────────────────────────────────────────────────────────────────────────────

    def result(self, document: Any, text: RenderableType | None = None) -> None:
        """Print what the command found: the document with ``--json``, or else the text, if there is any."""
        if self.json:
            self._write(dumps(document, indent=None if self.is_stream else 2))
        elif text is not None:
            self.print(text)

    def print(self, text: RenderableType) -> None:
        """Print for people. A text is printed as it is, without being wrapped."""
        if isinstance(text, str):
            self._write(harmless(text))
            return
        with self.console.capture() as drawn:
            self.console.print(text)
        self._write(drawn.get().rstrip("\n"))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print a table: drawn in a terminal; in a pipe each row is a line, its cells separated by tabs."""
        if not self.is_terminal:
            for row in rows:
                self._write("\t".join(re.sub(r"\s", " ", harmless(cell)) for cell in row))
            return
        from rich.cells import cell_len  # noqa: PLC0415 - rich is slow to load
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        table = Table(*columns, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for row in rows:
            table.add_row(*(cell if isinstance(cell, Text) else Text(harmless(cell)) for cell in row))
        least = 0
        for column in table.columns:
            column.overflow = "fold"  # rather than cut, since names are there to be copied
            longest = max(cell_len(str(cell)) for cell in (column.header, *column.cells))
            if longest <= _WHOLE:
                column.min_width = longest
            least += (longest if longest <= _WHOLE else _FOLDED) + 2
        width = self.console.width
        self.console.width = max(width, least)  # in a narrower terminal lines run over
        self.print(table)
        self.console.width = width

    def fields(self, rows: Iterable[tuple[str, object]]) -> None:
        """Print names with their values, one in each line: aligned in a terminal, separated by a tab in a pipe."""
        if not self.is_terminal:
            self.table([], rows)
            return
        from rich.table import Table  # noqa: PLC0415 - rich is slow to load
        from rich.text import Text  # noqa: PLC0415

        grid = Table.grid("", "", padding=(0, 2, 0, 0))
        for column in grid.columns:
            column.overflow = "fold"
        for name, value in rows:
            grid.add_row(Text(harmless(name), style="bold"), Text(harmless(value)))
        self.print(grid)

    @property
    def is_terminal(self) -> bool:
        """Whether results go to a terminal."""
        return self.console.is_terminal

    @property
    def is_redrawn(self) -> bool:
        """Whether they go to a terminal that draws anew what it shows, which ``TERM=dumb`` is not."""
        return self.is_terminal and not self.console.is_dumb_terminal

    @functools.cached_property
    def console(self) -> Console:
        """Standard output as rich knows it."""
        from rich.console import Console  # noqa: PLC0415 - slow to load

        return Console(highlight=False, markup=False, emoji=False)

    # ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────

    def note(self, text: str) -> None:
        """Tell what goes on; not with ``--quiet``."""
        if not self.quiet:
            self._say(text)

    def warn(self, text: str) -> None:
        """Tell what is odd, though the command goes on."""
        self._say(f"Warning: {text}", "yellow")

    def error(self, text: str) -> None:
        """Tell why the command ends without success."""
        self._say(text, "red")

    @functools.cached_property
    def messages(self) -> Console:
        """Standard error as rich knows it."""
        from rich.console import Console  # noqa: PLC0415 - slow to load

        return Console(stderr=True, highlight=False, markup=False, emoji=False)

    def debug(self, text: str) -> None:
        """Tell what somebody who looks for a fault may want to know."""
        self._say(text, "dim")

    def _say(self, text: str, style: str | None = None) -> None:
        try:
            with self.messages.capture() as drawn:
                self.messages.print(harmless(text), style=style, soft_wrap=True)
            sys.stderr.write(drawn.get())
            sys.stderr.flush()
        except OSError:  # nobody reads the messages, which is no reason to leave the work
            to_nowhere(sys.stderr)

    def _write(self, text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
