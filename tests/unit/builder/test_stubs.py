"""``stubs``: what mypy makes of them, strictly."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient.builder import Builder, stubs
from comfyclient.builder.spelling import spelled
from tests.captures import catalog
from tests.unit.builder.test_builder import of_class

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
HEAD = """\
from __future__ import annotations
from typing import TYPE_CHECKING, cast
from comfyclient import Client, Node
if TYPE_CHECKING:
    from typing_extensions import assert_type
    from comfy_nodes import CLIP_VISION, IMAGE, LATENT, MASK, MODEL, VAE, Nodes
g = cast("Nodes", Client().builder())
"""


@pytest.fixture(scope="module")
def check(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """What mypy says of a script beside the stubs of a whole catalogue: line and message."""
    place = tmp_path_factory.mktemp("typed")
    (place / "comfy_nodes.pyi").write_text(stubs(catalog()), encoding="utf-8")

    def run(code: str) -> list[str]:
        (place / "script.py").write_text(HEAD + code, encoding="utf-8")
        command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context"]
        done = subprocess.run(
            [*command, "--config-file=", "comfy_nodes.pyi", "script.py"],
            cwd=place,
            env={**os.environ, "MYPYPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in {0, 1}, done.stdout + done.stderr
        return [line for line in done.stdout.splitlines() if ": error: " in line]

    return run


def test_the_stubs_of_a_whole_catalogue_pass(check: Callable[[str], list[str]]) -> None:
    right = """
loader = g.ImageOnlyCheckpointLoader(ckpt_name="ck.safetensors")
model, vision, vae = loader
assert_type(model, MODEL)
assert_type(loader.VAE, VAE)
assert_type(loader.node, Node)
image, mask = g.LoadImage(image="photo.png")
assert_type(mask, MASK)
latent = g.VAEEncode(pixels=image, vae=vae)
clip = g.CLIPLoader(clip_name="a", type="sd3")
positive = g.CLIPTextEncode(text="a fox", clip=clip)
negative = g.CLIPTextEncode(text=g.StringConcatenate(string_a="a", string_b="b"), clip=clip)
sampled = g.KSampler(model=model, positive=positive, negative=negative, latent_image=latent, seed=3)
assert_type(sampled, LATENT)
batch = g.BatchImagesNode(images=[image, None, image])
g.BatchImagesNode(images={"image0": batch})
g.ResizeImageMaskNode(input=mask, resize_type="scale width", resize_type__width=64)
g.ImageInvert(image=g.ResizeImageMaskNode(input=image, resize_type="match size", resize_type__match=mask))
g.SaveImage(images=batch, _id="9", _title="Save it")
g.SaveImageWebsocket(images=batch).title = "Send it"
thing = g.add({"class_type": "Elsewhere", "inputs": {"image": image}})
g.Epsilon_Scaling(model=model, scaling_factor=1.01)
g.ModelMergeSD1(model1=model, model2=model, time_embed__=0.5)
def build(g: Nodes) -> IMAGE:
    return g.EmptyImage()
g.workflow().save("fox.json")
"""
    assert check(right) == []


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("g.ImageInvert(image=g.EmptyLatentImage())", 'has incompatible type "LATENT"; expected "IMAGE"'),
        ("g.ImageInvert()", 'Missing named argument "image"'),
        ("g.EmptyImage(widht=3)", 'Unexpected keyword argument "widht"'),
        ("g.EmptyImage(width='3')", 'has incompatible type "str"; expected "int | INT"'),
        ("g.ImageScaleBy(image=g.EmptyImage(), upscale_method='bilinaer')", "expected \"Literal['nearest-exact', 'bil"),
        ("g.EmptyImag()", '"Nodes" has no attribute "EmptyImag"'),
        (
            "a, b = g.LoadImage(image='a.png')[0], 3\ng.MaskToImage(mask=a)",
            'incompatible type "IMAGE"; expected "MASK"',
        ),
        ("g.LoadImage(image='a.png').VAE", 'has no attribute "VAE"'),
        ("a, b, c = g.LoadImage(image='a.png')", "Need more than 2 values to unpack"),
        ("g.BatchImagesNode(images=[g.SolidMask()])", 'List item 0 has incompatible type "MASK"'),
        (
            "g.ResizeImageMaskNode(input=g.EmptyImage(), resize_type='scale with')",
            "incompatible type \"Literal['scale with']\"",
        ),
    ],
)
def test_what_is_wrong_in_a_script_is_found(check: Callable[[str], list[str]], code: str, message: str) -> None:
    found = check(code)
    assert found, "mypy finds nothing"
    assert any(message in line for line in found), found


def test_whatever_a_node_pack_calls_its_own() -> None:
    choices = [["a\nb", 'quoted "', "", 3, 2.5, True, None, {"no": "literal"}], {"tooltip": 'a """ b \\'}]
    entries: dict[str, Any] = {
        "from": of_class("from", input={"required": {"class": choices, "self": ["INT", {}]}}, output=["A,B"]),
        "Any": of_class("Any", input={"required": {"x": ["A", {}], "y": ["Any", {}]}}, output=["Any", "Node", "*"]),
        "Empty": of_class("Empty", input={"required": {"x": [[], {}]}}, output=[["a", "b"]]),
        "workflow": of_class("workflow", description='ends with "'),
        "B in": of_class("B in", input={"optional": {"b": ["B", {}], "B": ["B,C", {}]}}, output=["B", "C", "日本"]),
    }
    text = stubs(entries)
    module = ast.parse(text)
    [nodes] = [each for each in module.body if isinstance(each, ast.ClassDef) and each.name == "Nodes"]
    methods = {each.name for each in nodes.body if isinstance(each, ast.FunctionDef)}
    assert methods == {"from_", "Any", "Empty", "B_in"}  # workflow is there already
    names = [each.name for each in module.body if isinstance(each, ast.ClassDef)]
    assert len(set(names)) == len(names)


def test_every_method_is_one_of_the_builders() -> None:
    module = ast.parse(stubs(catalog()))
    [nodes] = [each for each in module.body if isinstance(each, ast.ClassDef) and each.name == "Nodes"]
    methods = {each.name for each in nodes.body if isinstance(each, ast.FunctionDef)}
    assert methods == spelled(catalog()).keys() <= set(dir(Builder(catalog())))


def test_a_server_without_nodes() -> None:
    ast.parse(stubs({}))
