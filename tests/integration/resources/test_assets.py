"""``client.assets`` on a real server with ``--enable-assets``, and on one without."""

from __future__ import annotations

import io
import os
import uuid
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from comfyclient import Client
from comfyclient._http import CHUNK
from comfyclient.errors import NotFound, ServerError
from tests.conftest import soon
from tests.workflows import PATIENCE, fresh, fresh_color, node, plain

if TYPE_CHECKING:
    from pathlib import Path

    from comfyclient.resources import Assets
    from comfyclient.types import Asset
    from tests.comfyui.server import RealServer

UNKNOWN = "00000000-0000-4000-8000-000000000000"


# --- there and back ---------------------------------------------------------------------------------------------


def test_an_asset_from_its_beginning_to_its_end(assets: Assets, content: bytes, label: str, tmp_path: Path) -> None:
    path = tmp_path / "żółw; 狐.txt"
    path.write_bytes(content)
    uploaded = assets.upload(path, tags=["input", label], user_metadata={"mood": "calm", "stars": 4.5})

    assert uploaded.created_new
    assert (uploaded.name, uploaded.size, uploaded.mime_type) == (path.name, 16, "text/plain")
    assert uploaded.tags == ("input", label, "uploaded")
    assert uploaded.hash == uploaded.asset_hash
    assert uploaded.hash is not None
    assert uploaded.loader_path == uploaded.display_name == f"{uploaded.hash.removeprefix('blake3:')}.txt"
    assert uploaded.user_metadata == {"mood": "calm", "stars": 4.5, "filename": uploaded.loader_path}
    assert uploaded.extra == {}
    assert uploaded.created_at is not None
    assert abs(datetime.now(timezone.utc) - uploaded.created_at) < timedelta(minutes=1)

    asset = assets.get(uploaded.id)
    assert asset is not None
    assert (asset.id, asset.tags, asset.created_new, asset.extra) == (uploaded.id, uploaded.tags, None, {})
    assert assets.list(include_tags=label).assets == (asset,)
    assert assets.read(asset) == content
    assert b"".join(assets.stream(asset.id)) == content
    assert assets.download(asset.id, tmp_path / "copies").read_bytes() == content
    assert assets.download(asset, f"{tmp_path}/saved/") == tmp_path / "saved" / path.name
    read = assets.get(asset)
    assert read is not None
    assert read.last_access_time is not None
    assert asset.last_access_time is not None
    assert read.last_access_time > asset.last_access_time

    changed = assets.update(asset, name="renamed", user_metadata={"mood": "wild"}, preview_id=asset.id)
    assert (changed.name, changed.preview_id) == ("renamed", asset.id)
    assert changed.user_metadata == {"mood": "wild", "filename": asset.loader_path}

    assets.delete(asset)
    assert assets.get(asset) is None
    assert assets.list(include_tags=[label]).total == 0


def test_any_source_does(assets: Assets, content: bytes) -> None:
    plain_bytes = assets.upload(content)
    assert plain_bytes.loader_path == plain_bytes.name == str(plain_bytes.hash).removeprefix("blake3:")
    assert plain_bytes.mime_type == "application/octet-stream"
    file = assets.upload(io.BytesIO(content + b"2"), filename="a.webp", name="A picture", tags="output")
    assert (file.name, file.mime_type, str(file.loader_path)[64:]) == ("A picture", "image/webp", ".webp")
    assert "output" in file.tags
    picture = assets.upload(Image.new("RGB", (5, 4), fresh_color()))
    assert (picture.mime_type, picture.metadata) == ("image/png", {"kind": "image", "width": 5, "height": 4})
    with Image.open(io.BytesIO(assets.read(picture))) as image:
        assert image.size == (5, 4)


def test_a_file_may_be_larger_than_other_uploads(assets: Assets, tmp_path: Path, label: str) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(5 * CHUNK + 7))  # the server takes one MB
    seen: list[tuple[int, int]] = []
    asset = assets.upload(path, tags=["input", label], progress=lambda sent, total: seen.append((sent, total)))

    size = 5 * CHUNK + 7
    assert asset.size == size
    assert seen[0] == (0, size)
    assert seen[-1] == (size, size)
    assert [len(piece) for piece in assets.stream(asset)] == [CHUNK] * 5 + [7]
    assert assets.download(asset, tmp_path / "copy").read_bytes() == path.read_bytes()


def test_a_model(assets: Assets, asset_server: RealServer, content: bytes) -> None:
    asset = assets.upload(content, filename="own.safetensors", tags=["models", "model_type:loras"])

    assert asset.display_name == f"loras/{asset.loader_path}"
    assert (asset_server.base_directory / "models" / "loras" / str(asset.loader_path)).read_bytes() == content


