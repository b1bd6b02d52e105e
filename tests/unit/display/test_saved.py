"""The editor's own files drawn, with a catalogue of nodes and without."""

from __future__ import annotations

import json
from typing import Any

import pytest

from comfyclient import Workflow, WorkflowError
from comfyclient.display.saved import of_file
from tests.captures import catalog
from tests.editor.templates import largest, templates
from tests.workflows import plain_saved

CATALOG = catalog()


def node(node_id: int, kind: str, *links: int | None, gives: int | None = None, **more: Any) -> dict[str, Any]:
    """A node of a save file: the ids of the links to its inputs, and of the one from its output."""
    return {
        "id": node_id,
        "type": kind,
        "inputs": [{"name": f"in{place}", "type": "IMAGE", "link": link} for place, link in enumerate(links)],
        "outputs": [{"name": "out", "type": "IMAGE", "links": [gives]}] if gives is not None else [],
        **more,
    }


def wires(document: dict[str, Any]) -> dict[str, list[tuple[str, str, int]]]:
    return {
        node_id: [(wire.name, wire.source, wire.slot) for wire in box.wires]
        for node_id, box in of_file(document).items()
    }


def test_without_a_catalogue_a_file_is_drawn_as_it_stands() -> None:
    workflow = Workflow(plain_saved(7))
    scheme = of_file(plain_saved(7))
    assert wires(plain_saved(7)) == {"1": [], "2": [("images", "1", 0)]}
    assert (scheme["2"].title, scheme["2"].class_type, scheme["2"].is_output) == ("Save it", "SaveImage", True)
    assert workflow.draw().to_text() == (
        "depth 1\n  1  EmptyImage\n\ndepth 2\n  2  Save it (SaveImage) [output]\n     images ← 1"
    )
    assert workflow.needs_catalog


def test_notes_are_left_out_and_links_lead_past_reroutes() -> None:
    document = {
        "nodes": [
            node(1, "LoadImage", gives=10),
            node(2, "Reroute", 10, gives=11),
            node(3, "PreviewImage", 11),
            node(4, "Note"),
            node(5, "MarkdownNote"),
        ],
        "links": [[10, 1, 0, 2, 0, "*"], [11, 2, 0, 3, 0, "IMAGE"]],
    }
    assert wires(document) == {"1": [], "3": [("in0", "1", 0)]}
    assert of_file(document)["3"].wires[0].kind == "IMAGE"


def subgraph(kind: str, nodes: list[Any], links: list[Any], inputs: int, outputs: int) -> dict[str, Any]:
    return {
        "id": kind,
        "name": kind,
        "nodes": nodes,
        "links": links,
        "inputNode": {"id": -10},
        "outputNode": {"id": -20},
        "inputs": [{"name": f"in{place}", "type": "IMAGE", "linkIds": []} for place in range(inputs)],
        "outputs": [{"name": "out", "type": "IMAGE", "linkIds": []} for _ in range(outputs)],
    }


def nested(mode: int = 0) -> dict[str, Any]:
    """A loader, a subgraph that holds another one, and an output."""
    inner = subgraph("inner", [node(7, "Blur", 1, gives=2)], [[1, -10, 0, 7, 0, "IMAGE"], [2, 7, 0, -20, 0, "*"]], 1, 1)
    outer = subgraph(
        "outer", [node(6, "inner", 1, gives=2)], [[1, -10, 0, 6, 0, "IMAGE"], [2, 6, 0, -20, 0, "IMAGE"]], 1, 1
    )
    return {
        "nodes": [node(1, "LoadImage", gives=10), node(2, "outer", 10, gives=11, mode=mode), node(3, "SaveImage", 11)],
        "links": [[10, 1, 0, 2, 0, "IMAGE"], [11, 2, 0, 3, 0, "IMAGE"]],
        "definitions": {"subgraphs": [inner, outer]},
    }


def test_the_nodes_of_subgraphs_have_the_ids_of_the_api_format() -> None:
    assert wires(nested()) == {"1": [], "2:6:7": [("in0", "1", 0)], "3": [("in0", "2:6:7", 0)]}


def test_what_is_in_a_bypassed_subgraph_is_bypassed() -> None:
    assert {node_id: box.mode for node_id, box in of_file(nested(4)).items()} == {"1": "", "2:6:7": "bypassed", "3": ""}


@pytest.mark.parametrize("kind", ["inner", "outer"])
def test_a_subgraph_that_holds_itself_does_no_harm(kind: str) -> None:
    document = nested()
    document["definitions"]["subgraphs"][0]["nodes"].append(node(8, kind, 1, gives=2))
    assert "2:6:7" in wires(document)


