"""What the editor keeps for its user: settings and files."""

from __future__ import annotations

import json
import os
import re
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aiohttp import web

from comfyclient.testing.routes import Route
from comfyclient.testing.routes.media import content_type, is_active

if TYPE_CHECKING:
    from comfyclient.testing.machine import Machine

SETTINGS = "comfy.settings.json"


class User:
    """Answers what concerns the user, of whom there is one."""

    def __init__(self, machine: Machine) -> None:
        self._root = machine.folders.user
        self._version = machine.version
        self._names: set[str] = set()

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            Route("GET", "/users", self._users),
            Route("POST", "/users", self._add_user),
            Route("GET", "/settings", self._settings),
            Route("GET", "/settings/{id}", self._setting),
            Route("POST", "/settings", self._change_settings),
            Route("POST", "/settings/{id}", self._change_setting),
            Route("GET", "/userdata", self._list, since="0.3.64"),
            Route("GET", "/v2/userdata", self._list_v2, since="0.3.64"),
            Route("GET", "/userdata/{file}", self._read),
            Route("POST", "/userdata/{file}", self._write),
            Route("DELETE", "/userdata/{file}", self._delete, since="0.3.64"),
            Route("POST", "/userdata/{file}/move/{destination}", self._move, since="0.3.64"),
        ]

    async def _users(self, _: web.Request) -> web.Response:
        return web.json_response({"storage": "server", "migrated": self._root.exists()})

    async def _add_user(self, request: web.Request) -> web.Response:
        """Of use to servers with several users, and open on all others."""
        given = (await request.json())["username"]
        name = given.strip()
        refusals = {
            "username not provided": not name,
            "System User prefix not allowed": name.startswith("__"),
            "Duplicate username.": given in self._names,
        }
        for error in (error for error, applies in refusals.items() if applies):
            return web.json_response({"error": error}, status=400)
        self._names.add(name)
        return web.json_response(f"{re.sub('[^a-zA-Z0-9-_]+', '-', name)}_{uuid.uuid4()}")

    # ── settings ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _load(self) -> dict[str, Any]:
        try:
            settings: dict[str, Any] = json.loads((self._root / SETTINGS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return settings

    def _save(self, settings: dict[str, Any]) -> web.Response:
        self._root.mkdir(parents=True, exist_ok=True)
        (self._root / SETTINGS).write_text(json.dumps(settings, indent=4), encoding="utf-8")
        return web.Response()

    async def _settings(self, _: web.Request) -> web.Response:
        return web.json_response(self._load())

    async def _setting(self, request: web.Request) -> web.Response:
        return web.json_response(self._load().get(request.match_info["id"]))

    async def _change_settings(self, request: web.Request) -> web.Response:
        return self._save({**self._load(), **await request.json()})

    async def _change_setting(self, request: web.Request) -> web.Response:
        return self._save({**self._load(), request.match_info["id"]: await request.json()})

    # ── listing ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _list(self, request: web.Request) -> web.Response:
        query = request.rel_url.query
        if not query.get("dir"):
            return web.Response(status=400, text="Directory not provided")
        directory = self._path(query["dir"])
        if directory is None:
            return web.Response(status=403, text="Invalid directory")
        directory.parent.mkdir(parents=True, exist_ok=True)
        if not directory.exists():
            return web.Response(status=404, text="Directory not found")
        deep, full, split = (query.get(name, "").lower() == "true" for name in ("recurse", "full_info", "split"))
        found: list[Any] = []
        for path in directory.rglob("*") if deep else directory.glob("*"):
            # glob in ComfyUI leaves out what is hidden.
            parts = path.relative_to(directory).parts
            if not path.is_file() or any(part.startswith(".") for part in parts):
                continue
            name = "/".join(parts)
            found.append(_info(path, directory) if full else [name, *parts] if split else name)
        return web.json_response(found)

    async def _list_v2(self, request: web.Request) -> web.Response:
        wanted = unquote(request.rel_url.query.get("path", ""))
        directory = self._path(wanted)
        if directory is None:
            return web.Response(status=400, text="Invalid path requested")
        if not directory.exists():
            if not wanted:
                return web.json_response([])
            return web.Response(status=404, text="Requested path not found")
        if not directory.is_dir():
            return web.Response(status=400, text="Requested path is not a directory")
        found = []
        for path in directory.rglob("*"):
            item: dict[str, Any] = {"name": path.name, "path": path.relative_to(self._root).as_posix()}
            if path.is_dir():
                found.append(item | {"type": "directory"})
            else:
                stat = path.stat()
                found.append(item | {"type": "file", "size": stat.st_size, "modified": stat.st_mtime})
        found.sort(key=lambda item: (item["type"] != "directory", item["name"].lower()))
        return web.json_response(found)

    # ── files ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _path(self, name: str) -> Path | None:
        """Where a file of the user is; None if it would be somewhere else."""
        path = Path(os.path.abspath(self._root / unquote(name)))  # noqa: PTH100 - resolve() would follow links
        return path if path.is_relative_to(self._root) else None

    async def _read(self, request: web.Request) -> web.StreamResponse:
        path = self._path(request.match_info["file"])
        if path is None:
            return web.Response(status=403)
        if not path.exists():
            return web.Response(status=404)
        if not self._version.since("0.30.0"):
            return web.FileResponse(path)
        kind, disposition = content_type(path.name), "attachment"
        if path == self._root / "user.css":
            disposition = "inline"
        elif is_active(kind):
            kind = "application/octet-stream"
        headers = {"Content-Type": kind, "X-Content-Type-Options": "nosniff", "Content-Disposition": disposition}
        return web.FileResponse(path, headers=headers)

    async def _write(self, request: web.Request) -> web.Response:
        path = self._path(request.match_info["file"])
        if path is None:
            return web.Response(status=403)
        if request.query.get("overwrite", "true") == "false" and path.exists():
            return web.Response(status=409, text="File already exists")
        body = await request.read()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        except OSError:
            reason = 'Invalid filename. Please avoid special characters like :\\/*?"<>|'
            return web.Response(status=400, reason=reason)
        return self._written(request, path)

    def _written(self, request: web.Request, path: Path) -> web.Response:
        full = request.query.get("full_info", "false").lower() == "true"
        return web.json_response(_info(path, self._root) if full else path.relative_to(self._root).as_posix())

    async def _delete(self, request: web.Request) -> web.Response:
        path = self._path(request.match_info["file"])
        if path is None:
            return web.Response(status=403)
        if not path.exists():
            return web.Response(status=404)
        path.unlink()
        return web.Response(status=204)

    async def _move(self, request: web.Request) -> web.Response:
        source, destination = (self._path(request.match_info[name]) for name in ("file", "destination"))
        if source is not None and not source.exists():
            return web.Response(status=404)
        if source is None or destination is None:
            return web.Response(status=403)
        if request.query.get("overwrite", "true") == "false" and destination.exists():
            return web.Response(status=409, text="File already exists")
        destination.parent.mkdir(parents=True, exist_ok=True)
        source.replace(destination)
        return self._written(request, destination)


def _info(path: Path, root: Path) -> dict[str, Any]:
    stat = path.stat()
    return {
        "path": path.relative_to(root).as_posix(),
        "size": stat.st_size,
        "modified": int(stat.st_mtime * 1000),
        "created": int(stat.st_ctime * 1000),
    }
