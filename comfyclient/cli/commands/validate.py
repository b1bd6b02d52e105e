"""``comfyclient validate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from attrs import frozen

from comfyclient.cli.command import command
from comfyclient.cli.documents import ProblemDocument
from comfyclient.cli.exchange import FILE, catalog_option, source_of
from comfyclient.cli.failures import ExitCode
from comfyclient.cli.output import harmless
from comfyclient.errors import Unsupported, WorkflowError
from comfyclient.workflow import Workflow
from comfyclient.workflow.validation import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.text import Text

    from comfyclient.cli.app import App
    from comfyclient.cli.exchange import Catalogue
    from comfyclient.types.nodes import NodeReplacement

__all__ = ["FileValidation", "ValidationDocument", "validate"]

_COLORS = {"error": "red", "warning": "yellow"}


@frozen(kw_only=True)
class FileValidation:
    """What is wrong with one workflow.

    Attributes:
        file: The file, as it was given.
        is_valid: Whether there are no errors; with ``--strict`` no warnings either.
        problems: What was found, errors first and each kind in the order of the nodes.
    """

    file: str
    is_valid: bool
    problems: tuple[ProblemDocument, ...]


@frozen
class ValidationDocument:
    """What is wrong with several workflows.

    Attributes:
        files: Each of them, in the order in which they were given.
    """

    files: tuple[FileValidation, ...]


@command(
    ValidationDocument,
    examples="""
$ comfyclient validate portrait.json
$ comfyclient validate workflows/*.json --catalog nodes.json
""",
)
@click.argument("files", type=FILE, nargs=-1, required=True, metavar="FILE...")
@catalog_option
@click.option("--offline", is_flag=True, help="Look only for what every server would refuse, and ask none.")
@click.option("--strict", is_flag=True, help="Warnings are errors, too.")
def validate(app: App, files: tuple[str, ...], *, catalog: Catalogue, offline: bool, strict: bool) -> None:
    """Find what the server would refuse, and what it would swallow without a word.

    FILE is a workflow as the editor saves or exports it, or an image, a video or a sound that has one in it: a path, an
    address, or - for standard input. Each problem is a line. The exit code is 3 if one of them is an error. Nothing is
    run.
    """
    if offline and catalog.is_a_file:
        raise click.UsageError("--offline takes no --catalog, which finds more without a server, too.")
    replacements = {} if offline or catalog.is_a_file else _replacements(app)
    found = []
    for file in files:
        problems = _problems(file, None if offline else catalog, replacements)
        is_valid = not any(each.severity == "error" or strict for each in problems)
        found.append(FileValidation(file=file, is_valid=is_valid, problems=tuple(map(_document, problems))))
        if not app.out.json:
            for each in problems:
                app.out.print(_line(app, file, each))
        if not problems:
            app.out.note(f"{file}: nothing is wrong")
    app.out.result(ValidationDocument(files=tuple(found)))
    if not all(each.is_valid for each in found):
        click.get_current_context().exit(ExitCode.REJECTED)


def _problems(
    file: str, catalog: Catalogue | None, replacements: Mapping[str, Sequence[NodeReplacement]]
) -> list[Problem]:
    source = source_of(file)
    try:
        workflow = Workflow.load(source)
        if catalog is not None:
            return workflow.validate(catalog.get(), replacements=replacements)
        if workflow.needs_catalog:
            raise click.UsageError(
                f"{file} is what the editor saved, which says little without node classes: leave --offline out, or "
                "give --catalog instead."
            )
        workflow.check()
    except WorkflowError as error:
        return [Problem("error", " ".join(str(error).split()))]  # a line, also where there are several reasons
    return []


def _line(app: App, file: str, problem: Problem) -> str | Text:
    line = harmless(f"{file}: {problem.severity}: {problem}")
    if not app.out.is_terminal:
        return line
    from rich.text import Text  # noqa: PLC0415 - only a terminal has colors

    text = Text(line)
    text.stylize(_COLORS[problem.severity], len(file) + 2, len(file) + 2 + len(problem.severity))
    return text


def _document(problem: Problem) -> ProblemDocument:
    return ProblemDocument(
        severity=problem.severity,
        kind=problem.kind or None,
        node_id=problem.node_id or None,
        class_type=problem.class_type or None,
        title=problem.title or None,
        input_name=problem.input,
        message=problem.message,
        suggestions=tuple(map(str, problem.nearest)),
    )


def _replacements(app: App) -> Mapping[str, Sequence[NodeReplacement]]:
    try:
        return app.client.nodes.replacements()
    except Unsupported:  # then it replaces none
        return {}
