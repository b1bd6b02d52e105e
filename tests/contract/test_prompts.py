"""Every ``POST /prompt`` that was captured once, replayed against both servers: they agree, and nothing has changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.captures import HERE
from tests.contract.sides import Plain, answered, differences
from tests.workflows import fresh, node

if TYPE_CHECKING:
    import requests

    from tests.contract.sides import Both, Side

pytestmark = pytest.mark.needs_test_nodes

CAPTURED: dict[str, Any] = json.loads((HERE / "prompt_errors.json").read_text(encoding="utf-8"))

# What the captures' labels say about the request beyond its body.
ENCODINGS = {"latin1_body": "latin-1", "utf16_charset": "latin-1"}  # the bytes were written down as characters
JSON = {"Content-Type": "application/json"}
HEADERS: dict[str, dict[str, str]] = {
    "content_type_text": {"Content-Type": "text/plain"},
    "form_encoded": {"Content-Type": "application/x-www-form-urlencoded"},
    "utf16_charset": {"Content-Type": "application/json; charset=utf-16"},
    "no_content_type": {},
}


def replay(side: Side, name: str) -> requests.Response:
    """The captured request once more."""
    if name.startswith("method_"):
        return side.ask(name.removeprefix("method_").upper(), "/prompt")
    if name == "api_prefix":
        return side.ask("POST", "/api/prompt", json={"prompt": {"1": node("ProtoPassInt", value=1)}})
    request = CAPTURED[name]["request"]
    if isinstance(request, str):
        body = request.encode(ENCODINGS.get(name, "utf-8"))
    else:
        body = b"" if request is None else json.dumps(request).encode()
    return side.ask("POST", "/prompt", data=body, headers=HEADERS.get(name, JSON))


def comparable(value: Any, key: str = "") -> Any:
    """An answer without what is left to chance, and without what the stand-ins do not explain to their readers.

    The server gives numbers of its own. Where a cycle is entered, which of several bad outputs comes first, and so
    which of them a bad node is said to have spoilt, follows from the order of a set. What there is to load depends on
    the directory.
    """
    match value:
        case {"image_upload": True}:
            value = "what can be loaded"
        case dict():
            left_out = {"tooltip", "dependent_outputs"}
            value = {name: comparable(each, name) for name, each in value.items() if name not in left_out}
        case list():
            value = [comparable(each) for each in value]
            if key == "input_config" and value[-1] == "what can be loaded":
                value = value[-1]
            elif all(isinstance(item, dict) for item in value):
                value = sorted(value, key=str)
        case str() if key == "details":
            value = "a cycle" if " -> " in value else sorted(value.split("\n"))
        case int() | float() if key == "number":
            value = "in front" if value < 0 else "behind"
    return value


def known(name: str) -> dict[str, Any]:
    """What the real server answered when this was captured."""
    said = CAPTURED[name].get("response", CAPTURED[name])
    return {"status": said["status"], "type": said["content_type"], "body": said.get("json", said.get("text"))}


@pytest.mark.parametrize("name", CAPTURED)
def test_a_captured_prompt(both: Both, name: str) -> None:
    def story(side: Side) -> Any:
        side.ask("POST", "/prompt", json={})  # so that no number is 0, which is neither in front nor behind
        return comparable(Plain(side).value(answered(replay(side, name))))

    answer = both.agree(story)

    now = {"status": answer["status"], "type": answer["headers"].get("Content-Type"), "body": answer["body"]}
    assert list(differences(comparable(Plain(both.real).value(known(name))), now)) == []


def test_which_outputs_a_bad_node_has_spoilt(both: Both) -> None:
    prompt = {
        "1": node("EmptyImage", width=0, height=8, batch_size=1, color=0),
        "2": node("PreviewImage", images=["1", 0]),
    }
    answer = both.agree_on("POST", "/prompt", json={"prompt": prompt})

    assert answer["body"]["node_errors"]["1"]["dependent_outputs"] == ["2"]


@pytest.mark.parametrize("number", [7, 2.5, "7", True, -3])
def test_a_number_of_ones_own(both: Both, number: Any) -> None:
    prompt = {"1": node("ProtoPassInt", value=fresh() % 1000)}
    answer = both.agree_on("POST", "/prompt", json={"prompt": prompt, "number": number})

    assert answer["body"]["number"] == float(number)


def test_values_are_stored_as_what_their_inputs_declare(both: Both) -> None:
    prompt = {
        "1": node("ProtoPassInt", value="42", str=None, flag="false", f="0.5"),
        "2": node("ProtoPassInt", value={"__value__": 3.99}, str={"a": 1}, flag=[]),
        "3": node("ProtoPassInt", value=True, typo=1),
    }

    def stored(side: Side) -> Any:
        gate = side.gate()
        side.submit(gate.workflow())
        gate.wait()
        prompt_id = side.submit(prompt)
        [item] = side.get("/queue")["queue_pending"]
        assert item[1] == prompt_id
        gate.open()
        return {node_id: each["inputs"] for node_id, each in item[2].items()}

    inputs = both.agree(stored)

    assert inputs["1"] == {"value": 42, "str": "None", "flag": True, "f": 0.5}
    assert inputs["3"] == {"value": 1, "typo": 1}
