"""The thread of the embedded server, and one life of what runs there."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import socket
import threading
from typing import TYPE_CHECKING, Any

from aiohttp import web, web_app

from comfyclient.testing.app import build, log
from comfyclient.testing.routes.system import features
from comfyclient.testing.sockets import Sockets

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from typing import TypeVar

    from comfyclient.testing.folders import Folders
    from comfyclient.testing.machine import Machine
    from comfyclient.testing.script import Script

    T = TypeVar("T")

PATIENCE = 10.0
"""Seconds that the server's own thread may take for anything."""

TURNS = 5
"""Of the loop, within which a connection that was accepted is known to be connected; asyncio takes three."""


class Loop:
    """An event loop in a thread of its own, which starts at once."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="embedded-comfyui-server", daemon=True)
        self._thread.start()

    def call(self, work: Awaitable[T]) -> T:
        """Have the thread do it, and wait.

        Raises:
            RuntimeError: It does not get to it.
        """

        async def do() -> T:
            return await work

        future = asyncio.run_coroutine_threadsafe(do(), self._loop)
        try:
            return future.result(PATIENCE)
        except concurrent.futures.TimeoutError:
            raise RuntimeError("the embedded server is stuck: does a node block the interpreter?") from None

    def stop(self) -> None:
        """End it, with all that it still does."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            asyncio.set_event_loop(None)
            loop.close()


class Life:
    """A server from one start to the next restart: its machine, and the line on which it listens."""

    def __init__(
        self,
        new_machine: Callable[[Sockets, Folders | None], Machine],
        script: Script,
        max_body: int,
        folders: Folders | None = None,
    ) -> None:
        self._new_machine = new_machine
        self._script = script
        self._max_body = max_body
        self._folders = folders
        self._machine: Machine | None = None
        self._runner: web.AppRunner | None = None
        self._listener = -1
        self._delivery: asyncio.Task[None] | None = None

    @property
    def machine(self) -> Machine:
        """What works; ``listen`` makes it, since that takes the loop."""
        if self._machine is None:
            raise RuntimeError("the embedded server does not run")
        return self._machine

    def _make_machine(self) -> Machine:
        version_features: dict[str, Any] = {}
        sockets = Sockets(self._greeting, version_features)
        machine = self._new_machine(sockets, self._folders)
        version_features |= features(machine.version, self._max_body) if machine.version.feature_flags else {}
        machine.start()
        return machine

    def _greeting(self, sid: str) -> Iterator[tuple[str, Any]]:
        """What a new websocket is told."""
        machine = self.machine
        yield "status", {"status": machine.info(), "sid": sid}
        if machine.client_id == sid and machine.last_node_id is not None:
            yield "executing", {"node": machine.last_node_id}

    @property
    def listens(self) -> bool:
        """Whether clients may connect."""
        return self._runner is not None

    async def listen(self, listener: socket.socket) -> None:
        """Serve what comes in there."""
        if self._machine is None:
            self._machine = self._make_machine()
        app = build(self._machine, self._script, self._max_body)
        self._listener = listener.fileno()
        self._runner = web.AppRunner(app, access_log=None, logger=log, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()
        self._delivery = asyncio.create_task(self._machine.sockets.deliver())

    async def hang_up(self) -> None:
        """Cut all connections, and take no more."""
        if self._runner is None or self._delivery is None:
            return
        # asyncio loses what it has accepted when it is told to stop before that is known to be connected.
        with contextlib.suppress(NotImplementedError):  # on Windows, which may keep such a one open
            asyncio.get_running_loop().remove_reader(self._listener)
        for _ in range(TURNS):
            await asyncio.sleep(0)
        for site in list(self._runner.sites):
            await site.stop()
        self.machine.sockets.close()
        server = self._runner.server
        for connection in list(server.connections) if server is not None else ():
            if connection.transport is not None:
                connection.transport.abort()
        await self._runner.cleanup()
        delivery, self._runner, self._delivery = self._delivery, None, None
        delivery.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await delivery
        # aiohttp remembers handlers beyond the end of their application, and with them all that they know.
        remembered = getattr(web_app, "_cached_build_middleware", None)  # an inner part, which may go some day
        if remembered is not None:
            remembered.cache_clear()


def bind(port: int) -> socket.socket:
    """A socket that has a port of this machine alone; until it listens, connections are refused there.

    Raises:
        OSError: The port is taken.
    """
    bound = socket.socket()
    try:
        if os.name == "posix":  # else connections that have just ended would keep the port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
        bound.setblocking(False)  # noqa: FBT003 - its only argument
    except BaseException:
        bound.close()
        raise
    return bound
