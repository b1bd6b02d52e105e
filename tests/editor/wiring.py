"""What links lead to: reroutes, what is muted and bypassed, what exists in the editor only."""

from __future__ import annotations

from typing import Any

from tests.editor.graphs import BYPASS, NEVER, Json, graph, node, shows

EMPTY = [16, 16, 1, 0]


def empty(number: int | str = 1, **more: Any) -> Json:
    """Gives an image."""
    return node(number, "EmptyImage", "", "IMAGE:IMAGE", EMPTY, **more)


def save(number: int | str = 9, **more: Any) -> Json:
    """Takes one."""
    return node(number, "SaveImage", "images:IMAGE", "", ["pictures"], **more)


def invert(number: int, **more: Any) -> Json:
    """Takes one and gives one."""
    return node(number, "ImageInvert", "image:IMAGE", "IMAGE:IMAGE", **more)


@shows("titles: of the user, of the catalogue, of no use")
def _() -> Json:
    nodes = [empty(1, title="Mine"), invert(2, title=""), invert(3), save(title="SaveImage")]
    return graph(nodes, [(1, 1, 0, 2, 0, "IMAGE"), (2, 2, 0, 3, 0, "IMAGE"), (3, 3, 0, 9, 0, "IMAGE")])


@shows("a link to nowhere, an input that is not linked, a node for itself")
def _() -> Json:
    return graph([invert(1), invert(2), save()], [(1, 2, 0, 9, 0, "IMAGE")])


@shows("old reroutes, one behind the other, and one of them leads on twice")
def _() -> Json:
    reroutes = [node(number, "Reroute", ":*", ":IMAGE") for number in (2, 3)]
    links = [
        (1, 1, 0, 2, 0, "IMAGE"),
        (2, 2, 0, 3, 0, "IMAGE"),
        (3, 3, 0, 8, 0, "IMAGE"),
        (4, 3, 0, 9, 0, "IMAGE"),
    ]
    return graph([empty(), *reroutes, save(8), save()], links)


@shows("an old reroute to which nothing comes")
def _() -> Json:
    return graph([empty(), node(2, "Reroute", ":*", ":*"), save()], [(1, 2, 0, 9, 0, "IMAGE")])


@shows("reroutes of links, which are only drawn")
def _() -> Json:
    extra = {
        "linkExtensions": [{"id": 1, "parentId": 1}],
        "reroutes": [{"id": 1, "pos": [300, 100], "linkIds": [1]}],
    }
    return graph([empty(), save()], [(1, 1, 0, 9, 0, "IMAGE")], extra=extra)


@shows("reroutes of links in schema 1")
def _() -> Json:
    document = graph([empty(), save()], [(1, 1, 0, 9, 0, "IMAGE")])
    keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    links = [{**dict(zip(keys, link, strict=True)), "parentId": 1} for link in document["links"]]
    reroutes = [{"id": 1, "pos": [300, 100], "linkIds": [1]}]
    state = {"lastGroupId": 0, "lastNodeId": 9, "lastLinkId": 1, "lastRerouteId": 1}
    kept = {key: document[key] for key in ("nodes", "groups", "config", "extra")}
    return {"version": 1, "state": state, **kept, "links": links, "reroutes": reroutes}


@shows("a muted node, and what wanted something of it")
def _() -> Json:
    nodes = [empty(), invert(2, mode=NEVER), invert(3), save(8), save()]
    links = [(1, 1, 0, 2, 0, "IMAGE"), (2, 2, 0, 3, 0, "IMAGE"), (3, 3, 0, 8, 0, "IMAGE"), (4, 1, 0, 9, 0, "IMAGE")]
    return graph(nodes, links)


@shows("a bypassed node lets the image through")
def _() -> Json:
    nodes = [empty(), invert(2, mode=BYPASS), invert(3, mode=BYPASS), save()]
    return graph(nodes, [(1, 1, 0, 2, 0, "IMAGE"), (2, 2, 0, 3, 0, "IMAGE"), (3, 3, 0, 9, 0, "IMAGE")])


@shows("a bypassed node of two outputs: each goes to the input of its type")
def _() -> Json:
    loader = node(1, "CheckpointLoaderSimple", "", "MODEL:MODEL CLIP:CLIP VAE:VAE", ["one.safetensors"])
    lora = node(
        2, "LoraLoader", "model:MODEL clip:CLIP", "MODEL:MODEL CLIP:CLIP", ["two.safetensors", 1, 1], mode=BYPASS
    )
    texts = [node(3, "CLIPTextEncode", "clip:CLIP", "CONDITIONING:CONDITIONING", ["a fox"])]
    sampling = node(4, "ModelSamplingDiscrete", "model:MODEL", "MODEL:MODEL", ["eps", False])
    links = [
        (1, 1, 0, 2, 0, "MODEL"),
        (2, 1, 1, 2, 1, "CLIP"),
        (3, 2, 1, 3, 0, "CLIP"),
        (4, 2, 0, 4, 0, "MODEL"),
    ]
    return graph([loader, lora, *texts, sampling], links)


@shows("a bypassed node whose inputs have other types than its output")
def _() -> Json:
    nodes = [
        empty(),
        node(2, "ImageToMask", "image:IMAGE", "MASK:MASK", ["red"], mode=BYPASS),
        node(3, "MaskToImage", "mask:MASK", "IMAGE:IMAGE"),
        save(),
    ]
    return graph(nodes, [(1, 1, 0, 2, 0, "IMAGE"), (2, 2, 0, 3, 0, "MASK"), (3, 3, 0, 9, 0, "IMAGE")])