def test_reroutes_in_a_circle_do_no_harm() -> None:
    document = {
        "nodes": [node(1, "Reroute", 11, gives=10), node(2, "Reroute", 10, gives=11), node(3, "SaveImage", 10)],
        "links": [[10, 1, 0, 2, 0, "*"], [11, 2, 0, 1, 0, "*"]],
    }
    assert wires(document) == {"3": []}


def test_links_that_lead_nowhere_are_left_out() -> None:
    document = nested()
    document["nodes"] += [node(4, "SaveImage", 12), node(5, "SaveImage", 13), node(6, "SaveImage", 99)]
    document["links"] += [[12, 77, 0, 4, 0, "IMAGE"], [13, -10, 0, 5, 0, "IMAGE"]]
    inner = document["definitions"]["subgraphs"][0]
    inner["nodes"].append(node(8, "Blur", 3))
    inner["links"].append([3, -10, 5, 8, 0, "IMAGE"])
    assert {node_id: found for node_id, found in wires(document).items() if found} == {
        "2:6:7": [("in0", "1", 0)],
        "3": [("in0", "2:6:7", 0)],
    }


@pytest.mark.parametrize("kind", [None, "*", ["IMAGE"], {}, 5])
def test_the_type_of_a_link_may_be_anything(kind: Any) -> None:
    document = nested()
    for graph in (document, *document["definitions"]["subgraphs"]):
        graph["links"][0][5] = kind
    assert wires(document)["2:6:7"] == [("in0", "1", 0)]


def test_values_that_the_file_names_are_shown() -> None:
    document = {"nodes": [node(1, "Load", widgets_values={"rate": 8, "api_key": "hunter2"})], "links": []}
    assert of_file(document)["1"].values == (("rate", 8), ("api_key", "***"))


def test_nobody_looks_into_all_of_a_deep_value() -> None:
    value: Any = "deep"
    for _ in range(100):
        value = {"a": value}
    [(name, shown)] = of_file({"nodes": [node(1, "Load", widgets_values={"b": value})], "links": []})["1"].values
    assert (name, str(shown).count("a"), "…" in str(shown)) == ("b", 8, True)


def left_out(mode: int) -> dict[str, Any]:
    document = plain_saved(7)
    document["nodes"].insert(
        1,
        {
            "id": 3,
            "type": "ImageInvert",
            "mode": mode,
            "inputs": [{"name": "image", "type": "IMAGE", "link": 1}],
            "outputs": [{"name": "IMAGE", "type": "IMAGE", "links": [2]}],
            "properties": {},
            "widgets_values": [],
        },
    )
    document["nodes"][2]["inputs"][0]["link"] = 2
    document["links"] = [[1, 1, 0, 3, 0, "IMAGE"], [2, 3, 0, 2, 0, "IMAGE"]]
    return document


@pytest.mark.parametrize(("mode", "word"), [(2, "muted"), (4, "bypassed")])
@pytest.mark.parametrize("known", [None, CATALOG], ids=["without", "with"])
def test_what_the_editor_leaves_out_is_drawn_and_says_so(mode: int, word: str, known: Any) -> None:
    workflow = Workflow(left_out(mode), catalog=known)
    text = workflow.draw(catalog=known).to_text()
    assert f"[{word}]" in text
    assert "image ← 1" in text
    assert word in workflow.draw().to_svg()


def test_after_an_edit_it_is_still_there() -> None:
    workflow = Workflow(left_out(4), catalog=CATALOG)
    workflow["1"]["color"] = 8
    assert set(workflow) == {"1", "2"}
    text = workflow.draw().to_text()
    assert "[bypassed]" in text
    assert "color=8" in text


def test_a_broken_file_is_a_workflow_error() -> None:
    with pytest.raises(WorkflowError, match="no id"):
        Workflow({"nodes": [{"type": "A"}], "links": []}).draw()


def test_every_official_template_is_drawn_as_it_is_run() -> None:
    for name, document in templates().items():
        if not isinstance(document, dict) or "nodes" not in document:
            continue
        raw, converted = Workflow(document), Workflow(document, catalog=CATALOG)
        as_saved, as_run = raw.draw(), converted.draw()
        assert as_saved.to_svg().startswith("<svg"), name
        assert set(converted) <= set(as_run._scheme), name
        assert as_run.to_svg().count("<g ") == len(as_run._scheme), name


def test_the_largest_has_all_its_nodes() -> None:
    workflow = Workflow(json.loads(largest()), catalog=CATALOG)
    drawing = workflow.draw(catalog=CATALOG)
    assert set(workflow) <= set(drawing._scheme)
    assert drawing.to_png(scale=0.3).startswith(b"\x89PNG")
