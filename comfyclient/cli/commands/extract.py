"""``comfyclient extract``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from comfyclient.cli.command import command
from comfyclient.cli.exchange import FILE, MadeDocument, deliver, made_options, source_of
from comfyclient.errors import WorkflowError
from comfyclient.workflow import Workflow

if TYPE_CHECKING:
    from pathlib import Path

    from comfyclient.cli.app import App
    from comfyclient.workflow.source import Preference

__all__ = ["extract"]

_KEYS: dict[str, Preference] = {"api": "prompt", "editor": "workflow"}
"""What ComfyUI calls the two formats inside its files."""
_OTHERS = {
    "api": "holds only what the editor saved; comfyclient convert makes an export of it",
    "editor": "holds only the prompt that ran; comfyclient convert --to editor lays it out",
}


@command(
    MadeDocument,
    examples="""
The prompt that made an image:
$ comfyclient extract fox.png -o fox.json

The workflow as it was in the editor:
$ comfyclient extract fox.png --format editor -o fox-saved.json
""",
)
@click.argument("file", type=FILE)
@click.option(
    "--format",
    "form",
    type=click.Choice(["api", "editor", "both"]),
    help="The prompt that ran, in the API format; what the editor saved; or an object with both, as 'prompt' and "
    "'workflow'. Without it, the prompt, or else what the editor saved.",
)
@made_options
def extract(app: App, file: str, *, form: str | None, output: str | None, overwrite: bool) -> None:
    """Take the workflow out of an image, a video or a sound, as it is there.

    FILE is what ComfyUI made: a path, an address, or - for standard input. No server is asked.
    """
    source = source_of(file)
    if form == "both":
        found = dict(_found(source, each) for each in _KEYS)
        both = {str(_KEYS[each]): graph for each, graph in found.items()}
        if missing := [each for each in _KEYS if each not in found]:
            app.out.note(f"{file} {_OTHERS[missing[0]]}")
        deliver(app, both, "both", output, overwrite=overwrite)
        return
    is_there, graph = _found(source, form or "api")
    if form not in {None, is_there}:
        raise WorkflowError(f"{file} {_OTHERS[form or '']}")
    deliver(app, graph, is_there, output, overwrite=overwrite)


def _found(source: str | Path | bytes, form: str) -> tuple[str, dict[str, Any]]:
    """What is there in this format, or else in the other one; and in which it is."""
    workflow = Workflow.load(source, prefer=_KEYS[form])
    saved = workflow.saved_file
    return ("api", workflow.to_api()) if saved is None else ("editor", dict(saved))
