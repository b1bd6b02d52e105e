"""``client.nodes``: what it asks for, and what it makes of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from comfyclient.errors import DecodeError, ServerError
from comfyclient.resources import Nodes
from tests.captures import capture
from tests.fakes import FlakyServer, json_reply, reply

if TYPE_CHECKING:
    from comfyclient._http import Transport

NODES = capture("object_info")


@pytest.fixture
def nodes(to_flaky: Transport) -> Nodes:
    return Nodes(to_flaky)


def test_get(nodes: Nodes, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply({"KSampler": NODES["KSampler"]})]
    info = nodes.get("KSampler")

    assert info is not None
    assert "karras" in (info.choices("scheduler") or [])
    assert flaky.requests[0].target == "/object_info/KSampler"


def test_what_the_server_lacks_is_none(nodes: Nodes, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply({})]

    assert nodes.get("Pack/Node (old)|1") is None
    assert flaky.requests[0].target == "/object_info/Pack%2FNode%20%28old%29%7C1"


def test_a_node_that_cannot_describe_itself(nodes: Nodes, flaky: FlakyServer) -> None:
    flaky.answers = [reply(500, "500 Internal Server Error")]
    with pytest.raises(ServerError):
        nodes.get("Broken")


def test_list(nodes: Nodes, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(NODES)]
    found = nodes.list()

    assert list(found) == list(NODES)
    assert len(found) == len(NODES)
    assert "KSampler" in found
    assert "Nope" not in found
    assert found["SaveImage"].output_node
    assert found.get("Nope") is None
    with pytest.raises(KeyError):
        found["Nope"]
    assert [r.target for r in flaky.requests] == ["/object_info"], "one request, whatever is looked at"


def test_one_bad_node_harms_no_other(nodes: Nodes, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply({"Bad": {"name": "Bad", "input": []}, "KSampler": NODES["KSampler"]})]
    found = nodes.list()

    assert found["KSampler"].name == "KSampler"
    with pytest.raises(DecodeError, match=r"/object_info .*an object is due, not an array @ \$\['Bad'\]\.input"):
        found["Bad"]


def test_names(nodes: Nodes, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(NODES)]

    assert nodes.names() == list(NODES)


def test_an_answer_of_another_form(nodes: Nodes, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply([])]
    with pytest.raises(DecodeError, match=r"an object is due, not an array @ \$"):
        nodes.list()
