"""``comfyclient logs``."""

from __future__ import annotations

from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING

import click
from attrs import frozen

from comfyclient.cli.command import command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from comfyclient.cli.app import App
    from comfyclient.types import LogEntry


@frozen(kw_only=True)
class LogLine:
    """A line of the server's log.

    Attributes:
        time: When it was begun, by the server's clock and in its time zone, in ISO 8601.
        text: What it says, without colors.
    """

    time: str
    text: str


@command(
    LogLine,
    stream=True,
    examples="""
$ comfyclient logs -n 20
$ comfyclient logs -f
$ comfyclient logs --json | jq -r 'select(.text | test("error"; "i")) | .time + " " + .text'
""",
)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
@click.option(
    "-n", "--lines", type=click.IntRange(min=0), metavar="NUMBER", help="Only the last lines of what is there now."
)
def logs(app: App, *, follow: bool, lines: int | None) -> None:
    """Show the server's log.

    The server keeps its last 300 writes. With --json, each line is a document of its own. Ctrl-C ends --follow with
    exit code 130. Servers before November 2024 have no such log.
    """
    past = app.client.system.log_entries().entries
    entries = chain(past, _new(past, app.client.system.follow_log(past=True))) if follow else iter(past)
    count = sum(1 for _ in _lines(past, ends=not follow))
    skipped = 0 if lines is None else max(0, count - lines)
    for line in islice(_lines(entries, ends=not follow), skipped, None):
        app.out.result(line, line.text)


def _new(past: Iterable[LogEntry], followed: Iterable[LogEntry]) -> Iterator[LogEntry]:
    """What has come since, of a log that is followed from a later moment on."""
    known = Counter((entry.t, entry.m) for entry in past)
    for entry in followed:
        if known[entry.t, entry.m] > 0:
            known[entry.t, entry.m] -= 1
        else:
            yield entry


def _lines(entries: Iterable[LogEntry], *, ends: bool = False) -> Iterator[LogLine]:
    """The lines that writes make; of a bar that draws itself again and again, the last state.

    Args:
        entries: The writes.
        ends: Whether what follows the last line break is a line.
    """
    text, began = "", ""
    for entry in entries:
        began = began if text else entry.t
        text += entry.text
        *whole, text = text.split("\n")
        for line in whole:
            yield LogLine(time=began, text=_last_state(line))
            began = entry.t
    if ends and text:
        yield LogLine(time=began, text=_last_state(text))


def _last_state(line: str) -> str:
    return line.rstrip("\r").rpartition("\r")[2]
