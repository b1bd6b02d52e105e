"""What is wrong with a graph that every server would refuse: everything that needs no catalogue of nodes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn

from comfyclient.errors import node_label
from comfyclient.workflow.links import find_cycles, is_link, misread, surely_meant
from comfyclient.workflow.wording import kind_of, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        if not isinstance(node.get("class_type", 0), str | None):  # the editor writes null for a type that is missing
            what = f"is {kind_of(node['class_type'])}, not a string" if "class_type" in node else "is missing"
            problems.append(f"{named}: its class_type {what}")
        if not isinstance(node.get("inputs", {}), Mapping):
            problems.append(f"{named}: its inputs are {kind_of(node['inputs'])}, not an object")
    return problems


class Finding(NamedTuple):
    """What the server would refuse of a well-shaped graph, whatever its nodes' classes declare.

    Attributes:
        message: What is wrong, in a sentence.
        node_id: The node; empty for the whole workflow.
        input: Its input; ``None`` for the node as a whole.
        kind: What sort of thing it is: ``"class"``, ``"link"``, ``"circle"`` or something else.
    """

    message: str
    node_id: str = ""
    input: Any = None
    kind: Literal["class", "link", "circle", ""] = ""


def content_problems(graph: Graph, types: Mapping[str, str] | None = None) -> list[str]:
    """All findings in sentences that name the node, and one of a circle for all of its nodes."""
    return list(dict.fromkeys(_sentence(finding, graph) for finding in findings(graph, types)))


def _sentence(finding: Finding, graph: Graph) -> str:
    if not finding.node_id or finding.kind == "circle":
        return finding.message
    node = graph[finding.node_id]
    return f"node {node_label(finding.node_id, title_of(node), node['class_type'])}: {finding.message}"


def findings(graph: Graph, types: Mapping[str, str] | None = None) -> list[Finding]:
    """Everything that is wrong, in the order of the nodes.

    Args:
        graph: The nodes by id.
        types: What the editor called those that have no class, by id, as far as that is known.
    """
    if not graph:
        return [Finding("the workflow has no nodes")]
    found: list[Finding] = []
    unwritten = unwritable(graph)  # asked at once, since that is faster
    for node_id, node in graph.items():
        if unwritten:
            found += _unwritten(node_id, node)
        if node["class_type"] is None:
            message = "its class_type is null: the editor that exported it did not have this class of nodes"
            if types and node_id in types:
                message = f"the server has no node {shown(types[node_id])}; is its pack of custom nodes installed?"
            found.append(Finding(message, node_id, kind="class"))
        found += _misused(node_id, node, graph)
    if unwritten and not found:  # it is neither an input nor one of the parts beside them
        found.append(Finding(f"the workflow {unwritten}"))
    for cycle in find_cycles(graph):
        message = f"nodes feed each other in a circle: {' -> '.join(cycle.way)}; remove one of these links"
        found += [Finding(message, node_id, kind="circle") for node_id in cycle.members]
    return found


def _misused(node_id: str, node: Mapping[str, Any], graph: Graph) -> Iterator[Finding]:
    for name, value in node["inputs"].items():
        if not isinstance(name, str):
            yield Finding(f"the name of input {shown(name)} is no string", node_id, name)
        if surely_meant(value, graph) and (why := misread(value, graph)):
            yield Finding(f"input {shown(name)} {why}", node_id, name, "link")
        if isinstance(value, Mapping) and is_link(value.get("__value__")):
            # It unwraps the value before it looks for links, and one to nowhere ends its worker for good.
            yield Finding(f"input {shown(name)} is {shown(value)}, which the server makes a link of", node_id, name)


def _unwritten(node_id: str, node: Mapping[str, Any]) -> Iterator[Finding]:
    for name, value in node["inputs"].items():
        if why := unwritable(value):
            yield Finding(f"input {shown(name)} {why}", node_id, name)
    for key, value in node.items():
        if key != "inputs" and (why := unwritable(value)):
            yield Finding(f"its {shown(key)} {why}", node_id)


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
