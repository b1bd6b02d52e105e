from __future__ import annotations

import pytest

from comfyclient.workflow.wording import listed, natural, nearest, shown


@pytest.mark.parametrize(
    ("name", "choices", "best"),
    [
        ("eulr", ["heun", "euler_ancestral", "euler"], "euler"),
        ("EULER", ["heun", "euler"], "euler"),
        (
            "sd15.safetensors",
            ["sd15.ckpt", "a/very/deep/folder/for/models/SD15.safetensors"],
            "a/very/deep/folder/for/models/SD15.safetensors",
        ),
        ("sd\\v1.ckpt", ["sd/v2.ckpt", "sd/v1.ckpt"], "sd/v1.ckpt"),
        ("1", [1, 2, 3], 1),
    ],
)
def test_nearest(name: str, choices: list[object], best: object) -> None:
    assert nearest(name, choices)[0] == best


def test_nothing_is_near() -> None:
    assert nearest("zzz", ["euler"]) == []
    assert nearest("a", []) == []


def test_nearest_stops_at_three() -> None:
    assert len(nearest("node1", [f"node{number}" for number in range(9)])) == 3


def test_shown_is_short_whatever_it_is() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert shown("a" * 100) == "'" + "a" * 58 + "…"
    assert shown(deep) == "a list"


def test_listed_counts_the_rest() -> None:
    assert listed("abc") == "a, b, c"
    assert listed("abcde", 2) == "a, b and 3 more"
    assert listed([]) == ""


def test_natural_order() -> None:
    assert sorted(["10", "9", "104:10", "104:9", "a", "9.0.0.2"], key=natural) == [
        *("9", "9.0.0.2", "10", "104:9", "104:10", "a")
    ]
