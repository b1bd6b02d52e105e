"""A small graph for every rule by which the editor makes a prompt of what it saves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Json: TypeAlias = dict[str, Any]

GRAPHS: dict[str, Json] = {}
"""The graphs by what they show."""

Link: TypeAlias = tuple[int, int | str, int, int | str, int, str]
"""Its id, from which node and output, to which node and input, and its type. -10 and -20 are a subgraph's own ends."""

NEVER, BYPASS = 2, 4


def node(
    number: int | str,
    kind: str,
    inputs: str = "",
    outputs: str = "",
    values: Any = None,
    **more: Any,
) -> Json:
    """A node; its inputs and outputs are written as ``name:TYPE``, those of widgets as ``name:TYPE=widget``."""
    return {
        "id": number,
        "type": kind,
        "mode": 0,
        "inputs": [_slot(text) for text in inputs.split()],
        "outputs": [{**_slot(text), "links": []} for text in outputs.split()],
        "properties": {},
        **({} if values is None else {"widgets_values": values}),
        **more,
    }


def _slot(text: str) -> Json:
    name, _, kind = text.partition(":")
    kind, _, widget = kind.partition("=")
    return {"name": name, "type": kind, "link": None, **({"widget": {"name": widget}} if widget else {})}


def graph(nodes: list[Json], links: Sequence[Link] = (), subgraphs: list[Json] | None = None, **more: Any) -> Json:
    """A save file of schema 0.4."""
    _connect(nodes, links)
    numbers = [each["id"] for each in nodes if isinstance(each["id"], int)]
    return {
        "last_node_id": max(numbers, default=0),
        "last_link_id": max((link[0] for link in links), default=0),
        "nodes": nodes,
        "links": [list(link) for link in links],
        "groups": [],
        "config": {},
        "extra": {},
        "version": 0.4,
        **({"definitions": {"subgraphs": subgraphs}} if subgraphs else {}),
        **more,
    }


def subgraph(
    number: int, inputs: str, outputs: str, nodes: list[Json], links: Sequence[Link], *, name: str = "Part", **more: Any
) -> Json:
    """The definition of a subgraph; its nodes have ``part(number)`` as their type."""
    _connect(nodes, links)
    return {
        "id": part(number),
        "version": 1,
        "state": {"lastGroupId": 0, "lastNodeId": 99, "lastLinkId": 99, "lastRerouteId": 0},
        "revision": 0,
        "config": {},
        "name": name,
        "inputNode": {"id": -10, "bounding": [0, 0, 100, 100]},
        "outputNode": {"id": -20, "bounding": [900, 0, 100, 100]},
        "inputs": [_end(text, -10, at, links, number) for at, text in enumerate(inputs.split())],
        "outputs": [_end(text, -20, at, links, number) for at, text in enumerate(outputs.split())],
        "widgets": [],
        "nodes": nodes,
        "groups": [],
        "links": [
            dict(zip(("id", "origin_id", "origin_slot", "target_id", "target_slot", "type"), link, strict=True))
            for link in links
        ],
        "extra": {},
        **more,
    }


def part(number: int) -> str:
    """The id of a subgraph."""
    return f"00000000-0000-4000-8000-{number:012}"


def _end(text: str, side: int, at: int, links: Sequence[Link], number: int) -> Json:
    name, _, kind = text.partition(":")
    mine = [link[0] for link in links if (link[1:3] if side == -10 else link[3:5]) == (side, at)]
    place = f"{number:04}{abs(side):04}{at:04}"
    return {"id": f"00000000-0000-4000-9000-{place}", "name": name, "type": kind, "linkIds": mine}


def _connect(nodes: list[Json], links: Sequence[Link]) -> None:
    by_id = {str(each["id"]): each for each in nodes}
    for number, origin, output, target, slot, _ in links:
        if str(origin) in by_id:
            by_id[str(origin)]["outputs"][output]["links"].append(number)
        if str(target) in by_id:
            by_id[str(target)]["inputs"][slot]["link"] = number


def shows(what: str) -> Callable[[Callable[[], Json]], Callable[[], Json]]:
    """Enter what a function returns into the list."""

    def enter(make: Callable[[], Json]) -> Callable[[], Json]:
        assert what not in GRAPHS
        GRAPHS[what] = make()
        return make

    return enter