def test_content_is_stored_once(assets: Assets, content: bytes, label: str) -> None:
    first = assets.upload(content, filename="a.bin", user_metadata={"a": 1})
    again = assets.upload(content, filename="b.bin", tags=[label])

    assert again.id != first.id
    assert (again.created_new, again.hash, again.name, again.tags) == (False, first.hash, "b.bin", (label,))
    assert again.loader_path is None
    assert assets.read(again) == content
    assets.delete(again)
    assert assets.read(first) == content


def test_an_entry_whose_file_is_no_longer_in_the_catalogue(asset_client: Client, content: bytes) -> None:
    assets = asset_client.assets
    first, copy = assets.upload(content), assets.upload(content)
    assets.delete(first)

    assert assets.exists(str(first.hash))
    for left in (copy, assets.upload(content)):
        with pytest.raises(NotFound, match="Underlying file not found"):
            assets.read(left)
    asset_client.files.upload_image(content, filename="again.bin")
    assert assets.read(copy) == content


def test_by_hash(assets: Assets, content: bytes, label: str) -> None:
    asset = assets.upload(content)
    assert asset.hash is not None

    assert assets.exists(asset.hash)
    assert assets.exists(asset.hash.upper())
    assert not assets.exists("blake3:" + "0" * 64)
    with pytest.raises(ServerError, match="400: a hash is"):
        assets.exists("sha256:" + "0" * 64)

    copy = assets.from_hash(asset.hash, name="copy", tags=["a,b", label], user_metadata={"k": True})
    assert (copy.hash, copy.name, copy.tags) == (asset.hash, "copy", ("a,b", label))
    assert (copy.user_metadata, copy.created_new, copy.extra) == ({"k": True}, False, {})
    assert assets.read(copy) == content
    assert assets.from_hash(asset.hash).name == asset.hash.removeprefix("blake3:")
    with pytest.raises(NotFound, match="does not exist"):
        assets.from_hash("blake3:" + "0" * 64)
    with pytest.raises(ServerError, match=r"400: Validation failed\..*hash must be"):
        assets.from_hash("zz")

    with pytest.raises(ServerError, match="400: Uploaded file hash does not match"):
        assets.upload(content + b"2", hash="blake3:" + "0" * 64)
    sent = assets.upload(b"whatever", hash=asset.hash, name="same")
    assert (sent.hash, sent.created_new) == (asset.hash, False)


def test_what_the_server_does_not_store(assets: Assets, content: bytes) -> None:
    with pytest.raises(ServerError, match="400: tags are required"):
        assets.upload(content, tags=())
    with pytest.raises(ServerError, match="400: uploads require exactly one destination"):
        assets.upload(content, tags=["input", "output"])
    with pytest.raises(ServerError, match="400: models uploads require exactly one model_type"):
        assets.upload(content, tags=["models"])
    with pytest.raises(ServerError, match="400: unknown model category 'bogus'"):
        assets.upload(content, tags=["models", "model_type:bogus"])
    with pytest.raises(ServerError, match="400: Uploaded file is empty"):
        assets.upload(b"")
    with pytest.raises(ServerError, match="413: Maximum request body size"):
        assets.upload(content, user_metadata={"a": "x" * 2_000_000})


def test_what_is_not_there(assets: Assets, content: bytes, asset_server: RealServer, tmp_path: Path) -> None:
    assert assets.get(UNKNOWN) is None
    for call in (
        lambda: assets.update(UNKNOWN, name="a"),
        lambda: assets.delete(UNKNOWN),
        lambda: assets.read(UNKNOWN),
        lambda: assets.download(UNKNOWN, tmp_path),
        lambda: assets.tags.add(UNKNOWN, "a"),
        lambda: assets.tags.remove(UNKNOWN, "a"),
    ):
        with pytest.raises(NotFound, match=f"{UNKNOWN} not found"):
            call()
    asset = assets.upload(content)
    with pytest.raises(NotFound, match=f"Preview .* {UNKNOWN} not found"):
        assets.update(asset, preview_id=UNKNOWN)
    with pytest.raises(ServerError, match="Provide at least one of"):
        assets.update(asset)
    (asset_server.base_directory / "input" / str(asset.loader_path)).unlink()
    with pytest.raises(NotFound, match="Underlying file not found"):
        assets.download(asset, tmp_path / "sub" / "a")
    assert not list((tmp_path / "sub").iterdir())


# --- finding ----------------------------------------------------------------------------------------------------


@pytest.fixture
def several(assets: Assets, label: str) -> list[Asset]:
    """Five assets with a tag of their own, in the order of their creation, names and sizes."""
    return [
        assets.upload(uuid.uuid4().bytes * (i + 1), name=f"Name {i}", tags=["input", label], user_metadata={"i": i})
        for i in range(5)
    ]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", ["created_at", "updated_at", "name", "size", "last_access_time"])
