"""Where pages and examples are executed: a directory with the files that they use, and a server."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.docs.pages import DOCS

if TYPE_CHECKING:
    from pathlib import Path

    from comfyclient.testing import EmbeddedServer
    from tests.workflows import Gate

# Every checkpoint that one could load here has random weights.
CHECKPOINT = {"CheckpointLoaderSimple": "TestCheckpoint"}
FILES = ("portrait.json", "portrait-saved.json", "image-to-image.json", "fastapi_service.py")


def hold(workflow: Path, gate: Gate) -> None:
    """Have a file's workflow wait at a gate once all is sampled."""
    graph = json.loads(workflow.read_text("utf-8"))
    graph["gate"] = gate.node(value=["3", 0])
    graph["8"]["inputs"]["samples"] = ["gate", 0]
    workflow.write_text(json.dumps(graph), encoding="utf-8")


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a reader: workflows, exported and saved, a photo and a service."""
    for name in FILES:
        shutil.copy(DOCS / "examples" / name, tmp_path)
    Image.new("RGB", (640, 480), "orange").save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, built as `make docs` does; beside them, ``jupyter_execute`` has the notebooks as they were run."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # the processes of one run share what the first of them builds
    output = root / "documentation" / "html"
    options = ["--nitpicky", "--fail-on-warning", "--keep-going", "--quiet"]
    command = [sys.executable, "-m", "sphinx", *options, str(DOCS), str(output)]
    with (root / "documentation.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (output / "objects.inv").exists():
            done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
            assert done.returncode == 0, done.stderr
    return output


@pytest.fixture
def place(directory: Path, comfyui_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, with a ComfyUI."""
    for path in directory.glob("portrait*.json"):
        text = path.read_text(encoding="utf-8")
        for written, meant in CHECKPOINT.items():
            text = text.replace(written, meant)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("COMFYUI_URL", comfyui_url)
    return directory


@pytest.fixture
def embedded_place(directory: Path, comfy_server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, with an embedded server that nobody used before."""
    monkeypatch.setenv("COMFYUI_URL", comfy_server.url)
    return directory
