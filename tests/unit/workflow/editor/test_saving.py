"""What is saved for the editor, and that our own conversion makes the same prompt of it. See also test_editor.py."""

from __future__ import annotations

import json
import math
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfyclient.errors import WorkflowError
from comfyclient.workflow import Workflow
from comfyclient.workflow.editor import to_api
from tests.editor import answers, roundtrip
from tests.unit.workflow.catalog import CATALOG, node

GIVERS = {
    "PrimitiveInt": node("INT", required={"value": ["INT", {}]}),
    "PrimitiveStringMultiline": node("STRING", required={"value": ["STRING", {"multiline": True}]}),
}


def graph() -> dict[str, Any]:
    """A node of every kind, with all of its inputs, since the editor would add those that are missing."""
    entries = {
        "1": ("Load", {"name": "b.safetensors"}),
        "20:2": ("Lora", {"model": ["1", 0], "clip": ["1", 1], "strength": 0.5}),
        "20:21:3": ("Text", {"text": "a {red|blue} fox // not a comment", "clip": ["20:2", 1]}),
        "x 4": (
            "Sample",
            {
                "seed": 7,
                "steps": 9,
                "model": ["20:2", 0],
                "positive": ["20:21:3", 0],
                "small_seed": -1,
                "mask": ["6", 1],
            },
        ),
        "6": ("Picture", {"image": "mine.png [input]"}),
        "20:7": ("Choice", {"image": ["x 4", 0], "how": "scale", "how.width": ["20:8", 0], "how.seed": 3}),
        "20:8": ("Sum", {"values.v0": ["20:8", 0], "values.v1": ["20:8", 0]}),
        "9": ("Save", {"images": ["20:7", 0], "filename_prefix": "x"}),
    }
    return {
        node_id: {"class_type": class_type, "inputs": inputs, "_meta": {"title": f"The {class_type}"}}
        for node_id, (class_type, inputs) in entries.items()
    }


def there_and_back(prompt: dict[str, Any], catalog: dict[str, Any] = CATALOG) -> dict[str, Any]:
    return to_api(json.loads(json.dumps(Workflow(prompt).to_editor(catalog))), catalog)


def test_the_prompt_comes_back() -> None:
    assert there_and_back(graph()) == graph()


def test_nodes_are_in_subgraphs_where_their_ids_say_so() -> None:
    saved = Workflow(graph()).to_editor(CATALOG)
    (outer, inner) = saved["definitions"]["subgraphs"]
    assert [entry["id"] for entry in saved["nodes"]] == [1, 20, "x 4", 6, 9]
    assert [entry["id"] for entry in outer["nodes"]] == [2, 21, 7, 8]
    assert [entry["id"] for entry in inner["nodes"]] == [3]
    host = next(entry for entry in saved["nodes"] if entry["id"] == 20)
    assert uuid.UUID(outer["id"]) == uuid.UUID(host["type"])
    assert [entry["name"] for entry in host["inputs"]] == [entry["name"] for entry in outer["inputs"]]
    assert saved["last_node_id"] == 21
    assert Workflow(graph()).to_editor(CATALOG) == saved


@pytest.mark.parametrize(
    "ids",
    [
        ("1:5", "2:5"),  # two instances of one subgraph
        ("1:5", "1"),  # a node and a subgraph of one number
        ("1:5", "5"),
        ("1:1", "3"),
        ("1:5:5", "3"),
        ("1:5", "1:5:6"),
        ("01:5", "a:b"),
        ("1:-5", "1::5"),
        (":".join(["1"] * 40), "3"),
    ],
)
def test_ids_that_the_editor_would_change_are_no_subgraphs(ids: tuple[str, str]) -> None:
    prompt = {node_id: {"class_type": "Load", "inputs": {"name": "a.safetensors"}, "_meta": {}} for node_id in ids}
    assert sorted(there_and_back(prompt)) == sorted(ids)


def test_links_are_known_at_both_ends() -> None:
    saved = Workflow(graph()).to_editor(CATALOG)
    nodes = {entry["id"]: entry for entry in saved["nodes"]}
    numbers = [link[0] for link in saved["links"]]
    for number, origin, slot, target, place, kind in saved["links"]:
        assert nodes[target]["inputs"][place]["link"] == number
        assert number in nodes[origin]["outputs"][slot]["links"]
        assert kind == nodes[origin]["outputs"][slot]["type"]
    inner = [link["id"] for each in saved["definitions"]["subgraphs"] for link in each["links"]]
    assert len({*numbers, *inner}) == len(numbers + inner) == saved["last_link_id"]


