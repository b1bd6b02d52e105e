"""Reading, saving and uploading at a real socket, above all when the connection breaks."""

from __future__ import annotations

import io
import os
import random
import re
import tracemalloc
from collections import deque
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from PIL import Image

from comfyclient._http import CHUNK, Transport
from comfyclient.config import ClientConfig, Retry
from comfyclient.errors import (
    AuthenticationError,
    ClientClosed,
    ComfyError,
    DecodeError,
    NotFound,
    RequestTimeout,
    ServerError,
    ServerUnreachable,
)
from comfyclient.resources.files import Files
from comfyclient.types.files import FileInfo
from tests.fakes import Answer, FlakyServer, last_words, reply
from tests.unit.resources.file_server import FileServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONTENT = random.Random(1).randbytes(3 * CHUNK + 12345)  # noqa: S311 - not a secret
OTHER = random.Random(2).randbytes(2 * CHUNK + 999)  # noqa: S311
AFTER_TWO = f"bytes={2 * CHUNK}-"


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer(CONTENT) as server:
        yield server


@pytest.fixture
def transport(server: FileServer) -> Iterator[Transport]:
    # Retry pauses come from the configuration: nothing here waits.
    with closing(Transport(ClientConfig(url=server.url, retry=Retry(first=0.001), read_timeout=5))) as transport:
        yield transport


@pytest.fixture
def files(transport: Transport) -> Files:
    return Files(transport)


class Ways:
    """The three ways to read a file, each returning its bytes."""

    def __init__(self, files: Files, directory: Path) -> None:
        self.files = files
        self.directory = directory

    def read(self) -> bytes:
        return self.files.read("a.png")

    def stream(self) -> bytes:
        return b"".join(self.files.stream("a.png"))

    def download(self) -> bytes:
        path = self.files.download("a.png", self.directory / "a.png")
        assert list(self.directory.iterdir()) == [path]
        return path.read_bytes()


@pytest.fixture(params=["read", "stream", "download"])
def fetch(request: pytest.FixtureRequest, files: Files, tmp_path: Path) -> Callable[[], bytes]:
    way: Callable[[], bytes] = getattr(Ways(files, tmp_path), request.param)
    return way


@pytest.fixture(params=["read", "download"])
def fetch_again(request: pytest.FixtureRequest, files: Files, tmp_path: Path) -> Callable[[], bytes]:
    """The ways that can start over, since nothing was handed out yet."""
    way: Callable[[], bytes] = getattr(Ways(files, tmp_path), request.param)
    return way


# --- which file -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "query"),
    [
        ("a.png", ("a.png", "", "output")),
        ("sub/dir/a.png", ("a.png", "sub/dir", "output")),
        ("sub/a.png [input]", ("a.png", "sub", "input")),
        ("a.png [temp]", ("a.png", "", "temp")),
        ("a.png[temp]", ("a.png[temp]", "", "output")),
        ("żółw & 100%+1.png", ("żółw & 100%+1.png", "", "output")),
        (FileInfo("a.png", "sub", "temp"), ("a.png", "sub", "temp")),
        (FileInfo("x/a.png", "sub"), ("a.png", "sub/x", "output")),
        ({"filename": "a.png", "subfolder": "sub", "type": "input"}, ("a.png", "sub", "input")),
        ({"filename": "a.png", "subfolder": None}, ("a.png", "", "output")),
        ({"name": "a.png", "subfolder": "", "type": "input"}, ("a.png", "", "input")),
    ],
)
def test_a_file_is_named_in_many_ways(server: FileServer, files: Files, file: Any, query: tuple[str, str, str]) -> None:
    assert files.read(file) == CONTENT
    (request,) = server.requests
    assert request.path == "/view"
    assert request.query == dict(zip(("filename", "subfolder", "type"), query, strict=True))
    assert request.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("file", ["", {}, {"filename": 7}, FileInfo("")])
