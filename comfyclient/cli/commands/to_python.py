"""``comfyclient to-python``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from comfyclient.cli.command import command
from comfyclient.cli.exchange import FILE, MadeDocument, catalog_option, deliver, made_options

if TYPE_CHECKING:
    from comfyclient.cli.app import App
    from comfyclient.cli.exchange import Catalogue

__all__ = ["to_python"]


@command(
    MadeDocument,
    name="to-python",
    examples="""
$ comfyclient to-python portrait-saved.json -o portrait.py
$ python portrait.py
""",
)
@click.argument("file", type=FILE)
@catalog_option
@made_options
def to_python(app: App, file: str, *, catalog: Catalogue, output: str | None, overwrite: bool) -> None:
    """Write a workflow as a Python script that builds and runs it.

    FILE is a workflow as the editor saves or exports it, or an image, a video or a sound that has one in it: a path, an
    address, or - for standard input.
    """
    from comfyclient.builder import to_python as written  # noqa: PLC0415 - only this command needs it

    deliver(app, written(catalog.load(file), catalog.get()), "python", output, overwrite=overwrite)
