"""``client.nodes``: the classes of nodes that the server has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfyclient._http import path_segment
from comfyclient._lazy import LazyMapping
from comfyclient.resources._answers import build, get
from comfyclient.types.nodes import NodeInfo

if TYPE_CHECKING:
    import builtins
    from collections.abc import Mapping

    from comfyclient._http import Transport

__all__ = ["Nodes"]


class Nodes:
    """The server's nodes. Lists of files among their choices are those of the moment.

    Everything here runs in the caller's thread. Besides what its own text says, every method raises
    ``ServerUnreachable`` without a connection, ``RequestTimeout`` without an answer in time, ``ServerError``
    when the server refuses, and ``DecodeError`` for an answer that is not ComfyUI's.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, class_type: str) -> NodeInfo | None:
        """Return a class of nodes, or ``None`` if the server lacks it (``GET /object_info/{class}``).

        Raises:
            ServerError: 500 when the node cannot describe itself.
            ValueError: The name is empty.
        """
        path = f"/object_info/{path_segment(class_type)}"
        return get(self._transport, path, dict[str, NodeInfo]).get(class_type)

    def list(self) -> Mapping[str, NodeInfo]:
        """Return all classes of nodes, by name (``GET /object_info``).

        The answer has megabytes and keeps the server from other work while it is made: keep it, or use
        ``get``. It is parsed at once, while each node is built when it is looked at; only then can
        ``DecodeError`` arise for it. A node that cannot describe itself is missing.
        """
        url = self._transport.url("/object_info")
        one_each = {name: {name: entry} for name, entry in self._all().items()}  # so that errors name the node
        return LazyMapping(one_each, lambda one: build(one, dict[str, NodeInfo], url).popitem()[1])

    def names(self) -> builtins.list[str]:
        """Return the names of all classes of nodes. As expensive as ``list`` (``GET /object_info``)."""
        return [*self._all()]

    def _all(self) -> dict[str, Any]:
        return get(self._transport, "/object_info", dict[str, Any])
