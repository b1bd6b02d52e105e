"""A workflow drawn: as SVG, which is read by an XML parser, as PNG, which Pillow opens, and as text."""

from __future__ import annotations

import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from comfyclient import NodeProblem, Workflow
from comfyclient.errors import JobFailed, WorkflowError
from tests.unit.workflow.graphs import graph

if TYPE_CHECKING:
    from pathlib import Path

    from comfyclient.display.drawing import Drawing

SVG = "{http://www.w3.org/2000/svg}"
NASTY = "<script>alert(1)</script> \"&' ]]> &amp;"


def parsed(drawing: Drawing, **options: Any) -> ET.Element:
    return ET.fromstring(drawing.to_svg(**options))  # noqa: S314 - our own text


def boxes(drawing: Drawing) -> dict[str, ET.Element]:
    return {group.attrib["data-node"]: group for group in parsed(drawing).iter(f"{SVG}g")}


def words(element: ET.Element) -> list[str]:
    return [text.text or "" for text in element.iter(f"{SVG}text")]


def rect(group: ET.Element) -> dict[str, str]:
    found = group.find(f"{SVG}rect")
    assert found is not None
    return found.attrib


def left(group: ET.Element) -> float:
    return float(rect(group)["x"])


def pixels(drawing: Drawing, **options: Any) -> Image.Image:
    return Image.open(BytesIO(drawing.to_png(**options)))


# --- what is drawn ------------------------------------------------------------------------------------------


def test_every_node_has_a_box_with_title_class_and_id() -> None:
    found = boxes(Workflow(graph()).draw())
    assert set(found) == set(graph())
    assert words(found["6"]) == ["Positive", "CLIPTextEncode #6", "clip"]
    assert words(found["4"]) == ["CheckpointLoaderSimple", "#4"]


def test_each_stands_to_the_right_of_what_feeds_it() -> None:
    found = boxes(Workflow(graph()).draw())
    assert left(found["4"]) < left(found["6"]) == left(found["7"]) < left(found["104:3"]) < left(found["9"])


def test_there_is_a_line_for_each_link() -> None:
    assert len(list(parsed(Workflow(graph()).draw()).iter(f"{SVG}path"))) == 5


def test_outputs_are_marked_and_told_apart_by_the_catalogue() -> None:
    plain = boxes(Workflow(graph()).draw())
    assert words(plain["9"])[1] == "SaveImage #9 output"
    assert rect(plain["9"])["stroke"] != rect(plain["4"])["stroke"]
    catalog = {"KSampler": {"output": ["LATENT"], "output_name": ["drawn"], "output_node": True}}
    told = boxes(Workflow(graph()).draw(catalog=catalog))
    assert words(told["104:3"])[1:] == ["#104:3 output", "positive", "negative", "drawn"]
    assert words(told["9"])[1] == "SaveImage #9"


def test_what_is_highlighted_is_red_and_says_why() -> None:
    group = boxes(Workflow(graph()).draw(highlight={"6": "the text is empty"}))["6"]
    assert rect(group)["stroke"] == "#e5484d"
    assert "the text is empty" in (group.findtext(f"{SVG}title") or "")


@pytest.mark.parametrize(
    "highlight",
    [
        ["6"],
        [NodeProblem("6", "CLIPTextEncode", "Positive", "any", "why")],
        [JobFailed("p", "6", "CLIPTextEncode", "Positive", "ValueError", "why")],
    ],
)
def test_ids_problems_and_errors_can_be_highlighted(highlight: Any) -> None:
    found = boxes(Workflow(graph()).draw(highlight=highlight))
    assert [node_id for node_id, group in found.items() if rect(group)["stroke"] == "#e5484d"] == ["6"]


@pytest.mark.parametrize("highlight", ["6", [6], [None]])
def test_other_things_cannot(highlight: Any) -> None:
    with pytest.raises(TypeError):
        Workflow(graph()).draw(highlight=highlight)


def test_an_error_alone_is_no_list() -> None:
    error: Any = JobFailed("p", "6", "CLIPTextEncode", "Positive", "ValueError", "why")
    with pytest.raises(TypeError, match=r"^highlight is a list of ids, problems or errors, not a JobFailed alone$"):
        Workflow(graph()).draw(highlight=error)


def test_a_link_to_nowhere_is_named_and_harms_nothing() -> None:
    drawing = Workflow({"1": {"class_type": "A", "inputs": {"x": ["7", 0]}}}).draw()
    assert "x: #7 is missing" in words(boxes(drawing)["1"])
    assert "x ← 7 (missing)" in drawing.to_text()
    assert pixels(drawing).size[0] > 100


@pytest.mark.parametrize("slot", [float("nan"), float("inf"), 1e300, 1.5, -7, 10**400, True])
def test_the_number_of_an_output_may_be_anything(slot: float) -> None:
    nodes = {"1": {"class_type": "A", "inputs": {}}, "2": {"class_type": "B", "inputs": {"x": ["1", slot]}}}
    drawing = Workflow(nodes).draw(catalog={"A": {"output": ["IMAGE"], "output_name": ["a"]}})
    assert len(list(parsed(drawing).iter(f"{SVG}path"))) == 1


