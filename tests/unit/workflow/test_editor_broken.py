"""Save files that are broken: whatever is wrong with them, a ``WorkflowError`` says so, or the rest is a prompt."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfyclient.errors import WorkflowError
from comfyclient.workflow.editor import to_api
from tests.editor import answers
from tests.editor.graphs import GRAPHS, Json, graph, node, part, subgraph
from tests.editor.subgraphs import passing
from tests.editor.wiring import empty, invert, save

CATALOGUE = answers.catalogue()

scalars = st.none() | st.booleans() | st.integers(-3, 30) | st.floats() | st.text(max_size=3)
odd = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to everything in a document."""
    found = [path] if path else []
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        found += places(inner, (*path, key))
    return found


PLACES = [(name, path) for name, document in GRAPHS.items() for path in places(document)]


@given(st.lists(st.tuples(st.sampled_from(PLACES), odd | st.just(...)), min_size=1, max_size=1))
def test_one_thing_is_wrong(changes: list[tuple[tuple[str, tuple[Any, ...]], Any]]) -> None:
    ((name, path), value) = changes[0]
    document = copy.deepcopy(GRAPHS[name])
    holder: Any = document
    for key in path[:-1]:
        holder = holder[key]
    if value is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    try:
        prompt = to_api(document, CATALOGUE)
    except WorkflowError as error:
        assert str(error)  # noqa: PT017 - either outcome is right
        return
    json.dumps(prompt)


@given(st.dictionaries(st.sampled_from(["KSampler", "EmptyImage", "SaveImage", "ResizeImageMaskNode"]), odd))
def test_a_catalogue_may_be_anything(catalogue: Json) -> None:
    for name in (
        "a seed has a control behind it, which is not sent",
        "a choice that brings inputs, one of which is linked",
    ):
        try:
            json.dumps(to_api(GRAPHS[name], catalogue))
        except WorkflowError as error:
            assert str(error)  # noqa: PT017 - either outcome is right


@given(
    st.sampled_from(["KSampler", "EmptyImage", "ResizeImageMaskNode", "BatchImagesNode"]),
    st.data(),
)
def test_a_definition_may_be_broken(class_type: str, data: st.DataObject) -> None:
    definition = copy.deepcopy(CATALOGUE[class_type])
    path = data.draw(st.sampled_from(places(definition)))
    holder: Any = definition
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = data.draw(odd)
    document = graph([node(1, class_type, "a:INT b.c:IMAGE", "x:*", [1, 2, "a", None, {}, [], 3])])
    try:
        json.dumps(to_api(document, {class_type: definition}))
    except WorkflowError as error:
        assert str(error)  # noqa: PT017 - either outcome is right


def unlinked() -> Json:
    document = graph([empty(), save()], [(1, 1, 0, 9, 0, "IMAGE")])
    document["links"] = []
    return document


def without_origin() -> Json:
    document = graph([empty(), save()], [(1, 1, 0, 9, 0, "IMAGE")])
    del document["nodes"][0]
    return document


def circle() -> Json:
    nodes = [node(number, "Reroute", ":*", ":*") for number in (1, 2)]
    return graph([*nodes, save()], [(1, 1, 0, 2, 0, "*"), (2, 2, 0, 1, 0, "*"), (3, 2, 0, 9, 0, "*")])


def within_itself() -> Json:
    inner = passing(1, [invert(11), node(12, part(1), "image:IMAGE", "IMAGE:IMAGE")])
    return graph([node(1, part(1), "image:IMAGE", "IMAGE:IMAGE")], subgraphs=[inner])


def too_many() -> Json:
    definitions = []
    for number in range(1, 31):
        inner = [node(number * 10 + at, part(number + 1), "", "IMAGE:IMAGE") for at in range(5)]
        definitions.append(subgraph(number, "", "IMAGE:IMAGE", inner, []))
    return graph([node(1, part(1), "", "IMAGE:IMAGE")], subgraphs=definitions)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "a workflow is a JSON object, not a list"),
        ({"nodes": {}}, "the list of nodes of the workflow is an object instead of a list"),
        ({"nodes": [1]}, "a node of the workflow is a number instead of an object"),
        ({"nodes": [{"type": "SaveImage"}]}, "a node of the workflow has no id (SaveImage)"),
        (graph([empty(1), save(1)]), "node 1 (SaveImage) and node 1 (EmptyImage) have the same id"),
        ({"nodes": [{"id": 1, "type": "X", "inputs": 3}]}, "the inputs of node 1 (X) is a number instead of a list"),
        ({"nodes": [], "links": [3]}, "a link of the workflow is neither an object nor a list of six: 3"),
        (unlinked(), "node 9 (Save Image): its input images names link 1, which does not exist"),
        (without_origin(), "node 9 (Save Image): link 1 to its input images comes from node 1, which does not exist"),
        (circle(), "node 9 (Save Image): the links that lead to its input images go in a circle"),
        (within_itself(), "a subgraph contains itself: Part"),
        (too_many(), "the subgraphs within subgraphs come to more than 1000000 nodes"),
    ],
)
def test_what_is_wrong_is_named(document: Any, message: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        to_api(document, CATALOGUE)
    assert str(caught.value) == message
