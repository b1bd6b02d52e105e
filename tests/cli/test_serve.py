"""``comfyclient serve``."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from comfyclient import Client
from comfyclient.cli.commands.serve import ServingDocument
from tests.workflows import plain

if TYPE_CHECKING:
    from tests.cli.program import Program

WITHOUT = """
import sys
sys.modules["aiohttp"] = None
from comfyclient.cli import main
sys.argv = ["comfyclient", "serve", "--port", "0"]
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_until_it_is_told_to_stop(program: Program, number: signal.Signals) -> None:
    running = program.start("serve", "--port", "0")
    url = running.wait_for("http://").strip()
    running.wait_for("An embedded ComfyUI 0.30.0 answers here; Ctrl-C ends it.", "err")
    with Client(url) as client:
        assert len(client.run(plain(1)).images) == 1
    running.signal(number)
    done = running.end()
    assert (done.code, done.out) == (0, f"{url}\n")


def test_as_json(program: Program) -> None:
    running = program.start("serve", "--port", "0", "--emulate", "0.9.2", "--json")
    running.wait_for("}")
    running.signal()
    found = running.end().json(ServingDocument)
    assert found["emulates"] == "0.9.2"
    assert found["url"].startswith("http://127.0.0.1:")


def test_what_goes_wrong(program: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = program("serve", "--port", str(port), code=1)
        assert done.err.startswith(f"The embedded server cannot listen on port {port}: ")
    assert "65536 is not in the range" in program("serve", "--port", "65536", code=2).err
    assert "'1.0' is not one of" in program("serve", "--emulate", "1.0", code=2).err
    assert "-1.0 is not in the range" in program("serve", "--latency", "-1", code=2).err


def test_without_the_extra() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr == "comfyclient.testing needs aiohttp: pip install 'comfyclient[testing]'\n"
