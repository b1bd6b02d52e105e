"""The other routes of the embedded server, through the SDK and bare."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from comfyclient.testing import EmbeddedServer
from tests.captures import capture
from tests.conftest import soon
from tests.recorder import Recorder, short
from tests.testing.nodes import Gate, gate_node, n
from tests.workflows import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comfyclient import Client

SECONDS = 10.0
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def server(gate: Gate) -> Iterator[EmbeddedServer]:
    with EmbeddedServer([gate_node(gate)], models={"loras": ["mine.safetensors"]}) as server:
        yield server


def ask(server: EmbeddedServer, method: str, path: str, **options: Any) -> requests.Response:
    return requests.request(method, server.url + path, timeout=SECONDS, **options)


# ── nodes and models ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["EmptyImage", "SaveImage", "PreviewImage"])
def test_shipped_nodes_are_described_as_the_real_ones(name: str, server: EmbeddedServer) -> None:
    assert ask(server, "GET", f"/object_info/{name}").json()[name] == capture("object_info")[name]


def test_nodes_and_models(server: EmbeddedServer, client: Client) -> None:
    assert "Wait" in client.nodes.list()
    assert ask(server, "GET", "/object_info/Nope").json() == {}
    assert "mine.safetensors" in client.models.list("loras")
    assert client.nodes.get("LoraLoader").input["required"]["lora_name"]  # type: ignore[union-attr]
    assert {file.name for file in client.models.details("loras")} == {"example.safetensors", "mine.safetensors"}
    assert client.models.embeddings() == []
    assert client.system.stats().system.comfyui_version == "0.30.0"
    assert ask(server, "GET", "/").headers["Content-Type"].startswith("text/html")


def test_assets_are_off(server: EmbeddedServer) -> None:
    answer = ask(server, "GET", "/api/assets")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "SERVICE_DISABLED"


def test_the_log_is_told_to_who_wants_it(server: EmbeddedServer) -> None:
    with Recorder(server.url) as recorder:
        ask(server, "PATCH", "/internal/logs/subscribe", json={"clientId": "recorder", "enabled": True})
        ask(server, "POST", "/prompt", json={})
        message = recorder.next()
        ask(server, "PATCH", "/internal/logs/subscribe", json={"clientId": "recorder", "enabled": False})
    assert short(message) == "logs"
    assert message["data"]["entries"][0]["m"].endswith("got prompt\n")
    assert "got prompt" in ask(server, "GET", "/internal/logs").json()
    assert len(ask(server, "GET", "/internal/logs/raw").json()["entries"]) == 2
    assert ask(server, "PATCH", "/internal/logs/subscribe").status_code == 500


# ── jobs and history ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_jobs_in_every_state(server: EmbeddedServer, client: Client, gate: Gate) -> None:
    done = client.run(plain(1), timeout=SECONDS, extra_data={"extra_pnginfo": {"workflow": {"id": "w"}}})
    server.fail_next("EmptyImage")
    failed = client.submit(plain(2))
    assert soon(failed.done)
    held = plain(3)
    held["1"]["inputs"]["color"] = ["9", 0]
    running = client.submit({**held, "9": n("Wait")})
    assert gate.reached.wait(SECONDS)
    pending = client.submit(plain(5))
    page = ask(server, "GET", "/api/jobs?sort_order=asc").json()
    states = {job["id"]: job["status"] for job in page["jobs"]}
    assert states[done.prompt_id] == "completed"
    assert states[failed.prompt_id] == "failed"
    assert states[running.prompt_id] == "in_progress"
    assert states[pending.prompt_id] == "pending"
    assert ask(server, "GET", f"/api/jobs/{pending.prompt_id}").json()["status"] == "pending"
    assert ask(server, "POST", f"/api/jobs/{pending.prompt_id}/cancel").json() == {"cancelled": True}
    assert ask(server, "POST", f"/api/jobs/{running.prompt_id}/cancel").json() == {"cancelled": True}
    assert soon(lambda: ask(server, "GET", f"/api/jobs/{running.prompt_id}").json()["status"] == "cancelled")
    job = ask(server, "GET", f"/api/jobs/{done.prompt_id}").json()
    assert job["workflow_id"] == "w"
    assert job["outputs_count"] == 1
    assert job["preview_output"]["nodeId"] == "2"
    assert job["execution_status"]["completed"] is True
    found = ask(server, "GET", "/api/jobs?workflow_id=w").json()["jobs"]
    assert [each["id"] for each in found] == [done.prompt_id]
    limited = ask(server, "GET", "/api/jobs?limit=1&offset=1&sort_by=execution_duration").json()
    assert limited["pagination"]["limit"] == len(limited["jobs"]) == 1


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("status=bogus", "Invalid status value(s): bogus"),
        ("sort_by=x", "sort_by must be"),
        ("sort_order=x", "sort_order must be"),
        ("limit=0", "limit must be a positive integer"),
        ("limit=x", "limit must be an integer"),
        ("limit=", "limit must be an integer"),
        ("offset=x", "offset must be an integer"),
    ],
)
def test_bad_questions_for_jobs(query: str, error: str, server: EmbeddedServer) -> None:
    answer = ask(server, "GET", f"/api/jobs?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(error)


def test_cancelling_jobs(server: EmbeddedServer) -> None:
    assert ask(server, "GET", f"/api/jobs/{UNKNOWN}").json() == {"error": "Job not found"}
    assert ask(server, "POST", f"/api/jobs/{UNKNOWN}/cancel").json() == {"cancelled": False}
    assert ask(server, "POST", "/api/jobs/cancel", json={"job_ids": [UNKNOWN]}).json() == {"cancelled": False}
    assert ask(server, "POST", "/api/jobs/cancel", data="{").status_code == 400
    assert ask(server, "POST", "/api/jobs/cancel", json={"job_ids": "x"}).json() == {"error": "job_ids must be a list"}
    answer = ask(server, "POST", "/api/jobs/cancel", json={"job_ids": ["x", 1]})
    assert answer.json() == {"error": "job_ids contains invalid id(s)", "invalid_ids": ["x", "1"]}


def test_history_in_parts(server: EmbeddedServer, client: Client) -> None:
    ids = [client.run(plain(color), timeout=SECONDS).prompt_id for color in range(3)]

    def listed(query: str) -> list[str]:
        return list(ask(server, "GET", f"/history{query}").json())

    assert listed("") == ids
    assert listed("?max_items=2") == ids[1:]
    assert listed("?max_items=1&offset=0") == ids[:1]
    assert listed("?offset=1") == ids[1:]
    assert listed("?max_items=0") == []
    assert ask(server, "GET", "/history?max_items=abc").status_code == 500
    ask(server, "POST", "/history", json={"delete": [ids[0]]}).raise_for_status()
    assert listed("") == ids[1:]
    ask(server, "POST", "/history", json={"clear": True}).raise_for_status()
    assert listed("") == []
    assert ask(server, "POST", "/queue", json=[]).status_code == 200
    assert ask(server, "POST", "/queue", data="null").status_code == 500


# ── the user ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_settings(client: Client) -> None:
    assert client.settings.all() == {}
    client.settings.set("a", [1])
    client.settings.update({"b": 2})
    assert client.settings.all() == {"a": [1], "b": 2}
    assert client.settings.get("a") == [1]
    assert client.settings.get("c") is None


def test_userdata(server: EmbeddedServer, client: Client) -> None:
    assert ask(server, "GET", "/userdata").status_code == 400
    assert ask(server, "GET", "/userdata?dir=workflows").status_code == 404
    assert ask(server, "GET", "/userdata?dir=../..").status_code == 403
    assert ask(server, "GET", "/v2/userdata").json() == []
    written = client.userdata.write("workflows/a b.json", b"{}")
    assert written.path == "workflows/a b.json"
    assert client.userdata.read("workflows/a b.json") == b"{}"
    client.userdata.move("workflows/a b.json", "workflows/c.json")
    assert ask(server, "GET", "/userdata?dir=workflows&split=true").json() == [["c.json", "c.json"]]
    assert ask(server, "POST", "/userdata/workflows%2Fc.json?overwrite=false", data="x").status_code == 409
    tree = ask(server, "GET", "/v2/userdata").json()
    assert [(entry["path"], entry["type"]) for entry in tree] == [
        ("workflows", "directory"),
        ("workflows/c.json", "file"),
    ]
    client.userdata.delete("workflows/c.json")
    assert ask(server, "DELETE", "/userdata/workflows%2Fc.json").status_code == 404
    assert json.dumps(ask(server, "GET", "/users").json()) == '{"storage": "server", "migrated": true}'
