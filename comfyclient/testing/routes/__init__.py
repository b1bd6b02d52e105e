"""The HTTP routes of the embedded server, one module for each subject."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web
from attrs import frozen

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


@frozen
class Route:
    """One route.

    Attributes:
        method: GET (which answers HEAD too), POST and so on.
        path: Where.
        handler: What answers.
        since: The oldest of the servers that can be emulated which has it.
    """

    method: str
    path: str
    handler: Handler
    since: str = "2024-03"