def test_circles_are_drawn_too() -> None:
    ring = {key: {"class_type": "A", "inputs": {"x": [source, 0]}} for key, source in (("1", "2"), ("2", "1"))}
    ring["3"] = {"class_type": "B", "inputs": {"x": ["3", 0]}}
    drawing = Workflow(ring).draw()
    paths = list(parsed(drawing).iter(f"{SVG}path"))
    assert len(paths) == 3
    assert len([path for path in paths if "stroke-dasharray" in path.attrib]) == 2
    assert pixels(drawing).size[0] > 100


@pytest.mark.parametrize("workflow", [{}, {"1": {"class_type": "A", "inputs": {}}}], ids=["none", "one"])
def test_a_workflow_may_be_small(workflow: dict[str, Any]) -> None:
    drawing = Workflow(workflow).draw()
    assert set(boxes(drawing)) == set(workflow)
    assert pixels(drawing).size[0] > 0
    assert drawing.to_text() == ("depth 1\n  1  A [output]" if workflow else "no nodes")


def test_boxes_do_not_overlap_and_stay_within() -> None:
    nodes = {str(number): {"class_type": "A", "inputs": {}} for number in range(40)}
    for number in range(1, 40):
        sources = {f"in{step}": [str((number * step) % number), 0] for step in (3, 5, 7)}
        nodes[str(number)] = {"class_type": "A", "inputs": sources if number % 4 else {}}
    drawing = Workflow(nodes).draw()
    root = parsed(drawing)
    places = [[float(rect(group)[key]) for key in ("x", "y", "width", "height")] for group in boxes(drawing).values()]
    for x, y, width, height in places:
        assert x >= 0
        assert y >= 0
        assert x + width <= float(root.attrib["width"])
        assert y + height <= float(root.attrib["height"])
    for number, (x, y, width, height) in enumerate(places):
        for other_x, other_y, other_width, other_height in places[:number]:
            assert (
                x >= other_x + other_width
                or other_x >= x + width
                or y >= other_y + other_height
                or other_y >= y + height
            )


# --- strangers' files ---------------------------------------------------------------------------------------


def test_nothing_of_a_file_becomes_markup() -> None:
    nasty = {
        NASTY: {"class_type": NASTY, "inputs": {NASTY: ["2", 0], "text": NASTY}, "_meta": {"title": NASTY}},
        "2": {"class_type": "B", "inputs": {"gone": ["</svg>", 0]}},
    }
    drawing = Workflow(nasty).draw(highlight={NASTY: NASTY, "2": "</title><script>"})
    for theme in ("light", "dark", "page"):
        root = parsed(drawing, theme=theme)
        assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
            *("svg", "title", "rect", "path", "g", "text", "circle")
        }
        assert "<script" not in drawing.to_svg(theme=theme)
        assert not {name for element in root.iter() for name in element.attrib if name.startswith("on")}


def test_characters_that_xml_does_not_know_are_replaced() -> None:
    title = "a\x00b\ud800c\x1bd\u202ee\ufffff\n\ng"
    workflow = Workflow({"1\x07": {"class_type": title, "inputs": {"text\x00": title, "x\x01": ["\x02", 0]}}})
    drawing = workflow.draw(highlight={"1\x07": title})
    assert words(parsed(drawing))[0] == "a b\ufffdc de\ufffdf g"
    drawing.to_svg().encode()
    text = drawing.to_text()
    text.encode()
    assert not any(character < " " for character in text.replace("\n", ""))
    drawing.to_png()


def test_long_titles_are_shortened_and_whole_where_the_mouse_rests() -> None:
    title = "an endless title " * 20
    group = boxes(Workflow({"1": {"class_type": title, "inputs": {}}}).draw())["1"]
    assert words(group)[0].endswith("…")
    assert len(words(group)[0]) < 60
    assert title.strip() in (group.findtext(f"{SVG}title") or "")


def test_titles_of_a_megabyte_are_no_drawing_of_a_megabyte() -> None:
    nodes = {"1": {"class_type": "A" * 1_000_000, "inputs": {"B" * 1_000_000: "C" * 1_000_000}}}
    assert len(Workflow(nodes).draw().to_svg()) < 10_000


@pytest.mark.parametrize("name", ["api_key", "API Key", "auth_token", "password", "client_secret", "Authorization"])
def test_keys_and_passwords_are_not_drawn(name: str) -> None:
    drawing = Workflow({"1": {"class_type": "A", "inputs": {name: "hunter2", "max_tokens": 5}}}).draw()
    assert "hunter2" not in drawing.to_svg() + drawing.to_text()
    assert "max_tokens=5" in drawing.to_text()


@pytest.mark.parametrize("value", [{"api_key": "hunter2"}, [{"headers": {"Cookie": "hunter2"}}]])
def test_nor_are_those_within_a_value(value: Any) -> None:
    drawing = Workflow({"1": {"class_type": "A", "inputs": {"options": value}}}).draw()
    assert "hunter2" not in drawing.to_svg() + drawing.to_text()
    assert "'***'" in drawing.to_text()


# --- the three forms ----------------------------------------------------------------------------------------


