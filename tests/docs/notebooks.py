"""The notebooks among the pages: ``python -m tests.docs.notebooks`` writes them as they are kept.

They are kept without what running them leaves behind, so that a change of one shows what was changed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from tests.docs.pages import DOCS, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PATHS = [path for path in sorted(DOCS.rglob("*.ipynb")) if "_build" not in path.parts]
NOTEBOOKS = {path.relative_to(ROOT).as_posix(): path for path in PATHS}
PATIENCE = 120
"""Seconds for a cell."""

_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def read(text: str) -> Any:
    """The notebook."""
    return nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]


def written(notebook: Any) -> str:
    """Its text."""
    return str(nbformat.writes(notebook)) + "\n"  # type: ignore[no-untyped-call]


def normalised(text: str) -> str:
    """The notebook as it is kept: without outputs, and with no other metadata than the tags of cells."""
    notebook = read(text)
    notebook.metadata = _METADATA
    for cell in notebook.cells:
        cell.metadata = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
        cell.source = cell.source.strip("\n")
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return written(notebook)


def executed(text: str, directory: Path, **environment: str) -> Any:
    """The notebook after it was run in a directory, with variables of its environment."""
    notebook = read(text)
    resources = {"metadata": {"path": str(directory)}}
    client = NotebookClient(notebook, timeout=PATIENCE, kernel_name="python3", resources=resources)
    client.execute(env={**os.environ, **environment})
    return notebook


def exported(notebook: Any) -> str:
    """What nbconvert makes of it."""
    body, _ = HTMLExporter().from_notebook_node(notebook)  # type: ignore[no-untyped-call]
    return str(body)


def outputs(notebook: Any) -> dict[str, list[Mapping[str, Any]]]:
    """What each cell of code shows, by its id."""
    return {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}


if __name__ == "__main__":
    for path in PATHS:
        path.write_text(normalised(path.read_text("utf-8")), encoding="utf-8")
