from __future__ import annotations

import pickle
from typing import Any

import pytest

from comfyclient.errors import WorkflowError
from comfyclient.workflow import Workflow
from tests.unit.workflow.graphs import graph


@pytest.fixture
def workflow() -> Workflow:
    return Workflow(graph())


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


def test_a_notebook_completes_ids_and_names(workflow: Workflow) -> None:
    assert workflow._ipython_key_completions_() == ["4", "6", "7", "104:3", "9"]
    assert workflow["6"]._ipython_key_completions_() == ["text", "clip"]


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


def test_what_is_none_of_the_right_kind_is_told(workflow: Workflow) -> None:
    wrong: Any = {6: "a fox"}
    with pytest.raises(WorkflowError, match=r"^6 is no path: write '<node>\.<input>'$"):
        workflow.set(wrong)
    wrong = "6.text"
    for do in (workflow.set, workflow.diff):
        with pytest.raises(TypeError, match=r"not (with )?a string$"):
            do(wrong)


def test_set_adds_inputs_only_when_told(workflow: Workflow) -> None:
    with pytest.raises(WorkflowError, match=r"has no input 'denoise'; add=True would add it$"):
        workflow.set({"KSampler.denoise": 0.5})
    workflow.set({"KSampler.denoise": 0.5}, add=True)
    assert workflow["104:3"]["denoise"] == 0.5
    with pytest.raises(WorkflowError, match="fits more than one input"):
        workflow.set({"CLIPTextEncode.weight": 1}, add=True)
    with pytest.raises(WorkflowError, match="no node has such an id"):
        workflow.set({"Nobody.weight": 1}, add=True)
