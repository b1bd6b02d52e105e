"""What commands take in and give out: files, ``-`` for standard input and output, catalogues of nodes."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from attrs import frozen

from comfyclient._save import atomic_write
from comfyclient.cli.app import App
from comfyclient.errors import WorkflowError
from comfyclient.workflow import Workflow
from comfyclient.workflow.catalog import definitions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from comfyclient.workflow.catalog import Catalog
    from comfyclient.workflow.source import Preference

    F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["FILE", "Catalogue", "MadeDocument", "catalog_option", "deliver", "made_options", "source_of"]

FILE = click.Path(allow_dash=True)
"""The type of an argument that is a file to read: shells complete it."""

_STANDARD = "-"
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


# --- in -----------------------------------------------------------------------------------------------------


def source_of(file: str) -> str | Path | bytes:
    """What ``Workflow.load`` reads, of what the command line says: a path, an address, or ``-``."""
    if file == _STANDARD:
        return sys.stdin.buffer.read()
    return file if _ADDRESS.match(file) else Path(file)


class Catalogue:
    """The node classes that a command is to know, which are read when they are first needed.

    Args:
        app: What the command is given.
        file: Where they are; ``None`` for the server.
    """

    def __init__(self, app: App, file: str | None) -> None:
        self._app = app
        self._file = file
        self._known: Catalog | None = None

    def get(self) -> Catalog:
        """All of them.

        Raises:
            click.UsageError: The file is no catalogue.
            OSError: The file cannot be read.
            ComfyError: The server cannot be asked.
        """
        if self._known is None:
            self._known = self._app.client.nodes.list() if self._file is None else _read(self._file)
        return self._known

    @property
    def is_a_file(self) -> bool:
        """Whether the server is not asked."""
        return self._file is not None

    def load(self, file: str, *, prefer: Preference = "prompt") -> Workflow:
        """A workflow; the classes are looked at only if it is what the editor saved.

        Raises:
            WorkflowError: There is none in it.
            OSError: It cannot be read.
            click.UsageError, ComfyError: As for ``get``.
        """
        workflow = Workflow.load(source_of(file), prefer=prefer)
        return Workflow(workflow, catalog=self.get()) if workflow.needs_catalog else workflow


def catalog_option(function: F) -> F:
    """Add the option ``--catalog``, whose value is a ``Catalogue``."""

    def callback(ctx: click.Context, _: click.Parameter, file: str | None) -> Catalogue:
        return Catalogue(ctx.ensure_object(App), file)

    text = "Take the node classes from a file, as GET /object_info answered, and ask no server."
    return click.option("--catalog", type=click.Path(), metavar="FILE", callback=callback, help=text)(function)


def _read(file: str) -> Mapping[str, Any]:
    try:
        return definitions(Path(file))
    except WorkflowError as error:
        raise click.UsageError(f"{file}: {error}") from None


# --- out ----------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class MadeDocument:
    """What a command made, in a file or here.

    Attributes:
        format: What it is: ``"api"`` or ``"editor"`` for a workflow, ``"both"`` for an object with the two as
            ``prompt`` and ``workflow``, ``"python"``, ``"stubs"``, ``"json"``, ``"text"``, ``"svg"``, ``"png"`` or
            ``"binary"``.
        path: The file that it was written to, as it was given; null if it is here.
        content: The workflow, or whatever JSON it is, or the text; null if it was written to a file.
    """

    format: str
    path: str | None = None
    content: Any = None


def made_options(function: F) -> F:
    """Add the options of commands that make a file: ``--output`` and ``--overwrite``."""
    overwrite = click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
    where = "Where to write it, instead of standard output."
    output = click.option("-o", "--output", type=click.Path(allow_dash=True), metavar="FILE", help=where)
    return output(overwrite(function))


def deliver(app: App, content: Any, form: str, output: str | None, *, overwrite: bool) -> None:
    """Write what a command made into a file, or to standard output.

    Args:
        app: What the command was given.
        content: A workflow or other JSON, a text, or bytes; these never go to a terminal.
        form: Its format, as ``--json`` tells it.
        output: Where to, as the command line says.
        overwrite: Replace a file that exists.

    Raises:
        click.UsageError: The file is a directory; or it is bytes, and standard output a terminal, or to be JSON.
        OSError: The file cannot be written.
    """
    if output is not None and output != _STANDARD:
        if Path(output).is_dir():
            raise click.UsageError(f"{output} is a directory: say which file in it.")
        with atomic_write(Path(output), overwrite=overwrite) as file:
            file.write(_encoded(content))
        app.out.note(f"Wrote {output}")
        app.out.result(MadeDocument(format=form, path=output))
        return
    if isinstance(content, bytes):
        if app.out.json or sys.stdout.isatty():
            what = "A PNG" if form == "png" else "Binary data"
            raise click.UsageError(f"{what} goes into a file or a pipe: say where with -o FILE.")
    elif app.out.json:
        app.out.result(MadeDocument(format=form, content=content))
        return
    elif sys.stdout.isatty():
        app.out.print(_encoded(content).decode().removesuffix("\n"))
        return
    sys.stdout.buffer.write(_encoded(content))
    sys.stdout.buffer.flush()


def _encoded(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    text = content if isinstance(content, str) else json.dumps(content, indent=2, allow_nan=False)
    return f"{text.removesuffix(chr(10))}\n".encode()
