"""The prompt that the editor would export."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from comfyclient.errors import WorkflowError
from comfyclient.workflow.editor import javascript, primitives, texts
from comfyclient.workflow.editor.groups import BUILT_IN
from comfyclient.workflow.editor.loading import load
from comfyclient.workflow.editor.model import BYPASS, NEVER, Node, SubgraphNode
from comfyclient.workflow.editor.saved import INPUTS, read
from comfyclient.workflow.editor.virtual import known
from comfyclient.workflow.editor.widgets import passed_through

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from comfyclient.workflow.editor.loading import Workflow
    from comfyclient.workflow.editor.model import Graph
    from comfyclient.workflow.editor.saved import LinkId
    from comfyclient.workflow.editor.virtual import NodeView, Resolver
    from comfyclient.workflow.editor.widgets import Slot, Widget

_OFF = {NEVER, BYPASS}
_MOST = 1_000_000
"""Nodes; a small file of subgraphs within subgraphs may stand for any number of them."""


@frozen
class Prompt:
    """What the editor would export.

    Attributes:
        graph: For every node that the server shall run its inputs, class and title, by its id.
        unknown: The types of the nodes that the catalogue does not have, by id. Their classes in the graph are None, as
            the editor leaves them open.
    """

    graph: dict[str, Any]
    unknown: dict[str, str]


def to_api(
    document: Mapping[str, Any], catalog: Mapping[str, Any], *, rng: random.Random | None = None
) -> dict[str, Any]:
    """Turn a save file of the editor into the prompt that the editor's own export gives; see ``convert``."""
    return convert(document, catalog, rng=rng).graph


def convert(document: Mapping[str, Any], catalog: Mapping[str, Any], *, rng: random.Random | None = None) -> Prompt:
    """Turn a save file of the editor into the prompt that the editor's own export gives.

    Nodes that exist in the editor only do what `RESOLVERS` says. A type that the catalogue has is the server's own,
    whatever stands there.

    Args:
        document: The parsed save file.
        catalog: The server's ``/object_info``.
        rng: Makes the choices in dynamic prompts such as ``{a|b}``; a new one unless given.

    Raises:
        WorkflowError: The file is broken; the message names the node and what is wrong with it.
    """
    resolvers = {name: each for name, each in known(catalog).items() if name not in catalog}
    try:
        workflow = load(read(document), catalog, resolvers)
        for graph in workflow.graphs():
            primitives.apply(graph)
        return _Export(workflow, resolvers, rng if rng is not None else random.Random()).run()  # noqa: S311 - no secret
    except RecursionError:
        raise WorkflowError("the workflow has subgraphs or texts that are nested too deeply") from None


@define(eq=False)
class Place:
    """A node in one instance of its graph.

    Attributes:
        id: Its id in the prompt: those of the nodes around it and its own, with colons between.
        node: The node.
        host: The place of the node that stands for the graph; None on the outermost level.
        level: The places of the same graph by the ids of their nodes.
    """

    id: str
    node: Node
    host: Place | None
    level: dict[str, Place] = field(repr=False)
    inner: dict[str, Place] = field(factory=dict, repr=False)

    @property
    def type(self) -> str:
        """The node's class."""
        return self.node.saved.type

    @property
    def title(self) -> str | None:
        """What the user calls the node."""
        return self.node.title

    @property
    def properties(self) -> Mapping[str, Any]:
        """The editor's own notes."""
        return self.node.properties

    @property
    def values(self) -> Any:
        """``widgets_values``, as the save file has it."""
        return self.node.saved.values

    @property
    def inputs(self) -> list[str]:
        """The names of the node's inputs."""
        return [slot.name for slot in self.node.slots]

    def surroundings(self) -> Iterable[list[NodeView]]:
        """The places of the same graph, then those of the graph around it, and so on to the outermost."""
        place: Place | None = self
        while place is not None:
            yield list(place.level.values())
            place = place.host

    def __str__(self) -> str:
        """How messages name it."""
        return f"node {self.id} ({self.title or self.type})"


@frozen
class _Input:
    """On the way to where a value comes from: at an input."""

    place: Place
    number: int
    kind: Any = None


@frozen
class _Output:
    """On the way to where a value comes from: at an output."""

    place: Place
    number: int
    kind: Any


@frozen
class _Found:
    """The end of the way: what the prompt has there."""

    value: Any


