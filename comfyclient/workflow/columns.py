"""In which column each node of a graph stands, when every one is to the right of what feeds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def columns_of(sources: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The number of every node's column, from 0.

    A node stands in the column after the last of those that feed it; one that nothing feeds, right before the first
    that it feeds itself.

    Args:
        sources: By node, the nodes that feed it; all of them are there.
    """
    columns: dict[str, int] = {}
    waiting = list(sources)
    inside: set[str] = set()
    while waiting:  # no recursion, since a chain may have thousands of nodes
        node_id = waiting[-1]
        missing = [source for source in sources[node_id] if source not in columns and source not in inside]
        if node_id in columns or not missing:
            waiting.pop()
            inside.discard(node_id)
            known = (columns[source] + 1 for source in sources[node_id] if source in columns)
            columns.setdefault(node_id, max(known, default=0))
        else:
            inside.add(node_id)  # whatever leads back to it is part of a circle, and does not count
            waiting += missing
    consumers: dict[str, list[int]] = {}
    for node_id, given in sources.items():
        for source in given:
            consumers.setdefault(source, []).append(columns[node_id])
    for node_id, fed in consumers.items():
        if not sources[node_id]:
            columns[node_id] = max(0, min(fed) - 1)
    return {node_id: columns[node_id] for node_id in sources}
