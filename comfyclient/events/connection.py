"""The websocket's own events, which come from comfyclient and not from the server."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from comfyclient.events.event import Event


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
