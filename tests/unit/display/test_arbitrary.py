"""Whatever graph or save file comes along is drawn in every form, or refused with a WorkflowError."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from comfyclient import Workflow, WorkflowError
from tests.unit.display.page import Page
from tests.unit.display.test_saved import nested
from tests.unit.workflow.test_arbitrary import graphs, values
from tests.unit.workflow.test_editor_broken import odd, places

if TYPE_CHECKING:
    from comfyclient.workflow.catalog import Catalog

PLACES = places(nested())


def draw(document: Any, catalog: Catalog | None = None) -> None:
    try:
        workflow = Workflow(document)
        drawing = workflow.draw(catalog=catalog, highlight={"1": "\ud800"})
    except WorkflowError as error:
        assert str(error)  # noqa: PT017 - either outcome is right
        return
    for theme in ("light", "page"):
        text = drawing.to_svg(theme=theme)
        text.encode()
        root = ET.fromstring(text)  # noqa: S314 - our own text
        assert sum(element.tag.endswith("}g") for element in root.iter()) == len(drawing)
    lines = drawing.to_text(width=30).encode().decode().splitlines()
    assert all(len(line) <= 30 for line in lines)
    Page(workflow._repr_mimebundle_()["text/html"])


@given(graphs)
def test_graphs(graph: Any) -> None:
    draw(graph)


@given(
    graphs,
    st.dictionaries(st.sampled_from(["A", "B"]), st.dictionaries(st.sampled_from(["output", "output_name"]), values)),
)
def test_graphs_with_any_catalogue(graph: Any, catalog: Any) -> None:
    draw(graph, catalog)


@given(st.lists(st.tuples(st.sampled_from(PLACES), odd), min_size=1, max_size=2))
def test_save_files(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    document: Any = copy.deepcopy(nested())
    for path, value in changes:
        place = document
        try:
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = value
        except (LookupError, TypeError):  # another change took that place away
            continue
    draw(document)
