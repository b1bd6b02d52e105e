from __future__ import annotations

import enum
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from comfyclient.errors import WorkflowError
from comfyclient.workflow import Workflow


def workflow(**inputs: Any) -> Workflow:
    """A node whose inputs are to be judged, a node to link to, and an innocent one."""
    return Workflow(
        {
            "1": {"class_type": "EmptyImage", "inputs": {"width": 8}},
            "11": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
            "9": {"class_type": "SaveImage", "inputs": inputs, "_meta": {"title": "Save"}},
        }
    )


NAMED = "node 9 'Save' (SaveImage): input 'x' "


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (["12", 0], "points at node '12', which the workflow does not have; nearest: '1'"),
        (["nowhere", 0], "points at node 'nowhere', which the workflow does not have"),
        (["1", -1], "is ['1', -1]: a link has its id in quotes and a number from 0: [\"1\", 0]"),
        (["1", 0.0], "is ['1', 0.0]: a link has its id in quotes and a number from 0: [\"1\", 0]"),
        ([1, 0], 'is [1, 0]: a link has its id in quotes and a number from 0: ["1", 0]'),
        ({"__value__": ["a", 1]}, "is {'__value__': ['a', 1]}, which the server makes a link of"),
        (math.nan, "is nan, which JSON cannot hold (Out of range float values are not JSON compliant"),
        ([1, {"a": -math.inf}], "is [1, {'a': -inf}], which JSON cannot hold (Out of range float"),
        ({"a": Path("a.png")}, f"holds a {type(Path()).__name__}, which JSON cannot: use str(...)"),
        (np.int64(3), "holds an int64, which JSON cannot: use .tolist()"),
        ({"a": [np.zeros(2)]}, "holds a ndarray, which JSON cannot: use .tolist()"),
        ({1, 2}, "holds a set, which JSON cannot"),
        ([b"abc"], "holds a bytes, which JSON cannot"),
        ({(1, 2): 3}, "keys must be str, int, float, bool or None, not tuple"),
        pytest.param(10**5000, "is a number, which JSON cannot hold (Exceeds the limit", id="huge"),
    ],
)
def test_a_bad_value_is_named(value: Any, message: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        workflow(x=value).check()
    assert str(caught.value).startswith(NAMED + message)


class Choice(str, enum.Enum):
    EULER = "euler"


@pytest.mark.parametrize(
    "value",
    [
        *(["1", 0], ("1", 3), ["11", 0], ["1", True]),  # the last one is what the server takes for 1
        *(None, True, 0, 2**64 - 1, 1.5, "", "\udcff", {}, {"__value__": ["a", "b"]}, {"a": [1, {"b": None}]}),
        *(np.float64(0.5), Choice.EULER),
        # Lists that are no links: right for some classes, which only the server knows.
        *([], ["1"], ["1", 0, 0], [512, 512], ["a", "b"], [["1", 0], 1], [{}, {}]),
    ],
)
def test_a_good_value_passes(value: Any) -> None:
    workflow(x=value).check()


def test_all_problems_make_one_message() -> None:
    document = workflow(a=["12", 0], b=math.nan)
    document["1"]["width"] = ["9", 0]
    document["11"]["image"] = ["9", 0]
    document["9"]["c"] = ["11", 0]
    with pytest.raises(WorkflowError) as caught:
        document.check()
    first, *problems = str(caught.value).splitlines()
    assert first == "the workflow has 3 problems:"
    assert problems[0].startswith("  - node 9 'Save' (SaveImage): input 'b' is nan")
    assert problems[1].startswith("  - node 9 'Save' (SaveImage): input 'a' points at node '12'")
    assert problems[2] in {
        "  - nodes feed each other in a circle: 9 -> 11 -> 9; remove one of these links",
        "  - nodes feed each other in a circle: 11 -> 9 -> 11; remove one of these links",
    }


def test_of_many_problems_the_first_ten_are_told() -> None:
    with pytest.raises(WorkflowError) as caught:
        workflow(**{f"x{number}": ["nowhere", 0] for number in range(13)}).check()
    lines = str(caught.value).splitlines()
    assert lines[0] == "the workflow has 13 problems:"
    assert len(lines) == 12
    assert lines[-1] == "  … and 3 more"


def test_a_node_that_feeds_itself_is_a_circle() -> None:
    with pytest.raises(WorkflowError, match=r"^nodes feed each other in a circle: 9 -> 9; remove one of these links$"):
        workflow(images=["9", 0]).check()


def test_an_empty_workflow_is_refused() -> None:
    with pytest.raises(WorkflowError, match=r"^the workflow has no nodes$"):
        Workflow({}).check()


def test_other_parts_of_a_node_are_checked_too() -> None:
    document = workflow()
    document["9"].title = Path("x")  # type: ignore[assignment] # on purpose
    with pytest.raises(WorkflowError, match=r"^node 9 'SaveImage': its '_meta' holds a \w+, which JSON cannot"):
        document.check()
    with pytest.raises(WorkflowError, match=r"^the workflow keys must be str"):
        Workflow({"1": {"class_type": "X", (1, 2): 3}}).check()


def test_a_value_of_absurd_depth_is_refused() -> None:
    document = workflow()
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    document["9"]["x"] = deep
    with pytest.raises(WorkflowError, match=r"^node 9 'Save' \(SaveImage\): input 'x' is nested too deeply$"):
        document.check()


def test_names_of_inputs_are_strings() -> None:
    document = Workflow({"1": {"class_type": "X", "inputs": {3: 4}}})
    with pytest.raises(WorkflowError, match=r"^node 1 'X': the name of input 3 is no string$"):
        document.check()


def test_a_shape_that_is_no_graph_is_refused_at_once() -> None:
    with pytest.raises(WorkflowError) as caught:
        Workflow(
            {
                1: {"class_type": "X"},  # type: ignore[dict-item] # on purpose
                "2": None,
                "3": "x",
                "4": [],
                "5": {},
                "6": {"class_type": 6},
                "7": {"class_type": ["a"], "inputs": None},
                "8": {"class_type": "X", "inputs": []},
                "9": {"class_type": "Y", "inputs": {}},
            }
        )
    assert str(caught.value).splitlines() == [
        "the workflow has 9 problems:",
        '  - node ids are strings: write "1" instead of 1',
        '  - node \'2\' is null, not {"class_type": ..., "inputs": {...}}',
        '  - node \'3\' is a string, not {"class_type": ..., "inputs": {...}}',
        '  - node \'4\' is a list, not {"class_type": ..., "inputs": {...}}',
        "  - node '5': its class_type is missing",
        "  - node '6': its class_type is a number, not a string",
        "  - node '7': its class_type is a list, not a string",
        "  - node '7': its inputs are null, not an object",
        "  - node '8': its inputs are a list, not an object",
        "This is not the API format: in the editor, the menu Workflow > Export (API) writes it",
    ]


def test_a_node_that_the_editor_did_not_know_is_kept_but_not_sent() -> None:
    document = Workflow({"1": {"class_type": None, "inputs": {}, "_meta": {"title": "Magic"}}})
    assert document.to_api()["1"]["class_type"] is None
    message = "node 1 'Magic': its class_type is null: the editor that exported it did not have this class of nodes"
    with pytest.raises(WorkflowError, match=f"^{message}$"):
        document.check()
