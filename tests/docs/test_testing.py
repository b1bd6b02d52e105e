"""The tests that README and pages show are run as a reader runs them: by a pytest of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.docs.pages import DOCS, PAGES, blocks

if TYPE_CHECKING:
    from pathlib import Path

TEXT = PAGES["docs/howto/test-your-application.md"].read_text(encoding="utf-8")
OWN_NODES = """

def test_nodes_and_models_of_ones_own(comfy_client):
    assert "watercolour.safetensors" in comfy_client.models.list("loras")
    assert comfy_client.nodes.get("RemoveBackground").input["required"].keys() == {"image"}
"""


def run(directory: Path) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:randomly", "."]
    done = subprocess.run(command, capture_output=True, text=True, cwd=directory, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_tests_from_scratch(tmp_path: Path) -> None:
    application, tests = [body for kind, body in blocks(TEXT) if kind == "python"][:2]
    shutil.copy(DOCS / "examples" / "portrait.json", tmp_path)
    (tmp_path / "postcards.py").write_text(application, encoding="utf-8")
    (tmp_path / "test_postcards.py").write_text(tests, encoding="utf-8")
    [said] = [body.splitlines()[-1] for kind, body in blocks(TEXT) if kind == "console" and "pytest -q" in body]
    assert run(tmp_path).splitlines()[0] == said


def test_the_test_in_the_readme(tmp_path: Path) -> None:
    [test] = [body for _, body in blocks(PAGES["README.md"].read_text(encoding="utf-8")) if "comfy_server" in body]
    shutil.copy(DOCS / "examples" / "portrait.json", tmp_path)
    (tmp_path / "test_readme.py").write_text(test, encoding="utf-8")
    assert "1 passed" in run(tmp_path)


def test_the_tests_of_the_service(tmp_path: Path) -> None:
    [tests] = [body for kind, body in blocks(PAGES["docs/howto/fastapi.md"].read_text("utf-8")) if kind == "python"]
    for name in ("portrait.json", "fastapi_service.py"):
        shutil.copy(DOCS / "examples" / name, tmp_path)
    (tmp_path / "test_service.py").write_text(tests, encoding="utf-8")
    assert "2 passed" in run(tmp_path)


def test_nodes_of_ones_own(tmp_path: Path) -> None:
    nodes = [body for kind, body in blocks(TEXT) if kind == "python"][2]
    (tmp_path / "test_nodes.py").write_text(f"import pytest\n{nodes}{OWN_NODES}", encoding="utf-8")
    assert "1 passed" in run(tmp_path)
