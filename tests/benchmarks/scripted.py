"""A server in a process of its own that does what a script says: as fast as it can, or at a steady pace.

It speaks as much of ComfyUI's protocol as the SDK needs for a job, keeps what it was asked, and takes its orders over
HTTP below ``/bench``. In a process of its own it does not take turns with what is measured.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from tests.benchmarks import corpus
from tests.benchmarks.corpus import Script

if TYPE_CHECKING:
    from typing_extensions import Self

_HANDSHAKE = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CLOSE = 8


WORKFLOW = {"1": {"class_type": "EmptyImage", "inputs": {}}, "2": {"class_type": "SaveImage", "inputs": {}}}
"""Fit to be submitted; what the server does then is in its script."""


class Asked(NamedTuple):
    """One HTTP request that came, those to ``/bench`` and ``/ws`` not counted."""

    at: float
    method: str
    path: str


class ScriptedServer:
    """Starts the server and gives it orders; ``with`` ends it.

    Attributes:
        url: Where it answers.
    """

    def __enter__(self) -> Self:
        """Start it."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.scripted"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._process.communicate()  # it ends with its standard input


def order(url: str, what: str, value: Any = None) -> Any:
    """Give the server at ``url`` an order and return its answer."""
    data = None if value is None else json.dumps(value).encode()
    with urllib.request.urlopen(f"{url}/bench/{what}", data) as response:  # noqa: S310 - our own URL
        return json.load(response)


def prepare(url: str, script: Script) -> None:
    """Have the server get a script ready; ``order(url, "go")`` then sends it to every open websocket."""
    order(url, "prepare", asdict(script))


def asked(url: str) -> list[Asked]:
    """What the server was asked so far, in order."""
    return [Asked(*entry) for entry in order(url, "asked")]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[Asked] = []
        self.submitted = 0
        self.script = Script("json3", 0)
        self.pieces: list[bytes] = []
        self.sockets: set[_Handler] = set()

    def handle_error(self, *_: Any) -> None:
        """A client that has seen enough closes in the middle of a script."""

    def send(self) -> None:
        for websocket in list(self.sockets):
            threading.Thread(target=websocket.perform, args=(self.script, self.pieces), daemon=True).start()

    def status(self) -> None:
        for websocket in list(self.sockets):
            websocket.send_status()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/ws":
            self._websocket()
        elif path.startswith("/bench/"):
            self._answer(self._obey(path.removeprefix("/bench/"), None))
        else:
            self._note(path)
            self._answer(_STATES.get(path) or {"id": path.rpartition("/")[2], "status": "in_progress"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = urlsplit(self.path).path
        if path.startswith("/bench/"):
            self._answer(self._obey(path.removeprefix("/bench/"), body))
            return
        self._note(path)
        self.server.submitted += 1
        self._answer({"prompt_id": body.get("prompt_id"), "number": self.server.submitted, "node_errors": {}})
        self.server.status()

    def _obey(self, what: str, value: Any) -> Any:
        if what == "asked":
            return self.server.asked
        if what == "prepare":
            self.server.script = Script(**value)
            self.server.pieces = [] if self.server.script.pause else corpus.pieces(self.server.script)
        else:
            self.server.send()
        return None

    def _note(self, path: str) -> None:
        self.server.asked.append(Asked(time.monotonic(), self.command, path))

    def _answer(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _websocket(self) -> None:
        key = self.headers["Sec-WebSocket-Key"].encode() + _HANDSHAKE
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key).digest()).decode())  # noqa: S324
        self.end_headers()
        self.close_connection = True
        self.server.sockets.add(self)  # first, since whoever has the greeting may give orders at once
        self.send_status()
        try:
            while self._read_frame() != _CLOSE:
                pass
        finally:
            self.server.sockets.discard(self)
        self.wfile.write(corpus.frame(_CLOSE, b"\x03\xe8"))

    def _read_frame(self) -> int:
        """Read a short masked frame and forget its content; its opcode, that of a close frame at the end."""
        head = self.rfile.read(2)
        if len(head) < 2:
            return _CLOSE
        length = head[1] & 0x7F
        if length == 126:
            length = int.from_bytes(self.rfile.read(2), "big")
        self.rfile.read(4 + length)
        return head[0] & 0x0F

    def send_status(self) -> None:
        message = {"type": "status", "data": {"status": {"exec_info": {"queue_remaining": self.server.submitted}}}}
        self.wfile.write(corpus.frame(corpus.TEXT, json.dumps(message).encode()))

    def perform(self, script: Script, pieces: list[bytes]) -> None:
        try:
            for piece in pieces:
                self.connection.sendall(piece)
            if script.pause:
                self._keep_pace(script)
        except OSError:
            pass  # the client has seen enough

    def _keep_pace(self, script: Script) -> None:
        for _ in range(script.events):
            time.sleep(script.pause)
            self.connection.sendall(corpus.stamped(script, time.perf_counter_ns()))
        time.sleep(script.pause)
        self.connection.sendall(corpus.frame(corpus.TEXT, corpus.last_message(script.prompt_id)))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


_STATES = {
    "/queue": {"queue_running": [], "queue_pending": []},
    "/prompt": {"exec_info": {"queue_remaining": 1}},
}


def _main() -> None:
    server = _Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    _main()
