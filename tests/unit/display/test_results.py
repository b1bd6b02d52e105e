"""Results by node, with titles, timings and what came from the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.results import Result, Timings
from comfyclient.workflow import Workflow
from tests.unit.display.page import page_of
from tests.unit.test_results import FILES

if TYPE_CHECKING:
    from collections.abc import Iterable

NASTY = "<script>alert(1)</script>"
WORKFLOW = Workflow(
    {
        "9": {"class_type": "SaveImage", "inputs": {}, "_meta": {"title": "Save portrait"}},
        "10": {"class_type": "PreviewAny", "inputs": {}},
        "11": {"class_type": NASTY, "inputs": {}, "_meta": {"title": NASTY}},
        "12": {"class_type": "KSampler", "inputs": {}},
    }
)


def result(
    *, images: Iterable[tuple[str, str, bytes]] = (), outputs: dict[str, Any] | None = None, **more: Any
) -> Result:
    """One whose images came over the websocket, so that no server is needed to show them."""
    rest: dict[str, Any] = {"workflow": WORKFLOW, "display": {}, "cached": (), "timings": Timings(), **more}
    return Result(
        prompt_id="0123456789",
        outputs=outputs or {},
        socket_images=images,
        files=FILES,
        fetch_history=lambda: pytest.fail("nobody asked for the history"),
        **rest,
    )


def test_each_node_has_its_title_its_time_its_images_and_its_texts() -> None:
    timings = Timings(created=0, started=2, finished=74, nodes={"12": 70.0, "9": 2.0})
    page = page_of(
        result(
            images=[("9", "image/png", b"a"), ("9", "image/png", b"b")],
            outputs={"10": {"text": ["so"]}},
            timings=timings,
        )
    )
    assert "Result · 01234567 · ran 1:12 min · waited 2 s" in page.text
    assert "Save portrait · SaveImage · #9 · 2 s" in page.text
    assert "PreviewAny · #10so" in page.text
    assert len(page.all("img")) == 2


def test_below_there_is_what_ran_and_what_came_from_the_cache() -> None:
    page = page_of(result(timings=Timings(nodes={"12": 3.0, "9": 0.5}), cached=["11", "10"]))
    assert "no outputs" in page.text
    assert "2 nodes ran, 2 came from the cache" in page.text
    assert [(row["node"], row["time"]) for row in page.table()] == [
        ("12", "3 s"),
        ("9", "0.5 s"),
        ("10", "cached"),
        ("11", "cached"),
    ]


def test_a_cached_output_is_marked() -> None:
    assert "#9 · cached" in page_of(result(images=[("9", "image/png", b"a")], cached=["9"])).text


def test_of_many_files_the_first_are_shown_and_the_others_counted() -> None:
    page = page_of(result(images=[("9", "image/png", b"a")] * 40 + [("10", "image/png", b"b")]))
    assert len(page.all("img")) == 24
    assert "and 17 files morePreviewAny · #10" in page.text
    node = page_of(result(images=[("9", "image/png", b"a")] * 40)["9"])
    assert len(node.all("img")) == 24
    assert "and 16 files more" in node.text


def test_many_nodes_with_files_are_no_endless_page() -> None:
    page = page_of(result(images=[(str(number), "image/png", b"a") for number in range(40)]))
    assert len(page.all("img")) == 24
    assert page.text.count("and 1 file more") == 16


def test_nothing_of_a_workflow_or_a_text_is_markup() -> None:
    page = page_of(result(outputs={"11": {"text": [NASTY]}, NASTY: {"text": ["x"]}}, cached=[NASTY, "11"]))
    assert not page.all("script")
    assert page.text.count(NASTY) > 4


def test_a_result_without_its_workflow_is_shown() -> None:
    page = page_of(result(images=[("9", "image/png", b"a")], workflow=None, timings=Timings(nodes={"9": 1.0})))
    assert "node 9" in page.text
    assert page.table() == [{"node": "9", "": "", "class": "", "time": "1 s"}]
