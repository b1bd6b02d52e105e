"""``comfyclient convert``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from comfyclient.cli.command import command
from comfyclient.cli.exchange import FILE, MadeDocument, catalog_option, deliver, made_options, source_of
from comfyclient.workflow import Workflow

if TYPE_CHECKING:
    from comfyclient.cli.app import App
    from comfyclient.cli.exchange import Catalogue

__all__ = ["convert"]


@command(
    MadeDocument,
    examples="""
Export what the editor saved:
$ comfyclient convert portrait-saved.json -o portrait.json

Lay out what is in an image, for the editor to open:
$ comfyclient convert fox.png --to editor -o portrait-saved.json
""",
)
@click.argument("file", type=FILE)
@click.option(
    "--to",
    "form",
    type=click.Choice(["api", "editor"]),
    default="api",
    show_default=True,
    help="The API format, which servers take and the editor exports; or the one that the editor saves and opens.",
)
@catalog_option
@made_options
def convert(app: App, file: str, *, form: str, catalog: Catalogue, output: str | None, overwrite: bool) -> None:
    """Turn what the editor saves into an API export, or back.

    FILE is a workflow in either format, or an image, a video or a sound that has one in it: a path, an address, or -
    for standard input. What has the right format already stays as it is. The server is asked for its node classes
    where they are needed, and runs nothing.
    """
    if form == "api":
        made = catalog.load(file).to_api()
    else:
        workflow = Workflow.load(source_of(file), prefer="workflow")
        made = dict(workflow.saved_file or workflow.to_editor(catalog.get()))
    deliver(app, made, form, output, overwrite=overwrite)
