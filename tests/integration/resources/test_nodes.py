"""``client.nodes`` on a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from comfyclient._convert import structure
from comfyclient.types import NodeInfo

if TYPE_CHECKING:
    from comfyclient import Client


def test_one_node(client: Client) -> None:
    info = client.nodes.get("KSampler")

    assert info is not None
    assert info.name == "KSampler"
    assert info.inputs["seed"].type == "INT"
    assert "euler" in (info.choices("sampler_name") or [])
    assert info.extra == {}


@pytest.mark.parametrize("name", ["Nope", "Pack/Node (old)", "ü", "KSampler/x"])
def test_a_node_that_the_server_lacks(client: Client, name: str) -> None:
    assert client.nodes.get(name) is None


def test_all_nodes(client: Client) -> None:
    nodes = client.nodes.list()

    assert len(nodes) > 100
    assert set(client.nodes.names()) == set(nodes)
    assert nodes["SaveImage"].output_node
    for name, info in nodes.items():
        assert info.name == name
        assert info.extra == {}, "a key that we do not know"
        for spec in info.inputs.values():
            assert spec.type
            if spec.type == "COMBO":
                assert spec.choices is not None or "remote" in spec.options


def test_one_node_is_the_same_alone_and_among_all(client: Client) -> None:
    assert client.nodes.get("EmptyImage") == client.nodes.list()["EmptyImage"]


def test_every_node_is_what_the_server_says(client: Client) -> None:
    nodes = client.nodes.list()
    raw = client._transport.get_json("/object_info")

    assert {name: structure(entry, NodeInfo).inputs.keys() for name, entry in raw.items()} == {
        name: info.inputs.keys() for name, info in nodes.items()
    }
