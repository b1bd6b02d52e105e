"""Details of the protocol that the other tests have no occasion for."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from PIL import Image as Picture

from comfyclient import Client, Workflow
from comfyclient.testing import EmbeddedServer, current, node
from comfyclient.testing.script import Latency
from tests.recorder import SECONDS, Recorder, short
from tests.testing.nodes import NODES, graph, n

if TYPE_CHECKING:
    from collections.abc import Iterator

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    with EmbeddedServer(NODES, models={"loras": ["mine.safetensors"], "mine": ["sub/one.pth"]}) as server:
        yield server


def run(server: EmbeddedServer, prompt: Any, **more: Any) -> list[Any]:
    with Recorder(server.url) as recorder:
        body = {"prompt": prompt, "client_id": "recorder", **more}
        requests.post(f"{server.url}/prompt", json=body, timeout=SECONDS).raise_for_status()
        return recorder.until_end()


def test_what_is_not_json_is_not_sent(server: EmbeddedServer) -> None:
    with Recorder(server.url) as recorder:
        server.send("bad", {1, 2})
        server.send("good", {})
        assert short(recorder.next()) == "good"


def test_a_client_id_that_would_end_comfyui_hurts_nobody(server: EmbeddedServer) -> None:
    with Recorder(server.url) as recorder:
        body = {"prompt": graph(n1=n("Show", value=1)), "client_id": ["x"]}
        requests.post(f"{server.url}/prompt", json=body, timeout=SECONDS).raise_for_status()
        server.send("end", {}, "recorder")
        while short(recorder.next()) != "end":
            pass


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


def test_a_picture_that_becomes_clouds_is_the_same_again(server: EmbeddedServer) -> None:
    orange = {"width": 72, "height": 64, "batch_size": 2, "color": 0xFF8000}
    document = graph(
        n1=n("EmptyImage", **orange),
        n2=n("VAELoader", vae_name="ae.safetensors"),
        n3=n("VAEEncode", pixels=["1", 0], vae=["2", 0]),
        n4=n("VAEDecode", samples=["3", 0], vae=["2", 0]),
        n5=n("SaveImage", images=["4", 0], filename_prefix="again"),
    )
    with Client(server.url) as client:
        pictures = [image.pil().convert("RGB") for image in client.run(document, timeout=SECONDS).images]
    assert [picture.size for picture in pictures] == [(72, 64)] * 2
    for picture in pictures:
        for bands in zip(picture.getpixel((40, 40)), (0xFF, 0x80, 0x00), strict=True):  # type: ignore[arg-type]
            assert abs(bands[0] - bands[1]) <= 4


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


def test_metadata_of_models(server: EmbeddedServer) -> None:
    header = json.dumps({"__metadata__": {"title": "T"}}).encode()
    lora = server.root / "models" / "loras" / "example.safetensors"
    lora.write_bytes(len(header).to_bytes(8, "little") + header)
    url = f"{server.url}/view_metadata/loras?filename=example.safetensors"
    assert requests.get(url, timeout=SECONDS).json() == {"title": "T"}
    lora.write_bytes(b"")
    assert requests.get(url, timeout=SECONDS).status_code == 404


def test_nodes_and_models(server: EmbeddedServer, client: Client) -> None:
    assert "Steps" in client.nodes.list()
    assert {"example.safetensors", "mine.safetensors"} <= set(client.models.list("loras"))
    assert client.models.list("mine") == ["sub/one.pth"]
    assert client.models.list("upscale_models") == []
    assert client.nodes.get("LoraLoader").input["required"]["lora_name"]  # type: ignore[union-attr]
    assert {file.name for file in client.models.details("loras")} == {"example.safetensors", "mine.safetensors"}
    assert client.models.embeddings() == []
    assert client.system.stats().system.comfyui_version == "0.30.0"
    Picture.new("RGB", (4, 4), "red").save(server.root / "models" / "loras" / "mine.png")
    preview = client.models.preview("loras", "mine.safetensors")
    assert preview is not None
    with Picture.open(io.BytesIO(preview)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (4, 4))


def test_a_limit_for_bodies() -> None:
    with EmbeddedServer(max_body=2**20) as server:
        files = {"image": ("big.png", bytes(2**20 + 1), "image/png")}
        answer = requests.post(f"{server.url}/upload/image", files=files, timeout=SECONDS)
        assert (answer.status_code, answer.text) == (413, "Maximum request body size 1048576 exceeded.")
        assert requests.get(f"{server.url}/features", timeout=SECONDS).json()["max_upload_size"] == 2**20


def test_parts_of_a_file(server: EmbeddedServer, client: Client) -> None:
    server.directory("output").joinpath("long.bin").write_bytes(bytes(range(200)))
    assert b"".join(client.files.stream("long.bin", start=10, end=20)) == bytes(range(10, 20))
    assert [file.filename for file in client.files.list()] == ["long.bin"]
