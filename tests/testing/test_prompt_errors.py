"""Every ``POST /prompt`` that was captured from the real server, replayed against the embedded one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from comfyclient.testing import EmbeddedServer
from tests.testing.proto import NODES

if TYPE_CHECKING:
    from collections.abc import Iterator

CAPTURES = Path(__file__).parent.parent / "captures"
ERRORS: dict[str, Any] = json.loads((CAPTURES / "prompt_errors.json").read_text(encoding="utf-8"))
POSTS = {name: captured for name, captured in ERRORS.items() if "request" in captured}
SECONDS = 30
# With several bad outputs, which of them are said to depend on a node follows from the order of a set.
VARIABLE = {"traceback", "tooltip", "dependent_outputs"}

# What the captures' labels say about the request beyond its body.
ENCODINGS = {"latin1_body": "latin-1", "utf16_charset": "latin-1"}  # the bytes were written down as characters
HEADERS = {
    "content_type_text": {"Content-Type": "text/plain"},
    "form_encoded": {"Content-Type": "application/x-www-form-urlencoded"},
    "utf16_charset": {"Content-Type": "application/json; charset=utf-16"},
    "no_content_type": {},
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with EmbeddedServer(NODES) as server:
        yield server.url


@pytest.fixture(scope="module")
def answers() -> dict[str, requests.Response]:
    """What a fresh server answers to all of them, in the order in which they were captured."""
    with EmbeddedServer(NODES) as server:
        return {name: _post(server.url, name, captured["request"]) for name, captured in POSTS.items()}


def _post(url: str, name: str, request: Any) -> requests.Response:
    if isinstance(request, str):
        body: Any = request.encode(ENCODINGS.get(name, "utf-8"))
        headers = HEADERS.get(name, {"Content-Type": "application/json"})
    else:
        body, headers = b"" if request is None else json.dumps(request).encode(), {"Content-Type": "application/json"}
    return requests.post(f"{url}/prompt", data=body, headers=headers, timeout=SECONDS)


@pytest.mark.parametrize("name", POSTS)
def test_a_captured_prompt_is_answered_as_the_real_server_answered_it(
    name: str, answers: dict[str, requests.Response]
) -> None:
    expected = ERRORS[name]["response"]
    answer = answers[name]
    assert answer.status_code == expected["status"]
    assert answer.headers["Content-Type"] == expected["content_type"]
    if "json" not in expected:
        assert answer.text == expected["text"]
        return
    assert _comparable(answer.json()) == _comparable(expected["json"])


@pytest.mark.parametrize("name", ["method_put", "method_delete", "method_patch", "method_options", "method_head"])
def test_other_methods(name: str, url: str) -> None:
    answer = requests.request(name.removeprefix("method_").upper(), f"{url}/prompt", timeout=SECONDS)
    assert answer.status_code == ERRORS[name]["status"]
    assert answer.text == ERRORS[name]["text"]
    assert answer.headers.get("Content-Type") == ERRORS[name]["content_type"]


def test_the_other_prefix(url: str) -> None:
    graph = {"1": {"class_type": "ProtoPassInt", "inputs": {"value": 1}}}
    assert requests.post(f"{url}/api/prompt", json={"prompt": graph}, timeout=SECONDS).ok
    assert requests.get(f"{url}/prompt", timeout=SECONDS).json().keys() == {"exec_info"}


def test_values_are_stored_as_what_their_inputs_declare() -> None:
    graph = {
        "1": {"class_type": "ProtoPassInt", "inputs": {"value": "42", "str": None, "flag": "false", "f": "0.5"}},
        "2": {"class_type": "ProtoPassInt", "inputs": {"value": {"__value__": 3.99}, "str": {"a": 1}, "flag": []}},
    }
    with EmbeddedServer(NODES) as server:
        server.latency.node = SECONDS
        requests.post(f"{server.url}/prompt", json={"prompt": graph}, timeout=SECONDS).raise_for_status()
        queue = requests.get(f"{server.url}/queue", timeout=SECONDS).json()
        [item] = queue["queue_running"] + queue["queue_pending"]
        assert item[2]["1"]["inputs"] == {"value": 42, "str": "None", "flag": True, "f": 0.5}
        assert server.submitted[0].prompt == graph


def _comparable(answer: Any) -> Any:
    """An answer without what is random or different between machines."""
    if isinstance(answer, dict):
        left = {key: _comparable(value) for key, value in answer.items() if key not in VARIABLE}
        if "prompt_id" in left:
            left["prompt_id"] = len(left["prompt_id"])
        if "details" in left and "extra_info" in left:
            left["details"] = sorted(str(left["details"]).split("\n"))
        if "dependency_cycle" in str(left):
            left.pop("details", None)  # a cycle may be entered at any of its nodes
        return left
    if isinstance(answer, list):
        compared = [_comparable(each) for each in answer]
        return sorted(compared, key=str) if all(isinstance(each, dict) for each in compared) else compared
    return answer
