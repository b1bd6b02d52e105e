"""Whether the other end of a websocket is still there, and words for what went wrong."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import websocket

from comfyclient._network import explain_tls

if TYPE_CHECKING:
    from comfyclient._realtime.frames import MessageSocket
    from comfyclient.config import Reconnect


class VitalSigns:
    """Pings a silent server, and knows when it has been silent for too long. Used by the thread that reads only."""

    def __init__(self, current: MessageSocket, policy: Reconnect | None) -> None:
        self._socket = current
        self._policy = policy
        self._received = current.received
        self._pinged_at: float | None = None
        self._alive_at = time.monotonic()

    def note(self) -> None:
        """There was one."""
        self._alive_at = time.monotonic()
        self._pinged_at = None

    def worry(self, heard_at: float, looked_at: float) -> str:
        """After a look without a message, which began then: the reason to give the connection up, or nothing."""
        if self._policy is None:
            return ""
        if heard_at > self._alive_at or self._socket.received != self._received:
            self.note()
            self._received = self._socket.received
        if self._pinged_at is not None:
            return "no answer to a ping" if looked_at - self._pinged_at > self._policy.ping_timeout else ""
        if time.monotonic() - self._alive_at > self._policy.ping_interval:
            try:
                self._socket.ping()
            except (websocket.WebSocketException, OSError) as error:
                return describe(error)
            self._pinged_at = time.monotonic()
        return ""


def describe(error: Exception) -> str:
    """What happened, without the headers and bodies that websocket-client puts into its messages."""
    if isinstance(error, websocket.WebSocketBadStatusException):
        return f"the handshake was answered with status {error.status_code}"
    if explanation := explain_tls(error):
        return explanation
    return str(error).splitlines()[0] if str(error).strip() else type(error).__name__
