"""What a node's values become."""

from __future__ import annotations

from typing import Any

from tests.editor.graphs import Json, graph, node, shows

SAMPLER_INPUTS = "model:MODEL positive:CONDITIONING negative:CONDITIONING latent_image:LATENT"


def sampler(values: Any, inputs: str = SAMPLER_INPUTS, number: int = 3) -> Json:
    """A KSampler."""
    return node(number, "KSampler", inputs, "LATENT:LATENT", values)


def text(value: Any, number: int = 1, **more: Any) -> Json:
    """A node with a text in which choices are made."""
    return node(number, "CLIPTextEncode", "clip:CLIP", "CONDITIONING:CONDITIONING", [value], **more)


@shows("a seed has a control behind it, which is not sent")
def _() -> Json:
    return graph([sampler([2**53 - 1, "increment", 20, 8, "euler", "normal", 0.5])])


@shows("a seed without its control in an old file moves what follows")
def _() -> Json:
    return graph([sampler([42, 20, 8, "euler", "normal", 1])])


@shows("values that are left out, and values too many")
def _() -> Json:
    few = sampler([42, "fixed", 20])
    return graph(
        [few, sampler([42, "fixed", 20, 8, "euler", "normal", 1, "more", 3], number=4), sampler(None, number=5)]
    )


@shows("values that are null, or of another type")
def _() -> Json:
    return graph([sampler([None, "fixed", "20", 8.5, 7, None, True]), text(None, 4), text(5, 5), text([1, 2], 6)])


@shows("numbers outside their bounds, and such with a fraction, are sent as they are")
def _() -> Json:
    return graph([sampler([-5, "fixed", 99999, -3, "euler", "normal", 7.123456789])])


@shows("a choice that the server does not have is sent as it is, and a missing one is the first")
def _() -> Json:
    nodes = [
        node(1, "CheckpointLoaderSimple", "", "MODEL:MODEL CLIP:CLIP VAE:VAE", ["folder\\mine.safetensors"]),
        sampler([1, "fixed", 20, 8, "sample_euler", "none of these", 1]),
        node(4, "ImageScale", "image:IMAGE", "IMAGE:IMAGE", []),
    ]
    return graph(nodes)


@shows("an input made of a widget takes a link, or keeps the value")
def _() -> Json:
    inputs = f"{SAMPLER_INPUTS} steps:INT=steps cfg:FLOAT=cfg"
    nodes = [sampler([1, "fixed", 20, 8, "euler", "normal", 1], inputs), node(4, "PrimitiveInt", "", "INT:INT", [30])]
    return graph(nodes, [(1, 4, 0, 3, 4, "INT")])


@shows("inputs made of widgets in files of 2023, before all of them had one")
def _() -> Json:
    inputs = "clip:CLIP text:STRING=text"
    nodes = [
        node(1, "CLIPTextEncode", inputs, "CONDITIONING:CONDITIONING", ["kept"]),
        node(2, "CLIPTextEncode", inputs, "CONDITIONING:CONDITIONING", ["replaced"]),
        node(3, "PrimitiveString", "", "STRING:STRING", ["given"]),
    ]
    return graph(nodes, [(1, 3, 0, 2, 1, "STRING")])


@shows("inputs made of widgets in another order than the catalogue's")
def _() -> Json:
    inputs = "cfg:FLOAT=cfg seed:INT=seed model:MODEL"
    nodes = [
        sampler([1, "fixed", 20, 8, "euler", "normal", 1], inputs),
        node(4, "PrimitiveInt", "", "INT:INT", [30]),
        node(5, "PrimitiveFloat", "", "FLOAT:FLOAT", [2.5]),
    ]
    return graph(nodes, [(1, 4, 0, 3, 1, "INT"), (2, 5, 0, 3, 0, "FLOAT")])


@shows("an input for a widget that the node does not have")
def _() -> Json:
    inputs = "clip:CLIP gone:STRING=gone"
    nodes = [node(1, "CLIPTextEncode", inputs, "", ["x"]), node(2, "PrimitiveString", "", "STRING:STRING", ["y"])]
    return graph(nodes, [(1, 2, 0, 1, 1, "STRING")])


