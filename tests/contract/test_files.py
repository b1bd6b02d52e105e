"""Uploads and views as they were captured once, on both servers: they agree, and nothing has changed."""

from __future__ import annotations

import io
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from tests.captures import capture
from tests.contract.sides import Both, Embedded, Real, answered, differences, frame_of_image

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from comfyclient.testing import EmbeddedServer
    from tests.conftest import ComfyUI
    from tests.contract.sides import Side

VIEWS: dict[str, Any] = capture("view_responses")
UPLOADS: dict[str, Any] = capture("upload_responses")

# ── uploads ──────────────────────────────────────────────────────────────────────────────────────────────────────────

# In the order in which they were sent, since each depends on what is there: name, bytes, other fields.
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
    "subfolder backslash": ("s.png", b"1", {"subfolder": "x\\y"}),
    "subfolder ./x/../z": ("s.png", b"1", {"subfolder": "./x/../z"}),
    "subfolder abs": ("s.png", b"1", {"subfolder": "/evil"}),
    "subfolder ..": ("s.png", b"1", {"subfolder": "../evil"}),
    "subfolder trailing /": ("s.png", b"1", {"subfolder": "x/"}),
    "filename ..": ("../e.png", b"1", {}),
    "filename with subdir existing": ("x/f.png", b"1", {}),
    "filename with subdir missing": ("nope/f.png", b"1", {}),
    "filename empty": ("", b"1", {}),
    "filename ..dots": ("a..b.png", b"1", {}),
    "type temp": ("t.png", b"1", {"type": "temp"}),
    "type output": ("t.png", b"1", {"type": "output"}),
    "type bogus": ("t.png", b"1", {"type": "bogus"}),
    "type empty": ("t.png", b"1", {"type": ""}),
    "non-image bytes accepted": ("n.bin", b"1", {}),
    "empty file": ("empty.png", b"", {}),
    "video": ("v.mp4", b"1", {}),
}
NO_UPLOADS: dict[str, dict[str, Any]] = {
    "no image field": {"files": {"other": ("a.png", b"1", "image/png")}},
    "image as plain field": {"files": {"image": (None, "1")}},
    "no body": {},
    "json body": {"json": {"image": "x"}},
}