def test_each_theme_has_its_colours_and_a_page_its_own() -> None:
    drawing = Workflow(graph()).draw()
    grounds = {theme: parsed(drawing, theme=theme).find(f"{SVG}rect") for theme in ("light", "dark", "page")}
    assert grounds["page"] is None
    assert grounds["light"] is not None
    assert grounds["dark"] is not None
    assert grounds["light"].attrib["fill"] == "#ffffff" != grounds["dark"].attrib["fill"]
    page = parsed(drawing, theme="page")
    assert {text.attrib["fill"] for text in page.iter(f"{SVG}text")} <= {"currentColor", "#2f9e6e"}
    assert not page.findall(f".//{SVG}style")  # which would hold for all of the page


def test_png_is_of_the_same_layout() -> None:
    drawing = Workflow(graph()).draw(highlight=["6"])
    root = parsed(drawing)
    size = float(root.attrib["width"]), float(root.attrib["height"])
    for scale in (1.0, 2.0):
        image = pixels(drawing, scale=scale)
        assert image.size == pytest.approx([scale * side for side in size], abs=2)
    red = rect(boxes(drawing)["6"])
    x, y = float(red["x"]), float(red["y"]) + float(red["height"]) / 2
    assert pixels(drawing, scale=1).getpixel((round(x), round(y - 15))) == pytest.approx((229, 72, 77), abs=40)
    assert pixels(drawing, theme="dark").getpixel((2, 2)) == (27, 29, 33)


def test_a_huge_png_gets_fewer_pixels() -> None:
    nodes = {str(number): {"class_type": "A", "inputs": {}} for number in range(3000)}
    width, height = pixels(Workflow(nodes).draw(), scale=50).size
    assert 30_000_000 < width * height <= 41_000_000


def test_without_pillow_png_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"comfyclient\[images\]"):
        Workflow(graph()).draw().to_png()


def test_text_lists_the_nodes_by_depth() -> None:
    lines = Workflow(graph()).draw(highlight={"104:3": "it has no model"}).to_text().splitlines()
    assert lines == [
        "depth 1",
        "  4      CheckpointLoaderSimple",
        "         ckpt_name='sd15.safetensors'",
        "",
        "depth 2",
        "  6      Positive (CLIPTextEncode)",
        "         clip ← 4  text='a cat'",
        "  7      No. 2 (CLIPTextEncode)",
        "         clip ← 4  text=''",
        "",
        "depth 3",
        "! 104:3  KSampler",
        "         positive ← 6  negative ← 7  seed=1",
        "         ! it has no model",
        "",
        "depth 4",
        "  9      Save (SaveImage) [output]",
        "         images ← 104:3",
    ]


def test_text_says_all_that_is_wrong_with_a_node() -> None:
    highlight = [NodeProblem("6", "CLIPTextEncode", "Positive", "any", why) for why in ("too long", "too short")]
    text = Workflow(graph()).draw(highlight=highlight).to_text()
    assert "\n         ! too long\n         ! too short\n" in text


def test_no_line_is_longer_than_wanted() -> None:
    nodes = graph()
    nodes["8" * 1000] = {"class_type": "VAEDecode", "inputs": {"samples": ["104:3", 0]}}
    nodes["6"]["_meta"]["title"] = "長い" * 30
    nodes["6"]["inputs"]["text"] = "a cat " * 30
    text = Workflow(nodes).draw(highlight={"6": "reason " * 20}).to_text(width=40)
    assert max(len(line) for line in text.splitlines()) <= 40
    assert "長い" in text
    assert str(Workflow(graph()).draw()) == Workflow(graph()).draw().to_text()


@pytest.mark.parametrize(
    ("name", "start"), [("a.svg", b"<svg"), ("a.png", b"\x89PNG"), ("A.PNG", b"\x89PNG"), ("a.txt", b"depth 1\n")]
)
def test_it_is_saved_as_its_name_says(tmp_path: Path, name: str, start: bytes) -> None:
    Workflow(graph()).draw().save(tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)


def test_wrong_options_are_refused(tmp_path: Path) -> None:
    drawing = Workflow(graph()).draw()
    for call in (
        lambda: drawing.save(tmp_path / "a.jpg"),
        lambda: drawing.to_svg(theme="pink"),  # type: ignore[arg-type]
        lambda: drawing.to_png(theme="page"),  # type: ignore[arg-type]
        lambda: drawing.to_png(scale=0),
        lambda: drawing.to_text(width=3),
    ):
        with pytest.raises(ValueError, match=r"not"):
            call()
    assert not list(tmp_path.iterdir())


def test_a_drawing_says_how_large_it_is() -> None:
    assert repr(Workflow(graph()).draw()) == "<Drawing of 5 nodes>"


def test_the_workflow_may_be_edited_afterwards() -> None:
    workflow = Workflow(graph())
    drawing = workflow.draw()
    workflow["6"].title = "Another"
    assert "Another" not in drawing.to_svg()


def test_a_catalogue_that_is_none_is_refused() -> None:
    with pytest.raises(WorkflowError, match="catalogue"):
        Workflow(graph()).draw(catalog=b"[]")
