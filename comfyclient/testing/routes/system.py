"""The server about itself: its nodes, models, version, features, log."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from comfyclient.testing.folders import KINDS
from comfyclient.testing.log import SIZE
from comfyclient.testing.object_info import describe
from comfyclient.testing.routes import Route
from comfyclient.testing.routes.media import content_type, preview

if TYPE_CHECKING:
    from comfyclient.testing.machine import Machine
    from comfyclient.testing.versions import Version

MODEL_ENDINGS = [".bin", ".ckpt", ".pkl", ".pt", ".pt2", ".pth", ".safetensors", ".sft"]
GIGABYTE = 2**30
PREVIEWS = "/experiment/models/preview/{folder}/{index}/{name:.*}"


def features(version: Version, max_body: int) -> dict[str, Any]:
    """What the server says it can."""
    found: dict[str, Any] = {"supports_preview_metadata": True}
    if version.since("0.30.0"):
        found["supports_model_type_tags"] = True
    found["max_upload_size"] = max_body
    if version.since("0.9.2"):
        found["extension"] = {"manager": {"supports_v4": True}}
    if version.since("0.30.0"):
        found |= {"node_replacements": True, "assets": False}
    return found


class System:
    """Answers what concerns the server itself."""

    def __init__(self, machine: Machine, max_body: int) -> None:
        self._machine = machine
        self._folders = machine.folders
        self._version = machine.version
        self._max_body = max_body

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            Route("GET", "/", _home),
            Route("GET", "/object_info", self._object_infos),
            Route("GET", "/object_info/{name}", self._object_info),
            Route("GET", "/system_stats", self._stats),
            Route("GET", "/features", self._features, since="0.3.64"),
            Route("GET", "/embeddings", self._embeddings),
            Route("GET", "/extensions", _always([])),
            Route("GET", "/models", self._model_folders, since="0.3.64"),
            Route("GET", "/models/{folder}", self._models, since="0.3.64"),
            Route("GET", "/experiment/models", self._folder_details, since="0.3.64"),
            Route("GET", "/experiment/models/{folder}", self._model_details, since="0.3.64"),
            Route("GET", PREVIEWS, self._model_preview, since="0.3.64"),
            Route("GET", "/i18n", _always({}), since="0.3.64"),
            Route("GET", "/workflow_templates", _always({}), since="0.3.64"),
            Route("GET", "/global_subgraphs", _always({}), since="0.9.2"),
            Route("GET", "/global_subgraphs/{id}", _always(None), since="0.9.2"),
            Route("GET", "/node_replacements", _always({}), since="0.30.0"),
            *self._assets(),
        ]

    def internal_routes(self) -> list[Route]:
        """What is below ``/internal``, and there alone."""
        return [
            Route("GET", "/logs", self._logs),
            Route("GET", "/logs/raw", self._raw_logs),
            Route("PATCH", "/logs/subscribe", self._subscribe),
            Route("GET", "/folder_paths", self._folder_paths),
            Route("GET", "/files/{kind}", self._files),
        ]

    # ── nodes ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _object_infos(self, _: web.Request) -> web.Response:
        found = {}
        with self._machine.context().active():
            for name, node_class in self._machine.classes.items():
                try:
                    found[name] = describe(name, node_class, self._version)
                except Exception:  # noqa: BLE001, S112 - ComfyUI leaves such nodes out
                    continue
        return web.json_response(found)

    async def _object_info(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        with self._machine.context().active():
            node_class = self._machine.classes.get(name)
            return web.json_response({} if node_class is None else {name: describe(name, node_class, self._version)})

    # ── version and features ─────────────────────────────────────────────────────────────────────────────────────

    async def _features(self, _: web.Request) -> web.Response:
        return web.json_response(features(self._version, self._max_body))

    async def _stats(self, _: web.Request) -> web.Response:
        version = self._version
        system: dict[str, Any] = {"os": sys.platform if version.since("0.9.2") else os.name}
        if version.since("0.3.64"):
            system |= {
                "ram_total": 16 * GIGABYTE,
                "ram_free": 12 * GIGABYTE,
                "comfyui_version": version.name,
                "required_frontend_version": "0.0.0",
                "installed_templates_version": None,
                "required_templates_version": "0.0.0",
            }
        if version.since("0.30.0"):
            system["comfy_package_versions"] = []
        system["python_version"] = sys.version
        if version.since("0.3.64"):
            system["pytorch_version"] = "none (comfyclient.testing)"
        system["embedded_python"] = False
        if version.since("0.30.0"):
            system["deploy_environment"] = "comfyclient.testing"
        if version.since("0.3.64"):
            system["argv"] = ["comfyclient.testing"]
        device = {
            "name": "cpu",
            "type": "cpu",
            "index": None,
            "vram_total": 16 * GIGABYTE,
            "vram_free": 12 * GIGABYTE,
            "torch_vram_total": 16 * GIGABYTE,
            "torch_vram_free": 12 * GIGABYTE,
        }
        return web.json_response({"system": system, "devices": [device]})

    # ── models ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _embeddings(self, _: web.Request) -> web.Response:
        return web.json_response([os.path.splitext(name)[0] for name in self._folders.models("embeddings")])  # noqa: PTH122

    async def _model_folders(self, _: web.Request) -> web.Response:
        return web.json_response(list(self._folders.model_folders()))

    async def _models(self, request: web.Request) -> web.Response:
        folder = request.match_info["folder"]
        if folder not in self._folders.model_folders():
            return web.Response(status=404)
        return web.json_response(self._folders.models(folder))

    async def _folder_details(self, _: web.Request) -> web.Response:
        return web.json_response(
            [
                {"name": name, "folders": [str(path)], "extensions": MODEL_ENDINGS}
                for name, path in self._folders.model_folders().items()
                if name not in {"configs", "custom_nodes"}
            ]
        )

    async def _model_details(self, request: web.Request) -> web.Response:
        folder = self._folders.model_folders().get(request.match_info["folder"])
        if folder is None:
            return web.Response(status=404)
        found = []
        for name in self._folders.models(folder.name):
            stat = (folder / name).stat()
            times = {"modified": stat.st_mtime, "created": stat.st_ctime}
            found.append({"name": name, "pathIndex": 0, **times, "size": stat.st_size})
        return web.json_response(found)

    async def _model_preview(self, request: web.Request) -> web.Response:
        place = request.match_info
        found = self._picture_of(place["folder"], place["index"], place["name"])
        return web.Response(status=found) if isinstance(found, int) else preview(found, "webp", "")

    def _picture_of(self, folder_name: str, index: str, name: str) -> Path | int:
        """The picture beside a model that has its name, or the status that says why there is none."""
        folder = self._folders.model_folders().get(folder_name)
        if folder is None:
            return 404
        if not name or not index.lstrip("-").isdecimal():
            return 400
        model = Path(os.path.abspath(folder / name))  # noqa: PTH100 - resolve() would follow links
        if int(index) != 0 or not model.parent.is_dir():
            return 404
        if not model.is_relative_to(folder):
            return 403
        beside = (path for path in sorted(model.parent.iterdir()) if path.name.startswith(f"{model.stem}."))
        return next((path for path in beside if content_type(path.name).startswith("image/")), 404)

    # ── assets ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _assets(self) -> list[Route]:
        """Every one of these routes says that assets are off, as a server started without them does."""
        an_id = "{id:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}}"
        paths = {
            "/api/assets": ("GET", "POST"),
            f"/api/assets/{an_id}": ("GET", "PUT", "DELETE"),
            f"/api/assets/{an_id}/content": ("GET",),
            f"/api/assets/{an_id}/tags": ("POST", "DELETE"),
            "/api/assets/from-hash": ("POST",),
            "/api/assets/hash/{hash}": ("HEAD",),
            "/api/assets/tags/refine": ("GET",),
            "/api/assets/seed": ("POST",),
            "/api/assets/seed/status": ("GET",),
            "/api/assets/seed/cancel": ("POST",),
            "/api/assets/prune": ("POST",),
            "/api/tags": ("GET",),
        }
        return [
            Route(method, path, _assets_are_off, since="0.30.0")
            for path, methods in paths.items()
            for method in methods
        ]

    # ── internals ────────────────────────────────────────────────────────────────────────────────────────────────

    async def _logs(self, _: web.Request) -> web.Response:
        return web.json_response("".join(f"{entry['t']} - {entry['m']}" for entry in self._machine.log.entries))

    async def _raw_logs(self, _: web.Request) -> web.Response:
        return web.json_response({"entries": list(self._machine.log.entries), "size": SIZE})

    async def _subscribe(self, request: web.Request) -> web.Response:
        body = await request.json()
        readers = self._machine.log.readers
        (readers.add if body["enabled"] else readers.discard)(body["clientId"])
        return web.Response()

    async def _folder_paths(self, _: web.Request) -> web.Response:
        return web.json_response({name: [str(path)] for name, path in self._folders.model_folders().items()})

    async def _files(self, request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        if kind not in KINDS:
            return web.json_response({"error": "Invalid directory type"}, status=400)
        directory = self._folders.directory(kind)
        return web.json_response([f"{path.name} [{kind}]" for path in _newest_first(directory)])


def _newest_first(directory: Path) -> list[Path]:
    files = [path for path in directory.iterdir() if path.is_file() and not path.name.startswith(".")]
    return sorted(files, key=lambda path: -path.stat().st_mtime)


async def _home(_: web.Request) -> web.Response:
    return web.Response(text="<!doctype html><title>ComfyUI</title>comfyclient.testing", content_type="text/html")


def _always(body: Any) -> Any:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body)

    return answer


async def _assets_are_off(_: web.Request) -> web.Response:
    message = "Assets system is disabled. Start the server with --enable-assets to use this feature."
    error = {"code": "SERVICE_DISABLED", "message": message, "details": {}}
    return web.json_response({"error": error}, status=503)
