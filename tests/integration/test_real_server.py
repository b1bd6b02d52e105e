"""The harness itself: servers start, end and come back as the other tests rely on."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests

from tests.comfyui.server import ServerFailedError
from tests.conftest import soon

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import ComfyUI, StartComfyUI


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/system_stats", timeout=10).ok
    except requests.RequestException:  # it may be cut off amid its answer
        return False


def test_a_taken_port_is_left_alone_and_a_killed_server_comes_back(
    comfyui: ComfyUI, start_comfyui: StartComfyUI, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert comfyui.server
    ports = iter(range(comfyui.server.port, comfyui.server.port + 9))
    monkeypatch.setattr("secrets.choice", lambda _: next(ports))
    server = start_comfyui()
    assert server.port > comfyui.server.port
    assert answers(server.url)
    assert answers(comfyui.url)

    url = server.url
    server.kill()
    assert not answers(url)
    server.start()
    assert server.url == url
    assert answers(url)
    server.stop()
    assert not answers(url)


def test_a_server_that_dies_says_why(start_comfyui: StartComfyUI) -> None:
    with pytest.raises(ServerFailedError, match=r"died while starting(.|\n)*unrecognized arguments: --no-such"):
        start_comfyui("--no-such-option")


@pytest.mark.usefixtures("start_comfyui")
def test_a_server_dies_with_whoever_started_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.comfyui", "serve"]
    environ = os.environ | {"TMPDIR": str(tmp_path)}  # nobody is left to clean up
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as parent:
        assert parent.stdout
        url = parent.stdout.readline().strip()
        assert answers(url)
        parent.kill()
    assert soon(lambda: not answers(url))


def test_run_passes_on_your_server_and_the_status_of_the_command() -> None:
    script = "import os, sys; sys.exit(7 if os.environ['COMFYUI_URL'] == 'http://example.invalid' else 1)"
    command = [sys.executable, "-m", "tests.comfyui", "run", "--", sys.executable, "-c", script]
    environ = os.environ | {"COMFYUI_URL": "http://example.invalid"}
    assert subprocess.run(command, env=environ, timeout=60, check=False).returncode == 7
