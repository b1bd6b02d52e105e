"""``client.nodes`` on a real server."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from comfyclient import PromptRejected
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
        for spec in info.inputs_for({}).values():
            assert spec.type
            assert all(spec.types)
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


def test_a_new_file_is_seen_after_a_refresh(client: Client) -> None:
    name = f"{uuid.uuid4().hex}.png"
    client.nodes.list()
    client.files.upload_image(b"a picture", filename=name)

    def choices(*, refresh: bool = False) -> list[str]:
        info = client.nodes.get("LoadImage", refresh=refresh)
        assert info is not None
        return info.choices("image") or []

    assert name not in choices()
    assert name not in (client.nodes.list()["LoadImage"].choices("image") or [])
    assert name in choices(refresh=True)
    assert name in choices()
    assert name in (client.nodes.list()["LoadImage"].choices("image") or [])


def test_a_refusal_is_explained_by_what_the_server_has_now(client: Client) -> None:
    client.nodes.list()
    outdated = {"name": "KSampler", "input": {"required": {"sampler_name": [["eulr"]]}}}
    client.nodes._catalogue.change(lambda nodes: type(nodes)({"KSampler": outdated}, "somewhere"))
    sampler = {"class_type": "KSampler", "inputs": {"sampler_name": "eulr"}}
    save = {"class_type": "SaveLatent", "inputs": {"samples": ["1", 0], "filename_prefix": "a"}}

    with pytest.raises(PromptRejected, match=r"'eulr' is not one of the [0-9]+ choices; nearest: 'euler'"):
        client.submit({"1": sampler, "2": save})
    with pytest.raises(PromptRejected) as caught:
        client.submit({"1": sampler, "2": {**save, "class_type": "SaveLatant"}})
    assert [(problem.node_id, problem.suggestions[0]) for problem in caught.value.problems] == [("2", "SaveLatent")]


def test_search(client: Client) -> None:
    assert client.nodes.search("load image")[0] == "LoadImage"
    assert client.nodes.search("ksampler")[0] == "KSampler"
    assert "ImageInvert" in client.nodes.search("invert")
    assert client.nodes.search("no such node at all") == []


def test_inputs_that_depend_on_others(client: Client) -> None:
    resize = client.nodes.get("ResizeImageMaskNode")
    batch = client.nodes.get("BatchImagesNode")

    assert resize is not None
    assert "resize_type.width" in resize.inputs_for({"resize_type": "scale width"})
    assert batch is not None
    assert list(batch.inputs_for({}))[:2] == ["images.image0", "images.image1"]
    graph = {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
        "2": {
            "class_type": "ResizeImageMaskNode",
            "inputs": {
                "input": ["1", 0],
                "resize_type": "scale width",
                "resize_type.width": 16,
                "scale_method": "area",
            },
        },
        "3": {
            "class_type": "BatchImagesNode",
            "inputs": {"images.image0": ["2", 0], "images.image1": ["2", 0]},
        },
        "4": {"class_type": "PreviewImage", "inputs": {"images": ["3", 0]}},
    }
    for node in graph.values():
        info = client.nodes.list()[str(node["class_type"])]
        known = info.inputs_for(node["inputs"])  # type: ignore[arg-type]  # a mapping, which mypy cannot know
        assert set(node["inputs"]) <= set(known)
        assert {name for name, given in known.items() if given.required} <= set(node["inputs"])
    assert len(client.run(graph).images) == 2


def test_replacements(client: Client) -> None:
    found = client.nodes.replacements()

    assert found
    for name, several in found.items():
        for one in several:
            assert one.old_node_id == name
            assert one.extra == {}
            assert one.new_node_id in client.nodes.list()
