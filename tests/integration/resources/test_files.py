"""Files of a real server: there and back, also through a connection that breaks."""

from __future__ import annotations

import io
import os
import socket
import uuid
from collections import deque
from contextlib import closing, suppress
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from PIL import Image

from comfyclient._http import CHUNK, Transport
from comfyclient.config import ClientConfig
from comfyclient.errors import AuthenticationError, NotFound, ServerError, ServerUnreachable
from comfyclient.resources.files import Files
from comfyclient.types.files import FileInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from typing_extensions import Self

    from comfyclient import Client
    from tests.conftest import ComfyUI

FOLDER = "comfyclient-tests"
CONTENT = bytes(range(256)) * 4 * 1024  # four pieces


@pytest.fixture
def files(client: Client) -> Files:
    return client.files


@pytest.fixture
def name() -> str:
    return f"{uuid.uuid4().hex}.png"


def put(files: Files, content: bytes, name: str, *, overwrite: bool = False) -> FileInfo:
    return files.upload_image(content, filename=name, subfolder=FOLDER, type="temp", overwrite=overwrite)


# --- there and back -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"x", CONTENT + b"tail"])
def test_a_file_comes_back_as_it_went(files: Files, tmp_path: Path, name: str, content: bytes) -> None:
    info = put(files, content, name)
    assert info == FileInfo(name, FOLDER, "temp")
    assert files.read(info) == content
    assert b"".join(files.stream(f"{FOLDER}/{name} [temp]")) == content
    assert files.download(info, tmp_path).read_bytes() == content


@pytest.mark.parametrize(
    "stem",
    [
        "żółw 狐",
        "quo'te",
        'quo"te',
        "semi;co;lon",
        "100%25",
        "a & b=c+d#e?",
        "back\\slash",
        "[input]",
    ],
)
def test_any_name_survives(files: Files, tmp_path: Path, name: str, stem: str) -> None:
    info = put(files, b"content", f"{stem} {name}")
    assert info.filename == f"{stem} {name}"
    assert files.read(info) == b"content"
    assert files.download(info, tmp_path).parent == tmp_path


def test_a_control_character_would_make_a_file_that_the_server_cannot_show(files: Files, name: str) -> None:
    info = put(files, b"content", f"a\r\nb\tc\0d\x7f{name}")
    assert info.filename == f"a__b_c_d_{name}"
    assert files.read(info) == b"content"


def test_the_servers_name_wins(files: Files, name: str) -> None:
    first, same, other = (put(files, content, name).filename for content in (b"one", b"one", b"two"))
    assert first == same == name
    assert other == name.replace(".png", " (1).png")
    assert put(files, b"three", name, overwrite=True).filename == name
    assert files.read(FileInfo(name, FOLDER, "temp")) == b"three"


def test_a_nameless_image_is_stored_once(files: Files) -> None:
    image = Image.new("RGB", (5, 4), (1, 2, 3))
    info = files.upload_image(image, subfolder=FOLDER)
    assert files.upload_image(image, subfolder=FOLDER) == info
    assert info.type == "input"
    with Image.open(io.BytesIO(files.read(info))) as stored:
        assert stored.getpixel((4, 3)) == (1, 2, 3)
    with Image.open(io.BytesIO(files.read(info, preview="webp;50"))) as preview:
        assert preview.format == "WEBP"
    with Image.open(io.BytesIO(files.read(info, channel="a"))) as alpha:
        assert alpha.mode == "RGBA"


def test_a_subfolder_of_a_subfolder(files: Files, name: str) -> None:
    info = files.upload_image(b"content", filename=f"deep/er/{name}", subfolder=FOLDER, type="temp")
    assert info == FileInfo(name, f"{FOLDER}/deep/er", "temp")
    assert files.read(f"{FOLDER}/deep/er/{name} [temp]") == b"content"


# --- refused --------------------------------------------------------------------------------------------------


def test_what_is_not_there(files: Files, name: str) -> None:
    with pytest.raises(NotFound, match="no such file"):
        files.read(name)


