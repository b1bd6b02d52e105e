"""Files of a real server: there and back, also through a connection that breaks."""

from __future__ import annotations

import io
import os
import socket
import time
import uuid
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests
from PIL import Image

from comfyclient._http import CHUNK, Transport
from comfyclient.config import ClientConfig
from comfyclient.errors import AuthenticationError, NotFound, ServerError, ServerUnreachable
from comfyclient.resources.files import Files
from comfyclient.types.files import FileInfo, FileStat
from tests.conftest import soon
from tests.workflows import node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from typing_extensions import Self

    from comfyclient import Client
    from tests.conftest import ComfyUI
    from tests.integration.resources.conftest import Run

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


@pytest.mark.parametrize("overwrite", [False, True])
def test_other_content_under_a_name_that_is_taken(files: Files, name: str, *, overwrite: bool) -> None:
    taken = [put(files, content, name) for content in (b"one", b"two", b"three")]
    again = put(files, b"two", name, overwrite=overwrite)
    assert [info.filename.replace(name[:-4], "a") for info in taken] == ["a.png", "a (1).png", "a (2).png"]
    assert again.filename == (name if overwrite else taken[1].filename), "the name of the file with this content"
    contents = [files.read(info) for info in taken]
    assert contents == ([b"two", b"two", b"three"] if overwrite else [b"one", b"two", b"three"])


def test_one_name_in_several_places(files: Files, name: str) -> None:
    places = [("", "temp"), (FOLDER, "temp"), (f"{FOLDER}/deep", "temp"), (FOLDER, "output"), (FOLDER, "input")]
    stored = [
        files.upload_image(f"{place}".encode(), filename=name, subfolder=place[0], type=place[1]) for place in places
    ]
    assert [(info.filename, info.subfolder, info.type) for info in stored] == [(name, *place) for place in places]
    assert [files.read(info) for info in stored] == [f"{place}".encode() for place in places]


def test_many_at_once_under_one_name(files: Files, name: str) -> None:
    contents = [str(number).encode() for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda content: put(files, content, name), contents))
    assert [files.read(info) for info in stored] == contents


@pytest.mark.parametrize("shape", [(20, 24), (20, 24, 3), (20, 24, 4), (1, 20, 24, 3)])
def test_an_array_is_an_image(files: Files, run: Run, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(7).random(shape, np.float32)
    stored = files.upload_image(array, subfolder=FOLDER, type="temp")
    assert files.upload_image(array, subfolder=FOLDER, type="temp") == stored, "named by its content"
    entry = run(
        {
            "1": node("LoadImage", image=stored.annotated),
            "2": node("PreviewImage", images=["1", 0]),
        }
    )
    assert entry.succeeded
    with Image.open(io.BytesIO(files.read(entry.outputs["2"]["images"][0]))) as shown:
        seen = np.asarray(shown)
    colours = array.reshape((20, 24, -1))[..., :3]
    assert np.abs(seen / 255 - colours).max() < 2 / 255


# --- parts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end"), [(0, 1), (5, 300), (CHUNK - 1, None), (7, len(CONTENT) + 9), (len(CONTENT), None), (9**9, 9**10)]
)
def test_a_part_is_a_slice(files: Files, name: str, start: int, end: int | None) -> None:
    info = put(files, CONTENT, name)
    assert files.read(info, start=start, end=end) == CONTENT[start:end]
    assert b"".join(files.stream(info, start=start, end=end)) == CONTENT[start:end]
    empty = put(files, b"", f"empty{name}")
    assert files.read(empty, start=start, end=end) == b""


def test_a_part_of_what_is_encoded_anew(files: Files) -> None:
    info = files.upload_image(Image.new("RGB", (5, 4)), subfolder=FOLDER, type="temp")
    assert files.read(info, preview="webp", start=8, end=12) == b"WEBP"  # the server knows no parts of this


# --- without content ------------------------------------------------------------------------------------------


def test_stat(files: Files, name: str) -> None:
    before = time.time()
    info = put(files, CONTENT, name)
    stat = files.stat(info)
    assert (stat.size, stat.media_type) == (len(CONTENT), "image/png")
    assert stat.modified is not None
    assert before - 2 < stat.modified < time.time() + 2
    assert stat == files.stat(f"{FOLDER}/{name} [temp]")

    def is_another_after_writing_anew() -> bool:
        put(files, CONTENT, name, overwrite=True)
        return files.stat(info) != stat

    assert soon(is_another_after_writing_anew), "the same content, and a clock that is not read for every file"


