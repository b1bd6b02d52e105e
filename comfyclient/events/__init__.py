"""What arrives while a client listens: one frozen class per websocket message.

A class bears the CamelCase of its wire type and the server's own field names; ``EVENT_TYPES`` maps the one to the
other. The wire is open: whatever a newer server adds to a known message is in ``extra``, and a message that is not
known, or does not fit its class, arrives as ``UnknownEvent`` with its data untouched.

Times are the server's clock in milliseconds since 1970, where the server sends them at all.
"""

from comfyclient.events.binary import (
    Preview,
    ProgressText,
    SocketImage,
)
from comfyclient.events.connection import (
    Connected,
    Disconnected,
    Reconnected,
    ReconnectFailed,
)
from comfyclient.events.event import (
    Event,
    UnknownEvent,
)
from comfyclient.events.execution import (
    Executed,
    Executing,
    ExecutionCached,
    ExecutionError,
    ExecutionInterrupted,
    ExecutionStart,
    ExecutionSuccess,
    NodeProgress,
    Progress,
    ProgressState,
)
from comfyclient.events.server import (
    AssetsSeed,
    AssetsSeedCancelled,
    AssetsSeedCompleted,
    AssetsSeedEnrichComplete,
    AssetsSeedError,
    AssetsSeedFastComplete,
    AssetsSeedPaused,
    AssetsSeedProgress,
    AssetsSeedResumed,
    AssetsSeedStarted,
    FeatureFlags,
    Logs,
    Status,
)

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
