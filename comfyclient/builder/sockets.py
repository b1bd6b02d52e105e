"""What a node in a graph that is being built gives: its outputs, to be linked to inputs of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfyclient.builder.spelling import distinct
from comfyclient.errors import node_label
from comfyclient.workflow.judging import type_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from comfyclient.workflow.node import Node

__all__ = ["Outputs", "Socket", "Unchecked"]

RESERVED = frozenset({"node", "count", "index"})
"""What an attribute of ``Outputs`` is already."""


class Socket:
    """An output of a node. Give it as the input of another.

    Attributes:
        node: The node, to look at and edit: ``latent.node.title = "Base"``.
        slot: Which of its outputs it is, from 0.
        io_type: Its type, such as ``"MODEL"``; ``"*"`` where nobody knows.
        name: Its name.
    """

    __slots__ = ("_kind", "name", "node", "slot")

    def __init__(self, node: Node, slot: int, kind: Any, name: str = "") -> None:
        self.node = node
        self.slot = slot
        self.name = name
        self._kind = kind

    @property
    def io_type(self) -> str:
        """Its type, such as ``"MODEL"``."""
        return self._kind if isinstance(self._kind, str) else "COMBO"

    def __repr__(self) -> str:
        return f"<Socket {type_name(self._kind)}: output {self.slot} of node {label(self.node)}>"


class Outputs(tuple[Socket, ...]):
    """The outputs of a node that has several: a tuple to unpack, and each of them by its name.

    ``model, clip, vae = g.CheckpointLoaderSimple(...)``, or ``loader = g.CheckpointLoaderSimple(...)`` and then
    ``loader.VAE``. Of two of the same name, the second is ``GLB_2``.
    """

    __slots__ = ()

    @property
    def node(self) -> Node:
        """The node, to look at and edit."""
        return self[0].node

    def __getattr__(self, name: str) -> Socket:
        words = names_of(self)
        if name in words:
            return self[words.index(name)]
        raise AttributeError(f"node {label(self.node)} has no output {name!r}; it has {', '.join(words)}")

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *names_of(self)]

    def __repr__(self) -> str:
        return f"<Outputs of node {label(self.node)}: {', '.join(names_of(self))}>"


class Unchecked:
    """A node that was added as it is; its outputs by number, from 0, however many there are.

    Attributes:
        node: The node, to look at and edit.
    """

    __slots__ = ("_kinds", "node")

    def __init__(self, node: Node, kinds: list[Any]) -> None:
        self.node = node
        self._kinds = kinds

    def __getitem__(self, slot: int) -> Socket:
        return Socket(self.node, slot, self._kinds[slot] if 0 <= slot < len(self._kinds) else "*")

    __iter__ = None  # it has no end

    def __repr__(self) -> str:
        return f"<Unchecked node {label(self.node)}>"


def names_of(outputs: Iterable[Socket]) -> list[str]:
    """How each of a node's outputs is written as an attribute."""
    return distinct([output.name for output in outputs], taken=RESERVED)


def label(node: Node) -> str:
    """How messages name a node."""
    return node_label(node.id, node.title, node.class_type)
