"""Files that commands read: workflows in every shape, and a server's node classes."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.captures import catalog
from tests.workflows import Graph, plain, plain_saved

if TYPE_CHECKING:
    from pathlib import Path

EXPORT: Graph = plain(0xFF8800)
EXPORT["1"]["_meta"]["title"] = "Empty Image"  # as editors export it
SAVED = plain_saved(0xFF8800)


def written(directory: Path) -> None:
    """Put them into a directory.

    ``export.json`` and ``saved.json`` are the same workflow in both formats, ``both.png`` has both in it, ``ran.png``
    and ``edited.png`` one of them; ``nodes.json`` are node classes, and ``text.txt`` is nothing of the kind.
    """
    for name, content in {"export": EXPORT, "saved": SAVED, "nodes": catalog()}.items():
        (directory / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    (directory / "both.png").write_bytes(picture(prompt=EXPORT, workflow=SAVED))
    (directory / "ran.png").write_bytes(picture(prompt=EXPORT))
    (directory / "edited.png").write_bytes(picture(workflow=SAVED))
    (directory / "text.txt").write_text("a fox in the snow", encoding="utf-8")


def picture(**texts: Any) -> bytes:
    """An image with texts in it, as ComfyUI writes them."""
    info = PngInfo()
    for key, value in texts.items():
        info.add_text(key, json.dumps(value))
    sink = io.BytesIO()
    Image.new("RGB", (16, 16), "orange").save(sink, "PNG", pnginfo=info)
    return sink.getvalue()
