"""From the save file to the graph, in the order in which the editor loads it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define

from comfyclient.errors import WorkflowError
from comfyclient.workflow.editor import groups, matching, migration, primitives, ungrouping
from comfyclient.workflow.editor.model import (
    CatalogNode,
    Graph,
    Node,
    Subgraph,
    SubgraphNode,
    VirtualNode,
)
from comfyclient.workflow.editor.saved import listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from comfyclient.workflow.editor.saved import SavedDocument, SavedGraph, SavedNode


@define
class Workflow:
    """A loaded save file.

    Attributes:
        root: The outermost graph.
        subgraphs: All definitions of subgraphs by their ids, those that others need first.
        last_node_id: The highest number that a node has.
    """

    root: Graph
    subgraphs: dict[str, Subgraph]
    last_node_id: int

    def graphs(self) -> Iterator[Graph]:
        """All graphs, the outermost last."""
        yield from self.subgraphs.values()
        yield self.root


def load(document: SavedDocument, catalog: Mapping[str, Any], virtual: Collection[str] = ()) -> Workflow:
    """Load a save file.

    Args:
        document: The file.
        catalog: The server's ``/object_info``.
        virtual: Types of nodes, beyond the editor's own, that exist in the editor only.

    Raises:
        WorkflowError: A subgraph contains itself.
    """
    last_node_id = _make_unique(document)
    group_types = groups.definitions(document, catalog)
    definitions = {entry.id: Subgraph(entry) for entry in document.subgraphs}
    create = _Creator(catalog, group_types, definitions, groups.BUILT_IN | frozenset(virtual))
    workflow = Workflow(Graph(document.root), {}, last_node_id)
    for saved in _innermost_first(document.subgraphs):
        _fill_graph(definitions[saved.id], saved, create, workflow.root)
        workflow.subgraphs[saved.id] = definitions[saved.id]
    _fill_graph(workflow.root, document.root, create, workflow.root)
    for graph in workflow.graphs():
        graph.settle_links()
    for graph in workflow.graphs():
        for node in graph.nodes.values():
            node.finish()
        graph.settle_links()
    for graph in workflow.graphs():
        matching.settle(graph)
        primitives.give_widgets(graph)
    for graph in workflow.graphs():
        for node in graph.nodes.values():
            _repair_values(node)
    ungrouping.convert(workflow.root, workflow.subgraphs, group_types, catalog, workflow.last_node_id)
    return workflow


@define
class _Creator:
    catalog: Mapping[str, Any]
    group_types: Mapping[str, groups.GroupType]
    subgraphs: Mapping[str, Subgraph]
    virtual: frozenset[str]

    def node(self, graph: Graph, saved: SavedNode) -> Node:
        """A node of the kind that its type asks for."""
        known = (self.subgraphs, self.virtual, self.catalog, self.group_types)
        if not any(saved.type in types for types in known):
            saved.type = re.sub("[&<>\"'`=]", "", saved.type)  # the editor cleans names that it does not know
        if saved.type in self.subgraphs:
            return SubgraphNode(graph, saved, self.subgraphs[saved.type])
        if saved.type in self.group_types:
            return CatalogNode(graph, saved, self.group_types[saved.type].definition)
        definition = self.catalog.get(saved.type)
        if isinstance(definition, dict) and saved.type not in groups.BUILT_IN:
            return CatalogNode(graph, saved, definition)
        return (VirtualNode if saved.type in self.virtual else Node)(graph, saved)


def _fill_graph(graph: Graph, saved: SavedGraph, create: _Creator, root: Graph) -> None:
    for entry in saved.nodes:
        if entry.id in graph.nodes:
            raise WorkflowError(f"{entry} and {graph.nodes[entry.id]} have the same id")
        graph.nodes[entry.id] = create.node(graph, entry)
    for node in graph.nodes.values():
        node.configure()
    for node in graph.nodes.values():
        if isinstance(node, SubgraphNode):
            migration.migrate(node, (*create.subgraphs.values(), root))


def _repair_values(node: Node) -> None:
    """What the editor puts right in the values of old files."""
    for widget in node.widgets:
        is_sampler = node.saved.type in {"KSampler", "KSamplerAdvanced"} and widget.name == "sampler_name"
        if is_sampler and isinstance(widget.value, str) and widget.value.startswith("sample_"):
            widget.set(widget.value[len("sample_") :])
        if widget.kind == "combo" and widget.choices and widget.value is None:
            widget.set(widget.choices[0])


def _innermost_first(definitions: list[SavedGraph]) -> list[SavedGraph]:
    by_id = {entry.id: entry for entry in definitions}
    users: dict[str, list[str]] = {key: [] for key in by_id}
    waits = dict.fromkeys(by_id, 0)
    for entry in by_id.values():
        for inner in dict.fromkeys(node.type for node in entry.nodes):
            if inner in by_id:
                users[inner].append(entry.id)
                waits[entry.id] += 1
    ready = deque(key for key, count in waits.items() if not count)
    order = []
    while ready:
        key = ready.popleft()
        order.append(by_id[key])
        for user in users[key]:
            waits[user] -= 1
            if not waits[user]:
                ready.append(user)
    if len(order) < len(by_id):
        names = sorted({by_id[key].name or key for key, count in waits.items() if count})
        raise WorkflowError(f"a subgraph contains itself: {', '.join(names)}")
    return order


def _make_unique(document: SavedDocument) -> int:
    """Node ids become unique over all graphs; a later one that is taken gets a new number, as in the editor."""
    taken = {node.id for node in document.root.nodes if node.is_numbered}
    numbers = {int(node_id) for node_id in taken}
    last = document.last_node_id
    renamed: dict[str, dict[str, str]] = {}
    for entry in document.subgraphs:
        here: dict[str, str] = {}
        for node in entry.nodes:
            if node.id in taken:
                last += 1
                while last in numbers:
                    last += 1
                here[node.id] = str(last)
                node.id = str(last)
                numbers.add(last)
            elif re.fullmatch(r"-?[0-9]{1,15}", node.id) and str(int(node.id)) == node.id:
                numbers.add(int(node.id))
                last = max(last, int(node.id))
            taken.add(node.id)
        renamed[entry.id] = here
        for link in entry.links:
            link.origin_id = here.get(link.origin_id, link.origin_id)
            link.target_id = here.get(link.target_id, link.target_id)
    for graph in (document.root, *document.subgraphs):
        for node in graph.nodes:
            _rename_proxies(node, renamed.get(node.type, {}))
    return max(last, *numbers, 0)


def _rename_proxies(node: SavedNode, renamed: Mapping[str, str]) -> None:
    if not renamed or "proxyWidgets" not in node.properties or isinstance(node.properties["proxyWidgets"], str):
        return  # the editor does not look into those that are written as text
    entries = []
    for entry in listed(node.properties["proxyWidgets"]):
        is_renamed = isinstance(entry, list) and entry and str(entry[0]) in renamed
        entries.append([renamed[str(entry[0])], *entry[1:]] if is_renamed else entry)
    node.properties["proxyWidgets"] = entries
