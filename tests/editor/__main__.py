"""Compare with the editor: ``python -m tests.editor --help``."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from comfyclient.workflow.editor import to_api
from tests.browser import CHROMIUM, WITHOUT, BrowserError
from tests.comfyui.provision import ProvisionError, provision
from tests.comfyui.server import RealServer, ServerFailedError
from tests.editor import answers, roundtrip, scripts
from tests.editor.browser import Editor
from tests.editor.graphs import GRAPHS
from tests.editor.templates import PACKAGE, VERSION, templates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PATIENCE = 120.0


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The one at COMFYUI_URL, else a real one as its users have it: with the nodes of paid services, without ours."""
    if url := os.environ.get("COMFYUI_URL"):
        yield url
        return
    with RealServer(provision(say=say), api_nodes=True, test_nodes=False) as started:
        yield started.url


def say(line: str) -> None:
    """Talk to the person, not to whoever reads the output."""
    print(line, file=sys.stderr, flush=True)


def catalogue_of(url: str) -> dict[str, Any]:
    """The server's nodes."""
    answer = requests.get(f"{url}/object_info", timeout=PATIENCE)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def ours(document: Any, catalogue: dict[str, Any]) -> dict[str, Any]:
    """What we make of a save file, after it went through JSON."""
    prompt: dict[str, Any] = json.loads(json.dumps(to_api(document, catalogue)))
    return prompt


def parity() -> int:
    """Print how many prompts are the editor's: of the official templates, of our own graphs, and on the way back."""
    documents, expected, recorded = templates(), answers.digests(), answers.answers()
    with server() as url:
        catalogue = catalogue_of(url)
    made = {name: ours(documents[name], catalogue) for name in expected}
    wrong = [name for name in expected if answers.digest(made[name]) != expected[name]]
    kept = answers.catalogue()
    odd = [name for name, graph in GRAPHS.items() if answers.differences(ours(graph, kept), recorded[name])]
    print(f"{len(expected) - len(wrong)} of {len(expected)} templates of {PACKAGE} {VERSION}: the editor's prompt")
    print(f"{len(GRAPHS) - len(odd)} of {len(GRAPHS)} graphs of our own: the editor's prompt")
    back = roundtrip.measure(made, catalogue)
    print(f"{back} prompts of the templates: the same after they were saved for the editor, and made prompts again")
    changed = scripts.python_round_trip(made, catalogue)
    print(f"{len(made) - len(changed)} of {len(made)} prompts of the templates: the same by way of Python")
    untyped = scripts.typed(catalogue)
    print(f"{len(untyped)} complaints of mypy --strict about the stubs of {len(catalogue)} node classes")
    for name in (*wrong, *odd, *back.differing, *changed, *untyped):
        print(f"  not: {name}")
    return 1 if wrong or odd or back.differing or changed or untyped else 0


def record() -> int:
    """Ask the editor for every graph of our own, and keep its answers with the catalogue that it had."""
    with server() as url, Editor(url, browser()) as editor:
        answers.record(editor, catalogue_of(url))
    print(f"{len(GRAPHS)} answers")
    return 0


def compare(paths: Sequence[str]) -> int:
    """Ask the editor for save files, and show what we make of them otherwise."""
    same = 0
    with server() as url, Editor(url, browser()) as editor:
        catalogue = catalogue_of(url)
        for path in paths:
            document = json.loads(Path(path).read_bytes())
            try:
                lines = answers.differences(ours(document, catalogue), editor.export(document))
            except BrowserError as error:
                lines = [f"  the editor fails: {error}"]
            same += not lines
            print("\n".join([path, *lines]) if lines else f"{path}: the same")
    return 0 if same == len(paths) else 1


def browser() -> str:
    """Where it is.

    Raises:
        ProvisionError: There is none.
    """
    if CHROMIUM is None:
        msg = f"This {WITHOUT}."
        raise ProvisionError(msg)
    return CHROMIUM


def main() -> int:
    """Parse the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m tests.editor", description=__doc__)
    commands = parser.add_subparsers(dest="action", required=True)
    commands.add_parser("parity", help="how many of the official templates become what the editor exports")
    commands.add_parser("record", help="ask the editor for our own graphs, and keep its answers")
    comparing = commands.add_parser("compare", help="ask the editor for save files, and show what we make otherwise")
    comparing.add_argument("paths", nargs="+", metavar="FILE")
    options = parser.parse_args()
    try:
        if options.action == "compare":
            return compare(options.paths)
        return parity() if options.action == "parity" else record()
    except (ProvisionError, ServerFailedError, OSError) as error:
        say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
