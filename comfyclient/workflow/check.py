"""What is wrong with a graph that every server would refuse: everything that needs no catalogue of nodes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from comfyclient.errors import node_label
from comfyclient.workflow.links import find_cycle, is_link, misread, surely_meant
from comfyclient.workflow.wording import kind_of, shown

if TYPE_CHECKING:
    from comfyclient.workflow.links import Graph

EXPORT_ADVICE = "in the editor, the menu Workflow > Export (API) writes it"


def is_editor_format(graph: Mapping[Any, Any]) -> bool:
    """Whether this is the editor's own save file, of any schema."""
    return isinstance(graph.get("nodes"), list) or "last_node_id" in graph


def foreign_format(graph: Mapping[Any, Any]) -> str | None:
    """What this is if it looks like a workflow and is none of ComfyUI's."""
    if isinstance(graph.get("nodes"), list) and isinstance(graph.get("edges"), list) and "links" not in graph:
        return "a graph with edges, as InvokeAI and other programs save it"
    if isinstance(graph.get("templates"), list):
        return "a file of node templates: insert one of them into a workflow in the editor, and save that"
    return None


def shape_problems(graph: Mapping[Any, Any]) -> list[str]:
    """Everything that makes this no graph in the API format."""
    problems: list[str] = []
    for node_id, node in graph.items():
        named = f"node {shown(node_id)}"
        if not isinstance(node_id, str):
            problems.append(f'node ids are strings: write "{node_id}" instead of {shown(node_id)}')
        if not isinstance(node, Mapping):
            problems.append(f'{named} is {kind_of(node)}, not {{"class_type": ..., "inputs": {{...}}}}')
            continue
        if not isinstance(node.get("class_type"), str):
            what = f"is {kind_of(node['class_type'])}, not a string" if "class_type" in node else "is missing"
            problems.append(f"{named}: its class_type {what}")
        if not isinstance(node.get("inputs", {}), Mapping):
            problems.append(f"{named}: its inputs are {kind_of(node['inputs'])}, not an object")
    return problems


def content_problems(graph: Graph) -> list[str]:
    """What the server would refuse of a well-shaped graph, whatever its nodes' classes declare."""
    if not graph:
        return ["the workflow has no nodes"]
    problems: list[str] = []
    unwritten = unwritable(graph)  # asked at once, since that is faster
    for node_id, node in graph.items():
        inputs = node["inputs"]
        named = f"node {node_label(node_id, title_of(node), node['class_type'])}"
        if unwritten:
            parts = {f"input {shown(name)}": value for name, value in inputs.items()}
            parts |= {f"its {shown(key)}": value for key, value in node.items() if key != "inputs"}
            problems += [f"{named}: {part} {why}" for part, value in parts.items() if (why := unwritable(value))]
        for name, value in inputs.items():
            if not isinstance(name, str):
                problems.append(f"{named}: the name of input {shown(name)} is no string")
            if surely_meant(value, graph) and (why := misread(value, graph)):
                problems.append(f"{named}: input {shown(name)} {why}")
            if isinstance(value, Mapping) and is_link(value.get("__value__")):
                # It unwraps the value before it looks for links, and one to nowhere ends its worker for good.
                problems.append(f"{named}: input {shown(name)} is {shown(value)}, which the server makes a link of")
    if unwritten and not problems:  # it is neither an input nor one of the parts beside them
        problems.append(f"the workflow {unwritten}")
    if cycle := find_cycle(graph):
        problems.append(f"nodes feed each other in a circle: {' -> '.join(cycle)}; remove one of these links")
    return problems


def title_of(node: Mapping[str, Any]) -> str:
    """The title a person gave the node in the editor, or its class."""
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, Mapping) else None
    return title if title and isinstance(title, str) else str(node["class_type"] or "")


def unwritable(value: Any) -> str | None:
    """Why JSON cannot hold the value; None when it can."""
    try:
        _ENCODER.encode(value)
    except TypeError as error:
        return str(error)
    except ValueError as error:  # NaN, Infinity; a list that contains itself; an int of thousands of digits
        return f"is {shown(value)}, which JSON cannot hold ({error})"
    except RecursionError:
        return "is nested too deeply"
    return None


def _refuse(value: Any) -> NoReturn:
    kind = kind_of(value)
    if isinstance(value, os.PathLike):
        raise TypeError(f"holds {kind}, which JSON cannot: use str(...)")
    if hasattr(value, "tolist"):  # numpy's scalars and arrays, and torch's tensors
        raise TypeError(f"holds {kind}, which JSON cannot: use .tolist()")
    raise TypeError(f"holds {kind}, which JSON cannot")


_ENCODER = json.JSONEncoder(allow_nan=False, default=_refuse)
