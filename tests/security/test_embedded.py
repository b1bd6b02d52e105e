"""Both servers refuse web pages of elsewhere in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import websocket

from comfyclient.testing import EmbeddedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 10.0


@pytest.fixture(params=["embedded", "real"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "real":
        yield request.getfixturevalue("comfyui_url")
        return
    with EmbeddedServer() as server:
        yield server.url


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1", "https://localhost"])
def test_a_page_of_elsewhere_gets_no_websocket(url: str, origin: str) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        websocket.create_connection(f"{url.replace('http', 'ws')}/ws", origin=origin, timeout=SECONDS)
    assert caught.value.status_code == 403
