"""Every method sends what its text says; that servers have such routes is seen in tests/integration/test_routes.py."""

from __future__ import annotations

import contextlib
import inspect
import re
import uuid
from typing import TYPE_CHECKING, Any

import pytest

import comfyclient
from comfyclient import Client, ComfyError, resources
from comfyclient.types import ModelFile
from tests.fakes import Answer, FlakyServer, json_reply
from tests.nouns import NOUNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.fakes import Request

ID = str(uuid.UUID(int=1))
HASH = f"blake3:{'0' * 64}"
GRAPH = {"1": {"class_type": "SaveImage", "inputs": {}}}

CALLS: dict[str, Callable[[Client, Path], object]] = {
    "queue.info": lambda client, _: client.queue.info(),
    "queue.list": lambda client, _: client.queue.list(),
    "queue.submit": lambda client, _: client.queue.submit(GRAPH),
    "queue.delete": lambda client, _: client.queue.delete(ID),
    "queue.clear": lambda client, _: client.queue.clear(),
    "queue.interrupt": lambda client, _: client.queue.interrupt(),
    "history.get": lambda client, _: client.history.get(ID),
    "history.list": lambda client, _: client.history.list(),
    "history.iter": lambda client, _: list(client.history.iter()),
    "history.delete": lambda client, _: client.history.delete(ID),
    "history.clear": lambda client, _: client.history.clear(),
    "jobs.get": lambda client, _: client.jobs.get(ID),
    "jobs.list": lambda client, _: client.jobs.list(),
    "jobs.iter": lambda client, _: list(client.jobs.iter()),
    "jobs.cancel": lambda client, _: client.jobs.cancel(ID),
    "jobs.cancel_all": lambda client, _: client.jobs.cancel_all([ID]),
    "files.read": lambda client, _: client.files.read("a.png"),
    "files.stream": lambda client, _: list(client.files.stream("a.png")),
    "files.download": lambda client, path: client.files.download("a.png", path / "a.png"),
    "files.stat": lambda client, _: client.files.stat("a.png"),
    "files.exists": lambda client, _: client.files.exists("a.png"),
    "files.list": lambda client, _: client.files.list(),
    "files.upload_image": lambda client, _: client.files.upload_image(b"content", filename="a.png"),
    "files.upload_mask": lambda client, _: client.files.upload_mask(b"content", "a.png"),
    "nodes.get": lambda client, _: client.nodes.get("SaveImage"),
    "nodes.list": lambda client, _: client.nodes.list(),
    "nodes.names": lambda client, _: client.nodes.names(),
    "nodes.search": lambda client, _: client.nodes.search("save"),
    "nodes.replacements": lambda client, _: client.nodes.replacements(),
    "models.folders": lambda client, _: client.models.folders(),
    "models.list": lambda client, _: client.models.list("loras"),
    "models.details": lambda client, _: client.models.details("loras"),
    "models.locations": lambda client, _: client.models.locations(),
    "models.preview": lambda client, _: client.models.preview("loras", ModelFile("a.safetensors", pathIndex=0)),
    "models.embeddings": lambda client, _: client.models.embeddings(),
    "models.metadata": lambda client, _: client.models.metadata("loras", "a.safetensors"),
    "templates.list": lambda client, _: client.templates.list(),
    "templates.index": lambda client, _: client.templates.index(),
    "templates.get": lambda client, _: client.templates.get("a"),
    "templates.subgraphs": lambda client, _: client.templates.subgraphs(),
    "templates.subgraph": lambda client, _: client.templates.subgraph("a"),
    "userdata.list": lambda client, _: client.userdata.list(),
    "userdata.tree": lambda client, _: client.userdata.tree(),
    "userdata.read": lambda client, _: client.userdata.read("a/b.json"),
    "userdata.write": lambda client, _: client.userdata.write("a/b.json", b""),
    "userdata.delete": lambda client, _: client.userdata.delete("a/b.json"),
    "userdata.move": lambda client, _: client.userdata.move("a/b.json", "c/d.json"),
    "settings.all": lambda client, _: client.settings.all(),
    "settings.get": lambda client, _: client.settings.get("a"),
    "settings.set": lambda client, _: client.settings.set("a", 1),
    "settings.update": lambda client, _: client.settings.update({"a": 1}),
    "users.list": lambda client, _: client.users.list(),
    "users.create": lambda client, _: client.users.create("me"),
    "assets.list": lambda client, _: client.assets.list(),
    "assets.iter": lambda client, _: list(client.assets.iter()),
    "assets.get": lambda client, _: client.assets.get(ID),
    "assets.update": lambda client, _: client.assets.update(ID, name="a"),
    "assets.delete": lambda client, _: client.assets.delete(ID),
    "assets.read": lambda client, _: client.assets.read(ID),
    "assets.stream": lambda client, _: list(client.assets.stream(ID)),
    "assets.download": lambda client, path: client.assets.download(comfyclient.types.Asset(ID, "a"), path / "a"),
    "assets.upload": lambda client, _: client.assets.upload(b"content"),
    "assets.from_hash": lambda client, _: client.assets.from_hash(HASH),
    "assets.exists": lambda client, _: client.assets.exists(HASH),
    "assets.tags.add": lambda client, _: client.assets.tags.add(ID, "a"),
    "assets.tags.remove": lambda client, _: client.assets.tags.remove(ID, "a"),
    "assets.tags.list": lambda client, _: client.assets.tags.list(),
    "assets.tags.refine": lambda client, _: client.assets.tags.refine(),
    "assets.seeding.start": lambda client, _: client.assets.seeding.start(),
    "assets.seeding.status": lambda client, _: client.assets.seeding.status(),
    "assets.seeding.cancel": lambda client, _: client.assets.seeding.cancel(),
    "assets.seeding.prune": lambda client, _: client.assets.seeding.prune(),
    "system.stats": lambda client, _: client.system.stats(),
    "system.features": lambda client, _: client.system.features(),
    "system.extensions": lambda client, _: client.system.extensions(),
    "system.i18n": lambda client, _: client.system.i18n(),
    "system.folder_paths": lambda client, _: client.system.folder_paths(),
    "system.free": lambda client, _: client.system.free(),
    "system.log": lambda client, _: client.system.log(),
    "system.log_entries": lambda client, _: client.system.log_entries(),
    "system.follow_log": lambda client, _: client.system.follow_log(),
    "server.has": lambda client, _: client.server.has("interrupt"),
    "server.require": lambda client, _: client.server.require("interrupt"),
}
WITHOUT_CALL = {
    "files.url": "it sends nothing",
    "server.refresh": "it sends nothing",
    "system.subscribe_log": "it takes a websocket; see tests/realtime/test_logs.py",
}


