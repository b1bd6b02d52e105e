"""Websocket frames that real servers sent.

Of ComfyUI 0.30.0, recorded by the project's research: ``ws_*.jsonl`` (one frame a line, binary ones by their first
64 bytes), ``bin_*.bin`` (whole binary frames, in the order of the run they are named after), ``bin_index.json`` (what
is in them), ``ws_event_catalog.json`` (every type and set of keys), and ``history_*.json`` of some of the runs.
``../version_comparison.json`` holds what other versions sent, with placeholders for ids and times.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.captures import compared

HERE = Path(__file__).parent
RUNS = sorted(path.stem.removeprefix("ws_") for path in HERE.glob("ws_*.jsonl"))
PICTURES = sorted(path.name for path in HERE.glob("bin_*.bin"))
VERSIONS = ("2024-03", "0.3.64", "0.9.2", "0.30.0")
OLD_ID = "0a0a0a0a-0000-4000-8000-000000000000"
"""The prompt id of all that comes from ``version_comparison.json``."""


def frames(name: str) -> Iterator[str | bytes]:
    """The frames of a run: text ones as text, binary ones whole where they were kept, else filled up with zeros."""
    pictures = (HERE / f"bin_{name}_{number}.bin" for number in range(100))
    for line in (HERE / f"ws_{name}.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if "text" in entry:
            yield json.dumps(entry["text"])
        else:
            picture = next(pictures)
            head = bytes.fromhex(entry["hex_head"])
            yield picture.read_bytes() if picture.exists() else head.ljust(entry["binary_len"], b"\0")


def catalog() -> list[dict[str, Any]]:
    """An example of every message type and set of keys."""
    examples = json.loads((HERE / "ws_event_catalog.json").read_text())
    return [example["message"] for found in examples.values() for example in found]


def row(name: str, version: str) -> Any:
    """What a version answered to a probe, with an id, a time and a traceback in the place of the placeholders."""
    found = compared(name, version)
    if not isinstance(found, str):
        return found
    text = found.replace('"UUID"', f'"{OLD_ID}"').replace('"[..]"', '["  File x"]')
    return json.loads(re.sub(r"\bTS\b", "1800000000000", text))


def payload(kind: str, version: str) -> dict[str, Any]:
    """The data of a version's message of this type."""
    found = row(f"payload {kind}", version)
    data: dict[str, Any] = found[0] if isinstance(found, list) else found
    return data


def sequence(name: str, version: str) -> list[dict[str, Any]]:
    """The JSON messages of a run as a version sent them: those with known payloads as captured, the others rebuilt."""
    messages = []
    finished: dict[str, Any] = {}
    words = row(f"ws seq {name}", version)
    begins = max(at for at, word in enumerate(words) if word == "execution_start")  # of the last run in there
    running: str | None = None
    for word in words[max(0, begins - 2) :]:
        kind, _, node = word.partition(":")
        if kind == "executing":
            running = None if node == "None" else node
            data = {**payload("executing", version), "node": running}
            if running is None:
                data.pop("display_node", None)
            elif "display_node" in data:
                data["display_node"] = running
        elif kind == "progress_state":
            finished = {**finished, **({running: _node(running)} if running else {})}
            data = {"prompt_id": OLD_ID, "nodes": finished}
        elif kind == "status":
            data = {"status": {"exec_info": {"queue_remaining": 1}}}
        elif kind == "execution_cached":
            data = {**payload("execution_start", version), "nodes": ["1", "2"] if "cached" in name else []}
        elif kind == "execution_success":
            data = payload("execution_start", version)
        elif kind.startswith("BIN"):
            continue
        else:
            data = payload(kind, version)
        messages.append({"type": kind, "data": data})
    return messages


def _node(node: str) -> dict[str, Any]:
    more = {"node_id": node, "display_node_id": node, "real_node_id": node, "parent_node_id": None}
    return {"value": 1.0, "max": 1.0, "state": "finished", "prompt_id": OLD_ID, **more}
