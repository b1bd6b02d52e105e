"""Run a real ComfyUI as a child process, for tests that must end whatever happens."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from tests.comfyui.provision import Installation

HERE = Path(__file__).parent
FOLDERS = ("custom_nodes", "input", "models", "output", "temp", "user")
# Below the range from which operating systems take the ports of outgoing connections, so that none of those
# can grab ours in the seconds between our choice and the server's bind.
PORTS = range(20000, 32000)
ATTEMPTS = 5


class ServerFailedError(Exception):
    """The server did not come up; the message ends with the last lines of its log."""


class RealServer:
    """One ComfyUI on 127.0.0.1, with a base directory and a process group of its own and with our test nodes.

    ::

        with RealServer(installation) as server:
            requests.get(f"{server.url}/system_stats")

    It ends with the ``with`` block, and also when this process is killed, since its standard input ends then.

    Attributes:
        port: Where it listens; chosen anew at each start until one has succeeded, and kept from then on.
        base_directory: Holds its custom_nodes, input, models, output, temp and user folders.
        log_path: Everything it has said, over all its restarts.
        process: The running process, or None.
    """

    def __init__(
        self,
        installation: Installation,
        *arguments: str,
        base_directory: Path | None = None,
        port: int | None = None,
        timeout: float = 120,
        api_nodes: bool = False,
        test_nodes: bool = True,
    ) -> None:
        """Prepare a server; ``start()`` starts it.

        Args:
            installation: What to run.
            *arguments: More options for ComfyUI's command line.
            base_directory: An existing directory; otherwise a temporary one, which ``stop()`` removes.
            port: The port to listen on; otherwise a free one.
            timeout: How many seconds it may take until it answers.
            api_nodes: Whether it has the nodes of paid services.
            test_nodes: Whether it has ours.
        """
        self._installation = installation
        self._arguments = arguments
        self._timeout = timeout
        self._api_nodes = api_nodes
        self._test_nodes = test_nodes
        self._temporary = None if base_directory else tempfile.TemporaryDirectory(prefix="comfyui-")
        self.base_directory = base_directory or Path(self._temporary.name if self._temporary else "")
        self.log_path = self.base_directory / "comfyui.log"
        self.port = port or 0
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        """Start it, and leave nothing behind where that fails."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            ServerFailedError: It died, did not answer in time, or found no free port.
        """
        for folder in FOLDERS:
            (self.base_directory / folder).mkdir(exist_ok=True)
        if self._test_nodes:
            pack = self.base_directory / "custom_nodes" / "comfyclient_test_nodes"
            sources = shutil.ignore_patterns("__pycache__")
            shutil.copytree(HERE / "nodes", pack, dirs_exist_ok=True, ignore=sources)
        # ComfyUI comes with SaveImageWebsocket as a custom node, and looks for those in the base directory alone.
        shipped = self._installation.source / "custom_nodes" / "websocket_image_save.py"
        if shipped.exists():
            shutil.copy(shipped, self.base_directory / "custom_nodes")
        fixed = self.port
        for _ in range(ATTEMPTS):
            self.port = fixed or secrets.choice(PORTS)
            self._launch()
            if self._answers():
                return
        msg = f"ComfyUI found no free port on 127.0.0.1 (tried {fixed or ATTEMPTS})"
        raise ServerFailedError(msg)

    def stop(self) -> None:
        """End it, politely first, and remove its base directory if that was a temporary one."""
        self._end(signal.SIGTERM)
        if self._temporary:
            self._temporary.cleanup()

    def kill(self) -> None:
        """End it as a crash or a power cut would; ``start()`` brings it back on the same port."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """End it and start it again on the same port: queue, history and cache are gone, files are not."""
        self._end(signal.SIGTERM)
        self.start()

    def log_tail(self, start: int = 0, lines: int = 40) -> str:
        """The last lines of its log, of what came after position ``start``."""
        with contextlib.suppress(FileNotFoundError), self.log_path.open("rb") as log:
            log.seek(start)
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
        return ""

    def _launch(self) -> None:
        database = f"sqlite:///{self.base_directory / 'user' / 'comfyui.db'}"
        command: Sequence[str] = [
            *(str(self._installation.python), str(HERE / "_child.py"), "main.py"),
            *("--cpu", "--port", str(self.port)),
            *(() if self._api_nodes else ("--disable-api-nodes",)),
            *("--base-directory", str(self.base_directory), "--database-url", database),
            *self._arguments,
        ]
        self._log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        # Started often, it shall compile itself once, whatever is wished for the rest of this session.
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self._installation.source,
                stdin=subprocess.PIPE,  # see _child.py
                stdout=log,
                stderr=log,
                env={**environ, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,  # Ctrl-C is for us, not for the server
            )

    def _answers(self) -> bool:
        """Wait until the server answers; False where somebody else has its port."""
        deadline = time.monotonic() + self._timeout
        while self.process and time.monotonic() < deadline:
            if self._is_ours():
                return True
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.1)
                break
        dead = self.process and self.process.poll() is not None
        self.kill()
        said = self.log_tail(self._log_start)
        if "already in use" in said:
            return False
        reason = "died while starting" if dead else f"did not answer within {self._timeout:g} s"
        msg = f"ComfyUI {reason}. Its log ends with:\n{said}"
        raise ServerFailedError(msg)

    def _is_ours(self) -> bool:
        """Whether a server answers that knows our base directory: the port may be somebody else's."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/system_stats")
            stats = json.load(connection.getresponse())
        except (OSError, ValueError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return str(self.base_directory) in stats.get("system", {}).get("argv", ())

    def _end(self, first: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        for number in (first, signal.SIGKILL):
            # The group, since nodes may have started programs; its leader may be gone already.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
        if process.stdin:
            process.stdin.close()
