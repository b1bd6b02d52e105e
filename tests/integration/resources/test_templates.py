"""``client.templates`` on a real server, with what tests/comfyui/nodes brings along."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from comfyclient.errors import NotFound

if TYPE_CHECKING:
    from comfyclient import Client

needs_nodes = pytest.mark.needs_test_nodes

PACK = "comfyclient_test_nodes"


def test_official_templates(client: Client) -> None:
    categories = client.templates.index()
    templates = [template for category in categories for template in category.templates]

    assert len(templates) > 50
    assert len({template.name for template in templates}) == len(templates)
    assert all(category.title and category.extra == {} for category in categories)
    assert all(template.title and template.extra == {} for template in templates)
    for template in templates[::100]:
        assert template.mediaType in {"image", "video", "audio", "3d"}
        assert client.templates.get(template.name)["nodes"]


def test_an_official_template_that_is_not_there(client: Client) -> None:
    name = client.templates.index()[0].templates[0].name
    with pytest.raises(NotFound, match=f"there is no official template '{name}x'; nearest: .*'{name}'"):
        client.templates.get(f"{name}x")


@needs_nodes
def test_templates_of_a_pack(client: Client) -> None:
    assert client.templates.list()[PACK] == ["red picture"]
    document = client.templates.get("red picture", PACK)
    assert [node["type"] for node in document["nodes"]] == ["EmptyImage", "PreviewImage"]


@needs_nodes
@pytest.mark.parametrize(
    ("name", "pack", "sentence"),
    [
        ("red pictures", PACK, f"there is no template in '{PACK}' named 'red pictures'; nearest: 'red picture'"),
        ("red picture", "comfyclient_test", f"there is no pack .* 'comfyclient_test'; nearest: '{PACK}'"),
        ("../checkpoint", PACK, f"there is no template in '{PACK}'"),
    ],
)
def test_a_template_of_a_pack_that_is_not_there(client: Client, name: str, pack: str, sentence: str) -> None:
    with pytest.raises(NotFound, match=sentence):
        client.templates.get(name, pack)


def test_subgraphs(client: Client) -> None:
    found = client.templates.subgraphs()

    assert len(found) > 10
    for id, listed in [*found.items()][::20]:  # noqa: A001 - the server's word
        subgraph = client.templates.subgraph(id)
        assert subgraph is not None
        assert (subgraph.name, subgraph.source, subgraph.info) == (listed.name, listed.source, listed.info)
        assert listed.data is None
        assert isinstance(subgraph.data, dict)
        assert subgraph.extra == listed.extra == {}


@needs_nodes
def test_a_subgraph_of_a_pack(client: Client) -> None:
    (id,) = (id for id, found in client.templates.subgraphs().items() if found.name == "red half")  # noqa: A001
    subgraph = client.templates.subgraph(id)

    assert subgraph is not None
    assert (subgraph.source, subgraph.info) == ("custom_node", {"node_pack": f"custom_nodes.{PACK}"})
    assert subgraph.data["definitions"] == {"subgraphs": []}


@pytest.mark.parametrize("id", ["nope", "a b/ü"])
def test_an_unknown_subgraph(client: Client, id: str) -> None:  # noqa: A002 - the server's word
    assert client.templates.subgraph(id) is None
