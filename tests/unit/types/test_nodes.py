"""What servers of all ages say of their nodes."""

from __future__ import annotations

from typing import Any

import pytest

from comfyclient._convert import Misfit, structure
from comfyclient.types import InputInfo, NodeInfo
from tests.captures import capture

NODES: dict[str, Any] = capture("object_info")


def node(name: str) -> NodeInfo:
    return structure(NODES[name], NodeInfo)


@pytest.mark.parametrize("name", NODES)
def test_every_recorded_node_fits_without_a_rest(name: str) -> None:
    info = node(name)

    assert info.name == name
    assert info.extra == {}
    sections = [NODES[name]["input"].get(section, {}) for section in ("required", "optional")]
    assert list(info.inputs) == [key for section in sections for key in section]
    assert [key for key, value in info.inputs.items() if value.required] == list(sections[0])


def test_what_is_known_of_a_node() -> None:
    info = node("KSampler")

    assert info.output == ("LATENT",)
    assert info.output_name == ("LATENT",)
    assert info.output_is_list == (False,)
    assert info.category == "model/sampling"
    assert not info.output_node
    assert node("SaveImage").output_node
    assert info.inputs["seed"] == InputInfo("seed", "INT", NODES["KSampler"]["input"]["required"]["seed"][1], True)  # noqa: FBT003


@pytest.mark.parametrize(
    ("name", "input_name", "choices"),
    [
        ("KSampler", "scheduler", NODES["KSampler"]["input"]["required"]["scheduler"][0]),
        ("DualCLIPLoader", "device", ["default", "cpu"]),
        ("ProtoInputs", "combo", ["a", "b", 3]),
        ("ProtoInputs", "boolcombo", [True, False]),
        ("ProtoInputs", "empty_combo", []),
        ("ProtoInputs", "multi", ["x", "y", "z"]),
        ("SaveVideo", "codec", ["auto", "h264"]),
        ("SaveImageAdvanced", "format", ["png", "exr"]),
        ("LoadImageOutput", "image", None),  # its list has to be asked for
        ("KSampler", "seed", None),
        ("KSampler", "model", None),
        ("KSampler", "no such input", None),
        ("MergeSplat", "splats", None),
    ],
)
def test_choices(name: str, input_name: str, choices: list[Any] | None) -> None:
    assert node(name).choices(input_name) == choices


def test_a_choice_is_a_choice_however_it_is_declared() -> None:
    assert node("KSampler").inputs["scheduler"].type == "COMBO"
    assert node("LoadImageOutput").inputs["image"].type == "COMBO"
    assert node("LoadImageOutput").inputs["image"].options["remote"]["route"] == "/internal/files/output"


def test_hidden_inputs_are_none_that_a_prompt_can_give() -> None:
    assert "hidden" in NODES["ProtoInputs"]["input"]
    assert not NODES["ProtoInputs"]["input"]["hidden"].keys() & node("ProtoInputs").inputs.keys()


def test_a_server_of_2024() -> None:
    old = {"input", "name", "display_name", "description", "category", "output_node"}
    old |= {"output", "output_is_list", "output_name"}
    info = structure({key: value for key, value in NODES["KSampler"].items() if key in old}, NodeInfo)

    assert info.choices("scheduler")
    assert info.python_module == ""
    assert not info.deprecated


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"description": ("a", "tuple")}, "description", ""),
        ({"description": None}, "description", ""),
        ({"display_name": None}, "display_name", ""),
        ({"category": 7}, "category", ""),
        ({"output": "IMAGE"}, "output", ("IMAGE",)),
        ({"output": None}, "output", ()),
        ({"output_name": 5}, "output_name", ()),
        ({"search_aliases": None}, "search_aliases", ()),
        ({"deprecated": None}, "deprecated", False),
        ({"experimental": "false"}, "experimental", False),
        ({"api_node": True}, "api_node", True),
        ({"price_badge": {"any": 1}}, "price_badge", {"any": 1}),
    ],
)
def test_what_a_pack_got_wrong_does_not_hide_its_node(given: dict[str, Any], field: str, value: Any) -> None:
    assert getattr(structure({"name": "Odd", **given}, NodeInfo), field) == value


@pytest.mark.parametrize("data", [{}, {"name": None}, {"name": "Odd", "input": []}, {"name": "Odd", "input": None}])
def test_what_decides_how_a_node_is_used_must_fit(data: Any) -> None:
    with pytest.raises(Misfit):
        structure(data, NodeInfo)


@pytest.mark.parametrize(
    ("spec", "kind", "choices"),
    [
        (["INT", {"default": 1}], "INT", None),
        (["INT"], "INT", None),
        ("INT", "INT", None),
        (["INT,FLOAT", None], "INT,FLOAT", None),
        ([["a"], {"options": ["b"]}], "COMBO", ["a"]),
        (["COMBO", {"options": ["b"]}], "COMBO", ["b"]),
        (["COMBO", {"options": "b"}], "COMBO", None),
        (["COMBO"], "COMBO", None),
        (["STRING", {"options": ["b"]}], "STRING", None),
        (
            ["COMFY_DYNAMICCOMBO_V3", {"options": [{"key": "a"}, None, {"key": "b"}]}],
            "COMFY_DYNAMICCOMBO_V3",
            ["a", "b"],
        ),
        ([], "*", None),
        ([None], "*", None),
        (5, "*", None),
        (None, "*", None),
    ],
)
def test_an_input_may_be_written_in_many_ways(spec: Any, kind: str, choices: list[Any] | None) -> None:
    info = InputInfo.read("a", spec, required=False)

    assert (info.type, info.choices) == (kind, choices)


def test_sections_that_are_none() -> None:
    info = structure({"name": "Odd", "input": {"required": None, "optional": {"a": ["INT"]}, "new": {}}}, NodeInfo)

    assert list(info.inputs) == ["a"]


def test_an_input_in_both_sections_is_required() -> None:
    info = structure({"name": "Odd", "input": {"required": {"a": ["INT"]}, "optional": {"a": ["FLOAT"]}}}, NodeInfo)

    assert info.inputs["a"].type == "INT"
    assert info.inputs["a"].required
