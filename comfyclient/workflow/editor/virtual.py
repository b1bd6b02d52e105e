"""Nodes of custom packs that exist in the editor only, such as those that carry a value under a name.

The save file does not say what such a node does: its pack's script does. A resolver says it here: given the node and
one of its outputs, it names the node and the input from which the value really comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol


class NodeView(Protocol):
    """A node in the graph, as resolvers see it; ``type`` is its class."""

    @property
    def type(self) -> str:
        """Its class."""

    @property
    def title(self) -> str | None:
        """What the user calls it."""

    @property
    def properties(self) -> Mapping[str, Any]:
        """The editor's own notes."""

    @property
    def values(self) -> Any:
        """``widgets_values``, as the save file has it."""

    @property
    def inputs(self) -> list[str]:
        """The names of its inputs."""

    def surroundings(self) -> Iterable[list[NodeView]]:
        """The nodes of its own graph, then those of the graph around it, and so on to the outermost."""


Resolver = Callable[[NodeView, int], "tuple[NodeView, int] | None"]
"""Takes a node and the number of an output; returns a node and the number of the input whose value that output gives.

None if nothing comes out.
"""


def set_node(node: NodeView, _: int) -> tuple[NodeView, int] | None:
    """``SetNode``: what comes in goes out."""
    return node, 0


def get_node(node: NodeView, _: int) -> tuple[NodeView, int] | None:
    """``GetNode``: gives what the ``SetNode`` of the same name takes, the nearest one."""
    name = _name(node)
    for nodes in node.surroundings():
        for other in nodes:
            if other.type == "SetNode" and name and _name(other) == name:
                return other, 0
    return None


def _name(node: NodeView) -> Any:
    return node.values[0] if isinstance(node.values, list) and node.values else None


RESOLVERS: dict[str, Resolver] = {}
"""What is known of nodes by their types beyond those of the pack KJNodes: yours to fill, before files are loaded."""

_PACK = "kjnodes"
_OF_PACK: Mapping[str, Resolver] = {"SetNode": set_node, "GetNode": get_node}


def known(catalog: Mapping[str, Any]) -> Mapping[str, Resolver]:
    """The resolvers for a server: as the editor has a pack's scripts only with the pack, so have we."""
    modules = (entry.get("python_module") for entry in catalog.values() if isinstance(entry, dict))
    has_pack = any(_PACK in module.lower() for module in modules if isinstance(module, str))
    return {**(_OF_PACK if has_pack else {}), **RESOLVERS}
