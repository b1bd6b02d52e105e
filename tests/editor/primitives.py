"""Primitives and group nodes, with which the editor's older files are full."""

from __future__ import annotations

from typing import Any

from tests.editor.graphs import BYPASS, NEVER, Json, graph, node, shows
from tests.editor.wiring import empty, save


def primitive(number: int, kind: str, widget: str, values: Any, **more: Any) -> Json:
    """A primitive: it holds a value for the widgets that it is linked to."""
    made = node(number, "PrimitiveNode", "", f"{kind}:{kind}", values, **more)
    made["outputs"][0]["widget"] = {"name": widget}
    return made


def canvas(number: int, inputs: str) -> Json:
    """Takes whole numbers."""
    return node(number, "EmptyImage", inputs, "IMAGE:IMAGE", [16, 16, 1, 0])


@shows("a primitive gives its value to all that it is linked to")
def _() -> Json:
    nodes = [
        primitive(1, "INT", "width", [64, "fixed"]),
        canvas(2, "width:INT=width height:INT=height"),
        canvas(3, "width:INT=width"),
    ]
    return graph(nodes, [(1, 1, 0, 2, 0, "INT"), (2, 1, 0, 2, 1, "INT"), (3, 1, 0, 3, 0, "INT")])


@shows("a primitive outside of the bounds of what it is linked to, and one with a fraction")
def _() -> Json:
    nodes = [
        primitive(1, "INT", "width", [-7, "fixed"]),
        canvas(2, "width:INT=width"),
        primitive(3, "INT", "width", [99999, "fixed"]),
        node(4, "EmptyLatentImage", "width:INT=width", "LATENT:LATENT", [512, 512, 1]),
        primitive(5, "INT", "width", [515, "fixed"]),
        node(6, "EmptyLatentImage", "width:INT=width", "LATENT:LATENT", [512, 512, 1]),
        primitive(7, "FLOAT", "cfg", [7.123456, "fixed"]),
        node(8, "KSampler", "cfg:FLOAT=cfg", "LATENT:LATENT", [1, "fixed", 20, 8, "euler", "normal", 1]),
    ]
    return graph(
        nodes, [(1, 1, 0, 2, 0, "INT"), (2, 3, 0, 4, 0, "INT"), (3, 5, 0, 6, 0, "INT"), (4, 7, 0, 8, 0, "FLOAT")]
    )


@shows("primitives for a text, a choice and a switch")
def _() -> Json:
    nodes = [
        primitive(1, "STRING", "text", ["a {fox} // red"]),
        node(2, "CLIPTextEncode", "text:STRING=text", "CONDITIONING:CONDITIONING", ["old"]),
        primitive(3, "COMBO", "sampler_name", ["heun", "fixed", ""]),
        node(
            4,
            "KSampler",
            "sampler_name:COMBO=sampler_name",
            "LATENT:LATENT",
            [1, "fixed", 20, 8, "euler", "normal", 1],
        ),
        primitive(5, "BOOLEAN", "zsnr", [True]),
        node(6, "ModelSamplingDiscrete", "zsnr:BOOLEAN=zsnr", "MODEL:MODEL", ["eps", False]),
    ]
    links = [(1, 1, 0, 2, 0, "STRING"), (2, 3, 0, 4, 0, "COMBO"), (3, 5, 0, 6, 0, "BOOLEAN")]
    return graph(nodes, links)


@shows("a primitive that leads nowhere, and one without a value")
def _() -> Json:
    nodes = [
        primitive(1, "INT", "width", [64, "fixed"]),
        primitive(2, "INT", "width", None),
        canvas(3, "width:INT=width"),
    ]
    return graph(nodes, [(1, 2, 0, 3, 0, "INT")])


