"""Rules for files of 2023 to 2025 that few files need: group nodes with settings, proxies of every kind."""

from __future__ import annotations

from typing import Any

from tests.editor.graphs import Json, graph, node, part, shows, subgraph
from tests.editor.primitives import canvas, grouped, primitive
from tests.editor.subgraphs import IN, OUT, proxied
from tests.editor.widgets import SAMPLER_INPUTS, sampler
from tests.editor.wiring import empty, save


def configured(document: Json, config: Json) -> Json:
    """With the settings that users make for a group node."""
    document["extra"]["groupNodes"]["Pair"]["config"] = config
    return document


TWO: list[list[Any]] = [[0, 0, 1, 0, 1, "IMAGE"]]


def two(**first: Any) -> list[Json]:
    """Two nodes in a row."""
    return [{**canvas(1, ""), **first}, node(2, "ImageInvert", "image:IMAGE", "IMAGE:IMAGE")]


@shows("a group node whose inputs have names of the user, and of which some are hidden")
def _() -> Json:
    config = {"0": {"input": {"width": {"name": "how wide"}, "height": {"visible": False}}}}
    return configured(grouped([64, 32, 1, 255], two(), TWO), config)


@shows("a group node of which an inner output is shown, and another is not")
def _() -> Json:
    config = {"0": {"output": {"0": {"visible": True}}}, "1": {"output": {"0": {"visible": False}}}}
    return configured(grouped([64, 32, 1, 255], two(), TWO), config)


@shows("a group node with the same class twice, and titles")
def _() -> Json:
    inner = [
        canvas(1, ""),
        {**canvas(2, ""), "title": "Other"},
        node(3, "ImageBatch", "image1:IMAGE image2:IMAGE", "IMAGE:IMAGE"),
    ]
    links = [[0, 0, 2, 0, 1, "IMAGE"], [1, 0, 2, 1, 2, "IMAGE"]]
    return grouped([1, 2, 3, 4, 5, 6, 7, 8], inner, links)


@shows("a group node with seeds in it")
def _() -> Json:
    values = [1, "fixed", 20, 8, "euler", "normal", 1]
    decode = node(5, "VAEDecode", "samples:LATENT vae:VAE", "IMAGE:IMAGE")
    inner = [sampler(values), sampler(values, number=4), decode]
    values = [11, "fixed", 21, 7, "heun", "simple", 0.5, 12, "increment", 22, 6, "euler", "normal", 0.25]
    return grouped(values, inner, [[0, 0, 1, 3, 1, "LATENT"], [1, 0, 2, 0, 2, "LATENT"]])


@shows("a group node with an input that was a widget")
def _() -> Json:
    inner = [canvas(1, "width:INT=width"), node(2, "ImageInvert", "image:IMAGE", "IMAGE:IMAGE")]
    document = grouped([32, 1, 255], inner, TWO)
    document["nodes"][1]["inputs"] = [{"name": "width", "type": "INT", "link": 3, "widget": {"name": "width"}}]
    document["nodes"].append(node(4, "PrimitiveInt", "", "INT:INT", [99, "fixed"]))
    document["nodes"][-1]["outputs"][0]["links"] = [3]
    document["links"].append([3, 4, 0, 2, 0, "INT"])
    document["last_link_id"] = 3
    return document


@shows("a group node that begins and ends with a reroute")
def _() -> Json:
    inner = [
        node(1, "Reroute", ":*", ":IMAGE"),
        node(2, "ImageInvert", "image:IMAGE", "IMAGE:IMAGE"),
        node(3, "Reroute", ":*", ":IMAGE"),
    ]
    return grouped([], inner, [[0, 0, 1, 0, 1, "IMAGE"], [1, 0, 2, 0, 2, "IMAGE"]], "image:IMAGE")


@shows("a group node of a class that the server does not have")
def _() -> Json:
    document = grouped([64, 32], [canvas(1, ""), node(2, "NodeOfNoPack", "image:IMAGE", "IMAGE:IMAGE")], TWO)
    document["extra"]["groupNodes"] = {"Gone": document["extra"]["groupNodes"]["Pair"]}
    document["nodes"][1]["type"] = "workflow>Gone"
    return document


@shows("proxied widgets with the ids of inner nodes before their names")
def _() -> Json:
    inner = subgraph(2, "", "IMAGE:IMAGE", [empty(21)], [(1, 21, 0, OUT, 0, "IMAGE")])
    middle = node(11, part(2), "", "IMAGE:IMAGE", [64], properties={"proxyWidgets": [["21", "width"]]})
    outer = subgraph(1, "", "IMAGE:IMAGE", [middle], [(1, 11, 0, OUT, 0, "IMAGE")])
    hosts = [
        node(number, part(1), "", "IMAGE:IMAGE", [32 * number], properties={"proxyWidgets": [entry]})
        for number, entry in enumerate((["11", "21: width"], ["11", "width", "21"], ["11", "22: width"]), 1)
    ]
    links = [(number, number, 0, number + 6, 0, "IMAGE") for number in (1, 2, 3)]
    return graph([*hosts, save(7), save(8), save(9)], links, [outer, inner])


