from __future__ import annotations

import itertools

from comfyclient.workflow import Workflow
from comfyclient.workflow.links import find_cycle, is_link, misread


def chain(length: int) -> Workflow:
    """``"0"`` feeds ``"1"``, which feeds ``"2"``, and so on."""
    return Workflow(
        {
            str(number): {"class_type": "ImageInvert", "inputs": {"image": [str(number - 1), 0]} if number else {}}
            for number in range(length)
        }
    )


def test_long_chains_need_no_recursion() -> None:
    workflow = chain(20_000)
    workflow.check()
    assert len(workflow.ancestors(["19999"])) == 20_000
    assert workflow.ancestors(["2"]) == {"0", "1", "2"}
    workflow["0"]["image"] = ["19999", 0]
    cycle = find_cycle(workflow.to_api())
    assert cycle is not None
    assert cycle[0] == cycle[-1]
    assert len(cycle) == 20_001


def test_ancestors_of_a_circle_end() -> None:
    workflow = chain(3)
    workflow["0"]["image"] = ["2", 0]
    assert workflow.ancestors(["1"]) == {"0", "1", "2"}


def test_a_cycle_runs_with_the_data() -> None:
    workflow = chain(3)
    workflow["0"]["image"] = ["2", 0]
    cycle = find_cycle(workflow.to_api())
    assert cycle is not None
    assert all(workflow[fed]["image"][0] == feeder for feeder, fed in itertools.pairwise(cycle))


def test_a_link_is_what_the_server_takes_for_one() -> None:
    assert all(map(is_link, [["1", 0], ("1", 0), ["", 1.5], ["1", True]]))
    assert not any(map(is_link, [["1", "0"], [1, 0], ["1"], ["1", 0, 0], "10", None, {"1": 0}]))


def test_lists_that_are_no_links_get_both_spellings() -> None:
    advice = ': a link is written ["node id", 0], a list as a value {"__value__": [...]}'
    assert misread([512, 512], ["1"]) == f"is [512, 512]{advice}"
    assert misread(["1"], ["1"]) == f"is ['1']{advice}"
    assert misread("text", ["1"]) is None
    assert misread(["1", 0], ["1"]) is None


def test_leaves_feed_nobody() -> None:
    workflow = chain(5)
    assert workflow.leaves() == {"4"}
    workflow["4"]["image"] = ["2", 0]
    assert workflow.leaves() == {"3", "4"}
    assert Workflow({}).leaves() == set()
