"""How programs are installed for the tests that want them, by an apt-get that only writes down what it is told."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests import programs
from tests.programs import InstallError

if TYPE_CHECKING:
    from pathlib import Path

LINES: list[str] = []


@pytest.fixture
def bin_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory on PATH, for a root user."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def apt_get(directory: Path, *lines: str) -> Path:
    """Put an apt-get there; it returns where that writes its commands to."""
    noted = directory / "noted"
    script = "\n".join(["#!/bin/sh", f'echo "$1" "$DEBIAN_FRONTEND" "$RUNLEVEL" >> {noted}', *lines, ""])
    (directory / "apt-get").write_text(script)
    (directory / "apt-get").chmod(0o755)
    return noted


def test_the_lists_that_are_there_are_tried_first(bin_directory: Path) -> None:
    noted = apt_get(bin_directory)
    programs.install("nginx", LINES.append)
    assert noted.read_text().splitlines() == ["install noninteractive 1"]


def test_then_new_ones(bin_directory: Path) -> None:
    noted = apt_get(bin_directory, f'[ "$1" = update ] || [ "$(wc -l < {bin_directory}/noted)" = 3 ]')
    programs.install("nginx", LINES.append)
    assert [line.split()[0] for line in noted.read_text().splitlines()] == ["install", "update", "install"]


def test_why_it_failed_is_said(bin_directory: Path) -> None:
    apt_get(bin_directory, "echo first >&2", 'echo "E: no network" >&2', "exit 100")
    with pytest.raises(InstallError, match=r"/apt-get update failed: E: no network$"):
        programs.install("nginx", LINES.append)


def test_it_takes_root(bin_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noted = apt_get(bin_directory)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(InstallError, match="installing it takes root and apt"):
        programs.install("nginx", LINES.append)
    assert not noted.exists()


def test_without_it_all_goes_on(
    bin_directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    apt_get(bin_directory, "exit 100")
    monkeypatch.setattr(programs, "find", lambda _: None)
    assert programs.main() == 0
    assert "No nginx: " in (said := capsys.readouterr().err)
    assert "the tests behind nginx are left out" in said
    assert "No chromium: " in said


def test_what_is_there_is_found(bin_directory: Path) -> None:
    (bin_directory / "nginx").write_text("#!/bin/sh\n")
    (bin_directory / "nginx").chmod(0o755)
    assert programs.find("nginx") == str(bin_directory / "nginx")