def test_all_pages(assets: Assets, several: list[Asset], label: str, sort: str, order: str) -> None:
    found = [asset.id for asset in assets.iter(include_tags=[label], sort=sort, order=order, page_size=2)]

    assert found == [asset.id for asset in several][:: 1 if order == "asc" else -1]


def test_one_page(assets: Assets, several: list[Asset], label: str) -> None:
    page = assets.list(include_tags=["input", label], limit=2, sort="name", order="asc")
    assert [asset.name for asset in page.assets] == ["Name 0", "Name 1"]
    assert (page.total, page.has_more, page.extra) == (5, True, {})
    rest = assets.list(include_tags=["input", label], limit=3, sort="name", order="asc", after=page.next_cursor)
    assert [asset.name for asset in rest.assets] == ["Name 2", "Name 3", "Name 4"]
    assert (rest.has_more, rest.next_cursor) == (False, None)
    skipped = assets.list(include_tags=[label], offset=4)  # the newest first
    assert [asset.id for asset in skipped.assets] == [several[0].id]
    with pytest.raises(ServerError, match="400: cursor order 'asc' does not match"):
        assets.list(sort="name", after=page.next_cursor)


def test_filters(assets: Assets, several: list[Asset], label: str) -> None:
    def names(**filters: object) -> set[str | None]:
        return {asset.name for asset in assets.iter(include_tags=label, **filters)}  # type: ignore[arg-type]

    assert names(name_contains="ME 3") == {"Name 3"}
    assert names(name_contains="%") == set()
    assert names(metadata_filter={"i": 1}) == {"Name 1"}
    assert names(metadata_filter={"i": [0, 4]}) == {"Name 0", "Name 4"}
    assert names(metadata_filter={"j": None, "i": 2}) == {"Name 2"}
    assets.tags.add(several[0], "fav")
    assert names(exclude_tags="fav") == {f"Name {i}" for i in range(1, 5)}


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": 501}, {"sort": "bogus"}, {"order": "up"}, {"after": "zz"}])
def test_a_word_that_the_server_does_not_know(assets: Assets, wrong: dict[str, str]) -> None:
    with pytest.raises(ServerError, match=r"answered 400: ..."):
        assets.list(**wrong)  # type: ignore[arg-type]  # which is what is tested


# --- jobs -------------------------------------------------------------------------------------------------------


def test_an_asset_goes_into_a_workflow_and_comes_out_of_one(asset_client: Client) -> None:
    color = fresh_color()
    asset = asset_client.assets.upload(Image.new("RGB", (8, 8), color))
    workflow = {
        "1": node("LoadImage", image=asset.loader_path),
        "2": node("SaveImage", images=["1", 0], filename_prefix=f"inverted {fresh()}"),
    }
    (image,) = asset_client.run(workflow).images

    made = asset_client.assets.get(image.raw["id"])
    assert made is not None
    assert (made.name, made.display_name, made.mime_type) == (image.filename, image.filename, "image/png")
    assert made.tags == ("output", "uploaded")
    assert asset_client.assets.read(made) == image.read()


def test_every_way_to_a_jobs_outputs_tells_the_asset(asset_client: Client) -> None:
    job = asset_client.submit(plain(fresh_color()))
    (image,) = job.result(timeout=PATIENCE).images
    entry = asset_client.history.get(job.prompt_id)
    assert entry is not None
    assert entry.outputs["2"]["images"] == [dict(image.raw)]
    with Client(asset_client.config.url, realtime=False) as polling:
        (polled,) = polling.run(plain(fresh_color())).images
        assert asset_client.assets.get(polled.raw["id"]) is not None

    def of_the_job() -> bool:
        made = asset_client.assets.get(image.raw["id"])
        return made is not None and made.job_id == made.prompt_id == job.prompt_id

    assert soon(of_the_job)  # entered after the job's end


def test_an_uploaded_image_is_an_asset(asset_client: Client, content: bytes) -> None:
    info = asset_client.files.upload_image(content, filename="a.png")
    asset = asset_client.assets.get(info.extra["asset"]["id"])

    assert asset is not None
    assert (asset.loader_path, asset.tags) == (info.filename, ("input", "uploaded"))


# --- off --------------------------------------------------------------------------------------------------------


def test_a_server_with_assets_off(comfyui_url: str, tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    large.touch()
    os.truncate(large, 64 * 1024 * 1024)
    with Client(comfyui_url) as client:
        if client.system.features().get("assets"):
            pytest.skip("this server has them on")
        with pytest.raises(ServerError, match="503: assets are off; start the server with --enable-assets"):
            client.assets.list()
        with pytest.raises(ServerError, match="503: assets are off"):
            client.assets.upload(large)
        with pytest.raises(ServerError, match=r"503: .*--enable-assets"):  # in the server's own words
            client.request("POST", "/api/assets/seed")
