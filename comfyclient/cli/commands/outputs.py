"""``comfyclient outputs``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from comfyclient.cli.command import command
from comfyclient.cli.failures import details_of
from comfyclient.cli.jobs import complete_jobs, full_id
from comfyclient.cli.results import Place, ResultDocument, output_options, show_result

if TYPE_CHECKING:
    from comfyclient.cli.app import App


@command(
    ResultDocument,
    examples="""
$ comfyclient outputs 4f1c2a                    # the addresses of the files
$ comfyclient outputs 4f1c2a --output out/      # download them
""",
)
@click.argument("job", shell_complete=complete_jobs)
@output_options
def outputs(app: App, job: str, *, output: str | None, overwrite: bool) -> None:
    """Show or download what a job made.

    JOB is the job's id, or its beginning. The job must have ended; 'comfyclient watch' waits for one. Of a job that
    failed or was stopped, it is what was done by then; the exit code says so.
    """
    place = None if output is None else Place(output, overwrite=overwrite)
    found = app.client.job(full_id(app, job))
    error = found.exception(timeout=0)
    details = None if error is None else details_of(error)
    show_result(app, found.partial_result(), place, status=found.status, failure=details)
    if error is not None and details is not None:
        if app.out.json:  # the document has it
            click.get_current_context().exit(details.exit_code)
        raise error
