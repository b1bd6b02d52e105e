"""Which fault can strike in which moment, and why some cannot."""

from __future__ import annotations

from typing import NamedTuple

from tests.faults.cutter import ON_THE_LINE

MOMENTS = (
    "before connect",
    "after connect",
    "POST and answer",
    "queued",
    "running",
    "at completion",
    "download",
    "upload",
    "close",
)
EVENTS = ("event twice", "events reordered", "event missing")
FAULTS = (
    *ON_THE_LINE,
    "garbage frame",
    *EVENTS,
    "deaf socket",
    "server restarted",
    "worker dead",
    "history cleared",
    "deleted by others",
    "clock jumps",
)
BREAKING = frozenset({"server restarted", "worker dead"})
"""What a server that others use must be spared."""


class Cell(NamedTuple):
    """One fault in one moment; ``stays`` if it does not pass."""

    moment: str
    fault: str
    stays: bool

    def __str__(self) -> str:
        return f"{self.moment}-{self.fault}{'-stays' if self.stays else ''}"


NO_ANSWER = "there is no answer yet that could end too early"
NO_BODY = "nothing is sent that could be too large"
NO_JSON = "a file may hold anything, and is kept as it came"
ASKED_BEFORE = "who refuses a request does so before the server gets it"
NO_EVENTS = "no event is awaited then"
NO_SOCKET = "there is no websocket yet"
NO_HISTORY = "none of the prompt is in the history then"
NOTHING_QUEUED = "no prompt of ours is awaited then"

LEFT_OUT: dict[tuple[str, str], str] = {
    ("before connect", "truncated"): NO_ANSWER,
    **{(moment, "413"): NO_BODY for moment in ("queued", "running", "at completion", "download", "close")},
    ("download", "garbage JSON"): NO_JSON,
    ("POST and answer", "401"): ASKED_BEFORE,
    ("POST and answer", "413"): ASKED_BEFORE,
    **{(moment, event): NO_EVENTS for moment in ("download", "upload", "close") for event in EVENTS},
    ("before connect", "deaf socket"): NO_SOCKET,
    **{
        (moment, "history cleared"): NO_HISTORY
        for moment in ("before connect", "after connect", "POST and answer", "queued", "running")
    },
    **{
        (moment, "deleted by others"): NOTHING_QUEUED
        for moment in ("before connect", "after connect", "at completion", "download", "upload", "close")
    },
}
"""The cells that make no sense, and why."""

CELLS = [
    Cell(moment, fault, stays)
    for fault in FAULTS
    for moment in MOMENTS
    if (moment, fault) not in LEFT_OUT
    for stays in ((False, True) if fault in ON_THE_LINE else (False,))
]
