"""Where boxes stand and which way links go."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.display.layers import arrange
from comfyclient.display.scheme import of_graph
from tests.unit.workflow.graphs import graph

if TYPE_CHECKING:
    from comfyclient.display.layers import Layout


def layout_of(nodes: dict[str, Any]) -> Layout:
    return arrange(of_graph(nodes, None, []))


def tangle(count: int, seed: int) -> dict[str, Any]:
    """Nodes that read from any before them, near and far, several from one output."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    return {
        str(number): {
            "class_type": "A",
            "inputs": {
                f"in{place}": [str(dice.randrange(number)), dice.randrange(2)] for place in range(min(number, 3))
            },
        }
        for number in range(count)
    }


@pytest.mark.parametrize("seed", range(5))
def test_every_link_leads_from_its_output_to_its_input(seed: int) -> None:
    layout = layout_of(tangle(40, seed))
    assert len(layout.routes) == sum(len(placed.box.wires) for placed in layout.boxes.values())
    ways: dict[tuple[str, int], set[tuple[float, float]]] = {}
    for route in layout.routes:
        source = layout.boxes[route.wire.source]
        port = source.x + source.width, source.row(source.slots.index(route.wire.slot))
        if route.points[0] == port:
            ways.setdefault((route.wire.source, route.wire.slot), {port}).update(route.points)
    for route in layout.routes:
        target = layout.boxes[route.target]
        assert route.points[0] in ways[route.wire.source, route.wire.slot]  # or it begins on the way of another one
        assert route.points[-1] == (target.x, target.row(target.box.wires.index(route.wire)))
        assert [x for x, _ in route.points] == sorted(x for x, _ in route.points)


@pytest.mark.parametrize("seed", range(5))
def test_no_link_leads_through_a_box(seed: int) -> None:
    layout = layout_of(tangle(40, seed))
    for route in layout.routes:
        for (x, y), (right, _) in zip(route.points[1::2], route.points[2::2], strict=False):
            for placed in layout.boxes.values():
                beside = right <= placed.x or placed.x + placed.width <= x
                assert beside or y <= placed.y or placed.y + placed.height <= y


def test_a_straight_chain_is_straight() -> None:
    chain = {str(number): {"class_type": "A", "inputs": {"x": [str(number - 1), 0]}} for number in range(1, 9)}
    layout = layout_of({"0": {"class_type": "A", "inputs": {}}, **chain})
    assert {round(y, 6) for route in layout.routes for _, y in route.points} == {round(layout.boxes["0"].row(0), 6)}


def test_nodes_stand_beside_what_they_feed() -> None:
    nodes = graph()
    nodes["12"] = {"class_type": "Late", "inputs": {}}
    nodes["9"]["inputs"]["late"] = ["12", 0]
    boxes = layout_of(nodes).boxes
    assert boxes["12"].x == boxes["104:3"].x > boxes["6"].x


def test_parts_stand_below_each_other_and_single_nodes_side_by_side() -> None:
    nodes = graph() | {
        "20": {"class_type": "A", "inputs": {}},
        "21": {"class_type": "B", "inputs": {"x": ["20", 0]}},
        "30": {"class_type": "C", "inputs": {}},
        "31": {"class_type": "C", "inputs": {}},
    }
    boxes = layout_of(nodes).boxes
    lowest = max(boxes[node_id].y + boxes[node_id].height for node_id in graph())
    assert lowest < boxes["20"].y < boxes["30"].y == boxes["31"].y
    assert boxes["30"].x + boxes["30"].width < boxes["31"].x


def test_one_output_that_all_read_is_no_square_of_lines() -> None:
    count = 300
    nodes = {
        str(number): {"class_type": "A", "inputs": {"x": [str(number - 1), 0], "first": ["0", 1]} if number else {}}
        for number in range(count)
    }
    assert sum(len(route.points) for route in layout_of(nodes).routes) < 10 * count


def test_thousands_of_nodes_are_no_recursion() -> None:
    chain = {str(number): {"class_type": "A", "inputs": {"x": [str(number - 1), 0]}} for number in range(1, 3000)}
    assert len(layout_of({"0": {"class_type": "A", "inputs": {}}, **chain}).boxes) == 3000