def test_what_has_not_changed_is_not_sent(files: Files, name: str) -> None:
    info = put(files, b"one", name)
    known = files.stat(info)
    assert known.etag
    assert files.read(info, unless=known) is None
    assert files.read(info, unless=FileStat(modified=known.modified)) is None, "by the time alone"
    put(files, b"another", name, overwrite=True)
    assert files.read(info, unless=known) == b"another"
    assert files.read(info, unless=FileStat(modified=0)) == b"another"


def test_exists(files: Files, name: str) -> None:
    assert not files.exists(f"{FOLDER}/{name} [temp]")
    info = put(files, b"content", name)
    assert files.exists(info)
    assert not files.exists(FileInfo(name, "nowhere", "temp"))
    assert not files.exists(FileInfo(FOLDER, "", "temp")), "a directory is no file"


def test_list(files: Files, name: str) -> None:
    old = files.upload_image(b"old", filename=f"old {name}", type="temp")
    put(files, b"in a subfolder", name)
    new = files.upload_image(b"new", filename=f"new [input] {name}", type="temp")
    listed = files.list("temp")
    assert [info for info in listed if info in {old, new}] in ([new, old], [old, new])
    assert FileInfo(name, FOLDER, "temp") not in listed
    assert files.read(new) == b"new"
    with pytest.raises(ServerError, match="400: Invalid directory type"):
        files.list("models")


def test_the_newest_comes_first(files: Files, comfyui: ComfyUI, name: str) -> None:
    if comfyui.server is None:
        pytest.skip("needs the server's own directories")
    names = [files.upload_image(b"", filename=f"{number} {name}").filename for number in range(3)]
    for age, stored in zip((20, 10, 30), names, strict=True):
        os.utime(comfyui.server.base_directory / "input" / stored, (1e9 - age, 1e9 - age))
    assert [info.filename for info in files.list("input") if name in info.filename] == [names[1], names[0], names[2]]


# --- encoded anew ---------------------------------------------------------------------------------------------


def test_previews_and_channels(files: Files, tmp_path: Path) -> None:
    image = Image.new("RGBA", (64, 48), (200, 100, 50, 128))
    info = files.upload_image(image, subfolder=FOLDER, type="temp")
    expected = {
        ("jpeg;20", None): ("JPEG", "RGB", ".jpg"),
        ("webp;20", None): ("WEBP", "RGBA", ".webp"),
        ("webp", "rgb"): ("WEBP", "RGB", ".webp"),
        ("jpeg", "a"): ("WEBP", "RGBA", ".webp"),
        ("gif", None): ("WEBP", "RGBA", ".webp"),
        (None, "rgb"): ("PNG", "RGB", ".png"),
        (None, "a"): ("PNG", "RGBA", ".png"),
        (None, "rgba"): ("PNG", "RGBA", ".png"),
    }
    for (preview, channel), (kind, mode, extension) in expected.items():
        path = files.download(info, tmp_path, overwrite=True, preview=preview, channel=channel)
        assert path.suffix == extension
        assert path.read_bytes() == files.read(info, preview=preview, channel=channel)
        with Image.open(path) as shown:
            assert (shown.format, shown.mode, shown.size) == (kind, mode, (64, 48))
    noise = Image.effect_noise((256, 256), 90)
    info = files.upload_image(noise, subfolder=FOLDER, type="temp")
    assert len(files.read(info, preview="jpeg;10")) < len(files.read(info, preview="jpeg;90"))
    url = files.url(info, preview="webp")
    assert requests.get(url, timeout=30).headers["Content-Type"] == "image/webp"


def test_what_is_no_image_cannot_be_encoded_anew(files: Files, name: str) -> None:
    info = put(files, b"no image", name)
    with pytest.raises(ServerError, match=r"500: temp file .* a preview or a channel takes an image"):
        files.read(info, preview="webp")


# --- masks ----------------------------------------------------------------------------------------------------

RED, MASK = (255, 0, 0), np.array([[0.0, 1.0], [0.2, 0.6]])


