"""Starting and stopping the embedded server: what is left behind, and how fast it is."""
# ruff: noqa: N802 - a node's function is called what the class is

from __future__ import annotations

import contextlib
import gc
import os
import socket
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from comfyclient import Client, ServerUnreachable
from comfyclient.testing import EmbeddedServer, node
from tests.conftest import soon
from tests.testing.nodes import Gate, gate_node, graph, n
from tests.workflows import plain

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 10.0


@pytest.fixture
def threads() -> Callable[[], set[str]]:
    """The threads of embedded servers, but for those that run already."""
    before = {thread for thread in threading.enumerate() if thread.is_alive()}
    return lambda: {
        thread.name
        for thread in threading.enumerate()
        if thread not in before and thread.name.startswith("embedded-comfyui")
    }


def test_nothing_is_left_behind(threads: Callable[[], set[str]]) -> None:
    with EmbeddedServer() as server, Client(server.url) as client:
        client.run(plain(1), timeout=SECONDS)
        root = server.root
        assert root.exists()
        assert threads() == {"embedded-comfyui-server", "embedded-comfyui-worker"}
    assert not root.exists()
    assert threads() == set()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))


def test_a_program_that_never_stops_its_server_leaves_no_directory_behind() -> None:
    code = "from comfyclient.testing import EmbeddedServer; s = EmbeddedServer(); s.start(); print(s.root)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip()
    assert not Path(done.stdout.strip()).exists()


def test_servers_that_have_ended_take_no_memory() -> None:
    """What they hold of prompts and pictures goes with them, also of those that were only restarted."""
    gone = []
    with EmbeddedServer() as server, Client(server.url) as client:
        for _ in range(2):
            client.run(plain(1), timeout=SECONDS)
            gone.append(weakref.ref(server._alive().machine))
            server.restart()
        client.run(plain(1), timeout=SECONDS)
        gone.append(weakref.ref(server._alive().machine))
    gc.collect()
    assert [machine() for machine in gone] == [None] * 3


def test_it_may_be_started_again_at_the_same_port() -> None:
    server = EmbeddedServer()
    with pytest.raises(RuntimeError, match="was not started"):
        _ = server.url
    for _ in range(2):
        with server:
            url = server.url
            assert requests.get(f"{url}/prompt", timeout=SECONDS).ok
            with pytest.raises(RuntimeError, match="runs already"):
                server.start()
    server.stop()
    with pytest.raises(RuntimeError, match="does not run"):
        _ = server.root


def test_stopping_interrupts_what_runs_and_cuts_who_is_connected(threads: Callable[[], set[str]]) -> None:
    gate = Gate()
    waiting = plain(1)
    waiting["1"]["inputs"]["color"] = ["3", 0]
    waiting["3"] = n("Wait")
    with EmbeddedServer([gate_node(gate)]) as server, Client(server.url) as client:
        client.submit(
            graph(
                n1=n("Wait"),
                n2=n("PreviewImage", images=["3", 0]),
                n3=n("EmptyImage", width=["1", 0], height=8, batch_size=1, color=0),
            )
        )
        assert gate.reached.wait(SECONDS)
        before = time.monotonic()
        server.stop()
        assert time.monotonic() - before < SECONDS
    assert threads() == set()


def test_connections_of_the_last_moment_are_closed_too() -> None:
    """Where one is left open, it is found when the test has ended, as in all tests."""

    def connect(port: int, ended: threading.Event, many: threading.Event) -> None:
        sockets = []
        while not ended.is_set():
            with contextlib.suppress(OSError):
                sockets.append(socket.create_connection(("127.0.0.1", port), SECONDS))
            if len(sockets) > 20:
                many.set()
        for each in sockets:
            each.close()

    for _ in range(3):
        ended, many = threading.Event(), threading.Event()
        with EmbeddedServer() as server:
            threads = [threading.Thread(target=connect, args=(server.port, ended, many)) for _ in range(3)]
            for thread in threads:
                thread.start()
            assert many.wait(SECONDS)
            server.restart()
        ended.set()
        for thread in threads:
            thread.join()


def test_a_node_that_does_not_return_is_warned_about(
    monkeypatch: pytest.MonkeyPatch, threads: Callable[[], set[str]]
) -> None:
    monkeypatch.setattr("comfyclient.testing.machine.STOPPING", 0.1)
    reached, released = threading.Event(), threading.Event()

    @node(output_node=True)
    def Hang() -> None:
        reached.set()
        released.wait(SECONDS)

    server = EmbeddedServer([Hang])
    server.start()
    with Client(server.url) as client:
        client.submit(graph(n1=n("Hang")))
        assert reached.wait(SECONDS)
        with pytest.warns(ResourceWarning, match="does not return"):
            server.stop()
    released.set()
    assert soon(lambda: not threads())


def test_only_this_machine_may_connect() -> None:
    with EmbeddedServer() as server:
        with open("/proc/net/tcp", encoding="ascii") as table:  # noqa: PTH123 - no file
            listening = [line.split()[1] for line in table if line.split()[3] == "0A"]
        assert f"0100007F:{server.port:04X}" in listening


def test_importing_the_client_does_not_import_the_server() -> None:
    code = "import sys, comfyclient; sys.exit('aiohttp' in sys.modules or 'comfyclient.testing' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_taken_port() -> None:
    with EmbeddedServer() as server, pytest.raises(OSError, match="in use"):
        EmbeddedServer(port=server.port).start()
    with Client(server.url, connect_timeout=1) as client, pytest.raises(ServerUnreachable):
        client.queue.info()


def test_the_command_prints_its_url_and_ends_with_ctrl_c() -> None:
    command = [sys.executable, "-m", "comfyclient.testing", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().split()[-1]
        with Client(url) as client:
            assert client.run(plain(2), timeout=SECONDS).images
        process.send_signal(2)
        assert process.wait(SECONDS) == 0
        assert process.stderr.read() == ""


def test_the_command_says_that_its_port_is_taken() -> None:
    with EmbeddedServer() as server:
        command = [sys.executable, "-m", "comfyclient.testing", "--port", str(server.port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"The embedded server cannot listen on port {server.port}: Address already in use")


def test_the_command_says_that_there_is_no_such_port() -> None:
    command = [sys.executable, "-m", "comfyclient.testing", "--port", "99999"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.endswith("error: port=99999 is none: they go from 0, which means any free one, to 65535\n")


def test_the_command_names_the_extra_that_is_not_installed() -> None:
    module = "runpy.run_module('comfyclient.testing', run_name='__main__')"
    command = [sys.executable, "-c", f"import runpy, sys; sys.modules['aiohttp'] = None; {module}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr == "comfyclient.testing needs aiohttp: pip install 'comfyclient[testing]'\n"


def function(value: int) -> int:
    return value


class NoNode:
    pass


@node
def Fine(value: int) -> int:
    return value


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"nodes": [function]}, "is no node; @node makes one of a function"),
        ({"nodes": [NoNode]}, "is no node"),
        ({"nodes": {"Fine": Fine, "None": None}}, "None is no node"),
        ({"nodes": ["Fine"]}, "'Fine' is no node"),
        ({"nodes": Fine}, "a list of nodes, not the node Fine"),
        ({"models": {"loras": "a.safetensors"}}, r"models\['loras'\] is a list of names"),
    ],
)
def test_options_that_say_nothing(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(TypeError, match=problem):
        EmbeddedServer(**options)
