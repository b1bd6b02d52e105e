"""What servers of all ages say of their nodes."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from comfyclient._convert import Misfit, structure
from comfyclient.types import InputInfo, NodeInfo
from tests.captures import HERE, capture

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


def test_every_node_of_a_server_fits_without_a_rest() -> None:
    recorded = json.loads(gzip.decompress((HERE / "0.30.0" / "object_info_all.json.gz").read_bytes()))
    assert len(recorded) == 610
    for name, entry in recorded.items():
        info = structure(entry, NodeInfo)
        assert (info.name, info.extra) == (name, {})
        for given in info.inputs_for({}).values():
            assert all(given.types)
            if given.type == "COMBO":
                assert given.choices is not None or "remote" in given.options


def test_what_is_known_of_a_node() -> None:
    info = node("KSampler")

    assert info.output == ["LATENT"]
    assert info.output_name == ["LATENT"]
    assert info.output_is_list == [False]
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
    assert info.extra == {}
    assert info.python_module == ""
    assert not info.deprecated


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"description": ("a", "tuple")}, "description", ""),
        ({"description": None}, "description", ""),
        ({"display_name": None}, "display_name", ""),
        ({"category": 7}, "category", ""),
        ({"output": "IMAGE"}, "output", ["IMAGE"]),
        ({"output": None}, "output", []),
        ({"output_name": 5}, "output_name", []),
        ({"search_aliases": None}, "search_aliases", []),
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


# --- inputs that depend on others ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("ResizeImageMaskNode", {}, ["input", "resize_type", "scale_method"]),
        ("ResizeImageMaskNode", {"resize_type": "no such type"}, ["input", "resize_type", "scale_method"]),
        (
            "ResizeImageMaskNode",
            {"resize_type": "match size"},
            ["input", "resize_type", "resize_type.match", "resize_type.crop", "scale_method"],
        ),
        ("SaveVideo", {"codec": "auto"}, ["video", "filename_prefix", "format", "codec"]),
        ("SaveVideo", {"codec": "h264"}, ["video", "filename_prefix", "format", "codec", "codec.encoding"]),
        (
            "SaveVideo",
            {"codec": "h264", "codec.encoding": "re-encode"},
            ["video", "filename_prefix", "format", "codec", "codec.encoding", "codec.encoding.crf"],
        ),
        ("MergeSplat", {}, [f"splats.splat{number}" for number in range(32)]),
        ("EmptyImage", {"color": 1}, ["width", "height", "batch_size", "color"]),
    ],
)
def test_inputs_that_a_prompt_can_give(name: str, values: dict[str, Any], expected: list[str]) -> None:
    found = node(name).inputs_for(values)

    assert list(found) == expected
    assert [info.name for info in found.values()] == expected


def test_what_an_option_brings_is_read_like_any_input() -> None:
    found = node("SaveVideo").inputs_for({"codec": "h264", "codec.encoding": "re-encode"})

    assert found["codec"].required
    assert found["codec.encoding"].choices == ["auto", "re-encode"]
    assert not found["codec.encoding"].required
    assert (found["codec.encoding.crf"].type, found["codec.encoding.crf"].required) == ("FLOAT", True)
    assert found["codec.encoding.crf"].options["default"] > 0


def test_the_places_of_a_list() -> None:
    places = list(node("MergeSplat").inputs_for({}).values())

    assert [place.required for place in places[:3]] == [True, True, False], "at least two"
    assert {place.types for place in places} == {("SPLAT",)}


def read(*spec: Any) -> InputInfo:
    return InputInfo.read("a", list(spec), required=True)


def autogrow(**template: Any) -> InputInfo:
    return read("COMFY_AUTOGROW_V3", {"template": template})


ONE = {"required": {"value": ["INT", {"default": 1}]}}


@pytest.mark.parametrize(
    ("info", "value", "expected"),
    [
        (autogrow(input=ONE, names=["x", "y"], min=1), None, {"a.x": True, "a.y": False}),
        (autogrow(input=ONE, prefix="n", min=0, max=2), None, {"a.n0": False, "a.n1": False}),
        (autogrow(input={"optional": ONE["required"]}, prefix="n", min=2, max=2), None, {"a.n0": False, "a.n1": False}),
        (autogrow(input={"required": {}, "optional": ONE["required"]}, names=["x"], min=1), None, {"a.x": False}),
        (autogrow(input={}, names=["x"], min=1), None, {}),
        (autogrow(input=ONE, prefix="n", min="1", max=None), None, {}),
        (autogrow(input=ONE, names="xy"), None, {}),
        (autogrow(), None, {}),
        (read("COMFY_AUTOGROW_V3"), None, {}),
        (read("COMFY_AUTOGROW_V3", {"template": 5}), None, {}),
        (read("COMFY_DYNAMICCOMBO_V3", {"options": [{"key": 1, "inputs": ONE}]}), 1, {"a.value": True}),
        (read("COMFY_DYNAMICCOMBO_V3", {"options": [{"key": 1, "inputs": ONE}]}), None, {}),
        (read("COMFY_DYNAMICCOMBO_V3", {"options": [5, {"key": 1}, {"key": 1, "inputs": ONE}]}), 1, {}),
        (read("COMFY_DYNAMICCOMBO_V3", {"options": 5}), 1, {}),
        (read("COMFY_DYNAMICSLOT_V3", {"slotType": "IMAGE", "inputs": ONE}), ["1", 0], {"a.value": True}),
        (read("COMFY_DYNAMICSLOT_V3", {"slotType": "IMAGE", "inputs": ONE}), None, {}),
        (read("INT", {"inputs": ONE, "options": [{"key": 1, "inputs": ONE}], "template": {"input": ONE}}), 1, {}),
    ],
)
def test_what_an_input_brings(info: InputInfo, value: Any, expected: dict[str, bool]) -> None:
    assert {name: brought.required for name, brought in info.brings(value).items()} == expected


def test_a_list_has_an_end_whatever_a_pack_says() -> None:
    assert len(autogrow(input=ONE, prefix="n", min=0, max=10**9).brings()) == 100
    assert len(autogrow(input=ONE, names=[*range(1000)], min=0).brings()) == 100


@pytest.mark.parametrize(
    ("info", "types"),
    [
        (read("INT,FLOAT"), ("INT", "FLOAT")),
        (read("*"), ("*",)),
        (read(["a", "b"]), ("COMBO",)),
        (
            read("COMFY_MATCHTYPE_V3", {"template": {"template_id": "t", "allowed_types": "IMAGE,MASK"}}),
            ("IMAGE", "MASK"),
        ),
        (read("COMFY_MATCHTYPE_V3"), ("*",)),
        (read("COMFY_DYNAMICSLOT_V3", {"slotType": "IMAGE"}), ("IMAGE",)),
        (read("COMFY_DYNAMICSLOT_V3", {"slotType": 5}), ("*",)),
    ],
)
def test_types_that_can_be_linked(info: InputInfo, types: tuple[str, ...]) -> None:
    assert info.types == types


def test_every_output_has_a_name() -> None:
    assert NodeInfo("A", output=["X", ["a", "b"], "Y"], output_name=["first"]).output_names == ["first", "COMBO", "Y"]
    assert NodeInfo("A", output=["X"], output_name=["one", "too many"]).output_names == ["one"]


@pytest.mark.parametrize(
    ("kind", "brings_more", "takes_many"),
    [
        ("COMFY_AUTOGROW_V3", True, True),
        ("COMFY_DYNAMICCOMBO_V3", True, False),
        ("COMFY_DYNAMICSLOT_V3", True, False),
        ("COMBO", False, False),
        ("IMAGE", False, False),
    ],
)
def test_what_kind_of_input_it_is(kind: str, *, brings_more: bool, takes_many: bool) -> None:
    info = InputInfo("x", kind, {}, required=True)
    assert (info.brings_more, info.takes_many) == (brings_more, takes_many)
