"""Uploads and views of the embedded server, against what the real one answered."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
import requests
from PIL import Image as Picture

from comfyclient.testing import EmbeddedServer
from tests.captures import capture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comfyclient import Client

SECONDS = 30
VIEWS: dict[str, Any] = capture("view_responses")
UPLOADS: dict[str, Any] = capture("upload_responses")
# What the machine decides: times, and how well it packs.
VARIABLE = {"Etag", "Last-Modified", "Content-Length", "Content-Range", "Date", "Server", "Connection"}
FILES = {
    "a..b.png": b"dots",
    "svg.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "x.html": b"<b>x</b>",
    "j.json": b"{}",
    "noext": b"x",
    "t.txt": b"hello",
    "f.flac": b"f",
    "m.mp3": b"g",
    "g.glb": b"g",
    "v.mp4": bytes(100),
    "q.mkv": b"g",
    "l.latent": b"xx",
    "x.safetensors": b"g",
    "x.ply": b"g",
    "w.webp": b"RIFF",
    "rgba.png.gz": b"gzipped-sibling",
}


def painted(mode: str, size: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    Picture.new(mode, size, (200, 192, 180, 60)[: len(mode)]).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def stocked() -> Iterator[EmbeddedServer]:
    """A server with the files that the captured one had."""
    with EmbeddedServer() as server:
        output = server.directory("output")
        (output / "sub").mkdir()
        for name, data in FILES.items():
            (output / name).write_bytes(data)
        for name in ("rgba.png", 'ż ó".png'):
            (output / name).write_bytes(painted("RGBA", (8, 6)))
        (output / "t.png").write_bytes(painted("RGB", (8, 6)))
        (output / "sub" / "o.png").write_bytes(painted("RGB", (8, 8)))
        yield server


@pytest.mark.parametrize("name", VIEWS)
def test_a_captured_view(name: str, stocked: EmbeddedServer) -> None:
    expected = VIEWS[name]
    ranges = {
        "range 0-3": "bytes=0-3",
        "range suffix": "bytes=-4",
        "range open": "bytes=10-",
        "range bad": "bytes=1000-2000",
        "range multi": "bytes=0-1,3-4",
    }
    headers = {"Accept-Encoding": "gzip, deflate" if "gzip" in name else "identity"}
    url = f"{stocked.url}/view{expected['query']}"
    if name in ranges:
        headers["Range"] = ranges[name]
    if name == "svg as image dest":
        headers["Sec-Fetch-Dest"] = "image"
    if name.startswith("if-"):
        before = requests.get(url, headers=headers, timeout=SECONDS).headers
        known = {
            "if-none-match": ("If-None-Match", "Etag"),
            "if-modified-since": ("If-Modified-Since", "Last-Modified"),
        }
        headers[known[name][0]] = before[known[name][1]]
    method = name.upper() if name in {"head", "post"} else "GET"
    answer = requests.request(method, url, headers=headers, stream=True, timeout=SECONDS)
    with answer:
        body = answer.raw.read()
    assert answer.status_code == expected["status"]
    assert stable(answer.headers) == stable(expected["headers"])
    if expected.get("image"):
        with Picture.open(io.BytesIO(body)) as picture:
            assert [picture.format, list(picture.size), picture.mode] == expected["image"]


def stable(headers: Any) -> dict[str, str]:
    return {key.title(): value for key, value in headers.items() if key.title() not in VARIABLE}


# ── uploads ──────────────────────────────────────────────────────────────────────────────────────────────────────────

FILE = "image/png"
SEQUENCE: dict[str, tuple[str, bytes, dict[str, str]]] = {
    "new": ("a.png", b"1", {}),
    "same name same bytes": ("a.png", b"1", {}),
    "same name other bytes": ("a.png", b"2", {}),
    "same name other bytes again (matches a (1))": ("a.png", b"2", {}),
    "third content": ("a.png", b"3", {}),
    "overwrite true": ("a.png", b"4", {"overwrite": "true"}),
    "overwrite 1": ("a.png", b"5", {"overwrite": "1"}),
    "overwrite True(cap)": ("a.png", b"6", {"overwrite": "True"}),
    "overwrite false": ("a.png", b"6", {"overwrite": "false"}),
    "subfolder": ("s.png", b"1", {"subfolder": "x/y"}),
    "subfolder ./x/../z": ("s.png", b"1", {"subfolder": "./x/../z"}),
    "subfolder abs": ("s.png", b"1", {"subfolder": "/evil"}),
    "subfolder ..": ("s.png", b"1", {"subfolder": "../evil"}),
    "subfolder trailing /": ("s.png", b"1", {"subfolder": "x/"}),
    "filename ..": ("../e.png", b"1", {}),
    "filename with subdir existing": ("x/f.png", b"1", {}),
    "filename with subdir missing": ("nope/f.png", b"1", {}),
    "filename ..dots": ("a..b.png", b"1", {}),
    "type temp": ("t.png", b"1", {"type": "temp"}),
    "type output": ("t.png", b"1", {"type": "output"}),
    "type bogus": ("t.png", b"1", {"type": "bogus"}),
    "type empty": ("t.png", b"1", {"type": ""}),
    "non-image bytes accepted": ("n.bin", b"1", {}),
    "empty file": ("empty.png", b"", {}),
    "video": ("v.mp4", b"1", {}),
}


def test_the_captured_uploads_one_after_the_other(server: EmbeddedServer) -> None:
    for name, (filename, data, fields) in SEQUENCE.items():
        files = {"image": (filename, data, FILE)}
        answer = requests.post(f"{server.url}/upload/image", files=files, data=fields, timeout=SECONDS)
        assert answer.status_code == UPLOADS[name]["status"], name
        assert answer.headers.get("Content-Type") == UPLOADS[name]["content_type"], name
        if "json" in UPLOADS[name]:
            assert answer.json() == UPLOADS[name]["json"], name
    assert (server.directory("input") / "a.png").read_bytes() == b"5"


@pytest.mark.parametrize("name", ["no image field", "image as plain field", "no body", "json body"])
def test_what_is_no_upload(name: str, server: EmbeddedServer) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "no image field": {"files": {"other": ("a.png", b"1", FILE)}},
        "image as plain field": {"files": {"image": (None, "1")}},
        "no body": {},
        "json body": {"json": {"image": "x"}},
    }
    answer = requests.post(f"{server.url}/upload/image", **bodies[name], timeout=SECONDS)
    assert answer.status_code == UPLOADS[name]["status"]


def test_a_body_beyond_the_limit() -> None:
    with EmbeddedServer(max_body=2**20) as server:
        files = {"image": ("big.png", bytes(2**20 + 1), FILE)}
        answer = requests.post(f"{server.url}/upload/image", files=files, timeout=SECONDS)
        assert (answer.status_code, answer.text) == (413, "Maximum request body size 1048576 exceeded.")
        assert requests.get(f"{server.url}/features", timeout=SECONDS).json()["max_upload_size"] == 2**20


def test_a_mask_becomes_the_transparency_of_its_original(server: EmbeddedServer, client: Client) -> None:
    original = client.files.upload_image(painted("RGB", (8, 8)), filename="o.png")
    mask = io.BytesIO()
    Picture.new("RGBA", (8, 8), (0, 0, 0, 77)).save(mask, "PNG")
    stored = client.files.upload_mask(mask.getvalue(), original=original, filename="m.png")
    with Picture.open(io.BytesIO(client.files.read(stored))) as picture:
        assert (picture.mode, picture.getpixel((1, 1))) == ("RGBA", (200, 192, 180, 77))
    assert server.directory("input").joinpath("m.png").exists()


def test_parts_of_a_file(server: EmbeddedServer, client: Client) -> None:
    server.directory("output").joinpath("long.bin").write_bytes(bytes(range(200)))
    assert b"".join(client.files.stream("long.bin", start=10, end=20)) == bytes(range(10, 20))
    assert client.files.list() == client.files.list("output")
    assert [file.filename for file in client.files.list()] == ["long.bin"]
