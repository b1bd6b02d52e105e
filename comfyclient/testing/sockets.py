"""The websocket side of the server: who is connected, and telling them, in order."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import struct
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger("comfyclient.testing")


class Socket:
    """One websocket.

    Attributes:
        sid: The client id it came with, or the one it was given.
        flags: What its client says it can.
        frozen: Whether the line is dead though nobody hung up.
    """

    def __init__(self, sid: str, answer: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        self.sid = sid
        self.flags: Any = {}
        self.frozen = False
        self._answer = answer
        self._transport = transport

    async def send(self, message: str | bytes) -> None:
        """Send one message, if anybody is there."""
        if self.frozen:
            return
        with contextlib.suppress(ConnectionError):
            if isinstance(message, str):
                await self._answer.send_str(message)
            else:
                await self._answer.send_bytes(message)

    def drop(self, *, reset: bool = False) -> None:
        """Cut the connection without a word."""
        with contextlib.suppress(OSError):
            line = self._transport.get_extra_info("socket")
            if reset:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def freeze(self) -> None:
        """Neither send nor read any more."""
        self.frozen = True
        self._transport.pause_reading()

    def write_raw(self, data: bytes) -> None:
        """Put bytes on the line, as they are."""
        self._transport.write(data)


class Sockets:
    """All of them. ``send`` and ``send_binary`` may be called from any thread, the rest from that of the loop.

    Attributes:
        table: The sockets that are told, by client id.
        open: All that are open, whether or not they are told.
        alter: What to send in the place of a message.

    Args:
        greeting: What new sockets are told: the events, given the client id.
        features: What the server says it can; an old server that knows nothing of this has none.
    """

    def __init__(
        self,
        greeting: Callable[[str], Iterable[tuple[str, Any]]],
        features: dict[str, Any],
    ) -> None:
        self.table: dict[str, Socket] = {}
        self.open: set[Socket] = set()
        self.alter: Callable[[Any], Iterable[Any]] | None = None
        self._greeting = greeting
        self._features = features
        self._messages: asyncio.Queue[tuple[str | bytes, str | None]] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    # ── sending ──────────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, event: str, data: Any, sid: str | None = None) -> None:
        """Queue a JSON event for one client, or for all."""
        try:
            message = json.dumps({"type": event, "data": data})
        except TypeError:
            # ComfyUI's whole process ends here; whoever tests an application has no use for that.
            _log.exception("%s holds something that is not JSON, and is not sent", event)
            return
        self.publish(message, sid)

    def send_binary(self, number: int, body: bytes, sid: str | None = None) -> None:
        """Queue a binary event."""
        self.publish(struct.pack(">I", number) + body, sid)

    def publish(self, message: str | bytes, sid: str | None = None) -> None:
        """Queue a message as it is."""
        with contextlib.suppress(RuntimeError):  # the server has stopped
            self._loop.call_soon_threadsafe(self._messages.put_nowait, (message, sid))

    async def deliver(self) -> None:
        """Send what is queued, for ever; one client that does not read holds up all, as it does with ComfyUI."""
        while True:
            message, sid = await self._messages.get()
            # A prompt may come with a client id that is no string; it is nobody's.
            known = isinstance(sid, str) and sid in self.table
            receivers = list(self.table.values()) if sid is None else [self.table[sid]] if known else []
            for each in self._altered(message):
                for receiver in receivers:
                    await receiver.send(each)

    def _altered(self, message: str | bytes) -> Iterable[str | bytes]:
        """What is sent in the place of a message."""
        if self.alter is None:
            return [message]
        altered: Any = self.alter(message if isinstance(message, bytes) else json.loads(message))
        if not isinstance(altered, Iterable) or isinstance(altered, dict | str | bytes):
            raise TypeError(f"alter_events wants a function that returns a list of messages, not {altered!r:.80}")
        return [each if isinstance(each, bytes) else json.dumps(each) for each in altered]

    def supports(self, sid: str | None, flag: str) -> bool:
        """Whether a client said that it can do this."""
        receiver = self.table.get(sid) if isinstance(sid, str) else None
        return receiver is not None and receiver.flags.get(flag, False) is True

    # ── connections ──────────────────────────────────────────────────────────────────────────────────────────────

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve a websocket (``GET /ws``)."""
        answer = web.WebSocketResponse()
        try:
            await answer.prepare(request)
        except ConnectionError:  # gone already
            return web.Response()
        sid = request.rel_url.query.get("clientId", "") or uuid.uuid4().hex
        transport = request.transport
        if not isinstance(transport, asyncio.Transport):
            return answer  # gone already
        connected = self.table[sid] = Socket(sid, answer, transport)
        self.open.add(connected)
        try:
            for event, data in self._greeting(sid):
                await connected.send(json.dumps({"type": event, "data": data}))
            await self._listen(connected, answer)
        finally:
            # As in ComfyUI: this removes whoever has that id now, also a newer socket, which then stays open and deaf.
            self.table.pop(sid, None)
            self.open.discard(connected)
        return answer

    async def _listen(self, connected: Socket, answer: web.WebSocketResponse) -> None:
        first = True
        async for message in answer:
            if message.type is not WSMsgType.TEXT:
                continue
            with contextlib.suppress(ValueError, AttributeError):  # no JSON, or no object: this does not count
                said = json.loads(message.data)
                if first and said.get("type") == "feature_flags" and self._features:
                    connected.flags = said.get("data", {})
                    await connected.send(json.dumps({"type": "feature_flags", "data": self._features}))
                first = False

    def close(self) -> None:
        """Cut all of them."""
        for connected in list(self.open):
            connected.drop()
