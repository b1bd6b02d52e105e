"""Where pages and examples are executed: a directory with the files that they use, and a server."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.docs.pages import DOCS

if TYPE_CHECKING:
    from pathlib import Path

# Every checkpoint that one could load here has random weights.
CHECKPOINT = {"CheckpointLoaderSimple": "TestCheckpoint"}


@pytest.fixture
def place(tmp_path: Path, comfyui_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a reader with a ComfyUI, a workflow, exported and saved, a photo and a service."""
    for name in ("portrait.json", "portrait-saved.json"):
        text = (DOCS / "examples" / name).read_text(encoding="utf-8")
        for written, meant in CHECKPOINT.items():
            text = text.replace(written, meant)
        (tmp_path / name).write_text(text, encoding="utf-8")
    Image.new("RGB", (640, 480), "orange").save(tmp_path / "photo.png")
    shutil.copy(DOCS / "examples" / "fastapi_service.py", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("COMFYUI_URL", comfyui_url)
    return tmp_path
