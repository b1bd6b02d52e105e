"""Details of the protocol that the other tests have no occasion for."""

# ruff: noqa: N802 - ComfyUI chose INPUT_TYPES

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from comfyclient import Client, Workflow
from comfyclient.testing import EmbeddedServer, current, node
from comfyclient.testing.script import Latency
from tests.recorder import SECONDS, Recorder, short
from tests.testing.nodes import NODES, Gate, gate_node, graph, n

if TYPE_CHECKING:
    from collections.abc import Iterator

UNKNOWN = "00000000-0000-4000-8000-000000000000"


class Curious:
    """Shows what it is told in secret."""

    CATEGORY = "tests"
    FUNCTION = "run"
    RETURN_TYPES = ()
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        hidden = {
            "prompt": "PROMPT",
            "graph": ["DYNPROMPT"],
            "info": "EXTRA_PNGINFO",
            "me": "UNIQUE_ID",
            "key": "API_KEY_COMFY_ORG",
            "other": ("INT", {"default": 3}),
        }
        return {"required": {"link": ("*", {"rawLink": True})}, "hidden": hidden}

    def run(self, **inputs: Any) -> dict[str, Any]:
        assert inputs.pop("graph").prompt is inputs["prompt"]
        return {"ui": {"told": [inputs]}}


class Passing:
    """Shows what passes through, though it is no output."""

    CATEGORY = "tests"
    FUNCTION = "run"
    RETURN_TYPES = ("*",)
    HAS_INTERMEDIATE_OUTPUT = True

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {"value": ("*", {})}}

    def run(self, value: Any) -> dict[str, Any]:
        return {"ui": {"seen": [value]}, "result": (value,)}


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def server(gate: Gate) -> Iterator[EmbeddedServer]:
    with EmbeddedServer([*NODES, Curious, Passing, gate_node(gate)]) as server:
        yield server


def run(server: EmbeddedServer, prompt: Any, **more: Any) -> list[Any]:
    with Recorder(server.url) as recorder:
        body = {"prompt": prompt, "client_id": "recorder", **more}
        requests.post(f"{server.url}/prompt", json=body, timeout=SECONDS).raise_for_status()
        return recorder.until_end()


def shown(messages: list[Any], node_id: str) -> Any:
    return next(message["data"]["output"] for message in messages if short(message) == f"executed:{node_id}")


def test_hidden_inputs(server: EmbeddedServer) -> None:
    prompt = graph(n1=n("Steps"), n2=n("Curious", link=["1", 0]))
    extra_data = {"extra_pnginfo": {"a": 1}, "api_key_comfy_org": "SECRET"}
    [told] = shown(run(server, prompt, extra_data=extra_data), "2")["told"]
    assert told == {"prompt": prompt, "info": {"a": 1}, "me": "2", "key": "SECRET", "link": ["1", 0]}
    assert "SECRET" not in requests.get(f"{server.url}/history", timeout=SECONDS).text.replace(json.dumps(told), "")


def test_intermediate_outputs_are_shown_again_when_cached(server: EmbeddedServer) -> None:
    prompt = graph(n1=n("Passing", value=7), n2=n("Show", value=["1", 0]))
    assert shown(run(server, prompt), "1") == {"seen": [7]}
    assert shown(run(server, prompt), "1") == {"seen": [7]}


def test_the_node_that_runs_is_told_on_reconnection(server: EmbeddedServer, gate: Gate) -> None:
    with Recorder(server.url) as first:
        body = {"prompt": graph(n1=n("Wait"), n2=n("Show", value=["1", 0])), "client_id": "recorder"}
        requests.post(f"{server.url}/prompt", json=body, timeout=SECONDS).raise_for_status()
        assert gate.reached.wait(SECONDS)
        assert first.next()["type"] == "status"
    with Recorder(server.url) as second:
        assert second.next() == {"type": "executing", "data": {"node": "1"}}
        gate.released.set()
        second.until_end()


@pytest.mark.parametrize("noise", ["no JSON", "[1]", "null"])
def test_what_does_not_count_as_a_first_message(noise: str, server: EmbeddedServer) -> None:
    with Recorder(server.url) as recorder:
        recorder.say(noise)
        recorder.say('{"type": "feature_flags", "data": {}}')
        assert recorder.next()["type"] == "feature_flags"


def test_features_count_in_the_first_message_alone(server: EmbeddedServer) -> None:
    with Recorder(server.url) as recorder:
        recorder.say('{"type": "hello"}')
        recorder.say('{"type": "feature_flags", "data": {}}')
        server.send("end", {}, "recorder")
        assert short(recorder.next()) == "end"


def test_a_websocket_gets_an_id_if_it_has_none(server: EmbeddedServer) -> None:
    with Recorder(server.url, "") as recorder:
        assert len(recorder.first["data"]["sid"]) == 32
    assert requests.get(f"{server.url}/ws", timeout=SECONDS).status_code == 400


def test_what_is_not_json_is_not_sent(server: EmbeddedServer) -> None:
    with Recorder(server.url) as recorder:
        server.send("bad", {1, 2})
        server.send("good", {})
        assert short(recorder.next()) == "good"


