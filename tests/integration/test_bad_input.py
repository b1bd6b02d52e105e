"""What a user sees of a workflow that is wrong: before it is sent, and when the server refuses it."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from PIL import Image

from comfyclient import PromptRejected, Workflow, WorkflowError
from tests.workflows import PATIENCE, filled, fresh, fresh_color, half_wrong, node, pixels, plain

if TYPE_CHECKING:
    from comfyclient import Client
    from tests.conftest import ComfyUI
    from tests.workflows import Graph


def changed(**inputs: Any) -> Graph:
    """A workflow whose first node gets other inputs."""
    graph = plain(fresh_color())
    graph["1"]["inputs"].update(inputs)
    return graph


def extended(**nodes: Any) -> Graph:
    """A workflow with more nodes, ``n5`` for ``"5"``, and an output of its own for node 5."""
    graph = plain(fresh_color())
    graph.update({name.removeprefix("n"): more for name, more in nodes.items()})
    graph["6"] = node("PreviewImage", "Look", images=["5", 0])
    del graph["2"]
    return graph


def refusal(client: Client, graph: Any) -> PromptRejected:
    with pytest.raises(PromptRejected) as caught:
        client.run(graph, timeout=PATIENCE)
    return caught.value


# --- refused by the server ---

REFUSALS: list[tuple[str, Graph, str, str | None, str]] = [
    ("below the minimum", changed(width=0), "1", "width", "1 'EmptyImage': input 'width': 0 is below the minimum 1"),
    (
        *("above the maximum", changed(color=2**24), "1", "color"),
        "1 'EmptyImage': input 'color': 16777216 is above the maximum 16777215",
    ),
    ("not a number", changed(height="tall"), "1", "height", "1 'EmptyImage': input 'height': 'tall' is no INT"),
    (
        *("a list as a value", changed(width=[512, 512]), "1", "width"),
        (
            """1 'EmptyImage': input 'width' is [512, 512]: a link is written ["node id", 0], a list as a value """
            """{"__value__": [...]}"""
        ),
    ),
    (
        *("a mistyped input", extended(n5=node("ImageInvert", "Turn", imag=["1", 0])), "5", "image"),
        "5 'Turn' (ImageInvert): input 'image' is missing; the node has 'imag'",
    ),
    (
        *("a bad choice", extended(n5=node("ImageScaleBy", image=["1", 0], upscale_method="lanzcos", scale_by=1.0))),
        *("5", "upscale_method"),
        "5 'ImageScaleBy': input 'upscale_method': 'lanzcos' is not one of the 5 choices; nearest: 'lanczos'",
    ),
    (
        *("a wrong type", extended(n5=node("ImageInvert", image=["7", 0]), n7=node("EmptyLatentImage", "Noise"))),
        *("5", "image"),
        "5 'ImageInvert': input 'image' wants IMAGE, but output 0 of node 7 'Noise' (EmptyLatentImage) is LATENT",
    ),
    (
        *("an output that is not there", extended(n5=node("ImageInvert", image=["1", 4])), "5", "image"),
        "5 'ImageInvert': input 'image' takes output 4 of node 1 'EmptyImage', which has fewer",
    ),
    (
        *("a file that is not there", extended(n5=node("LoadImage", "Photo", image="no/such.file")), "5", "image"),
        "5 'Photo' (LoadImage): input 'image': 'no/such.file' is refused: Invalid image file: no/such.file",
    ),
]


@pytest.mark.parametrize(
    ("graph", "node_id", "input_name", "message"),
    [case[1:] for case in REFUSALS],
    ids=[case[0] for case in REFUSALS],
)
def test_a_refusal_says_which_node_which_input_and_why(
    client: Client, graph: Graph, node_id: str, input_name: str, message: str
) -> None:
    rejected = refusal(client, graph)
    assert str(rejected) == f"the server refused the workflow: node {message}"
    assert [(p.node_id, p.input_name) for p in rejected.problems] == [(node_id, input_name)]
    assert rejected.status == 400
    assert rejected.error["details"] == ""  # it is empty unless the output node itself is wrong


def test_choices_that_the_answer_leaves_out_are_asked_for(client: Client) -> None:
    sampler = node("KSampler", sampler_name="eulr", scheduler="karas", seed=2**64, steps=0, cfg=1.0, denoise=1.0)
    sampler["inputs"] |= {name: ["1", 0] for name in ("model", "positive", "negative", "latent_image")}
    graph = extended(n3=sampler, n5=node("VAEDecode", samples=["3", 0], vae=["1", 0]))
    rejected = refusal(client, graph)
    found = {(p.node_id, p.input_name): p for p in rejected.problems}
    assert found["3", "sampler_name"].suggestions[0] == "euler"
    assert found["3", "scheduler"].suggestions == ("karras",)
    assert "is above the maximum 18446744073709551615" in found["3", "seed"].message
    assert "0 is below the minimum 1" in found["3", "steps"].message
    assert "wants MODEL, but output 0 of node 1 'EmptyImage' is IMAGE" in found["3", "model"].message
    assert "wants VAE" in found["5", "vae"].message
    assert [p.node_id for p in rejected.problems] == sorted(p.node_id for p in rejected.problems)


def test_a_file_name_that_is_nearly_right(client: Client) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    name = client.files.upload_image(buffer.getvalue(), filename=f"comfyclient {fresh()}.png").filename
    graph = extended(n5=node("LoadImage", image=name.replace(".png", ".jpg")))
    problem = refusal(client, graph).problems[0]
    assert problem.suggestions[0] == name
    assert problem.message.startswith(f"input 'image': '{name[:-4]}.jpg' is refused: Invalid image file")


def test_unknown_classes_are_all_named(client: Client) -> None:
    graph = extended(n5=node("ImageInvrt", "Turn", image=["1", 0]), n11=node("NoSuchNodeAnywhere"))
    rejected = refusal(client, graph)
    assert [(p.node_id, p.class_type, p.title) for p in rejected.problems] == [
        ("5", "ImageInvrt", "Turn"),
        ("11", "NoSuchNodeAnywhere", "NoSuchNodeAnywhere"),
    ]
    assert rejected.problems[0].suggestions[0] == "ImageInvert"
    assert "node 5 'Turn' (ImageInvrt): the server has no class 'ImageInvrt'" in str(rejected)


def test_nothing_to_run(client: Client) -> None:
    rejected = refusal(client, {"1": plain(fresh_color())["1"]})
    assert rejected.problems == ()
    assert "it has no output node such as SaveImage or PreviewImage" in str(rejected)


def test_a_part_that_is_refused(client: Client) -> None:
    rejected = refusal(client, half_wrong(fresh_color()))
    expected = "input 'scale_by': 99.0 is above the maximum 8.0"
    assert rejected.status == 200
    assert str(rejected).endswith(f"node 3 'Enlarge' (ImageScaleBy): {expected}")
    job = client.submit(half_wrong(fresh_color()), strict=False)
    assert [(p.node_id, p.title, p.message) for p in job.node_errors] == [("3", "Enlarge", expected)]
    assert list(job.result(timeout=PATIENCE)) == ["2"]


# --- refused by us, and nothing is sent ---


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (changed(width=["12", 0]), "node 1 'EmptyImage': input 'width' points at node '12', which the workflow"),
        (changed(width=[2, 0]), "node 1 'EmptyImage': input 'width' is [2, 0]: a link has its id in quotes"),
        (
            changed(width=["1", -1.5]),
            "the workflow has 2 problems:\n  - node 1 'EmptyImage': input 'width' is ['1', -1.5]",
        ),
        (changed(width=["2", 0]), "nodes feed each other in a circle: "),
        (changed(width=math.nan), "node 1 'EmptyImage': input 'width' is nan, which JSON cannot hold"),
        (changed(width=Path("a.png")), "node 1 'EmptyImage': input 'width' is the file "),
        ({}, "the workflow has no nodes"),
        ("{", "the text is not JSON: "),
        ("", "the text is empty"),
        ({"nodes": [], "links": []}, "the workflow has no nodes"),
        ({"1": {"inputs": {}}}, "node '1': its class_type is missing"),
    ],
)
def test_a_wrong_document_is_not_sent(client: Client, comfyui: ComfyUI, graph: Any, message: str) -> None:
    before = client.queue.submit(plain(fresh_color())).number
    for call in (client.run, client.submit):
        with pytest.raises(WorkflowError) as caught:
            call(graph)
        assert str(caught.value).startswith(message)
    after = client.queue.submit(plain(fresh_color())).number
    # Each POST takes a number, a refused one too. On a foreign server others may post meanwhile.
    assert after == before + 1 or not comfyui.own


@pytest.mark.parametrize("value", [["12", 0], [2, 0], ["3", 0.0], ["2", 0]])
def test_what_we_refuse_of_an_input_the_server_refuses_too(comfyui_url: str, value: Any) -> None:
    graph = changed(width=value)
    graph["3"] = node("EmptyImage")
    with pytest.raises(WorkflowError):
        Workflow(graph).check()
    answer = requests.post(f"{comfyui_url}/prompt", json={"prompt": graph}, timeout=PATIENCE)
    assert answer.status_code == 400


# --- not refused ---


def test_what_looks_wrong_and_is_not_runs(client: Client) -> None:
    color = fresh_color()
    graph = plain(color)
    del graph["1"]["_meta"]
    graph["1"]["inputs"].update(batch_size={"__value__": 1}, unknown=[1, 2, 3], also_unknown=["a", "b"])
    graph["1"]["is_changed"] = [math.nan]
    graph["2"]["inputs"]["images"] = ("1", 0)
    graph["2"]["inputs"]["filename_prefix"] = "comfyclient_tests/żółć 💥"
    graph["8"] = {"class_type": "PreviewImage", "inputs": {"images": ["1", False]}}
    result = client.run(graph, timeout=PATIENCE)
    assert [pixels(file) for file in result.images] == [filled(color)] * 2
    sent = result.history().prompt.prompt
    assert "is_changed" not in sent["1"]
    assert sent["1"]["inputs"]["unknown"] == [1, 2, 3]


def test_a_class_that_has_a_successor_needs_no_title(client: Client, comfyui_url: str) -> None:
    """Without ``_meta`` the server answers 500 when it replaces a class by another."""
    replaceable = requests.get(f"{comfyui_url}/node_replacements", timeout=PATIENCE)
    if not replaceable.ok or "T2IAdapterLoader" not in replaceable.json():
        pytest.skip("this server replaces no T2IAdapterLoader")
    graph = plain(fresh_color())
    graph["3"] = {"class_type": "T2IAdapterLoader", "inputs": {"t2i_adapter_name": "x"}}
    bare = requests.post(f"{comfyui_url}/prompt", json={"prompt": graph}, timeout=PATIENCE)
    assert bare.status_code == 500
    assert len(client.run(graph, timeout=PATIENCE).images) == 1


@pytest.mark.needs_test_nodes
def test_values_arrive_as_they_are(client: Client) -> None:
    values = {"seed": 2**64 - 1, "value": f"żółć 💥 \udcff {fresh()}"}
    result = client.run(json.dumps({"1": node("TestText", "", **values)}), timeout=PATIENCE)
    assert result.history().prompt.prompt["1"]["inputs"] == values
