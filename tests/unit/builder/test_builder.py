"""Graphs written in Python: what the calls make, and what they refuse."""

from __future__ import annotations

import inspect
import pickle
import pydoc
from pathlib import Path
from typing import Any

import pytest

from comfyclient import Node, Workflow, WorkflowError
from comfyclient.builder import Builder, Outputs, Socket
from tests.captures import catalog


def of_class(name: str, **changes: Any) -> dict[str, Any]:
    """A class of a server's catalogue."""
    return {"name": name, "display_name": "", "output": [], "output_name": [], "input": {"required": {}}, **changes}


@pytest.fixture
def g() -> Builder:
    return Builder(catalog())


# --- what is built ------------------------------------------------------------------------------------------


def test_a_graph(g: Builder) -> None:
    model, clip, vae = g.ImageOnlyCheckpointLoader(ckpt_name="svd.safetensors", _check=False)
    image = g.EmptyImage(width=64, height=64)
    scaled = g.ImageScaleBy(image=image, upscale_method="lanczos", scale_by=2, _id="20", _title="Twice the size")
    saved = g.SaveImageWebsocket(images=scaled)
    assert [socket.io_type for socket in (model, clip, vae)] == ["MODEL", "CLIP_VISION", "VAE"]
    assert isinstance(saved, Node)
    assert g.workflow() == Workflow(
        {
            "1": {
                "class_type": "ImageOnlyCheckpointLoader",
                "inputs": {"ckpt_name": "svd.safetensors"},
                "_meta": {"title": "Load Checkpoint Image Only (img2vid model)"},
            },
            "2": {
                "class_type": "EmptyImage",
                "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0},
                "_meta": {"title": "Empty Image"},
            },
            "20": {
                "class_type": "ImageScaleBy",
                "inputs": {"image": ["2", 0], "upscale_method": "lanczos", "scale_by": 2},
                "_meta": {"title": "Twice the size"},
            },
            "3": {
                "class_type": "SaveImageWebsocket",
                "inputs": {"images": ["20", 0]},
                "_meta": {"title": "Save Image (Websocket)"},
            },
        }
    )


def test_what_is_built_is_right(g: Builder) -> None:
    image = g.EmptyImage()
    g.PreviewImage(images=g.ImageScaleBy(image=image, upscale_method="area", scale_by=0.5))
    assert g.workflow().validate(catalog()) == []


def test_defaults_are_the_catalogues_and_the_editors(g: Builder) -> None:
    g.EmptyImage()
    inputs = g.workflow()["1"].inputs
    assert inputs == {"width": 512, "height": 512, "batch_size": 1, "color": 0}
    resized = g.ResizeImageMaskNode(input=g.EmptyImage())  # the first of choices, with what that brings along
    assert resized.node.inputs == {
        "input": ["2", 0],
        "resize_type": "scale dimensions",
        "resize_type.width": 512,
        "resize_type.height": 512,
        "resize_type.crop": "center",
        "scale_method": "area",
    }


def test_a_file_and_an_optional_input_have_no_default() -> None:
    required = {"model": [["a.safetensors", "b.safetensors"], {}], "kind": [["one", "two"], {}]}
    entry = of_class("Load", input={"required": required, "optional": {"strength": ["FLOAT", {"default": 1.0}]}})
    g = Builder({"Load": entry})
    with pytest.raises(
        WorkflowError, match=r"^Load: input 'model' is missing: one of 'a\.safetensors', 'b\.safetensors'$"
    ):
        g.Load()
    assert g.Load(model="a.safetensors").inputs == {"model": "a.safetensors", "kind": "one"}


def test_outputs_by_order_and_by_name(g: Builder) -> None:
    loader = g.ImageOnlyCheckpointLoader(ckpt_name="svd.safetensors", _check=False)
    assert isinstance(loader, Outputs)
    assert [*loader] == [loader.MODEL, loader.CLIP_VISION, loader.VAE]
    assert loader.node.class_type == "ImageOnlyCheckpointLoader"
    assert {"MODEL", "VAE", "node"} <= set(dir(loader))
    with pytest.raises(AttributeError, match=r"has no output 'CLIP'; it has MODEL, CLIP_VISION, VAE"):
        _ = loader.CLIP
    assert repr(loader.VAE) == (
        "<Socket VAE: output 2 of node 1 'Load Checkpoint Image Only (img2vid model)' (ImageOnlyCheckpointLoader)>"
    )