@pytest.mark.parametrize("client_id", [5, ["x"], ""])
def test_odd_client_ids_hurt_nobody(client_id: Any, server: EmbeddedServer) -> None:
    with Recorder(server.url) as recorder:
        body = {"prompt": graph(n1=n("Show", value=1)), "client_id": client_id}
        requests.post(f"{server.url}/prompt", json=body, timeout=SECONDS).raise_for_status()
        server.send("end", {}, "recorder")
        while short(recorder.next()) != "end":
            pass


def test_a_prompt_may_be_queued_twice_under_one_id_but_not_at_one_place(server: EmbeddedServer, gate: Gate) -> None:
    body = {"prompt": graph(n1=n("Wait"), n2=n("Show", value=["1", 0]))}
    requests.post(f"{server.url}/prompt", json=body, timeout=SECONDS).raise_for_status()
    assert gate.reached.wait(SECONDS)
    twin = {"prompt": graph(n1=n("Show", value=1)), "prompt_id": UNKNOWN, "number": 9}
    statuses = [requests.post(f"{server.url}/prompt", json=twin, timeout=SECONDS).status_code for _ in range(2)]
    assert statuses == [200, 500]
    assert requests.get(f"{server.url}/prompt", timeout=SECONDS).json()["exec_info"]["queue_remaining"] == 3
    requests.post(f"{server.url}/queue", json={"clear": True}, timeout=SECONDS).raise_for_status()
    assert requests.get(f"{server.url}/prompt", timeout=SECONDS).json()["exec_info"]["queue_remaining"] == 1


def test_all_stand_ins_together(server: EmbeddedServer) -> None:
    workflow = Workflow.load("docs/examples/portrait.json")
    workflow["5"]["width"] = workflow["5"]["height"] = 64
    document = json.loads(workflow.to_json())
    strengths = {"strength_model": 1.0, "strength_clip": 0.5}
    document["20"] = n("LoraLoader", model=["4", 0], clip=["4", 1], lora_name="example.safetensors", **strengths)
    document["21"] = n("VAELoader", vae_name="ae.safetensors")
    document["3"]["inputs"]["model"] = ["20", 0]
    document["6"]["inputs"]["clip"] = ["20", 1]
    document["8"]["inputs"]["vae"] = ["21", 0]
    with Client(server.url) as client:
        before = client.run(workflow, timeout=SECONDS).images[0].read()
        after = client.run(document, timeout=SECONDS).images[0].read()
    assert before != after


@pytest.mark.parametrize(("method", "previews"), [("none", 0), ("latent2rgb", 1), ("bogus", 1)])
def test_previews_are_made_unless_they_are_not_wanted(method: str, previews: int, server: EmbeddedServer) -> None:
    workflow = Workflow.load("docs/examples/portrait.json")
    workflow["3"]["steps"] = 1
    workflow["5"]["width"] = workflow["5"]["height"] = 64
    messages = run(server, workflow.to_api(), extra_data={"preview_method": method})
    assert sum(isinstance(message, bytes) for message in messages) == previews


def test_current_is_for_nodes() -> None:
    with pytest.raises(RuntimeError, match="for nodes"):
        current()


def test_nodes_may_be_given_by_name() -> None:
    @node(output_node=True)
    def any_name() -> None:
        pass

    with EmbeddedServer({"Named": any_name}, latency=0.001) as server, Client(server.url) as client:
        assert len(client.run(graph(n1=n("Named")), timeout=SECONDS)) == 0
        assert server.latency == Latency(node=0.001)
        assert repr(server) == f"<EmbeddedServer at {server.url}>"
    assert repr(server) == "<EmbeddedServer stopped>"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/userdata/nope.json", 404),
        ("GET", "/userdata/..%2F..%2Fx", 403),
        ("POST", "/userdata/..%2F..%2Fx", 403),
        ("DELETE", "/userdata/..%2F..%2Fx", 403),
        ("POST", "/userdata/a/move/..%2F..%2Fx", 403),
        ("POST", "/userdata/a/move/b", 404),
        ("GET", "/v2/userdata?path=nope", 404),
        ("GET", "/v2/userdata?path=../..", 400),
        ("GET", "/models/nope", 404),
        ("GET", "/experiment/models/nope", 404),
        ("GET", "/internal/files/nope", 400),
        ("GET", "/internal/folder_paths", 200),
        ("GET", "/experiment/models", 200),
        ("GET", "/view_metadata/loras", 404),
        ("GET", "/view_metadata/nope?filename=a.safetensors", 404),
        ("GET", "/api/internal/logs", 404),
    ],
)
def test_refusals(method: str, path: str, status: int, server: EmbeddedServer) -> None:
    assert requests.request(method, server.url + path, timeout=SECONDS).status_code == status


def test_metadata_of_models(server: EmbeddedServer) -> None:
    header = json.dumps({"__metadata__": {"title": "T"}}).encode()
    lora = server.root / "models" / "loras" / "example.safetensors"
    lora.write_bytes(len(header).to_bytes(8, "little") + header)
    url = f"{server.url}/view_metadata/loras?filename=example.safetensors"
    assert requests.get(url, timeout=SECONDS).json() == {"title": "T"}
    lora.write_bytes(b"")
    assert requests.get(url, timeout=SECONDS).status_code == 404
