"""What the scripted server says: websocket frames in the shapes that a real ComfyUI sends, encoded beforehand."""

from __future__ import annotations

import json
import random
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT, BINARY = 1, 2
PROMPT_ID = "5ce11b7e-0000-4000-8000-000000000000"
"""Stands in every frame where the prompt's id belongs; another id takes its place before they are sent."""

JSON_CORPORA = ("json30", "json3")
_DISTINCT = "-distinct"


@dataclass(frozen=True)
class Script:
    """What to send, and how.

    Attributes:
        corpus: ``"json30"``, ``"json3"`` (progress of 30 and of 3 nodes), ``"previews"``, or ``"stamped"``: messages
            that say when they left; with ``"-distinct"`` behind it, every message belongs to a prompt of its own.
        events: How many messages.
        prompt_id: The prompt that they are about.
        pause: Seconds between two of them; 0 for as fast as they go.
        size: Bytes of a stamped preview; 0 for a stamped ``progress``.
    """

    corpus: str
    events: int
    prompt_id: str = PROMPT_ID
    pause: float = 0.0
    size: int = 0


def last_message(prompt_id: str) -> bytes:
    """Ends every script. It is never left out, however far behind the consumer is."""
    return _json("execution_success", prompt_id=prompt_id, timestamp=1795330454745)


def pieces(script: Script) -> list[bytes]:
    """The script as a few large pieces, each of whole frames, to be sent one after the other."""
    name = script.corpus.removesuffix(_DISTINCT)
    cycle = [frame(BINARY, data) for data in _previews()] if name == "previews" else _progress(name)
    if name != script.corpus:
        frames = (_renamed(cycle[i % len(cycle)], _distinct_id(i)) for i in range(script.events))
        return [b"".join(frames), frame(TEXT, last_message(script.prompt_id))]
    cycle = [_renamed(data, script.prompt_id) for data in cycle]
    whole, rest = divmod(script.events, len(cycle))
    return [*[b"".join(cycle)] * whole, b"".join(cycle[:rest]), frame(TEXT, last_message(script.prompt_id))]


def stamped(script: Script, sent_at: int) -> bytes:
    """A frame that says when it left, in nanoseconds of the clock that all processes share."""
    if not script.size:
        return frame(TEXT, _json("progress", value=1, max=2, prompt_id=script.prompt_id, node="3", sent_at=sent_at))
    return frame(BINARY, _preview(struct.pack(">q", sent_at) + bytes(script.size - 8), script.prompt_id))


def frame(opcode: int, data: bytes) -> bytes:
    """A websocket frame as a server sends it."""
    length = len(data)
    if length < 126:
        head = struct.pack(">BB", 0x80 | opcode, length)
    elif length < 1 << 16:
        head = struct.pack(">BBH", 0x80 | opcode, 126, length)
    else:
        head = struct.pack(">BBQ", 0x80 | opcode, 127, length)
    return head + data


def _progress(name: str) -> list[bytes]:
    """One run, without its end: 2.9 KB a message on average with 30 nodes, 0.39 KB with 3."""
    nodes, samplers = {"json30": (30, {"30": 300}), "json3": (3, {"3": 20})}[name]
    return [frame(TEXT, data) for data in _run(nodes, samplers)]


def _run(nodes: int, samplers: dict[str, int]) -> Iterator[bytes]:
    states: dict[str, Any] = {}
    for node in map(str, range(1, nodes + 1)):
        steps = samplers.get(node, 1)
        states[node] = _node(node, 0.0, steps, "running")
        yield _state(states)
        yield _json("executing", node=node, display_node=node, prompt_id=PROMPT_ID)
        for step in range(1, steps + 1 if node in samplers else 1):
            states[node] = _node(node, step, steps, "running")
            yield _state(states)
            yield _json("progress", value=step, max=steps, prompt_id=PROMPT_ID, node=node)
        states[node] = _node(node, steps, steps, "finished")
        yield _state(states)


def _node(node: str, value: float, maximum: float, state: str) -> dict[str, Any]:
    return {
        "value": value,
        "max": maximum,
        "state": state,
        "node_id": node,
        "prompt_id": PROMPT_ID,
        "display_node_id": node,
        "parent_node_id": None,
        "real_node_id": node,
    }


def _state(states: dict[str, Any]) -> bytes:
    return _json("progress_state", prompt_id=PROMPT_ID, nodes=states)


def _json(kind: str, **data: Any) -> bytes:
    return json.dumps({"type": kind, "data": data}).encode()


def _previews() -> Iterator[bytes]:
    """Previews of 30 to 100 KB, of both kinds in turn."""
    chance = random.Random(1)  # noqa: S311 - the same previews each time
    for number in range(100):
        image = chance.randbytes(chance.randint(30_000, 100_000))
        yield struct.pack(">II", 1, 1) + image if number % 2 else _preview(image, PROMPT_ID)


def _preview(image: bytes, prompt_id: str) -> bytes:
    meta = {"node_id": "3", "prompt_id": prompt_id, "display_node_id": "3", "image_type": "image/jpeg"}
    text = json.dumps({**meta, "parent_node_id": None, "real_node_id": "3"}).encode()
    return struct.pack(">II", 4, len(text)) + text + image


def _renamed(data: bytes, prompt_id: str) -> bytes:
    return data.replace(PROMPT_ID.encode(), prompt_id.encode())


def _distinct_id(number: int) -> str:
    return f"{PROMPT_ID[:24]}{number:012}"
