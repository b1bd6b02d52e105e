"""One kernel and one server for the tests of a module, and a client in each test's cells."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_core.utils import ensure_event_loop

from comfyclient import Client
from comfyclient.testing import Context, EmbeddedServer, node
from tests.conftest import soon
from tests.notebooks.kernel import Kernel
from tests.testing.nodes import NODES, Gate, n

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 30.0
"""Seconds for anything that takes none."""

TEXT = {"1": n("Steps", steps=3), "2": n("Show", value=["1", 0])}
"""A workflow that ends by itself, with a text."""


class Gates:
    """Where prompts wait."""

    def __init__(self) -> None:
        self.current = Gate()

    def node(self) -> type[Any]:
        """What waits there, and notices interrupts."""

        @node(output_node=True, cached=False)
        def Wait(context: Context) -> None:  # noqa: N802 - a node's function is called what the class is
            gate = self.current
            gate.reached.set()
            while not gate.released.is_set():
                context.sleep(0.01)

        return Wait


WAIT = {"1": n("Wait")}
"""A workflow that waits until it is interrupted, or let go on."""


@dataclass
class Notebook:
    """A kernel that has a client, and the server that it is a client of.

    Attributes:
        kernel: The kernel; ``client`` is there.
        server: The server.
        gate: Where ``WAIT`` waits.
        client: A client of the test's own.
    """

    kernel: Kernel
    server: EmbeddedServer
    gate: Gate
    client: Client

    def stop_when_it_runs(self) -> None:
        """Press the stop button, once the server is at it."""
        assert self.gate.reached.wait(PATIENCE)
        self.kernel.stop()

    def is_idle(self) -> bool:
        """Whether the server soon has nothing to do."""
        return soon(lambda: self.client.queue.info().exec_info.queue_remaining == 0, PATIENCE)


@pytest.fixture(scope="session", autouse=True)
def _loop() -> None:
    """The event loop that jupyter_client makes for a thread, and keeps, is there before any test counts sockets."""
    ensure_event_loop()


@pytest.fixture(scope="module")
def gates() -> Gates:
    """Where the prompts of this module wait."""
    return Gates()


@pytest.fixture(scope="module")
def server(gates: Gates) -> Iterator[EmbeddedServer]:
    """The server of this module."""
    with EmbeddedServer([*NODES, gates.node()]) as server:
        yield server


@pytest.fixture(scope="module")
def kernel(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """The kernel of this module."""
    with Kernel(tmp_path_factory.mktemp("notebook"), COMFYUI_URL=server.url) as kernel:
        yield kernel


@pytest.fixture
def notebook(kernel: Kernel, server: EmbeddedServer, gates: Gates) -> Iterator[Notebook]:
    """The kernel, with a new client and nothing else."""
    gates.current = Gate()
    setup = f"""
        from comfyclient import Client, as_completed
        client, WAIT, TEXT = Client(), {WAIT}, {TEXT}
    """
    cell = kernel.run(textwrap.dedent(setup))
    assert (cell.error, cell.warned) == (None, "")
    with Client(server.url) as client:
        yield Notebook(kernel, server, gates.current, client)
    gates.current.released.set()
    kernel.run("client.close()\n%reset -f\nimport gc\ngc.collect()")  # what Out had keeps its connections
