"""Inputs that come and go: lists that grow, choices that bring inputs of their own, types that follow others."""

from __future__ import annotations

from tests.editor.graphs import BYPASS, Json, graph, node, shows

EMPTY = [16, 16, 1, 0]


def empties(count: int) -> list[Json]:
    """So many nodes that give images."""
    return [node(number, "EmptyImage", "", "IMAGE:IMAGE", EMPTY) for number in range(1, count + 1)]


@shows("a list of inputs that grew")
def _() -> Json:
    grown = "images.image0:IMAGE images.image1:IMAGE images.image2:IMAGE images.image3:IMAGE"
    nodes = [*empties(3), node(9, "BatchImagesNode", grown, "IMAGE:IMAGE")]
    return graph(nodes, [(number, number, 0, 9, number - 1, "IMAGE") for number in (1, 2, 3)])


@shows("a list of inputs with a hole in it")
def _() -> Json:
    grown = "images.image0:IMAGE images.image1:IMAGE images.image2:IMAGE"
    nodes = [*empties(2), node(9, "BatchImagesNode", grown, "IMAGE:IMAGE")]
    return graph(nodes, [(1, 1, 0, 9, 0, "IMAGE"), (2, 2, 0, 9, 2, "IMAGE")])


@shows("a list of inputs of which only one is linked")
def _() -> Json:
    nodes = [*empties(1), node(9, "BatchImagesNode", "images.image0:IMAGE", "IMAGE:IMAGE")]
    return graph(nodes, [(1, 1, 0, 9, 0, "IMAGE")])


@shows("a list of inputs under names of their own")
def _() -> Json:
    numbers = [node(number, "PrimitiveInt", "", "INT:INT", [number, "fixed"]) for number in (1, 2)]
    nodes = [
        *numbers,
        node(
            9, "ComfyMathExpression", "values.a:FLOAT,INT values.b:FLOAT,INT values.c:FLOAT,INT", "FLOAT:FLOAT", ["a+b"]
        ),
    ]
    return graph(nodes, [(1, 1, 0, 9, 0, "INT"), (2, 2, 0, 9, 1, "INT")])


def resize(number: int, inputs: str, values: list[object]) -> Json:
    """A node with a choice that brings inputs."""
    return node(number, "ResizeImageMaskNode", inputs, "resized:IMAGE,MASK", values)


@shows("a choice that brings inputs: for each of its options others")
def _() -> Json:
    nodes = [
        *empties(1),
        resize(2, "input:IMAGE,MASK", ["scale dimensions", 64, 32, "center", "area"]),
        resize(3, "input:IMAGE,MASK", ["scale by multiplier", 0.25, "lanczos"]),
        resize(4, "input:IMAGE,MASK", ["scale longer dimension", 100, "area"]),
        resize(5, "input:IMAGE,MASK", ["scale total pixels", 2, "area"]),
        resize(6, "input:IMAGE,MASK match:IMAGE", ["match size", "center", "area"]),
    ]
    return graph(nodes, [(number, 1, 0, number, 0, "IMAGE") for number in range(2, 7)])


@shows("a choice that brings inputs, one of which is linked")
def _() -> Json:
    inputs = "input:IMAGE,MASK resize_type:COMFY_DYNAMICCOMBO_V3=resize_type resize_type.width:INT=resize_type.width"
    nodes = [
        *empties(1),
        node(2, "PrimitiveInt", "", "INT:INT", [99, "fixed"]),
        resize(3, inputs, ["scale width", 64, "area"]),
        resize(4, "input:IMAGE,MASK resize_type.match:IMAGE,MASK", ["match size", "center", "area"]),
    ]
    return graph(nodes, [(1, 1, 0, 3, 0, "IMAGE"), (2, 2, 0, 3, 2, "INT"), (3, 1, 0, 4, 1, "IMAGE")])


@shows("a choice that brings inputs, and is none of its options")
def _() -> Json:
    return graph([*empties(1), resize(3, "input:IMAGE,MASK", ["of the past", 64, "area"])])


@shows("types that follow other inputs")
def _() -> Json:
    nodes = [
        *empties(2),
        node(3, "ComfySwitchNode", "on_false:* on_true:*", "output:*", [True]),
        node(4, "PreviewAny", "source:*", "STRING:STRING"),
        node(5, "ComfySwitchNode", "on_false:* on_true:* switch:BOOLEAN=switch", "output:*", [False], mode=4),
        node(6, "SaveImage", "images:IMAGE", "", ["x"]),
    ]
    links = [
        (1, 1, 0, 3, 0, "IMAGE"),
        (2, 2, 0, 3, 1, "IMAGE"),
        (3, 3, 0, 4, 0, "IMAGE"),
        (4, 1, 0, 5, 0, "IMAGE"),
        (5, 2, 0, 5, 1, "IMAGE"),
        (6, 5, 0, 6, 0, "IMAGE"),
    ]
    return graph(nodes, links)


