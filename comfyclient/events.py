"""What arrives while a client listens: one frozen class per websocket message.

A class bears the CamelCase of its wire type and the server's own field names; ``EVENT_TYPES`` maps the one to the
other. The wire is open: whatever a newer server adds to a known message is in ``extra``, and a message that is not
known, or does not fit its class, arrives as ``UnknownEvent`` with its data untouched.

Times are the server's clock in milliseconds since 1970, where the server sends them at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import field, frozen

from comfyclient._lazy import LazyMapping

__all__ = [
    "EVENT_TYPES",
    "LOCAL_TYPES",
    "AssetsSeed",
    "AssetsSeedCancelled",
    "AssetsSeedCompleted",
    "AssetsSeedEnrichComplete",
    "AssetsSeedError",
    "AssetsSeedFastComplete",
    "AssetsSeedPaused",
    "AssetsSeedProgress",
    "AssetsSeedResumed",
    "AssetsSeedStarted",
    "Connected",
    "Disconnected",
    "Event",
    "Executed",
    "Executing",
    "ExecutionCached",
    "ExecutionError",
    "ExecutionInterrupted",
    "ExecutionStart",
    "ExecutionSuccess",
    "FeatureFlags",
    "Logs",
    "NodeProgress",
    "Preview",
    "Progress",
    "ProgressState",
    "ProgressText",
    "ReconnectFailed",
    "Reconnected",
    "SocketImage",
    "Status",
    "UnknownEvent",
]


class Event:
    """Base of all events; subscribing to it means every event."""

    __slots__ = ()
    _type: ClassVar[str] = ""

    @property
    def prompt_id(self) -> str | None:
        """The prompt it belongs to, or ``None``."""
        return None

    @property
    def type(self) -> str:
        """The wire type, such as ``"execution_cached"``, which is the name that ``client.on`` takes."""
        return self._type

    @property
    def supersedes(self) -> tuple[Any, ...] | None:
        """A key that newer events of the same kind share, when only the newest matters to somebody who is behind.

        ``None`` for an event that is never left out.
        """
        return None


@frozen
class Status(Event):
    """The queue's length changed. Sent to every client.

    Attributes:
        status: The server's object, ``{"exec_info": {"queue_remaining": n}}``.
        sid: This socket's client id; in the first message of a connection only.
    """

    _type: ClassVar[str] = "status"
    status: Mapping[str, Any]
    sid: str | None = None
    extra: dict[str, Any] = field(factory=dict)

    @property
    def queue_remaining(self) -> int | None:
        """How many prompts wait or run."""
        exec_info = self.status.get("exec_info")
        remaining = exec_info.get("queue_remaining") if isinstance(exec_info, dict) else None
        return remaining if isinstance(remaining, int) else None


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
        parent_node_id: The node that expanded into this one.
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
        current_inputs: The node's inputs, as the server prints them.
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
    current_inputs: Any = None
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


@frozen
class FeatureFlags(Event):
    """What the server can do; its answer to the client's own announcement.

    Attributes:
        flags: By name, as sent.
    """

    _type: ClassVar[str] = "feature_flags"
    flags: Mapping[str, Any]


@frozen
class Logs(Event):
    """Lines of the server's log, for clients that subscribed to them.

    Attributes:
        entries: Each ``{"t": time, "m": text}``.
        size: The server's terminal, ``{"cols": n, "rows": n}``.
    """

    _type: ClassVar[str] = "logs"
    entries: tuple[Mapping[str, Any], ...]
    size: Mapping[str, Any] | None = None
    extra: dict[str, Any] = field(factory=dict)


@frozen
class AssetsSeed(Event):
    """The server scans its directories for assets; base of the ``assets.seed.*`` events. Sent to every client."""

    roots: tuple[str, ...] | None = None
    phase: str | None = None
    total: int | None = None
    scanned: int | None = None
    created: int | None = None
    skipped: int | None = None
    enriched: int | None = None
    elapsed: float | None = None
    message: str | None = None
    extra: dict[str, Any] = field(factory=dict)


@frozen
class AssetsSeedStarted(AssetsSeed):
    """A scan began."""

    _type: ClassVar[str] = "assets.seed.started"


@frozen
class AssetsSeedProgress(AssetsSeed):
    """A scan goes on."""

    _type: ClassVar[str] = "assets.seed.progress"

    @property
    def supersedes(self) -> tuple[Any, ...]:
        """One scan runs at a time."""
        return (self._type,)


@frozen
class AssetsSeedFastComplete(AssetsSeed):
    """The files are known; their details are not yet."""

    _type: ClassVar[str] = "assets.seed.fast_complete"


@frozen
class AssetsSeedEnrichComplete(AssetsSeed):
    """The details are known."""

    _type: ClassVar[str] = "assets.seed.enrich_complete"


@frozen
class AssetsSeedCompleted(AssetsSeed):
    """A scan ended."""

    _type: ClassVar[str] = "assets.seed.completed"


@frozen
class AssetsSeedCancelled(AssetsSeed):
    """A scan was cancelled."""

    _type: ClassVar[str] = "assets.seed.cancelled"


@frozen
class AssetsSeedPaused(AssetsSeed):
    """A scan was paused."""

    _type: ClassVar[str] = "assets.seed.paused"


@frozen
class AssetsSeedResumed(AssetsSeed):
    """A scan goes on after a pause."""

    _type: ClassVar[str] = "assets.seed.resumed"


@frozen
class AssetsSeedError(AssetsSeed):
    """A scan failed."""

    _type: ClassVar[str] = "assets.seed.error"


@frozen
class Preview(Event):
    """A picture of a node's work so far; a binary frame.

    Attributes:
        media_type: ``"image/jpeg"`` or ``"image/png"``.
        data: The encoded image.
        node: The node's id; known from the run itself where an old server does not send it.
    """

    _type: ClassVar[str] = "preview"
    media_type: str
    data: bytes = field(repr=lambda data: f"<{len(data)} bytes>")
    prompt_id: str | None = None
    node: str | None = None
    display_node_id: str | None = None
    parent_node_id: str | None = None
    real_node_id: str | None = None
    extra: dict[str, Any] = field(factory=dict)

    @property
    def supersedes(self) -> tuple[Any, ...]:
        """Previews of one node."""
        return ("preview", self.prompt_id, self.node)


@frozen
class SocketImage(Event):
    """An image that a SaveImageWebsocket node sent: a result, on the wire the same frame as a preview.

    Attributes:
        media_type: ``"image/png"``.
        data: The encoded image.
        node: The node's id.
    """

    _type: ClassVar[str] = "socket_image"
    prompt_id: str
    node: str
    media_type: str
    data: bytes = field(repr=lambda data: f"<{len(data)} bytes>")


@frozen
class ProgressText(Event):
    """A line of text about a node's work; a binary frame, sent to every client and without a prompt id.

    Attributes:
        prompt_id: Known from the run itself, when it is one of ours.
    """

    _type: ClassVar[str] = "progress_text"
    node: str
    text: str
    prompt_id: str | None = None

    @property
    def supersedes(self) -> tuple[Any, ...]:
        """Texts of one node."""
        return ("progress_text", self.prompt_id, self.node)


@frozen
class Connected(Event):
    """The websocket is open for the first time. Not from the server."""

    _type: ClassVar[str] = "connected"


@frozen
class Disconnected(Event):
    """The websocket is lost; events that the server sends from now on do not arrive. Not from the server.

    Attributes:
        error: What happened.
    """

    _type: ClassVar[str] = "disconnected"
    error: str


@frozen
class Reconnected(Event):
    """The websocket is open again; jobs are brought up to date over HTTP. Not from the server."""

    _type: ClassVar[str] = "reconnected"


@frozen
class ReconnectFailed(Event):
    """An attempt to open the websocket failed; the next one follows. Not from the server.

    Attributes:
        error: What happened.
        retry_in: Seconds until the next attempt, or ``None`` when there will be none.
    """

    _type: ClassVar[str] = "reconnect_failed"
    error: str
    retry_in: float | None = None


@frozen
class UnknownEvent(Event):
    """A message that comfyclient has no class for, or that does not fit its class.

    Attributes:
        type: The wire type; ``"binary.N"`` for a binary frame of kind N; empty when there is none.
        data: The message's data as sent: parsed JSON, text, or bytes.
        error: Why it does not fit, or ``None`` when the type is simply not known.
        prompt_id: Taken from the data when it is there.
    """

    type: str
    data: Any = field(repr=lambda data: f"<{len(data)} bytes>" if isinstance(data, bytes) else repr(data)[:200])
    error: str | None = None

    @property
    def prompt_id(self) -> str | None:
        """The prompt it names, if it names one."""
        value = self.data.get("prompt_id") if isinstance(self.data, dict) else None
        return value if isinstance(value, str) else None


EVENT_TYPES: dict[str, type[Event]] = {
    cls._type: cls
    for cls in (
        Status,
        ExecutionStart,
        ExecutionCached,
        Executing,
        ProgressState,
        Progress,
        Executed,
        ExecutionSuccess,
        ExecutionError,
        ExecutionInterrupted,
        FeatureFlags,
        Logs,
        AssetsSeedStarted,
        AssetsSeedProgress,
        AssetsSeedFastComplete,
        AssetsSeedEnrichComplete,
        AssetsSeedCompleted,
        AssetsSeedCancelled,
        AssetsSeedPaused,
        AssetsSeedResumed,
        AssetsSeedError,
    )
}
"""The classes of JSON messages by their wire types."""

LOCAL_TYPES: dict[str, type[Event]] = {
    cls._type: cls
    for cls in (Preview, SocketImage, ProgressText, Connected, Disconnected, Reconnected, ReconnectFailed)
}
"""The classes of events that no JSON message names, by their names; binary frames and the connection's own."""
