"""What a websocket could bring along, for hypothesis."""

from __future__ import annotations

import copy
import json
import struct
from typing import Any

from hypothesis import strategies as st

from comfyclient.events import EVENT_TYPES
from tests.captures.ws import catalog

texts = st.text(max_size=8) | st.sampled_from(["1", "2", "a", "prompt_id", "running", "finished", "\ud800"])
numbers = st.integers() | st.floats() | st.sampled_from([0, 1, 2, 0.5, 10**400, -(10**400), float("inf"), float("nan")])
scalars = st.none() | st.booleans() | numbers | texts
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)
"""Any JSON, with what Python's own writer and ComfyUI's add to it."""

kinds = st.sampled_from(sorted(EVENT_TYPES))


_known = [message for message in catalog() if message["type"] in EVENT_TYPES]


@st.composite
def _damaged(draw: st.DrawFn) -> dict[str, Any]:
    """A captured message of which one part is missing, replaced or added."""
    message: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(_known)))
    part = message["data"]
    while isinstance(part, dict) and part:
        key = draw(st.sampled_from(sorted(part)))
        if isinstance(part[key], dict) and part[key] and draw(st.booleans()):
            part = part[key]
            continue
        change = draw(st.sampled_from(["replace", "remove", "add"]))
        if change == "remove":
            del part[key]
        else:
            part[key if change == "replace" else draw(texts)] = draw(values)
        break
    return message


messages: st.SearchStrategy[dict[str, Any]] = _damaged() | st.fixed_dictionaries({"type": kinds, "data": values})
"""Messages of known types whose data fits, or nearly, or not at all."""


def _text_frame(value: Any) -> bytes:
    return json.dumps(value).encode()


text_frames: st.SearchStrategy[bytes] = (
    messages.map(_text_frame)
    | values.map(_text_frame)
    | st.fixed_dictionaries({}, optional={"type": kinds | values, "data": values, "more": values}).map(_text_frame)
    | st.binary(max_size=60)
    | st.tuples(messages.map(_text_frame), st.integers(0, 40)).map(lambda pair: pair[0][: -pair[1]])
)

_metadata = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("node_id", "prompt_id", "display_node_id", "parent_node_id", "real_node_id", "image_type", "more"),
        texts | values,
    ),
)


def _sized(kind: int, part: bytes, rest: bytes, lie: int) -> bytes:
    return struct.pack(">II", kind, max(0, len(part) + lie)) + part + rest


binary_frames: st.SearchStrategy[bytes] = st.binary(max_size=40) | st.builds(
    _sized,
    st.sampled_from([0, 1, 2, 3, 4, 5, 99, 2**32 - 1]),
    st.binary(max_size=8) | (_metadata | values).map(_text_frame),
    st.binary(max_size=8),
    st.sampled_from([0, 0, 0, -3, 3, 2**31]),
)