def test_outputs_with_names_that_are_none_or_alike() -> None:
    g = Builder(
        {"Make": of_class("Make", output=["A", "B", "A", "A"], output_name=["3D Model", "GLB", "GLB", "count"])}
    )
    made = g.Make()
    assert [made._3D_Model, made.GLB, made.GLB_2, made.count_2] == [*made]


def test_a_node_is_there_to_edit(g: Builder) -> None:
    image = g.EmptyImage()
    image.node.title = "Nothing"
    image.node["color"] = 255
    assert g.workflow()["1"].title == "Nothing"
    assert g.workflow()["1"]["color"] == 255
    g.workflow()["1"]["color"] = 3  # a copy
    assert g.workflow()["1"]["color"] == 255


def test_numbers_skip_what_is_taken(g: Builder) -> None:
    g.EmptyImage(_id="2")
    assert [g.EmptyImage().node.id, g.EmptyImage().node.id] == ["1", "3"]
    with pytest.raises(WorkflowError, match="there is a node '2' already"):
        g.EmptyImage(_id="2")
    with pytest.raises(WorkflowError, match="the id of a node is a string, not a number"):
        g.EmptyImage(_id=2)
    assert len(g.workflow()) == 3


# --- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stepps": 20}, "there is no input 'stepps'; nearest: 'steps'"),
        ({"steps": "many"}, "input 'steps' will not do: 'many' is no INT"),
        ({"steps": 0}, "input 'steps' will not do: 0 is below the minimum 1"),
        ({"steps": "20"}, "input 'steps' will not do: '20' is a string: the server makes 20 of it"),
        (
            {"sampler_name": "eulr"},
            "input 'sampler_name' will not do: 'eulr' is not one of the 44 choices; nearest: 'euler'",
        ),
        (
            {"model": "sd15.safetensors"},
            "input 'model' will not do: 'sd15.safetensors' is a string, where only the output",
        ),
        ({"steps": {1}}, "input 'steps' holds a set, which JSON cannot"),
    ],
)
def test_a_wrong_argument_is_named_with_what_is_allowed(arguments: dict[str, Any], message: str) -> None:
    g = Builder(catalog())
    with pytest.raises(WorkflowError) as caught:
        g.KSampler(**arguments)
    assert message in str(caught.value)
    assert "KSampler" in str(caught.value)
    assert len(g.workflow()) == 0


def test_everything_that_is_wrong_is_said_at_once(g: Builder) -> None:
    with pytest.raises(WorkflowError) as caught:
        g.KSampler(steps=0, latent=g.EmptyImage(), positive=g.EmptyImage())
    lines = str(caught.value).splitlines()
    assert lines[0] == "KSampler has 6 problems:"
    assert "  - input 'model' is missing: MODEL" in lines
    assert any(line.startswith("  - input 'positive' wants CONDITIONING, but output 0 of node 2 ") for line in lines)
    assert "  - there is no input 'latent'; nearest: 'latent_image'" in lines


def test_what_is_no_single_output_of_this_graph(g: Builder) -> None:
    loader = g.ImageOnlyCheckpointLoader(ckpt_name="svd.safetensors", _check=False)
    with pytest.raises(WorkflowError, match=r"takes one output, not all of node 1 .*: \.MODEL, \.CLIP_VISION, \.VAE"):
        g.PreviewImage(images=loader)
    saved = g.SaveImageWebsocket(images=g.EmptyImage())
    with pytest.raises(WorkflowError, match=r"takes one output, not node 3 .* \(SaveImageWebsocket\), which has none"):
        g.PreviewImage(images=saved)
    with pytest.raises(WorkflowError, match="which is of another graph"):
        g.PreviewImage(images=Builder(catalog()).EmptyImage(_id="2"))
    with pytest.raises(TypeError, match="unpack"):
        _, _ = g.EmptyImage()


def test_a_class_that_is_not_there(g: Builder) -> None:
    with pytest.raises(AttributeError, match="there is no node class 'KSamplr'; nearest: 'KSampler'"):
        g.KSamplr()
    with pytest.raises(KeyError, match="there is no node class 'Epsilon Scale'; nearest: 'Epsilon Scaling'"):
        g["Epsilon Scale"]
    assert not hasattr(g, "__wrapped__")
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        pickle.dumps(g.KSampler)


