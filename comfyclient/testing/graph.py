"""The graph while it runs: its nodes, those they expanded into, and which of them may run next."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    NodeClass: TypeAlias = type[Any]
    Node: TypeAlias = dict[str, Any]


def is_link(value: Any) -> bool:
    """Whether it is an output of another node, as ``[id, slot]``."""
    match value:
        case [str(), int() | float()]:
            return isinstance(value, list)
    return False


def is_output(node_class: NodeClass) -> bool:
    """Whether it is an output node."""
    return bool(getattr(node_class, "OUTPUT_NODE", False))


def input_types(node_class: NodeClass) -> dict[str, dict[str, Any]]:
    """What it declares."""
    types: dict[str, dict[str, Any]] = node_class.INPUT_TYPES()
    return types


def input_spec(types: dict[str, dict[str, Any]], name: str) -> tuple[Any, str | None, dict[str, Any]]:
    """An input's type (or list of choices), its category and its options; no category if it is not declared."""
    for category in ("required", "optional", "hidden"):
        if name in types.get(category, {}):
            declared = types[category][name]
            return declared[0], category, declared[1] if len(declared) > 1 else {}
    return None, None, {}


class Blocked:
    """Returned in the place of an output: whatever depends on it does not run.

    Args:
        message: Shown as an error that does not end the prompt; without one, all is silent.
    """

    def __init__(self, message: str | None = None) -> None:
        self.message = message


class Expanded:
    """A node that another one turns into.

    Attributes:
        id: What it is called in the graph.
    """

    def __init__(self, node_id: str, class_type: str, inputs: dict[str, Any]) -> None:
        self.id = node_id
        self._class_type = class_type
        self._inputs = inputs

    def out(self, slot: int = 0) -> list[Any]:
        """A link to one of its outputs."""
        return [self.id, slot]

    def set_input(self, name: str, value: Any) -> None:
        """Give it an input, or take it away with None."""
        if value is None:
            self._inputs.pop(name, None)
        else:
            self._inputs[name] = value

    def as_dict(self) -> Node:
        """As in the API format."""
        return {"class_type": self._class_type, "inputs": self._inputs}


class Expansion:
    """Builds the nodes that a node turns into, as ComfyUI's GraphBuilder does; ``context.expansion()`` makes one.

    Return ``{"result": (…,), "expand": expansion.finalize()}`` from the node.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._nodes: list[Expanded] = []

    def node(self, class_type: str, **inputs: Any) -> Expanded:
        """Add a node; an input of another node is what that node's ``out`` gives."""
        node = Expanded(f"{self._prefix}{len(self._nodes) + 1}", class_type, inputs)
        self._nodes.append(node)
        return node

    def finalize(self) -> dict[str, Node]:
        """The nodes in the API format."""
        return {node.id: node.as_dict() for node in self._nodes}


class Graph:
    """A prompt, and the nodes that were added to it while it ran."""

    def __init__(self, prompt: dict[str, Node]) -> None:
        self.prompt = prompt
        self._added: dict[str, Node] = {}
        self._parents: dict[str, str] = {}
        self._display: dict[str, str] = {}

    def __contains__(self, node_id: str) -> bool:
        return node_id in self.prompt or node_id in self._added

    def __getitem__(self, node_id: str) -> Node:
        return self._added[node_id] if node_id in self._added else self.prompt[node_id]

    def get_node(self, node_id: str) -> Node:
        """One of them; nodes in ComfyUI's own form that ask for ``DYNPROMPT`` know it by this name."""
        return self[node_id]

    def has_node(self, node_id: str) -> bool:
        """Whether there is such a one; likewise."""
        return node_id in self

    def get_original_prompt(self) -> dict[str, Node]:
        """The prompt as it was when it began; likewise."""
        return self.prompt

    def ids(self) -> list[str]:
        """All of them."""
        return [*self.prompt, *self._added]

    def add(self, node_id: str, node: Node, parent: str) -> None:
        """A node that another expanded into."""
        self._added[node_id] = node
        self._parents[node_id] = parent
        self._display[node_id] = node.get("override_display_id", parent)

    def parent(self, node_id: str) -> str | None:
        """The node that expanded into this one."""
        return self._parents.get(node_id)

    def real(self, node_id: str) -> str:
        """The node of the prompt that this one comes from."""
        while node_id in self._parents:
            node_id = self._parents[node_id]
        return node_id

    def display(self, node_id: str) -> str:
        """The node that an editor lights up for it."""
        while node_id in self._display:
            node_id = self._display[node_id]
        return node_id

    def identity(self, node_id: str) -> dict[str, str | None]:
        """Who it is, as in the metadata of progress and previews."""
        return {
            "display_node_id": self.display(node_id),
            "parent_node_id": self.parent(node_id),
            "real_node_id": self.real(node_id),
        }


