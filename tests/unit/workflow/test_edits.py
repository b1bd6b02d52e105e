from __future__ import annotations

import math
import random
from typing import Any

import pytest

from comfyclient.errors import WorkflowError
from comfyclient.workflow import Workflow
from tests.unit.workflow.catalog import CATALOG, node


def graph() -> dict[str, Any]:
    return {
        "1": {"class_type": "Load", "inputs": {"name": "a.safetensors"}},
        "2": {"class_type": "Lora", "inputs": {"model": ["1", 0], "clip": ["1", 1], "strength": 0.5}},
        "3": {"class_type": "Text", "inputs": {"text": "a fox", "clip": ["2", 1]}, "_meta": {"title": "Positive"}},
        "4": {
            "class_type": "Sample",
            "inputs": {"seed": 2**64 - 1, "steps": 20, "model": ["2", 0], "positive": ["3", 0]},
        },
        "5": {"class_type": "Save", "inputs": {"images": ["4", 0], "filename_prefix": "x"}},
    }


@pytest.fixture
def workflow() -> Workflow:
    return Workflow(graph())


# --- add ---


def test_a_new_node_gets_the_next_number(workflow: Workflow) -> None:
    node = workflow.add("Save", {"images": workflow["4"].output()}, title="Again")
    assert (node.id, node.class_type, node.title, dict(node)) == ("6", "Save", "Again", {"images": ["4", 0]})
    assert list(workflow)[-1] == "6"
    assert Workflow({}).add("Load").id == "1"
    odd = ("104:7", "x9", "²", "1" * 5000)
    assert Workflow({node_id: graph()["1"] for node_id in odd}).add("Load").id == "105"
    assert Workflow({"4:300": graph()["1"]}).add("Load").id == "301"
    assert workflow.add("Save", node_id="mine").id == "mine"


def test_what_is_added_is_a_copy(workflow: Workflow) -> None:
    inputs = {"images": ["4", 0]}
    workflow.add("Save", inputs)["images"][0] = "9"
    assert inputs == {"images": ["4", 0]}


def test_what_cannot_be_added_is_named(workflow: Workflow) -> None:
    with pytest.raises(WorkflowError, match=r"^there is a node of the id '3' already: 3 'Positive' \(Text\)$"):
        workflow.add("Save", node_id="3")
    with pytest.raises(WorkflowError, match=r"node '6': its inputs are a list, not an object"):
        workflow.add("Save", [])  # type: ignore[arg-type] # on purpose
    with pytest.raises(WorkflowError, match=r"node '6': its class_type is a number"):
        workflow.add(1)  # type: ignore[arg-type] # on purpose
    assert workflow == Workflow(graph())


# --- bypass ---


def test_what_a_bypassed_node_is_given_passes_through_by_its_type(workflow: Workflow) -> None:
    workflow["2"].bypass(CATALOG)
    assert workflow["3"]["clip"] == ["1", 1]
    assert workflow["4"]["model"] == ["1", 0]
    assert "2" not in workflow


def test_nothing_passes_through_where_no_type_fits(workflow: Workflow) -> None:
    workflow["3"].bypass(CATALOG)
    assert dict(workflow["4"]) == {"seed": 2**64 - 1, "steps": 20, "model": ["2", 0]}


def test_a_value_does_not_pass_through() -> None:
    workflow = Workflow(graph())
    workflow["2"]["model"] = "a constant"
    workflow["2"].bypass(CATALOG)
    assert "model" not in workflow["4"]
    assert workflow["3"]["clip"] == ["1", 1]


def test_readers_whose_class_nobody_knows_get_the_input_beside_the_output(workflow: Workflow) -> None:
    workflow.add("Unknown", {"a": ["2", 1], "b": ["2", 7]}, node_id="6")
    workflow["2"].bypass(CATALOG)
    assert dict(workflow["6"]) == {"a": ["1", 1], "b": ["1", 0]}


def test_an_input_that_takes_what_comes_wants_what_came() -> None:
    kind = ["COMFY_MATCHTYPE_V3", {"template": {"template_id": "any", "allowed_types": "*"}}]
    catalog = {**CATALOG, "Switch": node("COMFY_MATCHTYPE_V3", required={"one": kind, "other": kind})}
    workflow = Workflow(graph())
    workflow.add("Switch", {"one": ["7", 0]}, node_id="6")
    workflow.add("Sample", {"seed": 1, "model": ["1", 0], "mask": ["1", 5]}, node_id="7")
    workflow["7"].bypass(catalog)  # an IMAGE comes, and none goes in
    assert dict(workflow["6"]) == {}
    workflow["6"]["other"] = ["2", 1]
    workflow["2"].bypass(catalog)
    assert dict(workflow["6"]) == {"other": ["1", 1]}


def test_links_to_outputs_that_there_are_not_are_cut() -> None:
    workflow = Workflow({"1": {"class_type": "Save", "inputs": {}}})
    workflow.add("Save", {"images": ["1", -1]})
    workflow["1"].bypass(CATALOG)
    assert dict(workflow["2"]) == {}


def test_inputs_that_grow_are_rewired(workflow: Workflow) -> None:
    workflow.add("Sum", {"values.v0": ["2", 0], "values.v1": ["2", 0]}, node_id="6")
    workflow["2"].bypass(CATALOG)  # no INT among its inputs
    assert dict(workflow["6"]) == {}