def test_files_of_ones_own_and_those_that_came_later(g: Builder) -> None:
    assert g.LoadImage(image=Path("photo.png")).node["image"] == Path("photo.png")
    assert g.LoadImage(image="uploaded since.png").node["image"] == "uploaded since.png"
    with pytest.raises(WorkflowError, match=r"input 'filename_prefix' is the file 'fox\.png', and takes no file"):
        g.SaveImage(images=g.EmptyImage(), filename_prefix=Path("fox.png"))


# --- names and inputs that Python cannot spell --------------------------------------------------------------


def test_names_that_are_none(g: Builder) -> None:
    model = g.add({"class_type": "Elsewhere", "inputs": {}})[0]
    assert g.Epsilon_Scaling(model=model, scaling_factor=1.01).node.class_type == "Epsilon Scaling"
    assert g["Epsilon Scaling"](model=model, scaling_factor=1.01).io_type == "MODEL"
    merged = g.ModelMergeSD1(model1=model, model2=model, input_blocks__0__=0.25, **{"time_embed.": 0.75})
    assert merged.node["input_blocks.0."] == 0.25
    assert merged.node["time_embed."] == 0.75


def test_words_that_python_has_taken() -> None:
    inputs = {name: ["INT", {}] for name in ("from", "self", "3d", "a b")}
    g = Builder({"Load3D (Advanced)": of_class("Load3D (Advanced)", input={"required": inputs}), "7": of_class("7")})
    made = g.Load3D_Advanced(from_=1, self_=2, _3d=3, a_b=4)
    assert made.inputs == {"from": 1, "self": 2, "3d": 3, "a b": 4}
    assert g._7().class_type == "7"


def test_a_choice_brings_inputs_along(g: Builder) -> None:
    image = g.EmptyImage()
    inputs = g.ResizeImageMaskNode(input=image, resize_type="scale width", resize_type__width=512).node.inputs
    assert inputs["resize_type"] == "scale width"
    assert inputs["resize_type.width"] == 512
    with pytest.raises(WorkflowError, match="there is no input 'resize_type__multiplier'; nearest: "):
        g.ResizeImageMaskNode(input=image, resize_type="scale width", resize_type__multiplier=2)
    with pytest.raises(WorkflowError) as caught:
        g.ResizeImageMaskNode(input=image, resize_type="scale with", resize_type__width=3)
    assert "'scale with' is not one of the 9 choices; nearest: 'scale width'" in str(caught.value)
    assert "resize_type__width" not in str(caught.value)
    with pytest.raises(WorkflowError, match="decides which inputs there are, so a link will not do"):
        g.ResizeImageMaskNode(input=image, resize_type=image)


def test_lists_of_inputs(g: Builder) -> None:
    one, two = g.EmptyImage(), g.EmptyImage()
    assert g.BatchImagesNode(images=[one, two]).node.inputs == {"images.image0": ["1", 0], "images.image1": ["2", 0]}
    assert g.BatchImagesNode(images={"image0": one, "image3": two}).node.inputs.keys() == {
        "images.image0",
        "images.image3",
    }
    text = g.StringFormat(f_string="{a} and {b}", values={"a": "fox", "b": "owl"}, _check=False)
    assert text.node["values.b"] == "owl"
    with pytest.raises(WorkflowError, match="input 'images' needs 'image0': IMAGE"):
        g.BatchImagesNode(images=[])
    with pytest.raises(WorkflowError, match="input 'images' takes a list or a dict, not <Socket IMAGE: "):
        g.BatchImagesNode(images=one)
    with pytest.raises(WorkflowError, match="has no place 'image99'; it has image0, image1"):
        g.BatchImagesNode(images={"image0": one, "image99": two})
    with pytest.raises(WorkflowError, match="input 'images' takes 50 at most, not 51"):
        g.BatchImagesNode(images=[one] * 51)
    with pytest.raises(WorkflowError, match="input 'images__image1' wants IMAGE"):
        g.BatchImagesNode(images=[one, g.EmptyLatentImage()])


def test_a_list_as_a_value_is_wrapped() -> None:
    entry = of_class(
        "Pick", input={"required": {"names": ["COMBO", {"multiselect": True, "options": ["a", "b", "c"]}]}}
    )
    g = Builder({"Pick": entry})
    assert g.Pick(names=["a", "c"]).inputs == {"names": {"__value__": ["a", "c"]}}
    with pytest.raises(WorkflowError, match="'d' is not one of 'a', 'b', 'c'"):
        g.Pick(names=["a", "d"])


