"""``Event``, of which every message is one, and ``UnknownEvent``, for what has no class."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import field, frozen


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