def test_a_file_without_a_name_is_refused_before_anything_is_sent(server: FileServer, files: Files, file: Any) -> None:
    with pytest.raises(ValueError, match="needs a filename"):
        files.stream(file)
    assert not server.requests


def test_the_url_has_no_credentials() -> None:
    with closing(Transport(ClientConfig(url="http://me:secret@example.com:81/comfy"))) as transport:
        url = Files(transport).url(FileInfo("ż &.png", "sub", "temp"))
    assert url == "http://example.com:81/comfy/view?filename=%C5%BC+%26.png&subfolder=sub&type=temp"


def test_the_server_is_asked_to_re_encode(server: FileServer, files: Files) -> None:
    files.read("a.png", preview="webp;50", channel="rgb")
    assert server.requests[0].query["preview"] == "webp;50"
    assert server.requests[0].query["channel"] == "rgb"


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (400, ServerError, r"400: output file 'sub/a\.\.png': .*'\.\.'"),
        (403, AuthenticationError, r"403: output file 'sub/a\.\.png': .*subfolder leaves"),
        (404, NotFound, r"404: output file 'sub/a\.\.png': there is no such file"),
    ],
)
def test_a_refusal_without_words_is_explained(
    server: FileServer, files: Files, status: int, kind: type[ServerError], message: str
) -> None:
    server.status = status
    with pytest.raises(kind, match=message):
        files.read("sub/a..png")
    server.body = b"the proxy says no"
    with pytest.raises(kind, match="the proxy says no"):
        files.read("sub/a..png")


# --- reading --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"x", CONTENT])
@pytest.mark.parametrize("chunked", [False, True])
def test_the_whole_file_comes(server: FileServer, fetch: Callable[[], bytes], content: bytes, *, chunked: bool) -> None:
    server.content, server.chunked = content, chunked
    assert fetch() == content
    assert server.asked_ranges == [None]


def test_a_broken_connection_goes_on_where_it_broke(server: FileServer, fetch: Callable[[], bytes]) -> None:
    server.cuts = deque([2 * CHUNK + 77])
    assert fetch() == CONTENT
    assert server.asked_ranges == [None, AFTER_TWO]
    assert server.requests[1].headers["if-range"] == '"1"'


def test_it_goes_on_as_long_as_something_comes(server: FileServer, fetch: Callable[[], bytes]) -> None:
    server.cuts = deque([CHUNK, CHUNK, CHUNK])  # as many breaks as attempts, but each brings a piece
    assert fetch() == CONTENT
    assert server.asked_ranges == [None] + [f"bytes={n * CHUNK}-" for n in (1, 2, 3)]


def test_it_gives_up_when_nothing_comes_any_more(
    server: FileServer, fetch: Callable[[], bytes], tmp_path: Path
) -> None:
    server.cuts = deque([CHUNK] + [0] * 9)
    with pytest.raises(ServerUnreachable, match="broke"):
        fetch()
    assert len(server.requests) == 3
    assert not list(tmp_path.iterdir())


def test_without_retries_a_break_is_final(server: FileServer, tmp_path: Path) -> None:
    server.cuts = deque([CHUNK])
    with (
        closing(Transport(ClientConfig(url=server.url, retry=None))) as transport,
        pytest.raises(ServerUnreachable),
    ):
        Files(transport).download("a.png", tmp_path / "a.png")
    assert len(server.requests) == 1
    assert not list(tmp_path.iterdir())


def test_a_server_that_falls_silent_is_asked_for_the_rest(server: FileServer) -> None:
    server.cuts = deque([2 * CHUNK + 77])
    server.holding = Event()
    with closing(Transport(ClientConfig(url=server.url, read_timeout=0.1))) as transport:
        assert Files(transport).read("a.png") == CONTENT
        server.holding.set()
    assert server.asked_ranges == [None, AFTER_TWO]


