"""``comfyclient request``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from comfyclient.cli.command import command
from comfyclient.cli.exchange import MadeDocument, deliver, made_options

if TYPE_CHECKING:
    import requests

    from comfyclient.cli.app import App

__all__ = ["request"]


@command(
    MadeDocument,
    examples="""
$ comfyclient request GET /my_pack/status
$ comfyclient request POST /my_pack/styles --data '{"name": "foxes"}'

A catalogue of node classes, for commands that take --catalog:
$ comfyclient request GET /object_info -o nodes.json
""",
)
@click.argument("method")
@click.argument("path")
@click.option(
    "-d",
    "--data",
    metavar="TEXT|@FILE",
    help="What to send: a text, a file after an @, or @- for standard input. It is sent as JSON if it is JSON.",
)
@made_options
def request(app: App, method: str, path: str, *, data: str | None, output: str | None, overwrite: bool) -> None:
    """Send a request to any of the server's routes, and print the answer.

    For routes that have no command, such as those of custom nodes. METHOD is GET, POST or another one, PATH the path
    below the server's address, with a query if there is one. An answer of 400 or above is an error.
    """
    body: dict[str, Any] = {} if data is None else _body(data)
    try:
        answer = app.client.request(method, path, **body)
    except (TypeError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    form, content = _read(answer)
    as_it_came = output is not None or not (app.out.json or app.out.is_terminal)
    deliver(app, answer.content if as_it_came else content, form, output, overwrite=overwrite)


def _body(data: str) -> dict[str, Any]:
    content = data.encode()
    if data.startswith("@"):
        content = sys.stdin.buffer.read() if data == "@-" else Path(data[1:]).read_bytes()
    try:
        return {"json": json.loads(content)}
    except ValueError:
        return {"data": content}


def _read(answer: requests.Response) -> tuple[str, Any]:
    """What it is, and its content."""
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    try:
        text = answer.content.decode()
    except ValueError:
        return "binary", answer.content
    if kind.endswith("json"):
        try:
            return "json", json.loads(text)
        except ValueError:
            pass
    return "text", text
