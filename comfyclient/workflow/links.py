"""The links of an API-format graph: an input whose value is ``["node id", output slot]``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple, TypeAlias

from comfyclient.workflow.wording import nearest_hint, shown

Graph: TypeAlias = Mapping[str, Mapping[str, Any]]


def is_link(value: Any) -> bool:
    """Whether the server takes the value for a link: its own rule, float slots included."""
    return (
        isinstance(value, (list, tuple))
        and len(value) == 2  # noqa: PLR2004 - node id and slot
        and isinstance(value[0], str)
        and isinstance(value[1], (int, float))
    )


def sources(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """The links among a node's inputs: input name, node id, slot."""
    for name, value in inputs.items():
        if is_link(value):
            yield name, value[0], value[1]


def ancestors(graph: Graph, node_ids: Iterable[str]) -> set[str]:
    """These nodes and everything upstream of them; ids that the graph does not have are left out."""
    found: set[str] = set()
    waiting = list(node_ids)
    while waiting:
        node_id = waiting.pop()
        if node_id in graph and node_id not in found:
            found.add(node_id)
            waiting += [source for _, source, _ in sources(graph[node_id]["inputs"])]
    return found


def descendants(graph: Graph, node_ids: Iterable[str]) -> set[str]:
    """These nodes and everything downstream of them; ids that the graph does not have are left out."""
    consumers: dict[str, list[str]] = {}
    for node_id, node in graph.items():
        for _, source, _ in sources(node["inputs"]):
            consumers.setdefault(source, []).append(node_id)
    found: set[str] = set()
    waiting = list(node_ids)
    while waiting:
        node_id = waiting.pop()
        if node_id in graph and node_id not in found:
            found.add(node_id)
            waiting += consumers.get(node_id, ())
    return found


def readers(graph: Graph, node_id: str) -> Iterator[tuple[str, str, Any]]:
    """The links that come from a node: node id and input name of who reads, and the slot that it reads."""
    for reader, node in graph.items():
        for name, source, slot in sources(node["inputs"]):
            if source == node_id:
                yield reader, name, slot


class Cycle(NamedTuple):
    """Nodes that feed each other.

    Attributes:
        way: One way around, in the direction of the data, its first node repeated at the end.
        members: All nodes that feed themselves by way of these, in the graph's order.
    """

    way: list[str]
    members: list[str]


def find_cycles(graph: Graph) -> Iterator[Cycle]:
    """The cycles of a graph; those that share nodes count as one."""
    feeders = {node_id: [source for _, source, _ in sources(node["inputs"])] for node_id, node in graph.items()}
    while way := _cycle(feeders):
        around = ancestors(graph, way) & descendants(graph, way)
        yield Cycle(way, [node_id for node_id in graph if node_id in around])
        feeders = {node_id: each for node_id, each in feeders.items() if node_id not in around}


def _cycle(feeders: Mapping[str, list[str]]) -> list[str] | None:
    try:
        TopologicalSorter(feeders).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle
    return None


def misread(value: Any, node_ids: Collection[str]) -> str | None:
    """Why a list given to an input will not do as a link; None for a good link and for what is no list.

    The server reads every list as a link, unless the class does not declare the input: some nodes take
    lists there, and only the server knows which. So this text explains the server's refusals too.
    """
    if not isinstance(value, (list, tuple)):
        return None
    if surely_meant(value, node_ids):
        target, slot = value
        if str(target) not in node_ids:
            near = nearest_hint(target, node_ids)
            return f"points at node {shown(target)}, which the workflow does not have{near}"
        right_slot = isinstance(slot, int) and slot >= 0
        if isinstance(target, str) and right_slot:
            return None
        return f'is {shown(value)}: a link has its id in quotes and a number from 0: ["{target}", 0]'
    return f'is {shown(value)}: a link is written ["node id", 0], a list as a value {{"__value__": [...]}}'


def surely_meant(value: Any, node_ids: Collection[str]) -> bool:
    """Whether the value can hardly be anything but a link, right or wrong."""
    return is_link(value) or _has_int_id(value, node_ids)


def _has_int_id(value: Any, node_ids: Collection[str]) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) == 2  # noqa: PLR2004 - node id and slot
        and all(isinstance(part, int) for part in value)
        and str(value[0]) in node_ids
    )
