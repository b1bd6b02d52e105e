"""Files: uploads and what ``GET /view`` gives."""

from __future__ import annotations

import json
import mimetypes
import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from comfyclient.testing.routes import Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient.testing.machine import Machine

    Save = Callable[[web.FileField, Path], None]

ACTIVE_TYPES = {
    "text/html",
    "text/html-sandboxed",
    "application/xhtml+xml",
    "text/javascript",
    "application/javascript",
    "application/x-javascript",
    "application/ecmascript",
    "text/css",
}
"""Types that a browser may execute; XML of any kind is one too."""

# Some systems do not know these, and the real server's answers should not depend on the machine.
TYPES = {
    ".webp": "image/webp",
    ".flac": "audio/flac",
    ".glb": "model/gltf-binary",
    ".mkv": "video/x-matroska",
    ".safetensors": "application/safetensors",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
}


def content_type(name: str) -> str:
    """What a file of this name is served as."""
    return TYPES.get(Path(name).suffix.lower()) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def is_active(kind: str) -> bool:
    """Whether a browser may execute it."""
    return kind in ACTIVE_TYPES or kind.endswith(("+xml", "/xml"))


class Media:
    """Answers what concerns files."""

    def __init__(self, machine: Machine) -> None:
        self._folders = machine.folders
        self._version = machine.version

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            Route("GET", "/view", self._view),
            Route("POST", "/upload/image", self._upload_image),
            Route("POST", "/upload/mask", self._upload_mask),
            Route("GET", "/view_metadata/{folder}", self._metadata),
        ]

    # ── uploads ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _upload_image(self, request: web.Request) -> web.Response:
        return self._store(await request.post(), _write)

    async def _upload_mask(self, request: web.Request) -> web.Response:
        form = await request.post()
        return self._store(form, lambda image, path: self._save_masked(form, image, path))

    def _store(self, form: Any, save: Save) -> web.Response:
        image: Any = form.get("image")
        kind = form.get("type")
        kind = "input" if kind is None else kind
        root = self._folders.directory(kind)  # an unknown kind is status 500
        if not (image and image.file):
            return web.Response(status=400)
        name: str = image.filename
        if not name:
            return web.Response(status=400)
        subfolder = form.get("subfolder", "")
        directory = root / os.path.normpath(subfolder)
        path = Path(os.path.abspath(directory / name))  # noqa: PTH100 - resolve() would follow links
        if not path.is_relative_to(root):
            return web.Response(status=400)
        directory.mkdir(parents=True, exist_ok=True)
        if form.get("overwrite") not in {"true", "1"}:
            name, path, stored = self._free_name(image, directory, name, path)
            if stored:
                return _stored(name, subfolder, kind)
        save(image, path)
        return _stored(name, subfolder, kind)

    def _free_name(self, image: web.FileField, directory: Path, name: str, path: Path) -> tuple[str, Path, bool]:
        """A name that nothing else has, or that of the same bytes, which need not be stored then."""
        ending = Path(name).suffix
        stem = name.removesuffix(ending)
        number = 1
        while path.exists():
            if self._version.reuses_uploads and _same(image, path):
                return name, path, True
            name = f"{stem} ({number}){ending}"
            path = directory / name
            number += 1
        return name, path, False

    def _save_masked(self, form: Any, image: web.FileField, path: Path) -> None:
        """The original with the transparency of the upload; nothing at all if there is no original."""
        from PIL import Image, PngImagePlugin  # noqa: PLC0415 - the server starts without it, and faster

        reference = json.loads(form.get("original_ref"))
        name, directory = self._folders.annotated(reference["filename"])
        if not name or name[0] == "/" or ".." in name:
            return
        try:
            root = directory or self._folders.directory(reference.get("type", "output"))
        except KeyError:
            return
        original = root / reference.get("subfolder", "") / name
        if not Path(os.path.abspath(original)).is_relative_to(root) or not original.is_file():  # noqa: PTH100
            return
        with Image.open(original) as picture, Image.open(image.file) as mask:
            metadata = PngImagePlugin.PngInfo()
            for key, text in getattr(picture, "text", {}).items():
                metadata.add_text(key, text)
            masked = picture.convert("RGBA")
            masked.putalpha(mask.convert("RGBA").getchannel("A"))
            masked.save(path, compress_level=4, pnginfo=metadata)

    # ── views ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _view(self, request: web.Request) -> web.StreamResponse:
        query = request.rel_url.query
        found = self._locate(query)
        if isinstance(found, int):
            return web.Response(status=found)
        if "preview" in query:
            return preview(found, query["preview"], query.get("channel", ""))
        if query.get("channel") == "rgb":
            return _channel_rgb(found)
        if query.get("channel") == "a":
            return _channel_a(found)
        return self._raw(found, request.headers.get("Sec-Fetch-Dest"))

    def _locate(self, query: Any) -> Path | int:
        """The file, or the status that says why there is none."""
        if "filename" not in query:
            return 404
        name, directory = self._folders.annotated(query["filename"])
        if not name or name[0] == "/" or ".." in name:
            return 400
        try:
            root = directory or self._folders.directory(query.get("type", "output"))
        except KeyError:
            return 400
        directory = root / query.get("subfolder", "")
        if not Path(os.path.abspath(directory)).is_relative_to(root):  # noqa: PTH100
            return 403
        path = directory / os.path.basename(name)  # noqa: PTH119 - Path takes "x/" for "x"
        try:
            return path if path.is_file() else 404
        except (ValueError, OSError):  # no name that a file could have
            return 404

    def _raw(self, path: Path, destination: str | None) -> web.StreamResponse:
        kind = content_type(path.name)
        escaped = path.name.replace("\\", "\\\\").replace('"', '\\"')
        headers = {"Content-Disposition": f'filename="{escaped}"', "Content-Type": kind}
        if self._version.since("0.30.0"):
            headers["X-Content-Type-Options"] = "nosniff"
        if is_active(kind):
            headers |= {"Vary": "Sec-Fetch-Dest", "Cache-Control": "no-store"}
            if not (kind == "image/svg+xml" and destination == "image"):
                headers["Content-Type"] = "application/octet-stream"
                headers["Content-Disposition"] = f'attachment; filename="{escaped}"'
        return web.FileResponse(path, headers=headers)

    async def _metadata(self, request: web.Request) -> web.Response:
        """The metadata in the header of a safetensors file."""
        folder = self._folders.model_folders().get(request.match_info["folder"])
        name = request.rel_url.query.get("filename", "")
        if folder is None or not name.endswith(".safetensors") or name not in self._folders.models(folder.name):
            return web.Response(status=404)
        data = (folder / name).read_bytes()
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size] or "{}")
        if "__metadata__" not in header:
            return web.Response(status=404)
        return web.json_response(header["__metadata__"])


