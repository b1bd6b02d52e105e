"""What an embedded server can be told to do wrong, or to say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from comfyclient.testing.script import Script

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from typing import TypeVar

    from comfyclient.testing.life import Life
    from comfyclient.testing.script import Body
    from comfyclient.testing.sockets import Socket

    T = TypeVar("T")


class Faults(ABC):
    """The part of ``EmbeddedServer`` that stages faults."""

    def __init__(self) -> None:
        self._script = Script()

    @abstractmethod
    def _alive(self) -> Life: ...

    @abstractmethod
    def _call(self, work: Awaitable[T]) -> T: ...

    # ── faults ───────────────────────────────────────────────────────────────────────────────────────────────────

    def fail_next(self, node: str, exception: BaseException | type[BaseException] | None = None) -> None:
        """Let a node fail when it runs next, whether or not its outputs are cached.

        Args:
            node: Its id, or a class.
            exception: What it raises; by default a RuntimeError. SystemExit ends the worker for good, as it does with
                ComfyUI.
        """
        self._script.fail(node, exception or RuntimeError(f"{node} was told to fail"))

    def drop_sockets(self, client_id: str | None = None, *, reset: bool = False) -> None:
        """Cut websockets without a close frame: those of one client, or all.

        Args:
            client_id: Whose.
            reset: Reset the connection rather than end it.
        """
        self._each_socket(client_id, lambda connected: connected.drop(reset=reset))

    def deafen(self, client_id: str | None = None) -> None:
        """Let websockets stay open, and answer pings, but receive no event ever again.

        That is what becomes of a ComfyUI websocket when an older one with the same client id closes.
        """
        life = self._alive()

        def remove(connected: Socket) -> None:
            if life.machine.sockets.table.get(connected.sid) is connected:
                del life.machine.sockets.table[connected.sid]

        self._each_socket(client_id, remove)

    def freeze(self, client_id: str | None = None, *, http: bool = False) -> None:
        """Let websockets become half-open: nothing is sent or read any more, and nobody hangs up.

        Args:
            client_id: Whose; None means all.
            http: Leave HTTP requests without an answer too, until ``thaw``.
        """
        self._script.frozen = self._script.frozen or http
        self._each_socket(client_id, lambda connected: connected.freeze())

    def thaw(self) -> None:
        """Answer new HTTP requests again; frozen websockets and requests stay lost."""
        self._script.frozen = False

    def lose_next_answer(
        self, path: str = "/prompt", *, method: str = "POST", handled: bool = True, hangs: bool = False
    ) -> None:
        """Let the next such request go without an answer.

        Args:
            path: Of the request, without ``/api``.
            method: Of the request.
            handled: Do what it asks for before.
            hangs: Keep the connection open rather than cut it.

        Raises:
            ValueError: No request has such a path.
        """
        self._script.lose(path, method, handled=handled, hangs=hangs)

    def answer_next(
        self,
        path: str,
        status: int = 200,
        body: Body = None,
        *,
        method: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Answer the next such request like this, instead of handling it.

        Args:
            path: Of the request, without ``/api``.
            status: Of the answer.
            body: Bytes or text as they are; anything else becomes JSON.
            method: Of the request; None means any.
            headers: Of the answer.

        Raises:
            ValueError: No request has such a path.
        """
        self._script.answer(path, status, body, method, headers)

    def kill_worker(self) -> None:
        """End the thread that runs prompts: what runs stays running for ever, what waits waits.

        HTTP and websockets go on as if nothing had happened. ``restart`` repairs it.
        """
        self._alive().machine.kill()

    @property
    def worker_alive(self) -> bool:
        """Whether prompts are still run."""
        return self._alive().machine.alive

    # ── words ────────────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, event: str, data: Any, client_id: str | None = None) -> None:
        """Send an event of any type, in turn with the server's own, to one client or to all."""
        self._alive().machine.sockets.send(event, data, client_id)

    def send_message(self, message: str | bytes, client_id: str | None = None) -> None:
        """Send one websocket message, text or binary, as it is; to one client or to all."""
        self._alive().machine.sockets.publish(message, client_id)

    def alter_events(self, function: Callable[[Any], Iterable[Any]] | None) -> None:
        """Lose, repeat, change or reorder what websockets are told, until the next restart.

        Args:
            function: Called in the server's thread with every message, a dictionary or the bytes of a frame; returns
                the messages to send instead, in a list. None ends it. What it raises, ``stop`` raises.
        """
        self._alive().machine.sockets.alter = function

    def send_raw(self, data: bytes, client_id: str | None = None) -> None:
        """Put bytes on the line of websockets, frames or not."""
        self._each_socket(client_id, lambda connected: connected.write_raw(data))

    @property
    def sockets(self) -> list[str]:
        """The client ids of the open websockets."""

        async def ids() -> list[str]:
            return [connected.sid for connected in self._alive().machine.sockets.open]

        return sorted(self._call(ids()))

    def _each_socket(self, client_id: str | None, action: Callable[[Socket], None]) -> None:
        life = self._alive()

        async def act() -> None:
            for connected in list(life.machine.sockets.open):
                if client_id in {None, connected.sid}:
                    action(connected)

        self._call(act())
