"""Subgraphs: nodes that stand for graphs, what is promoted from within, and what comes in from outside."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from tests.editor.graphs import BYPASS, NEVER, Json, graph, node, part, shows, subgraph
from tests.editor.wiring import empty, invert, save

IN, OUT = -10, -20


def painter(number: int = 1, **more: Any) -> Json:
    """A subgraph that makes an image; its size and color may come from outside."""
    nodes = [node(11, "EmptyImage", "width:INT=width color:INT=color", "IMAGE:IMAGE", [16, 16, 1, 5]), invert(12)]
    links = [
        (1, IN, 0, 11, 0, "INT"),
        (2, IN, 1, 11, 1, "INT"),
        (3, 11, 0, 12, 0, "IMAGE"),
        (4, 12, 0, OUT, 0, "IMAGE"),
    ]
    return subgraph(number, "width:INT color:INT", "IMAGE:IMAGE", nodes, links, **more)


def painting(number: int, values: Any = None, inputs: str = "width:INT=width color:INT=color", **more: Any) -> Json:
    """A node that stands for it."""
    return node(number, part(1), inputs, "IMAGE:IMAGE", values, **more)


def passing(number: int, inner: list[Json]) -> Json:
    """A subgraph that hands an image through a chain of nodes."""
    ids = [IN, *(each["id"] for each in inner), OUT]
    links = [(at, one, 0, other, 0, "IMAGE") for at, (one, other) in enumerate(pairwise(ids), 1)]
    return subgraph(number, "image:IMAGE", "IMAGE:IMAGE", inner, links)


@shows("a subgraph: ids of two parts, and values that its node shows")
def _() -> Json:
    return graph([painting(1, [64, 255]), save()], [(1, 1, 0, 9, 0, "IMAGE")], [painter()])


@shows("a subgraph whose node has no values of its own, or too few")
def _() -> Json:
    nodes = [painting(1), painting(2, []), painting(3, [32]), save(7), save(8), save(9)]
    return graph(nodes, [(at, at, 0, at + 6, 0, "IMAGE") for at in (1, 2, 3)], [painter()])


@shows("a subgraph twice, with other values, and links into its widgets")
def _() -> Json:
    nodes = [
        painting(1, [64, 255]),
        painting(2, [32, 128]),
        node(3, "PrimitiveInt", "", "INT:INT", [99, "fixed"]),
        save(8),
        save(9),
    ]
    links = [(1, 1, 0, 8, 0, "IMAGE"), (2, 2, 0, 9, 0, "IMAGE"), (3, 3, 0, 2, 1, "INT")]
    return graph(nodes, links, [painter()])


@shows("a subgraph whose node has a title, and whose inner nodes have")
def _() -> Json:
    nodes = [painting(1, [64, 255], title="My part"), save()]
    definition = painter()
    definition["nodes"][1]["title"] = "Other way round"
    return graph(nodes, [(1, 1, 0, 9, 0, "IMAGE")], [definition])


@shows("a subgraph within a subgraph, whose widgets are promoted twice")
def _() -> Json:
    inner = [painting(21, [48, 7])]
    links = [(1, IN, 0, 21, 0, "INT"), (2, 21, 0, OUT, 0, "IMAGE")]
    outer = subgraph(2, "width:INT", "IMAGE:IMAGE", inner, links)
    nodes = [
        node(1, part(2), "width:INT=width", "IMAGE:IMAGE", [80]),
        node(2, part(2), "width:INT=width", "IMAGE:IMAGE"),
        save(8),
        save(9),
    ]
    return graph(nodes, [(1, 1, 0, 8, 0, "IMAGE"), (2, 2, 0, 9, 0, "IMAGE")], [outer, painter()])


@shows("definitions of subgraphs within definitions of subgraphs")
def _() -> Json:
    inner = [painting(21, [48, 7])]
    outer = subgraph(2, "", "IMAGE:IMAGE", inner, [(1, 21, 0, OUT, 0, "IMAGE")], definitions={"subgraphs": [painter()]})
    return graph([node(1, part(2), "", "IMAGE:IMAGE"), save()], [(1, 1, 0, 9, 0, "IMAGE")], [outer])


@shows("an image goes through two levels, and is used inside and outside")
def _() -> Json:
    deep = passing(1, [invert(31)])
    middle = passing(2, [invert(21), node(22, part(1), "image:IMAGE", "IMAGE:IMAGE")])
    nodes = [empty(), node(2, part(2), "image:IMAGE", "IMAGE:IMAGE"), save(8), save(9)]
    links = [(1, 1, 0, 2, 0, "IMAGE"), (2, 2, 0, 8, 0, "IMAGE"), (3, 1, 0, 9, 0, "IMAGE")]
    return graph(nodes, links, [middle, deep])


@shows("a subgraph to which nothing comes, and one whose output comes from nowhere")
def _() -> Json:
    nowhere = subgraph(2, "", "IMAGE:IMAGE", [empty(21)], [])
    nodes = [
        node(1, part(1), "image:IMAGE", "IMAGE:IMAGE"),
        node(2, part(2), "", "IMAGE:IMAGE"),
        save(8),
        save(9),
    ]
    links = [(1, 1, 0, 8, 0, "IMAGE"), (2, 2, 0, 9, 0, "IMAGE")]
    return graph(nodes, links, [passing(1, [invert(11)]), nowhere])


@shows("a muted subgraph, and a bypassed one")
def _() -> Json:
    nodes = [
        empty(),
        node(2, part(1), "image:IMAGE", "IMAGE:IMAGE", mode=NEVER),
        node(3, part(1), "image:IMAGE", "IMAGE:IMAGE", mode=BYPASS),
        save(8),
        save(9),
    ]
    links = [(1, 1, 0, 2, 0, "IMAGE"), (2, 1, 0, 3, 0, "IMAGE"), (3, 2, 0, 8, 0, "IMAGE"), (4, 3, 0, 9, 0, "IMAGE")]
    return graph(nodes, links, [passing(1, [invert(11)])])


@shows("muted and bypassed nodes within a subgraph")
def _() -> Json:
    nodes = [
        empty(),
        node(2, part(1), "image:IMAGE", "IMAGE:IMAGE"),
        node(3, part(2), "image:IMAGE", "IMAGE:IMAGE"),
        save(8),
        save(9),
    ]
    links = [(1, 1, 0, 2, 0, "IMAGE"), (2, 1, 0, 3, 0, "IMAGE"), (3, 2, 0, 8, 0, "IMAGE"), (4, 3, 0, 9, 0, "IMAGE")]
    muted = passing(1, [invert(11), invert(12, mode=NEVER)])
    bypassed = passing(2, [invert(21), invert(22, mode=BYPASS)])
    return graph(nodes, links, [muted, bypassed])


@shows("a bypassed and a muted subgraph within a subgraph")
def _() -> Json:
    inner = [node(21, part(1), "image:IMAGE", "IMAGE:IMAGE", mode=BYPASS)]
    muted = [node(31, part(1), "image:IMAGE", "IMAGE:IMAGE", mode=NEVER)]
    nodes = [
        empty(),
        node(2, part(2), "image:IMAGE", "IMAGE:IMAGE"),
        node(3, part(3), "image:IMAGE", "IMAGE:IMAGE"),
        save(8),
        save(9),
    ]
    links = [(1, 1, 0, 2, 0, "IMAGE"), (2, 1, 0, 3, 0, "IMAGE"), (3, 2, 0, 8, 0, "IMAGE"), (4, 3, 0, 9, 0, "IMAGE")]
    return graph(nodes, links, [passing(1, [invert(11)]), passing(2, inner), passing(3, muted)])


@shows("reroutes within a subgraph, next to its inputs and outputs")
def _() -> Json:
    inner = [node(11, "Reroute", ":*", ":IMAGE"), invert(12), node(13, "Reroute", ":*", ":IMAGE")]
    nodes = [empty(), node(2, part(1), "image:IMAGE", "IMAGE:IMAGE"), save()]
    return graph(nodes, [(1, 1, 0, 2, 0, "IMAGE"), (2, 2, 0, 9, 0, "IMAGE")], [passing(1, inner)])


@shows("one input of a subgraph for two widgets")
def _() -> Json:
    inner = [node(11, "EmptyImage", "width:INT=width height:INT=height", "IMAGE:IMAGE", [16, 24, 1, 5])]
    links = [(1, IN, 0, 11, 0, "INT"), (2, IN, 0, 11, 1, "INT"), (3, 11, 0, OUT, 0, "IMAGE")]
    square = subgraph(1, "size:INT", "IMAGE:IMAGE", inner, links)
    nodes = [node(1, part(1), "size:INT=size", "IMAGE:IMAGE", [64]), node(2, part(1), "size:INT=size", "IMAGE:IMAGE")]
    return graph([*nodes, save(8), save(9)], [(1, 1, 0, 8, 0, "IMAGE"), (2, 2, 0, 9, 0, "IMAGE")], [square])


@shows("an input of a subgraph for a seed, a text and a choice")
def _() -> Json:
    inner = [
        node(
            11,
            "KSampler",
            "seed:INT=seed sampler_name:COMBO=sampler_name positive:CONDITIONING",
            "LATENT:LATENT",
            [1, "randomize", 20, 8, "euler", "normal", 1],
        ),
        node(12, "CLIPTextEncode", "text:STRING=text", "CONDITIONING:CONDITIONING", ["inside"]),
    ]
    links = [
        (1, IN, 0, 11, 0, "INT"),
        (2, IN, 1, 12, 0, "STRING"),
        (3, IN, 2, 11, 1, "COMBO"),
        (4, 12, 0, 11, 2, "CONDITIONING"),
        (5, 11, 0, OUT, 0, "LATENT"),
    ]
    definition = subgraph(1, "seed:INT text:STRING sampler_name:COMBO", "LATENT:LATENT", inner, links)
    inputs = "seed:INT=seed text:STRING=text sampler_name:COMBO=sampler_name"
    nodes = [
        node(1, part(1), inputs, "LATENT:LATENT", [77, "{outside}", "heun"]),
        node(2, part(1), inputs, "LATENT:LATENT", [77, "randomize", "outside", "heun"]),
        node(3, part(1), inputs, "LATENT:LATENT"),
    ]
    return graph(nodes, [], [definition])


def proxied(entries: list[list[str]], values: Any, inner: list[Json], **more: Any) -> Json:
    """A subgraph node of 2025, which shows widgets of inner nodes by ``proxyWidgets``."""
    definition = subgraph(1, "", "IMAGE:IMAGE", inner, [(1, inner[-1]["id"], 0, OUT, 0, "IMAGE")])
    host = node(1, part(1), "", "IMAGE:IMAGE", values, properties={"proxyWidgets": entries, **more})
    return graph([host, save()], [(1, 1, 0, 9, 0, "IMAGE")], [definition])


@shows("proxied widgets, with the values that the subgraph's node has for them")
def _() -> Json:
    return proxied([["11", "width"], ["11", "color"]], [64, 255], [empty(11)])


@shows("proxied widgets without values of the subgraph's node")
def _() -> Json:
    return proxied([["11", "width"], ["11", "color"]], [], [empty(11)])


@shows("proxied widgets that do not exist, and such of nodes that do not")
def _() -> Json:
    return proxied([["11", "gone"], ["77", "width"], ["11", "height"]], [1, 2, 64], [empty(11)])


@shows("proxied widgets of a node in a subgraph in a subgraph")
def _() -> Json:
    inner = subgraph(2, "", "IMAGE:IMAGE", [empty(21)], [(1, 21, 0, OUT, 0, "IMAGE")])
    middle = node(11, part(2), "", "IMAGE:IMAGE", [64], properties={"proxyWidgets": [["21", "width"]]})
    outer = subgraph(1, "", "IMAGE:IMAGE", [middle], [(1, 11, 0, OUT, 0, "IMAGE")])
    host = node(1, part(1), "", "IMAGE:IMAGE", [96], properties={"proxyWidgets": [["11", "width"]]})
    return graph([host, save()], [(1, 1, 0, 9, 0, "IMAGE")], [outer, inner])


@shows("proxied widgets beside inputs of the subgraph")
def _() -> Json:
    inputs = "width:INT=width color:INT=color"
    host = painting(
        1, [64, 255, 32], inputs, properties={"proxyWidgets": [["-1", "width"], ["-1", "color"], ["11", "height"]]}
    )
    return graph([host, save()], [(1, 1, 0, 9, 0, "IMAGE")], [painter()])


@shows("a proxied primitive within a subgraph")
def _() -> Json:
    inner = [
        node(12, "PrimitiveNode", "", "INT:INT", [40, "fixed"], title="Size"),
        node(11, "EmptyImage", "width:INT=width height:INT=height", "IMAGE:IMAGE", [16, 24, 1, 5]),
    ]
    inner[0]["outputs"][0]["widget"] = {"name": "width"}
    links = [(2, 12, 0, 11, 0, "INT"), (3, 12, 0, 11, 1, "INT"), (1, 11, 0, OUT, 0, "IMAGE")]
    definition = subgraph(1, "", "IMAGE:IMAGE", inner, links)
    host = node(1, part(1), "", "IMAGE:IMAGE", [64], properties={"proxyWidgets": [["12", "value"]]})
    return graph([host, save()], [(1, 1, 0, 9, 0, "IMAGE")], [definition])


@shows("nodes of a subgraph with the numbers of nodes outside")
def _() -> Json:
    definition = passing(1, [invert(1), invert(9)])
    nodes = [empty(), node(2, part(1), "image:IMAGE", "IMAGE:IMAGE"), save()]
    return graph(nodes, [(1, 1, 0, 2, 0, "IMAGE"), (2, 2, 0, 9, 0, "IMAGE")], [definition])


@shows("a node of a subgraph that the file does not define")
def _() -> Json:
    nodes = [empty(), node(2, part(7), "image:IMAGE", "IMAGE:IMAGE", [3]), save()]
    return graph(nodes, [(1, 1, 0, 2, 0, "IMAGE"), (2, 2, 0, 9, 0, "IMAGE")])


@shows("a subgraph that nothing uses, and notes within one")
def _() -> Json:
    definition = passing(1, [invert(11)])
    definition["nodes"].append(node(12, "MarkdownNote", values=["# Look"]))
    nodes = [empty(), node(2, part(1), "image:IMAGE", "IMAGE:IMAGE"), save()]
    return graph(nodes, [(1, 1, 0, 2, 0, "IMAGE"), (2, 2, 0, 9, 0, "IMAGE")], [definition, passing(2, [invert(21)])])


@shows("inputs of a subgraph's node in another order than those of the subgraph, and such that are gone")
def _() -> Json:
    host = painting(1, [64, 255], "color:INT=color gone:INT width:INT=width")
    number = node(3, "PrimitiveInt", "", "INT:INT", [99, "fixed"])
    return graph([host, number, save()], [(1, 1, 0, 9, 0, "IMAGE"), (2, 3, 0, 1, 0, "INT")], [painter()])


@shows("a primitive outside that leads into a subgraph")
def _() -> Json:
    number = node(3, "PrimitiveNode", "", "INT:INT", [99, "fixed"])
    number["outputs"][0]["widget"] = {"name": "width"}
    nodes = [painting(1, [64, 255]), number, save()]
    return graph(nodes, [(1, 1, 0, 9, 0, "IMAGE"), (2, 3, 0, 1, 0, "INT")], [painter()])
