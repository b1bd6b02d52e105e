"""Every frame that real servers sent is understood, and none that anybody could send does harm."""

from __future__ import annotations

import json
import struct
from typing import Any

import attrs
import pytest
from hypothesis import given

from comfyclient import _wire
from comfyclient.events import (
    EVENT_TYPES,
    Event,
    Executed,
    Executing,
    ExecutionError,
    FeatureFlags,
    Preview,
    Progress,
    ProgressState,
    ProgressText,
    Status,
    UnknownEvent,
)
from tests.captures.ws import HERE, PICTURES, RUNS, VERSIONS, catalog, frames, payload, row, sequence
from tests.unit._realtime.strategies import binary_frames, messages, text_frames

STRANGERS = {
    "proto-notify": "a type that the test nodes of the captures made up",
    "binary.99": "a frame that the test nodes of the captures made up",
}
"""Captured types for which there is no class, each with the reason."""

NEVER_CAPTURED = {  # they need an administrator who pauses or breaks a scan; their fields are those of the source
    "assets.seed.progress",
    "assets.seed.paused",
    "assets.seed.resumed",
    "assets.seed.error",
}


@pytest.fixture(params=["json", "orjson"], autouse=True)
def _parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything here holds with orjson installed and without."""
    if request.param == "json":
        monkeypatch.setattr(_wire, "_loads", json.loads)


def decode(frame: str | bytes) -> Event:
    return _wire.decode_text(frame.encode()) if isinstance(frame, str) else _wire.decode_binary(frame)


def decode_message(kind: str, data: Any) -> Event:
    return decode(json.dumps({"type": kind, "data": data}))


def assert_understood(event: Event) -> None:
    if isinstance(event, UnknownEvent):
        assert event.type in STRANGERS
        assert event.error is None
        return
    assert getattr(event, "extra", {}) == {}
    if isinstance(event, ProgressState):
        assert all(node.extra == {} and node.node_id == name for name, node in event.nodes.items())


def says(value: Any, raw: Any) -> bool:
    """Whether a decoded value is what was sent; a class within has the keys as attributes, or in ``extra``."""
    if attrs.has(type(value)):
        return all(says(value.extra[key] if key in value.extra else getattr(value, key), raw[key]) for key in raw)
    if isinstance(value, tuple):
        return len(value) == len(raw) and all(map(says, value, raw))
    return bool(getattr(value, "raw", value) == raw)


# --- what real servers sent ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RUNS)
def test_every_captured_frame_is_understood(name: str) -> None:
    events = list(map(decode, frames(name)))
    assert events
    for event in events:
        assert_understood(event)


def test_every_kind_of_message_in_the_catalog_is_understood_with_its_values() -> None:
    for message in catalog():
        event = decode(json.dumps(message))
        assert_understood(event)
        if isinstance(event, FeatureFlags):
            assert event.flags == message["data"]
        elif not isinstance(event, UnknownEvent):
            assert all(says(getattr(event, name), value) for name, value in message["data"].items())


@pytest.mark.parametrize("version", VERSIONS)
def test_every_message_of_every_version_is_understood(version: str) -> None:
    for kind in ("execution_start", "executing", "executed", "progress", "execution_error"):
        event = decode_message(kind, payload(kind, version))
        assert type(event) is EVENT_TYPES[kind]
        assert_understood(event)
    for name in ("normal", "fully cached", "preview (flags announced)", "error"):
        for message in sequence(name, version):
            assert_understood(decode(json.dumps(message)))
    for text in row("ws: reply to feature_flags", version):
        event = decode(text)
        assert isinstance(event, FeatureFlags)
        assert event.flags["supports_preview_metadata"] is True
    for entry in (row("history.status", version)["messages"],):
        assert all(type(_wire.decode_event(kind, data)) is EVENT_TYPES[kind] for kind, data in entry)


def test_the_captures_hold_every_known_type() -> None:
    captured = {decode(frame).type for name in RUNS for frame in frames(name)}
    captured |= {message["type"] for message in catalog()}
    assert EVENT_TYPES.keys() - captured == NEVER_CAPTURED
    assert set(STRANGERS) <= captured


@pytest.mark.parametrize("name", PICTURES)
def test_captured_binary_frames_say_what_their_index_says(name: str) -> None:
    raw = (HERE / name).read_bytes()
    told = json.loads((HERE / "bin_index.json").read_text())[name]
    event = decode(raw)
    if told["event"] == 1:
        assert event == Preview({1: "image/jpeg", 2: "image/png"}[told["image_type"]], raw[8:])
    elif told["event"] == 3:
        assert event == ProgressText(told["node_id"], told["text"])
    elif told["event"] == 4:
        meta = told["meta"]
        assert event == Preview(
            meta["image_type"],
            raw[8 + told["meta_len"] :],
            prompt_id=meta["prompt_id"],
            node=meta["node_id"],
            display_node_id=meta["display_node_id"],
            parent_node_id=meta["parent_node_id"],
            real_node_id=meta["real_node_id"],
        )
    else:
        assert event == UnknownEvent(f"binary.{told['event']}", raw[4:])
    if isinstance(event, Preview):
        assert event.data.startswith(b"\xff\xd8" if event.media_type == "image/jpeg" else b"\x89PNG")


# --- details of the text frames -----------------------------------------------------------------------------


def test_numbers_that_only_python_writes() -> None:
    event = decode('{"type": "executed", "data": {"node": "1", "prompt_id": "p", "output": {"v": [NaN, -Infinity]}}}')
    assert isinstance(event, Executed)
    assert event.output is not None
    assert repr(event.output["v"]) == "[nan, -inf]"


def test_lone_surrogates_survive() -> None:
    event = decode('{"type": "progress", "data": {"value": 1, "max": 2, "node": "\\udcff"}}')
    assert event == Progress(1, 2, node="\udcff")


def test_the_greeting_of_a_socket_that_comes_back() -> None:
    assert decode_message("executing", {"node": "1"}) == Executing("1")


def test_an_integer_of_progress_stays_one() -> None:
    event = decode_message("progress", {"value": 1, "max": 2.5})
    assert repr(event).startswith("Progress(value=1, max=2.5,")


def test_unknown_keys_are_kept() -> None:
    event = decode_message("status", {"status": {}, "sid": None, "new": [1], "extra": 2})
    assert event == Status({}, None, {"new": [1], "extra": 2})
    snapshot = decode_message("progress_state", {"prompt_id": "p", "nodes": {"1": {"value": 1, "new": 2}}})
    assert isinstance(snapshot, ProgressState)
    assert snapshot.nodes["1"].extra == {"new": 2}


def test_an_unknown_type_keeps_its_data() -> None:
    assert decode_message("crystools.monitor", [1]) == UnknownEvent("crystools.monitor", [1])
    assert decode('{"type": "x"}') == UnknownEvent("x", None)
    whole = {"type": "x", "data": 1, "session": 2}
    assert decode(json.dumps(whole)) == UnknownEvent("x", whole)


@pytest.mark.parametrize("frame", ["", "{", "\ufeff", "[1,]", "nul", '{"type": "status"', "1" * 5000])
def test_what_is_not_json(frame: str) -> None:
    event = decode(frame)
    assert isinstance(event, UnknownEvent)
    assert (event.type, event.data) == ("", frame)
    assert event.error is not None
    assert event.error.startswith("not JSON: ")


def test_what_is_not_even_text() -> None:
    event = _wire.decode_text(b'{"type": "status\xff"}')
    assert isinstance(event, UnknownEvent)
    assert event.data == '{"type": "status\ufffd"}'


@pytest.mark.parametrize("value", [None, 1, "status", [], {}, {"type": 1}, {"type": None}, {"type": ["status"]}])
def test_json_without_a_type(value: Any) -> None:
    assert decode(json.dumps(value)) == UnknownEvent("", value, "no type")


@pytest.mark.parametrize("depth", [900, 2_000, 100_000])
def test_bottomless_json(depth: int) -> None:
    assert isinstance(decode("[" * depth + "]" * depth), UnknownEvent)
    assert isinstance(decode('{"type": "status", "data": ' * depth + "1" + "}" * depth), UnknownEvent)


@pytest.mark.parametrize(
    ("kind", "data", "error"),
    [
        ("progress", {"value": None, "max": 1}, "is due, not null @ $.value"),
        ("progress", {"value": True, "max": 1}, "is due, not a boolean @ $.value"),
        ("progress", {"value": "s3cret", "max": 1}, "is due, not a string @ $.value"),
        ("progress", {"max": 1}, "'value' is missing"),
        ("progress", [], "an object is due, not an array"),
        ("executed", {"node": 1, "prompt_id": "p"}, "a string is due, not an integer @ $.node"),
        ("executed", {"node": "1", "prompt_id": None}, "a string is due, not null @ $.prompt_id"),
        ("execution_cached", {"prompt_id": "p", "nodes": ["1", 2]}, "a string is due, not an integer @ $.nodes[1]"),
        ("progress_state", {"prompt_id": "p", "nodes": []}, "an object is due, not an array @ $.nodes"),
        ("feature_flags", None, "an object is due, not null"),
        ("logs", {"entries": ["x"]}, "an object is due, not a string @ $.entries[0]"),
    ],
)
def test_data_that_does_not_fit_says_where_and_keeps_everything(kind: str, data: Any, error: str) -> None:
    event = decode_message(kind, data)
    assert isinstance(event, UnknownEvent)
    assert (event.type, event.data) == (kind, data)
    assert event.error is not None
    assert error in event.error
    assert "s3cret" not in event.error


def test_a_misfit_still_tells_its_prompt() -> None:
    assert decode_message("executed", {"node": 1, "prompt_id": "p"}).prompt_id == "p"
    assert decode_message("executed", {"node": 1, "prompt_id": 2}).prompt_id is None


def test_a_failed_node_of_2024() -> None:
    event = decode_message("execution_error", payload("execution_error", "2024-03"))
    assert isinstance(event, ExecutionError)
    assert (event.current_outputs, event.timestamp, event.blocked) == ({}, None, False)


# --- details of the binary frames ---------------------------------------------------------------------------

IMAGE = b"\xff\xd8image"


def with_metadata(meta: Any, image: bytes = IMAGE) -> bytes:
    part = json.dumps(meta).encode()
    return struct.pack(">II", 4, len(part)) + part + image


def test_metadata_that_a_newer_server_adds() -> None:
    event = decode(with_metadata({"node_id": "1", "prompt_id": "p", "image_type": "image/webp", "step": 3}))
    assert event == Preview("image/webp", IMAGE, prompt_id="p", node="1", extra={"step": 3})


def test_metadata_without_anything() -> None:
    assert decode(with_metadata({})) == Preview("image/jpeg", IMAGE)


@pytest.mark.parametrize(
    ("frame", "kind", "error"),
    [
        (b"", "binary", "shorter than its header"),
        (b"\0\0\1", "binary", "shorter than its header"),
        (b"\0\0\0\1\0\0\0", "binary.1", "requires a buffer"),
        (struct.pack(">II", 1, 3) + IMAGE, "binary.1", "neither JPEG"),
        (struct.pack(">I", 3), "binary.3", "requires a buffer"),
        (struct.pack(">II", 3, 9) + b"1text", "binary.3", "9 bytes were announced and 5 came"),
        (struct.pack(">II", 3, 1) + b"\xfftext", "binary.3", "can't decode"),
        (struct.pack(">II", 4, 2**32 - 1) + b"{}", "binary.4", "4294967295 bytes were announced"),
        (struct.pack(">II", 4, 1) + b"{}", "binary.4", "Expecting"),
        (with_metadata([]), "binary.4", "not an object"),
        (with_metadata({"node_id": 1}), "binary.4", "not texts"),
        (with_metadata({"image_type": None}), "binary.4", "not texts"),
    ],
)
def test_binary_frames_that_are_not_what_they_say(frame: bytes, kind: str, error: str) -> None:
    event = decode(frame)
    assert isinstance(event, UnknownEvent)
    assert (event.type, event.data) == (kind, frame if kind == "binary" else frame[4:])
    assert event.error is not None
    assert error in event.error


def test_texts_that_are_no_utf8_are_shown_as_well_as_can_be() -> None:
    assert decode(struct.pack(">II", 3, 1) + b"1\xffx") == ProgressText("1", "\ufffdx")


def test_frames_without_content() -> None:
    assert decode(struct.pack(">II", 1, 2)) == Preview("image/png", b"")
    assert decode(struct.pack(">II", 3, 0)) == ProgressText("", "")
    assert decode(struct.pack(">I", 2)) == UnknownEvent("binary.2", b"")


# --- whatever comes -----------------------------------------------------------------------------------------


def use(event: Event) -> None:
    """Do with an event what the reader does, and print it."""
    assert isinstance(event, Event)
    assert isinstance(event.type, str)
    assert event.prompt_id is None or isinstance(event.prompt_id, str)
    hash(event.supersedes)
    assert repr(event)


@given(text_frames)
def test_invariant_01_no_text_frame_raises(frame: bytes) -> None:
    use(_wire.decode_text(frame))


@given(binary_frames)
def test_invariant_01_no_binary_frame_raises(frame: bytes) -> None:
    event = _wire.decode_binary(frame)
    use(event)
    if isinstance(event, Preview):
        assert isinstance(event.media_type, str)


@given(messages)
def test_a_message_of_a_known_type_fits_its_class_or_says_why_not(message: dict[str, Any]) -> None:
    kind, data = message["type"], message["data"]
    event = _wire.decode_event(kind, data)
    use(event)
    if isinstance(event, UnknownEvent):
        assert event.error
        assert (event.type, event.data) == (kind, data)
    elif isinstance(event, FeatureFlags):
        assert event.flags is data
    else:
        assert type(event) is EVENT_TYPES[kind]
        kinds: Any = EVENT_TYPES[kind]
        fields = {field.name for field in attrs.fields(kinds)} - {"extra"}
        assert event.extra == {key: value for key, value in data.items() if key not in fields}  # type: ignore[attr-defined]
        for name in fields & data.keys():
            assert says(getattr(event, name), data[name])
