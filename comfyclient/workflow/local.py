"""Files of one's own among the inputs of a workflow: they are uploaded when it runs, and JSON cannot hold them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from comfyclient._pixels import is_array
from comfyclient.errors import node_label
from comfyclient.workflow.check import title_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comfyclient.workflow.links import Graph


def is_local(value: Any) -> bool:
    """Whether it is a path, or the content of a file: bytes, or an image of Pillow or NumPy."""
    if value is None or isinstance(value, (str, int, float, list, dict)):  # nearly all; the others take time
        return False
    return isinstance(value, (os.PathLike, bytes, bytearray)) or is_image(value)


def is_image(value: Any) -> bool:
    """Whether it is an image in memory, of Pillow or NumPy; a NumPy array has two dimensions at least."""
    if is_array(value):
        return bool(value.ndim > 1)
    return hasattr(value, "save") and hasattr(value, "getbands")  # whoever has one of Pillow's has imported it


def found(graph: Graph) -> Iterator[tuple[str, str, Any]]:
    """The files among the inputs: node id, name of the input, file."""
    for node_id, node in graph.items():
        for name, value in node["inputs"].items():
            if is_local(value):
                yield node_id, name, value


def uploaded(graph: Graph) -> Graph:
    """The graph as it is once the files are uploaded, but without their names."""
    places = {(node_id, name) for node_id, name, _ in found(graph)}
    if not places:
        return graph
    return {
        node_id: {
            **node,
            "inputs": {name: "" if (node_id, name) in places else value for name, value in node["inputs"].items()},
        }
        for node_id, node in graph.items()
    }


def problems(graph: Graph) -> list[str]:
    """Why JSON cannot hold the graph: a sentence for every file."""
    return [
        f"node {node_label(node_id, title_of(graph[node_id]), graph[node_id]['class_type'])}: input {name!r} is "
        f"{named(value)}, which JSON cannot hold: it is uploaded when the workflow runs"
        for node_id, name, value in found(graph)
    ]


def named(value: Any) -> str:
    """How messages name such a file."""
    if isinstance(value, os.PathLike):
        return f"the file {os.fspath(value)!r}"
    return "bytes" if isinstance(value, (bytes, bytearray)) else "an image"
