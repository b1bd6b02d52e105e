"""``comfyclient upload``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from comfyclient.cli.command import command
from comfyclient.cli.exchange import FILE
from comfyclient.resources._names import locate

if TYPE_CHECKING:
    from comfyclient.cli.app import App
    from comfyclient.types.files import FileInfo

__all__ = ["UploadedFile", "UploadsDocument", "upload"]


@frozen(kw_only=True)
class UploadedFile:
    """A file on the server.

    Attributes:
        name: What to give to ``LoadImage`` and its like.
        filename: Its name there.
        subfolder: Its directory below that of its type.
        type: ``"input"``, ``"output"`` or ``"temp"``.
    """

    name: str
    filename: str
    subfolder: str
    type: str


@frozen
class UploadsDocument:
    """What was uploaded.

    Attributes:
        files: In the order in which they were given.
    """

    files: tuple[UploadedFile, ...]


@command(
    UploadsDocument,
    examples="""
$ comfyclient upload photo.png
$ comfyclient upload *.png --subfolder foxes --overwrite

An image whose transparency is a mask, for LoadImage's MASK:
$ comfyclient upload mask.png --mask-for photo.png
""",
)
@click.argument("files", type=FILE, nargs=-1, required=True, metavar="FILE...")
@click.option("--subfolder", default="", metavar="DIR", help="A directory below the server's, made if it is missing.")
@click.option("--name", metavar="NAME", help="The name on the server, for one file; needed for standard input.")
@click.option(
    "--type",
    "kind",
    type=click.Choice(["input", "output", "temp"]),
    default="input",
    show_default=True,
    help="Which of the server's directories.",
)
@click.option("--mask-for", metavar="IMAGE", help="The file is a mask for this image on the server.")
@click.option("--overwrite", is_flag=True, help="Replace a file of that name; else the new one gets another name.")
def upload(
    app: App,
    files: tuple[str, ...],
    *,
    subfolder: str,
    name: str | None,
    kind: str,
    mask_for: str | None,
    overwrite: bool,
) -> None:
    """Upload files, and print the names to use in a workflow.

    FILE is a path, or - for standard input: an image, a video, a sound, or whatever a node loads. A name that is taken
    becomes another one, "photo (1).png", unless it has the same content.

    A mask is an image of the same size with transparency where it masks. It is put on the image, which stays as it is;
    the name is that of a new one.
    """
    if name is not None and len(files) > 1:
        raise click.UsageError("--name is for one file.")
    if name is None and "-" in files:
        raise click.UsageError("Standard input has no name: give it one with --name.")
    options: dict[str, Any] = {"filename": name, "subfolder": subfolder, "type": kind, "overwrite": overwrite}
    stored = []
    for file in files:
        source = sys.stdin.buffer.read() if file == "-" else Path(file)
        if mask_for is None:
            info = app.client.files.upload_image(source, **options)
        else:
            info = app.client.files.upload_mask(source, locate({"filename": mask_for, "type": "input"}), **options)
        stored.append(_document(info))
        if not app.out.json:
            app.out.print(stored[-1].name)
    app.out.result(UploadsDocument(files=tuple(stored)))


def _document(info: FileInfo) -> UploadedFile:
    return UploadedFile(
        name=info.annotated.removesuffix(" [input]"), filename=info.filename, subfolder=info.subfolder, type=info.type
    )
