"""From a group node of the graph to the subgraph that the editor makes of it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from comfyclient.workflow.editor.groups import BUILT_IN
from comfyclient.workflow.editor.model import CatalogNode, Graph, Node, Subgraph, SubgraphNode, VirtualNode
from comfyclient.workflow.editor.saved import (
    INPUTS,
    OUTPUTS,
    LinkId,
    SavedEnd,
    SavedGraph,
    SavedLink,
    SavedNode,
    SavedOutput,
    SavedSlot,
)
from comfyclient.workflow.editor.widgets import is_compatible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from comfyclient.workflow.editor.groups import GroupType


def convert(
    root: Graph,
    subgraphs: dict[str, Subgraph],
    types: Mapping[str, GroupType],
    catalog: Mapping[str, Any],
    last_node_id: int,
) -> None:
    """Put a subgraph in the place of every group node of the outermost graph."""
    for host in [node for node in root.nodes.values() if node.saved.type in types]:
        last_node_id = _Unpacking(root, host, types[host.saved.type], catalog).run(subgraphs, last_node_id)


class _Unpacking:
    """One group node on its way to a subgraph."""

    def __init__(self, root: Graph, host: Node, group: GroupType, catalog: Mapping[str, Any]) -> None:
        self._root = root
        self._host = host
        self._group = group
        self._catalog = catalog
        self._links = 0
        name = f"group {host.id}"
        self._subgraph = Subgraph(SavedGraph(name, "New Subgraph", [], [], [], []))

    def run(self, subgraphs: dict[str, Subgraph], last_node_id: int) -> int:
        inner: list[Node] = []
        for place, saved in enumerate(self._group.nodes):
            last_node_id += 1
            inner.append(self._create(place, saved, str(last_node_id)))
        for link in self._group.links:
            if 0 <= link.origin < len(inner) and 0 <= link.target < len(inner):
                self._connect(inner[link.origin], link.origin_slot, inner[link.target], link.target_slot)
        last_node_id += 1
        ends = self._inner_inputs(inner)
        outputs = self._inner_outputs(inner)
        slots = [SavedSlot(end.name, end.type, link) for end, link in ends]
        saved = SavedNode(
            id=str(last_node_id), type=self._subgraph.id, title=self._subgraph.name, inputs=slots, outputs=outputs
        )
        node = SubgraphNode(self._root, saved, self._subgraph)
        for place, (_, link_id) in enumerate(ends):
            self._root.links[link_id].target_id = node.id
            self._root.links[link_id].target_slot = place
        for place, output in enumerate(outputs):
            for link_id in output.links:
                self._root.links[link_id].origin_id = node.id
                self._root.links[link_id].origin_slot = place
        del self._root.nodes[self._host.id]
        self._root.nodes[node.id] = node
        node.configure()
        self._subgraph.settle_links()
        subgraphs[self._subgraph.id] = self._subgraph
        return last_node_id

    def _create(self, place: int, template: SavedNode, node_id: str) -> Node:
        saved = copy.deepcopy(template)
        saved.id = node_id
        saved.inputs = [SavedSlot(slot.name, slot.type, None, slot.widget, slot.label) for slot in saved.inputs]
        for output in saved.outputs:
            output.links = []
        definition = self._catalog.get(saved.type)
        if isinstance(definition, dict) and saved.type not in BUILT_IN:
            node: Node = CatalogNode(self._subgraph, saved, definition)
        else:
            node = VirtualNode(self._subgraph, saved)
        self._subgraph.nodes[node_id] = node
        node.configure()
        node.finish()
        for (at, name), shown in self._group.widgets.items():
            outer, own = self._host.face.widget(shown), node.face.widget(name)
            if at == place and outer is not None and own is not None:  # primitives have lost their widgets by then
                own.set(copy.deepcopy(outer.value))
        return node

    def _connect(self, origin: Node, origin_slot: int, target: Node, target_slot: int) -> None:
        if not (0 <= origin_slot < len(origin.outputs) and 0 <= target_slot < len(target.slots)):
            return
        slot, output = target.slots[target_slot], origin.outputs[origin_slot]
        if is_compatible(output.type, slot.type):
            link_id = self._new_link(origin.id, origin_slot, target.id, target_slot, output.type)
            slot.link = link_id
            output.links.append(link_id)

    def _new_link(self, origin: str, origin_slot: int, target: str, target_slot: int, kind: Any) -> str:
        self._links += 1
        link_id = f"group {self._host.id} {self._links}"
        self._subgraph.links[link_id] = SavedLink(link_id, origin, origin_slot, target, target_slot, kind)
        return link_id

    def _inner_inputs(self, inner: list[Node]) -> list[tuple[SavedEnd, LinkId]]:
        """Every link that comes to the group node comes to an input of the subgraph, which leads on to the node."""
        ends: list[tuple[SavedEnd, LinkId]] = []
        for (place, name), at in self._group.inputs.items():
            outer = self._host.slots[at].link if at < len(self._host.slots) else None
            node = inner[place]
            slot = next((slot for slot in node.slots if slot.name == name), None)
            if outer is None or outer not in self._root.links or slot is None:
                continue
            link_id = self._new_link(INPUTS, len(ends), node.id, node.slots.index(slot), slot.type)
            slot.link = link_id
            end = self._subgraph.new_input(name, slot.type)
            end.link_ids.append(link_id)
            ends.append((end, outer))
        return ends

    def _inner_outputs(self, inner: list[Node]) -> list[SavedOutput]:
        outputs = []
        for at, (place, slot) in enumerate(self._group.outputs):
            output = self._host.outputs[at] if at < len(self._host.outputs) else SavedOutput()
            link_ids = [link_id for link_id in output.links if link_id in self._root.links]
            link_id = self._new_link(inner[place].id, slot, OUTPUTS, at, output.type)
            self._subgraph.outputs.append(SavedEnd(output.name, output.type, [link_id]))
            outputs.append(SavedOutput(output.type, link_ids))
        return outputs
