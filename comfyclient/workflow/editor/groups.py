"""Group nodes, which came before subgraphs: the editor turns each into a subgraph when it opens the file.

It does so by way of a node definition that it makes up of those of the nodes within; what the group node shows, and so
the meaning of its inputs, outputs and ``widgets_values``, follows from that definition. All of its rules are here, the
odd ones too: a choice that the server lists without a type counts as a socket, for instance.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from attrs import define, field, frozen

from comfyclient.errors import WorkflowError
from comfyclient.workflow.editor import faces, primitives, specs
from comfyclient.workflow.editor.saved import SavedNode, read_node

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from comfyclient.workflow.editor.saved import SavedDocument

_PREFIX = "workflow>"
_OLD_PREFIX = "workflow/"
BUILT_IN = frozenset({"PrimitiveNode", "Reroute", "Note", "MarkdownNote"})
"""Types of nodes that the editor brings itself."""


@frozen
class _GroupLink:
    """A link within a group: the places of the two nodes, and their slots."""

    origin: int
    origin_slot: int
    target: int
    target_slot: int
    type: Any = None


@define(eq=False)
class GroupType:
    """A kind of group node.

    Attributes:
        name: Its type.
        nodes: The nodes within.
        links: The links between them.
        external: The outputs that are shown although they are linked within, as (node, slot).
        config: What the user hid or renamed, by the place of the node.
        definition: The node definition that the editor makes up.
        inputs: Which input of the group node leads to which input within: (node, input) to the place.
        widgets: Which widget of the group node is which within: (node, widget) to the name.
        outputs: Which output within each output of the group node is.
    """

    name: str
    nodes: list[SavedNode]
    links: list[_GroupLink]
    external: set[tuple[int, int]]
    config: dict[str, Any]
    definition: dict[str, Any] = field(factory=dict)
    inputs: dict[tuple[int, str], int] = field(factory=dict)
    widgets: dict[tuple[int, str], str] = field(factory=dict)
    outputs: list[tuple[int, int]] = field(factory=list)


def definitions(document: SavedDocument, catalog: Mapping[str, Any]) -> dict[str, GroupType]:
    """The kinds of group nodes of a file; those with nodes that the catalogue does not have are no kinds.

    Nodes of the root are renamed in passing, from ``workflow/name`` to ``workflow>name``.
    """
    if document.groups:
        for node in document.root.nodes:
            if node.type.startswith(_OLD_PREFIX):
                node.type = _PREFIX + node.type.removeprefix(_OLD_PREFIX)
    known = {}
    for name, data in document.groups.items():
        group = _read(name, data)
        if all(node.type in catalog or node.type in BUILT_IN for node in group.nodes):
            _Definer(group, catalog).run()
            known[group.name] = group
    return known


def _read(name: str, data: Any) -> GroupType:
    what = f"the group node {name}"
    if not isinstance(data, dict) or not isinstance(data.get("nodes"), list):
        raise WorkflowError(f"{what} has no list of nodes")
    entries = [
        {**entry, "id": place} if isinstance(entry, dict) else entry for place, entry in enumerate(data["nodes"])
    ]
    config = data.get("config")
    return GroupType(
        name=_PREFIX + name,
        nodes=[read_node(entry, what) for entry in entries],
        links=list(_links(data.get("links"))),
        external={(entry[0], entry[1]) for entry in _pairs(data.get("external"))},
        config=config if isinstance(config, dict) else {},
    )


def _links(links: Any) -> Iterator[_GroupLink]:
    for link in links if isinstance(links, list) else ():
        match link:
            case [int(origin), int(origin_slot), int(target), int(target_slot), *more]:
                kind = more[1] if len(more) > 1 else None
                yield _GroupLink(origin, origin_slot, target, target_slot, kind)


def _pairs(entries: Any) -> Iterator[tuple[int, int]]:
    for entry in entries if isinstance(entries, list) else ():
        match entry:
            case [int(node), int(slot), kind, *_] if kind is not None:
                yield node, slot


class _Definer:
    """Makes the definition of a group node up."""

    def __init__(self, group: GroupType, catalog: Mapping[str, Any]) -> None:
        self._group = group
        self._catalog = catalog
        self._seen: dict[str, int] = {}
        self._seen_outputs: set[str] = set()
        self._required: dict[str, Any] = {}
        self._output: list[Any] = []
        self._incoming = {(link.target, link.target_slot): link for link in group.links}
        self._inputs = 0
        self._primitive_specs: dict[int, list[Any]] = {}

    def run(self) -> None:
        later = []
        for place, node in enumerate(self._group.nodes):
            definition = self._definition(place, node)
            if definition is not None:
                later.append((place, node, *self._add_inputs(place, node, definition)))
                self._add_outputs(place, definition)
        for place, node, inputs, slots, converted in later:
            self._add_converted(place, node, inputs, len(slots), converted)
        self._group.definition = {
            "name": self._group.name,
            "display_name": self._group.name.removeprefix(_PREFIX),
            "input": {"required": self._required},
            "output": self._output,
        }

    def _definition(self, place: int, node: SavedNode) -> Mapping[str, Any] | None:
        found = self._catalog.get(node.type)
        if isinstance(found, dict):
            return found
        leaving = [link for link in self._group.links if (link.origin, link.origin_slot) == (place, 0)]
        if node.type == primitives.TYPE and leaving:
            raw = self._primitive_specs[place] = [self._primitive_type(leaving[0]), {}]
            return {"input": {"required": {"value": raw}}, "output": [raw[0]]}
        if node.type == "Reroute":
            arriving = self._incoming.get((place, 0))
            if arriving is not None and leaving and (place, 0) not in self._group.external:
                return None
            kind = self._reroute_type(leaving, arriving)
            return {"input": {"required": {kind: [kind, {"forceInput": True}]}}, "output": [kind]}
        return None

    def _primitive_type(self, link: _GroupLink) -> Any:
        if link.type != "COMBO" or not 0 <= link.target < len(self._group.nodes):
            return link.type
        target = self._group.nodes[link.target]
        inputs = {entry.name: entry for entry in specs.specs(target.type, self._catalog.get(target.type) or {})}
        slot = target.inputs[link.target_slot] if link.target_slot < len(target.inputs) else None
        entry = inputs.get(slot.name) if slot is not None else None
        return entry.type if entry is not None else None

    def _reroute_type(self, leaving: list[_GroupLink], arriving: _GroupLink | None) -> str:
        nodes = self._group.nodes
        for link in leaving:
            inputs = nodes[link.target].inputs if link.target < len(nodes) else []
            if link.target_slot < len(inputs) and inputs[link.target_slot].type:
                return str(inputs[link.target_slot].type)
        if not leaving and arriving is not None and arriving.origin < len(nodes):
            outputs = nodes[arriving.origin].outputs
            if arriving.origin_slot < len(outputs):
                return str(outputs[arriving.origin_slot].type or "*")
        return "*"

    def _add_inputs(
        self, place: int, node: SavedNode, definition: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[str], dict[int, str]]:
        inputs = {name: raw for name, raw, _ in specs.grouped(definition.get("input"))}
        for extra in specs.specs(node.type, definition):
            inputs.setdefault(extra.name, [extra.type, extra.options])
        slots: list[str] = []
        converted: dict[int, str] = {}
        for name, raw in inputs.items():
            is_typed = isinstance(raw, list) and bool(raw) and isinstance(raw[0], str)
            if not is_typed or not faces.is_widget(specs.spec(name, raw)):
                slots.append(name)
                continue
            at = next((at for at, slot in enumerate(node.inputs) if slot.name == slot.widget == name), None)
            if at is not None:
                converted[at] = name
                continue
            shown, raw_shown, _ = self._named(place, node, name, raw)
            self._required[shown] = raw_shown
            self._group.widgets[place, name] = shown
        for at, name in enumerate(slots):
            if (place, at) in self._incoming:
                self._join_primitive(self._incoming[place, at], inputs[name])
                continue
            shown, raw_shown, config = self._named(place, node, name, inputs[name])
            if config.get("visible") is False:
                continue
            self._required[shown] = raw_shown
            self._group.inputs[place, name] = self._inputs
            self._inputs += 1
        return inputs, slots, converted

    def _add_converted(
        self, place: int, node: SavedNode, inputs: dict[str, Any], slot_count: int, converted: dict[int, str]
    ) -> None:
        """Inputs that were widgets come after all others."""
        for at, key in enumerate(sorted(converted, key=str)):  # sorted as texts, as the editor's language does
            name = converted[key]
            if (place, slot_count + at) in self._incoming:
                self._join_primitive(self._incoming[place, slot_count + at], inputs[name])
                continue
            shown, raw_shown, _ = self._named(place, node, name, inputs[name], {"defaultInput": True})
            self._required[shown] = raw_shown
            self._group.widgets[place, name] = shown
            self._group.inputs[place, name] = self._inputs
            self._inputs += 1

    def _join_primitive(self, link: _GroupLink, raw: Any) -> None:
        """A primitive's widget is described as that of its target."""
        own = self._primitive_specs.get(link.origin)
        if own is None:
            return
        options = dict(raw[1]) if isinstance(raw, list) and len(raw) > 1 and isinstance(raw[1], dict) else {}
        shown = self._group.widgets.get((link.origin, "value"))
        if shown is not None:
            options["control_after_generate"] = True
            options["control_prefix"] = shown[: -len(" value")]
        own[1] = options
        if shown is not None:
            self._required[shown] = [own[0], options]

    def _named(
        self, place: int, node: SavedNode, name: str, raw: Any, extra: dict[str, Any] | None = None
    ) -> tuple[str, Any, dict[str, Any]]:
        config = self._configured(place, "input", name)
        label = next((slot.label for slot in node.inputs if slot.name == name and slot.label is not None), None)
        shown = key = str(config["name"] if config.get("name") is not None else name if label is None else label)
        prefix = ""
        if (node.type == primitives.TYPE and node.title) or shown in self._seen:
            prefix = f"{node.title if node.title is not None else node.type} "
            shown = key = prefix + name
            if shown in self._seen:
                shown = f"{prefix}{self._seen[shown]} {name}"
        self._seen[key] = self._seen.get(key, 1) + 1
        more = dict(extra or {})
        if name in {"seed", "noise_seed"}:
            more["control_after_generate"] = f"{prefix}control_after_generate"
        if more and isinstance(raw, list) and raw:
            raw = [raw[0], {**(raw[1] if len(raw) > 1 and isinstance(raw[1], dict) else {}), **more}]
        return shown, copy.deepcopy(raw), config

    def _configured(self, place: int, group: str, key: str) -> dict[str, Any]:
        found: Any = self._group.config
        for step in (str(place), group, key):
            found = found.get(step) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    def _add_outputs(self, place: int, definition: Mapping[str, Any]) -> None:
        for slot, kind in enumerate(definition.get("output") or ()):
            leaves = any((link.origin, link.origin_slot) == (place, slot) for link in self._group.links)
            visible = self._configured(place, "output", str(slot)).get("visible")
            if visible is None:
                visible = not leaves or (place, slot) in self._group.external
            if visible:
                self._group.outputs.append((place, slot))
                self._output.append(kind)