def test_a_constant_for_a_socket_comes_from_a_node() -> None:
    prompt = {
        "3": {"class_type": "Sum", "inputs": {"values.v0": 5, "values.v1": 6}, "_meta": {"title": "Sum"}},
        "4:5": {"class_type": "Sum", "inputs": {"values.v0": ["3", 0], "values.v1": 7}, "_meta": {"title": "Sum"}},
        "4:6": {"class_type": "Text", "inputs": {"text": "", "clip": "a\nb // c"}, "_meta": {"title": "Text"}},
    }
    back = there_and_back(prompt, CATALOG | GIVERS)
    added = {"class_type": "PrimitiveInt", "_meta": {"title": "PrimitiveInt"}}
    assert back == {  # in a subgraph, it is a value of that
        **prompt,
        "3": {**prompt["3"], "inputs": {"values.v0": ["7", 0], "values.v1": ["8", 0]}},
        "7": {**added, "inputs": {"value": 5}},
        "8": {**added, "inputs": {"value": 6}},
    }


@pytest.mark.parametrize("value", [None, {"a": 1}, 1.5])
def test_a_constant_that_no_node_gives_is_named(value: Any) -> None:
    workflow = Workflow({"3": {"class_type": "Sum", "inputs": {"values.v0": value}, "_meta": {"title": "My sum"}}})
    with pytest.raises(WorkflowError) as caught:
        workflow.to_editor(CATALOG | GIVERS)
    assert str(caught.value) == (
        "node 3 'My sum' (Sum): the editor has no place for the value of input 'values.v0': link it instead"
    )


def test_what_the_class_does_not_declare_is_left_out_and_defaults_are_added() -> None:
    prompt = {"3": {"class_type": "Save", "inputs": {"imagse": 3}}}
    assert there_and_back(prompt)["3"]["inputs"] == {"filename_prefix": "x"}


def test_links_to_nowhere_are_left_out_and_unknown_outputs_are_made() -> None:
    prompt = {
        "1": {"class_type": "Load", "inputs": {"name": "a.safetensors"}},
        "3": {"class_type": "Save", "inputs": {"images": ["nowhere", 0], "filename_prefix": ["1", 7]}},
        "4": {"class_type": "Lora", "inputs": {"model": ["1", -1], "clip": ["1", 10**12], "strength": 1}},
    }
    back = there_and_back(prompt)
    assert back["3"]["inputs"] == {"filename_prefix": ["1", 7]}
    assert back["4"]["inputs"] == {"strength": 1}


def test_a_class_that_is_missing_keeps_its_values() -> None:
    saved = Workflow({"3": {"class_type": "Gone", "inputs": {"a": 1, "in": ["3", 2], "b": "c"}}}).to_editor(CATALOG)
    (entry,) = saved["nodes"]
    assert (entry["type"], entry["widgets_values"]) == ("Gone", [1, "c"])
    assert [slot["name"] for slot in entry["inputs"]] == ["in"]
    assert len(entry["outputs"]) == 3


def test_a_list_that_looks_like_that_of_an_old_file_is_made_longer() -> None:
    """The editor drops the values of inputs that became sockets where a list has one for each of those, too."""
    catalog = {"Old": node(required={"was": ["INT", {"forceInput": True}], "seed": ["INT", {}]})}
    prompt = {"1": {"class_type": "Old", "inputs": {"seed": 5}, "_meta": {"title": "Old"}}}
    assert there_and_back(prompt, catalog) == prompt


def test_a_bounding_box_fills_its_parts() -> None:
    catalog = {"Box": node(required={"box": ["BOUNDING_BOX", {}]})}
    box = {"x": 1, "y": 2, "width": 3, "height": 4}
    prompt = {"1": {"class_type": "Box", "inputs": {"box": box}, "_meta": {"title": "Box"}}}
    assert Workflow(prompt).to_editor(catalog)["nodes"][0]["widgets_values"] == [box, 1, 2, 3, 4]
    assert there_and_back(prompt, catalog) == prompt


@pytest.mark.parametrize("value", [math.nan, Path("a.png"), b"abc"])
def test_what_json_cannot_hold_is_named(value: Any) -> None:
    with pytest.raises(WorkflowError, match=r"input 'image' is .*, which JSON cannot hold"):
        Workflow({"1": {"class_type": "Picture", "inputs": {"image": value}}}).to_editor(CATALOG)


