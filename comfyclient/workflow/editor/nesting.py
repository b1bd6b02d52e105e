"""The ids of a prompt tell which nodes were in a subgraph: ``"104:85"`` is node 85 of the one that 104 stands for.

They get their subgraphs again, so that they have the same ids when the editor exports them, and while they run.
"""

from __future__ import annotations

import json
import re
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import define, field

from comfyclient.errors import WorkflowError, node_label
from comfyclient.workflow import links
from comfyclient.workflow.editor.drawing import Drawn, draw
from comfyclient.workflow.editor.model import NEVER
from comfyclient.workflow.editor.saved import INPUTS, SavedOutput
from comfyclient.workflow.editor.widgets import Face, Slot, Widget

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Path: TypeAlias = tuple[str, ...]

_NUMBER = "(?:0|[1-9][0-9]{0,14})"
_NESTED = re.compile(rf"{_NUMBER}(?::{_NUMBER}){{1,20}}")

_MOST_OUTPUTS = 1000
"""Higher numbers, and those below 0, are those of no output."""


@define(eq=False)
class End:
    """An input or output of a subgraph; of an output, where it comes from within."""

    name: str
    type: Any
    origin: tuple[str, int] = ("", 0)


@define(eq=False)
class Level:
    """The nodes of one graph.

    Attributes:
        path: The ids of the nodes that it is within.
        type: Its id, if it is a subgraph.
        nodes: Its nodes, by their ids within it.
        inputs: What comes in.
        outputs: What goes out.
    """

    path: Path
    type: str
    nodes: dict[str, Drawn] = field(factory=dict)
    inputs: list[End] = field(factory=list)
    outputs: list[End] = field(factory=list)


def nest(graph: Mapping[str, Mapping[str, Any]], catalog: Mapping[str, Any]) -> dict[Path, Level]:
    """All graphs, the outermost first.

    Raises:
        WorkflowError: An input has a value that the editor has no place for.
    """
    return _Nesting(graph, catalog).run()


