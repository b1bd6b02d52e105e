from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from comfyclient.workflow import Workflow
from comfyclient.workflow.diff import ABSENT, same


def graph() -> dict[str, Any]:
    return {
        "1": {"class_type": "Load", "inputs": {"name": "a"}},
        "2": {"class_type": "Text", "inputs": {"text": "a cat", "clip": ["1", 1]}, "_meta": {"title": "Positive"}},
        "3": {"class_type": "Save", "inputs": {"images": ["2", 0]}, "_meta": {"title": "Save"}},
    }


def test_a_diff_says_what_changed() -> None:
    before = Workflow(graph())
    after = before.copy()
    after["2"]["text"] = "a fox"
    after["2"]["clip"] = ["1", 0]
    after["2"]["weight"] = None
    del after["1"]["name"]
    after["3"].mute()
    after.add("Preview", {"images": ["2", 0]}, node_id="4")
    diff = before.diff(after)
    assert str(diff) == (
        "- 3 'Save'\n"
        "+ 4 'Preview'\n"
        "  1 'Load': name: 'a' (gone)\n"
        "  2 'Positive' (Text): text: 'a cat' -> 'a fox'\n"
        "  2 'Positive' (Text): clip: ['1', 1] -> ['1', 0]\n"
        "  2 'Positive' (Text): weight: None (new)"
    )
    assert diff
    assert [(change.node_id, change.part, change.name) for change in diff.changed] == [
        ("1", "inputs", "name"),
        ("2", "inputs", "text"),
        ("2", "inputs", "clip"),
        ("2", "inputs", "weight"),
    ]
    assert diff.changed[0].after is diff.changed[3].before is ABSENT
    assert repr(ABSENT) == "nothing"
    assert dict(diff.added[0]) == {"images": ["2", 0]}


def test_titles_classes_and_whatever_else_count() -> None:
    before, after = Workflow(graph()), Workflow({**graph(), "1": {"class_type": "Loader", "inputs": {}, "extra": 1}})
    after["2"].title = "Prompt"
    assert str(before.diff(after)) == (
        "  1 'Loader': its class_type: 'Load' -> 'Loader'\n"
        "  1 'Loader': name: 'a' (gone)\n"
        "  1 'Loader': its extra: 1 (new)\n"
        "  2 'Prompt' (Text): its title: 'Positive' -> 'Prompt'"
    )


def test_equal_workflows_have_no_difference() -> None:
    diff = Workflow(graph()).diff(Workflow(graph()))
    assert not diff
    assert str(diff) == "no difference"


def test_a_diff_stays_as_it_was() -> None:
    before, after = Workflow(graph()), Workflow({})
    diff = before.diff(after)
    before["2"]["text"] = "something else"
    assert diff.removed[1]["text"] == "a cat"


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        ([1, [True]], [1, [True]], True),
        ([1, [True]], [1, [1]], False),
        ([1], (1,), True),
        ([1], [1, 2], False),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"b": 1}, False),
        ({"a": 1}, [1], False),
        (None, ABSENT, False),
        (Path("a"), Path("a"), True),
        (2**64 - 1, 2**64 - 2, False),
        (np.zeros((2, 2)), np.zeros((2, 2)), False),
    ],
)
def test_values_are_compared_as_json_has_them(one: Any, other: Any, is_same: bool) -> None:  # noqa: FBT001 - a parameter
    assert same(one, other) is same(other, one) is is_same
    assert same(one, one)
    workflows = [Workflow({"1": {"class_type": "A", "inputs": {"x": value}}}) for value in (one, other)]
    assert (workflows[0] == workflows[1]) is is_same
    assert bool(workflows[0].diff(workflows[1])) is not is_same
    assert workflows[0] == workflows[0].copy()
