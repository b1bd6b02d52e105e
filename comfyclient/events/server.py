"""The server's own state: its queue, abilities, log and assets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import field, frozen

from comfyclient.events.event import Event
from comfyclient.types.logs import LogEntry, TerminalSize, plain


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
class FeatureFlags(Event):
    """What the server can do; its answer to the client's own announcement.

    Attributes:
        flags: By name, as sent.
    """

    _type: ClassVar[str] = "feature_flags"
    flags: Mapping[str, Any]


@frozen
class Logs(Event):
    """What the server wrote to its log; sent after ``client.system.subscribe_log()``.

    Attributes:
        entries: What was written to the standard output, or to the standard error, since it was last flushed.
        size: The server's terminal, when it differs from what was sent last to anybody.
    """

    _type: ClassVar[str] = "logs"
    entries: tuple[LogEntry, ...]
    size: TerminalSize | None = None
    extra: dict[str, Any] = field(factory=dict)

    @property
    def text(self) -> str:
        """All of it, without colors and other ANSI escapes."""
        return plain("".join(entry.m for entry in self.entries))


@frozen
class AssetsSeed(Event):
    """The server scans its directories for assets; base of the ``assets.seed.*`` events. Sent to every client.

    Each tells a part of what follows; the rest is ``None``.

    Attributes:
        roots: The directories: ``"input"``, ``"output"`` and ``"models"``, or some of them.
        phase: ``"fast"`` while files are looked for, ``"enrich"`` while their details are; ``"full"`` for both.
        total: Files in all.
        scanned: Files looked at so far.
        created: Assets that were not known before.
        skipped: Files that were known already.
        enriched: Assets whose details are known now.
        elapsed: Seconds that it took.
        message: What went wrong.
        extra: What else the server said.
    """

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