@pytest.fixture
def photo(files: Files) -> FileInfo:
    return files.upload_image(Image.new("RGB", (2, 2), RED), subfolder=FOLDER, type="temp")


def transparent() -> Image.Image:
    """What masks as MASK does, by its transparency."""
    image = Image.new("RGBA", (2, 2), (1, 2, 3, 4))
    image.putalpha(Image.fromarray((255 - MASK * 255).astype(np.uint8)))
    return image


def as_png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("kind", ["array", "grey", "transparent", "bytes"])
def test_a_mask_is_what_load_image_gives(files: Files, run: Run, photo: FileInfo, kind: str) -> None:
    grey = Image.fromarray((MASK * 255).astype(np.uint8))
    masks: dict[str, Any] = {
        "array": MASK,
        "grey": grey,
        "transparent": transparent(),
        "bytes": as_png(transparent()),
    }
    before = files.read(photo)
    stored = files.upload_mask(masks[kind], photo, subfolder=FOLDER, type="temp")
    assert files.read(photo) == before
    with Image.open(io.BytesIO(files.read(stored))) as image:
        assert image.getpixel((1, 1)) == (*RED, 102)
    entry = run(
        {
            "1": node("LoadImage", image=stored.annotated),
            "2": node("MaskToImage", mask=["1", 1]),
            "3": node("PreviewImage", images=["2", 0]),
        }
    )
    with Image.open(io.BytesIO(files.read(entry.outputs["3"]["images"][0]))) as shown:
        assert np.abs(np.asarray(shown.convert("L")) / 255 - MASK).max() < 0.01


def test_masks_without_a_name_never_meet(files: Files, photo: FileInfo) -> None:
    mask = as_png(transparent())
    alone = files.upload_image(mask, subfolder=FOLDER, type="temp")
    stored = {files.upload_mask(mask, photo, subfolder=FOLDER, type="temp") for _ in range(2)}
    assert len({alone, *stored}) == 3


def test_a_mask_under_a_name(files: Files, photo: FileInfo, name: str) -> None:
    def mask(value: float, *, overwrite: bool = False) -> FileInfo:
        array = np.full((2, 2), value)
        return files.upload_mask(array, photo, filename=name, subfolder=FOLDER, type="temp", overwrite=overwrite)

    first, second, third = mask(0.1), mask(0.2), mask(0.3, overwrite=True)
    assert [info.filename for info in (first, second, third)] == [name, name.replace(".png", " (1).png"), name]
    with Image.open(io.BytesIO(files.read(first))) as image:
        assert image.getpixel((0, 0)) == (*RED, 178)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_mask_for_an_original_that_is_not_there(files: Files, name: str, *, overwrite: bool) -> None:
    put(files, b"in the way", f"mask {name}")
    for filename in (None, f"mask {name}"):
        with pytest.raises(NotFound, match=f"output file '{name}': there is no such file"):
            files.upload_mask(MASK, name, filename=filename, subfolder=FOLDER, type="temp", overwrite=overwrite)
    assert files.read(FileInfo(f"mask {name}", FOLDER, "temp")) == b"in the way"
    with pytest.raises(AuthenticationError, match="its subfolder leaves the directory"):
        files.upload_mask(MASK, FileInfo("passwd", "../../../../etc"), type="temp")


def test_a_mask_that_the_server_takes_for_stored_already(files: Files, photo: FileInfo, name: str) -> None:
    mask = as_png(transparent())
    put(files, mask, name)
    with pytest.raises(ServerError, match=r"200: nothing was stored as .*; choose another filename, or overwrite"):
        files.upload_mask(mask, photo, filename=name, subfolder=FOLDER, type="temp")
    stored = files.upload_mask(mask, photo, filename=name, subfolder=FOLDER, type="temp", overwrite=True)
    assert files.read(stored) != mask


@pytest.mark.parametrize(
    ("mask", "filename"), [(b"no image", None), (np.zeros((3, 5)), None), (np.zeros((2, 2)), "a.jpg")]
)
def test_a_mask_that_does_not_fit(files: Files, photo: FileInfo, mask: Any, filename: str | None) -> None:
    with pytest.raises(ServerError, match="500: it could not put the mask on the original"):
        files.upload_mask(mask, photo, filename=filename, subfolder=FOLDER, type="temp", overwrite=True)


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
