"""A class of nodes and a machine as tables."""

from __future__ import annotations

from typing import Any

from comfyclient._convert import structure
from comfyclient.types import Device, NodeInfo, SystemInfo, SystemStats
from tests.unit.display.page import page_of

NASTY = "<script>alert(1)</script>"


def info(**more: Any) -> NodeInfo:
    return structure({"name": "Sample", **more}, NodeInfo)


def test_a_class_lists_what_it_takes_and_gives() -> None:
    page = page_of(
        info(
            display_name="Draw it",
            description=NASTY,
            category="sampling",
            input={
                "required": {
                    "steps": ["INT", {"default": 20, "min": 1, "max": 100, "tooltip": NASTY}],
                    "cfg": ["FLOAT", {"default": 8.0, "step": 0.1}],
                    "sampler": [[f"sampler{number}" for number in range(12)]],
                    "file": [[]],
                },
                "optional": {"mask": ["MASK"]},
            },
            output=["LATENT", ["a", "b"]],
            output_name=["drawn", "choice"],
            output_tooltips=["what was drawn"],
            output_node=True,
        )
    )
    assert "Draw it · Sample · sampling · output" in page.text
    assert [row[:5] for row in page.rows[1:6]] == [
        ["steps", "INT", "", "20", "from 1 to 100"],
        ["cfg", "FLOAT", "", "8.0", "step 0.1"],
        ["sampler", "COMBO", "", "", ", ".join(repr(f"sampler{number}") for number in range(8)) + " and 4 more"],
        ["file", "COMBO", "", "", "nothing: the server has none"],
        ["mask", "MASK", "optional", "", ""],
    ]
    assert page.rows[7:] == [["drawn", "LATENT", "what was drawn"], ["choice", "COMBO", ""]]
    assert not page.all("script")


def test_strange_descriptions_do_no_harm() -> None:
    odd = {"required": {NASTY: [NASTY, {"default": {}, "min": [], "step": [], "tooltip": 5}], "x": 7}}
    page = page_of(info(name=NASTY, input=odd, output=[NASTY], output_name=[NASTY], output_tooltips=[None]))
    assert not page.all("script")
    assert page.rows[1][:2] == [NASTY, NASTY]


def test_the_repr_of_a_class_is_short_and_that_of_an_input_too() -> None:
    wide = info(input={"required": {"file": [[f"model{number}" for number in range(1000)]]}}, description="x" * 999)
    assert len(repr(wide)) < 200
    assert "<1000 choices>" in repr(wide.inputs["file"])


def test_a_machine_shows_its_memory() -> None:
    system = SystemInfo("linux", "3.12.1 (main)", comfyui_version="0.30.0", ram_total=16 << 30, ram_free=4 << 30)
    gpu = Device(NASTY, "cuda", vram_total=24 << 30, vram_free=1 << 30)
    page = page_of(SystemStats(system, (gpu, Device("cpu", "cpu"))))
    assert "ComfyUI 0.30.0 · linux · Python 3.12.1" in page.text
    assert page.rows[1:] == [
        ["memory", "12.0 GB", "", "16.0 GB"],
        [NASTY, "23.0 GB", "", "24.0 GB"],
        ["cpu", "", "", ""],
    ]
    assert not page.all("script")


def test_an_old_server_says_less() -> None:
    assert page_of(SystemStats(SystemInfo("posix"))).text.startswith("ComfyUI · posix")
