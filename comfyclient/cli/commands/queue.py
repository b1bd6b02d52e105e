"""``comfyclient queue``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from comfyclient.cli.command import command
from comfyclient.cli.jobs import JobDocument, listed_id, moment, queued, told
from comfyclient.cli.output import in_words

if TYPE_CHECKING:
    from comfyclient.cli.app import App


@frozen
class QueueDocument:
    """The jobs that have not ended.

    Attributes:
        jobs: What runs, then what waits, in the order in which it will run.
    """

    jobs: tuple[JobDocument, ...]


@command(
    QueueDocument,
    examples="""
$ comfyclient queue
$ comfyclient queue --json | jq '.jobs | length'
""",
)
def queue(app: App) -> None:
    """Show what runs and what waits."""
    jobs = tuple(map(told, queued(app.client)))
    if app.out.json:
        app.out.result(QueueDocument(jobs))
        return
    app.out.table(
        ["job", "status", "submitted"],
        [(listed_id(app, job), in_words(job.status), moment(job.created_at)) for job in jobs],
    )
    if not jobs:
        app.out.note("nothing runs or waits")