class Agenda:
    """The nodes that have still to run.

    Args:
        graph: Where they are.
        classes: The node classes by name.
        is_cached: Whether a node's outputs are there already.
    """

    def __init__(self, graph: Graph, classes: Mapping[str, NodeClass], is_cached: Callable[[str], bool]) -> None:
        self._graph = graph
        self._classes = classes
        self._is_cached = is_cached
        self._waits_for: dict[str, set[str]] = {}
        self._busy: set[str] = set()
        self._freed = asyncio.Event()

    def __bool__(self) -> bool:
        return bool(self._waits_for)

    def add(self, node_id: str) -> None:
        """A node, and all that it depends on and that is not cached."""
        found = [node_id]
        while found:
            node_id = found.pop()
            if node_id in self._waits_for:
                continue
            blockers = self._waits_for[node_id] = set()
            node = self._graph[node_id]
            types = input_types(self._classes[node["class_type"]])
            for name, value in node["inputs"].items():
                if is_link(value) and not input_spec(types, name)[2].get("lazy") and not self._is_cached(value[0]):
                    found.append(value[0])
                    blockers.add(value[0])

    def depend(self, node_id: str, on: str) -> None:
        """Let a node wait for another one too."""
        if not self._is_cached(on):
            self.add(on)
            self._waits_for[node_id].add(on)

    def hold(self, node_id: str) -> Callable[[], None]:
        """Let it not run until the returned function is called."""
        self._busy.add(node_id)

        def free() -> None:
            self._busy.discard(node_id)
            self._freed.set()

        return free

    def finished(self, node_id: str) -> None:
        """It need not run any more."""
        del self._waits_for[node_id]
        for blockers in self._waits_for.values():
            blockers.discard(node_id)

    async def next(self) -> str | None:
        """The node to run now; None if all of them wait for each other."""
        while not (ready := self._ready()):
            if not self._busy:
                return None
            await self._freed.wait()
            self._freed.clear()
        return self._preferred(ready)

    def culprit(self) -> str:
        """The node to blame for a cycle: the first in it that an expansion brought, as it is displayed."""
        left = {node_id: set(blockers) for node_id, blockers in self._waits_for.items()}
        while free := [node_id for node_id, blockers in left.items() if not blockers]:
            for node_id in free:
                del left[node_id]
            for blockers in left.values():
                blockers.difference_update(free)
        for node_id in left:
            if self._graph.display(node_id) != node_id:
                return self._graph.display(node_id)
        return next(iter(left))

    def _ready(self) -> list[str]:
        return [node_id for node_id, blockers in self._waits_for.items() if not blockers and node_id not in self._busy]

    def _preferred(self, ready: list[str]) -> str:
        """Outputs and async nodes first, then what an output waits for, near or far: so ComfyUI shows results soon."""
        for node_id in ready:
            if self._is_output(node_id) or self._is_async(node_id):
                return node_id
        for node_id in ready:
            if any(map(self._is_output, self._waiting_for(node_id))):
                return node_id
        for node_id in ready:
            for behind in self._waiting_for(node_id):
                if any(map(self._is_output, self._waiting_for(behind))):
                    return node_id
        return ready[0]

    def _waiting_for(self, node_id: str) -> list[str]:
        return [other for other, blockers in self._waits_for.items() if node_id in blockers]

    def _class(self, node_id: str) -> NodeClass:
        return self._classes[self._graph[node_id]["class_type"]]

    def _is_output(self, node_id: str) -> bool:
        return is_output(self._class(node_id))

    def _is_async(self, node_id: str) -> bool:
        node_class = self._class(node_id)
        return inspect.iscoroutinefunction(getattr(node_class, node_class.FUNCTION))
