"""What a job made, on the command line: where its files go, and what is printed of it."""

from __future__ import annotations

import os
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from comfyclient._save import safe_name
from comfyclient.cli.documents import ErrorDetails, ProblemDocument
from comfyclient.cli.failures import NotSaved
from comfyclient.errors import ComfyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from comfyclient._tracking.state import JobStatus
    from comfyclient.cli.app import App
    from comfyclient.output_file import OutputFile
    from comfyclient.results import Result

__all__ = ["Place", "ResultDocument", "output_options", "show_result"]


@frozen(kw_only=True)
class FileDocument:
    """A file that a node made.

    Attributes:
        node_id: The node.
        title: Its title in the editor, or its class.
        kind: What it is: ``image``, ``video``, ``audio``, ``model3d``, ``text`` or ``file``.
        media_type: Its MIME type.
        filename: The server's name for it.
        subfolder: The directory below that of its type on the server.
        type: ``output``, ``temp`` or ``input``; ``websocket`` for one that the server did not keep.
        url: Its address, without credentials; null if the server did not keep it.
        path: Where it was saved; null if it was not.
    """

    node_id: str
    title: str
    kind: str
    media_type: str
    filename: str
    subfolder: str
    type: str
    url: str | None
    path: str | None


@frozen(kw_only=True)
class TextDocument:
    """A text that a node showed.

    Attributes:
        node_id: The node.
        title: Its title in the editor, or its class.
        text: The text.
    """

    node_id: str
    title: str
    text: str


@frozen(kw_only=True)
class ResultDocument:
    """What a job made.

    Attributes:
        prompt_id: The job.
        status: ``completed``, or for a job that did not complete ``failed`` or ``cancelled``.
        files: The files, by node.
        texts: The texts, by node.
        cached_nodes: The nodes that did not run, since the server still had their outputs.
        waiting: Seconds in the queue, or null.
        running: Seconds from its start to its end, or null.
        refused: With ``--partial``, what the server left out, and why.
        error: Why it did not complete, or null.
    """

    prompt_id: str
    status: str
    files: tuple[FileDocument, ...]
    texts: tuple[TextDocument, ...]
    cached_nodes: tuple[str, ...]
    waiting: float | None
    running: float | None
    refused: tuple[ProblemDocument, ...] = ()
    error: ErrorDetails | None = None


class Place:
    """Where files go: into a directory under the server's names, or to a path of their own.

    Args:
        path: The directory, which may end with a separator, or the path.
        overwrite: Whether files that exist are replaced; otherwise the new ones get a number.
    """

    def __init__(self, path: str, *, overwrite: bool) -> None:
        self._path = Path(path)
        self._overwrite = overwrite
        separators = (os.sep, os.altsep) if os.altsep else (os.sep,)
        self._is_directory = self._path.is_dir() or path.endswith(separators) or not self._path.suffix
        self._taken: set[Path] = set()
        if self._is_directory and self._path.exists() and not self._path.is_dir():
            raise click.UsageError(f"{path} is no directory.")

    def save(self, file: OutputFile) -> Path:
        """Save a file; where it went."""
        for path in self._names(file):
            if path in self._taken:
                continue
            self._taken.add(path)
            try:
                return file.save(path, overwrite=self._overwrite)
            except FileExistsError:
                continue
        raise AssertionError  # there is always one more number

    def _names(self, file: OutputFile) -> Iterator[Path]:
        path = self._path / safe_name(file.filename) if self._is_directory else self._path
        return chain([path], (path.with_stem(f"{path.stem}-{number}") for number in count(2)))


def output_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options ``--output`` and ``--overwrite``."""
    options = [
        click.option(
            "-o",
            "--output",
            metavar="PATH",
            type=click.Path(),
            help="Save the files: into a directory, which is made if it is missing, or as PATH if that has an "
            "extension. Files that exist are kept, and the new ones numbered.",
        ),
        click.option("--overwrite", is_flag=True, help="Replace files that exist."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def show_result(
    app: App,
    result: Result,
    place: Place | None,
    *,
    refused: tuple[ProblemDocument, ...] = (),
    status: JobStatus = "completed",
    failure: ErrorDetails | None = None,
) -> None:
    """Save what a job made, if there is a place for it, and print where it is."""
    saved: dict[OutputFile | tuple[str, str, str], str] = {}
    files = []
    for file in result.files:
        # Several nodes may name the same file; what the server did not keep has no name.
        key = file if file.url is None else (file.type, file.subfolder, file.filename)
        if place is not None and key not in saved:
            try:
                saved[key] = str(place.save(file))
            except ComfyError:  # some of which are OSErrors
                raise
            except OSError as error:
                raise NotSaved(error, result.prompt_id) from error
            if not app.out.json:
                app.out.print(saved[key])
        elif place is None and not app.out.json:
            app.out.print(file.url or f"{file.filename} (which the server did not keep; --output saves it)")
        files.append(_document(file, result, saved.get(key)))
    texts = tuple(
        TextDocument(node_id=node.node_id, title=node.title, text=text)
        for node in result.values()
        for text in node.texts
    )
    if not app.out.json:
        for text in texts:
            app.out.print(text.text)
        return
    document = ResultDocument(
        prompt_id=result.prompt_id,
        status=status,
        files=tuple(files),
        texts=texts,
        cached_nodes=result.cached_nodes,
        waiting=result.timings.waiting,
        running=result.timings.running,
        refused=refused,
        error=failure,
    )
    app.out.result(document)


def _document(file: OutputFile, result: Result, path: str | None) -> FileDocument:
    return FileDocument(
        node_id=file.node_id,
        title=result[file.node_id].title,
        kind=file.kind,
        media_type=file.media_type,
        filename=file.filename,
        subfolder=file.subfolder,
        type=file.type,
        url=file.url,
        path=path,
    )
