"""Jobs on the command line: how they are named, and what is told of them."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from comfyclient.cli.completing import completed_by
from comfyclient.errors import JobLost, first_line, node_label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from comfyclient.cli.app import App
    from comfyclient.client import Client
    from comfyclient.types import JobInfo

__all__ = [
    "ENDED",
    "JobDocument",
    "complete_jobs",
    "ended",
    "full_id",
    "listed_id",
    "moment",
    "queued",
    "shown_id",
    "told",
]

ENDED = ("completed", "failed", "cancelled")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BEGINNING = 8
"""How much of an id tells it from all others."""


@frozen(kw_only=True)
class JobDocument:
    """A job on the server. Times are the server's, in seconds since 1970; null where it does not tell.

    Attributes:
        prompt_id: Its id.
        status: ``pending``, ``in_progress``, ``completed``, ``failed`` or ``cancelled``.
        number: Its place in the order of execution; the lowest runs first.
        created_at: When it was submitted.
        started_at: When it began to run.
        finished_at: When it ended.
        outputs_count: How many outputs it has, single texts not counted.
        error: Why it failed, in a sentence.
    """

    prompt_id: str
    status: str
    number: float | None
    created_at: float | None
    started_at: float | None
    finished_at: float | None
    outputs_count: int | None
    error: str | None


def told(job: JobInfo) -> JobDocument:
    """What there is to tell of a job."""
    return JobDocument(
        prompt_id=job.id,
        status=job.status,
        number=job.priority,
        created_at=_seconds(job.create_time),
        started_at=_seconds(job.execution_start_time),
        finished_at=_seconds(job.execution_end_time),
        outputs_count=job.outputs_count,
        error=None if job.execution_error is None else _error(job.execution_error),
    )


def queued(client: Client) -> list[JobInfo]:
    """What runs, then what waits, in the order in which it will run."""
    jobs = client.jobs.list(status=("in_progress", "pending")).jobs
    return sorted(jobs, key=lambda job: (job.status != "in_progress", job.priority or 0, job.id))


def ended(job: JobDocument) -> str:
    """How long it ran, in words; empty if that is not known."""
    if job.started_at is None or job.finished_at is None:
        return ""
    return f"{job.finished_at - job.started_at:.1f} s"


def moment(seconds: float | None) -> str:
    """A time as people here write it; empty if it is not known."""
    return "" if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def listed_id(app: App, job: JobDocument) -> str:
    """The id as it is listed: in a terminal its beginning, which is all that people have to type."""
    return shown_id(job.prompt_id) if app.out.is_terminal else job.prompt_id


def shown_id(prompt_id: str) -> str:
    """As much of an id as a terminal shows."""
    return prompt_id[:_BEGINNING]


def full_id(app: App, text: str) -> str:
    """The prompt id that begins so.

    Raises:
        JobLost: The server knows none.
        click.UsageError: It knows several.
    """
    if _ID.fullmatch(text):
        return text
    known = [job.id for job in app.client.jobs.list().jobs]
    found = [text] if text in known else [prompt_id for prompt_id in known if prompt_id.startswith(text)]
    if not found:
        raise JobLost(text, f"the server knows no job whose id begins with {text}")
    if len(found) > 1:
        raise click.UsageError(f"{len(found)} jobs begin with {text}: {_some(found)}")
    return found[0]


complete_jobs = completed_by(lambda client: {job.id: job.status for job in client.jobs.list(limit=50).jobs})
"""The jobs that the server knows, the newest first."""


def _some(texts: Iterable[str], most: int = 5) -> str:
    several = list(texts)
    return ", ".join(several[:most]) + (" …" if len(several) > most else "")


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _error(error: dict[str, Any]) -> str:
    said = {key: str(value) for key, value in error.items() if value is not None}
    node = node_label(said.get("node_id", "?"), "", said.get("node_type"))
    return f"node {node} raised {said.get('exception_type', 'an error')}: {first_line(said.get('exception_message'))}"
