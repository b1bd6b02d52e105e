"""``client.nodes``: what it asks for, and what it makes of the answers."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.errors import DecodeError, ServerError, Unsupported
from comfyclient.resources import Nodes
from comfyclient.types import InputMapping, OutputMapping
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
    with pytest.raises(DecodeError, match=r"an object is due, not an array @ \$"):
        nodes.get("KSampler")


# --- the catalogue ------------------------------------------------------------------------------------------


def targets(flaky: FlakyServer) -> list[str]:
    return [request.target for request in flaky.requests]


def with_samplers(*names: str) -> dict[str, Any]:
    """The sampler, with another list of choices."""
    entry = copy.deepcopy(NODES["KSampler"])
    entry["input"]["required"]["sampler_name"][0] = [*names]
    return {"KSampler": entry}


def choices(nodes: Nodes, *, refresh: bool = False) -> list[Any] | None:
    info = nodes.get("KSampler", refresh=refresh)
    return info.choices("sampler_name") if info is not None else None


def test_the_catalogue_is_asked_for_once(nodes: Nodes, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(NODES)]
    assert nodes.list() == nodes.list()
    nodes.names()
    nodes.search("sampler")
    assert nodes.get("KSampler") == nodes.list()["KSampler"]

    assert targets(flaky) == ["/object_info"]


def test_threads_share_it(nodes: Nodes, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(NODES)]
    with ThreadPoolExecutor(8) as threads:
        found = [future.result() for future in [threads.submit(nodes.names) for _ in range(8)]]

    assert found == [list(NODES)] * 8
    assert targets(flaky) == ["/object_info"]


def test_one_node_does_not_need_the_catalogue(nodes: Nodes, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(with_samplers("euler")), json_reply(with_samplers("lcm")), json_reply({})]
    assert choices(nodes) == choices(nodes) == ["euler"]
    assert targets(flaky) == ["/object_info/KSampler"]

    assert choices(nodes, refresh=True) == choices(nodes) == ["lcm"]
    assert nodes.get("KSampler", refresh=True) is None
    assert nodes.get("KSampler") is None
    assert targets(flaky) == ["/object_info/KSampler"] * 4


def test_all_are_asked_for_anew(nodes: Nodes, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(with_samplers("euler")), json_reply(with_samplers("euler", "lcm"))]
    before = nodes.list()
    after = nodes.list(refresh=True)

    assert before["KSampler"].choices("sampler_name") == ["euler"], "what was returned stays what it was"
    assert after["KSampler"].choices("sampler_name") == choices(nodes) == ["euler", "lcm"]
    assert nodes.names(refresh=True) == ["KSampler"]
    assert targets(flaky) == ["/object_info"] * 3


def test_one_is_asked_for_anew_and_corrects_the_catalogue(nodes: Nodes, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply({**NODES, **with_samplers("euler")}), json_reply(with_samplers("lcm"))]
    before = nodes.list()

    assert choices(nodes, refresh=True) == choices(nodes) == ["lcm"]
    assert nodes.list()["KSampler"].choices("sampler_name") == ["lcm"]
    assert before["KSampler"].choices("sampler_name") == ["euler"]
    assert nodes.names() == list(NODES)
    assert targets(flaky) == ["/object_info", "/object_info/KSampler"]


def test_what_the_catalogue_lacks_is_asked_for(nodes: Nodes, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply({}), json_reply(with_samplers("lcm"))]
    nodes.list()

    assert choices(nodes) == choices(nodes) == ["lcm"]
    assert nodes.names() == ["KSampler"]
    assert targets(flaky) == ["/object_info", "/object_info/KSampler"]


def test_what_is_gone_leaves_the_catalogue(nodes: Nodes, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(with_samplers("lcm")), json_reply({})]
    nodes.list()

    assert nodes.get("KSampler", refresh=True) is None
    assert nodes.get("Never there") is None
    assert nodes.names() == []


def test_an_error_does_not_stay(nodes: Nodes, flaky: FlakyServer) -> None:
    flaky.answers = [reply(500), json_reply(NODES), reply(500), reply(500)]
    with pytest.raises(ServerError):
        nodes.list()
    nodes.list()
    with pytest.raises(ServerError):
        nodes.list(refresh=True)
    with pytest.raises(ServerError):
        nodes.get("KSampler", refresh=True)

    assert nodes.names() == list(NODES)


def test_the_catalogue_can_be_pickled(nodes: Nodes, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(NODES)]
    found = nodes.list()

    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own


# --- search -------------------------------------------------------------------------------------------------

FOUND = {
    "Upscale": {"display_name": "Enlarge", "category": "image/size"},
    "ScaleUp": {"display_name": None, "search_aliases": ["upscale"]},
    "UpscaleModel": {"display_name": "Upscale by Model"},
    "ImageScaler": {"display_name": "Scale Image (upscale)"},
    "Old": {"display_name": "Upscale Old", "deprecated": True},
    "Grow": {"search_aliases": ["can upscale pictures"]},
    "Sharpen": {"category": "upscale"},
    "Help": {"description": "Does not upscale."},
    "Other": {"display_name": 7, "search_aliases": "upscale", "description": None},
    "Broken": None,
    "LoadImage": {"display_name": "Load"},
}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "upscale",
            ["Upscale", "ScaleUp", "UpscaleModel", "Old", "ImageScaler", "Grow", "Sharpen", "Help"],
        ),
        ("UPSCALE", ["Upscale", "ScaleUp", "UpscaleModel", "Old", "ImageScaler", "Grow", "Sharpen", "Help"]),
        ("upscale model", ["UpscaleModel"]),
        ("model upscale", ["UpscaleModel"]),
        ("load image", ["LoadImage"]),
        ("image size", ["Upscale"]),
        ("broken", ["Broken"]),
        ("no such thing", []),
        ("7", ["Other"]),
    ],
)
def test_search(nodes: Nodes, flaky: FlakyServer, text: str, names: list[str]) -> None:
    flaky.answers = [json_reply(FOUND)]

    assert nodes.search(text) == names


def test_everything_holds_no_words(nodes: Nodes, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(FOUND)]

    assert set(nodes.search(" ")) == set(FOUND)


# --- replacements -------------------------------------------------------------------------------------------


def test_replacements(nodes: Nodes, flaky: FlakyServer) -> None:
    flaky.answers = [json_reply(capture("node_replacements"))]
    found = nodes.replacements()

    assert targets(flaky) == ["/node_replacements"]
    assert list(found) == list(capture("node_replacements"))
    (one,) = found["ResizeImagesByLongerEdge"]
    assert (one.old_node_id, one.new_node_id) == ("ResizeImagesByLongerEdge", "ImageScaleToMaxDimension")
    assert one.old_widget_ids == ("longer_edge",)
    assert one.input_mapping is not None
    assert one.input_mapping[0] == InputMapping("image", "images")
    assert one.input_mapping[2] == InputMapping("upscale_method", set_value="lanczos")
    assert one.output_mapping == (OutputMapping(0, 0),)
    assert found["Load3DAnimation"][0].input_mapping is None
    for several in found.values():
        for each in several:
            assert each.extra == {}
            assert not any(mapping.extra for mapping in each.input_mapping or ())
            assert not any(mapping.extra for mapping in each.output_mapping or ())


def test_a_server_without_replacements(nodes: Nodes, flaky: FlakyServer) -> None:
    flaky.answers = [reply(404)]
    with pytest.raises(Unsupported, match=r"does not have GET /node_replacements"):
        nodes.replacements()
