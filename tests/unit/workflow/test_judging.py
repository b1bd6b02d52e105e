"""What the server makes of one value or one link, as far as whole workflows hardly show it."""

from __future__ import annotations

from typing import Any

import pytest

from comfyclient.types import InputInfo
from comfyclient.workflow import judging
from comfyclient.workflow.judging import Finding


def value(spec: list[Any], given: Any, class_type: str = "Any", name: str = "x") -> Finding | None:
    return judging.of_value(InputInfo.read(name, spec, required=True), given, class_type, lambda _: False)


def link(spec: list[Any], given: Any, class_type: str = "Any") -> Finding | None:
    return judging.of_link(InputInfo.read("x", spec, required=True), given, class_type)


class _AnyType(str):
    """How node packs say that an output fits anywhere."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False


@pytest.mark.parametrize(
    ("given", "wanted", "fits"),
    [
        ("IMAGE", "IMAGE", True),
        ("IMAGE", "MASK", False),
        ("IMAGE,MASK", "MASK, LATENT", True),
        ("*", "MASK", True),
        ("MASK", "INT,*", True),
        ("COMFY_MATCHTYPE_V3", "MASK", True),
        (["a", "b"], ["a", "b"], True),
        (["a", "b"], ["a"], False),
        (["a"], "COMBO", True),
        ("COMBO", ["a"], False),
        ("*", ["a"], True),
        (["a"], "*", True),
        (["a"], "STRING", False),
        (5, "INT", False),
        (_AnyType("anything"), "MASK", True),
    ],
)
def test_what_fits_what(given: Any, wanted: Any, *, fits: bool) -> None:
    assert judging.fits(given, wanted) is fits


def test_limits_of_what_is_not_converted() -> None:
    spec = ["FLOAT,INT", {"min": 0, "max": 5}]
    assert value(spec, 3) is None
    assert value(spec, 7) == Finding("7 is above the maximum 5", "value_bigger_than_max")
    assert value(spec, "7") == Finding("'7' is a string, no FLOAT or INT", judging.EXCEPTION)


def test_several_of_the_choices() -> None:
    spec = ["COMBO", {"options": ["a", "b"], "multiselect": True}]
    assert value(spec, {"__value__": ["a", "b"]}) is None
    assert value(spec, {"__value__": ["a", "c"]}) == Finding("'c' is not one of 'a', 'b'", "value_not_in_list")
    assert value([["a", "b"], {}], {"__value__": ["a"]}) == Finding("['a'] is not one of 'a', 'b'", "value_not_in_list")


def test_many_choices_are_not_all_listed() -> None:
    finding = value([[f"{number} of them" for number in range(30)], {}], "x")
    assert finding is not None
    assert finding.message == (
        "'x' is not one of '0 of them', '1 of them', '2 of them', '3 of them', '4 of them' and 25 more"
    )


def test_a_file_has_a_name_and_no_link() -> None:
    spec = ["COMBO", {"options": ["fox.png"], "image_upload": True}]
    assert value(spec, "fox.png") is None
    assert value(spec, 3) == Finding("3 is a number, no name of a file", judging.EXCEPTION)
    finding = link(spec, "*")
    assert finding is not None
    assert finding.kind == judging.EXCEPTION
    missing = judging.of_missing(InputInfo.read("x", spec, required=True), "LoadImage")
    assert missing == Finding("is missing", judging.EXCEPTION)


@pytest.mark.parametrize(
    ("class_type", "name", "spec", "given"),
    [
        ("CustomCombo", "choice", ["COMBO", {"options": []}], "mine"),
        ("Load3D", "width", ["INT", {"min": 1}], 0),
        ("Load3D", "model_file", ["COMBO", {"options": ["none"], "file_upload": True}], ""),
        ("SelectModelDevice", "device", ["COMBO", {"options": ["default"]}], "gpu:3"),
    ],
)
def test_what_nodes_check_themselves_is_theirs(class_type: str, name: str, spec: list[Any], given: Any) -> None:
    assert value(spec, given, class_type, name) is None
    assert value(spec, given, "Another", name) is not None


def test_a_list_of_the_old_kind_is_a_type_of_its_own() -> None:
    assert judging.declared(InputInfo.read("x", [["a"], {}], required=True)) == ["a"]
    assert judging.declared(InputInfo.read("x", ["COMBO", {"options": ["a"]}], required=True)) == "COMBO"
    assert link([["a"], {}], "STRING") == Finding("wants one of its choices, but {} is STRING", "return_type_mismatch")
