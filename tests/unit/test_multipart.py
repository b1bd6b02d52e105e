"""Uploading at a real socket."""

from __future__ import annotations

import io
import os
import re
import tracemalloc
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from PIL import Image

from comfyclient._http import CHUNK
from comfyclient.errors import DecodeError, ServerError, ServerUnreachable
from comfyclient.types.files import FileInfo
from tests.unit.resources.file_server import CONTENT, FileServer, parts

if TYPE_CHECKING:
    from comfyclient.resources.files import Files


def test_the_name_the_server_gives_wins(accepting: FileServer, files: Files) -> None:
    info = files.upload_image(b"abc", filename="a.png", subfolder="x", type="temp", overwrite=True)
    assert info == FileInfo("stored (1).png", "sub", "temp")
    form = parts(accepting)
    assert form["image"][1] == b"abc"
    assert 'filename="a.png"' in form["image"][0]
    assert {name: content for name, (_, content) in form.items() if name != "image"} == {
        "type": b"temp",
        "subfolder": b"x",
        "overwrite": b"true",
    }


def test_without_options_it_goes_to_input_and_replaces_nothing(accepting: FileServer, files: Files) -> None:
    files.upload_image(b"abc", filename="a.png")
    assert {name: content for name, (_, content) in parts(accepting).items() if name != "image"} == {
        "type": b"input",
        "subfolder": b"",
    }


