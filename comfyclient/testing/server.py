"""``EmbeddedServer``: a small ComfyUI in this process, for tests."""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from comfyclient.testing.faults import Faults
from comfyclient.testing.folders import Folders
from comfyclient.testing.life import Life, Loop, bind
from comfyclient.testing.machine import Machine
from comfyclient.testing.nodes import default_nodes
from comfyclient.testing.versions import Version

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Iterable, Iterator, Mapping
    from typing import TypeVar

    from typing_extensions import Self

    from comfyclient.testing.graph import NodeClass
    from comfyclient.testing.script import Submission
    from comfyclient.testing.sockets import Sockets

    T = TypeVar("T")


class EmbeddedServer(Faults):
    """A server that speaks ComfyUI's protocol, without models and without a GPU.

    It runs workflows for real, one after the other, in a thread of this process, and listens on 127.0.0.1 alone.
    Its directories are temporary. Use it as a context manager, or ``start`` and ``stop`` it.

    Args:
        nodes: Node classes beside those it comes with: what ``@node`` made, or classes in ComfyUI's own form; or a
            mapping of names to them, such as a pack's ``NODE_CLASS_MAPPINGS``. They win over shipped ones of that name.
        models: Names of models by folder, to be offered beside the shipped names.
        port: Where to listen; 0 means any free port.
        emulate: Which server to behave like: ``"2024-03"``, ``"0.3.64"``, ``"0.9.2"`` or ``"0.30.0"``.
        latency: Seconds that each run of a node takes beyond what it needs; ``server.latency`` has more of the kind.
        max_body: Bytes that a request may have.

    Raises:
        ValueError: There is no such server to emulate, or no such port.
        TypeError: A node is none, or the models of a folder are no list.

    Attributes:
        latency: How slow it is; may be changed at any time.

    Example:
        >>> with EmbeddedServer() as server, Client(server.url) as client:
        ...     server.fail_next("KSampler", RuntimeError("out of ink"))
        ...     print(client.submit("portrait.json").exception().exception_message)
        ...     print(len(client.run("portrait.json").images), len(server.submitted))
        out of ink
        1 2
    """

    def __init__(
        self,
        nodes: Iterable[NodeClass] | Mapping[str, NodeClass] = (),
        *,
        models: Mapping[str, Iterable[str]] | None = None,
        port: int = 0,
        emulate: str = "0.30.0",
        latency: float = 0.0,
        max_body: int = 100 * 2**20,
    ) -> None:
        super().__init__()
        if not 0 <= port <= _LAST_PORT:
            raise ValueError(f"port={port} is none: they go from 0, which means any free one, to {_LAST_PORT}")
        for folder, names in (models or {}).items():
            if isinstance(names, str):
                raise TypeError(f"models[{folder!r}] is a list of names, not the name {names!r}")
        self._version = Version(emulate)
        self._classes = {**default_nodes(), **_by_name(nodes)}
        self._models = {**_MODELS, **{name: [*_MODELS.get(name, ()), *more] for name, more in (models or {}).items()}}
        self._max_body = max_body
        self._wanted_port = port
        self._port: int | None = None
        self.latency = self._script.latency
        self.latency.node = latency
        self._life: Life | None = None
        self._loop: Loop | None = None
        self._kept: socket.socket | None = None  # has the port while nobody listens there, so that nobody else gets it

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = "stopped" if self._life is None else f"at {self.url}"
        return f"<{type(self).__name__} {state}>"

    # ── lifecycle ────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def port(self) -> int:
        """Where it listens.

        Raises:
            RuntimeError: It was never started.
        """
        if self._port is None:
            raise RuntimeError("the embedded server was not started")
        return self._port

    @property
    def url(self) -> str:
        """Where clients find it.

        Raises:
            RuntimeError: It was never started.
        """
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; once it returns, clients may connect.

        Raises:
            RuntimeError: It runs already.
            OSError: The port is taken.
        """
        if self._loop is not None:
            raise RuntimeError("the embedded server runs already")
        listener = bind(self._wanted_port)
        self._port = self._wanted_port = listener.getsockname()[1]
        self._loop = Loop()
        self._life = Life(self._new_machine, self._script, self._max_body)
        self._call(self._life.listen(listener))

    def stop(self) -> None:
        """End it, with all connections, and remove its directories; it may be started again, at the same port.

        Whatever runs is interrupted. A node that does not return within 5 s is left to itself, with a warning. There
        is one, too, if something that was to fail, to be answered otherwise or to be lost never came: a node that is
        misspelled, say.
        """
        if self._loop is None or self._life is None:
            return
        machine = self._life.machine
        try:
            self._call(self._life.hang_up())
        finally:
            if self._kept is not None:
                self._kept.close()
                self._kept = None
            machine.stop()
            self._loop.stop()
            self._life = self._loop = None
            self._script.frozen = False
            machine.folders.remove()
        if rest := self._script.take_rest():
            warnings.warn(
                f"{', '.join(rest)}: nothing of the kind ran or was asked for before the embedded server stopped",
                UserWarning,
                stacklevel=2,
            )

    def restart(self, *, forget: bool = True) -> None:
        """Stop and start, at the same port: connections break, and are refused for a moment.

        Args:
            forget: Lose the queue, what runs, history and caches, and empty the temp directory, as a real server does
                when its process ends. Otherwise only the connections are lost, and prompts go on meanwhile.
        """
        life = self._alive()
        self._hang_up(life)
        if forget:
            life.machine.stop()
            life.machine.folders.wipe_temp()
            life = self._life = Life(self._new_machine, self._script, self._max_body, life.machine.folders)
        self._script.frozen = False
        self._listen(life)

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Cut all connections and refuse new ones for as long as this lasts; prompts go on meanwhile."""
        life = self._alive()
        self._hang_up(life)
        try:
            yield
        finally:
            if life is self._life and not life.listens:  # it may have been stopped or restarted meanwhile
                self._listen(life)

    # ── what it has ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def root(self) -> Path:
        """The directory that holds input, output, temp, user and models."""
        return self._alive().machine.folders.root

    def directory(self, kind: str) -> Path:
        """One of ``"input"``, ``"output"`` and ``"temp"``.

        Raises:
            KeyError: It is none of these.
        """
        return self._alive().machine.folders.directory(kind)

    @property
    def submitted(self) -> list[Submission]:
        """Every ``POST /prompt`` so far, in order."""
        return self._script.submitted()

    # ── machinery ────────────────────────────────────────────────────────────────────────────────────────────────

    def _alive(self) -> Life:
        if self._life is None:
            raise RuntimeError("the embedded server does not run")
        return self._life

    def _hang_up(self, life: Life) -> None:
        self._call(life.hang_up())
        if self._kept is None:
            self._kept = bind(self.port)

    def _listen(self, life: Life) -> None:
        kept, self._kept = self._kept, None
        self._call(life.listen(kept or bind(self.port)))

    def _new_machine(self, sockets: Sockets, folders: Folders | None) -> Machine:
        folders = folders or Folders(Path(tempfile.mkdtemp(prefix="comfyclient-")), self._models)
        return Machine(self._classes, folders, self._version, self._script, sockets)

    def _call(self, work: Awaitable[T]) -> T:
        """Have the server's thread do it."""
        if self._loop is None:
            raise RuntimeError("the embedded server does not run")
        return self._loop.call(work)


def _by_name(nodes: Iterable[NodeClass] | Mapping[str, NodeClass]) -> dict[str, NodeClass]:
    if isinstance(nodes, type):
        raise TypeError(f"nodes is a list of nodes, not the node {nodes.__name__}")
    found = dict(
        nodes.items() if hasattr(nodes, "items") else ((getattr(each, "__name__", ""), each) for each in nodes)
    )
    for each in found.values():
        if not (isinstance(each, type) and hasattr(each, "INPUT_TYPES")):
            raise TypeError(f"{each!r} is no node; @node makes one of a function")
    return found


_LAST_PORT = 65535

_MODELS: dict[str, list[str]] = {
    "checkpoints": [
        "sd_xl_base_1.0.safetensors",
        "v1-5-pruned-emaonly-fp16.safetensors",
        "v1-5-pruned-emaonly.safetensors",
    ],
    "vae": ["ae.safetensors", "vae-ft-mse-840000-ema-pruned.safetensors"],
    "loras": ["example.safetensors"],
}
"""What the shipped stand-ins offer."""
