"""Files inline: whole if they are small, as WebP if they are not, as a link if they are too large or cannot be had."""

from __future__ import annotations

import base64
from contextlib import closing
from typing import Any

import pytest

from comfyclient._http import Transport
from comfyclient._ui import kind_of
from comfyclient.config import ClientConfig
from comfyclient.display import files as inline
from comfyclient.output_file import OutputFile
from comfyclient.resources.files import Files
from tests.unit.display.page import Page, page_of
from tests.unit.resources.file_server import FileServer


def shown(filename: str, content: bytes, **more: Any) -> tuple[Page, list[str]]:
    """The page of a file on a server, and the queries that it took."""
    with (
        FileServer(content) as server,
        closing(Transport(ClientConfig(url=server.url, read_timeout=5))) as transport,
    ):
        file = OutputFile(filename=filename, source=Files(transport), **more)
        return page_of(file), [f"{request.method} {request.query.get('preview', '')}" for request in server.requests]


def embedded(source: str | None) -> tuple[str, bytes]:
    """Media type and content of a ``data:`` address."""
    assert source is not None
    head, _, content = source.partition(";base64,")
    return head.removeprefix("data:"), base64.b64decode(content, validate=True)


def test_a_small_image_is_embedded_as_it_is() -> None:
    page, asked = shown("fox.png", b"png", subfolder="foxes")
    [image] = page.all("img")
    assert embedded(image["src"]) == ("image/png", b"png")
    assert image["alt"] == "fox.png"
    assert asked == ["HEAD ", "GET "]
    assert "foxes/fox.png" in page.text


def test_a_large_one_comes_as_webp() -> None:
    page, asked = shown("fox.png", b"x" * (inline.WHOLE + 1))
    assert embedded(page.all("img")[0]["src"])[0] == "image/webp"
    assert asked == ["HEAD ", "GET webp;85"]


@pytest.mark.parametrize(
    ("name", "preview"), [("fox.tiff", "webp;85"), ("fox.gif", ""), ("fox.webp", ""), ("f.SVG", "")]
)
def test_what_browsers_do_not_know_comes_as_webp_and_what_moves_does_not(name: str, preview: str) -> None:
    assert shown(name, b"x" * 10)[1] == ["HEAD ", f"GET {preview}"]
    if not preview:
        assert shown(name, b"x" * (inline.WHOLE + 1))[1][-1] == "GET "


@pytest.mark.parametrize("name", ["a.png", "a.gif", "a.mp4", "a.wav"])
def test_what_is_too_large_is_a_link(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    kind = kind_of(name, None, "")
    monkeypatch.setitem(inline.MOST, kind, 1000)
    monkeypatch.setattr(inline, "WHOLE", 10)
    page, _ = shown(name, b"x" * 1001)
    assert not {tag for tag, _ in page.tags} & {"img", "video", "audio"}
    assert "1001 bytes are too many for a page" in page.text
    [link] = page.all("a")
    assert str(link["href"]).endswith(f"/view?filename={name}&subfolder=&type=output")
    assert shown(name, b"x" * 1000)[0].all({"image": "img"}.get(kind, kind))


def test_what_is_too_large_as_webp_too_is_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(inline.MOST, "image", 1000)
    page, asked = shown("a.png", b"x" * (inline.WHOLE + 1))
    assert asked == ["HEAD ", "GET webp;85"]
    assert "256 KB are too many for a page" in page.text
    assert not page.all("img")


def test_a_server_that_does_not_say_how_large_a_file_is_sends_no_more_than_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(inline.MOST, "video", 1000)
    with (
        FileServer(b"x" * 5000, chunked=True) as server,
        closing(Transport(ClientConfig(url=server.url, read_timeout=5))) as transport,
    ):
        page = page_of(OutputFile(filename="a.mp4", source=Files(transport)))
        assert server.asked_ranges[-1] == "bytes=0-1000"
    assert "it is too large for a page" in page.text


def test_videos_and_sounds_are_embedded() -> None:
    assert embedded(shown("a.mp4", b"film")[0].all("video")[0]["src"]) == ("video/mp4", b"film")
    assert embedded(shown("a.flac", b"tone")[0].all("audio")[0]["src"]) == ("audio/flac", b"tone")


def test_a_text_is_shown_as_it_stands() -> None:
    page, _ = shown("a.txt", b"<b>one</b>\ntwo \xff")
    assert "<b>one</b>\ntwo \ufffd" in page.text
    assert not page.all("b")


def test_other_files_have_a_name_and_a_size() -> None:
    page, asked = shown("a.glb", b"x" * 2048)
    assert "model3d 2.0 KB" in page.text
    assert asked == ["HEAD "]


def test_images_of_the_websocket_are_embedded_without_a_link() -> None:
    page = page_of(OutputFile(filename="9_0.png", type="websocket", source=b"png"))
    assert embedded(page.all("img")[0]["src"]) == ("image/png", b"png")
    assert not page.all("a")


def test_a_file_that_is_gone_leaves_its_name_and_the_reason() -> None:
    with (
        FileServer(b"", status=404) as server,
        closing(Transport(ClientConfig(url=server.url, read_timeout=5))) as transport,
    ):
        page = page_of(OutputFile(filename="fox.png", source=Files(transport)))
    assert "fox.png" in page.text
    assert "not shown: " in page.text
    assert "404" in page.text


def test_no_secret_is_in_the_page() -> None:
    secrets: dict[str, Any] = {"params": {"key": "hunter3"}, "headers": {"X-Key": "hunter4"}}
    with (
        FileServer(b"png") as server,
        closing(Transport(ClientConfig(url=server.url.replace("//", "//me:hunter5@"), **secrets))) as transport,
    ):
        html = OutputFile(filename="a.png", source=Files(transport))._repr_mimebundle_()["text/html"]
    assert "hunter" not in html
    assert "<img" in html


def test_names_are_no_markup() -> None:
    name = "\"><script>alert('&')</script>\u202e.png"
    page, _ = shown(name, b"png", subfolder=name)
    assert {tag for tag, _ in page.tags} == {"div", "img", "a"}
    assert page.all("img")[0]["alt"] == name.replace("\u202e", "")
    assert name.replace("\u202e", "") in page.text
