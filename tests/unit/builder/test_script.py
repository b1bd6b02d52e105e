"""``to_python``: the script makes the very same workflow."""

from __future__ import annotations

import ast
import json
import math
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfyclient import Workflow, WorkflowError
from comfyclient.builder import Builder, to_python
from tests.captures import catalog
from tests.workflows import Graph, node

CATALOG = catalog()
SCRIPT = '''\
"""A workflow for ComfyUI."""

from comfyclient import Client, Workflow
from comfyclient.builder import Builder


def build(g: Builder) -> Workflow:
    """Build the workflow."""
    empty_image = g.EmptyImage(width=16, height=16, batch_size=1, color=0)
    g.SaveImage(images=empty_image, filename_prefix="fox")
    _, _, vae = g.ImageOnlyCheckpointLoader(
        ckpt_name="svd.safetensors",
        _id="9",
        _title="The model of this workflow",
        _check=False,
    )
    g.VAEEncode(pixels=empty_image, vae=vae, _id="10")
    return g.workflow()


if __name__ == "__main__":
    with Client() as client:
        client.run(build(client.builder()))
'''


def rebuilt(code: str) -> Workflow:
    """What the script's function makes."""
    names: dict[str, Any] = {"__name__": "script"}
    exec(compile(code, "script.py", "exec"), names)  # noqa: S102 - that is what it is for
    workflow: Workflow = names["build"](Builder(CATALOG))
    return workflow


def body(graph: Graph) -> list[str]:
    """The script's statements, which make the same again."""
    code = to_python(Workflow(graph), CATALOG)
    same(rebuilt(code), Workflow(graph))
    return [ast.unparse(each) for each in _function(code).body[1:-1]]


def _function(code: str) -> ast.FunctionDef:
    return next(each for each in ast.parse(code).body if isinstance(each, ast.FunctionDef))


def same(one: Workflow, other: Workflow) -> None:
    """Down to the difference between 1 and 1.0; NaN is NaN."""
    assert json.dumps(one.to_api(), sort_keys=True) == json.dumps(other.to_api(), sort_keys=True)


def picture(**more: Any) -> Graph:
    return {
        "1": node("EmptyImage", "Empty Image", width=16, height=16, batch_size=1, color=0),
        "2": node("SaveImage", "Save Image", images=["1", 0], filename_prefix="fox", **more),
    }


# --- what is written ----------------------------------------------------------------------------------------


def test_a_script_reads_like_one_that_a_person_wrote() -> None:
    graph = picture()
    graph["9"] = node("ImageOnlyCheckpointLoader", "The model of this workflow", ckpt_name="svd.safetensors")
    graph["10"] = node("VAEEncode", "VAE Encode", pixels=["1", 0], vae=["9", 2])
    assert to_python(Workflow(graph), CATALOG) == SCRIPT


def test_nodes_come_after_those_that_they_need() -> None:
    graph = dict(reversed(picture().items()))
    assert [statement.split("(")[0] for statement in body(graph)] == ["empty_image = g.EmptyImage", "g.SaveImage"]


def test_names_are_distinct_and_none_of_pythons() -> None:
    graph = {
        "1": node("EmptyImage", "Print", width=1, height=1, batch_size=1, color=0),
        "2": node("EmptyImage", "print!", width=1, height=1, batch_size=1, color=0),
        "3": node("EmptyImage", "猫", width=1, height=1, batch_size=1, color=0),
        "4": node("EmptyImage", "For", width=1, height=1, batch_size=1, color=0),
        "5": node("EmptyImage", "2 girls", width=1, height=1, batch_size=1, color=0),
        "6": node("BatchImagesNode"),
    }
    graph["6"]["inputs"] = {f"images.image{number}": [str(number + 1), 0] for number in range(5)}
    statements = body(graph)
    assert [each.split(" = ")[0] for each in statements[:5]] == ["print_", "print_2", "node", "for_", "_2_girls"]
    assert "images=[print_, print_2, node, for_, _2_girls]" in statements[5]


def test_lists_with_gaps_and_with_names_are_dicts() -> None:
    graph = picture() | {"3": node("BatchImagesNode")}
    graph["3"]["inputs"] = {"images.image0": ["1", 0], "images.image4": ["1", 0]}
    assert "images={'image0': empty_image, 'image4': empty_image}" in body(graph)[2]
    text = node("StringFormat", **{"f_string": "{a}", "values.a": "fox"})
    assert "values={'a': 'fox'}" in body({"1": text})[0]


def test_inputs_that_a_choice_brings_along() -> None:
    graph = picture()
    resized: dict[str, Any] = {"resize_type": "scale width", "resize_type.width": 8, "scale_method": "area"}
    graph["3"] = node("ResizeImageMaskNode", "Resize Image/Mask", input=["1", 0], **resized)
    assert body(graph)[2] == (
        "g.ResizeImageMaskNode(input=empty_image, resize_type='scale width', resize_type__width=8, scale_method='area')"
    )


def test_long_texts_are_broken_into_lines() -> None:
    text = "A fox.\n" + "It runs through the snow. " * 12 + "\n\n\tEnd\r\n"
    graph = picture()
    graph["2"]["inputs"]["filename_prefix"] = text
    code = to_python(Workflow(graph), CATALOG)
    assert max(map(len, code.splitlines())) < 120
    same(rebuilt(code), Workflow(graph))


