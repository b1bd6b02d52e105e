"""``client.templates``: what it asks for, and what it makes of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.errors import DecodeError, NotFound, Unsupported
from comfyclient.resources import Templates
from tests.captures import capture
from tests.fakes import FlakyServer, json_reply, reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient._http import Transport

NOTHING = reply(404)
DOCUMENT: dict[str, Any] = {"nodes": [], "links": []}


@pytest.fixture
def templates(to_flaky: Transport) -> Templates:
    return Templates(to_flaky)


def targets(flaky: FlakyServer) -> list[str]:
    return [request.target for request in flaky.requests]


def test_list(templates: Templates, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("workflow_templates"))]

    assert templates.list() == {"proto_nodes": ["my_example"]}
    assert targets(flaky) == ["/workflow_templates"]


def test_index(templates: Templates, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("templates_index"))]
    found = templates.index()

    assert targets(flaky) == ["/templates/index.json"]
    assert [category.title for category in found] == [category["title"] for category in capture("templates_index")]


@pytest.mark.parametrize(
    ("name", "pack", "target"),
    [
        ("flux_schnell", None, "/templates/flux_schnell.json"),
        ("a/b c", None, "/templates/a%2Fb%20c.json"),
        ("my example", "a pack", "/api/workflow_templates/a%20pack/my%20example.json"),
        ("../x", "..\\y", "/api/workflow_templates/..%5Cy/..%2Fx.json"),
    ],
)
def test_get(templates: Templates, flaky: FlakyServer, name: str, pack: str | None, target: str) -> None:
    flaky.answers = [json_reply(DOCUMENT)]

    assert templates.get(name, pack) == DOCUMENT
    assert targets(flaky) == [target]


@pytest.mark.parametrize(("name", "pack"), [("", None), ("..", None), ("a", ""), ("a", "..")])
def test_a_name_that_leads_elsewhere(templates: Templates, flaky: FlakyServer, name: str, pack: str | None) -> None:
    with pytest.raises(ValueError, match="cannot be asked for"):
        templates.get(name, pack)
    assert flaky.requests == []


def test_an_official_template_that_is_not_there(templates: Templates, flaky: FlakyServer) -> None:
    known = capture("templates_index")[0]["templates"][0]["name"]
    flaky.answers = [reply(404, "404: Not Found"), json_reply(capture("templates_index"))]
    with pytest.raises(NotFound, match=f"there is no official template '{known}x'; nearest: '{known}'"):
        templates.get(f"{known}x")
    assert targets(flaky)[1] == "/templates/index.json"


@pytest.mark.parametrize(
    ("name", "pack", "sentence"),
    [
        ("my_exampl", "proto_nodes", "there is no template in 'proto_nodes' named 'my_exampl'; nearest: 'my_example'"),
        ("my_example", "protonodes", "there is no pack with templates named 'protonodes'; nearest: 'proto_nodes'"),
        ("my_example", "x", "there is no pack with templates named 'x'; there is 'proto_nodes'"),
        ("my_example", "proto_nodes", "answered 404: an empty body"),  # the pack lies there and could not be loaded
    ],
)
def test_a_template_of_a_pack_that_is_not_there(
    templates: Templates, flaky: FlakyServer, name: str, pack: str, sentence: str
) -> None:
    flaky.answers = [NOTHING, json_reply(capture("workflow_templates"))]
    with pytest.raises(NotFound, match=sentence):
        templates.get(name, pack)


@pytest.mark.parametrize("pack", [None, "pack"])
def test_the_first_error_counts_where_the_others_cannot_be_had(
    templates: Templates, flaky: FlakyServer, pack: str | None
) -> None:
    flaky.answers = [NOTHING, reply(500)]
    with pytest.raises(NotFound, match="answered 404: an empty body"):
        templates.get("a", pack)


def test_a_document_that_is_none(templates: Templates, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply([]), reply(200, "{", "application/json")]
    for problem in ("an object is due, not an array", "where JSON is due"):
        with pytest.raises(DecodeError, match=problem):
            templates.get("a")


def test_subgraphs(templates: Templates, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("global_subgraphs"))]
    found = templates.subgraphs()

    assert targets(flaky) == ["/global_subgraphs"]
    assert [(s.name, s.source, s.info["node_pack"], s.data, s.extra) for s in found.values()] == [
        (raw["name"], raw["source"], raw["info"]["node_pack"], None, {}) for raw in capture("global_subgraphs").values()
    ]


def test_subgraph(templates: Templates, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("global_subgraph"))]
    found = templates.subgraph("a/b")

    assert targets(flaky) == ["/global_subgraphs/a%2Fb"]
    assert found is not None
    assert found.data == {"nodes": [], "definitions": {}}
    assert (found.name, found.extra) == ("my_sub", {})


def test_an_unknown_subgraph(templates: Templates, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(None)]

    assert templates.subgraph("nope") is None


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"name": "a", "data": "{"}, r"the text is not JSON \(.*\) @ \$\.data"),
        ({"name": "a", "data": ""}, r"the text is not JSON \(.*\) @ \$\.data"),
        ({"data": "{}"}, r"'name' is missing @ \$"),
        ([], "an object is due, not an array"),
    ],
)
def test_a_subgraph_of_another_form(templates: Templates, flaky: FlakyServer, answer: Any, problem: str) -> None:
    flaky.answers = [json_reply(answer)]
    with pytest.raises(DecodeError, match=problem):
        templates.subgraph("a")


@pytest.mark.parametrize(
    ("ask", "route"),
    [
        (lambda templates: templates.list(), "GET /workflow_templates"),
        (lambda templates: templates.get("a", "b"), "GET /workflow_templates"),
        (lambda templates: templates.subgraphs(), "GET /global_subgraphs"),
        (lambda templates: templates.subgraph("a"), "GET /global_subgraphs/a"),
    ],
)
def test_an_old_server(templates: Templates, flaky: FlakyServer, ask: Callable[[Templates], Any], route: str) -> None:
    flaky.answers = [NOTHING]
    with pytest.raises(Unsupported, match=f"does not have {route}, which came with version 0"):
        ask(templates)


def test_a_server_without_official_templates(templates: Templates, flaky: FlakyServer) -> None:
    flaky.answers = [NOTHING]
    for ask in (templates.index, lambda: templates.get("a")):
        with pytest.raises(NotFound, match="answered 404: there are no official templates; they come with a package"):
            ask()
