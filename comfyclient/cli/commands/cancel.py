"""``comfyclient cancel``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from attrs import frozen

from comfyclient.cli.command import command
from comfyclient.cli.jobs import complete_jobs, full_id, queued
from comfyclient.errors import JobLost

if TYPE_CHECKING:
    from comfyclient.cli.app import App


@frozen(kw_only=True)
class CancelledJob:
    """A job that was to be cancelled.

    Attributes:
        prompt_id: Its id.
        cancelled: Whether it was; false if it had ended by then.
    """

    prompt_id: str
    cancelled: bool


@frozen
class CancelDocument:
    """What became of the jobs that were to be cancelled.

    Attributes:
        jobs: Each of them.
    """

    jobs: tuple[CancelledJob, ...]


@command(
    CancelDocument,
    examples="""
$ comfyclient cancel 4f1c2a
$ comfyclient cancel --running            # whatever runs now
$ comfyclient cancel --all --yes          # everything, without being asked
""",
)
@click.argument("jobs", nargs=-1, metavar="[JOB]...", shell_complete=complete_jobs)
@click.option("--running", is_flag=True, help="What runs now, whoever submitted it.")
@click.option("--pending", is_flag=True, help="All that waits, whoever submitted it.")
@click.option("--all", "everything", is_flag=True, help="What runs, and all that waits.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask, though it concerns the jobs of others.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long each may take to stop: a node that does not look for interrupts runs to its end.",
)
def cancel(
    app: App,
    jobs: tuple[str, ...],
    *,
    running: bool,
    pending: bool,
    everything: bool,
    yes: bool,
    timeout: float,
) -> None:
    """Take jobs from the queue, or stop them if they run.

    JOB is the job's id, or its beginning. Waits until each has really stopped. A job that has ended already is no
    error; one that the server does not know is.
    """
    chosen = {"in_progress": running or everything, "pending": pending or everything}
    if bool(jobs) == any(chosen.values()):
        raise click.UsageError("Name the jobs, or say --running, --pending or --all.")
    ids = [full_id(app, job) for job in jobs] or _all(app, [status for status, yes in chosen.items() if yes])
    if ids and not jobs and not yes:
        _confirm(app, len(ids))
    # What waits first, so that nothing begins meanwhile.
    done = {prompt_id: _cancel(app, prompt_id, timeout, named=bool(jobs)) for prompt_id in reversed(ids)}
    found = tuple(CancelledJob(prompt_id=prompt_id, cancelled=done[prompt_id]) for prompt_id in ids)
    if app.out.json:
        app.out.result(CancelDocument(found))
        return
    for job in found:
        app.out.print(f"{job.prompt_id}\t{'cancelled' if job.cancelled else 'had ended'}")
    if not found:
        app.out.note("there is nothing to cancel")


def _all(app: App, statuses: list[str]) -> list[str]:
    """What runs, then what waits in the order in which it will run."""
    return [job.id for job in queued(app.client) if job.status in statuses]


def _cancel(app: App, prompt_id: str, timeout: float, *, named: bool) -> bool:
    try:
        return app.client.job(prompt_id).cancel(timeout)
    except JobLost:
        if named:
            raise
        return False  # it has gone since


def _confirm(app: App, count: int) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("These may be the jobs of others: say --yes to cancel them.")
    jobs = f"{count} job{'s' * (count != 1)}"
    click.confirm(f"Cancel {jobs} on {app.client.config.shown_url}?", abort=True, err=True)
