"""Reading at a real socket: parts, conditions, and above all connections that break."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from threading import Event
from typing import TYPE_CHECKING

import pytest

from comfyclient._http import CHUNK, Transport
from comfyclient.config import ClientConfig
from comfyclient.errors import ClientClosed, RequestTimeout, ServerUnreachable
from comfyclient.resources.files import Files
from comfyclient.types import FileStat
from tests.fakes import Answer, FlakyServer, last_words, reply
from tests.unit.resources.file_server import CONTENT, OTHER, FileServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AFTER_TWO = f"bytes={2 * CHUNK}-"


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
    with pytest.raises(ServerUnreachable, match="gave no complete answer"):
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
    with closing(Transport(ClientConfig(url=server.url, read_timeout=1))) as transport:
        assert Files(transport).read("a.png") == CONTENT
        server.holding.set()
    assert server.asked_ranges == [None, AFTER_TWO]


def test_a_server_that_stays_silent_is_given_up(server: FileServer) -> None:
    server.cuts = deque([CHUNK] + [0] * 9)
    server.holding = Event()
    with closing(Transport(ClientConfig(url=server.url, read_timeout=1))) as transport:
        with pytest.raises(RequestTimeout, match=r"no answer within 1 s"):
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


# --- parts ----------------------------------------------------------------------------------------------------

SIZE = len(CONTENT)
PARTS = [(0, 1), (5, 9), (0, SIZE), (7, None), (CHUNK, 3 * CHUNK), (9, SIZE + 9), (SIZE - 1, None), (0, None)]
NOTHING = [(SIZE, None), (SIZE + 9, SIZE + 99), (5, 5), (9, 5), (0, 0)]


@pytest.mark.parametrize(("start", "end"), PARTS + NOTHING)
@pytest.mark.parametrize("ranges", [True, False])
def test_a_part_is_a_slice(server: FileServer, files: Files, start: int, end: int | None, *, ranges: bool) -> None:
    server.ranges = ranges
    assert files.read("a.png", start=start, end=end) == CONTENT[start:end]
    assert b"".join(files.stream("a.png", start=start, end=end)) == CONTENT[start:end]


def test_no_more_than_the_part_is_asked_for(server: FileServer, files: Files) -> None:
    files.read("a.png", start=5, end=9)
    files.read("a.png", start=5)
    files.read("a.png", end=9)
    files.read("a.png", start=9, end=5)
    files.read("a.png")
    assert server.asked_ranges == ["bytes=5-8", "bytes=5-", "bytes=0-8", None]


@pytest.mark.parametrize(("start", "end"), [(-1, None), (0, -1)])
def test_positions_count_from_the_start(server: FileServer, files: Files, start: int, end: int | None) -> None:
    with pytest.raises(ValueError, match="-1 is below 0"):
        files.read("a.png", start=start, end=end)
    with pytest.raises(ValueError, match="-1 is below 0"):
        files.stream("a.png", start=start, end=end)
    assert not server.requests


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_part_goes_on_where_it_broke(server: FileServer, files: Files, *, ranges: bool) -> None:
    server.ranges = ranges
    server.cuts = deque([2 * CHUNK + 77])
    assert files.read("a.png", start=9, end=SIZE - 9) == CONTENT[9:-9]
    at = 9 + 2 * CHUNK if ranges else 2 * CHUNK
    assert server.asked_ranges == [f"bytes=9-{SIZE - 10}", f"bytes={at}-{SIZE - 10}"]


def test_a_part_of_a_file_that_changed_meanwhile_is_fetched_anew(server: FileServer, files: Files) -> None:
    def change(number: int) -> None:
        if number == 1:
            server.content, server.etag = OTHER, '"2"'

    server.cuts = deque([CHUNK + 77])
    server.before = change
    assert files.read("a.png", start=9, end=2 * CHUNK) == OTHER[9 : 2 * CHUNK]
    assert server.asked_ranges[-1] is None


@pytest.mark.parametrize("content_range", [None, "bytes 0-3/100", "bytes 5-8/*", "bytes 5-99/7", "bytes 5-9/100"])
def test_a_server_that_sends_other_parts_is_asked_for_the_whole(content_range: str | None) -> None:
    headers = {"Content_Range": content_range} if content_range else {}
    with (
        FlakyServer(reply(206, b"oops", **headers), reply(200, bytes(range(100)))) as server,
        closing(Transport(ClientConfig(url=server.url))) as transport,
    ):
        assert Files(transport).read("a.png", start=5, end=9) == bytes([5, 6, 7, 8])
    assert [request.headers.get("range") for request in server.requests] == ["bytes=5-8", None]


# --- conditions -----------------------------------------------------------------------------------------------

LONG_AGO = "Sun, 22 Nov 2026 07:01:38 GMT"


def test_what_is_known_is_not_sent_again(server: FileServer, files: Files) -> None:
    server.modified = LONG_AGO
    known = files.stat("a.png")
    assert files.read("a.png", unless=known) is None
    assert server.requests[-1].headers["if-none-match"] == '"1"'
    assert "if-modified-since" not in server.requests[-1].headers
    assert files.read("a.png", start=5, end=9, unless=known) is None

    server.etag = '"2"'
    assert files.read("a.png", unless=known) == CONTENT
    assert files.read("a.png", start=5, end=9, unless=known) == CONTENT[5:9]


def test_without_a_tag_the_time_decides(server: FileServer, files: Files) -> None:
    server.etag, server.modified = None, LONG_AGO
    known = files.stat("a.png")
    assert files.read("a.png", unless=known) is None
    assert server.requests[-1].headers["if-modified-since"] == LONG_AGO

    server.modified = LONG_AGO.replace("2026", "2027")
    assert files.read("a.png", unless=known) == CONTENT


def test_without_tag_and_time_it_is_sent_again(server: FileServer, files: Files) -> None:
    server.etag = None
    assert files.read("a.png", unless=files.stat("a.png")) == CONTENT


def test_only_the_beginning_is_conditional(server: FileServer, files: Files) -> None:
    server.cuts = deque([2 * CHUNK + 77])
    assert files.read("a.png", unless=FileStat(etag='"0"')) == CONTENT
    assert [request.headers.get("if-none-match") for request in server.requests] == ['"0"', None]
