"""Files on a server at a real socket, which does what a test says."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from comfyclient._http import Transport
from comfyclient.config import ClientConfig, Retry
from comfyclient.resources.files import Files
from tests.unit.resources.file_server import CONTENT, FileServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer(CONTENT) as server:
        yield server


@pytest.fixture
def transport(server: FileServer) -> Iterator[Transport]:
    # Retry pauses come from the configuration: nothing here waits.
    with closing(Transport(ClientConfig(url=server.url, retry=Retry(first=0.001), read_timeout=5))) as transport:
        yield transport


@pytest.fixture
def files(transport: Transport) -> Files:
    return Files(transport)


@pytest.fixture
def accepting(server: FileServer) -> FileServer:
    """It takes uploads, too."""
    server.answer_json({"name": "stored (1).png", "subfolder": "sub", "type": "temp"})
    return server
