"""The way back: from a prompt to a save file that the editor opens, and exports as the same prompt."""

from __future__ import annotations

import re
import uuid
from itertools import count
from typing import TYPE_CHECKING, Any

from comfyclient.workflow.editor import faces
from comfyclient.workflow.editor.layout import Box, arrange
from comfyclient.workflow.editor.nesting import nest
from comfyclient.workflow.editor.saved import INPUTS, OUTPUTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from comfyclient.workflow.editor.drawing import Drawn
    from comfyclient.workflow.editor.nesting import End, Level
    from comfyclient.workflow.editor.widgets import Slot
    from comfyclient.workflow.links import Graph

_ID = re.compile(r"0|[1-9][0-9]{0,14}")
_END = (120, 60)
"""The size of a subgraph's inputs and outputs."""


def to_editor(graph: Graph, catalog: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a prompt into a save file of the editor; see ``Workflow.to_editor``.

    Args:
        graph: The prompt.
        catalog: The server's ``/object_info``.

    Raises:
        WorkflowError: An input has a value that the editor has no place for.
    """
    numbers = count(1)
    root, *inner = nest(graph, catalog).values()
    subgraphs = [_subgraph(level, catalog, numbers) for level in inner]
    nodes, links = _content(root, catalog, numbers)
    _note(nodes, links)
    ids = [node["id"] for each in ({"nodes": nodes}, *subgraphs) for node in each["nodes"]]
    return {
        "last_node_id": max((node_id for node_id in ids if isinstance(node_id, int)), default=0),
        "last_link_id": next(numbers) - 1,
        "nodes": nodes,
        "links": [list(link.values()) for link in links],
        "groups": [],
        "definitions": {"subgraphs": subgraphs},
        "config": {},
        "extra": {},
        "version": 0.4,
    }


def _subgraph(level: Level, catalog: Mapping[str, Any], numbers: Iterator[int]) -> dict[str, Any]:
    nodes, links = _content(level, catalog, numbers)
    for place, end in enumerate(level.outputs):
        links.append(_link(numbers, end.origin, (OUTPUTS, place), end.type))
    _note(nodes, links)
    right = max((node["pos"][0] + node["size"][0] for node in nodes), default=0)
    highest = [node["id"] for node in nodes if isinstance(node["id"], int)]
    return {
        "id": level.type,
        "version": 1,
        "revision": 0,
        "state": {
            "lastNodeId": max(highest, default=0),
            "lastLinkId": max((link["id"] for link in links), default=0),
            "lastGroupId": 0,
            "lastRerouteId": 0,
        },
        "config": {},
        "name": f"Subgraph {level.path[-1]}",
        "inputNode": {"id": int(INPUTS), "bounding": [-_END[0] - 80, 0, *_END]},
        "outputNode": {"id": int(OUTPUTS), "bounding": [right + 80, 0, *_END]},
        "inputs": [_end(level, end, place, links, INPUTS) for place, end in enumerate(level.inputs)],
        "outputs": [_end(level, end, place, links, OUTPUTS) for place, end in enumerate(level.outputs)],
        "widgets": [],
        "nodes": nodes,
        "groups": [],
        "links": links,
        "extra": {},
    }


def _end(level: Level, end: End, place: int, links: list[dict[str, Any]], side: str) -> dict[str, Any]:
    ends = {INPUTS: ("origin_id", "origin_slot"), OUTPUTS: ("target_id", "target_slot")}[side]
    return {
        "id": str(uuid.uuid5(uuid.UUID(level.type), f"{side} {place}")),
        "name": end.name,
        "type": end.type,
        "linkIds": [link["id"] for link in links if [link[key] for key in ends] == [int(side), place]],
    }


def _content(
    level: Level, catalog: Mapping[str, Any], numbers: Iterator[int]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The nodes and links of one graph."""
    links = []
    for node in level.nodes.values():
        slots = {name: node.slot(name) for name in node.links}
        numbered = {slot.name: place for place, slot in enumerate(node.face.slots)}
        for name, (source, number) in node.links.items():
            given = level.inputs[number] if source == INPUTS and level.path else level.nodes[source].output(number)
            links.append(_link(numbers, (source, number), (node.id, numbered[name]), given.type))
            slots[name].link = links[-1]["id"]
    boxes = {
        node_id: Box(node.size(), [source for source, _ in node.links.values() if source != INPUTS])
        for node_id, node in level.nodes.items()
    }
    places = arrange(boxes)
    order = {node_id: number for number, node_id in enumerate(sorted(level.nodes, key=lambda node_id: places[node_id]))}
    nodes = [
        {**_node(node, catalog), "pos": list(places[node_id]), "order": order[node_id]}
        for node_id, node in level.nodes.items()
    ]
    return nodes, links


def _link(numbers: Iterator[int], origin: tuple[str, int], target: tuple[str, int], kind: Any) -> dict[str, Any]:
    return {
        "id": next(numbers),
        "origin_id": _saved_id(origin[0]),
        "origin_slot": origin[1],
        "target_id": _saved_id(target[0]),
        "target_slot": target[1],
        "type": kind,
    }


def _note(nodes: list[dict[str, Any]], links: Iterable[dict[str, Any]]) -> None:
    """Enter the links at the outputs that they come from."""
    outputs = {node["id"]: node["outputs"] for node in nodes}
    for link in links:
        if link["origin_id"] in outputs:
            output = outputs[link["origin_id"]][link["origin_slot"]]
            output["links"] = [*(output["links"] or ()), link["id"]]


def _node(node: Drawn, catalog: Mapping[str, Any]) -> dict[str, Any]:
    values = [widget.value for widget in node.face.widgets if widget.saved]
    if node.type in catalog:
        # A list as long as those of old files would be taken for one of them, and lose values.
        while faces.without_forced(node.face, catalog[node.type], values) is not values:
            values.append(None)
    entry: dict[str, Any] = {
        "id": _saved_id(node.id),
        "type": node.type,
        "pos": [0, 0],
        "size": list(node.size()),
        "flags": {},
        "order": 0,
        "mode": node.mode,
        "inputs": [_slot(slot) for slot in node.face.slots],
        "outputs": [{"name": output.name, "type": output.type, "links": None} for output in node.outputs],
        "properties": node.properties,
        "widgets_values": values,
    }
    return entry if node.title is None else {**entry, "title": node.title}


def _slot(slot: Slot) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": slot.name, "type": slot.type, "link": slot.link}
    return entry if slot.widget is None else {**entry, "widget": {"name": slot.widget}}


def _saved_id(node_id: str) -> int | str:
    return int(node_id) if _ID.fullmatch(node_id) or node_id in {INPUTS, OUTPUTS} else node_id
