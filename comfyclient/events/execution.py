"""The course of a prompt: what its submitter is sent while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import field, frozen

from comfyclient._lazy import LazyMapping
from comfyclient.events.event import Event


@frozen
class ExecutionStart(Event):
    """A prompt begins to run."""

    _type: ClassVar[str] = "execution_start"
    prompt_id: str
    timestamp: int | None = None
    extra: dict[str, Any] = field(factory=dict)


@frozen
class ExecutionCached(Event):
    """Which nodes need not run, since their outputs are in the server's cache. Sent with an empty list, too."""

    _type: ClassVar[str] = "execution_cached"
    prompt_id: str
    nodes: tuple[str, ...]
    timestamp: int | None = None
    extra: dict[str, Any] = field(factory=dict)


@frozen
class Executing(Event):
    """A node begins to run; with ``node=None`` the prompt has ended and its history is written.

    Attributes:
        node: The node's id; inside an expanded subgraph an id of the server's making.
        display_node: The node of the workflow that stands for it.
        prompt_id: ``None`` in the message that greets a socket which comes back in the middle of a run.
    """

    _type: ClassVar[str] = "executing"
    node: str | None
    display_node: str | None = None
    prompt_id: str | None = None
    extra: dict[str, Any] = field(factory=dict)


@frozen
class NodeProgress:
    """How far one node is, as part of ``ProgressState``.

    Attributes:
        value: Steps done.
        max: Steps in all.
        state: ``"running"`` or ``"finished"``.
        node_id: The node, as the server runs it.
        prompt_id: The prompt that it belongs to.
        display_node_id: The node of the workflow that it is shown as.
        parent_node_id: The node that expanded into this one.
        real_node_id: The node that it is a part of.
        extra: What else the server said, and what does not fit.
    """

    value: float = 0.0
    max: float = 1.0
    state: str | None = None
    node_id: str | None = None
    prompt_id: str | None = None
    display_node_id: str | None = None
    parent_node_id: str | None = None
    real_node_id: str | None = None
    extra: dict[str, Any] = field(factory=dict)

    @classmethod
    def read(cls, raw: Any) -> NodeProgress:
        """Read the server's object. Total: what does not fit stays in ``extra``, and the field keeps its default."""
        if not isinstance(raw, dict):
            return cls(extra={"": raw})
        known: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for key, value in raw.items():
            if key in {"value", "max"}:
                fits = isinstance(value, (int, float)) and not isinstance(value, bool)
            else:
                fits = key in _NODE_PROGRESS_TEXTS and (value is None or isinstance(value, str))
            (known if fits else extra)[key] = value
        return cls(**known, extra=extra)


_NODE_PROGRESS_TEXTS = frozenset(
    {
        "state",
        "node_id",
        "prompt_id",
        "display_node_id",
        "parent_node_id",
        "real_node_id",
    }
)


def _read_nodes(raw: Mapping[str, Any]) -> Mapping[str, NodeProgress]:
    return LazyMapping(raw, NodeProgress.read)


@frozen
class ProgressState(Event):
    """A snapshot of every node that runs or has run.

    Attributes:
        nodes: By node id; each is decoded when it is looked at.
    """

    _type: ClassVar[str] = "progress_state"
    prompt_id: str
    nodes: Mapping[str, NodeProgress] = field(converter=_read_nodes)
    extra: dict[str, Any] = field(factory=dict)

    @property
    def supersedes(self) -> tuple[Any, ...]:
        """Each snapshot holds all that the one before it did."""
        return ("progress_state", self.prompt_id)


@frozen
class Progress(Event):
    """A node has done ``value`` of ``max`` steps. ComfyUI sends ten a second at most."""

    _type: ClassVar[str] = "progress"
    value: float
    max: float
    prompt_id: str | None = None
    node: str | None = None
    extra: dict[str, Any] = field(factory=dict)

    @property
    def supersedes(self) -> tuple[Any, ...]:
        """Progress of one node."""
        return ("progress", self.prompt_id, self.node)


@frozen
class Executed(Event):
    """A node has left something to see.

    Attributes:
        output: The node's ui output, by key; ``None`` from a cached output node that had none.
    """

    _type: ClassVar[str] = "executed"
    prompt_id: str
    node: str
    output: Mapping[str, Any] | None = None
    display_node: str | None = None
    extra: dict[str, Any] = field(factory=dict)


@frozen
class ExecutionSuccess(Event):
    """All nodes have run. The history is written a moment later: before ``Executing(node=None)``."""

    _type: ClassVar[str] = "execution_success"
    prompt_id: str
    timestamp: int | None = None
    extra: dict[str, Any] = field(factory=dict)


@frozen
class ExecutionError(Event):
    """A node raised, or (``exception_type == "ExecutionBlocked"``) was blocked on purpose, which ends nothing.

    Attributes:
        executed: The nodes that have run.
        traceback: The server's traceback, one string per frame.
        current_inputs: The node's inputs, as the server prints them. Not in the ``repr``: they may hold a key.
        current_outputs: The nodes with outputs; a dict on servers of 2024.
    """

    _type: ClassVar[str] = "execution_error"
    prompt_id: str
    node_id: str
    node_type: str = ""
    exception_message: str = ""
    exception_type: str = ""
    traceback: tuple[str, ...] = ()
    executed: tuple[str, ...] = ()
    current_inputs: Any = field(default=None, repr=False)
    current_outputs: Any = None
    timestamp: int | None = None
    extra: dict[str, Any] = field(factory=dict)

    @property
    def blocked(self) -> bool:
        """Whether a node was only blocked, on purpose; the run goes on."""
        return self.exception_type == "ExecutionBlocked"


@frozen
class ExecutionInterrupted(Event):
    """Somebody stopped the prompt.

    Attributes:
        node_id: The node that was to run next.
        executed: The nodes that have run.
    """

    _type: ClassVar[str] = "execution_interrupted"
    prompt_id: str
    node_id: str | None = None
    node_type: str | None = None
    executed: tuple[str, ...] = ()
    timestamp: int | None = None
    extra: dict[str, Any] = field(factory=dict)
