"""``client.system``: the server itself, its machine and its log."""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from comfyclient.errors import ClientClosed, NotFound, RequestTimeout, ServerError, ServerUnreachable
from comfyclient.resources._answers import get
from comfyclient.resources._noun import Noun
from comfyclient.types.logs import ServerLog
from comfyclient.types.logs import plain as without_escapes
from comfyclient.types.system import SystemStats

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from comfyclient._http import Transport
    from comfyclient._tracking.log_events import LogEvents
    from comfyclient.types.logs import LogEntry

__all__ = ["System"]

log = logging.getLogger(__name__)

_PAUSE = 0.5
"""Seconds between two looks at the log."""
_RESTARTING = frozenset({502, 503, 504})
"""What a proxy says while there is no server behind it."""


class System(Noun):
    """The server itself. Everything here runs in the caller's thread.

    Besides what its own text says, every method raises ``ServerUnreachable`` without a connection,
    ``RequestTimeout`` without an answer in time, ``ServerError`` when the server refuses, and ``DecodeError``
    for an answer that is not ComfyUI's.

    The log and the folders have routes below ``/internal``, which exist only there: behind a proxy that forwards
    ``/api`` alone, ``NotFound`` or ``Unsupported`` is raised, whatever the server's age.
    """

    def __init__(self, transport: Transport, log_events: LogEvents | None = None) -> None:
        self._transport = transport
        self._log_events = log_events

    def stats(self) -> SystemStats:
        """Return the versions, the memory and the devices, in bytes (``GET /system_stats``)."""
        return get(self._transport, "/system_stats", SystemStats)

    def features(self) -> dict[str, Any]:
        """Return what the server can do, such as ``max_upload_size`` in bytes (``GET /features``).

        Returns:
            By name, as sent; empty where the server is too old to say (before 0.3.45).
        """
        try:
            return get(self._transport, "/features", dict[str, Any])
        except NotFound:
            return {}

    def extensions(self) -> list[str]:
        """Return the scripts that the editor loads, those of custom nodes among them (``GET /extensions``).

        Returns:
            Their paths on the server, such as ``"/extensions/my_pack/widgets.js"``.
        """
        return [*get(self._transport, "/extensions", tuple[str, ...])]

    def i18n(self) -> dict[str, Any]:
        """Return the translations that custom nodes bring along (``GET /i18n``).

        Returns:
            By language, such as ``"en"``; what is below that is for the editor. Empty when there are none.

        Raises:
            Unsupported: The server is older than 0.3.12.
        """
        return get(self._transport, "/i18n", dict[str, Any], since="0.3.12")

    def folder_paths(self) -> dict[str, tuple[str, ...]]:
        """Return where the server looks for its files, by kind (``GET /internal/folder_paths``).

        Not through proxies that forward ``/api`` alone.

        Returns:
            For each kind, such as ``"checkpoints"``, ``"loras"`` or ``"custom_nodes"``, the directories on the
            server's machine, the first one first.

        Raises:
            Unsupported: The server is of 2024 and lacks the route, or a proxy does.
        """
        return get(self._transport, "/internal/folder_paths", dict[str, tuple[str, ...]], since="0.3.0")

    def free(self, *, unload_models: bool = False, free_memory: bool = False) -> None:
        """Free memory once the prompt that runs has ended (``POST /free``). Returns at once.

        Args:
            unload_models: Unload the models.
            free_memory: Forget the outputs of nodes, too; what was cached runs again.
        """
        self._transport.request("POST", "/free", json_body={"unload_models": unload_models, "free_memory": free_memory})

    # ── the log ──────────────────────────────────────────────────────────────────────────────────────────────────

    def log(self, *, plain: bool = False) -> str:
        """Return the end of the log as one text, each write with its time before it (``GET /internal/logs``).

        Not through proxies that forward ``/api`` alone. ``log_entries`` has the same in parts, and without the times.

        Args:
            plain: Leave out colors and other ANSI escapes.

        Raises:
            Unsupported: The server is older than August 2024 and lacks the route, or a proxy does.
            ServerError: 500, when it writes to its log at that very moment.
        """
        text = get(self._transport, "/internal/logs", str, since="0.2.0")
        return without_escapes(text) if plain else text

    def log_entries(self) -> ServerLog:
        """Return the end of the log: the last 300 writes, each with its time (``GET /internal/logs/raw``).

        Not through proxies that forward ``/api`` alone.

        Raises:
            Unsupported: The server is older than November 2024 and lacks the route, or a proxy does.
        """
        return get(self._transport, "/internal/logs/raw", ServerLog, since="0.3.0")

    def follow_log(
        self, *, past: bool = False, until: Callable[[], bool] | None = None
    ) -> Generator[LogEntry, None, None]:
        r"""Iterate over what is written to the log from now on, as ``tail -f`` does (``GET /internal/logs/raw``).

        Looks twice a second, in the thread that iterates, and needs no websocket. Nothing is left out unless more
        than 300 writes come between two looks, of which the server keeps the last. It goes on while the server
        restarts, and ends when the client is closed. Not through proxies that forward ``/api`` alone.

        ``print(entry.m, end="")`` shows it as the server's terminal does.

        Args:
            past: Begin with what ``log_entries`` returns now.
            until: Asked before each look; once it says true, that look is the last one. ``until=job.done`` follows
                the log as long as a job runs.

        Raises:
            Unsupported: The server is older than November 2024 and lacks the route, or a proxy does.
            ServerUnreachable: It does not answer; after the first answer only if that lasts longer than
                ``ClientConfig.give_up_after``. So for ``RequestTimeout``, and ``ServerError`` 502, 503 and 504.
        """
        entries = self.log_entries().entries
        return self._follow(() if past else entries, until)

    def subscribe_log(self, *, enabled: bool = True) -> None:
        """Have the log sent as ``logs`` events, for ``on`` and ``listen`` (``PATCH /internal/logs/subscribe``).

        Opens the websocket if need be. It holds for this client, until it is closed; after a reconnect it is renewed
        by the dispatcher thread, and what was written in between is not sent. The server sends what is flushed: what
        a node merely prints is in ``follow_log`` at once, but comes as an event only with the next
        ``print(..., flush=True)``. Not through proxies that forward ``/api`` alone.

        Args:
            enabled: ``False`` for no longer.

        Raises:
            Unsupported: The server is older than November 2024 and lacks the route, or a proxy does.
            ServerUnreachable: No connection, or no websocket.
            ValueError: The client was made with ``realtime=False``.
            ClientClosed: The client is closed.
        """
        if self._log_events is None:
            msg = "only the system of a Client has a websocket; use client.system"
            raise ValueError(msg)
        if enabled:
            self._log_events.start()
        else:
            self._log_events.stop()

    def _follow(self, known: tuple[LogEntry, ...], until: Callable[[], bool] | None) -> Generator[LogEntry, None, None]:
        answered_at = time.monotonic()
        ended = False
        while not ended:
            ended = until is not None and until()  # asked first, so that what was written until then is not missed
            try:
                entries = self.log_entries().entries
            except ClientClosed:
                return
            except (ServerUnreachable, RequestTimeout, ServerError) as error:
                lasting = isinstance(error, ServerError) and error.status not in _RESTARTING
                if lasting or time.monotonic() - answered_at > self._transport.config.give_up_after:
                    raise
                log.info("could not look at the server's log: %s", str(error))
            else:
                yield from _added(known, entries)
                known = entries
                answered_at = time.monotonic()
            if not ended and self._transport.closes_within(_PAUSE):
                return


def _added(before: tuple[LogEntry, ...], now: tuple[LogEntry, ...]) -> Iterator[LogEntry]:
    """What was written meanwhile; the oldest may be gone, and a bar of progress takes the place of the one before.

    Not told by the times: the server's clock goes back an hour in autumn.
    """
    known = Counter((entry.t, entry.m) for entry in before)
    for entry in now:
        if known[entry.t, entry.m] > 0:
            known[entry.t, entry.m] -= 1
        else:
            yield entry
