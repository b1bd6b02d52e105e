"""``client.server`` knows how old it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from comfyclient import Unsupported
from comfyclient.resources.server import CAPABILITIES
from tests.realtime.comfy import WORKFLOW
from tests.realtime.peer import PATIENCE

if TYPE_CHECKING:
    from comfyclient import Client
    from tests.old_servers.emulated import Emulated
    from tests.realtime.conftest import Connect

EXPECTED = {
    "2024-03": ((), set()),
    "0.3.64": ((0, 3, 64), {"history_offset", "interrupt", "targets", "prompt_id"}),
    "0.9.2": ((0, 9, 2), set(CAPABILITIES)),
    "0.30.0": ((0, 30, 0), set(CAPABILITIES)),
}


def test_version_and_features(server: Emulated, client: Client) -> None:
    assert client.server.version == EXPECTED[server.version][0]
    assert client.server.features.get("max_upload_size") == (None if server.version == "2024-03" else 104857600)
    assert client.server.features.get("node_replacements", False) == (server.version == "0.30.0")


def test_capabilities(server: Emulated, client: Client) -> None:
    expected = EXPECTED[server.version][1]
    assert {name for name in CAPABILITIES if client.server.has(name)} == expected
    for name, novelty in CAPABILITIES.items():
        if name in expected:
            client.server.require(name)
        else:
            with pytest.raises(Unsupported, match=f"does not have {re.escape(novelty.what)}") as caught:
                client.server.require(name)
            assert (caught.value.since, caught.value.url) == (novelty.since, server.url)


def test_capabilities_are_what_the_captures_show(server: Emulated, client: Client) -> None:
    shown = {
        "jobs": server.tells("GET /api/jobs") == 200,
        "interrupt": server.tells("POST /interrupt with FOREIGN prompt_id").startswith("ignored"),
        "prompt_id": "my-id" in server.tells("POST prompt_id free text") or server.version == "0.30.0",
    }
    assert {name: client.server.has(name) for name in shown} == shown  # type: ignore[arg-type]  # names of the table


def test_each_question_is_asked_once(server: Emulated, client: Client) -> None:
    for _ in range(3):
        assert client.server.version == EXPECTED[server.version][0]
        assert client.server.features is not None
        assert client.server.has("interrupt") == (server.version != "2024-03")
    paths = [request.path for request in server.asked()]
    assert sorted(path.rpartition("/")[2] for path in paths) == [
        "00000000-0000-0000-0000-000000000000",
        "features",
        "system_stats",
    ]


def test_a_server_that_was_replaced_by_another(server: Emulated, connect: Connect) -> None:
    """Older or newer: after the restart nothing of the old answers counts."""
    client = connect()
    before = client.server.has("jobs")
    client.connect()
    with client.listen("reconnected") as back:
        if before:
            del server.routes["GET", "/api/jobs/*"]
        else:
            server.routes["GET", "/api/jobs/*"] = lambda request: server._job(request.path.rpartition("/")[2])
        server.routes["GET", "/system_stats"] = {"system": {"os": "x", "comfyui_version": "0.4.0"}, "devices": []}
        server.link().drop()
        back.get(timeout=PATIENCE)
    assert client.server.has("jobs") != before
    assert client.server.version == (0, 4, 0)


def test_a_server_that_was_replaced_by_an_older_one_in_silence(server: Emulated, connect: Connect) -> None:
    client = connect(realtime=False)
    if not client.server.has("jobs"):
        return  # nothing is older
    job = client.submit(WORKFLOW)
    server.routes = {key: route for key, route in server.routes.items() if not key[1].startswith("/api")}
    server.begin(job.prompt_id)
    server.play(job.prompt_id)
    assert job.result(PATIENCE).images
    assert not client.server.has("jobs")