@shows("a muted and a bypassed primitive")
def _() -> Json:
    nodes = [
        primitive(1, "INT", "width", [64, "fixed"], mode=NEVER),
        primitive(2, "INT", "width", [32, "fixed"], mode=BYPASS),
        canvas(3, "width:INT=width"),
        canvas(4, "width:INT=width"),
    ]
    return graph(nodes, [(1, 1, 0, 3, 0, "INT"), (2, 2, 0, 4, 0, "INT")])


@shows("a primitive behind a reroute")
def _() -> Json:
    nodes = [
        primitive(1, "INT", "width", [64, "fixed"]),
        node(2, "Reroute", ":*", ":INT"),
        canvas(3, "width:INT=width"),
    ]
    return graph(nodes, [(1, 1, 0, 2, 0, "INT"), (2, 2, 0, 3, 0, "INT")])


@shows("a primitive for a seed")
def _() -> Json:
    values = [1, "fixed", 20, 8, "euler", "normal", 1]
    nodes = [
        primitive(1, "INT", "seed", [2**53 - 1, "randomize"]),
        node(2, "KSampler", "seed:INT=seed", "LATENT:LATENT", values),
        node(3, "KSampler", "seed:INT=seed", "LATENT:LATENT", values),
    ]
    return graph(nodes, [(1, 1, 0, 2, 0, "INT"), (2, 1, 0, 3, 0, "INT")])


def grouped(values: Any, inner: list[Json], links: list[list[Any]], inputs: str = "", *, sign: str = ">") -> Json:
    """A file of 2023 to 2025 with a group node."""
    drawn: Json = {"pos": [0, 0], "size": [200, 100], "flags": {}, "order": 0}  # without which the editor gives up
    kinds = [{**drawn, **{key: each[key] for key in each if key != "id"}, "index": at} for at, each in enumerate(inner)]
    group = {"nodes": kinds, "links": links, "external": [[len(inner) - 1, 0, "IMAGE"]]}
    host = node(2, f"workflow{sign}Pair", inputs, "IMAGE:IMAGE", values)
    nodes = [empty(1), host, save()]
    wires = [(1, 2, 0, 9, 0, "IMAGE")]
    if inputs:
        wires.append((2, 1, 0, 2, 0, "IMAGE"))
    return graph(nodes, wires, extra={"groupNodes": {"Pair": group}})


@shows("a group node")
def _() -> Json:
    inner = [canvas(1, ""), node(2, "ImageInvert", "image:IMAGE", "IMAGE:IMAGE")]
    return grouped([64, 32, 1, 255], inner, [[0, 0, 1, 0, 1, "IMAGE"]])


@shows("a group node to which something comes")
def _() -> Json:
    inner = [
        node(1, "ImageInvert", "image:IMAGE", "IMAGE:IMAGE"),
        node(2, "ImageScaleBy", "image:IMAGE", "IMAGE:IMAGE", ["area", 0.5]),
    ]
    return grouped(["lanczos", 2], inner, [[0, 0, 1, 0, 1, "IMAGE"]], "image:IMAGE")


@shows("a group node as the files of 2023 call it")
def _() -> Json:
    inner = [canvas(1, ""), node(2, "ImageInvert", "image:IMAGE", "IMAGE:IMAGE")]
    return grouped([64, 32, 1, 255], inner, [[0, 0, 1, 0, 1, "IMAGE"]], sign="/")


@shows("a group node with a primitive and a reroute in it")
def _() -> Json:
    inner = [
        primitive(1, "INT", "width", [48, "fixed"], title="Size"),
        canvas(2, "width:INT=width height:INT=height"),
        node(3, "Reroute", ":*", ":IMAGE"),
        node(4, "ImageInvert", "image:IMAGE", "IMAGE:IMAGE"),
    ]
    links = [
        [0, 0, 1, 0, 1, "INT"],
        [0, 0, 1, 1, 1, "INT"],
        [1, 0, 2, 0, 2, "IMAGE"],
        [2, 0, 3, 0, 3, "IMAGE"],
    ]
    return grouped([96, "fixed", 1, 255], inner, links)