class _Export:
    def __init__(self, workflow: Workflow, resolvers: Mapping[str, Resolver], rng: random.Random) -> None:
        self._root = workflow.root
        self._resolvers = resolvers
        self._rng = rng

    def run(self) -> Prompt:
        prompt: dict[str, Any] = {}
        unknown: dict[str, str] = {}
        links: list[tuple[dict[str, Any], str]] = []
        for place in list(self._places(self._root, None)):
            node = place.node
            if node.is_virtual or node.saved.mode in _OFF:
                continue
            inputs = {widget.name: self._sent(node, widget) for widget in node.widgets if widget.name and widget.sent}
            for number, slot in enumerate(node.slots):
                found = self._resolve(_Input(place, number))
                if found is not None:
                    inputs[slot.name] = found.value
                    if isinstance(found.value, list):
                        links.append((inputs, slot.name))
            prompt[place.id] = {"inputs": inputs, "class_type": node.class_type, "_meta": {"title": node.title}}
            if node.class_type is None:
                unknown[place.id] = node.saved.type
        for inputs, name in links:
            if isinstance(inputs[name], list) and inputs[name][0] not in prompt:
                del inputs[name]
        return Prompt(prompt, unknown)

    def _places(self, graph: Graph, host: Place | None) -> Iterator[Place]:
        """All nodes, those within a subgraph once for every node that stands for it."""
        count = 0
        waiting: list[tuple[Graph, Place | None]] = [(graph, host)]
        while waiting:
            graph, host = waiting.pop()
            level: dict[str, Place] = host.inner if host is not None else {}
            for node in graph.nodes.values():
                level[node.id] = Place(f"{host.id}:{node.id}" if host is not None else node.id, node, host, level)
            count += len(level)
            if count > _MOST:
                raise WorkflowError(f"the subgraphs within subgraphs come to more than {_MOST} nodes")
            for place in level.values():
                # What is switched off on the outermost level is left out; further in, only its outputs are.
                is_out = host is None and place.node.saved.mode in _OFF
                if isinstance(place.node, SubgraphNode) and not is_out:
                    waiting.append((place.node.subgraph, place))
                yield place

    def _sent(self, node: Node, widget: Widget) -> Any:
        value = javascript.held(widget.current())
        if isinstance(value, str):
            if widget.dynamic_prompts:
                return texts.choose(value, self._rng)
            if widget.name == "filename_prefix" and node.class_type in texts.SAVERS:
                return texts.replace_names(self._root, value)
        if widget.kind == "curve" and isinstance(value, list):
            return {"__type__": "CURVE", "__value__": value}
        return _wrapped(value)

    def _resolve(self, start: _Input) -> _Found | None:
        """Follow links against their direction, from an input of a node to what stands for it in the prompt."""
        step: _Step = start
        seen = set()
        while step is not None and not isinstance(step, _Found):
            key = (type(step), step.place.id, step.number)
            if key in seen:
                slot = start.place.node.slots[start.number]
                raise WorkflowError(f"{start.place}: the links that lead to its input {slot.name} go in a circle")
            seen.add(key)
            step = self._enter(step) if isinstance(step, _Input) else self._leave(step)
        return step

    def _enter(self, step: _Input) -> _Step:
        place = step.place
        slot = place.node.slots[step.number]
        if slot.link is None:
            return None
        link = place.node.graph.links.get(slot.link)
        if link is None:
            raise WorkflowError(f"{place}: its input {slot.name} names link {slot.link}, which does not exist")
        if link.origin_id == INPUTS and place.host is not None:
            return _from_outside(place, slot, link.origin_slot)
        origin = place.level.get(link.origin_id)
        if origin is None:
            raise WorkflowError(
                f"{place}: link {link.id} to its input {slot.name} comes from node {link.origin_id}, "
                "which does not exist"
            )
        return _Output(origin, link.origin_slot, slot.type if step.kind is None else step.kind)

    def _leave(self, step: _Output) -> _Step:
        place, node = step.place, step.place.node
        if node.saved.mode == NEVER:
            return None
        if node.saved.mode == BYPASS:
            given = node.outputs[step.number].type if 0 <= step.number < len(node.outputs) else "*"
            number = passed_through(node.slots, given, step.number, step.kind)
            return None if number is None else _Input(place, number)
        if isinstance(node, SubgraphNode):
            return _from_inside(place, node, step)
        resolver = self._resolvers.get(node.saved.type)
        if resolver is not None and node.saved.type not in BUILT_IN:
            source = resolver(place, step.number)
            return self._named(place, source) if source is not None else None
        if node.is_virtual:
            return _Input(place, step.number, step.kind) if 0 <= step.number < len(node.slots) else None
        return _Found([place.id, step.number])

    def _named(self, place: Place, source: tuple[NodeView, int]) -> _Step:
        other, number = source
        if not isinstance(other, Place):
            raise TypeError(
                f"the resolver of {place.type} returned {other!r}, which is none of the nodes that it was given"
            )
        return _Input(other, number) if 0 <= number < len(other.node.slots) else None


_Step = _Input | _Output | _Found | None


def _from_outside(place: Place, slot: Slot, number: int) -> _Step:
    """An input of the subgraph is linked within: what comes to it from outside counts, else the value it has there."""
    host = place.host
    if host is None or not 0 <= number < len(host.node.slots):
        raise WorkflowError(f"{place}: its input {slot.name} is linked to an input that its subgraph does not have")
    outer = host.node.slots[number]
    if outer.link is not None:
        return _Input(host, number)
    return _Found(_wrapped(javascript.held(outer.promoted.value))) if outer.promoted is not None else None


def _from_inside(place: Place, node: SubgraphNode, step: _Output) -> _Step:
    """An output of the subgraph gives what is linked to it within."""
    if not 0 <= step.number < len(node.subgraph.outputs):
        raise WorkflowError(f"{place}: a link comes from its output {step.number}, which its subgraph does not have")
    links = node.subgraph.links
    link_ids: list[LinkId] = node.subgraph.outputs[step.number].link_ids
    link = next((links[link_id] for link_id in link_ids if link_id in links), None)
    if link is None:
        return None
    if link.origin_id == INPUTS:
        return _Input(place, link.origin_slot) if 0 <= link.origin_slot < len(node.slots) else None
    inner = place.inner.get(link.origin_id)
    if inner is None:
        raise WorkflowError(f"{place}: its output {step.number} comes from node {link.origin_id}, which does not exist")
    return _Output(inner, link.origin_slot, step.kind)


def _wrapped(value: Any) -> Any:
    """A list that is a value is told apart from a link."""
    return {"__value__": value} if isinstance(value, list) else value
