"""The part of docs/reference/cli.md that follows from the program: help, exit codes, documents."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs
import click

from comfyclient.cli.command import Command
from comfyclient.cli.documents import ErrorDocument
from comfyclient.cli.failures import EXIT_CODES
from comfyclient.cli.program import NAME, program

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
MARK = "<!-- What follows is written by `python -m tests.cli page`. -->\n"
WIDTH = 100
HELP = ["-h", "--help"]
SIMPLE = {str: "text", int: "whole number", float: "number", bool: "true or false", type(None): "null", Any: "anything"}


def commands() -> dict[str, Command]:
    """All commands, imported."""
    context = click.Context(program)
    found = {name: program.get_command(context, name) for name in program.list_commands(context)}
    return {name: command for name, command in found.items() if isinstance(command, Command)}


def text() -> str:
    """The part of the page."""
    return MARK + "\n" + "\n".join(_lines())


def write() -> None:
    """Write it, after what is written by hand."""
    by_hand = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    PAGE.write_text(by_hand + text(), encoding="utf-8")


def _lines() -> Iterator[str]:
    context = click.Context(program, info_name=NAME, terminal_width=WIDTH, help_option_names=HELP)
    yield from ("## Exit codes", "", "| code | meaning |", "| --- | --- |")
    yield from (f"| {int(code)} | {meaning} |" for code, meaning in EXIT_CODES.items())
    yield from ("", "## Commands", "", "```text", program.get_help(context), "```", "")
    documents: dict[str, type] = {}
    for name, command in commands().items():
        called = click.Context(command, info_name=name, parent=context)
        yield from (f"### {name}", "", "```text", _own_help(command.get_help(called)), "```", "")
        kinds = " or ".join(f"[{kind.__name__}](#{kind.__name__.lower()})" for kind in command.documents)
        many = "lines, each of them " if command.is_stream else ""
        yield from (f"With `--json`: {many}{kinds}.", "")
        documents |= {kind.__name__: kind for kind in command.documents}
    yield from ("## Documents", "")
    for _, kind in sorted({**documents, ErrorDocument.__name__: ErrorDocument}.items()):
        yield from _document(kind)
    parts = {part.__name__: part for kind in [*documents.values(), ErrorDocument] for part in _parts(kind)}
    yield from ("## Parts of documents", "")
    for name in sorted(parts.keys() - documents.keys()):
        yield from _document(parts[name])


def _own_help(text: str) -> str:
    """Without the options that all commands have, which stand above."""
    return re.sub(r"Options of all commands:\n(  .*\n)+\n?", "", text + "\n").rstrip()


def _document(kind: type) -> Iterator[str]:
    description, _, attributes = (inspect.getdoc(kind) or "").partition("\n\nAttributes:\n")
    said = dict(re.findall(r"^    (\w+): ((?:.*\n?)(?:     +.*\n?)*)", attributes, re.MULTILINE))
    yield from (f"### {kind.__name__}", "", _prose(description), "", "| field | is | meaning |", "| --- | --- | --- |")
    for name, hint in get_type_hints(kind).items():
        yield f"| `{name}` | {_type(hint)} | {_prose(said[name])} |"
    yield ""


def _prose(text: str) -> str:
    return " ".join(text.split()).replace("``", "`").replace("|", "\\|")


def _type(hint: Any) -> str:
    """A type in words."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {types.UnionType, Union}:
        return " or ".join(map(_type, arguments))
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in {tuple, list}:
        return f"list of {_type(arguments[0])}"
    if origin in {dict, Mapping}:
        return "object" if arguments[1] is Any else f"object of {_type(arguments[1])}"
    if attrs.has(hint):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    return SIMPLE[hint]


def _parts(kind: Any, outer: tuple[type, ...] = ()) -> Iterator[type]:
    """The documents inside of a document, at any depth; one may have others of its own kind in it."""
    for hint in get_type_hints(kind).values() if attrs.has(kind) else get_args(kind):
        if attrs.has(hint):
            yield hint
        if hint not in outer and (attrs.has(hint) or get_args(hint)):
            yield from _parts(hint, (*outer, hint))