def test_a_server_that_stays_silent_is_given_up(server: FileServer) -> None:
    server.cuts = deque([CHUNK] + [0] * 9)
    server.holding = Event()
    with closing(Transport(ClientConfig(url=server.url, read_timeout=0.1))) as transport:
        with pytest.raises(RequestTimeout, match=r"no answer within 0\.1 s"):
            Files(transport).read("a.png")
        server.holding.set()
    assert len(server.requests) == 3


def test_a_file_that_changed_meanwhile_is_fetched_anew(server: FileServer, fetch_again: Callable[[], bytes]) -> None:
    def change(number: int) -> None:
        if number == 1:
            server.content, server.etag = OTHER + OTHER, '"2"'

    server.cuts = deque([2 * CHUNK + 77])
    server.before = change
    assert fetch_again() == OTHER + OTHER
    assert server.asked_ranges == [None, AFTER_TWO, None]


def test_a_file_that_became_shorter_is_fetched_anew(server: FileServer, fetch_again: Callable[[], bytes]) -> None:
    def change(number: int) -> None:
        if number == 1:
            server.content, server.etag = b"short", '"2"'

    server.cuts = deque([2 * CHUNK + 77])
    server.before = change
    assert fetch_again() == b"short"  # the server said 416
    assert server.asked_ranges == [None, AFTER_TWO, None]


