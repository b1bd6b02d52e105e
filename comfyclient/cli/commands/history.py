"""``comfyclient history``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from attrs import frozen

from comfyclient.cli.command import command
from comfyclient.cli.jobs import ENDED, JobDocument, ended, listed_id, moment, told

if TYPE_CHECKING:
    from comfyclient.cli.app import App


@frozen(kw_only=True)
class HistoryDocument:
    """The jobs that have ended.

    Attributes:
        jobs: The newest first.
        total: How many there are in all.
    """

    jobs: tuple[JobDocument, ...]
    total: int


@command(
    HistoryDocument,
    examples="""
$ comfyclient history
$ comfyclient history --limit 100 --status failed
$ comfyclient outputs $(comfyclient history -n 1 --status completed | cut -f 1)    # of the newest one
""",
)
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    metavar="NUMBER",
    help="At most so many, the newest ones.",
)
@click.option("--all", "everything", is_flag=True, help="All that the server remembers.")
@click.option("--status", "statuses", type=click.Choice(ENDED), multiple=True, help="Only these.")
def history(app: App, *, limit: int, everything: bool, statuses: tuple[str, ...]) -> None:
    """Show the jobs that have ended, the newest first.

    The server forgets them when it restarts. 'comfyclient status JOB' tells more of one, 'comfyclient outputs JOB' has
    what it made.
    """
    page = app.client.jobs.list(status=statuses or ENDED, limit=None if everything else limit)
    jobs = tuple(map(told, page.jobs))
    if app.out.json:
        app.out.result(HistoryDocument(jobs=jobs, total=page.pagination.total))
        return
    rows = [
        (
            listed_id(app, job),
            job.status,
            moment(job.finished_at),
            ended(job),
            "" if job.outputs_count is None else job.outputs_count,
            job.error or "",
        )
        for job in jobs
    ]
    app.out.table(["job", "status", "ended", "ran", "outputs", "error"], rows)
    if not jobs:
        app.out.note("the server remembers no such job" if statuses else "the server remembers no job")
