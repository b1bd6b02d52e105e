"""The pages whose console blocks are executed: each is one session of a shell, and prints what the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import DOCS, PAGES, blocks, pattern
from tests.workflows import fresh

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN = [
    name
    for name, path in PAGES.items()
    if any(kind == "console" and "$ comfyclient " in body for kind, body in blocks(path.read_text("utf-8")))
]
SERVER = "http://127.0.0.1:8188"  # as pages write it
SEED = "156680208700286"  # of the workflow, likewise
ELSEWHERE = ("pip install", "make ")  # what a reader has done, and a test does not do
MARK = "--- next command ---"


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command of the console blocks, and what it prints."""
    for kind, body in blocks(text):
        if kind == "console":
            for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", body, re.MULTILINE):
                if not command.startswith(ELSEWHERE):
                    yield command, output


@pytest.mark.needs_test_nodes
@pytest.mark.parametrize("name", RUN)
def test_a_page_does_what_it_says(name: str, place: Path, comfyui_url: str) -> None:
    shutil.copy(DOCS / "examples" / "upscale.json", place)
    # A picture that the server has in its cache tells of the workflow that made it, which may have been another page's.
    seed = str(10**14 + fresh() % 10**14)
    for path in place.glob("*.json"):
        path.write_text(path.read_text(encoding="utf-8").replace(SEED, seed), encoding="utf-8")
    told = list(commands(PAGES[name].read_text(encoding="utf-8")))
    script = "exec 2>&1\n" + "".join(f"{command}\necho '{MARK}'\n" for command, _ in told)
    environment = {
        **os.environ,
        "COMFYUI_URL": comfyui_url,
        "COMFYCLIENT_CONFIG": str(place / "config.toml"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["/bin/bash", "-c", script],
        env=environment,
        cwd=place,
        capture_output=True,
        text=True,
        timeout=110,
        check=True,
    )
    printed = done.stdout.split(f"{MARK}\n")
    for (command, output), found in zip(told, printed[:-1], strict=True):
        wanted = output.replace(SERVER, comfyui_url).replace(SEED, seed)
        assert pattern(wanted).fullmatch(found), f"$ {command}\nThe page says:\n{wanted}\nIt prints:\n{found}"


def test_there_is_something_to_execute() -> None:
    assert {"README.md", "docs/howto/command-line.md", "docs/howto/upload.md"} <= {*RUN}
    assert all(list(commands(PAGES[name].read_text(encoding="utf-8"))) for name in RUN)
