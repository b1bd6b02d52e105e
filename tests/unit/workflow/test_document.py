from __future__ import annotations

import json
import math
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.errors import WorkflowError
from comfyclient.workflow import Node, Workflow

if TYPE_CHECKING:
    from pathlib import Path


def graph() -> dict[str, Any]:
    return {
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd15.safetensors"}},
        "6": {
            "class_type": "CLIPTextEncode",
            "inputs": {"text": "a cat", "clip": ["4", 1]},
            "_meta": {"title": "Positive"},
        },
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["4", 1]}, "_meta": {"title": "No. 2"}},
        "104:3": {"class_type": "KSampler", "inputs": {"seed": 1, "positive": ["6", 0], "negative": ["7", 0]}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["104:3", 0]}, "_meta": {"title": "Save"}},
    }


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


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("66", "nearest: 6 'Positive' (CLIPTextEncode)"),
        ("ksampler", "nearest: 104:3 'KSampler'"),
        ("positiv", "nearest: 6 'Positive' (CLIPTextEncode)"),
        (6, "nearest: 6 'Positive' (CLIPTextEncode)"),
        ("Xyz", "there are 4 'CheckpointLoaderSimple', 6 'Positive' (CLIPTextEncode), "),
    ],
)
def test_an_unknown_node_names_the_nearest(workflow: Workflow, key: Any, nearest: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        workflow[key]
    assert str(caught.value).startswith(f"no node has the id {key!r}; {nearest}")
    assert isinstance(caught.value, KeyError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - our own


def test_a_workflow_is_a_mapping_of_ids_to_nodes(workflow: Workflow) -> None:
    assert list(workflow) == list(graph())
    assert len(workflow) == 5
    assert "9" in workflow
    assert "Save" not in workflow
    assert workflow.get("10") is None
    assert [node.title for node in workflow.values()][-1] == "Save"


def test_repr_counts_the_classes_and_shows_no_values(workflow: Workflow) -> None:
    assert repr(workflow) == "<Workflow 5 nodes: CheckpointLoaderSimple, 2 CLIPTextEncode, KSampler, SaveImage>"
    assert repr(Workflow({})) == "<Workflow 0 nodes>"
    assert repr(Workflow({"1": {"class_type": "A"}})) == "<Workflow 1 node: A>"
    many = Workflow({str(number): {"class_type": f"C{number}"} for number in range(9)})
    assert repr(many) == "<Workflow 9 nodes: C0, C1, C2, C3, C4, …>"
    assert repr(workflow["6"]) == "<Node 6 'Positive' (CLIPTextEncode): text, clip>"
    assert repr(many["0"]) == "<Node 0 'C0': no inputs>"


# --- what the jobs ask it ---


def test_titles_and_classes(workflow: Workflow) -> None:
    assert workflow.title("6") == "Positive"
    assert workflow.title("9.0.0.3") == "9.0.0.3"
    assert workflow.class_type("6") == "CLIPTextEncode"
    assert workflow.class_type("9.0.0.3") is None


# --- finding ---


def test_find_by_class_and_title(workflow: Workflow) -> None:
    assert workflow.find(class_type="KSampler").id == "104:3"
    assert workflow.find(title="No. 2").id == "7"
    assert workflow.find(class_type="CLIPTextEncode", title="Positive").id == "6"
    assert workflow.find(title="KSampler").id == "104:3"  # where nobody gave a title, the class is it
    assert [node.id for node in workflow.find_all(class_type="CLIPTextEncode")] == ["6", "7"]
    assert [node.id for node in workflow.find_all()] == list(workflow)
    assert workflow.find_all(title="nobody") == []


def test_find_lists_the_candidates_of_several(workflow: Workflow) -> None:
    with pytest.raises(WorkflowError) as caught:
        workflow.find(class_type="CLIPTextEncode")
    assert str(caught.value) == (
        "2 nodes have the class_type 'CLIPTextEncode': 6 'Positive' (CLIPTextEncode), 7 'No. 2' (CLIPTextEncode); "
        "take one by its id"
    )


def test_find_lists_the_nearest_of_none(workflow: Workflow) -> None:
    with pytest.raises(WorkflowError, match=r"^no node has the class_type 'Ksampler'; nearest: 104:3 'KSampler'$"):
        workflow.find(class_type="Ksampler")
    with pytest.raises(WorkflowError, match=r"^no node has the title 'positive'; nearest: 6 'Positive'"):
        workflow.find(title="positive")
    with pytest.raises(WorkflowError, match=r"^no node has an id; there are no nodes$"):
        Workflow({}).find()


def test_find_by_an_input(workflow: Workflow) -> None:
    assert workflow.find(has_input="seed").id == "104:3"
    assert [node.id for node in workflow.find_all(has_input="clip")] == ["6", "7"]
    assert workflow.find(has_input="clip", title="Positive").id == "6"
    with pytest.raises(WorkflowError, match=r"^no node has the title 'Save' and the input 'image'; nearest: 'images'$"):
        workflow.find(title="Save", has_input="image")
    with pytest.raises(WorkflowError, match=r"^no node has the title 'Sav' and the input 'images'; nearest: 9 'Save'"):
        workflow.find(title="Sav", has_input="images")
    with pytest.raises(WorkflowError, match=r"^2 nodes have the input 'clip': 6 'Positive' \(CLIPTextEncode\), 7 "):
        workflow.find(has_input="clip")


# --- set ---


@pytest.mark.parametrize(
    ("path", "node_id", "name"),
    [
        ("6.text", "6", "text"),
        ("Positive.text", "6", "text"),
        ("No. 2.text", "7", "text"),  # a title with dots and spaces
        ("104:3.seed", "104:3", "seed"),
        ("KSampler.seed", "104:3", "seed"),
        ("CheckpointLoaderSimple.ckpt_name", "4", "ckpt_name"),
    ],
)
def test_set_resolves_ids_titles_and_classes(workflow: Workflow, path: str, node_id: str, name: str) -> None:
    workflow.set({path: "new"})
    assert workflow[node_id][name] == "new"
    changed = {key for key, node in workflow.items() if "new" in node.values()}
    assert changed == {node_id}


def test_set_prefers_the_id_and_takes_the_input_that_exists() -> None:
    workflow = Workflow(
        {
            "1": {"class_type": "A", "inputs": {"x": 0, "images.image0": 0}},
            "2": {"class_type": "B", "inputs": {"x": 0, "y": 0}, "_meta": {"title": "1"}},
            "3": {"class_type": "B", "inputs": {"z": 0}, "_meta": {"title": "1.images"}},
            "4": {"class_type": "C", "inputs": {"x": 0}},
            "5": {"class_type": "C", "inputs": {"x": 0, "y": 0}},
        }
    )
    workflow.set({"1.x": 1, "1.y": 2, "1.images.image0": 3, "1.images.z": 4, "C.y": 5})
    assert {key: dict(node) for key, node in workflow.items()} == {
        "1": {"x": 1, "images.image0": 3},
        "2": {"x": 0, "y": 2},
        "3": {"z": 4},
        "4": {"x": 0},
        "5": {"x": 0, "y": 5},
    }
    with pytest.raises(WorkflowError, match=r"^'C.x' fits more than one input: '4.x' of 4 'C', '5.x' of 5 'C'$"):
        workflow.set({"C.x": 1})


def test_set_tells_everything_that_is_wrong_and_changes_nothing(workflow: Workflow) -> None:
    with pytest.raises(WorkflowError) as caught:
        workflow.set({"6.text": "new", "KSampler.sed": 1, "CLIPTextEncode.text": 2, "Sav.images": 3, "text": 4, ".": 5})
    assert str(caught.value).splitlines() == [
        "the workflow has 5 problems:",
        "  - 'KSampler.sed': node 104:3 'KSampler' has no input 'sed'; nearest: 'seed'; add=True would add it",
        (
            "  - 'CLIPTextEncode.text' fits more than one input: '6.text' of 6 'Positive' (CLIPTextEncode), "
            "'7.text' of 7 'No. 2' (CLIPTextEncode)"
        ),
        "  - 'Sav.images': no node has such an id, title or class; nearest: 9 'Save' (SaveImage)",
        "  - 'text' names no input: write '<node>.<input>'",
        "  - '.' names no input: write '<node>.<input>'",
    ]
    assert workflow == Workflow(graph())


def test_set_adds_inputs_only_when_told(workflow: Workflow) -> None:
    with pytest.raises(WorkflowError, match=r"has no input 'denoise'; add=True would add it$"):
        workflow.set({"KSampler.denoise": 0.5})
    workflow.set({"KSampler.denoise": 0.5}, add=True)
    assert workflow["104:3"]["denoise"] == 0.5
    with pytest.raises(WorkflowError, match="fits more than one input"):
        workflow.set({"CLIPTextEncode.weight": 1}, add=True)
    with pytest.raises(WorkflowError, match="no node has such an id"):
        workflow.set({"Nobody.weight": 1}, add=True)


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
