"""``comfyclient show``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from comfyclient.cli.command import command
from comfyclient.cli.exchange import FILE, MadeDocument, catalog_option, deliver, made_options, source_of
from comfyclient.workflow import Workflow

if TYPE_CHECKING:
    from comfyclient.cli.app import App
    from comfyclient.cli.exchange import Catalogue

__all__ = ["show"]

_FORMATS = {".svg": "svg", ".png": "png"}
"""By how the name of a file ends; else it is text."""
_WIDTH = 100  # of a text that goes into a file or a pipe


@command(
    MadeDocument,
    examples="""
$ comfyclient show portrait-saved.json
$ comfyclient show fox.png -o fox.svg
$ comfyclient show portrait.json --format png > portrait.png
""",
)
@click.argument("file", type=FILE)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "svg", "png"]),
    help="What to make of it; as the name of the output ends, or else text.",
)
@click.option("--theme", type=click.Choice(["light", "dark"]), default="light", show_default=True, help="Its colours.")
@click.option("--highlight", multiple=True, metavar="NODE", help="Draw the node of this id in red; may be repeated.")
@catalog_option
@made_options
def show(
    app: App,
    file: str,
    *,
    form: str | None,
    theme: Literal["light", "dark"],
    highlight: tuple[str, ...],
    catalog: Catalogue,
    output: str | None,
    overwrite: bool,
) -> None:
    """Draw the graph of a workflow: as text, SVG or PNG.

    FILE is a workflow as the editor saves or exports it, or an image, a video or a sound that has one in it: a path, an
    address, or - for standard input. No server is asked. With --catalog, the drawing has the names and types of all
    outputs. A PNG takes the extra 'images'.
    """
    form = form or _FORMATS.get(Path(output or "").suffix.lower(), "text")
    drawing = Workflow.load(source_of(file)).draw(
        highlight=highlight, catalog=catalog.get() if catalog.is_a_file else None
    )
    if form == "svg":
        made: str | bytes = drawing.to_svg(theme=theme)
    elif form == "png":
        made = drawing.to_png(theme=theme)
    else:
        made = drawing.to_text(width=app.out.console.width if app.out.is_terminal and output is None else _WIDTH)
    deliver(app, made, form, output, overwrite=overwrite)