def test_a_file_that_never_stays_the_same_is_given_up(server: FileServer, files: Files, tmp_path: Path) -> None:
    def change(number: int) -> None:
        server.etag = f'"{number}"'

    server.cuts = deque([CHUNK] * 99)
    server.before = change
    with pytest.raises(ServerUnreachable):
        files.download("a.png", tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
    assert len(server.requests) < 10


def test_a_rest_that_is_shorter_than_it_says_is_asked_for_again() -> None:
    def answer(status: int, body: bytes, **headers: str) -> bytes:
        return reply(status, body, ETag='"1"', **headers)

    answers: list[Answer] = [
        last_words(answer(200, CONTENT)[: -2 * CHUNK]),
        answer(206, CONTENT[CHUNK : CHUNK + 9], Content_Range=f"bytes {CHUNK}-{len(CONTENT) - 1}/{len(CONTENT)}"),
        answer(206, CONTENT[CHUNK + 9 :], Content_Range=f"bytes {CHUNK + 9}-{len(CONTENT) - 1}/{len(CONTENT)}"),
    ]
    with FlakyServer(*answers) as server, closing(Transport(ClientConfig(url=server.url))) as transport:
        assert Files(transport).read("a.png") == CONTENT
    assert [request.headers.get("range") for request in server.requests] == [
        None,
        f"bytes={CHUNK}-",
        f"bytes={CHUNK + 9}-",
    ]


def test_another_part_than_the_one_asked_for_is_not_taken() -> None:
    whole = reply(200, CONTENT, ETag='"1"')
    part = reply(206, CONTENT[9:], ETag='"1"', Content_Range=f"bytes 9-{len(CONTENT) - 1}/{len(CONTENT)}")
    with (
        FlakyServer(last_words(whole[: -2 * CHUNK]), part, whole) as server,
        closing(Transport(ClientConfig(url=server.url))) as transport,
    ):
        assert Files(transport).read("a.png") == CONTENT
    assert [request.headers.get("range") for request in server.requests] == [None, f"bytes={CHUNK}-", None]


@pytest.mark.parametrize("change", ["tag", "no tag"])
def test_what_was_handed_out_cannot_be_taken_back(server: FileServer, files: Files, change: str) -> None:
    def alter(number: int) -> None:
        if number == 1:
            server.content, server.etag = OTHER, '"2"' if change == "tag" else None

    server.cuts = deque([CHUNK])
    server.before = alter
    pieces = files.stream("a.png")
    assert next(pieces) == CONTENT[:CHUNK]
    with pytest.raises(ServerUnreachable, match="changed"):
        next(pieces)


def test_without_ranges_what_came_already_is_skipped(server: FileServer, fetch: Callable[[], bytes]) -> None:
    server.ranges = False
    server.cuts = deque([2 * CHUNK + 77])
    assert fetch() == CONTENT
    assert len(server.requests) == 2


@pytest.mark.parametrize(("etag", "encoding"), [(None, None), ('W/"1"', None), ('"1"', "x-unknown")])
def test_a_file_that_cannot_be_recognised_is_fetched_anew(
    server: FileServer, fetch_again: Callable[[], bytes], etag: str | None, encoding: str | None
) -> None:
    server.etag, server.encoding = etag, encoding
    server.cuts = deque([2 * CHUNK + 77])
    assert fetch_again() == CONTENT
    assert server.asked_ranges == [None, None]


def test_pieces_are_of_one_size(files: Files) -> None:
    assert [len(piece) for piece in files.stream("a.png")] == [CHUNK, CHUNK, CHUNK, len(CONTENT) - 3 * CHUNK]


def test_a_stream_can_be_left_early(server: FileServer, files: Files) -> None:
    with closing(files.stream("a.png")) as pieces:
        assert next(pieces) == CONTENT[:CHUNK]
    assert files.read("b.png") == CONTENT
    assert len(server.requests) == 2


def test_closing_the_client_ends_a_stream(transport: Transport, files: Files) -> None:
    pieces = files.stream("a.png")
    next(pieces)
    transport.close()
    with pytest.raises(ClientClosed):
        files.read("a.png")
    pieces.close()


# --- saving ---------------------------------------------------------------------------------------------------


def test_a_directory_gets_the_servers_name_made_safe(files: Files, tmp_path: Path) -> None:
    assert files.download("sub/..\\C:\\x?.png [temp]", tmp_path) == tmp_path / "x_.png"
    assert files.download("sub/b.png", f"{tmp_path}/new{os.sep}") == tmp_path / "new" / "b.png"
    assert (tmp_path / "new" / "b.png").read_bytes() == CONTENT


def test_an_existing_file_costs_no_download(server: FileServer, files: Files, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        files.download("a.png", tmp_path)
    assert not server.requests
    assert files.download("a.png", tmp_path, overwrite=True).read_bytes() == CONTENT


def test_a_file_created_during_the_download_stays(server: FileServer, files: Files, tmp_path: Path) -> None:
    server.before = lambda _number: (tmp_path / "a.png").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        files.download("a.png", tmp_path)
    assert (tmp_path / "a.png").read_bytes() == b"mine"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.png"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_short_file_is_an_error_and_not_a_file(
    server: FileServer, files: Files, tmp_path: Path, *, overwrite: bool
) -> None:
    if overwrite:
        (tmp_path / "a.png").write_bytes(b"mine")
    server.cuts = deque([len(CONTENT) - 1] + [0] * 9)
    with pytest.raises(ComfyError):
        files.download("a.png", tmp_path, overwrite=overwrite)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([b"mine"] if overwrite else [])


def test_saving_takes_constant_memory(server: FileServer, files: Files, tmp_path: Path) -> None:
    server.content = CONTENT * 40
    tracemalloc.start()
    try:
        files.download("a.png", tmp_path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * CHUNK


# --- uploading ------------------------------------------------------------------------------------------------


def parts(server: FileServer) -> dict[str, tuple[str, bytes]]:
    """The form of the last request: name to header and content."""
    request = server.requests[-1]
    assert request.path == "/upload/image"
    assert len(request.body) == int(request.headers["content-length"])
    boundary = request.headers["content-type"].removeprefix("multipart/form-data; boundary=").encode()
    first, *found, last = (b"\r\n" + request.body).split(b"\r\n--" + boundary)
    assert (first, last) == (b"", b"--\r\n")
    form = {}
    for part in found:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        header = head.decode()
        (name,) = re.findall(r'form-data; name="(\w+)"', header)
        form[name] = (header, content)
    return form


@pytest.fixture
def accepting(server: FileServer) -> FileServer:
    server.answer_json({"name": "stored (1).png", "subfolder": "sub", "type": "temp"})
    return server


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
    with pytest.raises(ServerUnreachable, match="broke"):
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
