"""What the editor saves, as a ``Workflow``: with a catalogue of nodes, and without one."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import Client, Workflow
from comfyclient.errors import WorkflowError
from comfyclient.workflow import editor
from comfyclient.workflow.editor import to_api
from tests.captures import HERE
from tests.fakes import FlakyServer, json_reply
from tests.workflows import plain, plain_saved

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDED = gzip.decompress((HERE / "0.30.0" / "object_info_all.json.gz").read_bytes())
CATALOG: dict[str, Any] = json.loads(RECORDED)
SAVED = plain_saved(7)
GRAPH = plain(7)
GRAPH["1"]["_meta"]["title"] = "Empty Image"  # as the catalogue calls it


def test_with_a_catalog_it_is_a_workflow_like_any_other() -> None:
    workflow = Workflow.load(SAVED, catalog=CATALOG)
    assert not workflow.needs_catalog
    assert workflow.to_api() == GRAPH
    assert workflow == Workflow(GRAPH)
    assert workflow.find(title="Save it").id == "2"
    workflow.check()


def test_a_catalog_is_whatever_has_one(tmp_path: Path) -> None:
    path = tmp_path / "object_info.json"
    path.write_bytes(RECORDED)
    with FlakyServer(json_reply(CATALOG)) as server, Client(server.url, realtime=False) as client:
        listed = client.nodes.list()
    few = {name: listed[name] for name in ("EmptyImage", "SaveImage")}
    for catalog in (CATALOG, RECORDED, RECORDED.decode(), path, str(path), listed, few):
        assert Workflow.load(SAVED, catalog=catalog).to_api() == GRAPH
        assert Workflow.load(SAVED).to_api(catalog) == GRAPH


@pytest.mark.parametrize(
    ("catalog", "message"),
    [
        ("{", "the catalogue of nodes is not JSON: "),
        (b"[]", "a catalogue of nodes is what client.nodes.list() returns, not a list"),
        (7, "a catalogue of nodes is what client.nodes.list() returns, not a number"),
    ],
)
def test_what_is_no_catalog(catalog: Any, message: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        Workflow.load(SAVED, catalog=catalog)
    assert str(caught.value).startswith(message)


def test_other_formats_need_no_catalog() -> None:
    workflow = Workflow.load(GRAPH, catalog={})
    assert workflow.to_api({}) == workflow.to_api() == GRAPH
    assert workflow.saved_file is None


@pytest.mark.parametrize(
    "use",
    [
        len,
        list,
        lambda workflow: workflow["1"],
        lambda workflow: workflow.find(class_type="SaveImage"),
        lambda workflow: workflow.set({"1.color": 3}),
        lambda workflow: workflow.check(),
        lambda workflow: workflow.to_api(),
        lambda workflow: workflow.to_json(),
    ],
)
def test_without_a_catalog_its_nodes_cannot_be_read(use: Callable[[Workflow], object]) -> None:
    with pytest.raises(WorkflowError, match=r"^this is the editor's own save file, .* client\.load"):
        use(Workflow.load(SAVED))


def test_without_a_catalog_it_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "saved.json"
    path.write_text(json.dumps(SAVED), encoding="utf-8")
    workflow = Workflow.load(path)
    assert workflow.needs_catalog
    assert workflow.saved_file == SAVED
    assert repr(workflow) == "<Workflow 2 nodes as the editor saved them>"
    assert workflow == workflow.copy() != Workflow(GRAPH) != workflow
    assert workflow != Workflow(plain_saved(8))
    assert workflow.copy().to_api(CATALOG) == GRAPH
    assert Workflow(workflow, catalog=CATALOG) == Workflow(GRAPH)


def test_the_file_is_copied() -> None:
    document = plain_saved(7)
    workflow = Workflow(document)
    document["nodes"].clear()
    assert workflow.to_api(CATALOG) == GRAPH


def test_the_file_is_known_until_the_workflow_is_edited() -> None:
    workflow = Workflow.load(SAVED, catalog=CATALOG)
    copy = workflow.copy()
    assert workflow.saved_file == copy.saved_file == SAVED
    copy["1"]["color"] = 8
    assert copy.saved_file is None
    copy["1"]["color"] = 7
    assert copy.saved_file == SAVED
    copy["1"]["color"] = 7.0
    assert copy.saved_file is None
    copy["1"]["color"] = Path("photo.png")
    assert copy.saved_file is None
    assert workflow.saved_file == SAVED


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "saved.json"
    path.write_text('{"nodes": [{"type": "SaveImage"}]}', encoding="utf-8")
    with pytest.raises(WorkflowError) as caught:
        Workflow.load(path, catalog=CATALOG)
    assert str(caught.value) == f"{path}: a node of the workflow has no id (SaveImage)"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            {"name": "x", "nodes": [{"id": "a", "data": {}}], "edges": [], "meta": {}},
            "this is a graph with edges, as InvokeAI and other programs save it; a workflow of ComfyUI: in the editor,",
        ),
        (
            {"templates": [{"name": "x", "data": "{}"}]},
            "this is a file of node templates: insert one of them into a workflow in the editor, and save that; ",
        ),
    ],
)
def test_formats_that_look_like_it_are_named(document: dict[str, Any], message: str) -> None:
    with pytest.raises(WorkflowError) as caught:
        Workflow.load(document, catalog=CATALOG)
    assert str(caught.value).startswith(message)


def test_what_the_editors_scripts_give_is_taken() -> None:
    both = {"workflow": SAVED, "output": GRAPH}
    assert Workflow.load(both).to_api() == GRAPH
    assert Workflow.load(both, prefer="workflow").saved_file == SAVED


def unknown_to_the_server() -> dict[str, Any]:
    document = plain_saved(7)
    document["nodes"].append({"id": 3, "type": "NodeOfNoPack", "inputs": [], "outputs": [], "widgets_values": [1]})
    return document


def test_a_node_that_the_server_does_not_have_is_named_before_anything_is_sent() -> None:
    workflow = Workflow.load(unknown_to_the_server(), catalog=CATALOG)
    assert workflow.to_api()["3"]["class_type"] is None
    assert repr(workflow["3"]) == "<Node 3: UNKNOWN>"
    with pytest.raises(WorkflowError) as caught:
        workflow.copy().check()
    wanted = "node 3: the server has no node 'NodeOfNoPack'; is its pack of custom nodes installed?"
    assert str(caught.value) == wanted
    for each in (workflow, Workflow.load(unknown_to_the_server())):
        problems = [problem for problem in each.validate(CATALOG) if problem.node_id == "3"]
        assert "the server has no node 'NodeOfNoPack'" in str(problems[0])


def test_a_node_of_the_editor_alone_can_be_taught(monkeypatch: pytest.MonkeyPatch) -> None:
    document = unknown_to_the_server()
    through = {
        "id": 4,
        "type": "Through",
        "inputs": [{"name": "in", "type": "*", "link": 1}],
        "outputs": [{"links": [2]}],
    }
    document["nodes"].append(through)
    document["nodes"][1]["inputs"][0]["link"] = 2
    document["links"] = [[1, 1, 0, 4, 0, "IMAGE"], [2, 4, 0, 2, 0, "IMAGE"]]
    monkeypatch.setitem(editor.RESOLVERS, "NodeOfNoPack", lambda *_: None)
    monkeypatch.setitem(editor.RESOLVERS, "Through", lambda node, _: (node, 0))
    workflow = Workflow.load(document, catalog=CATALOG)
    assert workflow.to_api() == GRAPH
    workflow.check()


def named(kind: str, number: int, name: str, link: int) -> dict[str, Any]:
    """A node of KJNodes."""
    is_set = kind == "SetNode"
    return {
        "id": number,
        "type": kind,
        "inputs": [{"name": "IMAGE", "type": "IMAGE", "link": link}] if is_set else [],
        "outputs": [{"name": "IMAGE", "type": "IMAGE", "links": [] if is_set else [link]}],
        "widgets_values": [name],
    }


@pytest.mark.parametrize("name", ["picture", "another"])
def test_set_and_get_nodes_are_known_where_their_pack_is(name: str) -> None:
    document = plain_saved(7)
    document["nodes"] += [named("SetNode", 3, "picture", 1), named("GetNode", 4, name, 2)]
    document["nodes"][1]["inputs"][0]["link"] = 2
    document["links"] = [[1, 1, 0, 3, 0, "IMAGE"], [2, 4, 0, 2, 0, "IMAGE"]]
    pack = {"Some": {"input": {}, "python_module": "custom_nodes.comfyui-kjnodes"}}
    graph = Workflow.load(document, catalog={**CATALOG, **pack}).to_api()
    assert graph["2"]["inputs"].get("images") == (["1", 0] if name == "picture" else None)
    assert graph.keys() == GRAPH.keys()
    assert Workflow.load(document, catalog=CATALOG).to_api().keys() == {"1", "2", "3", "4"}


def test_values_by_name_as_packs_save_them() -> None:
    document = plain_saved(1)
    document["nodes"][0]["widgets_values"] = {"color": 7, "width": 16, "height": 16, "batch_size": 1, "more": 2}
    document["nodes"][1]["widgets_values"] = {"filename_prefix": GRAPH["2"]["inputs"]["filename_prefix"]}
    assert Workflow.load(document, catalog=CATALOG).to_api() == GRAPH


def test_choices_in_texts_are_made_anew_each_time() -> None:
    text = {"id": 1, "type": "CLIPTextEncode", "inputs": [], "outputs": [], "widgets_values": ["{a|b} {c|{d|e}}"]}
    workflow = Workflow.load({"nodes": [text], "links": []})
    made = {workflow.to_api(CATALOG)["1"]["inputs"]["text"] for _ in range(300)}
    assert made == {"a c", "a d", "a e", "b c", "b d", "b e"}
    seeded = {to_api(workflow.saved_file or {}, CATALOG, rng=random.Random(3))["1"]["inputs"]["text"] for _ in range(9)}  # noqa: S311
    assert len(seeded) == 1


def test_a_file_that_is_nested_too_deeply() -> None:
    deep: Any = 0
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(WorkflowError, match="nested too deeply"):
        Workflow({"nodes": [], "extra": deep})


def test_the_client_asks_for_the_catalog_once_and_only_if_need_be() -> None:
    with FlakyServer() as server, Client(server.url, realtime=False) as client:
        assert client.load(GRAPH).to_api() == GRAPH
        assert not server.requests
        server.answers = [json_reply(CATALOG)]
        for _ in range(2):
            assert client.load(SAVED).to_api() == GRAPH
            assert client.load(Workflow.load(SAVED)).to_api() == GRAPH
        assert [request.target for request in server.requests] == ["/object_info"]


def test_a_template_comes_from_the_server() -> None:
    with FlakyServer() as server, Client(server.url, realtime=False) as client:
        server.answers = [json_reply(SAVED), json_reply(CATALOG), json_reply(SAVED)]
        assert Workflow.template("red", client=client).to_api() == GRAPH
        assert Workflow.template("red", pack="paint", client=client).to_api() == GRAPH
        assert [request.target for request in server.requests] == [
            "/templates/red.json",
            "/object_info",
            "/api/workflow_templates/paint/red.json",
        ]


def test_a_template_of_the_server_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with FlakyServer() as server:
        monkeypatch.setenv("COMFYUI_URL", server.url)
        server.answers = [json_reply(SAVED), json_reply(CATALOG)]
        assert Workflow.template("red").to_api() == GRAPH


def test_what_was_not_edited_is_the_editors_file_again() -> None:
    for workflow in (Workflow.load(SAVED), Workflow.load(SAVED, catalog=CATALOG)):
        saved = workflow.to_editor(CATALOG)
        assert saved == SAVED
        saved["nodes"].clear()
        assert workflow.to_editor(CATALOG) == SAVED
    workflow = Workflow.load(SAVED, catalog=CATALOG)
    workflow["1"]["color"] = 9
    assert workflow.to_editor(CATALOG) != SAVED
    assert Workflow.load(workflow.to_editor(CATALOG), catalog=CATALOG) == workflow
