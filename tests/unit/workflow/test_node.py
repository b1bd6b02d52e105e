from __future__ import annotations

import pytest

from comfyclient.errors import WorkflowError
from comfyclient.workflow import Workflow
from comfyclient.workflow.node import leaves, needed


@pytest.fixture
def workflow() -> Workflow:
    """Two branches from one loader: an image of two steps, and another output that only reads."""
    return Workflow(
        {
            "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "a"}},
            "8": {"class_type": "ImageBlend", "inputs": {"image1": ["1", 0], "image2": ["2", 0]}},
            "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
            "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
            "7": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
        }
    )


def test_a_node_knows_the_nodes_around_it(workflow: Workflow) -> None:
    blend, load = workflow["8"], workflow["1"]
    assert {name: node.id for name, node in blend.sources.items()} == {"image1": "1", "image2": "2"}
    assert [node.id for node in load.consumers] == ["8", "2", "7"]
    assert [node.id for node in blend.upstream] == ["2", "1"]
    assert [node.id for node in load.downstream] == ["9", "8", "2", "7"]
    assert load.sources == {}
    assert load.upstream == []
    assert workflow["9"].consumers == workflow["9"].downstream == []


def test_what_links_to_nowhere_or_in_a_circle_is_followed_too(workflow: Workflow) -> None:
    workflow["2"]["image"] = ["9", 0]
    workflow["7"]["images"] = ["no", 0]
    assert [node.id for node in workflow["2"].upstream] == ["9", "8", "1"]
    assert [node.id for node in workflow["2"].downstream] == ["9", "8"]
    assert workflow["7"].sources == {}


def test_nodes_are_views_of_one_workflow(workflow: Workflow) -> None:
    workflow["9"].sources["images"].sources["image2"].title = "Negative"
    assert workflow.find(title="Negative").id == "2"


def test_an_output_is_a_link_for_any_input(workflow: Workflow) -> None:
    workflow["9"]["images"] = workflow["2"].output()
    workflow.set({"7.images": workflow["1"].output(1)})
    assert workflow["9"]["images"] == ["2", 0]
    assert workflow["7"]["images"] == ["1", 1]
    with pytest.raises(ValueError, match=r"^outputs are counted from 0: -1 is none$"):
        workflow["2"].output(-1)
    with pytest.raises(TypeError, match=r"^outputs are numbers, counted from 0, not a string$"):
        workflow["2"].output("IMAGE")  # type: ignore[arg-type]


def test_a_node_is_no_value_but_its_outputs_are(workflow: Workflow) -> None:
    workflow["9"]["images"] = workflow["2"]
    message = r"input 'images' holds a Node: link it to one of its outputs, with \.output\(\)$"
    with pytest.raises(WorkflowError, match=message):
        workflow.check()


def test_a_node_that_is_read_from_is_not_removed(workflow: Workflow) -> None:
    before = workflow.copy()
    with pytest.raises(WorkflowError) as caught:
        workflow["1"].remove()
    assert str(caught.value) == (
        "'8.image1' of 8 'ImageBlend', '2.image' of 2 'ImageInvert', '7.images' of 7 'PreviewImage' read from node "
        "1 'LoadImage': link elsewhere first, or mute or bypass it"
    )
    assert workflow == before
    workflow["7"].remove()
    assert "7" not in workflow


def test_a_muted_node_leaves_its_readers_without_a_value(workflow: Workflow) -> None:
    workflow["1"].mute()
    assert {node_id: dict(node) for node_id, node in workflow.items()} == {
        "9": {"images": ["8", 0], "filename_prefix": "a"},
        "8": {"image2": ["2", 0]},
        "2": {},
        "7": {},
    }


def test_a_node_is_taken_out_once(workflow: Workflow) -> None:
    node = workflow["7"]
    node.mute()
    for again in (node.mute, node.remove, lambda: node.bypass({})):
        with pytest.raises(WorkflowError, match=r"^node 7 is not in the workflow any more$"):
            again()


def test_what_several_nodes_need(workflow: Workflow) -> None:
    assert needed(workflow, ["2"]) == {"1", "2"}
    assert needed(workflow, ["9", "7", "nowhere"]) == set(workflow)
    assert needed(workflow, []) == set()


def test_leaves_feed_nobody() -> None:
    graph = {
        str(number): {"class_type": "ImageInvert", "inputs": {"image": [str(number - 1), 0]} if number else {}}
        for number in range(5)
    }
    workflow = Workflow(graph)
    assert leaves(workflow) == {"4"}
    workflow["4"]["image"] = ["2", 0]
    assert leaves(workflow) == {"3", "4"}
    assert leaves(Workflow({})) == set()