class Recorder(FlakyServer):
    """Has assets but no jobs, and answers everything else with an empty object."""

    def _answer(self, request: Request) -> Answer:
        self.requests.append(request)
        is_jobs = request.method == "GET" and request.path.startswith("/api/jobs/")
        return json_reply({"assets": True}, 404 if is_jobs else 200)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder() as server:
        yield server


def methods() -> dict[str, str]:
    """The text of each public method of the nouns, by ``noun.method``."""
    found = {}
    for noun, cls in NOUNS.items():
        for name, method in inspect.getmembers(cls, inspect.isfunction):
            if not name.startswith("_"):
                found[f"{noun}.{name}"] = inspect.getdoc(method) or ""
    return found


def test_no_noun_is_left_out() -> None:
    assert {cls.__name__ for cls in NOUNS.values()} == set(resources.__all__)


def test_no_method_is_left_out() -> None:
    assert CALLS.keys() | WITHOUT_CALL.keys() == methods().keys()
    assert not CALLS.keys() & WITHOUT_CALL.keys()


@pytest.mark.parametrize("name", CALLS)
def test_a_method_sends_what_its_text_says(recorder: Recorder, tmp_path: Path, name: str) -> None:
    says: Any = re.search(r"\(``([A-Z]+) (/\S+)``\)", methods()[name])
    with Client(recorder.url, retry=None) as client, contextlib.suppress(ComfyError):
        CALLS[name](client, tmp_path)
    sent = [(request.method, request.path) for request in recorder.requests]
    pattern = re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(says[2])))
    assert [path for verb, path in sent if verb == says[1] and pattern.fullmatch(path)], sent
