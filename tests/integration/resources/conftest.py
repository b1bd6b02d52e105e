"""What the tests of the nouns share: prompts without jobs, a server that is kept busy, and one with assets."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from comfyclient import Client
from tests.comfyui.provision import find
from tests.comfyui.server import RealServer
from tests.conftest import EXTERNAL_URL, soon
from tests.workflows import PATIENCE, Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from comfyclient.resources import Assets
    from comfyclient.types import HistoryEntry
    from tests.workflows import Graph

    Run = Callable[[Graph], HistoryEntry]


@pytest.fixture
def run(client: Client) -> Run:
    """Runs a prompt to its end, by HTTP alone."""

    def to_the_end(graph: Graph) -> HistoryEntry:
        prompt_id = client.queue.submit(graph).prompt_id
        assert soon(lambda: client.history.get(prompt_id) is not None, PATIENCE)
        entry = client.history.get(prompt_id)
        assert entry is not None
        return entry

    return to_the_end


@pytest.fixture
def busy(client: Client, comfyui_url: str) -> Iterator[str]:
    """The id of a prompt that runs, until the test has ended or interrupts it; whatever else is submitted waits."""
    gate = Gate(comfyui_url)
    prompt_id = client.queue.submit(gate.workflow()).prompt_id
    gate.wait()
    yield prompt_id
    gate.open()


@pytest.fixture(scope="package")
def asset_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    if EXTERNAL_URL:
        pytest.skip("needs a ComfyUI that the tests start themselves")
    installation = find()
    assert installation, "run `make comfyui`"
    options = ("--enable-assets", "--max-upload-size", "1")
    with RealServer(installation, *options, base_directory=tmp_path_factory.mktemp("comfyui")) as server:
        yield server


@pytest.fixture
def asset_client(asset_server: RealServer) -> Iterator[Client]:
    with Client(asset_server.url) as client:
        yield client


@pytest.fixture
def assets(asset_client: Client) -> Assets:
    return asset_client.assets


@pytest.fixture
def content() -> bytes:
    """What the server has never seen."""
    return uuid.uuid4().bytes


@pytest.fixture
def label() -> str:
    """A tag that nothing else has."""
    return f"tag {uuid.uuid4().hex}"