@shows("proxied widgets that are written as text, or wrongly")
def _() -> Json:
    document = proxied([], [64, 255], [empty(11)])
    wrong = proxied([["11"], ["11", "width"]], [32], [empty(11)])["nodes"][0]
    document["nodes"][0]["properties"]["proxyWidgets"] = '[["11", "width"], ["11", "color"]]'
    document["nodes"].append({**wrong, "id": 2, "outputs": []})
    return document


@shows("proxied pictures beside proxied widgets")
def _() -> Json:
    return proxied([["11", "$$canvas-image-preview"], ["11", "width"]], [None, 64], [empty(11)])


@shows("proxied primitives with one name, two names, and no targets")
def _() -> Json:
    inner = [
        primitive(12, "INT", "width", [40, "fixed"]),
        primitive(13, "INT", "width", [41, "fixed"]),
        primitive(14, "INT", "width", [42, "fixed"]),
        node(11, "EmptyImage", "width:INT=width height:INT=height", "IMAGE:IMAGE", [16, 24, 1, 5]),
    ]
    links = [(2, 12, 0, 11, 0, "INT"), (3, 13, 0, 11, 1, "INT"), (1, 11, 0, OUT, 0, "IMAGE")]
    definition = subgraph(1, "", "IMAGE:IMAGE", inner, links)
    entries = [["12", "value"], ["12", "value"], ["13", "value"], ["13", "other"], ["14", "value"]]
    host = node(1, part(1), "", "IMAGE:IMAGE", [64, 65, 66, 67, 68], properties={"proxyWidgets": entries})
    return graph([host, save()], [(1, 1, 0, 9, 0, "IMAGE")], [definition])


@shows("two nodes of a subgraph with proxied widgets, of which one was turned into an input already")
def _() -> Json:
    inner = [node(11, "EmptyImage", "width:INT=width", "IMAGE:IMAGE", [16, 24, 1, 5])]
    links = [(2, IN, 0, 11, 0, "INT"), (1, 11, 0, OUT, 0, "IMAGE")]
    definition = subgraph(1, "width:INT", "IMAGE:IMAGE", inner, links)
    entries = [["11", "width"], ["11", "height"]]
    hosts = [
        node(number, part(1), "width:INT=width", "IMAGE:IMAGE", [32 * number, 48], properties={"proxyWidgets": entries})
        for number in (1, 2)
    ]
    return graph([*hosts, save(8), save(9)], [(1, 1, 0, 8, 0, "IMAGE"), (2, 2, 0, 9, 0, "IMAGE")], [definition])


@shows("values that the migration of an older editor put aside")
def _() -> Json:
    inner = [node(11, "EmptyImage", "width:INT=width", "IMAGE:IMAGE", [16, 24, 1, 5])]
    links = [(2, IN, 0, 11, 0, "INT"), (1, 11, 0, OUT, 0, "IMAGE")]
    definition = subgraph(1, "width:INT", "IMAGE:IMAGE", inner, links)
    aside = [
        {"originalEntry": ["-1", "width"], "reason": "missingSubgraphInput", "hostValue": 77, "attemptedAtVersion": 1}
    ]
    host = node(1, part(1), "width:INT=width", "IMAGE:IMAGE", [32], properties={"proxyWidgetErrorQuarantine": aside})
    return graph([host, save()], [(1, 1, 0, 9, 0, "IMAGE")], [definition])


@shows("a sampler with inputs for everything")
def _() -> Json:
    names = {
        "seed": "INT",
        "steps": "INT",
        "cfg": "FLOAT",
        "sampler_name": "COMBO",
        "scheduler": "COMBO",
        "denoise": "FLOAT",
    }
    inputs = " ".join([SAMPLER_INPUTS, *(f"{name}:{kind}={name}" for name, kind in names.items())])
    numbers = [
        node(4, "PrimitiveInt", "", "INT:INT", [5, "fixed"]),
        node(5, "PrimitiveFloat", "", "FLOAT:FLOAT", [0.5]),
    ]
    links = [(1, 4, 0, 3, 5, "INT"), (2, 5, 0, 3, 9, "FLOAT")]
    return graph([sampler([1, "fixed", 20, 8, "euler", "normal", 1], inputs), *numbers], links)


@shows("values put aside by nobody that the editor knows")
def _() -> Json:
    document = proxied([["11", "width"]], [32], [empty(11)])
    document["nodes"][0]["properties"]["proxyWidgetErrorQuarantine"] = [
        {"originalEntry": ["-1", "width"], "hostValue": 77}
    ]
    return document
