"""``client.models`` on a real server. The models are uploaded as outputs, where the server looks for models, too."""

from __future__ import annotations

import json
import struct
import time
import uuid
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from comfyclient.errors import NotFound
from comfyclient.types import ModelFile

if TYPE_CHECKING:
    from comfyclient import Client


def safetensors(metadata: dict[str, str] | None) -> bytes:
    """A file without tensors."""
    header = json.dumps({} if metadata is None else {"__metadata__": metadata}).encode()
    return struct.pack("<Q", len(header)) + header


def picture(color: str) -> bytes:
    data = BytesIO()
    Image.new("RGB", (8, 8), color).save(data, "PNG")
    return data.getvalue()


def color_of(data: bytes | None) -> tuple[int, ...]:
    assert data is not None
    image = Image.open(BytesIO(data))
    assert image.format == "WEBP"
    pixel = image.convert("RGB").getpixel((4, 4))
    assert isinstance(pixel, tuple)
    return tuple(round(value / 255) for value in pixel)


@pytest.fixture
def place(client: Client) -> str:
    """A directory among the LoRAs with a name of its own, and models in it."""
    name = f"my styles {uuid.uuid4().hex}"
    files = {
        "red & blue #1.safetensors": safetensors({"ss_network_dim": "4", "modelspec.title": "Füchse"}),
        "red & blue #1.png": picture("red"),
        "bare.safetensors": safetensors(None),
        "with [brackets].safetensors": safetensors({}),
        "with [brackets].png": picture("blue"),
        "old.ckpt": b"old",
        "old.preview.png": picture("blue"),
    }
    for filename, content in files.items():
        client.files.upload_image(content, filename=filename, subfolder=f"loras/{name}", type="output")
    return name


def test_folders(client: Client) -> None:
    folders = client.models.folders()

    assert {"checkpoints", "loras", "embeddings"} <= set(folders)
    assert {folder.name for folder in client.models.locations()} <= set(folders)


def test_list(client: Client, place: str) -> None:
    files = {name for name in client.models.list("loras") if name.startswith(place)}
    names = ["red & blue #1.safetensors", "bare.safetensors", "with [brackets].safetensors", "old.ckpt"]

    assert files == {f"{place}/{name}" for name in names}
    assert files <= set(client.models.list("loras"))
    loader = client.nodes.get("LoraLoader", refresh=True)
    assert loader is not None
    assert files <= set(loader.choices("lora_name") or [])


def test_every_folder_can_be_listed(client: Client) -> None:
    for folder in client.models.folders():
        client.models.list(folder)
        client.models.details(folder)


def test_details(client: Client, place: str) -> None:
    files = {file.name: file for file in client.models.details("loras")}
    file = files[f"{place}/old.ckpt"]
    (loras,) = (folder for folder in client.models.locations() if folder.name == "loras")

    assert file.size == 3
    assert abs(time.time() - (file.modified or 0)) < 3600
    assert file.created
    assert file.extra == loras.extra == {}
    assert loras.folders[file.pathIndex].endswith("loras")
    assert ".safetensors" in loras.extensions


@pytest.mark.parametrize(("folder", "hint"), [("lora", "nearest: 'loras'"), ("clip", "is 'text_encoders' now")])
def test_an_unknown_folder(client: Client, folder: str, hint: str) -> None:
    for ask in (client.models.list, client.models.details):
        with pytest.raises(NotFound, match=f"there is no folder of models {folder!r}; .*{hint}"):
            ask(folder)
    with pytest.raises(NotFound, match="no folder of models"):
        client.models.metadata(folder, "a.ckpt")


def test_pictures(client: Client, place: str) -> None:
    files = {file.name.removeprefix(f"{place}/"): file for file in client.models.details("loras")}

    assert color_of(client.models.preview("loras", files["red & blue #1.safetensors"])) == (1, 0, 0)
    assert color_of(client.models.preview("loras", f"{place}/old.ckpt")) == (0, 0, 1)
    assert client.models.preview("loras", files["bare.safetensors"]) is None
    assert client.models.preview("loras", f"{place}/bare.safetensors") is None
    assert client.models.preview("loras", ModelFile(f"{place}/old.ckpt", 99)) is None
    with pytest.raises(NotFound, match="there is no model in 'loras' named"):
        client.models.preview("loras", f"{place}/nothing.ckpt")
    with pytest.raises(ValueError, match="cannot be asked for"):
        client.models.preview("loras", ModelFile("../../../../history", 0))


def test_metadata(client: Client, place: str) -> None:
    named = f"{place}/red & blue #1.safetensors"

    assert client.models.metadata("loras", named) == {"ss_network_dim": "4", "modelspec.title": "Füchse"}
    assert client.models.metadata("loras", f"{place}/with [brackets].safetensors") == {}
    assert client.models.metadata("loras", f"{place}/bare.safetensors") is None
    assert client.models.metadata("loras", f"{place}/old.ckpt") is None
    with pytest.raises(NotFound, match=r"no file in 'loras' named 'bare\.safetensors'; nearest: '.*/bare\.safet"):
        client.models.metadata("loras", "bare.safetensors")


def test_a_header_that_is_too_long_to_be_read(client: Client, place: str) -> None:
    name = f"{place}/long.safetensors"
    content = safetensors({"long": "x" * 2**20})
    client.files.upload_image(content, filename="long.safetensors", subfolder=f"loras/{place}", type="output")

    assert client.models.metadata("loras", name) is None


def test_embeddings(client: Client) -> None:
    assert isinstance(client.models.embeddings(), list)