def upload(side: Side, route: str, name: str, data: bytes, fields: Mapping[str, str]) -> requests.Response:
    """Upload under a name that may have quotes in it, which ``requests`` would not leave alone."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    parts = [f'form-data; name="image"; filename="{quoted}"\r\nContent-Type: image/png\r\n\r\n'.encode() + data]
    parts += [f'form-data; name="{key}"\r\n\r\n{value}'.encode() for key, value in fields.items()]
    body = b"".join(b"--cut\r\nContent-Disposition: " + part + b"\r\n" for part in parts) + b"--cut--\r\n"
    return side.ask("POST", route, data=body, headers={"Content-Type": "multipart/form-data; boundary=cut"})


def test_the_captured_uploads_one_after_the_other(both: Both) -> None:
    new = uuid.uuid4().hex  # instead of the empty directory that the captured server had

    def story(side: Side) -> dict[str, Any]:
        answers = {}
        for label, (name, data, fields) in SEQUENCE.items():
            directory, slash, last = name.rpartition("/")
            last = f"{new}{last}" if last else last
            answer = answered(upload(side, "/upload/image", f"{directory}{slash}{last}", data, fields))
            if answer["status"] == 200:
                answer["body"]["name"] = answer["body"]["name"].replace(new, "")
            answers[label] = answer
        kept = side.ask("GET", "/view", params={"filename": f"{new}a.png", "type": "input"})
        assert kept.content == b"5"
        return answers

    answers = both.agree(story)

    for label, answer in answers.items():
        known = UPLOADS[label]
        assert answer["status"] == known["status"], label
        assert answer["headers"].get("Content-Type") == known["content_type"], label
        assert answer["body"] == known.get("json", known.get("text")), label


@pytest.mark.parametrize("name", NO_UPLOADS)
def test_what_is_no_upload(both: Both, name: str) -> None:
    answer = both.agree_on("POST", "/upload/image", **NO_UPLOADS[name])

    assert (answer["status"], answer["body"]) == (UPLOADS[name]["status"], UPLOADS[name]["text"])


def painted(mode: str, size: tuple[int, int], alpha: int = 60) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, (200, 192, 180, alpha)[: len(mode)]).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("label", "reference"),
    [
        ("mask ok", {"filename": "NEWo.png", "type": "input", "subfolder": ""}),
        ("mask ok", {"filename": "NEWo.png [input]"}),
        ("mask ref missing file", {"filename": "NEWnone.png", "type": "input"}),
        ("mask ref traversal", {"filename": "../../NEWo.png", "type": "input"}),
        ("mask bad json", "{"),
        ("mask w/o ref", None),
    ],
)
def test_masks(both: Both, label: str, reference: Any) -> None:
    new = uuid.uuid4().hex
    said = reference if isinstance(reference, str) else json.dumps(reference).replace("NEW", new)
    fields = {"type": "input", "subfolder": "clipspace", **({} if reference is None else {"original_ref": said})}

    def story(side: Side) -> Any:
        upload(side, "/upload/image", f"{new}o.png", painted("RGB", (8, 8)), {}).raise_for_status()
        answer = upload(side, "/upload/mask", f"{new}m.png", painted("RGBA", (8, 8), alpha=77), fields)
        query = {"filename": f"{new}m.png", "type": "input", "subfolder": "clipspace"}
        kept = side.ask("GET", "/view", params=query)
        return answered(answer), kept.status_code, frame_of_image(kept.content) if kept.ok else None

    answer, written, image = both.agree(story)

    assert answer["status"] == UPLOADS[label]["status"]
    assert written == (200 if label == "mask ok" else 404)
    assert image is None or image["pixels"][0][0] == [200, 192, 180, 77]


def test_a_body_beyond_the_limit(both: Both) -> None:
    limit = both.real.get("/features")["max_upload_size"]
    answer = both.agree_on("POST", "/upload/image", files={"image": ("big.png", bytes(limit + 1), "image/png")})

    assert (answer["status"], answer["body"]) == (413, UPLOADS["too big"]["text"])


# ── views ────────────────────────────────────────────────────────────────────────────────────────────────────────────

STOCK = {
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
    "rgba.png": painted("RGBA", (8, 6)),
    'ż ó".png': painted("RGBA", (8, 6)),
    "t.png": painted("RGB", (8, 6)),
    "sub/o.png": painted("RGB", (8, 8)),
}
RANGES = {
    "range 0-3": "bytes=0-3",
    "range suffix": "bytes=-4",
    "range open": "bytes=10-",
    "range bad": "bytes=1000-2000",
    "range multi": "bytes=0-1,3-4",
}
AGAIN = {
    "if-none-match": ("If-None-Match", "Etag"),
    "if-modified-since": ("If-Modified-Since", "Last-Modified"),
}
# What the disk, the connection and the server's options decide.
VARIABLE = {"Etag", "Last-Modified", "Content-Length", "Content-Range", "Date", "Server", "Connection"} | {
    "Content-Security-Policy"
}


@pytest.fixture(scope="module")
def stocked(comfyui: ComfyUI, embedded: EmbeddedServer) -> Both:
    """Both servers with the files that the captured one had."""
    both = Both(Real(comfyui.url), Embedded(embedded.url, embedded.root))
    for side in (both.real, both.embedded):
        for name, data in STOCK.items():
            directory, _, last = name.rpartition("/")
            fields = {"type": "output", "overwrite": "true", "subfolder": directory}
            upload(side, "/upload/image", last, data, fields).raise_for_status()
    return both


def view(side: Side, name: str) -> dict[str, Any]:
    """What is answered to a captured request."""
    path = f"/view{VIEWS[name]['query']}"
    headers = {"Accept-Encoding": "gzip, deflate" if "gzip" in name else "identity"}
    if name in RANGES:
        headers["Range"] = RANGES[name]
    if name == "svg as image dest":
        headers["Sec-Fetch-Dest"] = "image"
    if name in AGAIN:
        wanted, told = AGAIN[name]
        headers[wanted] = side.ask("GET", path, headers=headers).headers[told]
    method = name.upper() if name in {"head", "post"} else "GET"
    with side.ask(method, path, headers=headers, stream=True) as answer:
        body = answer.raw.read()
    kept = {key.title(): value for key, value in answer.headers.items() if key.title() not in VARIABLE}
    image = frame_of_image(body) if VIEWS[name].get("image") else None
    return {
        "status": answer.status_code,
        "headers": kept,
        "body": body if image is None else image,
        "range": answer.headers.get("Content-Range"),
    }


@pytest.mark.parametrize("name", VIEWS)
def test_a_captured_view(stocked: Both, name: str) -> None:
    real, embedded = stocked.each(lambda side: view(side, name))
    known = VIEWS[name]

    assert list(differences(real, embedded)) == []
    assert real["status"] == known["status"]
    headers = {key.title(): value for key, value in known["headers"].items() if key.title() not in VARIABLE}
    assert list(differences(headers, real["headers"])) == []
    if image := known.get("image"):
        assert [real["body"][key] for key in ("format", "size", "mode")] == image
