from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from comfyclient.workflow.editor.layout import Box, arrange, size
from comfyclient.workflow.editor.widgets import Face, Slot, Widget


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, Box]:
    """Graphs of any shape, circles and nodes that feed themselves included."""
    names = [str(number) for number in range(draw(st.integers(0, 12)))]
    sizes = st.tuples(st.integers(100, 500), st.integers(20, 900))
    sources = st.lists(st.sampled_from(names), max_size=4) if names else st.just([])
    return {name: Box(draw(sizes), draw(sources)) for name in names}


@given(graphs())
def test_no_two_nodes_overlap(boxes: dict[str, Box]) -> None:
    places = arrange(boxes)
    assert places.keys() == boxes.keys()
    for one, other in combinations(boxes, 2):
        (left, top), (width, height) = places[one], boxes[one].size
        (left2, top2), (width2, height2) = places[other], boxes[other].size
        beside = left + width < left2 or left2 + width2 < left
        assert beside or top + height < top2 or top2 + height2 < top


def test_each_node_is_right_of_what_feeds_it_and_close_to_it() -> None:
    feeds = {"load": [], "text": ["load"], "empty": [], "sample": ["load", "text", "empty"], "save": ["sample"]}
    places = arrange({name: Box((200, 100), sources) for name, sources in feeds.items()})
    columns = {name: left for name, (left, _) in places.items()}
    assert columns["load"] < columns["text"] == columns["empty"] < columns["sample"] < columns["save"]


def test_a_column_is_in_the_order_of_what_feeds_it() -> None:
    feeds = {"a": [], "b": [], "second": ["b"], "first": ["a"], "third": ["b"]}
    places = arrange({name: Box((200, 100), sources) for name, sources in feeds.items()})
    assert places["a"][1] < places["b"][1]
    assert places["first"][1] < places["second"][1] < places["third"][1]


def test_a_chain_may_be_long() -> None:
    boxes = {str(number): Box((1, 1), [str(number - 1)] if number else []) for number in range(5_000)}
    places = arrange(boxes)
    assert places["4999"][0] > places["4998"][0]


def test_a_node_is_as_large_as_what_it_shows() -> None:
    def sized(*widgets: Widget, slots: int = 0, outputs: int = 0, title: str = "", picture: bool = False) -> list[int]:
        face = Face("X")
        face.widgets += widgets
        face.slots += [Slot(f"in{number}") for number in range(slots)]
        return list(size(face, ["out"] * outputs, title, shows_picture=picture))

    small = sized(Widget("a", "number", 1))
    assert sized(Widget("a", "number", 1), Widget("b", "number", 1))[1] > small[1]
    assert sized(Widget("text", "customtext", "x"))[1] > small[1]
    assert sized(Widget("text", "customtext", "x"))[0] > small[0]
    assert sized(title="A title that is much longer than most of the others are")[0] > small[0]
    assert sized(slots=3, outputs=2)[1] == sized(slots=1, outputs=3)[1]
    assert sized(picture=True)[1] > sized()[1] + 200
