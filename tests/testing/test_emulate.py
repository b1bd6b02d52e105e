"""Old servers as the embedded one plays them, against the comparison that was captured from real ones."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from comfyclient import Client
from comfyclient.testing import EmbeddedServer
from tests.conftest import soon
from tests.contract.nodes import SHARED
from tests.recorder import Recorder, short
from tests.testing.nodes import NODES, Gate, gate_node, graph, n

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 10.0
VERSIONS = ["2024-03", "0.3.64", "0.9.2", "0.30.0"]
CAPTURED: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "captures" / "version_comparison.json").read_text(encoding="utf-8")
)
PROBLEM = re.compile(r'"type": "(\w+)", "message": "([^"]*)", "details": "([^"]*)')
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
IMAGE = {"1": n("EmptyImage", width=8, height=8, batch_size=1, color=0), "2": n("PreviewImage", images=["1", 0])}
PASS = {"1": n("ProtoPassInt", value=1)}
# Without the assets of 0.9.2, which nobody could capture, and a directory that the real user had.
ROUTES = [label for label in CAPTURED if re.fullmatch(r"(GET|POST) /\S*", label) and "userdata?dir" not in label]
PROMPTS = {
    "POST no prompt": {},
    "POST no outputs": {"prompt": {"1": IMAGE["1"]}},
    "POST unknown class": {"prompt": {"1": n("Nope")}},
    "POST missing class_type": {"prompt": {"1": {"inputs": {}}}},
    "POST type mismatch": {"prompt": {"1": PASS["1"], "2": n("PreviewImage", images=["1", 0])}},
    "POST cycle": {
        "prompt": {
            "1": n("ImageInvert", image=["2", 0]),
            "2": n("ImageInvert", image=["1", 0]),
            "3": n("PreviewImage", images=["2", 0]),
        }
    },
    "POST link to missing node": {"prompt": {"1": n("PreviewImage", images=["99", 0])}},
    "POST COMBO (v3-style) bad value": {"prompt": {"1": n("ProtoInputs", combo="a", combo2="BAD", multi="x")}},
    "POST optional wrong type": {"prompt": {"1": n("ProtoPassInt", value=1, f=5)}},
    "POST prompt_id free text": {"prompt": PASS, "prompt_id": "my-id"},
    "POST prompt_id null": {"prompt": PASS, "prompt_id": None},
}


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(version: str, gate: Gate) -> Iterator[EmbeddedServer]:
    with EmbeddedServer([*NODES, *SHARED.values(), gate_node(gate)], emulate=version) as server:
        yield server


def test_which_routes_there_are(server: EmbeddedServer, version: str) -> None:
    for label in ROUTES:
        method, path = label.split(" ", 1)
        answer = requests.request(method, server.url + path, json={} if method == "POST" else None, timeout=SECONDS)
        assert answer.status_code == CAPTURED[label][version], label


def test_prompts(server: EmbeddedServer, version: str) -> None:
    for label, body in PROMPTS.items():
        answer = requests.post(f"{server.url}/prompt", json=body, timeout=SECONDS)
        status, _, text = CAPTURED[label][version].partition(" ")
        assert answer.status_code == int(status), label
        found = UUID.sub("UUID", answer.text)
        try:
            expected = json.loads(text)
        except ValueError:  # no JSON, or the comparison kept its beginning only
            assert found == text or set(PROBLEM.findall(text)) <= set(PROBLEM.findall(found)), label
        else:
            assert {**json.loads(found), "number": 0} == {**expected, "number": 0}, label


def test_the_events_of_a_run(server: EmbeddedServer, version: str) -> None:
    with Recorder(server.url) as recorder:
        post = {"prompt": IMAGE, "client_id": "recorder"}
        requests.post(f"{server.url}/prompt", json=post, timeout=SECONDS).raise_for_status()
        assert list(map(short, recorder.until_end())) == CAPTURED["ws seq normal"][version]
        requests.post(f"{server.url}/prompt", json=post, timeout=SECONDS).raise_for_status()
        assert list(map(short, recorder.until_end())) == CAPTURED["ws seq fully cached"][version]
        post["prompt"] = {"1": n("Fail", message="boom")}
        requests.post(f"{server.url}/prompt", json=post, timeout=SECONDS).raise_for_status()
        messages = recorder.until_end()
        assert list(map(short, messages)) == CAPTURED["ws seq error"][version]
    expected = re.sub(r'"timestamp": TS', '"timestamp": 0', CAPTURED["payload execution_error"][version])
    error = next(message["data"] for message in messages if short(message) == "execution_error")
    assert error.keys() == json.loads(expected).keys()
    assert type(error["current_outputs"]) is type(json.loads(expected)["current_outputs"])
    assert error["exception_message"].endswith("\n") == (version != "2024-03")


def test_what_history_keeps(server: EmbeddedServer, version: str) -> None:
    extra_data = {"api_key_comfy_org": "SECRET", "foo": 1}
    post = {"prompt": IMAGE, "extra_data": extra_data}
    ids = []
    for _ in range(2):
        ids.append(requests.post(f"{server.url}/prompt", json=post, timeout=SECONDS).json()["prompt_id"])
        assert soon(lambda: ids[-1] in history(server))
    entry = history(server)[ids[0]]
    assert list(entry) == CAPTURED["history keys"][version]
    assert ("SECRET" in json.dumps(entry)) is CAPTURED["secret visible in GET /history"][version]
    assert ("create_time" in entry["prompt"][3]) == (version in {"0.9.2", "0.30.0"})
    cached = history(server)[ids[1]]["outputs"]
    assert (cached == {}) == (CAPTURED["history outputs, cached run WITHOUT client_id"][version] == "{}")


def history(server: EmbeddedServer) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(f"{server.url}/history", timeout=SECONDS).json()
    return found


def test_the_queue_and_interrupts(server: EmbeddedServer, version: str, gate: Gate) -> None:
    waiting = graph(n1=n("Wait"), n2=n("Show", value=["1", 0]))
    post = {"prompt": waiting, "extra_data": {"api_key_comfy_org": "SECRET"}}
    prompt_id = requests.post(f"{server.url}/prompt", json=post, timeout=SECONDS).json()["prompt_id"]
    assert gate.reached.wait(SECONDS)
    queue = requests.get(f"{server.url}/queue", timeout=SECONDS).json()
    assert ("SECRET" in json.dumps(queue)) is CAPTURED["secret visible in GET /queue"][version]
    assert len(queue["queue_running"][0]) == CAPTURED["queue_running/pending tuple lengths"][version][0]
    requests.post(f"{server.url}/interrupt", json={"prompt_id": "foreign"}, timeout=SECONDS).raise_for_status()
    interrupted = "INTERRUPTED" in CAPTURED["POST /interrupt with FOREIGN prompt_id"][version]
    if not interrupted:
        gate.released.set()
    assert soon(lambda: prompt_id in history(server))
    assert (history(server)[prompt_id]["status"]["status_str"] == "error") is interrupted


def test_object_info_and_stats(server: EmbeddedServer, version: str) -> None:
    info = requests.get(f"{server.url}/object_info/EmptyImage", timeout=SECONDS).json()["EmptyImage"]
    assert [*info] == [key for key in CAPTURED["object_info keys"][version] if key != "output_tooltips"]
    stats = requests.get(f"{server.url}/system_stats", timeout=SECONDS).json()["system"]
    assert list(stats) == CAPTURED["system_stats.system keys"][version]
    assert stats["os"] == CAPTURED["system_stats os"][version]


def test_uploads_and_origins(server: EmbeddedServer, version: str) -> None:
    names = []
    for _ in range(2):
        files = {"image": ("dup.png", b"1", "image/png")}
        names.append(requests.post(f"{server.url}/upload/image", files=files, timeout=SECONDS).json()["name"])
    assert " -> ".join(names) == CAPTURED["re-upload same bytes, same name"][version]
    for label, headers in {
        "Origin http://evil.com on 127.0.0.1": {"Origin": "http://evil.com"},
        "Sec-Fetch-Site: cross-site": {"Sec-Fetch-Site": "cross-site"},
    }.items():
        answer = requests.get(f"{server.url}/queue", headers=headers, timeout=SECONDS)
        assert answer.status_code == CAPTURED[label][version]


def test_feature_flags_and_previews(server: EmbeddedServer, version: str) -> None:
    with Recorder(server.url, features={"supports_preview_metadata": True}) as recorder:
        expected = CAPTURED["ws: reply to feature_flags"][version]
        assert [recorder.next() for _ in expected] == [json.loads(each) for each in expected]
        prompt = graph(n1=n("Steps", steps=2, previews=True), n2=n("Show", value=["1", 0]))
        post = {"prompt": prompt, "client_id": "recorder"}
        requests.post(f"{server.url}/prompt", json=post, timeout=SECONDS).raise_for_status()
        words = [short(message) for message in recorder.until_end()]
    wanted = CAPTURED["ws seq preview (flags announced)"][version]
    assert [word for word in words if word.startswith(("BIN", "progress"))] == [
        word for word in wanted[-(len(words)) :] if word.startswith(("BIN", "progress"))
    ]


def test_fifty_fast_steps(server: EmbeddedServer, version: str) -> None:
    with Recorder(server.url) as recorder:
        prompt = graph(n1=n("Steps", steps=50), n2=n("Show", value=["1", 0]))
        post = {"prompt": prompt, "client_id": "recorder"}
        requests.post(f"{server.url}/prompt", json=post, timeout=SECONDS).raise_for_status()
        words = [short(message) for message in recorder.until_end()]
    throttled = CAPTURED["progress msgs for 50 fast steps (throttle)"][version] < 50
    assert (words.count("progress") < 50) is throttled


def test_the_client_runs_on_all_of_them(server: EmbeddedServer) -> None:
    with Client(server.url) as client:
        assert client.run(IMAGE, timeout=SECONDS).images
        assert client.run(IMAGE, timeout=SECONDS).images


def test_there_are_no_others() -> None:
    with pytest.raises(ValueError, match="is none of 2024-03"):
        EmbeddedServer(emulate="1.0")
