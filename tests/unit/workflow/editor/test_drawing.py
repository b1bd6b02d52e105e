from __future__ import annotations

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comfyclient.workflow.editor.drawing import draw, escaped
from comfyclient.workflow.editor.texts import choose
from tests.unit.workflow.catalog import CATALOG


@given(st.text(alphabet=st.sampled_from("\\{}|/*a \n\u2028") | st.characters()))
@example("https://example.org/{a|b}")
@example("/* no comment */ // nor this")
@example("///*/")
@example('{"a": "\\{"}')
@example("\\\\\\}|")
def test_the_one_choice_of_an_escaped_text_is_the_text(text: str) -> None:
    ends = len(text) - len(text.rstrip("\\"))
    if ends % 2:  # the one thing that cannot be written
        text += "."
    assert choose(escaped(text), random.Random(1)) == text  # noqa: S311 - no secret


def test_plain_texts_stay_plain() -> None:
    assert escaped("a fox, (red:1.2) | 50% \\ <lora:x:1> a/b") == "a fox, (red:1.2) | 50% \\ <lora:x:1> a/b"
    assert escaped("https://x.org") == "https:/{/}x.org"
    assert escaped("{a}") == "\\{a}"


def test_a_seed_is_fixed_until_the_user_wants_it_otherwise() -> None:
    drawn = draw("4", {"class_type": "Sample", "inputs": {"seed": 7, "steps": 3}}, CATALOG)
    assert [widget.value for widget in drawn.face.widgets] == [7, "fixed", 3, 0, "fixed"]


def test_choices_bring_their_inputs() -> None:
    node = {"class_type": "Choice", "inputs": {"image": ["1", 0], "how": "scale", "how.width": 5, "how.seed": 6}}
    drawn = draw("1", node, CATALOG)
    assert [(widget.name, widget.value) for widget in drawn.face.widgets][:3] == [
        ("how", "scale"),
        ("how.width", 5),
        ("how.seed", 6),
    ]


def test_inputs_grow_as_far_as_they_are_used() -> None:
    inputs = {"values.v0": ["1", 0], "values.v1": 3, "other": 4}
    drawn = draw("1", {"class_type": "Sum", "inputs": inputs}, CATALOG)
    assert [slot.name for slot in drawn.face.slots] == ["values.v0", "values.v1", "values.v2"]
    assert drawn.constants == {"values.v1": 3}


@pytest.mark.parametrize("class_type", ["Unknown", None])
def test_of_a_class_that_is_missing_the_values_are_kept_in_their_order(class_type: str | None) -> None:
    inputs = {"b": 1, "link": ["1", 0], "a": {"__value__": [1, 2]}}
    drawn = draw("1", {"class_type": class_type, "inputs": inputs, "_meta": {"title": "Mine"}}, CATALOG)
    assert [widget.value for widget in drawn.face.widgets] == [1, [1, 2]]
    assert drawn.title == "Mine"
