"""Every route that the running server reports has a method of the client, or a reason why not."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

import comfyclient
from comfyclient import resources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comfyclient import Client
    from tests.conftest import ComfyUI

pytestmark = pytest.mark.needs_test_nodes

WITHOUT_METHOD = {
    "GET /": "the editor's page, for a browser",
    "GET /ws": "the websocket, which the client opens by itself",
}
"""Why a route has no method."""
STATIC = {
    "/docs": "help pages of the editor, for a browser",
    "": "the editor's own files, for a browser",
    "/extensions/": "scripts of custom nodes for the editor; client.system.extensions lists them",
    "/api/workflow_templates/": "the documents that client.templates.get reads",
}
"""The same for directories, by the beginning of their path."""


REACHED_BY_DIRECTORY = {"GET /api/workflow_templates/{}/{}", "GET /api/workflow_templates/{}/{}.json"}


class Route(NamedTuple):
    method: str
    path: str
    is_static: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def normal(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def reported(client: Client) -> set[Route]:
    """The routes of a server, each once: not again with the prefix ``/api``, and without what HTTP adds by itself."""
    entries = [Route(*entry) for entry in client.request("GET", "/comfyclient_test/routes").json()]
    routes = {Route(method, normal(path), static) for method, path, static in entries}
    by_itself = {route for route in routes if route.method == "HEAD" and route._replace(method="GET") in routes}
    twice = {
        route
        for route in routes
        if route.path.startswith("/api/") and route._replace(path=route.path.removeprefix("/api")) in routes
    }
    ours = {route for route in routes if "/comfyclient_test" in route.path}
    return routes - by_itself - twice - ours


def covered() -> Iterator[str]:
    """What the docstrings of the client's methods name."""
    for cls in (comfyclient.Client, *(getattr(resources, name) for name in resources.__all__)):
        for name, method in inspect.getmembers(cls, inspect.isfunction):
            if not name.startswith("_"):
                for verb, path in re.findall(r"``([A-Z]+) (/[^\s`?]*)[^`]*``", inspect.getdoc(method) or ""):
                    yield f"{verb} {normal(path)}"


def test_every_route_is_covered_or_has_a_reason(client: Client, comfyui: ComfyUI) -> None:
    if not comfyui.own:
        pytest.skip("needs a ComfyUI with our test nodes and no others")
    routes = reported(client)
    methods = set(covered())
    dynamic = {str(route) for route in routes if not route.is_static}
    static = {route.path for route in routes if route.is_static}

    assert len(dynamic) > 60
    assert "POST /api/assets" in dynamic, "which are there though they are off"
    assert dynamic - methods - WITHOUT_METHOD.keys() == set()
    heads = {route.replace("GET", "HEAD", 1) for route in dynamic if route.startswith("GET ")}
    assert methods - dynamic - heads - REACHED_BY_DIRECTORY == set(), "the server has no such route"
    for path in static:
        assert path in STATIC or any(path.startswith(start) for start in STATIC if start), path