@shows("a bypassed node whose second input fits, not its first")
def _() -> Json:
    nodes = [
        node(1, "SolidMask", "", "MASK:MASK", [1, 16, 16]),
        empty(2),
        node(3, "JoinImageWithAlpha", "image:IMAGE alpha:MASK", "IMAGE:IMAGE", mode=BYPASS),
        node(
            4,
            "ImageCompositeMasked",
            "destination:IMAGE source:IMAGE mask:MASK",
            "IMAGE:IMAGE",
            [0, 0, False],
            mode=BYPASS,
        ),
        save(),
    ]
    links = [
        (1, 2, 0, 3, 0, "IMAGE"),
        (2, 1, 0, 3, 1, "MASK"),
        (3, 3, 0, 4, 1, "IMAGE"),
        (4, 1, 0, 4, 2, "MASK"),
        (5, 4, 0, 9, 0, "IMAGE"),
    ]
    return graph(nodes, links)


@shows("a bypassed node to which nothing comes, and a muted one behind a bypassed one")
def _() -> Json:
    nodes = [invert(1, mode=BYPASS), save(2), empty(3, mode=NEVER), invert(4, mode=BYPASS), save(5)]
    return graph(nodes, [(1, 1, 0, 2, 0, "IMAGE"), (2, 3, 0, 4, 0, "IMAGE"), (3, 4, 0, 5, 0, "IMAGE")])


@shows("a bypassed output node, a bypassed reroute, a muted reroute")
def _() -> Json:
    nodes = [
        empty(),
        save(2, mode=BYPASS),
        node(3, "Reroute", ":*", ":IMAGE", mode=BYPASS),
        save(4),
        node(5, "Reroute", ":*", ":IMAGE", mode=NEVER),
        save(6),
    ]
    links = [
        (1, 1, 0, 2, 0, "IMAGE"),
        (2, 1, 0, 3, 0, "IMAGE"),
        (3, 3, 0, 4, 0, "IMAGE"),
        (4, 1, 0, 5, 0, "IMAGE"),
        (5, 5, 0, 6, 0, "IMAGE"),
    ]
    return graph(nodes, links)


@shows("other modes: on event, on trigger")
def _() -> Json:
    return graph([empty(1, mode=1), save(2, mode=3)], [(1, 1, 0, 2, 0, "IMAGE")])


@shows("notes say nothing to the server")
def _() -> Json:
    notes = [node(2, "Note", values=["Look"]), node(3, "MarkdownNote", values=["# Look"])]
    return graph([empty(), *notes, save()], [(1, 1, 0, 9, 0, "IMAGE")])


@shows("a node that nobody knows, with values and links")
def _() -> Json:
    unknown = node(2, "NodeOfNoPack", "image:IMAGE", "IMAGE:IMAGE", ["a", 1, True, None, {"b": 2}, [3]])
    return graph([empty(), unknown, save()], [(1, 1, 0, 2, 0, "IMAGE"), (2, 2, 0, 9, 0, "IMAGE")])


@shows("a node that nobody knows, with inputs that stand for widgets, and values by name")
def _() -> Json:
    unknown = node(2, "Node <of> no 'pack'", "image:IMAGE size:INT=size", "IMAGE:IMAGE", {"size": 3, "other": "x"})
    number = node(3, "PrimitiveInt", "", "INT:INT", [7, "fixed"])
    links = [(1, 1, 0, 2, 0, "IMAGE"), (2, 3, 0, 2, 1, "INT"), (3, 2, 0, 9, 0, "IMAGE")]
    return graph([empty(), unknown, number, save()], links)


@shows("a node that nobody knows, bypassed and muted")
def _() -> Json:
    nodes = [
        empty(),
        node(2, "NodeOfNoPack", "image:IMAGE", "IMAGE:IMAGE", mode=BYPASS),
        node(3, "NodeOfNoPack", "image:IMAGE", "IMAGE:IMAGE", mode=NEVER),
        save(8),
        save(),
    ]
    links = [(1, 1, 0, 2, 0, "IMAGE"), (2, 2, 0, 8, 0, "IMAGE"), (3, 1, 0, 3, 0, "IMAGE"), (4, 3, 0, 9, 0, "IMAGE")]
    return graph(nodes, links)


@shows("nodes of KJNodes without their pack")
def _() -> Json:
    nodes = [
        empty(),
        node(2, "SetNode", "IMAGE:IMAGE", "*:*", ["picture"]),
        node(3, "GetNode", "", "IMAGE:IMAGE", ["picture"]),
        save(),
    ]
    return graph(nodes, [(1, 1, 0, 2, 0, "IMAGE"), (2, 3, 0, 9, 0, "IMAGE")])


@shows("inputs of the file that the catalogue does not have, and the other way round")
def _() -> Json:
    nodes = [
        empty(),
        node(2, "ImageInvert", "old:IMAGE image:IMAGE", "IMAGE:IMAGE"),
        node(3, "ImageBlend", "image2:IMAGE", "IMAGE:IMAGE", [0.5, "normal"]),
        save(),
    ]
    links = [(1, 1, 0, 2, 1, "IMAGE"), (2, 1, 0, 3, 0, "IMAGE"), (3, 2, 0, 9, 0, "IMAGE"), (4, 1, 0, 2, 0, "IMAGE")]
    return graph(nodes, links)


@shows("ids that are texts")
def _() -> Json:
    return graph([empty("one"), save("two")], [(1, "one", 0, "two", 0, "IMAGE")])


@shows("no nodes")
def _() -> Json:
    return graph([])
