"""What ``client.history`` returns."""

from collections.abc import Iterator
from typing import Any

from attrs import field, frozen

from comfyclient.types.queue import QueueItem

__all__ = ["HistoryEntry", "HistoryStatus"]


@frozen
class HistoryStatus:
    """How a prompt ended, in the server's words; ``HistoryEntry`` reads them.

    Attributes:
        status_str: ``"success"`` or ``"error"``; an interrupted prompt is an error, and a cycle that shows
            only at run time is a success.
        completed: Whether the server got to the prompt's end.
        messages: The events of the run, each ``[type, data]``. Not in the ``repr``: an error holds the node's
            inputs.
        extra: What else the server said.
    """

    status_str: str
    completed: bool = False
    messages: list[Any] = field(factory=list, repr=False)
    extra: dict[str, Any] = field(factory=dict)


@frozen
class HistoryEntry:
    """A prompt that has ended.

    Attributes:
        prompt: What ran.
        outputs: What the nodes left behind, by node id: lists by name, such as ``{"images": [{"filename":
            ...}]}``. Nodes inside of an expanded subgraph have ids of the server's making; see ``meta``.
        status: How it ended, or ``None`` on servers too old to say.
        meta: By the ids of ``outputs``: the node of the workflow that each stands for (``display_node``), and
            the like.
        extra: What else the server said.
    """

    prompt: QueueItem
    outputs: dict[str, Any] = field(factory=dict)
    status: HistoryStatus | None = None
    meta: dict[str, Any] = field(factory=dict)
    extra: dict[str, Any] = field(factory=dict)

    @property
    def messages(self) -> list[tuple[str, Any]]:
        """The events of the run that the server noted, as type and data, in order."""
        return list(self._messages())

    def _messages(self) -> Iterator[tuple[str, Any]]:
        for message in self.status.messages if self.status else ():
            match message:
                case [str() as kind, data]:
                    yield kind, data

    def message(self, kind: str) -> dict[str, Any] | None:
        """The data of the last event of a type, such as ``"execution_cached"``, or ``None``."""
        found = [data for name, data in self._messages() if name == kind and isinstance(data, dict)]
        return found[-1] if found else None

    @property
    def cached_nodes(self) -> tuple[str, ...]:
        """The nodes that did not run, since the server still had their outputs."""
        nodes = (self.message("execution_cached") or {}).get("nodes")
        return tuple(node for node in nodes if isinstance(node, str)) if isinstance(nodes, list) else ()

    @property
    def display_nodes(self) -> dict[str, str]:
        """By the ids of ``outputs``: the node of the workflow that each stands for, where the server says so."""
        shown = {node: meta.get("display_node") for node, meta in self.meta.items() if isinstance(meta, dict)}
        return {node: display for node, display in shown.items() if isinstance(display, str)}

    @property
    def error(self) -> dict[str, Any] | None:
        """The ``execution_error`` that ended the run, with node and traceback; ``None`` if no node failed."""
        return self.message("execution_error")

    @property
    def interrupted(self) -> bool:
        """Whether somebody stopped it."""
        return any(kind == "execution_interrupted" for kind, _ in self._messages())

    @property
    def succeeded(self) -> bool:
        """Whether it ran to its end. Servers too old for a status are believed if there are outputs."""
        if self.status is None:
            return bool(self.outputs)
        failures = {"execution_error", "execution_interrupted"}
        return self.status.status_str == "success" and not any(kind in failures for kind, _ in self._messages())
