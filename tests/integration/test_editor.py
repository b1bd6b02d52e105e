"""What we save for the editor is opened by the real one, which exports the same prompt."""

from __future__ import annotations

import json
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import Workflow
from tests.browser import CHROMIUM, PATIENCE, WITHOUT
from tests.editor import answers, roundtrip
from tests.editor.browser import Editor
from tests.workflows import node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comfyclient import Client

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason=WITHOUT),
    pytest.mark.timeout(2 * PATIENCE),
]

_SHOWN = "JSON.stringify(window.app.graph.nodes.map((node) => [String(node.id), [...node.pos], [...node.size]]))"


@pytest.fixture(scope="module")
def editor(comfyui: Any) -> Iterator[Editor]:
    assert CHROMIUM is not None
    with Editor(comfyui.url, CHROMIUM) as editor:
        yield editor


def portrait(first: str = "", **text: Any) -> dict[str, Any]:
    """A workflow of the usual nodes, its text nodes perhaps in a subgraph."""
    encode = {"clip": ["4", 1], "text": "a fox", **text}
    return {
        "4": node("CheckpointLoaderSimple", "Load Checkpoint", ckpt_name="sd15.safetensors"),
        "5": node("EmptyLatentImage", "Empty Latent Image", width=512, height=512, batch_size=1),
        f"{first}6": node("CLIPTextEncode", "Positive", **encode),
        f"{first}7": node("CLIPTextEncode", "Negative", text="", clip=["4", 1]),
        "3": node(
            "KSampler",
            model=["4", 0],
            positive=[f"{first}6", 0],
            negative=[f"{first}7", 0],
            latent_image=["5", 0],
            seed=2**53 - 1,
            steps=20,
            cfg=8,
            sampler_name="euler",
            scheduler="normal",
            denoise=1,
        ),
        "8": node("VAEDecode", "VAE Decode", samples=["3", 0], vae=["4", 2]),
        "9": node("SaveImage", "Save Image", images=["8", 0], filename_prefix="portrait"),
    }


def resized(**inputs: Any) -> dict[str, Any]:
    return {
        "1": node("LoadImage", "Load Image", image="mine.png"),
        "2": node("ResizeImageMaskNode", "Resize", input=["1", 0], scale_method="area", **inputs),
        "3": node("PreviewImage", "Preview", images=["2", 0]),
    }


MATH = node("ComfyMathExpression", "Math", **{"expression": "a + b", "values.a": ["20:1", 0], "values.b": 7})

PROMPTS: dict[str, dict[str, Any]] = {
    "plain": portrait(),
    "subgraph": portrait("104:"),
    "nested subgraphs": portrait("104:105:"),
    "ids that are no numbers": portrait("my "),
    "linked text": {**portrait(text=["10", 0]), "10": node("PrimitiveString", "Text", value="a fox")},
    "braces": portrait(text='{"a": "\\{b|c\\}"} {red|blue}'),
    "comments": portrait(text="https://example.org /* this */ // and that \\\\{"),
    "lines": portrait("104:", text="a fox\n\n  in the 'snow' \u2028 żółć 💥"),
    "choice": resized(**{"resize_type": "scale by multiplier", "resize_type.multiplier": 0.5}),
    "other choice": resized(**{"resize_type": "scale width", "resize_type.width": 0}),
    "growing": {
        "1": node("LoadImage", "One", image="mine.png"),
        "2": node("BatchImagesNode", "Batch", **{f"images.image{number}": ["1", 0] for number in range(4)}),
        "3": node("PreviewImage", "Preview", images=["2", 0]),
    },
    "constants for sockets": {"20:1": node("PrimitiveInt", "Number", value=3), "20:2": MATH},
    "lists": {"1": node("ImageCompare", "Compare", compare_view={"__value__": ["", ""]})},
    "seeds": {"1": node("RandomNoise", "Noise", noise_seed=9007199254740993)},
    "nothing": {},
}


def test_the_editor_exports_the_prompt_that_was_saved_for_it(client: Client, editor: Editor) -> None:
    infos = client.nodes.list()
    for name, prompt in PROMPTS.items():
        workflow = Workflow(prompt)
        if name == "seeds":  # the editor's numbers are doubles
            assert editor.export(workflow.to_editor(infos))["1"]["inputs"]["noise_seed"] == 2**53
            continue
        assert not answers.differences(editor.export(workflow.to_editor(infos)), prompt), name


def test_what_it_exported_of_our_own_graphs_comes_back(client: Client, editor: Editor) -> None:
    catalog = client.request("GET", "/object_info").json()
    figure = roundtrip.measure(answers.answers(), catalog, editor.export)
    assert not {name: lines for name, lines in figure.differing.items() if name not in roundtrip.CHANGED}


def test_a_constant_for_a_socket_comes_from_a_node_that_is_added(client: Client, editor: Editor) -> None:
    prompt = {"1": {**MATH, "inputs": {"expression": "a + b", "values.a": 2, "values.b": 7}}}
    exported = editor.export(Workflow(prompt).to_editor(client.nodes.list()))
    assert exported["1"]["inputs"] == {"expression": "a + b", "values.a": ["2", 0], "values.b": ["3", 0]}
    assert [exported[node_id]["inputs"]["value"] for node_id in "23"] == [2, 7]


def test_nodes_do_not_overlap_as_the_editor_shows_them(client: Client, editor: Editor) -> None:
    for name in ("plain", "subgraph", "growing", "choice", "braces"):
        saved = Workflow(PROMPTS[name]).to_editor(client.nodes.list())
        editor.export(saved)
        shown = {node_id: (place, size) for node_id, place, size in json.loads(editor.evaluate(_SHOWN))}
        assert len(shown) == len(saved["nodes"])
        for one, other in combinations(shown, 2):
            (left, top), (width, height) = shown[one]
            (left2, top2), (width2, height2) = shown[other]
            beside = left + width < left2 or left2 + width2 < left
            title = 30  # stands above a node's place
            assert beside or top + height < top2 - title or top2 + height2 < top - title, (name, one, other)