class Pipe(io.RawIOBase):
    """A binary file that cannot seek and has no length."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.rest = content

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        size = len(self.rest) if size < 0 else size
        piece, self.rest = self.rest[:size], self.rest[size:]
        return piece


@pytest.mark.parametrize("content", [b"", b"abc", CONTENT])
@pytest.mark.parametrize("kind", ["path", "str", "bytes", "bytearray", "memoryview", "file", "BytesIO", "pipe"])
def test_every_source_arrives_whole(
    accepting: FileServer, files: Files, tmp_path: Path, content: bytes, kind: str
) -> None:
    path = tmp_path / "ż a.png"
    path.write_bytes(content)
    with path.open("rb") as file:
        sources: dict[str, Any] = {
            "path": path,
            "str": str(path),
            "bytes": content,
            "bytearray": bytearray(content),
            "memoryview": memoryview(content),
            "file": file,
            "BytesIO": io.BytesIO(content),
            "pipe": Pipe(content),
        }
        files.upload_image(sources[kind])
        assert not file.closed
    header, sent = parts(accepting)["image"]
    assert sent == content
    if kind in {"path", "str", "file"}:
        assert 'filename="ż a.png"' in header
    else:
        assert re.search(r'filename="[0-9a-f]{32}\.png"', header)


def test_a_nameless_source_is_named_by_its_content(accepting: FileServer, files: Files) -> None:
    names = []
    for content in (b"abc", b"abc", b"abd"):
        files.upload_image(content)
        names.append(parts(accepting)["image"][0])
    assert names[0] == names[1] != names[2]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "I;16", "CMYK", "YCbCr"])
def test_a_pil_image_arrives_as_png(accepting: FileServer, files: Files, mode: str) -> None:
    image = Image.new(mode, (3, 2))
    files.upload_image(image, filename="a.png")
    with Image.open(io.BytesIO(parts(accepting)["image"][1])) as sent:
        assert (sent.format, sent.size) == ("PNG", (3, 2))
        # Pillow before 11 reads 16 bit images as "I".
        assert sent.mode in {{"CMYK": "RGB", "YCbCr": "RGB"}.get(mode, mode), mode.removesuffix(";16")}


def test_a_file_is_sent_from_where_it_stands(accepting: FileServer, files: Files) -> None:
    source = io.BytesIO(b"headcontent")
    source.seek(4)
    files.upload_image(source)
    assert parts(accepting)["image"][1] == b"content"


def test_a_file_at_its_end_is_a_mistake(accepting: FileServer, files: Files) -> None:
    source = io.BytesIO()
    Image.new("RGB", (1, 1)).save(source, "PNG")
    with pytest.raises(ValueError, match=r"seek\(0\)"):
        files.upload_image(source)
    assert not accepting.requests


@pytest.mark.parametrize(
    "filename",
    [
        'quo"te.png',
        "back\\slash.png",
        "a;b;c.png",
        "new\r\nline.png",
        "żó ł'狐.png",
        "100%25.png",
        "\udcff.png",
    ],
)
def test_any_name_fits_the_header(accepting: FileServer, files: Files, filename: str) -> None:
    files.upload_image(b"abc", filename=filename, subfolder='quo"te\r\nż')
    form = parts(accepting)
    header = form["image"][0].partition("\r\n")[0]
    plain, extended = (
        re.findall(r"filename=\"(.*)\"$", header),
        re.findall(r"filename\*=UTF-8''(\S+)$", header),
    )
    name = plain[0] if plain else unquote(extended[0], errors="strict")
    assert name == filename.replace("\udcff", "?").replace("\r\n", "__")
    assert form["subfolder"][1] == 'quo"te\r\nż'.encode()


def test_a_directory_in_the_name_is_a_subfolder(accepting: FileServer, files: Files) -> None:
    files.upload_image(b"abc", filename="x/y/a.png", subfolder="sub")
    form = parts(accepting)
    assert 'filename="a.png"' in form["image"][0]
    assert form["subfolder"][1] == b"sub/x/y"


@pytest.mark.usefixtures("accepting")
def test_progress_is_told_in_bytes(files: Files) -> None:
    told: list[tuple[int, int]] = []
    files.upload_image(CONTENT, progress=lambda sent, total: told.append((sent, total)))
    size = len(CONTENT)
    assert told == [(sent, size) for sent in (0, CHUNK, 2 * CHUNK, 3 * CHUNK, size)]
    files.upload_image(b"", progress=lambda sent, total: told.append((sent, total)))
    assert told[5:] == [(0, 0)]


class _Stop(Exception):  # noqa: N818
    pass


@pytest.mark.parametrize("error", [_Stop, BrokenPipeError, ConnectionResetError, TimeoutError])
def test_an_exception_of_the_callback_comes_out_as_it_is(
    accepting: FileServer, files: Files, error: type[Exception]
) -> None:
    def progress(sent: int, _total: int) -> None:
        if sent:
            raise error("mine")

    with pytest.raises(error, match="mine"):
        files.upload_image(CONTENT, progress=progress)
    files.upload_image(b"abc")  # the broken connection is not used again
    assert parts(accepting)["image"][1] == b"abc"


def test_a_source_that_shrinks_is_an_error(accepting: FileServer, files: Files, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(CONTENT)
    with pytest.raises(ValueError, match="shorter"):
        files.upload_image(path, progress=lambda _sent, _total: os.truncate(path, CHUNK))
    assert not accepting.requests


@pytest.mark.parametrize(
    ("source", "error"), [(io.StringIO("text"), TypeError), (7, TypeError), (Path("nowhere/a.png"), OSError)]
)
def test_what_cannot_be_uploaded_is_not(accepting: FileServer, files: Files, source: Any, error: Any) -> None:
    with pytest.raises(error):
        files.upload_image(source)
    assert not accepting.requests


@pytest.mark.parametrize("answer", [None, [], {}, {"name": 7}])
def test_an_answer_without_a_name_is_an_error(server: FileServer, files: Files, answer: Any) -> None:
    server.answer_json(answer)
    with pytest.raises(DecodeError, match="/upload/image"):
        files.upload_image(b"abc")


def test_a_refused_upload_is_sent_once(server: FileServer, files: Files) -> None:
    server.status = 503
    with pytest.raises(ServerError, match="503"):
        files.upload_image(b"abc")
    server.status = 400
    with pytest.raises(ServerError, match="outside its directories"):
        files.upload_image(b"abc", subfolder="..")
    assert len(server.requests) == 2


def test_a_broken_upload_is_not_repeated(accepting: FileServer, files: Files) -> None:
    accepting.cuts = deque([0])
    with pytest.raises(ServerUnreachable, match="gave no complete answer"):
        files.upload_image(b"abc", overwrite=True)
    assert len(accepting.requests) == 1


def test_uploading_takes_constant_memory(accepting: FileServer, files: Files, tmp_path: Path) -> None:
    accepting.keep_bodies = False
    path = tmp_path / "a.bin"
    with path.open("wb") as file:
        file.truncate(32 * 1024 * 1024)
    tracemalloc.start()
    try:
        files.upload_image(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert int(accepting.requests[0].headers["content-length"]) > 32 * 1024 * 1024
    assert peak < 8 * CHUNK