def test_what_the_catalogue_does_not_allow_is_not_checked() -> None:
    assert body(picture(mode="x"))[1].startswith("g.add({'class_type': 'SaveImage', 'inputs': {'images': empty_image")
    graph = picture()
    graph["1"]["inputs"]["width"] = -5
    assert body(graph)[0].endswith("_check=False)")
    del graph["1"]["inputs"]["width"]
    assert body(graph)[0].endswith("_check=False)")


def test_nodes_of_classes_that_are_not_there() -> None:
    graph = picture()
    graph["3"] = {**node("Elsewhere", "Magic", image=["1", 0], mode=[1, 2]), "note": "kept"}
    graph["4"] = node("PreviewImage", images=["3", 1])
    statements = body(graph)
    assert statements[2].startswith(
        "magic = g.add({'class_type': 'Elsewhere', 'inputs': {'image': empty_image, 'mode': [1, 2]}"
    )
    assert "images=magic[1]" in statements[3]


@pytest.mark.parametrize(
    "change",
    [
        {"images": ["2", 0]},  # a circle
        {"images": ["99", 0]},
        {"images": ["1", 7]},
        {"images": ["1", -1]},
        {"images": ["1", True]},
        {"images": [1, 0]},
        {"filename_prefix": None},
        {"filename_prefix": {"__value__": ["a", "b"]}},
        {"filename_prefix": {"__value__": "a"}},
        {"extra": 1},
        {"images": "text"},
    ],
)
def test_what_is_wrong_stays_wrong(change: dict[str, Any]) -> None:
    graph = picture()
    graph["2"]["inputs"] |= change
    body(graph)


@pytest.mark.parametrize("meta", [{}, {"title": ""}, {"title": "Save Image", "more": 1}, {"title": 3}])
def test_titles_stay_as_they_are(meta: dict[str, Any]) -> None:
    graph = picture()
    graph["2"]["_meta"] = meta
    body(graph)


@pytest.mark.parametrize("name", ["Epsilon Scaling", "ModelMergeSD1"])
def test_names_that_are_none_in_python(name: str) -> None:
    kinds = {each: spec[0] for each, spec in CATALOG[name]["input"]["required"].items()}
    graph = {"1": node("Elsewhere"), "2": node(name)}
    graph["2"]["inputs"] = {each: 0.5 if kind == "FLOAT" else ["1", 0] for each, kind in kinds.items()}
    statements = body(graph)
    assert statements[1].startswith(f"g.{name.replace(' ', '_')}(")


def test_what_python_cannot_write_is_named() -> None:
    graph = picture()
    graph["2"]["inputs"]["filename_prefix"] = {1, 2}
    with pytest.raises(WorkflowError, match=r"^node 2 'Save Image' \(SaveImage\): a set cannot be written down$"):
        to_python(Workflow(graph), CATALOG)


def test_numbers_that_have_no_literal() -> None:
    graph = picture()
    graph["1"]["inputs"] |= {"width": math.inf, "height": math.nan, "color": 2**64 - 1}
    body(graph)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NODES = st.builds(
    lambda class_type, title, inputs: {"class_type": class_type, "inputs": inputs, "_meta": {"title": title}},
    st.sampled_from(["EmptyImage", "SaveImage", "BatchImagesNode", "ResizeImageMaskNode", "KSampler", "Nothing"]),
    st.text(),
    st.dictionaries(
        st.sampled_from(["width", "images", "images.image0", "images.image2", "resize_type", "seed", "mask", "a b"]),
        VALUES | st.tuples(st.sampled_from(["1", "2", "x:3", "nowhere"]), st.integers(-1, 4)).map(list),
    ),
)


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(["1", "2", "x:3", "10"]), NODES, max_size=4))
def test_any_workflow_comes_back(graph: Graph) -> None:
    workflow = Workflow(graph)
    same(rebuilt(to_python(workflow, CATALOG)), workflow)


def test_what_is_no_workflow_is_told() -> None:
    wrong: Any = "portrait.json"
    with pytest.raises(TypeError, match=r"^what is written is a Workflow, not a string: see Workflow\.load$"):
        to_python(wrong, {})


@pytest.mark.parametrize("class_type", ["ImageInvert", "Nothing"], ids=["a class", "a class that is missing"])
def test_the_work_grows_with_the_nodes_and_no_faster(class_type: str) -> None:
    """Calls of functions are counted, those in C and the turns of generators included."""

    def work(count: int) -> int:
        graph = {str(number): node(class_type, image=[str(number - 1), 0]) for number in range(1, count)}
        workflow = Workflow({"0": picture()["1"], **graph})
        calls = 0

        def called(*_: object) -> None:
            nonlocal calls
            calls += 1

        before = sys.getprofile()
        sys.setprofile(called)
        try:
            to_python(workflow, CATALOG)
        finally:
            sys.setprofile(before)
        return calls

    few, some, many = work(100), work(200), work(400)
    assert many - some <= 2.1 * (some - few)