def test_an_empty_workflow_is_an_empty_file() -> None:
    assert there_and_back({}) == {}


def test_what_is_saved_shares_nothing_with_the_workflow() -> None:
    workflow = Workflow({"1": {"class_type": "Picture", "inputs": {"image": {"__value__": [1]}}}})
    workflow.to_editor(CATALOG)["nodes"][0]["widgets_values"][0].append(2)
    assert workflow["1"]["image"] == {"__value__": [1]}


def test_what_the_editor_exported_of_our_own_graphs_comes_back() -> None:
    figure = roundtrip.measure(answers.answers(), answers.catalogue())
    assert figure.differing.keys() == roundtrip.CHANGED.keys()
    assert figure.same == figure.total - len(roundtrip.CHANGED) > 80
    assert str(figure) == f"{figure.same} of {figure.total}"


# --- prompts of any shape ---

PLAIN: dict[str, dict[str, Any]] = {
    "Load": {"name": "b.safetensors"},
    "Lora": {"strength": 0.5},
    "Text": {"text": "a {fox} // in the snow"},
    "Sample": {"seed": 3, "steps": 4, "small_seed": -2},
    "Choice": {"how": "scale", "how.width": 9, "how.seed": 8},
    "Sum": {},
    "Save": {"filename_prefix": "y"},
}
SOCKETS: dict[str, dict[str, str]] = {
    "Load": {},
    "Lora": {"model": "MODEL", "clip": "CLIP"},
    "Text": {"text": "STRING", "clip": "CLIP"},
    "Sample": {"seed": "INT", "model": "MODEL", "positive": "TEXTS", "mask": "MASK"},
    "Choice": {"image": "IMAGE", "how.width": "INT"},
    "Sum": {"values.v0": "INT", "values.v1": "INT"},
    "Save": {"images": "IMAGE", "filename_prefix": "STRING"},
}
IDS = ["1", "2", "7", "7:3", "7:4", "7:5:6", "8:9", "8:10:11", "8:10:12", "8:3", "x", "-10", "07", "1:1"]


@st.composite
def prompts(draw: st.DrawFn, *, anyhow: bool = True) -> dict[str, Any]:
    """Nodes with all of their values, linked across subgraphs: anyhow, or without circles and as the types allow."""
    ids = draw(st.lists(st.sampled_from(IDS), unique=True, min_size=not anyhow, max_size=9))
    prompt: dict[str, Any] = {}
    for node_id in ids:
        class_type = draw(st.sampled_from(list(PLAIN)))
        inputs = dict(PLAIN[class_type])
        for name, kind in SOCKETS[class_type].items():
            outputs = [
                [source, number]
                for source, entry in prompt.items()
                for number, given in enumerate(CATALOG[entry["class_type"]]["output"])
                if given == kind
            ]
            if anyhow:
                outputs = [[source, number] for source in ids for number in range(3)]
            is_linked = draw(st.booleans())
            if outputs and is_linked:
                inputs[name] = draw(st.sampled_from(outputs))
        prompt[node_id] = {"class_type": class_type, "inputs": inputs, "_meta": {"title": f"node {len(prompt)}"}}
    return prompt


@given(prompts())
def test_any_prompt_comes_back(prompt: dict[str, Any]) -> None:
    assert there_and_back(prompt) == prompt


def switched(prompt: dict[str, Any], node_id: str, mode: int) -> dict[str, Any]:
    """The prompt's save file, with a node muted or bypassed as the editor notes it."""
    saved: dict[str, Any] = json.loads(json.dumps(Workflow(prompt).to_editor(CATALOG)))
    graphs = [saved, *saved["definitions"]["subgraphs"]]
    (found,) = [
        entry for each in graphs for entry in each["nodes"] if entry.get("title") == prompt[node_id]["_meta"]["title"]
    ]
    found["mode"] = mode
    return saved


@given(prompts(anyhow=False), st.data())
def test_to_mute_and_to_bypass_mean_what_they_mean_in_the_editor(prompt: dict[str, Any], data: st.DataObject) -> None:
    node_id = data.draw(st.sampled_from(list(prompt)))
    muted, bypassed = Workflow(prompt), Workflow(prompt)
    muted[node_id].mute(CATALOG)
    bypassed[node_id].bypass(CATALOG)
    assert muted.to_api() == to_api(switched(prompt, node_id, 2), CATALOG)
    assert bypassed.to_api() == to_api(switched(prompt, node_id, 4), CATALOG)