def switched(kind: str, *, both: bool) -> Json:
    """A bypassed node that leads into a switch, whose inputs and output share a type."""
    loader = node(1, "CheckpointLoaderSimple", "", "MODEL:MODEL CLIP:CLIP VAE:VAE", ["one.safetensors"])
    texts = [
        node(2, "CLIPTextEncode", "clip:CLIP", "CONDITIONING:CONDITIONING", ["a fox"], mode=BYPASS),
        node(3, "CLIPTextEncode", "clip:CLIP", "CONDITIONING:CONDITIONING", ["an owl"]),
    ]
    switch = node(4, "ComfySwitchNode", f"on_false:{kind} on_true:{kind}", f"output:{kind}", [False])
    out = node(5, "ConditioningZeroOut", "conditioning:CONDITIONING", "CONDITIONING:CONDITIONING")
    links = [
        (1, 1, 1, 2, 0, "CLIP"),
        (2, 1, 1, 3, 0, "CLIP"),
        (3, 2, 0, 4, 0, "CONDITIONING"),
        (4, 4, 0, 5, 0, "CONDITIONING"),
    ]
    return graph([loader, *texts, switch, out], [*links, (5, 3, 0, 4, 1, "CONDITIONING")] if both else links)


@shows("a bypassed node before an input that has its type from another input")
def _() -> Json:
    return switched("*", both=True)


@shows("a bypassed node before an input that has a type in the file only")
def _() -> Json:
    return switched("CONDITIONING", both=False)


@shows("a bypassed node before two switches, of which the first tells the second its type")
def _() -> Json:
    document = switched("*", both=True)
    second = node(6, "ComfySwitchNode", "on_false:* on_true:*", "output:*", [True])
    document["nodes"].insert(0, second)
    document["nodes"][4]["outputs"][0]["links"].append(6)
    document["nodes"][2]["outputs"][0]["links"].append(7)
    second["inputs"][0]["link"], second["inputs"][1]["link"] = 7, 6
    document["links"] += [[6, 4, 0, 6, 1, "CONDITIONING"], [7, 2, 0, 6, 0, "CONDITIONING"]]
    return document


def misled(*links: tuple[int, int, int, int, int, str]) -> Json:
    """Two images, a text, two switches, and what they lead to."""
    nodes = [
        *empties(2),
        node(3, "CLIPTextEncode", "clip:CLIP", "CONDITIONING:CONDITIONING", ["a fox"]),
        node(4, "ComfySwitchNode", "on_false:* on_true:*", "output:*", [False]),
        node(5, "ComfySwitchNode", "on_false:* on_true:*", "output:*", [False]),
        node(6, "ConditioningZeroOut", "conditioning:CONDITIONING", "CONDITIONING:CONDITIONING"),
        node(7, "PreviewAny", "source:*", "STRING:STRING"),
    ]
    return graph(nodes, links)


@shows("a link is cut where the type of an output has become another")
def _() -> Json:
    return misled((1, 1, 0, 4, 0, "IMAGE"), (2, 4, 0, 6, 0, "CONDITIONING"), (3, 4, 0, 7, 0, "*"))


@shows("a link is cut where the type of an output comes through two nodes")
def _() -> Json:
    return misled((1, 1, 0, 4, 0, "IMAGE"), (2, 4, 0, 5, 0, "*"), (3, 5, 0, 6, 0, "CONDITIONING"), (4, 5, 0, 7, 0, "*"))


@shows("links stay where the types that come in exclude each other, or nothing comes in")
def _() -> Json:
    return misled(
        (1, 1, 0, 4, 0, "IMAGE"),
        (2, 3, 0, 4, 1, "CONDITIONING"),
        (3, 4, 0, 6, 0, "CONDITIONING"),
        (4, 5, 0, 7, 0, "*"),
    )


@shows("a link of the wrong type between other nodes stays")
def _() -> Json:
    return misled((1, 1, 0, 6, 0, "CONDITIONING"))


@shows("a mask that was an image is cut off")
def _() -> Json:
    nodes = [
        *empties(1),
        resize(2, "input:IMAGE,MASK", ["scale width", 64, "area"]),
        node(3, "MaskToImage", "mask:MASK", "IMAGE:IMAGE"),
    ]
    return graph(nodes, [(1, 1, 0, 2, 0, "IMAGE"), (2, 2, 0, 3, 0, "MASK")])
