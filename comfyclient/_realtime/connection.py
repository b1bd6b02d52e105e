"""The reader thread: opens the websocket, reads it dry, notices when it is lost, opens it again."""

from __future__ import annotations

import contextlib
import enum
import functools
import json
import logging
import socket
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

import websocket

from comfyclient import _wire
from comfyclient._addresses import redact
from comfyclient._condition import Condition
from comfyclient._network import Network
from comfyclient._realtime.dialing import dial
from comfyclient._realtime.frames import MessageSocket, new_socket
from comfyclient._realtime.vital_signs import VitalSigns, describe
from comfyclient.errors import ClientClosed
from comfyclient.events import Connected, Disconnected, Event, Reconnected, ReconnectFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient._realtime.dispatcher import Dispatcher
    from comfyclient.config import ClientConfig

log = logging.getLogger(__name__)

_TICK = 0.5
"""Seconds after which the reader looks up from a silent socket."""
_SETTLED = 5.0
"""Seconds that a connection has to last before a loss counts as the first one."""
_DECODERS: dict[int, Callable[[bytes | memoryview], Event]] = {
    websocket.ABNF.OPCODE_TEXT: _wire.decode_text,
    websocket.ABNF.OPCODE_BINARY: _wire.decode_binary,
}
_FEATURE_FLAGS = json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}})


class _State(enum.Enum):
    IDLE = enum.auto()
    CONNECTING = enum.auto()
    OPEN = enum.auto()
    RESTING = enum.auto()
    CLOSED = enum.auto()


