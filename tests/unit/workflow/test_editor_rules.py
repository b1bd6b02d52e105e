"""Every rule by which the editor makes a prompt of what it saves: its recorded answer, and ours."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from comfyclient.workflow.editor import to_api
from tests.editor import answers
from tests.editor.graphs import GRAPHS

ANSWERS = answers.answers()
CATALOGUE = answers.catalogue()


@pytest.mark.parametrize("name", GRAPHS)
def test_the_prompt_is_the_editors(name: str) -> None:
    before = copy.deepcopy(GRAPHS[name])
    prompt = json.loads(json.dumps(to_api(GRAPHS[name], CATALOGUE), allow_nan=False))
    assert not answers.differences(prompt, ANSWERS[name])
    assert GRAPHS[name] == before


def test_every_graph_has_an_answer_and_the_other_way_round() -> None:
    assert ANSWERS.keys() == GRAPHS.keys()


def test_the_comparison_sees_types_and_titles() -> None:
    one: dict[str, Any] = {"1": {"class_type": "A", "inputs": {"x": 1}, "_meta": {"title": "A"}}}
    for inputs, title in (({"x": 1.0}, "A"), ({"x": True}, "A"), ({"x": "1"}, "A"), ({}, "A"), ({"x": 1}, "B")):
        other = {"1": {"class_type": "A", "inputs": inputs, "_meta": {"title": title}}}
        assert answers.differences(one, other)
        assert answers.digest(one) != answers.digest(other)
    assert not answers.differences(one, copy.deepcopy(one))
