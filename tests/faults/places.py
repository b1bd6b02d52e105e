"""The two servers that the faults are shown on, with what a test needs of them, and nothing more."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

from comfyclient.testing import Context, EmbeddedServer, node
from tests.workflows import Gate, plain

if TYPE_CHECKING:
    from tests.comfyui.server import RealServer
    from tests.workflows import Graph

SECONDS = 30.0
"""Seconds for whatever must happen; nothing comes near."""
SIZE = 64


class HeldGate(Gate):
    """A gate on the embedded server."""

    def __init__(self, gates: dict[str, HeldGate]) -> None:
        self.name = uuid.uuid4().hex
        self.reached = threading.Event()
        self.released = threading.Event()
        gates[self.name] = self

    def wait(self) -> None:
        assert self.reached.wait(SECONDS), "no prompt came to the gate"

    def open(self) -> None:
        self.released.set()

    def is_waited_at(self) -> bool:
        return self.reached.is_set()


@node(output="*", output_node=True, cached=False)
def TestRaise(message: str = "", exception: str = "", seed: int = 0) -> Any:  # noqa: ARG001, N802 - as the real one
    """Raises."""
    raise ValueError(message)


@node(output="*", cached=False)
def TestSleep(context: Context, seconds: float = 0.0, seed: int = 0, value: Annotated[Any, "*"] = None) -> Any:  # noqa: ARG001, N802 - as the real one
    """Sleeps, in such a way that it can be interrupted."""
    context.sleep(seconds)
    return value


class Embedded:
    """The embedded server, which can be broken at will, with stand-ins for some of the nodes that tests have.

    Attributes:
        ran: How often each text was put out.
    """

    def __init__(self) -> None:
        self._gates: dict[str, HeldGate] = {}
        self.ran: Counter[str] = Counter()
        self.server = EmbeddedServer([self._gate_node(), self._text_node(), TestRaise, TestSleep])

    def _text_node(self) -> type[Any]:
        ran = self.ran

        @node(output_node=True)
        def TestText(value: Annotated[Any, "*"] = None, seed: int = 0) -> Any:  # noqa: ARG001, N802 - as the real one
            ran[str(value)] += 1
            return {"ui": {"text": [str(value)]}}

        return TestText

    def _gate_node(self) -> type[Any]:
        gates = self._gates

        @node(output="*", cached=False)
        def TestGate(context: Context, name: str = "", value: Annotated[Any, "*"] = None) -> Any:  # noqa: N802 - as the real one
            gate = gates[name]
            gate.reached.set()
            while not gate.released.is_set():
                context.sleep(0.01)
            return value

        return TestGate

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.server.url

    def gate(self) -> Gate:
        """A new one."""
        return HeldGate(self._gates)

    def restart(self) -> None:
        """Kill it, and bring it back."""
        self.server.restart()

    def kill_worker(self) -> None:
        """End what runs prompts."""
        self.server.kill_worker()


class Real:
    """The real one, behind its address alone."""

    def __init__(self, url: str) -> None:
        self.url = url

    def gate(self) -> Gate:
        """A new one."""
        return Gate(self.url)


class Breakable(Real):
    """A real one that may be killed: once, when all who want that are there."""

    def __init__(self, server: RealServer, parties: int) -> None:
        super().__init__(server.url)
        self._server = server
        self._ready = threading.Barrier(parties, self._restart)

    def _restart(self) -> None:
        self._server.kill()
        self._server.start()

    def restart(self) -> None:
        """Kill it, and bring it back."""
        self._ready.wait(4 * SECONDS)


Place = Embedded | Real


def picture(color: int, gate: Gate | None = None) -> Graph:
    """An image of one color, saved; it may have to wait at a gate before."""
    graph = plain(color, size=SIZE)
    if gate is not None:
        graph["3"] = gate.node(value=["1", 0])
        graph["2"]["inputs"]["images"] = ["3", 0]
    return graph
