"""What the editor answered, as it was recorded, and when an answer of ours is the same."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import json
import re
from pathlib import Path
from typing import Any

from tests.editor.graphs import GRAPHS

HERE = Path(__file__).parent

for _module in ("wiring", "widgets", "dynamic", "subgraphs", "primitives", "oldfiles"):
    importlib.import_module(f"tests.editor.{_module}")  # which enter their graphs

ANSWERS_PATH = HERE / "answers.json"
CATALOGUE_PATH = HERE / "catalogue.json.gz"
DIGESTS_PATH = HERE / "templates.json"

# The editor calls pictures that it takes at that moment after the time.
_MOMENT = re.compile(r"(threed/scene(?:_mask|_normal)?_)\d+(?=\.png )")


def answers() -> dict[str, Any]:
    """The prompts by what their graphs show."""
    recorded: dict[str, Any] = json.loads(ANSWERS_PATH.read_bytes())
    return recorded


def catalogue() -> dict[str, Any]:
    """The definitions of all nodes of ComfyUI 0.30.0, with those of paid services, as the editor had them."""
    recorded: dict[str, Any] = json.loads(gzip.decompress(CATALOGUE_PATH.read_bytes()))
    return recorded


def digests() -> dict[str, str]:
    """The digest of what the editor exported for each official template, by its name."""
    recorded: dict[str, str] = json.loads(DIGESTS_PATH.read_bytes())
    return recorded


def canonical(prompt: Any) -> str:
    """The same text for the same prompt: keys in order, and without the time at which it was made."""
    text = json.dumps(prompt, sort_keys=True, separators=(",", ":"))
    return _MOMENT.sub(r"\g<1>0", text)


def digest(prompt: Any) -> str:
    """The SHA-256 of a prompt."""
    return hashlib.sha256(canonical(prompt).encode()).hexdigest()


def differences(ours: dict[str, Any], editors: dict[str, Any]) -> list[str]:
    """What differs, in lines for a person."""
    lines = []
    for node_id in sorted({*ours, *editors}):
        mine, theirs = canonical(ours.get(node_id)), canonical(editors.get(node_id))
        if mine != theirs:
            lines += [f"  node {node_id}", f"    ours:     {mine:.2000}", f"    editor's: {theirs:.2000}"]
    return lines


def record(editor: Any, catalogue_of_server: dict[str, Any]) -> None:
    """Ask the editor for every graph, and keep what it says."""
    recorded = {name: editor.export(graph) for name, graph in GRAPHS.items()}
    lines = (f"{json.dumps(name)}: {canonical(prompt)}" for name, prompt in sorted(recorded.items()))
    ANSWERS_PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    text = json.dumps(catalogue_of_server, separators=(",", ":"))  # the order counts
    CATALOGUE_PATH.write_bytes(gzip.compress(text.encode(), mtime=0))