class Connection:
    """One websocket to the server, kept open by a thread of its own.

    The thread runs no user code: it decodes what it reads and gives it to ``deliver``, which must not block. A
    dispatcher that has nothing to call reads in its stead, so that an event need not change threads to be called back.
    """

    def __init__(
        self, config: ClientConfig, deliver: Callable[[Event], None], dispatcher: Dispatcher | None = None
    ) -> None:
        self._config = config
        self._deliver = deliver
        self._dispatcher = dispatcher
        self._network = Network(config)
        self._changed = Condition()  # guards the fields below; the reader alone uses the socket for reading
        self._state = _State.IDLE
        self._thread: threading.Thread | None = None
        self._socket: MessageSocket | None = None
        self._failures = 0
        self._error = ""
        self._was_open = False
        self._awake = False
        self._heard_at = 0.0
        self._expecting_since: float | None = None
        self._vital_signs: VitalSigns  # this and the next are for whoever reads the open websocket
        self._over = ""

    @property
    def is_open(self) -> bool:
        """Whether events can arrive now."""
        return self._state is _State.OPEN

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def heard_at(self) -> float:
        """When the last message arrived, on the monotonic clock; pongs do not count, a deaf socket has them too."""
        return self._heard_at

    def start(self) -> None:
        """Start connecting in the background, unless that is under way.

        Raises:
            ClientClosed: The connection was closed.
        """
        with self._changed:
            if self._state is _State.CLOSED:
                raise ClientClosed
            if self._state is _State.IDLE:
                self._state = _State.CONNECTING
                self._thread = threading.Thread(target=self._run, name="comfyclient-reader", daemon=True)
                self._thread.start()

    def ready(self, timeout: float) -> bool:
        """Start if need be and wait for the outcome of an attempt; a pause between attempts is cut short.

        Returns:
            Whether the websocket is open.

        Raises:
            ClientClosed: The connection was closed, before or meanwhile.
        """
        with self._changed:
            failures = self._failures
            self.start()
            self._awake = True
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self._state in {_State.OPEN, _State.CLOSED} or self._failures > failures, timeout
            )
            if self._state is _State.CLOSED:
                raise ClientClosed
            return self._state is _State.OPEN

    @property
    def hopeless(self) -> bool:
        """Whether the websocket has been tried and never been open: a proxy may block it."""
        with self._changed:
            return self._failures > 0 and not self._was_open

    @property
    def error(self) -> str:
        """What the last failed attempt or the last loss said."""
        with self._changed:
            return self._error

    def expect_message(self, since: float) -> None:
        """Something must have arrived since ``since`` or arrive soon; otherwise the socket is deaf."""
        with self._changed:
            if self._expecting_since is None or self._heard_at >= self._expecting_since:
                self._expecting_since = since

    def stop(self) -> None:
        """Have the thread end the next time that it looks up. Returns at once."""
        with self._changed:
            self._state = _State.CLOSED
            self._changed.notify_all()

    def close(self, timeout: float = 2.0) -> None:
        """End the thread and the socket. Idempotent, and bounded by twice ``timeout`` plus the connect timeout."""
        with self._changed:
            was_open = self._state is _State.OPEN
            self.stop()
            thread, current = self._thread, self._socket
        if thread is None or thread is threading.current_thread():
            return
        if current is not None and was_open:
            if _is_for_two(current):
                with contextlib.suppress(Exception):  # the peer may be gone already
                    current.send_close()
            else:
                _shut_below(current, socket.SHUT_RD)  # the reader finds the end, and takes its leave itself
            thread.join(timeout)
        if thread.is_alive() and current is not None:
            # Never current.close() here: beside a blocked recv it does not return.
            _shut_below(current, socket.SHUT_RDWR)
        with contextlib.suppress(RuntimeError):  # Ctrl-C hit its start: it is about to run, and to see that it is over
            thread.join(timeout + self._config.connect_timeout)

    def _run(self) -> None:
        losses = 0
        going_on = self._begin()
        while going_on:
            try:
                current, greeting = self._open()
            except Exception as error:  # noqa: BLE001 - a refused, broken or misunderstood handshake is all one here
                going_on = self._rest(losses, describe(error), lost=False)
            else:
                opened_at = time.monotonic()
                self._announce()
                self._opened()
                self._deliver(_wire.decode_text(greeting))
                reason = self._read(current)
                _shut(current)
                if time.monotonic() - opened_at > _SETTLED:
                    losses = 0
                going_on = self._rest(losses, reason, lost=True)
            losses += 1

    def _begin(self) -> bool:
        with self._changed:
            if self._state is _State.CLOSED:
                return False
            self._state = _State.CONNECTING
            return True

    def _open(self) -> tuple[MessageSocket, bytes]:
        """A new websocket and the server's first message, without which it might not know the socket yet."""
        current = new_socket(self._config.max_body)
        with self._changed:
            self._socket = current  # so that close() can end a handshake that hangs
        try:
            self._shake_hands(current)
            current.send(_FEATURE_FLAGS)
            greeting = _first_text(current, self._config.connect_timeout)
            current.wait_at_most(_TICK)
        except BaseException:
            current.shutdown()  # type: ignore[no-untyped-call]
            raise
        return current, greeting

    def _shake_hands(self, current: MessageSocket) -> None:
        timeout = self._config.connect_timeout
        url, headers = self._network.handshake()
        # websocket-client writes these two itself.
        own = {name: headers.pop(name, None) for name in ("Host", "Cookie")}
        try:
            current.connect(  # type: ignore[no-untyped-call]
                url,
                socket=dial(self._network, timeout, functools.partial(self._dialed, current)),
                timeout=timeout,
                header=[f"{name}: {value}" for name, value in headers.items()],
                host=own["Host"],
                cookie=own["Cookie"],
                # websocket-client's Origin would be refused where a proxy rewrites Host.
                suppress_origin=True,
                redirect_limit=0,
            )
        except websocket.WebSocketException:
            if current.handshake_response is None:
                raise
        if current.getstatus() != HTTPStatus.SWITCHING_PROTOCOLS:
            # To follow could tell another host what is for this one.
            location = redact((current.getheaders() or {}).get("location") or "nowhere")
            raise websocket.WebSocketException(f"the handshake was redirected to {location} (redirect limit 0)")

    def _dialed(self, current: MessageSocket, sock: socket.socket) -> None:
        """Show ``close()`` what to shut; if it has looked already, there is nothing to go on with."""
        current.sock = sock
        if self._state is _State.CLOSED:
            raise ClientClosed

    def _announce(self) -> None:
        """Before anybody can know that it is open: whoever waits for that submits a job then, which misses nothing."""
        with self._changed:
            if self._state is _State.CLOSED:  # closed while connecting: the reader ends at its first look
                return
            again, self._was_open = self._was_open, True
        log.debug("websocket open at %s", self._config.shown_url)
        self._deliver(Reconnected() if again else Connected())

    def _opened(self) -> None:
        with self._changed:
            if self._state is _State.CLOSED:
                return
            self._state = _State.OPEN
            self._heard_at = time.monotonic()
            self._expecting_since = None
            self._changed.notify_all()

    def _rest(self, losses: int, reason: str, *, lost: bool) -> bool:
        """After a loss or a refusal: pause; whether to try again."""
        policy = self._config.reconnect
        pause = policy.pause(losses) if policy is not None else None
        with self._changed:
            self._socket = None
            if self._state is _State.CLOSED:
                return False
            self._state = _State.IDLE if pause is None else _State.RESTING
            self._failures += not lost
            self._error = reason
            self._awake = False
            self._changed.notify_all()
        log.info("websocket %s at %s: %s", "lost" if lost else "refused", self._config.shown_url, reason)
        self._deliver(Disconnected(reason) if lost else ReconnectFailed(reason, pause))
        if pause is None:
            return False  # not by a look at the state: another thread may have been started by now
        with self._changed:
            self._changed.wait_for(lambda: self._awake or self._state is _State.CLOSED, pause)
        return self._begin()

    def _read(self, current: MessageSocket) -> str:
        """Read until the connection ends, or have it read; the reason why it did."""
        self._vital_signs = VitalSigns(current, self._config.reconnect)
        self._over = ""
        dispatcher = self._dispatcher if _is_for_two(current) else None
        while not self._over:
            if dispatcher is not None and dispatcher.would_read:
                dispatcher.lend(self)
            else:
                self.step()
        return self._over

    def step(self) -> bool:
        """Read some messages and deliver them, or look after the connection if none come; one thread at a time.

        Returns:
            Whether there may be more.
        """
        if self._state is not _State.OPEN:
            self._over = "closed"
            return False
        has_heard, looked_at = False, time.monotonic()
        try:
            has_heard = self._hear()
        except websocket.WebSocketTimeoutException:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, a new connection is the answer
            self._over = describe(error)
        if not (has_heard or self._over):
            # What has come since that look is not known: this thread may not have run for a while.
            self._over = self._vital_signs.worry(self._heard_at, looked_at) or self._unheard(looked_at)
        return not self._over

    def _hear(self) -> bool:
        """Whether there was anything but control frames."""
        has_heard = False
        for opcode, data in self._socket.recv_messages():  # type: ignore[union-attr]  # there is one while it is read
            decode = _DECODERS.get(opcode)
            if decode is not None:
                has_heard = True
                self._heard_at = time.monotonic()
                self._deliver(decode(data))
            elif opcode == websocket.ABNF.OPCODE_CLOSE:
                self._over = "the server closed the connection"
                break
            else:
                self._vital_signs.note()
        return has_heard

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be read."""
        return bool(self._over) or self._state is not _State.OPEN

    def nudge(self) -> None:
        """Have whoever reads look up: the answer to a ping comes like a message."""
        with contextlib.suppress(Exception):  # then it looks up at the next tick
            self._socket.ping()  # type: ignore[union-attr]  # there is one while it is read

    def _unheard(self, looked_at: float) -> str:
        """Why the socket must be deaf, or nothing, after a look in vain that began then."""
        policy = self._config.reconnect
        with self._changed:
            since = self._expecting_since
            if since is None or policy is None:
                return ""
            if self._heard_at >= since:
                self._expecting_since = None
                return ""
            if looked_at - since < policy.deaf_after:
                return ""
        return "the server accepted a prompt and the websocket did not hear of it"


def _first_text(current: MessageSocket, timeout: float) -> bytes:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        opcode, data = current.recv_message()
        if opcode == websocket.ABNF.OPCODE_TEXT:
            return bytes(data)
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise websocket.WebSocketConnectionClosedException("the server closed the connection")
    raise websocket.WebSocketTimeoutException(f"no greeting within {timeout:g} s")


def _is_for_two(current: MessageSocket) -> bool:
    """Whether one thread may write while another reads; with TLS, a ping beside a read can make that find the end."""
    return type(current.sock) is socket.socket


def _shut_below(current: MessageSocket, how: int) -> None:
    """Shut the connection that TLS goes over: TLS itself belongs to the reader."""
    sock = current.sock
    if sock is not None:  # the reader may be letting go of it
        with contextlib.suppress(OSError):
            socket.socket.shutdown(sock, how)


def _shut(current: MessageSocket) -> None:
    """Close fully: the server forgets the newer of two sockets with one id when the older one goes."""
    with contextlib.suppress(Exception):  # whatever is wrong with it, it is being thrown away
        current.close(timeout=1)
    with contextlib.suppress(Exception):
        current.shutdown()  # type: ignore[no-untyped-call]
