"""``comfyclient status``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from comfyclient.cli.command import command
from comfyclient.cli.jobs import JobDocument, complete_jobs, ended, full_id, moment, told
from comfyclient.cli.output import in_words
from comfyclient.cli.server import ServerDocument, look, memory
from comfyclient.errors import JobLost

if TYPE_CHECKING:
    from comfyclient.cli.app import App


@command(
    ServerDocument,
    JobDocument,
    examples="""
$ comfyclient status
$ comfyclient status 4f1c2a
$ comfyclient status 4f1c2a --json | jq -r .status
""",
)
@click.argument("job", required=False, shell_complete=complete_jobs)
def status(app: App, job: str | None) -> None:
    """Show how busy the server is, or how far a job is.

    JOB is the job's id, or its beginning. The exit code is 0 for any job that the server knows, failed ones too;
    'comfyclient watch JOB' ends as the job does.
    """
    if job is None:
        _show_server(app, look(app.client))
        return
    prompt_id = full_id(app, job)
    info = app.client.jobs.get(prompt_id)
    if info is None:
        raise JobLost(prompt_id, f"the server does not know the job {prompt_id}")
    _show_job(app, told(info))


def _show_server(app: App, server: ServerDocument) -> None:
    if app.out.json:
        app.out.result(server)
        return
    waiting = len(server.pending)
    rows = [
        ("server", f"{server.url} (ComfyUI {server.version or 'of before September 2024'})"),
        ("running", ", ".join(server.running) or "nothing"),
        ("waiting", f"{waiting} job{'s' * (waiting != 1)}"),
        *((device.name, memory(device.vram_free, device.vram_total)) for device in server.devices),
        ("RAM", memory(server.ram_free, server.ram_total)),
    ]
    app.out.fields([row for row in rows if row[1]])


def _show_job(app: App, job: JobDocument) -> None:
    if app.out.json:
        app.out.result(job)
        return
    rows = [
        ("job", job.prompt_id),
        ("status", in_words(job.status)),
        ("submitted", moment(job.created_at)),
        ("started", moment(job.started_at)),
        ("ended", moment(job.finished_at)),
        ("ran", ended(job)),
        ("outputs", "" if job.outputs_count is None else str(job.outputs_count)),
        ("error", job.error or ""),
    ]
    app.out.fields([row for row in rows if row[1]])
