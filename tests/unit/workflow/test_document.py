from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.errors import WorkflowError
from comfyclient.workflow import Node, Workflow
from tests.unit.workflow.graphs import graph

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def workflow() -> Workflow:
    return Workflow(graph())


# --- nodes and their inputs ---


def test_a_node_is_a_view_of_its_inputs(workflow: Workflow) -> None:
    node = workflow["6"]
    node["text"] = "a fox"
    node["weight"] = 2  # an input that the export left out
    del node["clip"]
    assert workflow["6"].inputs == {"text": "a fox", "weight": 2}
    assert workflow.to_api()["6"]["inputs"] == {"text": "a fox", "weight": 2}
    assert (node.id, node.class_type, node.title, list(node), len(node)) == (
        *("6", "CLIPTextEncode", "Positive"),
        ["text", "weight"],
        2,
    )
    assert "text" in node
    assert "clip" not in node
    assert node.get("clip", "none") == "none"
    assert isinstance(node, Node)


def test_a_title_is_the_class_until_it_is_set(workflow: Workflow) -> None:
    assert workflow["4"].title == "CheckpointLoaderSimple"
    workflow["4"].title = "Model"
    assert workflow.to_api()["4"]["_meta"] == {"title": "Model"}
    assert workflow.find(title="Model").id == "4"


@pytest.mark.parametrize("meta", [None, "Save", {"title": None}, {"title": ""}, {"title": 3}, {}])
def test_a_title_of_another_shape_is_none(meta: Any) -> None:
    assert Workflow({"1": {"class_type": "X", "inputs": {}, "_meta": meta}})["1"].title == "X"


def test_a_missing_input_names_those_there_are(workflow: Workflow) -> None:
    with pytest.raises(
        WorkflowError, match=r"^node 6 'Positive' \(CLIPTextEncode\) has no input 'txt'; it has 'text', "
    ):
        workflow["6"]["txt"]
    with pytest.raises(KeyError, match="has no input 'txt'"):
        del workflow["6"]["txt"]
    with pytest.raises(WorkflowError, match=r"it has none$"):
        Workflow({"1": {"class_type": "X"}})["1"]["a"]


def test_repr_counts_the_classes_and_shows_no_values(workflow: Workflow) -> None:
    assert repr(workflow) == "<Workflow 5 nodes: CheckpointLoaderSimple, 2 CLIPTextEncode, KSampler, SaveImage>"
    assert repr(Workflow({})) == "<Workflow 0 nodes>"
    assert repr(Workflow({"1": {"class_type": "A"}})) == "<Workflow 1 node: A>"
    many = Workflow({str(number): {"class_type": f"C{number}"} for number in range(9)})
    assert repr(many) == "<Workflow 9 nodes: C0, C1, C2, C3, C4, …>"
    assert repr(workflow["6"]) == "<Node 6 'Positive' (CLIPTextEncode): text, clip>"
    assert repr(many["0"]) == "<Node 0 'C0': no inputs>"


# --- copies, comparison, text ---


def test_nothing_is_shared_with_what_it_was_made_of() -> None:
    source = graph()
    workflow = Workflow(source)
    copy = workflow.copy()
    sent = workflow.to_api()
    workflow["9"]["images"][0] = "6"
    workflow["9"].title = "Other"
    assert source == graph()
    assert copy == Workflow(graph()) != workflow
    assert sent["9"]["inputs"] == {"images": ["104:3", 0]}
    assert Workflow.load(copy) == copy
    assert Workflow.load(copy) is not copy
    assert workflow != graph()


def test_to_api_has_a_meta_for_every_node_and_no_is_changed() -> None:
    raw = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}, "is_changed": [math.nan]},
        "2": {"class_type": "X", "inputs": {"link": ("1", 0)}, "_meta": None, "extra": 1},
        "3": {"class_type": "Y"},
    }
    assert Workflow(raw).to_api() == {
        "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}, "_meta": {}},
        "2": {"class_type": "X", "inputs": {"link": ["1", 0]}, "_meta": {}, "extra": 1},
        "3": {"class_type": "Y", "inputs": {}, "_meta": {}},
    }


def test_values_survive_saving_and_loading(workflow: Workflow, tmp_path: Path) -> None:
    values = {
        "seed": 2**64 - 1,
        "cfg": 1e-300,
        "text": "żółć 💥 \udcff",
        "flag": True,
        "none": None,
        "wrap": {"__value__": [1]},
    }
    workflow["6"].inputs.update(values)
    workflow.save(tmp_path / "new.json")
    again = Workflow.load(tmp_path / "new.json")
    assert again == workflow
    assert {name: again["6"][name] for name in values} == values
    assert type(again["6"]["flag"]) is bool
    assert (tmp_path / "new.json").read_bytes().endswith(b"\n}\n")
    assert json.loads(workflow.to_json()) == workflow.to_api()


def test_save_leaves_the_file_alone_when_json_cannot_hold_a_value(workflow: Workflow, tmp_path: Path) -> None:
    path = tmp_path / "workflow.json"
    workflow.save(path)
    before = path.read_bytes()
    workflow["104:3"]["cfg"] = math.inf
    with pytest.raises(WorkflowError, match="node 104:3 'KSampler': input 'cfg' is inf"):
        workflow.save(path)
    assert path.read_bytes() == before


def test_a_value_that_contains_itself_is_refused(workflow: Workflow) -> None:
    loop: list[Any] = []
    loop.append(loop)
    workflow["6"]["text"] = loop
    for call in (workflow.copy, workflow.to_api, workflow.check, workflow.to_json):
        with pytest.raises(WorkflowError):
            call()
    with pytest.raises(WorkflowError, match="contains itself"):
        Workflow({"1": {"class_type": "X", "inputs": {"a": loop}}})
