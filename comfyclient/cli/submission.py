"""From the command line to a workflow that can be submitted: where it is, and what is changed in it."""

from __future__ import annotations

import contextlib
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from comfyclient._uploads import takers
from comfyclient.cli.exchange import FILE, source_of
from comfyclient.errors import WorkflowError
from comfyclient.workflow import finding
from comfyclient.workflow.node import label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from comfyclient.cli.app import App
    from comfyclient.types.nodes import InputInfo
    from comfyclient.workflow import Node, Workflow

__all__ = ["change", "prepare", "workflow_options"]

_SEEDS = (0, 2**31 - 1)
"""What is drawn where a class does not say what it takes."""
_LARGEST = 2**50
"""The largest number that is drawn, as in the editor: every program that reads it still knows it exactly."""


def workflow_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The argument ``FILE``, and the options that change what is in it or how it is submitted."""
    options = [
        click.argument("file", type=FILE),
        click.option(
            "-s",
            "--set",
            "values",
            metavar="NODE.INPUT=VALUE",
            multiple=True,
            help="Change an input, or give one that the file leaves out. NODE is an id, a title or a class. VALUE is "
            "JSON where it is JSON, or else text; an input that holds a text takes numbers as text, too. 'random' "
            "draws a number that the input takes.",
        ),
        click.option(
            "-i",
            "--input",
            "inputs",
            metavar="[NODE.INPUT=]PATH",
            multiple=True,
            help="Upload a file for the input that takes one. Where there are several of these, say which.",
        ),
        click.option(
            "--target",
            "targets",
            metavar="NODE",
            multiple=True,
            help="Run only this output node, by id, and what it needs.",
        ),
        click.option("--front", is_flag=True, help="Before everything that waits."),
        click.option("--partial", is_flag=True, help="Run the rest if the server refuses some of the outputs."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def prepare(app: App, file: str, values: Sequence[str], inputs: Sequence[str]) -> Workflow:
    """The workflow in a file, with changes.

    Raises:
        click.UsageError: A change fits nothing, or several things.
        WorkflowError: There is no workflow in it.
        OSError: It cannot be read.
    """
    workflow = app.client.load(source_of(file))
    change(app, workflow, values)
    with _usage():
        for text in inputs:
            _place(app, workflow, text)
    return workflow


def change(app: App, workflow: Workflow, values: Sequence[str]) -> None:
    """Set inputs; what is ``random`` is drawn anew each time.

    Raises:
        click.UsageError: A change fits nothing, or several things.
    """
    with _usage():
        # What a path may add has been decided by then.
        workflow.set(dict(_change(app, workflow, text) for text in values), add=True)


@contextlib.contextmanager
def _usage() -> Iterator[None]:
    """What is wrong here is wrong on the command line."""
    try:
        yield
    except WorkflowError as error:
        raise click.UsageError(str(error).removesuffix("; add=True would add it")) from None


def _change(app: App, workflow: Workflow, text: str) -> tuple[str, Any]:
    path, separator, value = text.partition("=")
    if not separator:
        raise click.UsageError(f"--set {text}: write NODE.INPUT=VALUE, such as 6.text='a fox'.")
    node, name = _resolve(app, workflow, path)
    declared = None if name in node else _declared(app, node, name)
    now = node.get(name, "" if declared is not None and declared.type == "STRING" else None)
    if value == "random" and not isinstance(now, str):
        return path, _drawn(app, node, name)
    return path, _value(value, now)


def _resolve(app: App, workflow: Workflow, path: str) -> tuple[Node, str]:
    """The node and the input that a path means: one that is there, or one that the node's class takes, too."""
    try:
        return finding.resolve(workflow, path, add=False)
    except WorkflowError:
        node, name = finding.resolve(workflow, path, add=True)
        if _declared(app, node, name) is None:
            raise
        return node, name


def _declared(app: App, node: Node, name: str) -> InputInfo | None:
    """What the node's class says of an input, if the server has it."""
    info = app.client.nodes.get(node.class_type)
    return None if info is None else info.inputs_for(node).get(name)


def _value(text: str, now: Any) -> Any:
    """What is meant by a text in the place of what is there now."""
    if text in {"True", "False"} and not isinstance(now, str):
        text = text.lower()  # as a text, Python's False would be true
    try:
        value = json.loads(text, parse_constant=_no_number)
    except ValueError:
        return text
    return text if isinstance(now, str) and not isinstance(value, (str, list, dict)) else value


def _drawn(app: App, node: Node, name: str) -> int | float:
    """A number that the input takes, as far as its class says."""
    declared = _declared(app, node, name)
    options = {} if declared is None else declared.options
    low, high = (
        bound if isinstance(bound := options.get(key), (int, float)) else default
        for key, default in zip(("min", "max"), _SEEDS, strict=True)
    )
    low, high = max(low, 0 if high > 0 else low), min(high, _LARGEST)  # a seed of -1 often means "any"
    if declared is not None and declared.type == "FLOAT":
        return random.uniform(low, high)  # noqa: S311 - no secret
    return random.randint(int(low), int(high))  # noqa: S311 - as above


def _no_number(word: str) -> Any:
    raise ValueError(word)  # NaN and the like are no JSON


def _place(app: App, workflow: Workflow, text: str) -> None:
    path, separator, file = text.partition("=")
    if separator and not Path(text).exists():
        node, name = _resolve(app, workflow, path)
    else:
        file = text
        node, name = _only_taker(app, workflow, file)
    if not Path(file).is_file():
        raise click.UsageError(f"--input {text}: there is no file {file}.")
    node[name] = Path(file)


def _only_taker(app: App, workflow: Workflow, file: str) -> tuple[Any, str]:
    found = takers(workflow, app.client.nodes)
    if not found:
        raise click.UsageError(f"--input {file}: no input of this workflow takes a file.")
    if len(found) > 1:
        ways = "\n".join(f"  --input {node.id}.{name}={file}    for node {label(node)}" for node, name in found)
        raise click.UsageError(f"--input {file}: several inputs take a file; write one of\n{ways}")
    return found[0]
