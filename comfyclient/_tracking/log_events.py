"""The server's log as events: asked for, and asked for again whenever the websocket is back."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from comfyclient.errors import ClientClosed, ComfyError
from comfyclient.events import Reconnected

if TYPE_CHECKING:
    from comfyclient._http import Transport
    from comfyclient._realtime.subscriptions import Subscription
    from comfyclient._tracking.tracker import Tracker

log = logging.getLogger(__name__)

_PATIENCE = 5.0
"""Seconds that the server has to take a renewal; callbacks wait meanwhile."""


class LogEvents:
    """Whether one client is sent ``logs`` events.

    The server knows who wants them by client id. It forgets an id as soon as it writes a line while that client has
    no websocket, so after a reconnect it may or may not know it.
    """

    def __init__(self, tracker: Tracker, transport: Transport) -> None:
        self._tracker = tracker
        self._transport = transport
        self._lock = threading.Lock()  # guards _renewal
        self._renewal: Subscription | None = None

    def start(self) -> None:
        """Open the websocket if need be, and have the events sent, for as long as the client lives.

        Raises:
            ComfyError: There is no websocket, or the server refuses.
            ValueError: The client was made without a websocket.
        """
        self._tracker.connect()
        # Before the first request, so that no loss in between goes unnoticed.
        self._replace(self._tracker.subscriptions.add((Reconnected,), self._renew))
        self._tracker.listen()
        try:
            self._request(enabled=True)
        except BaseException:
            self._replace(None)
            raise

    def stop(self) -> None:
        """Have no more of them sent.

        Raises:
            ComfyError: The server was not told.
        """
        self._replace(None)
        self._request(enabled=False)

    def _replace(self, renewal: Subscription | None) -> None:
        with self._lock:
            before, self._renewal = self._renewal, renewal
        if before is not None:
            before.cancel()

    def _renew(self, _: Reconnected) -> None:
        try:
            self._request(enabled=True, timeout=_PATIENCE)
        except ClientClosed:
            pass
        except ComfyError as error:
            log.warning("the server sends its log no longer, until the next reconnect: %s", str(error))

    def _request(self, *, enabled: bool, timeout: float | None = None) -> None:
        body = {"clientId": self._transport.config.client_id, "enabled": enabled}
        path = "/internal/logs/subscribe"
        self._transport.request("PATCH", path, json_body=body, timeout=timeout, since="0.3.0")
