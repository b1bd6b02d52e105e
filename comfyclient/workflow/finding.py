"""Which node, or which input, is meant; and what is said where that is none, or more than one."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias

from comfyclient.errors import WorkflowError
from comfyclient.workflow.node import label, labels
from comfyclient.workflow.wording import listed, nearest, nearest_hint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from comfyclient.workflow.node import Node

Nodes: TypeAlias = "Mapping[str, Node]"


def find(nodes: Nodes, *, class_type: str | None, title: str | None, has_input: str | None) -> Node:
    """See ``Workflow.find``."""
    found = find_all(nodes, class_type=class_type, title=title, has_input=has_input)
    if len(found) == 1:
        return found[0]
    given = {"class_type": class_type, "title": title, "input": has_input}
    wanted = " and ".join(f"the {key} {value!r}" for key, value in given.items() if value) or "an id"
    if found:
        raise WorkflowError(f"{len(found)} nodes have {wanted}: {labels(found)}; take one by its id")
    if has_input is not None:
        others = find_all(nodes, class_type=class_type, title=title, has_input=None)
        if others:
            near = nearest_hint(has_input, dict.fromkeys(name for node in others for name in node))
            raise WorkflowError(f"no node has {wanted}{near}")
    raise WorkflowError(f"no node has {wanted}; {nearest_nodes(nodes, title or class_type or '')}")


def find_all(nodes: Nodes, *, class_type: str | None, title: str | None, has_input: str | None) -> list[Node]:
    """See ``Workflow.find_all``."""
    return [
        node
        for node in nodes.values()
        if class_type in {None, node.class_type}
        and title in {None, node.title}
        and (has_input is None or has_input in node)
    ]


def resolve(nodes: Nodes, path: str, *, add: bool) -> tuple[Node, str]:
    """The node and the input that a path means; see ``Workflow.set``."""
    splits = [(path[:at], path[at + 1 :]) for at in range(1, len(path) - 1) if path[at] == "."]
    if not splits:
        raise WorkflowError(f"{path!r} names no input: write '<node>.<input>'")
    ranks = [
        [(node, name) for left, name in splits for node in nodes.values() if left == key(node)]
        for key in (attrgetter("id"), attrgetter("title"), attrgetter("class_type"))
    ]
    places = next((rank for rank in ranks if rank), [])
    existing = ([(node, name) for node, name in rank if name in node] for rank in ranks)
    fitting = next((rank for rank in existing if rank), places if add else [])
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        candidates = listed(f"'{node.id}.{name}' of {label(node)}" for node, name in fitting)
        raise WorkflowError(f"{path!r} fits more than one input: {candidates}")
    if not places:
        near = nearest_nodes(nodes, splits[0][0])
        raise WorkflowError(f"{path!r}: no node has such an id, title or class; {near}")
    node, name = places[0]
    near = nearest_hint(name, node)
    raise WorkflowError(f"{path!r}: node {label(node)} has no input {name!r}{near}; add=True would add it")


def nearest_nodes(nodes: Nodes, name: str) -> str:
    """The end of a message about a node that was not found."""
    known = {text: node for node in nodes.values() for text in (node.class_type, node.title, node.id)}
    near = {known[text].id: known[text] for text in nearest(name, known)}
    return f"nearest: {labels(near.values())}" if near else f"there are {labels(nodes.values())}"
