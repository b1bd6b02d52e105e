"""nginx from Debian as a child process of the tests: never the system's own service."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
from typing import TYPE_CHECKING

from tests.comfyui.server import ATTEMPTS, PORTS
from tests.conftest import soon

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from typing_extensions import Self

PATIENCE = 10.0

FRAME = """
{user}
worker_processes 1;
daemon off;
pid nginx.pid;
error_log error.log notice;
events {{ worker_connections 256; }}
http {{
    access_log access.log;
    client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp; scgi_temp_path temp;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    client_max_body_size 100m;
    {servers}
}}
"""

# A child whose standard input is ours ends when we do, however hard we are killed.
SHELL = '"$1" -p . -e error.log -c nginx.conf & child=$!; cat >/dev/null; kill "$child"; wait "$child"'


class Nginx:
    """One nginx on 127.0.0.1; ``with`` starts and ends it.

    Args:
        program: See ``programs.find``.
        directory: Where its files go; those that the configuration names lie there already.
        servers: What stands inside ``http { }``; ``{name}`` is replaced by the port of that name.
        names: The names of the ports.

    Attributes:
        ports: By name.
    """

    def __init__(self, program: str, directory: Path, servers: str, *names: str) -> None:
        self._program = program
        self._directory = directory
        self._servers = servers
        self._names = names
        self._process: subprocess.Popen[bytes] | None = None
        self.ports: Mapping[str, int] = {}

    def __enter__(self) -> Self:
        (self._directory / "temp").mkdir(exist_ok=True)
        for _ in range(ATTEMPTS):
            self.ports = dict(zip(self._names, secrets.SystemRandom().sample(PORTS, len(self._names)), strict=True))
            self._launch()
            if soon(lambda: self._gave_up() or self._answers(), PATIENCE) and not self._gave_up():
                return self
            said = self.log()
            self._end()
            if "Address already in use" not in said:
                raise RuntimeError(f"nginx did not start:\n{said}")
        raise RuntimeError(f"nginx found no free ports in {ATTEMPTS} attempts")

    def __exit__(self, *_: object) -> None:
        self._end()

    def log(self) -> str:
        """What it has complained about."""
        path = self._directory / "error.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def _launch(self) -> None:
        servers = self._servers
        for name, port in self.ports.items():
            servers = servers.replace(f"{{{name}}}", str(port))
        # Its workers must be able to read our directory, which is nobody else's.
        user = "user root;" if os.geteuid() == 0 else ""
        (self._directory / "error.log").unlink(missing_ok=True)
        (self._directory / "nginx.conf").write_text(FRAME.format(user=user, servers=servers), encoding="utf-8")
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", SHELL, "sh", self._program],
            cwd=self._directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us
        )

    def _gave_up(self) -> bool:
        return "[emerg]" in self.log()

    def _answers(self) -> bool:
        for port in self.ports.values():
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                return False
        # The port may be somebody else's, who answers in our stead.
        return (self._directory / "nginx.pid").exists() and bool((self._directory / "nginx.pid").read_text().strip())

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
            process.wait(PATIENCE)
        (self._directory / "nginx.pid").unlink(missing_ok=True)
