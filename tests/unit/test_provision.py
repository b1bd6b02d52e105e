"""What the provisioner decides, on real directories; what it downloads is tried by ``make comfyui``."""

from __future__ import annotations

import fcntl
import os
import queue
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.comfyui import provision
from tests.comfyui.provision import Installation, ProvisionError


def program(path: Path, *lines: str) -> Path:
    """An executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"COMFYCLIENT_CACHE": str(tmp_path / "cache")}


@pytest.fixture
def home(environ: dict[str, str]) -> Path:
    """The place of the installation, where there is nothing yet."""
    return provision.cache_directory(environ) / f"comfyui-{provision.VERSION}"


def complete(home: Path) -> None:
    program(home / "venv" / "bin" / "python")
    (home / ".complete").write_text(provision.stamp(home))


class TestCacheDirectory:
    def test_is_in_the_home_directory(self) -> None:
        assert provision.cache_directory({}) == Path.home() / ".cache" / "comfyclient"

    def test_can_be_moved(self) -> None:
        assert provision.cache_directory({"COMFYCLIENT_CACHE": "~/elsewhere"}) == Path.home() / "elsewhere"
        assert provision.cache_directory({"COMFYCLIENT_CACHE": "here"}) == Path.cwd() / "here"


class TestFind:
    def test_knows_a_complete_installation(self, environ: dict[str, str], home: Path) -> None:
        complete(home)
        assert provision.find(environ) == Installation(home / "venv/bin/python", home / "source")

    def test_finds_nothing_in_an_empty_cache(self, environ: dict[str, str]) -> None:
        assert provision.find(environ) is None

    def test_takes_no_half_made_one(self, environ: dict[str, str], home: Path) -> None:
        complete(home)
        (home / ".complete").unlink()
        assert provision.find(environ) is None

    def test_takes_none_of_another_recipe(self, environ: dict[str, str], home: Path) -> None:
        complete(home)
        (home / ".complete").write_text(provision.stamp(home).replace("torch", "touch"))
        assert provision.find(environ) is None

    def test_takes_none_that_was_moved(self, environ: dict[str, str], home: Path) -> None:
        complete(home)
        moved = home.parent.rename(home.parent.with_name("moved"))
        assert provision.find(environ | {"COMFYCLIENT_CACHE": str(moved)}) is None

    def test_takes_none_whose_python_is_gone(self, environ: dict[str, str], home: Path) -> None:
        complete(home)
        (home / "venv" / "bin" / "python").unlink()
        assert provision.find(environ) is None

    def test_prefers_your_own_checkout(self, environ: dict[str, str], home: Path, tmp_path: Path) -> None:
        complete(home)
        python = program(tmp_path / "own" / ".venv" / "bin" / "python")
        (tmp_path / "own" / "main.py").touch()
        own = environ | {"COMFYUI_PATH": str(tmp_path / "own")}
        assert provision.find(own) == Installation(python, tmp_path / "own")


class TestOwnCheckout:
    @pytest.fixture
    def checkout(self, tmp_path: Path) -> Path:
        (tmp_path / "main.py").touch()
        return tmp_path

    def test_must_be_a_comfyui(self, tmp_path: Path) -> None:
        with pytest.raises(ProvisionError, match=r"no ComfyUI checkout: it has no main\.py"):
            provision.own_checkout(tmp_path)

    @pytest.mark.parametrize("venv", [".venv", "venv"])
    def test_brings_its_python(self, checkout: Path, venv: str) -> None:
        python = program(checkout / venv / "bin" / "python")
        assert provision.own_checkout(checkout).python == python

    def test_runs_with_the_python_it_is_given(self, checkout: Path) -> None:
        program(checkout / ".venv" / "bin" / "python")
        python = program(checkout / "python")
        assert provision.own_checkout(checkout, str(python)).python == python

    def test_needs_a_python_with_torch(self, checkout: Path) -> None:
        python = program(checkout / "venv" / "bin" / "python", "exit 1")
        with pytest.raises(ProvisionError, match=f"{python} cannot import torch.*or set COMFYUI_PYTHON"):
            provision.own_checkout(checkout)


class TestChoosePython:
    def test_takes_the_first_that_fits(self, tmp_path: Path) -> None:
        candidates = [
            program(tmp_path / "shim", "echo 'not installed' >&2", "exit 127"),
            program(tmp_path / "too-old", "echo 3 9"),
            program(tmp_path / "too-new", "echo 3 14"),
            tmp_path / "absent",
            program(tmp_path / "good", "echo 3 12"),
            program(tmp_path / "later", "echo 3 11"),
        ]
        assert provision.choose_python([str(path) for path in candidates]) == str(tmp_path / "good")

    def test_is_content_with_the_running_one(self) -> None:
        if sys.version_info[:2] > provision.PYTHONS[1]:
            pytest.skip("the running Python is too new for ComfyUI")
        assert provision.choose_python([sys.executable]) == sys.executable

    def test_says_what_is_missing(self) -> None:
        with pytest.raises(ProvisionError, match=r"needs a Python 3\.10 to 3\.13 with venv"):
            provision.choose_python([])


class TestCheckDisk:
    def test_is_content_with_enough(self, tmp_path: Path) -> None:
        provision.check_disk(tmp_path, needed=1)

    def test_says_what_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(ProvisionError, match=r"needs 1000000 GB of disk .* has [0-9.]+ GB free: make room"):
            provision.check_disk(tmp_path, needed=10**15)


class TestProvision:
    def test_does_nothing_where_all_is_there(self, environ: dict[str, str], home: Path) -> None:
        complete(home)
        said: list[str] = []
        assert provision.provision(environ, said.append).source == home / "source"
        assert said == []

    def test_waits_for_another_run_and_takes_what_that_made(self, environ: dict[str, str], home: Path) -> None:
        said: queue.Queue[str] = queue.Queue()
        home.parent.mkdir()
        with ThreadPoolExecutor() as pool:
            with (home.parent / f"{home.name}.lock").open("w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                other = pool.submit(provision.provision, environ, said.put)
                assert said.get(timeout=10) == "Another run is fetching ComfyUI; waiting for it."
                complete(home)
            assert other.result(timeout=10).source == home / "source"

    def test_needs_a_directory_it_can_write_to(self, environ: dict[str, str], home: Path) -> None:
        home.parent.touch()
        with pytest.raises(ProvisionError, match=f"Cannot write to {home.parent} .*: set COMFYCLIENT_CACHE"):
            provision.provision(environ)

    def test_starts_over_and_says_when_the_index_is_out_of_reach(
        self, environ: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
        monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
        monkeypatch.setattr(provision, "check_disk", lambda _: None)
        program(home / "venv" / "bin" / "python")
        said: list[str] = []
        with pytest.raises(ProvisionError, match="is the package index reachable"):
            provision.provision(environ, said.append)
        assert said[0] == f"Removing an unfinished {home}"
        assert "connect" in said[-1].lower()  # the last lines of pip
        assert provision.find(environ) is None


class TestMain:
    def run(self, **environ: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.comfyui.provision"]
        return subprocess.run(
            command, env=os.environ | environ, capture_output=True, text=True, timeout=60, check=False
        )

    def test_a_running_server_needs_nothing(self, home: Path) -> None:
        done = self.run(COMFYUI_URL="http://127.0.0.1:8188", COMFYCLIENT_CACHE=str(home.parent))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert not home.parent.exists()

    def test_failure_is_one_sentence_and_a_status(self, tmp_path: Path) -> None:
        done = self.run(COMFYUI_URL="", COMFYUI_PATH=str(tmp_path))
        assert done.returncode == 1
        assert done.stderr == f"COMFYUI_PATH={tmp_path} is no ComfyUI checkout: it has no main.py.\n"
