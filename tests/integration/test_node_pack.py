"""The test nodes do on a real server what the other tests take them for; no comfyclient code is involved."""

from __future__ import annotations

import io
import json
import struct
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import requests
import websocket
from PIL import Image

from tests.comfyui.images import painted

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.needs_test_nodes

TIMEOUT = 30


class Peer:
    """A bare client: one websocket, and HTTP without ceremony."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sid = uuid.uuid4().hex
        address = f"ws{url.removeprefix('http')}/ws?clientId={self.sid}"
        self.socket = websocket.create_connection(address, timeout=TIMEOUT, suppress_origin=True)
        assert self.receive()["type"] == "status"

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, timeout=TIMEOUT)

    def post(self, path: str, **content: Any) -> Any:
        answer = requests.post(self.url + path, timeout=TIMEOUT, **content)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def receive(self) -> Any:
        """The next message: an event as a dict, or a binary frame as bytes."""
        message = self.socket.recv()
        return json.loads(message) if isinstance(message, str) else message

    def until(self, kind: str, **data: Any) -> list[Any]:
        """All messages up to and including the first of that kind with that data."""
        messages = []
        while True:
            messages.append(message := self.receive())
            if isinstance(message, dict) and message["type"] == kind and data.items() <= message["data"].items():
                return messages

    def submit(self, **graph: dict[str, Any]) -> str:
        body = {"prompt": graph, "client_id": self.sid}
        answer = self.post("/prompt", json=body)
        assert answer["node_errors"] == {}
        return str(answer["prompt_id"])

    def run(self, **graph: dict[str, Any]) -> list[Any]:
        """All messages of a prompt until it is done."""
        return self.until("executing", node=None, prompt_id=self.submit(**graph))


@pytest.fixture
def peer(comfyui_url: str) -> Iterator[Peer]:
    peer = Peer(comfyui_url)
    yield peer
    peer.socket.close()


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs, "_meta": {"title": class_type}}


def data(messages: list[Any], kind: str) -> list[dict[str, Any]]:
    return [m["data"] for m in messages if isinstance(m, dict) and m["type"] == kind]


def binary(messages: list[Any], number: int) -> list[bytes]:
    """What follows the number in the binary frames of that number."""
    frames = [m for m in messages if isinstance(m, bytes)]
    return [frame[4:] for frame in frames if struct.unpack(">I", frame[:4]) == (number,)]


def fresh() -> int:
    """A seed that no cache knows."""
    return uuid.uuid4().int % 2**63


def test_image_has_the_promised_pixels(peer: Peer) -> None:
    seed = fresh()
    messages = peer.run(
        a=node("TestImage", seed=seed, width=300, height=20, batch=2),
        b=node("SaveImage", images=["a", 0], filename_prefix="comfyclient_tests/painted"),
    )
    (executed,) = data(messages, "executed")
    assert len(executed["output"]["images"]) == 2
    for i, item in enumerate(executed["output"]["images"]):
        body = requests.get(f"{peer.url}/view", params=item, timeout=TIMEOUT).content
        with Image.open(io.BytesIO(body)) as image:
            assert image.convert("RGB").tobytes() == painted(seed + i, 300, 20)


def test_big_image_is_that_big(peer: Peer) -> None:
    (executed,) = data(peer.run(a=node("TestBigImage", megabytes=2.0, seed=fresh())), "executed")
    body = requests.get(f"{peer.url}/view", params=executed["output"]["images"][0], timeout=TIMEOUT).content
    assert len(body) == pytest.approx(2e6, rel=0.01)


def test_the_seed_decides_about_the_cache(peer: Peer) -> None:
    seed = fresh()
    graph = {"a": node("TestSaveText", text="x", seed=seed)}
    assert data(peer.run(**graph), "execution_cached")[0]["nodes"] == []
    assert data(peer.run(**graph), "execution_cached")[0]["nodes"] == ["a"]
    graph["a"]["inputs"]["seed"] = seed + 1
    assert data(peer.run(**graph), "execution_cached")[0]["nodes"] == []


def test_progress_goes_through_its_steps_and_passes_its_value_on(peer: Peer) -> None:
    messages = peer.run(a=node("TestProgress", steps=4, seed=fresh(), value="kept"), b=node("TestText", value=["a", 0]))
    steps = [(event["value"], event["max"]) for event in data(messages, "progress")]
    assert steps[0] == (1, 4)
    assert steps[-1] == (4, 4)
    assert data(messages, "executed")[0]["output"] == {"text": ["kept"]}


@pytest.mark.parametrize(("image_format", "number"), [("JPEG", 1), ("PNG", 2)])
def test_previews_are_real_pictures(peer: Peer, image_format: str, number: int) -> None:
    seed = fresh()
    messages = peer.run(
        a=node("TestPreview", steps=3, format=image_format, width=40, height=30, seed=seed),
        b=node("PreviewImage", images=["a", 0]),
    )
    previews = binary(messages, 1)
    assert len(previews) == 3
    for i, preview in enumerate(previews):
        assert struct.unpack(">I", preview[:4]) == (number,)
        with Image.open(io.BytesIO(preview[4:])) as image:
            assert (image.format, image.size) == (image_format, (40, 30))
            if image_format == "PNG":
                assert image.convert("RGB").tobytes() == painted(seed + i, 40, 30)


def test_a_gate_holds_until_it_is_released(peer: Peer) -> None:
    name = uuid.uuid4().hex
    prompt_id = peer.submit(a=node("TestGate", name=name, value="through"), b=node("TestText", value=["a", 0]))
    assert peer.get(f"/comfyclient_test/reached/{name}").ok
    assert name in peer.get("/comfyclient_test/waiting").json()
    peer.post(f"/comfyclient_test/release/{name}")
    messages = peer.until("executing", node=None, prompt_id=prompt_id)
    assert data(messages, "executed")[0]["output"] == {"text": ["through"]}
    assert name not in peer.get("/comfyclient_test/waiting").json()


def test_a_gate_may_be_released_before_it_is_reached(peer: Peer) -> None:
    name = uuid.uuid4().hex
    assert peer.get(f"/comfyclient_test/reached/{name}?timeout=0.01").status_code == 408
    peer.post(f"/comfyclient_test/release/{name}")
    messages = peer.run(a=node("TestGate", name=name), b=node("TestText", value=["a", 0]))
    assert data(messages, "execution_success")


@pytest.mark.parametrize("kind", ["TestGate", "TestAsync"])
def test_a_gate_notices_interrupts(peer: Peer, kind: str) -> None:
    name = uuid.uuid4().hex
    prompt_id = peer.submit(a=node(kind, name=name), b=node("TestText", value=["a", 0]))
    assert peer.get(f"/comfyclient_test/reached/{name}").ok
    peer.post("/interrupt", json={"prompt_id": prompt_id})
    (interrupted,) = data(peer.until("executing", node=None, prompt_id=prompt_id), "execution_interrupted")
    assert interrupted["node_id"] == "a"
    assert name not in peer.get("/comfyclient_test/waiting").json()


def test_a_gate_may_be_deaf_to_interrupts(peer: Peer) -> None:
    name = uuid.uuid4().hex
    prompt_id = peer.submit(a=node("TestGate", name=name, interruptible=False), b=node("TestText", value=["a", 0]))
    assert peer.get(f"/comfyclient_test/reached/{name}").ok
    peer.post("/interrupt", json={"prompt_id": prompt_id})
    peer.post(f"/comfyclient_test/release/{name}")
    (interrupted,) = data(peer.until("executing", node=None, prompt_id=prompt_id), "execution_interrupted")
    assert interrupted["node_id"] == "b"


def test_a_gate_may_be_amid_steps(peer: Peer) -> None:
    name = uuid.uuid4().hex
    prompt_id = peer.submit(a=node("TestGate", name=name, steps=3), b=node("TestText", value=["a", 0]))
    (before,) = data(peer.until("progress"), "progress")
    assert peer.get(f"/comfyclient_test/reached/{name}").ok
    peer.post(f"/comfyclient_test/release/{name}")
    (after,) = data(peer.until("executing", node=None, prompt_id=prompt_id), "progress")
    assert [(event["value"], event["max"]) for event in (before, after)] == [(2, 3), (3, 3)]


def test_sleep_notices_interrupts(peer: Peer) -> None:
    prompt_id = peer.submit(a=node("TestSleep", seconds=60.0, seed=fresh()), b=node("TestText", value=["a", 0]))
    peer.until("executing", node="a", prompt_id=prompt_id)
    peer.post("/interrupt", json={"prompt_id": prompt_id})
    (interrupted,) = data(peer.until("executing", node=None, prompt_id=prompt_id), "execution_interrupted")
    assert interrupted["node_id"] == "a"


@pytest.mark.parametrize(
    ("exception", "reported"),
    [
        ("ValueError", "ValueError"),
        ("MemoryError", "MemoryError"),
        ("OutOfMemoryError", "torch.OutOfMemoryError"),
        ("TestError", "comfyclient_test_nodes.TestError"),
    ],
)
def test_raise_raises_what_it_is_told(peer: Peer, exception: str, reported: str) -> None:
    messages = peer.run(a=node("TestRaise", exception=exception, message="because", seed=fresh()))
    (error,) = data(messages, "execution_error")
    assert error["exception_type"].endswith(reported)
    assert error["exception_message"].startswith("because\n")
    assert error["node_id"] == "a"


def test_raise_can_be_without_a_message(peer: Peer) -> None:
    messages = peer.run(a=node("TestRaise", exception="RuntimeError", message="", seed=fresh()))
    assert data(messages, "execution_error")[0]["exception_message"] == "\n"


def test_a_late_error_comes_after_an_output_and_progress(peer: Peer) -> None:
    messages = peer.run(
        a=node("TestSaveText", text="done", seed=fresh()),
        b=node("TestRaise", exception="ValueError", message="late", steps=2, value=["a", 0]),
    )
    kinds = [m["type"] for m in messages if isinstance(m, dict)]
    assert kinds.index("executed") < kinds.index("progress") < kinds.index("execution_error")
    assert data(messages, "progress")[-1]["value"] == 2


@pytest.mark.parametrize("message", ["", "not today"])
def test_block_blocks_what_follows(peer: Peer, message: str) -> None:
    messages = peer.run(a=node("TestBlock", message=message, seed=fresh()), b=node("TestText", value=["a", 0]))
    assert data(messages, "executed") == []
    assert len(data(messages, "execution_success")) == 1
    assert [e["exception_type"] for e in data(messages, "execution_error")] == ["ExecutionBlocked"] * bool(message)


def test_expand_becomes_other_nodes(peer: Peer) -> None:
    messages = peer.run(
        a=node("TestExpand", count=2, show=True, seed=fresh(), value="inside"),
        b=node("TestText", value=["a", 0]),
    )
    assert data(messages, "execution_success")
    inner = {e["node"] for e in data(messages, "executing") if e["node"] not in {"a", "b", None}}
    assert len(inner) == 3
    shown = [(e["display_node"], e["output"]) for e in data(messages, "executed")]
    assert sorted(shown) == [("a", {"text": ["inside"]}), ("b", {"text": ["inside"]})]


def test_expand_can_fail_inside(peer: Peer) -> None:
    messages = peer.run(a=node("TestExpand", count=1, fail=True, seed=fresh()), b=node("TestText", value=["a", 0]))
    (error,) = data(messages, "execution_error")
    assert (error["node_id"], error["node_type"]) == ("a", "TestExpand")
    assert error["exception_message"] == "inner\n"


def test_list_runs_what_follows_once_for_each(peer: Peer) -> None:
    messages = peer.run(a=node("TestList", count=3, seed=fresh()), b=node("TestText", value=["a", 0]))
    assert data(messages, "executed")[0]["output"] == {"text": ["0", "1", "2"]}


def test_async_nodes_run_side_by_side(peer: Peer) -> None:
    names = [uuid.uuid4().hex, uuid.uuid4().hex]
    prompt_id = peer.submit(
        a=node("TestAsync", name=names[0], value="first"),
        b=node("TestAsync", name=names[1], value="second"),
        c=node("TestText", value=["a", 0]),
        d=node("TestText", value=["b", 0]),
    )
    for name in names:
        assert peer.get(f"/comfyclient_test/reached/{name}").ok
    for name in names:
        peer.post(f"/comfyclient_test/release/{name}")
    messages = peer.until("executing", node=None, prompt_id=prompt_id)
    assert {e["node"]: e["output"]["text"] for e in data(messages, "executed")} == {
        "c": ["first"],
        "d": ["second"],
    }


def test_async_nodes_can_fail(peer: Peer) -> None:
    messages = peer.run(a=node("TestAsync", fail=True, seed=fresh()), b=node("TestText", value=["a", 0]))
    assert data(messages, "execution_error")[0]["exception_message"] == "the async node failed\n"


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("images", "images"),
        ("animated", "images"),
        ("gifs", "gifs"),
        *((kind, kind) for kind in ("audio", "video", "files", "latents", "3d")),
    ],
)
def test_outputs_that_are_files_can_be_fetched(peer: Peer, kind: str, key: str) -> None:
    seed = fresh()
    (executed,) = data(peer.run(a=node("TestOutputs", kinds=kind, seed=seed)), "executed")
    for item in executed["output"][key]:
        answer = requests.get(f"{peer.url}/view", params=item, timeout=TIMEOUT)
        assert answer.ok
        if kind == "images":
            with Image.open(io.BytesIO(answer.content)) as image:
                assert image.convert("RGB").tobytes() == painted(seed, 16, 16)
        else:
            assert answer.text == item["filename"]


def test_outputs_of_several_kinds_come_together(peer: Peer) -> None:
    kinds = "images, animated, gifs, audio, text, result, nan, odd"
    (executed,) = data(peer.run(a=node("TestOutputs", kinds=kinds, seed=fresh())), "executed")
    output = executed["output"]
    assert set(output) == {"images", "animated", "gifs", "audio", "text", "result", "numbers", "flag"}
    assert len(output["images"]) == 2 + 1 + 5
    assert output["images"][-3:] == [7, None, "loose.png"]
    assert output["gifs"][0]["frame_rate"] == 8.0
    assert output["numbers"][1:] == [float("inf"), float("-inf")]
    assert peer.get("/history?max_items=5").ok


def test_silent_outputs_say_nothing(peer: Peer) -> None:
    messages = peer.run(a=node("TestSilentOutput", seed=fresh()))
    assert data(messages, "executed") == []
    assert data(messages, "execution_success")


def test_text_progress_is_sent_while_it_runs(peer: Peer) -> None:
    messages = peer.run(
        a=node("TestTextProgress", text="line", count=2, seed=fresh()), b=node("TestText", value=["a", 0])
    )
    assert binary(messages, 3) == [b"\0\0\0\1aline 0", b"\0\0\0\1aline 1"]


def test_emit_sends_any_event(peer: Peer) -> None:
    peer.post("/comfyclient_test/emit", json={"type": "surprise", "data": [1, None], "sid": peer.sid})
    assert peer.receive() == {"type": "surprise", "data": [1, None]}
    peer.post("/comfyclient_test/emit/99", params={"sid": peer.sid}, data=b"raw")
    assert peer.receive() == b"\0\0\0\x63raw"


def test_frame_sends_what_no_server_would(peer: Peer) -> None:
    peer.post("/comfyclient_test/frame/text", params={"sid": peer.sid}, data=b"{not json")
    assert peer.socket.recv() == "{not json"
    peer.post("/comfyclient_test/frame/binary", params={"sid": peer.sid}, data=b"\0\1")
    assert peer.receive() == b"\0\1"


def test_drop_cuts_the_connection(peer: Peer) -> None:
    peer.post("/comfyclient_test/drop", params={"sid": peer.sid})
    with pytest.raises(websocket.WebSocketConnectionClosedException):
        peer.receive()
