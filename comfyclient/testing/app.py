"""The web application: its routes under both prefixes, and what stands before them."""

from __future__ import annotations

import ipaddress
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aiohttp import web

from comfyclient.testing.routes import Route
from comfyclient.testing.routes.jobs import Jobs
from comfyclient.testing.routes.media import Media
from comfyclient.testing.routes.prompts import Prompts
from comfyclient.testing.routes.system import System
from comfyclient.testing.routes.user import User

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from comfyclient.testing.machine import Machine
    from comfyclient.testing.script import Script
    from comfyclient.testing.versions import Version

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logging.getLogger("comfyclient.testing")


def build(machine: Machine, script: Script, max_body: int) -> web.Application:
    """Make the application of one life of a server."""
    version = machine.version
    app = web.Application(client_max_size=max_body, middlewares=[script.middleware(), _origin_check(version)])
    system = System(machine, max_body)
    internal = web.Application()
    for route in system.internal_routes():
        _add(internal, "", route)
    if version.api_prefix:
        app.add_subapp("/internal", internal)
    routes = [
        *Prompts(machine, script).routes(),
        *Jobs(machine).routes(),
        *Media(machine).routes(),
        *User(machine).routes(),
        *system.routes(),
    ]
    routes = [route for route in routes if version.since(route.since)]
    routes.append(Route("GET", "/ws", machine.sockets.handle))
    for prefix in ("/api", "") if version.api_prefix else ("",):
        for route in routes:
            _add(app, prefix, route)
    # The real server looks for a file of that name in the editor's directory.
    _add(app, "", Route("GET", "/{path:.*}", _nothing))
    return app


def _add(app: web.Application, prefix: str, route: Route) -> None:
    app.router.add_route(route.method, prefix + route.path, route.handler)
    if route.method == "GET":
        app.router.add_route("HEAD", prefix + route.path, route.handler)


async def _nothing(request: web.Request) -> web.Response:
    if request.path.startswith("//"):
        raise web.HTTPNotFound  # such a path leads out of that directory
    headers = {} if request.method == "HEAD" else {"Content-Type": "application/octet-stream"}
    return web.Response(status=404, headers=headers)


# ── what stands before the routes ────────────────────────────────────────────────────────────────────────────────────


def _origin_check(version: Version) -> Any:
    """Pages of other origins may not use a server on this machine."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if version.checks_fetch_site and request.headers.get("Sec-Fetch-Site") == "cross-site":
            return web.Response(status=403)
        if version.checks_origin and _is_foreign(request.headers.get("Host"), request.headers.get("Origin")):
            return web.Response(status=403)
        if request.method == "OPTIONS":
            return web.Response()
        return await handler(request)

    return check


def _is_foreign(host: str | None, origin: str | None) -> bool:
    """Whether a page of this origin may not ask a server under this name; only names of this machine are guarded."""
    if host is None or origin is None:
        return False
    ours, theirs = urlsplit(f"//{host.lower()}"), urlsplit(origin.lower())
    if not _is_loopback(ours.hostname):
        return False
    with_ports = ours.port is not None and theirs.port is not None
    left, right = (ours.netloc, theirs.netloc) if with_ports else (ours.hostname, theirs.hostname)
    return bool(left and right and left != right)


def _is_loopback(host: str | None) -> bool:
    if host is None:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # The real server asks the resolver; no other name can lead to a server that listens on this address alone.
        return host == "localhost" or host.endswith(".localhost")
