from __future__ import annotations

import itertools

from comfyclient.workflow import Workflow
from comfyclient.workflow.links import ancestors, find_cycles, is_link, misread


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
    assert len(ancestors(workflow.to_api(), ["19999"])) == 20_000
    assert ancestors(workflow.to_api(), ["2"]) == {"0", "1", "2"}
    workflow["0"]["image"] = ["19999", 0]
    [(cycle, members)] = find_cycles(workflow.to_api())
    assert cycle[0] == cycle[-1]
    assert len(cycle) == 20_001
    assert members == list(workflow)


def test_ancestors_of_a_circle_end() -> None:
    workflow = chain(3)
    workflow["0"]["image"] = ["2", 0]
    assert ancestors(workflow.to_api(), ["1"]) == {"0", "1", "2"}


def test_a_cycle_runs_with_the_data() -> None:
    workflow = chain(3)
    workflow["0"]["image"] = ["2", 0]
    [(cycle, _)] = find_cycles(workflow.to_api())
    assert all(workflow[fed]["image"][0] == feeder for feeder, fed in itertools.pairwise(cycle))


def test_cycles_that_share_nodes_count_as_one() -> None:
    workflow = chain(8)
    workflow["0"].update({"image": ["2", 0], "more": ["3", 0]})
    workflow["5"]["more"] = ["6", 0]
    assert [members for _, members in find_cycles(workflow.to_api())] == [["0", "1", "2", "3"], ["5", "6"]]


def test_a_link_is_what_the_server_takes_for_one() -> None:
    assert all(map(is_link, [["1", 0], ("1", 0), ["", 1.5], ["1", True]]))
    assert not any(map(is_link, [["1", "0"], [1, 0], ["1"], ["1", 0, 0], "10", None, {"1": 0}]))


def test_lists_that_are_no_links_get_both_spellings() -> None:
    advice = ': a link is written ["node id", 0], a list as a value {"__value__": [...]}'
    assert misread([512, 512], ["1"]) == f"is [512, 512]{advice}"
    assert misread(["1"], ["1"]) == f"is ['1']{advice}"
    assert misread("text", ["1"]) is None
    assert misread(["1", 0], ["1"]) is None