def _write(image: web.FileField, path: Path) -> None:
    path.write_bytes(image.file.read())


def _stored(name: str, subfolder: str, kind: str) -> web.Response:
    return web.json_response({"name": name, "subfolder": subfolder, "type": kind})


def _same(image: web.FileField, path: Path) -> bool:
    new = image.file.read()
    image.file.seek(0)
    return path.read_bytes() == new


def _picture(body: bytes, kind: str, path: Path) -> web.Response:
    return web.Response(body=body, content_type=kind, headers={"Content-Disposition": f'filename="{path.name}"'})


def preview(path: Path, wanted: str, channel: str) -> web.Response:
    """A smaller file of the same picture; ``wanted`` is its format, and its quality behind a semicolon."""
    from PIL import Image  # noqa: PLC0415 - the server starts without it, and faster

    parts = wanted.split(";")
    kind = parts[0] if parts[0] in {"webp", "jpeg"} and "a" not in channel else "webp"
    quality = int(parts[-1]) if parts[-1].isdigit() else 90
    file = BytesIO()
    with Image.open(path) as picture:
        shown = picture.convert("RGB") if kind == "jpeg" or channel == "rgb" else picture
        shown.save(file, kind, quality=quality)
    return _picture(file.getvalue(), f"image/{kind}", path)


def _channel_rgb(path: Path) -> web.Response:
    from PIL import Image  # noqa: PLC0415

    file = BytesIO()
    with Image.open(path) as picture:
        picture.convert("RGB").save(file, "PNG")  # what is transparent keeps its color
    return _picture(file.getvalue(), "image/png", path)


def _channel_a(path: Path) -> web.Response:
    from PIL import Image  # noqa: PLC0415

    file = BytesIO()
    with Image.open(path) as picture:
        alpha = picture.getchannel("A") if picture.mode == "RGBA" else Image.new("L", picture.size, 255)
        alone = Image.new("RGBA", picture.size)
        alone.putalpha(alpha)
        alone.save(file, "PNG")
    return _picture(file.getvalue(), "image/png", path)
