"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PLUGIN = "comfyclient.testing.plugin"
TEST = """
import pytest
from comfyclient.testing import node

@node(output_node=True)
def Hello(name: str) -> str:
    return {"ui": {"text": [f"hello {name}"]}, "result": (name,)}

@pytest.fixture
def comfy_options():
    return {"nodes": [Hello]}

@pytest.mark.parametrize("number", [1, 2])
def test_it(number, comfy_server, comfy_client):
    result = comfy_client.run({"1": {"class_type": "Hello", "inputs": {"name": "you"}}}, timeout=30)
    assert result["1"].texts == ("hello you",)
    assert len(comfy_server.submitted) == 1
"""
WITHOUT = """
import sys

class Missing:
    @staticmethod
    def find_spec(name, *_):
        if name == "aiohttp":
            raise ModuleNotFoundError(name=name)

def find_spec(name):
    return None if name == "aiohttp" else True

import importlib.util
importlib.util.find_spec = find_spec
sys.meta_path.insert(0, Missing)
import comfyclient.testing.plugin as plugin
assert not hasattr(plugin, "comfy_server")
assert "numpy" not in sys.modules
try:
    from comfyclient.testing import EmbeddedServer
except ModuleNotFoundError as error:
    assert "pip install 'comfyclient[testing]'" in str(error), error
else:
    raise SystemExit(1)
"""


def test_the_fixtures(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(TEST, encoding="utf-8")
    loaded = [] if any(entry.value == PLUGIN for entry in entry_points(group="pytest11")) else ["-p", PLUGIN]
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", *loaded, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_without_the_extra_there_is_nothing_but_a_hint() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_plugin_imports_nothing_heavy() -> None:
    code = f"import sys, {PLUGIN}; sys.exit(any(name in sys.modules for name in ('aiohttp', 'numpy', 'PIL')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