def test_a_default_is_no_part_of_the_catalogue() -> None:
    region = {"x": 0}
    entry = of_class(
        "Crop", input={"required": {"region": ["BOX", {"default": region}], "many": ["L", {"default": []}]}}
    )
    made = Builder({"Crop": entry}).Crop()
    assert made.inputs == {"region": {"x": 0}, "many": {"__value__": []}}
    made["region"]["x"] = 5
    made["many"]["__value__"].append(1)
    assert region == {"x": 0}
    assert entry["input"]["required"]["many"][1]["default"] == []


def test_an_output_has_the_type_of_what_comes_in(g: Builder) -> None:
    resized = g.ResizeImageMaskNode(input=g.SolidMask())
    assert resized.io_type == "MASK"
    with pytest.raises(WorkflowError, match=r"input 'image' wants IMAGE, but output 0 of node 2 .* is MASK"):
        g.ImageInvert(image=resized)
    with pytest.raises(WorkflowError, match=r"input 'input' wants IMAGE or MASK, but output 0 of node 3 .* is LATENT"):
        g.ResizeImageMaskNode(input=g.EmptyLatentImage())


# --- nodes as they are --------------------------------------------------------------------------------------


def test_a_node_of_a_class_that_is_not_there(g: Builder) -> None:
    image = g.EmptyImage()
    thing = g.add(
        {"class_type": "Elsewhere", "inputs": {"image": image, "mode": 3}, "_meta": {"title": "Magic"}}, _id="9"
    )
    g.PreviewImage(images=thing[1])
    assert g.workflow()["9"].inputs == {"image": ["1", 0], "mode": 3}
    assert g.workflow()["2"]["images"] == ["9", 1]
    assert repr(thing) == "<Unchecked node 9 'Magic' (Elsewhere)>"
    with pytest.raises(WorkflowError, match=r"not all of node 9 .*take one by its number, such as \[0\]"):
        g.PreviewImage(images=thing)
    with pytest.raises(TypeError):
        list(thing)  # type: ignore[call-overload]  # it has no end


@pytest.mark.parametrize("node", [None, {"inputs": {}}, {"class_type": 3}, {"class_type": "A", "inputs": []}])
def test_what_is_no_node(node: Any) -> None:
    g = Builder({})
    with pytest.raises(WorkflowError):
        g.add(node)
    assert len(g.workflow()) == 0


def test_without_checks_a_node_is_what_is_given(g: Builder) -> None:
    sampler = g.KSampler(steps=0, sampler_name="eulr", seed=None, _check=False)
    assert sampler.node.inputs == {"seed": None, "steps": 0, "sampler_name": "eulr"}
    with pytest.raises(WorkflowError, match="there is no input 'stepps'"):
        g.KSampler(stepps=1, _check=False)


# --- in a notebook ------------------------------------------------------------------------------------------


def test_completion_and_help(g: Builder) -> None:
    assert {"KSampler", "Epsilon_Scaling", "workflow", "add"} <= set(dir(g))
    assert "Epsilon Scaling" in g._ipython_key_completions_()
    assert list(inspect.signature(g.ImageScaleBy).parameters) == [
        "image",
        "upscale_method",
        "scale_by",
        "_id",
        "_title",
        "_check",
    ]
    assert str(inspect.signature(g.EmptyImage)).startswith("(*, width: 'INT' = 512, height: 'INT' = 512, ")
    text = pydoc.plain(pydoc.render_doc(g.KSampler))
    assert "steps (INT; 1 to 10000; default 20): The number of steps" in text
    assert "sampler_name (COMBO; one of 'euler', 'euler_cfg_pp'," in text
    assert "LATENT (LATENT): The denoised latent." in text
    assert repr(g) == f"<Builder with 0 nodes, from {len(catalog())} classes>"
    assert g.KSampler.__name__ == "KSampler"
    assert isinstance(g.EmptyImage(), Socket)


def test_help_tells_what_choices_bring_along(g: Builder) -> None:
    text = g.ResizeImageMaskNode.__doc__ or ""
    assert "        resize_type__multiplier (FLOAT; 0.01 to 8.0; default 1.0): Scale factor" in text
    assert "images (list of IMAGE" in (g.BatchImagesNode.__doc__ or "")
    assert "more" in inspect.signature(g.ResizeImageMaskNode).parameters


def test_every_class_has_a_signature_and_a_text(g: Builder) -> None:
    for name in catalog():
        inspect.signature(g[name])
        assert g[name].__doc__
