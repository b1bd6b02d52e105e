"""``comfyclient queue``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from comfyclient.cli.command import command
from comfyclient.cli.output import in_words

if TYPE_CHECKING:
    from comfyclient.cli.app import App


@frozen(kw_only=True)
class QueuedJob:
    """A job that runs or waits.

    Attributes:
        prompt_id: Its id.
        status: ``in_progress`` or ``pending``.
        number: Its place in the order of execution; the lowest runs first.
        nodes: How many nodes it has.
    """

    prompt_id: str
    status: str
    number: float
    nodes: int


@frozen(kw_only=True)
class QueueDocument:
    """What ``comfyclient queue`` prints.

    Attributes:
        jobs: What runs, then what waits, in the order in which it will run.
    """

    jobs: tuple[QueuedJob, ...]


@command(QueueDocument, examples="$ comfyclient queue")
def queue(app: App) -> None:
    """Show what runs and what waits."""
    state = app.client.queue.list()
    jobs = tuple(
        QueuedJob(prompt_id=item.prompt_id, status=status, number=item.number, nodes=len(item.prompt))
        for status, items in (("in_progress", state.queue_running), ("pending", state.queue_pending))
        for item in items
    )
    if app.out.json:
        app.out.result(QueueDocument(jobs=jobs))
    else:
        app.out.table(["job", "status", "nodes"], [(job.prompt_id, in_words(job.status), job.nodes) for job in jobs])