@shows("what uploads a file has a button, which is not sent")
def _() -> Json:
    nodes = [
        node(1, "LoadImage", "", "IMAGE:IMAGE MASK:MASK", ["photo.png", "image"]),
        node(2, "LoadImageMask", "", "MASK:MASK", ["photo.png", "alpha", "image"]),
        node(3, "LoadAudio", "", "AUDIO:AUDIO", ["song.mp3", None, ""]),
        node(4, "LoadVideo", "", "VIDEO:VIDEO", ["film.mp4", "image"]),
    ]
    return graph(nodes)


@shows("choices in texts of which there is one only, and what is no choice")
def _() -> Json:
    texts = [
        "{only}",
        "a {b} c",
        r"\{a|b\}",
        "{{inner}}",
        "{a",
        "b}",
        "a|b",
        "{}",
        "one {/* no */two}",
        "3 // rest\nnext",
    ]
    return graph([text(value, number) for number, value in enumerate(texts, 1)])


@shows("comments and braces in other texts stay")
def _() -> Json:
    nodes = [
        node(1, "PrimitiveString", "", "STRING:STRING", ["{a} // b"]),
        node(2, "PrimitiveStringMultiline", "", "STRING:STRING", ["{a} /* b */ c"]),
        node(3, "StringConcatenate", "", "STRING:STRING", ["{x}", "{y}", "{z}"]),
    ]
    return graph(nodes)


@shows("names of other nodes' values in names of files")
def _() -> Json:
    nodes = [
        sampler([42, "fixed", 20, 8, "euler", "normal", 1]),
        text("a/b:c", 4, title="Prompt"),
        node(5, "EmptyImage", "", "IMAGE:IMAGE", [64, 32, 1, 0], properties={"Node name for S&R": "Canvas"}),
        node(6, "SaveImage", "images:IMAGE", "", ["%KSampler.seed%_%Canvas.width%x%EmptyImage.height%_%Prompt.text%"]),
        node(7, "SaveImage", "images:IMAGE", "", ["%Nobody.seed%_%Canvas.nothing%_%percent_100%"]),
        node(8, "PreviewImage", "images:IMAGE"),
    ]
    return graph(nodes, [(1, 5, 0, 6, 0, "IMAGE"), (2, 5, 0, 7, 0, "IMAGE"), (3, 5, 0, 8, 0, "IMAGE")])


@shows("lists, tables and curves as values")
def _() -> Json:
    points = {"points": [[0, 0], [0.5, 0.25], [1, 1]], "interpolation": "linear"}
    nodes = [
        node(1, "CurveEditor", "", "CURVE:CURVE", [points]),
        node(2, "CreateBoundingBoxes", "background:IMAGE", "BBOX:BOUNDING_BOX", [512, 512, []]),
    ]
    return graph(nodes)


@shows("a combo of one's own choices")
def _() -> Json:
    return graph([node(1, "CustomCombo", "", "STRING:STRING INDEX:INT", ["two", 1, "one", "two", "three", ""])])


@shows("primitive nodes of the server are nodes like others")
def _() -> Json:
    nodes = [
        node(1, "PrimitiveInt", "", "INT:INT", [5, "randomize"]),
        node(2, "PrimitiveFloat", "", "FLOAT:FLOAT", [0.1]),
        node(3, "PrimitiveBoolean", "", "BOOLEAN:BOOLEAN", [True]),
        node(4, "PrimitiveString", "", "STRING:STRING", ["text"]),
    ]
    return graph(nodes)


@shows("three-dimensional views, where no window shows them")
def _() -> Json:
    away = [1_000_000, 1_000_000]
    state = {
        "position": {"x": 3, "y": -1, "z": 4},
        "target": {"x": 1, "y": 0.5, "z": 0},
        "zoom": 2,
        "cameraType": "perspective",
    }
    turned = {"Camera Config": {"cameraType": "perspective", "fov": 75, "state": state}}
    shown = {**turned, "Last Time Model File": "3d/mine.glb"}
    nodes = [
        node(1, "Load3DAdvanced", values=["none", "", 512, 256], pos=away),
        node(2, "Load3DAdvanced", values=["none", "", 512, 256], pos=away, properties=turned),
        node(4, "Preview3DAdvanced", "model_3d:FILE_3D", values=["", 512, 256], pos=away, properties=turned),
        node(5, "Preview3DAdvanced", "model_3d:FILE_3D", values=["", 512, 256], pos=away, properties=shown),
        node(6, "Save3DAdvanced", "model_3d:FILE_3D", values=["3d/mine", "", 512, 256], pos=away),
        node(7, "Load3D", values=["none", "", "", "", "", 512, 256], pos=away, properties=turned),
    ]
    return graph(nodes)
