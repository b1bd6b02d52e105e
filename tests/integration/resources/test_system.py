"""``client.system`` on a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.workflows import node

if TYPE_CHECKING:
    from comfyclient import Client
    from tests.integration.resources.conftest import Run


def test_stats(client: Client) -> None:
    stats = client.system.stats()

    assert stats.system.version >= (0, 3)
    assert stats.system.ram_total
    assert stats.system.extra == {}
    assert stats.devices
    assert all(device.name and device.extra == {} for device in stats.devices)


def test_features(client: Client) -> None:
    assert client.system.features()["max_upload_size"] > 0


@pytest.mark.needs_test_nodes
def test_freed_memory_is_free(client: Client, run: Run) -> None:
    graph = {"1": node("TestImage", seed=1, width=8, height=8), "2": node("PreviewImage", images=["1", 0])}
    run(graph)
    again = run(graph).message("execution_cached")
    client.system.free(unload_models=True, free_memory=True)
    afterwards = run(graph).message("execution_cached")

    assert again is not None
    assert set(again["nodes"]) == {"1", "2"}
    assert afterwards is not None
    assert afterwards["nodes"] == []