def test_what_the_server_does_not_show(files: Files, tmp_path: Path, name: str) -> None:
    info = put(files, b"content", f"a..{name}")  # it stores such a name, but does not show it
    with pytest.raises(ServerError, match=r"400: temp file '.*': .*'\.\.' in its name"):
        files.download(info, tmp_path)
    with pytest.raises(AuthenticationError, match="subfolder leaves the directory"):
        files.read(FileInfo("passwd", "../../../../etc"))
    with pytest.raises(ServerError, match="unknown type"):
        files.read(FileInfo(name, "", "bogus"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("subfolder", "filename"), [("../..", "x.png"), ("/etc", "x.png"), ("", "../../x.png")])
def test_what_the_server_does_not_store(files: Files, subfolder: str, filename: str) -> None:
    with pytest.raises(ServerError, match="400: it stores nothing outside"):
        files.upload_image(b"content", filename=filename, subfolder=subfolder)


def test_what_is_too_large(files: Files, comfyui: ComfyUI, tmp_path: Path) -> None:
    if not comfyui.own:
        pytest.skip("a foreign server may take more")
    path = tmp_path / "large.bin"
    path.touch()
    os.truncate(path, 101 * 1024 * 1024)
    with pytest.raises(ServerError, match="413: Maximum request body size"):
        files.upload_image(path)


# --- broken ---------------------------------------------------------------------------------------------------


class Cutter:
    """Passes connections on to a server, and cuts each after so many bytes from there, while there are cuts left.

    Attributes:
        cuts: After how many bytes, each for one connection.
        ranges: The Range header of each request, or None.
        before: Called before a connection is passed on, with its number from 0.
    """

    def __init__(self, url: str, *cuts: int) -> None:
        self._upstream = (urlsplit(url).hostname or "", urlsplit(url).port or 80)
        self.cuts = deque(cuts)
        self.ranges: list[str | None] = []
        self.before: Callable[[int], object] = lambda _number: None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = Thread(target=self._serve)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, socket.create_connection(self._upstream) as server, suppress(OSError):
                self._pass(client, server)

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        """One request and its answer."""
        request = b""
        while b"\r\n\r\n" not in request:
            request += client.recv(65536)
        self.before(len(self.ranges))
        headers = dict(line.split(": ", 1) for line in request.decode().split("\r\n")[1:] if line)
        self.ranges.append(headers.get("Range"))
        server.sendall(request.replace(b"Connection: keep-alive", b"Connection: close"))
        left = self.cuts.popleft() if self.cuts else 1 << 60
        while left and (data := server.recv(min(65536, left))):
            client.sendall(data)
            left -= len(data)


@pytest.fixture
def cutter(comfyui_url: str) -> Iterator[Cutter]:
    with Cutter(comfyui_url, 2 * CHUNK + 5000) as cutter:
        yield cutter


@pytest.fixture
def far(cutter: Cutter) -> Iterator[Files]:
    """Files by way of the cutter."""
    with closing(Transport(ClientConfig(url=cutter.url))) as transport:
        yield Files(transport)


def test_a_broken_download_goes_on(files: Files, far: Files, cutter: Cutter, tmp_path: Path, name: str) -> None:
    info = put(files, CONTENT, name)
    cutter.cuts.append(CHUNK + 5000)
    assert far.download(info, tmp_path).read_bytes() == CONTENT
    assert cutter.ranges == [None, f"bytes={2 * CHUNK}-", f"bytes={3 * CHUNK}-"]


def test_a_file_that_changed_meanwhile_is_fetched_anew(files: Files, far: Files, cutter: Cutter, name: str) -> None:
    # ComfyUI takes no notice of a tag in If-Range: it sends the rest of the new file.
    info = put(files, CONTENT, name)
    cutter.before = lambda number: number == 1 and put(files, CONTENT[::-1], name, overwrite=True)
    assert far.read(info) == CONTENT[::-1]
    assert cutter.ranges == [None, f"bytes={2 * CHUNK}-", None]


def test_a_file_that_became_shorter_is_fetched_anew(files: Files, far: Files, cutter: Cutter, name: str) -> None:
    info = put(files, CONTENT, name)
    cutter.before = lambda number: number == 1 and put(files, b"short", name, overwrite=True)
    assert far.read(info) == b"short"


def test_a_stream_does_not_mix_two_files(files: Files, far: Files, cutter: Cutter, name: str) -> None:
    info = put(files, CONTENT, name)
    cutter.before = lambda number: number == 1 and put(files, CONTENT[::-1], name, overwrite=True)
    stream = far.stream(info)
    assert next(stream) == CONTENT[:CHUNK]
    with pytest.raises(ServerUnreachable, match="it changed"):
        list(stream)