def test_a_node_that_reads_from_itself_is_taken_out(workflow: Workflow) -> None:
    workflow["2"]["model"] = ["2", 0]
    workflow["2"].bypass(CATALOG)
    assert "model" not in workflow["4"]
    workflow.add("Lora", {"model": ["6", 0]})
    workflow["6"].remove()
    assert "6" not in workflow


def test_to_bypass_a_node_its_class_must_be_known(workflow: Workflow) -> None:
    with pytest.raises(WorkflowError, match=r"the catalogue does not have the class of node 2 'Lora'; nearest: 'Lara'"):
        workflow["2"].bypass({"Lara": CATALOG["Lora"]})
    with pytest.raises(WorkflowError, match=r"^a catalogue of nodes is what client.nodes.list\(\) returns, not"):
        workflow["2"].bypass(7)  # type: ignore[arg-type] # on purpose
    assert workflow == Workflow(graph())


def test_what_has_a_widget_gets_its_default_when_it_loses_its_link(workflow: Workflow) -> None:
    workflow.add("Sum", {"values.v0": ["6", 0]}, node_id="6")
    for path in ("4.steps", "4.seed", "5.filename_prefix", "4.mask"):
        workflow.set({path: ["6", 0]}, add=True)
    muted = workflow.copy()
    muted["6"].mute(CATALOG)
    bypassed = workflow.copy()
    bypassed["6"].bypass(CATALOG)
    assert muted == bypassed
    assert dict(muted["4"]) == {"seed": 0, "steps": 20, "model": ["2", 0], "positive": ["3", 0]}
    assert muted["5"]["filename_prefix"] == "x"
    workflow["6"].mute()
    assert dict(workflow["4"]) == {"model": ["2", 0], "positive": ["3", 0]}


# --- outputs ---


def test_outputs_are_what_the_catalogue_says_or_what_nobody_reads(workflow: Workflow) -> None:
    workflow.add("Load", node_id="6")
    workflow.add("Unknown", node_id="7")
    workflow.add("Lora", {"model": ["5", 0]}, node_id="8")
    assert [node.id for node in workflow.outputs(CATALOG)] == ["5"]
    assert [node.id for node in workflow.outputs()] == ["6", "7", "8"]


# --- seeds ---


def test_seeds_are_known_by_their_names(workflow: Workflow) -> None:
    workflow.add(
        "Choice", {"how": "scale", "how.seed": 4, "noise_seed": True, "seeds": 3, "Image_Seed": 1}, node_id="6"
    )
    workflow.add("Sample", {"seed": ["4", 0], "noise_seed": 1.5, "value": 7, "seed.x": 1}, node_id="7")
    before = workflow.copy()
    drawn = workflow.randomize_seeds(rng=random.Random(1))  # noqa: S311 - no secret
    assert list(drawn) == ["4.seed", "6.how.seed", "6.Image_Seed"]
    assert all(1 <= seed < 2**31 for seed in drawn.values())
    again = before.copy()
    again.set(drawn)
    assert again == workflow != before


def test_the_catalogue_knows_how_large_they_may_be(workflow: Workflow) -> None:
    workflow.add("Choice", {"how": "scale", "how.seed": 4, "how.width": 8}, node_id="6")
    workflow.add("Unknown", {"seed": 9}, node_id="7")
    workflow["4"]["small_seed"] = 9
    workflow["2"]["seed"] = 7  # which its class does not declare
    drawn = [workflow.randomize_seeds(CATALOG) for _ in range(60)]
    assert {tuple(seeds) for seeds in drawn} == {("4.seed", "4.small_seed", "6.how.seed", "7.seed")}
    assert {seeds["4.small_seed"] for seeds in drawn} <= {0, 1, 2, 3}
    assert max(seeds["4.seed"] for seeds in drawn) > 2**60
    assert max(seeds["7.seed"] for seeds in drawn) < 2**31
    assert len({seeds["4.seed"] for seeds in drawn}) == 60


@pytest.mark.parametrize(
    ("options", "least", "highest"),
    [
        ({}, 1, 2**31 - 1),
        ({"min": -5, "max": -3}, -5, -3),
        ({"min": -1, "max": 4.0}, 0, 4),
        ({"min": 5, "max": 5}, 5, 5),
        ({"min": "x", "max": math.inf}, 1, 2**31 - 1),
    ],
)
def test_bounds_of_all_kinds(options: dict[str, Any], least: int, highest: int) -> None:
    workflow = Workflow({"1": {"class_type": "Any", "inputs": {"seed": 99}}})
    catalog = {"Any": node(required={"seed": ["INT", options]})}
    assert all(least <= workflow.randomize_seeds(catalog)["1.seed"] <= highest for _ in range(30))


@pytest.mark.parametrize("spec", [["INT", {"min": 5, "max": 3}], ["STRING", {}], ["INT", {"forceInput": True}]])
def test_what_is_no_seed_for_the_class_is_left_alone(spec: Any) -> None:
    workflow = Workflow({"1": {"class_type": "Any", "inputs": {"seed": 99}}})
    assert workflow.randomize_seeds({"Any": node(required={"seed": spec})}) == {}
    assert workflow["1"]["seed"] == 99
