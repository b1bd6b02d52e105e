"""Workflows written as Python, and a server's nodes as a stub file: whether they are what they should be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfyclient import Workflow
from comfyclient.builder import Builder, stubs, to_python

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]


def python_round_trip(prompts: Mapping[str, Any], catalogue: Mapping[str, Any]) -> list[str]:
    """The names of the prompts that are not the very same after they were written as Python and that was run."""
    return [name for name, prompt in prompts.items() if _rebuilt(Workflow(prompt), catalogue) != _text(prompt)]


def typed(catalogue: Mapping[str, Any]) -> list[str]:
    """What mypy, strictly, has against the stubs of a catalogue."""
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "comfy_nodes.pyi").write_text(stubs(catalogue), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary", "comfy_nodes.pyi"],
            cwd=place,
            env={**os.environ, "MYPYPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
    return (done.stdout + done.stderr).splitlines()


def _rebuilt(workflow: Workflow, catalogue: Mapping[str, Any]) -> str:
    names: dict[str, Any] = {"__name__": "script"}
    exec(compile(to_python(workflow, catalogue), "script.py", "exec"), names)  # noqa: S102 - that is what it is for
    return _text(names["build"](Builder(catalogue)).to_api())


def _text(prompt: Any) -> str:
    return json.dumps(prompt, sort_keys=True)
