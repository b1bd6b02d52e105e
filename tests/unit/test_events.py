"""The event classes themselves; what becomes of frames is in test_wire."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from typing import Any

import attrs
import pytest
from hypothesis import given

from comfyclient import events
from comfyclient.events import (
    EVENT_TYPES,
    LOCAL_TYPES,
    AssetsSeed,
    AssetsSeedProgress,
    Connected,
    Disconnected,
    Event,
    Executed,
    Executing,
    ExecutionError,
    ExecutionInterrupted,
    ExecutionStart,
    NodeProgress,
    Preview,
    Progress,
    ProgressState,
    ProgressText,
    ReconnectFailed,
    SocketImage,
    Status,
    UnknownEvent,
)
from tests.unit._realtime.strategies import values

CLASSES = {
    kind for _, kind in inspect.getmembers(events, inspect.isclass) if issubclass(kind, Event) and kind is not Event
}
EXAMPLES = [
    Status({"exec_info": {"queue_remaining": 1}}),
    ProgressState("p", {"1": {"value": 1, "max": 2}}),
    Progress(1, 2),
    Executed("p", "1", {"images": []}),
    Preview("image/png", b"png", prompt_id="p", node="1"),
    SocketImage("p", "1", "image/png", b"png"),
    ProgressText("1", "text"),
    Connected(),
    Disconnected("error"),
    ReconnectFailed("error", 0.5),
    UnknownEvent("x", {"prompt_id": "p"}, "error"),
]


def test_every_class_is_found_by_its_name() -> None:
    assert {*EVENT_TYPES.values(), *LOCAL_TYPES.values()} == CLASSES - {AssetsSeed, UnknownEvent}
    assert not EVENT_TYPES.keys() & LOCAL_TYPES.keys()
    for name, kind in {**EVENT_TYPES, **LOCAL_TYPES}.items():
        assert kind.__name__ == "".join(part.capitalize() for part in re.split(r"[_.]", name))
        assert kind._type == name


def test_every_class_is_exported_and_described() -> None:
    assert set(events.__all__) == {kind.__name__ for kind in CLASSES | {Event, NodeProgress}} | {
        "EVENT_TYPES",
        "LOCAL_TYPES",
    }
    assert events.__all__ == sorted(events.__all__, key=lambda name: (not name.isupper(), name))
    assert all(inspect.getdoc(kind) for kind in CLASSES)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.type)
def test_events_are_values(event: Event) -> None:
    assert copy.copy(event) == copy.deepcopy(event) == pickle.loads(pickle.dumps(event)) == event  # noqa: S301 - our own
    assert not hasattr(event, "__dict__")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        event.prompt_id = "other"  # type: ignore[misc]  # that is the point


def test_types_and_prompts() -> None:
    assert [event.type for event in EXAMPLES] == [
        *("status", "progress_state", "progress", "executed", "preview", "socket_image", "progress_text"),
        *("connected", "disconnected", "reconnect_failed", "x"),
    ]
    told = [event.prompt_id for event in EXAMPLES]
    assert told == [None, "p", None, "p", "p", "p", None, None, None, None, "p"]


def test_only_what_a_newer_one_replaces_is_ever_left_out() -> None:
    droppable = {kind for kind in CLASSES if kind.supersedes is not Event.supersedes and kind is not UnknownEvent}
    assert droppable == {ProgressState, Progress, Preview, ProgressText, AssetsSeedProgress}


def test_what_replaces_what() -> None:
    first = Progress(1, 9, "p", "1")
    assert first.supersedes == Progress(2, 9, "p", "1").supersedes
    others = [
        Progress(1, 9, "p", "2"),
        Progress(1, 9, "q", "1"),
        Preview("image/png", b"", "p", "1"),
        Preview("image/png", b"", "p", "2"),
        ProgressText("1", "", "p"),
        ProgressState("p", {}),
        ProgressState("q", {}),
        AssetsSeedProgress(),
    ]
    assert len({event.supersedes for event in [first, *others]}) == 1 + len(others)
    assert ProgressState("p", {"1": {}}).supersedes == ProgressState("p", {}).supersedes


def test_reprs_do_not_spill_images() -> None:
    assert "<5000 bytes>" in repr(Preview("image/png", bytes(5000)))
    assert "<5000 bytes>" in repr(SocketImage("p", "1", "image/png", bytes(5000)))
    assert "<5000 bytes>" in repr(UnknownEvent("binary.9", bytes(5000)))
    assert len(repr(UnknownEvent("x", ["data"] * 5000))) < 300


@pytest.mark.parametrize(
    ("raw", "remaining"),
    [
        ({"exec_info": {"queue_remaining": 3}}, 3),
        ({"exec_info": {"queue_remaining": "3"}}, None),
        ({"exec_info": [3]}, None),
        ({}, None),
    ],
)
def test_the_length_of_the_queue(raw: dict[str, Any], remaining: int | None) -> None:
    assert Status(raw).queue_remaining == remaining


def test_a_blocked_node_is_no_failure() -> None:
    assert ExecutionError("p", "1", exception_type="ExecutionBlocked").blocked
    assert not ExecutionError("p", "1", exception_type="ValueError").blocked


def test_defaults() -> None:
    assert Executing(None) == Executing(None, None, None, {})
    assert ExecutionInterrupted("p").node_id is None
    assert ExecutionStart("p").timestamp is None


# --- the nodes of a snapshot --------------------------------------------------------------------------------


def test_a_node_of_a_snapshot() -> None:
    raw = {"value": 1, "max": 2.0, "state": "running", "node_id": "1", "parent_node_id": None, "new": 3}
    assert NodeProgress.read(raw) == NodeProgress(1, 2.0, "running", "1", extra={"new": 3})


def test_a_node_of_a_snapshot_that_does_not_fit() -> None:
    raw = {"value": True, "max": "2", "state": 3}
    assert NodeProgress.read(raw) == NodeProgress(extra=raw)
    assert NodeProgress.read([1]) == NodeProgress(extra={"": [1]})


@given(values)
def test_any_node_of_a_snapshot_can_be_read(raw: Any) -> None:
    node = NodeProgress.read(raw)
    known = {name: value for name, value in attrs.asdict(node, recurse=False).items() if name != "extra"}
    if isinstance(raw, dict):
        kept = {name: value for name, value in known.items() if name in raw and name not in node.extra}
        assert {**kept, **node.extra} == raw
    else:
        assert node.extra == {"": raw}