class _Nesting:
    def __init__(self, graph: Mapping[str, Mapping[str, Any]], catalog: Mapping[str, Any]) -> None:
        self._graph = graph
        self._catalog = catalog
        self._paths = _paths(graph)
        self._drawn = {node_id: draw(path[-1], graph[node_id], catalog) for node_id, path in self._paths.items()}
        self._levels: dict[Path, Level] = {(): Level((), "")}
        self._ends: dict[tuple[Path, str, int], int] = {}
        numbers = (int(part) for path in self._paths.values() for part in path if re.fullmatch(_NUMBER, part))
        self._last = max(numbers, default=0)

    def run(self) -> dict[Path, Level]:
        for node_id, path in self._paths.items():
            self._level(path[:-1]).nodes[path[-1]] = self._drawn[node_id]
        for node_id, path in self._paths.items():
            for name, value in self._drawn[node_id].constants.items():
                self._feed(self._levels[path[:-1]], node_id, name, value)
        for node_id, path in self._paths.items():
            node = self._drawn[node_id]
            for name, source, number in links.sources(self._graph[node_id]["inputs"]):
                if source in self._paths and 0 <= number < _MOST_OUTPUTS:
                    node.links[name] = self._origin(path[:-1], source, int(number))
        return self._levels

    def _level(self, path: Path) -> Level:
        """The graph of this path; the node that stands for it is made with it."""
        level = self._levels.get(path)
        if level is None:
            outer = self._level(path[:-1])
            inside = {
                node_id: node for node_id, node in self._graph.items() if self._paths[node_id][: len(path)] == path
            }
            content = json.dumps([path, inside], default=repr)
            level = self._levels[path] = Level(path, str(uuid.uuid5(uuid.NAMESPACE_OID, content)))
            outer.nodes[path[-1]] = Drawn(path[-1], level.type, None, Face(level.type), [])
        return level

    def _host(self, path: Path) -> Drawn:
        return self._levels[path[:-1]].nodes[path[-1]]

    def _origin(self, path: Path, source: str, number: int) -> tuple[str, int]:
        """Where a graph has what an output of a node gives: at the node, at one that it is within, or at an input."""
        whole = self._paths[source]
        if whole[:-1] == path:
            self._drawn[source].output(number)
            return whole[-1], number
        if whole[: len(path)] == path:
            inner = whole[: len(path) + 1]
            return inner[-1], self._output(inner, source, number)
        return INPUTS, self._input(path, source, number)

    def _output(self, path: Path, source: str, number: int) -> int:
        """The output through which it leaves a subgraph."""
        place = self._ends.get((path, source, number))
        if place is None:
            level, output = self._levels[path], self._drawn[source].output(number)
            name = _unused(output.name, level.outputs)
            place = self._ends[path, source, number] = len(level.outputs)
            level.outputs.append(End(name, output.type, self._origin(path, source, number)))
            self._host(path).outputs.append(SavedOutput(output.type, name=name))
        return place

    def _input(self, path: Path, source: str, number: int) -> int:
        """The input through which it comes into a subgraph."""
        place = self._ends.get((path, source, number))
        if place is None:
            level, output = self._levels[path], self._drawn[source].output(number)
            name = _unused(output.name, level.inputs)
            place = self._ends[path, source, number] = len(level.inputs)
            level.inputs.append(End(name, output.type))
            host = self._host(path)
            host.face.slots.append(Slot(name, output.type))
            host.links[name] = self._origin(path[:-1], source, number)
        return place

    def _feed(self, level: Level, node_id: str, name: str, value: Any) -> None:
        """Give a constant to an input without a widget.

        In a subgraph, it is the value of an input of that, whose widget is lent by a muted node; outside, it comes from
        a node, since there is no other way.
        """
        class_type, kind = self._giver(node_id, name, value)
        giver = draw(self._new_id(), {"class_type": class_type, "inputs": {"value": value}}, self._catalog)
        level.nodes[giver.id] = giver
        origin = (giver.id, 0)
        if level.path:
            giver.mode = NEVER
            origin = giver.links["value"] = INPUTS, len(level.inputs)
            unique = _unused(name, level.inputs)
            level.inputs.append(End(unique, kind))
            host = self._host(level.path)
            host.face.slots.append(Slot(unique, kind, widget=unique))
            host.face.widgets.append(Widget(unique, "text", value))
        self._drawn[node_id].links[name] = origin

    def _giver(self, node_id: str, name: str, value: Any) -> tuple[str, str]:
        """The class of the server's own nodes that gives such a value, and its type."""
        found = next((entry for kind, *entry in _GIVERS if isinstance(value, kind)), ["", ""])
        if found[0] not in self._catalog:
            label = node_label(node_id, self._drawn[node_id].title or "", self._drawn[node_id].type)
            raise WorkflowError(
                f"node {label}: the editor has no place for the value of input {name!r}: link it instead"
            )
        return found[0], found[1]

    def _new_id(self) -> str:
        self._last += 1
        return str(self._last)


_GIVERS: tuple[tuple[type, str, str], ...] = (
    (bool, "PrimitiveBoolean", "BOOLEAN"),
    (int, "PrimitiveInt", "INT"),
    (float, "PrimitiveFloat", "FLOAT"),
    (str, "PrimitiveStringMultiline", "STRING"),
)


def _paths(node_ids: Iterable[str]) -> dict[str, Path]:
    """Where each node is. Outermost are those whose number is taken, since the editor gives each number once."""
    paths = {node_id: tuple(node_id.split(":")) if _NESTED.fullmatch(node_id) else (node_id,) for node_id in node_ids}
    inner: dict[str, list[Path]] = {}
    for path in paths.values():
        if len(path) > 1:
            inner.setdefault(path[0], []).append(path)
    taken = Counter(path[0] for path in paths.values() if len(path) == 1)
    nested = set()
    for first, group in inner.items():
        places = {path[:depth] for path in group for depth in range(1, len(path) + 1)}
        hosts = {path[:depth] for path in group for depth in range(1, len(path))}
        numbers = Counter(place[-1] for place in places)
        if not hosts & set(group) and max(numbers.values()) == 1 and not numbers.keys() & taken.keys():
            nested.add(first)
            taken += numbers
    return {node_id: path if path[0] in nested else (node_id,) for node_id, path in paths.items()}


def _unused(name: str, ends: Iterable[End]) -> str:
    names = {end.name for end in ends}
    number, unique = 1, name
    while unique in names:
        number += 1
        unique = f"{name}_{number}"
    return unique
