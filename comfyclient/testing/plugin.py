"""The pytest plugin: ``comfy_server``, a fresh embedded server for each test that asks, and ``comfy_client``.

It has no fixtures where the packages of the extra ``testing`` are missing, and imports none of them before a test asks.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comfyclient import Client
    from comfyclient.testing import EmbeddedServer

if all(find_spec(name) for name in ("aiohttp", "numpy", "PIL")):

    @pytest.fixture
    def comfy_options() -> dict[str, Any]:
        """The arguments of the ``EmbeddedServer``; override it to give the server nodes or models of your own."""
        return {}

    @pytest.fixture
    def comfy_server(comfy_options: dict[str, Any]) -> Iterator[EmbeddedServer]:
        """A ComfyUI server that no other test has used; it takes some 10 ms."""
        from comfyclient.testing import EmbeddedServer  # noqa: PLC0415 - see above

        with EmbeddedServer(**comfy_options) as server:
            yield server

    @pytest.fixture
    def comfy_client(comfy_server: EmbeddedServer) -> Iterator[Client]:
        """A client of that server."""
        from comfyclient import Client  # noqa: PLC0415

        with Client(comfy_server.url) as client:
            yield client
