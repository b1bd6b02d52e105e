"""``Workflow.validate`` by itself; ``tests/integration/test_validation.py`` compares it with a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import Problem, Workflow, WorkflowError
from comfyclient._convert import hook
from comfyclient._lazy import LazyMapping
from comfyclient._rejection import problems_of
from comfyclient.types import NodeInfo, NodeReplacement
from tests.captures import HERE, catalog
from tests.workflows import Graph, node

if TYPE_CHECKING:
    from collections.abc import Iterable

CATALOG = catalog()
CAPTURED: dict[str, Any] = {
    name: each
    for name, each in json.loads((HERE / "prompt_errors.json").read_text(encoding="utf-8")).items()
    if isinstance(each.get("request"), dict) and "json" in each.get("response", {})
}
NOT_OF_THE_GRAPH = {"no_prompt", "invalid_prompt_id"}
"""Refusals of the request around it."""
NOT_TOLD = {"validate_none", "validate_inputs_str", "validate_raise", "validate_false", "broken_INPUT_TYPES"}
"""What a node does in its own check, no catalogue tells."""
NEVER_SENT = {"missing_inputs_key"}
"""What the document puts right."""


def scene(**changes: Any) -> Graph:
    """A picture scaled and saved; a change is of ``node__input``."""
    graph = {
        "1": node("EmptyImage", width=16, height=16, batch_size=1, color=0),
        "2": node("ImageScaleBy", "Enlarge", image=["1", 0], upscale_method="bilinear", scale_by=2.0),
        "3": node("SaveImage", images=["2", 0], filename_prefix="fox"),
    }
    for place, value in changes.items():
        node_id, name = place.removeprefix("n").split("__")
        graph[node_id]["inputs"][name] = value
    return graph


def problems(graph: Graph) -> list[Problem]:
    return Workflow(graph).validate(CATALOG)


def sentences(found: Iterable[Problem]) -> list[str]:
    return [f"{problem.severity}: {problem}" for problem in found]


# --- against what a real server said ------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(CAPTURED.keys() - NOT_TOLD - NEVER_SENT))
def test_what_the_server_refused_is_found(name: str) -> None:
    graph, answer = CAPTURED[name]["request"].get("prompt"), CAPTURED[name]["response"]["json"]
    error = answer.get("error") or {}
    if error.get("type") in NOT_OF_THE_GRAPH or "partial_execution_targets" in CAPTURED[name]["request"]:
        return
    try:
        workflow = Workflow(graph)
    except WorkflowError:  # found even earlier
        assert error
        return
    found = workflow.validate(CATALOG)
    ours = {(each.node_id, each.kind) for each in found if each.kind}
    named = {each.input for each in found if each.kind}
    theirs = problems_of(answer["node_errors"], workflow, lambda *_: None)
    assert {(each.node_id, each.type) for each in theirs} <= ours
    assert {each.input_name for each in theirs if each.input_name and "exception" not in each.type} <= named
    if error and not theirs:
        assert error["type"] in {each.kind for each in found}
    if not error and not theirs:
        assert not ours


# --- what is said -------------------------------------------------------------------------------------------


def test_a_workflow_that_is_right_has_no_problems() -> None:
    assert problems(scene()) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"n2__scale_by": 99}, "input 'scale_by': 99.0 is above the maximum 8.0"),
        ({"n1__width": 0}, "input 'width': 0 is below the minimum 1"),
        ({"n1__width": "wide"}, "input 'width': 'wide' is no INT"),
        ({"n1__width": None}, "input 'width': None is no INT"),
        (
            {"n2__upscale_method": "bilinaer"},
            "input 'upscale_method': 'bilinaer' is not one of the 5 choices; nearest: 'bilinear'",
        ),
        ({"n2__image": ["1", 3]}, "input 'image' takes output 3 of node 1 'EmptyImage', which has only 1"),
        ({"n2__image": ["3", 0]}, "nodes feed each other in a circle: 2 -> 3 -> 2; remove one of these links"),
        ({"n2__image": ["9", 0]}, "input 'image' points at node '9', which the workflow does not have"),
        ({"n2__scale_by": ["1", 0]}, "input 'scale_by' wants FLOAT, but output 0 of node 1 'EmptyImage' is IMAGE"),
        (
            {"n2__image": [1, 2, 3]},
            'input \'image\' is [1, 2, 3]: a link is written ["node id", 0], a list as a value {"__value__": [...]}',
        ),
    ],
)
def test_an_error_names_node_input_and_what_is_allowed(changes: dict[str, Any], sentence: str) -> None:
    place = next(iter(changes)).removeprefix("n")[0]
    title = {"1": "'EmptyImage'", "2": "'Enlarge' (ImageScaleBy)"}[place]
    found = [each for each in problems(scene(**changes)) if each.node_id == place]
    assert f"error: node {place} {title}: {sentence}" in sentences(found)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"n1__width": 16.7}, "input 'width': 16.7 is a number: the server makes 16 of it"),
        ({"n1__width": "16"}, "input 'width': '16' is a string: the server makes 16 of it"),
        ({"n1__width": True}, "input 'width': True is a boolean: the server makes 1 of it"),
        ({"n3__filename_prefix": None}, "input 'filename_prefix': None is null: the server makes 'None' of it"),
        (
            {"n3__images": "fox.png"},
            "input 'images': 'fox.png' is a string, where only the output of a node will do: IMAGE",
        ),
        (
            {"n3__filename_prefx": "x"},
            "the class has no input 'filename_prefx', and the server ignores it; nearest: 'filename_prefix'",
        ),
    ],
)
def test_what_the_server_swallows_is_a_warning(changes: dict[str, Any], sentence: str) -> None:
    found = problems(scene(**changes))
    assert any(text.startswith("warning: ") and text.endswith(sentence) for text in sentences(found)), found
    assert all(each.severity == "warning" and not each.kind for each in found)


def test_errors_come_before_warnings() -> None:
    found = problems(scene(n1__colour=1, n2__upscale_method="bilinea", n3__prefix="fox"))
    assert [problem.severity for problem in found] == ["error", "warning", "warning"]
    assert [problem.node_id for problem in found] == ["2", "1", "3"]


def test_a_boolean_in_quotes_becomes_true() -> None:
    graph = scene() | {
        "4": node("ComfySwitchNode", switch="false", on_false=["1", 0], on_true=["2", 0]),
        "5": node("PreviewImage", images=["4", 0]),
    }
    [problem] = problems(graph)
    assert problem == Problem(
        "warning",
        "input 'switch': 'false' is a string: the server makes True of it",
        *("4", "ComfySwitchNode", "ComfySwitchNode", "switch"),
    )


@pytest.mark.parametrize("value", [2, 2.0, {"__value__": 2}])
def test_what_is_the_same_in_the_end_is_right(value: Any) -> None:
    assert problems(scene(n2__scale_by=value)) == []
    assert problems(scene(n1__width=value)) == []


def test_a_missing_input_and_its_misspelling() -> None:
    graph = scene()
    graph["3"]["inputs"]["image"] = graph["3"]["inputs"].pop("images")
    assert [text for text in sentences(problems(graph)) if "node 3" in text] == [
        "error: node 3 'SaveImage': input 'images' is missing; the node has 'image'",
        "warning: node 3 'SaveImage': the class has no input 'image', and the server ignores it; nearest: 'images'",
    ]


def test_what_the_client_does_not_send_is_an_error_also_where_no_output_needs_it() -> None:
    graph = scene()
    graph |= {"4": node("ImageInvert", image=["77", 0]), "5": node("ImageInvert", image=["5", 0])}
    errors = [(each.node_id, each.kind) for each in problems(graph) if each.severity == "error"]
    assert errors == [("4", ""), ("5", "")]
    with pytest.raises(WorkflowError, match="has 2 problems"):
        Workflow(graph).check()


def test_a_missing_class() -> None:
    graph = scene()
    graph["2"] = {**node("ImageScalBy", image=["1", 0]), "properties": {"cnr_id": "comfyui-scalers"}}
    [problem] = [each for each in problems(graph) if each.kind == "missing_node_type"]
    assert problem.message.startswith(
        "the server has no class 'ImageScalBy' (it is of the pack 'comfyui-scalers'); nearest: "
    )
    assert problem.nearest[0] == "ImageScaleBy"
    graph["2"]["properties"] = {"cnr_id": "comfy-core"}
    [problem] = [each for each in problems(graph) if each.kind == "missing_node_type"]
    assert "it is ComfyUI's own: is the server too old, " in problem.message
    graph["2"].pop("properties")
    [problem] = [each for each in problems(graph) if each.kind == "missing_node_type"]
    assert "is a pack of custom nodes missing?" in problem.message


def test_a_class_that_the_server_replaces() -> None:
    graph = scene()
    graph["3"]["class_type"] = "SaveImageOld"
    replacements = {"SaveImageOld": (NodeReplacement("SaveImage", "SaveImageOld"),)}
    [problem] = Workflow(graph).validate(CATALOG, replacements=replacements)
    assert (problem.severity, problem.nearest) == ("warning", ("SaveImage",))
    assert "puts 'SaveImage' in its place" in problem.message
    gone = {"SaveImageOld": (NodeReplacement("GoneAsWell", "SaveImageOld"),)}
    assert "missing_node_type" in {each.kind for each in Workflow(graph).validate(CATALOG, replacements=gone)}


def test_a_class_that_the_editor_did_not_have() -> None:
    graph = scene()
    graph["2"]["class_type"] = None
    [problem] = [each for each in problems(graph) if each.node_id == "2"]
    assert (problem.severity, problem.kind, problem.class_type) == ("error", "missing_node_type", "")


def test_files_of_ones_own_are_right_where_they_can_be_uploaded() -> None:
    graph = scene() | {"4": node("LoadImage", image=Path("fox.png")), "5": node("PreviewImage", images=["4", 0])}
    assert problems(graph) == []
    [problem] = problems(scene(n3__filename_prefix=Path("fox.png")))
    assert str(problem) == "node 3 'SaveImage': input 'filename_prefix' is the file 'fox.png', and takes no file"
    assert problem.severity == "error"


def test_what_the_editor_saved_is_converted_first() -> None:
    saved = {
        "version": 0.4,
        "nodes": [{"id": 7, "type": "NoSuchNode", "inputs": [], "outputs": [], "mode": 0, "widgets_values": []}],
        "links": [],
    }
    workflow = Workflow(saved)
    assert workflow.needs_catalog
    assert "prompt_no_outputs" in {problem.kind for problem in workflow.validate(CATALOG)}
    assert workflow.models(CATALOG) == []


def test_nothing_to_run() -> None:
    graph = scene()
    del graph["3"]
    assert [each.kind for each in problems(graph)] == ["prompt_no_outputs"]
    assert [each.kind for each in problems({})] == ["prompt_no_outputs"]


def test_what_no_output_needs_is_not_refused() -> None:
    graph = scene() | {"4": node("ImageScaleBy", image=["1", 0], scale_by=99)}
    assert sentences(problems(graph)) == [
        "warning: node 4 'ImageScaleBy': input 'upscale_method' is missing",
        "warning: node 4 'ImageScaleBy': input 'scale_by': 99.0 is above the maximum 8.0",
        "warning: node 4 'ImageScaleBy': it feeds no output, so the server neither checks nor runs it",
    ]
    graph["4"]["class_type"] = "Nothing"
    assert "missing_node_type" in {each.kind for each in problems(graph)}  # wherever it is


def test_what_the_client_does_not_send_is_an_error_though_the_server_would_take_it() -> None:
    [problem] = problems(scene(n2__image=["1", -1]))
    assert (problem.severity, problem.kind, problem.input) == ("error", "", "image")
    [problem] = problems(scene(n2__scale_by=float("nan")))
    assert (problem.severity, problem.kind, problem.input) == ("error", "", "scale_by")


# --- inputs that bring others along -------------------------------------------------------------------------


def resized(**inputs: Any) -> Graph:
    return scene() | {
        "4": node("ResizeImageMaskNode", input=["1", 0], scale_method="area", **inputs),
        "5": node("PreviewImage", images=["4", 0]),
    }


def test_what_a_choice_brings_along_is_checked() -> None:
    graph = resized(resize_type="scale width")
    assert [(each.kind, each.input) for each in problems(graph)] == [("required_input_missing", "resize_type.width")]
    graph["4"]["inputs"]["resize_type.width"] = -3
    assert [each.kind for each in problems(graph)] == ["value_smaller_than_min"]
    graph["4"]["inputs"] |= {"resize_type.width": 3, "resize_type.multiplier": 2}
    [problem] = problems(graph)
    assert problem.severity == "warning"
    assert "no input 'resize_type.multiplier'" in problem.message


@pytest.mark.parametrize("choice", ["scale with", None, ["1", 0]])
def test_a_choice_that_is_none_makes_the_node_fail(choice: Any) -> None:
    graph = resized() if choice is None else resized(resize_type=choice)
    [problem] = problems(graph)
    assert (problem.severity, problem.input) == ("warning", "resize_type")
    assert "the node fails" in problem.message


def test_a_list_of_inputs() -> None:
    graph = scene() | {"4": node("BatchImagesNode", images=["1", 0]), "5": node("PreviewImage", images=["4", 0])}
    missing, unknown = problems(graph)
    assert (missing.kind, missing.input) == ("required_input_missing", "images.image0")
    assert (unknown.severity, unknown.input) == ("warning", "images")
    assert all(name.startswith("images.image") for name in unknown.nearest)


def test_a_type_that_the_server_does_not_compare() -> None:
    graph = resized(resize_type="scale by multiplier", **{"resize_type.multiplier": 2.0})
    graph |= {"6": node("EmptyLatentImage", width=64, height=64, batch_size=1)}
    graph["4"]["inputs"]["input"] = ["6", 0]
    [problem] = problems(graph)
    assert problem.severity == "warning"
    assert "wants IMAGE or MASK" in problem.message


# --- files --------------------------------------------------------------------------------------------------


def test_a_file_in_another_folder_is_known_to_the_server_only() -> None:
    graph = scene() | {"4": node("LoadImage", image="fox.png"), "5": node("PreviewImage", images=["4", 0])}
    assert [each.kind for each in problems(graph)] == ["custom_validation_failed"]
    for name in ("sub/fox.png", "fox.png [output]"):
        graph["4"]["inputs"]["image"] = name
        assert [each.severity for each in problems(graph)] == ["warning"]
    graph["4"]["inputs"]["image"] = "sub/../../fox.png"  # no server opens that
    assert [each.kind for each in problems(graph)] == ["custom_validation_failed"]


# --- catalogues ---------------------------------------------------------------------------------------------


def test_the_servers_own_answer_is_a_catalogue_too() -> None:
    built = LazyMapping(CATALOG, hook(NodeInfo))
    workflow = Workflow(scene(n1__width=0, n3__filename_prefix=None))
    assert len(workflow.validate(CATALOG)) == 2
    assert workflow.validate(CATALOG) == workflow.validate(built) == workflow.validate(dict(built.items()))


def test_what_is_no_catalogue_says_so() -> None:
    with pytest.raises(WorkflowError, match=r"what client\.nodes\.list\(\) returns, not a list"):
        Workflow(scene()).validate([])  # type: ignore[arg-type]
    with pytest.raises(WorkflowError, match="the catalogue's description of 'EmptyImage' is none: "):
        Workflow(scene()).validate({"EmptyImage": 3})
