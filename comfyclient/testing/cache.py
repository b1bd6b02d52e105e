"""The outputs of earlier runs, found again by what went into them."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from comfyclient.testing.graph import Graph, input_types, is_link

if TYPE_CHECKING:
    from collections.abc import Hashable

    from comfyclient.testing.graph import NodeClass


class Entry(NamedTuple):
    """What a node gave: its outputs, each a list, and what it showed."""

    outputs: list[Any]
    ui: dict[str, Any] | None


class Keys:
    """The keys of one prompt's nodes.

    A node's key is made of its class, its inputs and those of all that it depends on, not of its id.
    """

    def __init__(
        self, graph: Graph, classes: Mapping[str, NodeClass], is_changed: Callable[[str], Awaitable[Any]]
    ) -> None:
        self._graph = graph
        self._classes = classes
        self._is_changed = is_changed
        self._keys: dict[str, Hashable] = {}

    def __getitem__(self, node_id: str) -> Hashable:
        return self._keys[node_id]

    def __contains__(self, node_id: str) -> bool:
        return node_id in self._keys

    def used(self) -> set[Hashable]:
        """All of them."""
        return set(self._keys.values())

    async def add(self, node_ids: Sequence[str]) -> None:
        """Make the keys of these nodes."""
        for node_id in node_ids:
            if node_id not in self._keys:
                places = self._ancestors(node_id)
                signature = [await self._signature(each, places) for each in (node_id, *places)]
                # What a node expands into is cached apart, as long as that node is there.
                self._keys[node_id] = (self._graph.parent(node_id), hashable(signature))

    def _ancestors(self, node_id: str) -> dict[str, int]:
        """All that it depends on, numbered in an order that follows from the names of inputs alone."""
        places: dict[str, int] = {}

        def visit(visited: str) -> None:
            if visited not in self._graph:
                return
            inputs = self._graph[visited]["inputs"]
            for name in sorted(inputs):
                if is_link(inputs[name]) and inputs[name][0] not in places:
                    places[inputs[name][0]] = len(places)
                    visit(inputs[name][0])

        visit(node_id)
        return places

    async def _signature(self, node_id: str, places: dict[str, int]) -> list[Any]:
        if node_id not in self._graph:
            return [object()]  # like nothing else, so never found again
        node = self._graph[node_id]
        node_class = self._classes[node["class_type"]]
        signature = [node["class_type"], await self._is_changed(node_id)]
        hidden = input_types(node_class).get("hidden", {}).values()
        if getattr(node_class, "NOT_IDEMPOTENT", False) or "UNIQUE_ID" in hidden:
            signature.append(node_id)
        for name, value in sorted(node["inputs"].items()):
            link = is_link(value)
            signature.append((name, ("link", places[value[0]], value[1]) if link else value))
        return signature


def hashable(value: Any) -> Hashable:
    """The same value as something that can be a key; what cannot is like nothing else."""
    if isinstance(value, int | float | str | bytes | None):
        return value
    if isinstance(value, Mapping):
        return frozenset((hashable(key), hashable(each)) for key, each in value.items())
    if isinstance(value, Sequence):
        return frozenset(zip(itertools.count(), map(hashable, value), strict=False))
    return object()


class Cache:
    """What is kept between prompts: of the last one, as ComfyUI keeps it when memory is short."""

    def __init__(self) -> None:
        self._entries: dict[Hashable, Entry] = {}
        self._objects: dict[tuple[str, str], Any] = {}
        self._keys: Keys | Mapping[str, Hashable] = {}

    async def begin(self, keys: Keys, prompt: dict[str, Any]) -> None:
        """Forget whatever is of no use for this prompt."""
        await keys.add(list(prompt))
        self._keys = keys
        used = keys.used()
        self._entries = {key: entry for key, entry in self._entries.items() if key in used or _parent(key) in prompt}
        self._objects = {
            key: each
            for key, each in self._objects.items()
            if key[0] in prompt and prompt[key[0]]["class_type"] == key[1]
        }

    def get(self, node_id: str) -> Entry | None:
        """What a node of this prompt gave, if that is known."""
        return self._entries.get(self._keys[node_id]) if node_id in self._keys else None

    def set(self, node_id: str, entry: Entry) -> None:
        """What it gave."""
        self._entries[self._keys[node_id]] = entry

    def instance(self, node_id: str, class_type: str, node_class: NodeClass) -> Any:
        """The object of a node, the same one in every prompt that has it."""
        key = (node_id, class_type)
        if key not in self._objects:
            self._objects[key] = node_class()
        return self._objects[key]


def _parent(key: Any) -> str | None:
    parent: str | None = key[0]
    return parent
