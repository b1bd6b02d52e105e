"""What the tests of the nouns share: prompts without jobs, and a server that is kept busy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import soon
from tests.workflows import PATIENCE, Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from comfyclient import Client
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
