"""``client.userdata`` on a real server."""

from __future__ import annotations

import gzip
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

import pytest
import requests

from comfyclient import Client
from comfyclient.errors import AuthenticationError, NotFound, ServerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comfyclient.resources import Userdata
    from tests.conftest import ComfyUI

FOLDER = "comfyclient-tests"


@pytest.fixture
def userdata(client: Client) -> Userdata:
    return client.userdata


@pytest.fixture
def folder(userdata: Userdata) -> Iterator[str]:
    """A directory of this test alone; its files are deleted afterwards, while directories cannot be."""
    path = f"{FOLDER}/{uuid.uuid4().hex}"
    yield path
    for entry in userdata.tree(path):
        if entry.type == "file":
            userdata.delete(entry.path)


# --- there and back -----------------------------------------------------------------------------------------


def test_a_file_from_its_first_to_its_last_day(userdata: Userdata, folder: str) -> None:
    before = time.time()
    written = userdata.write(f"{folder}/a.json", {"żółw": [1, None]})
    assert (written.path, written.name, written.size) == (f"{folder}/a.json", "a.json", 34)
    assert written.modified is not None
    assert abs(written.modified - before) < 60
    assert written.extra == {}
    assert userdata.read(f"{folder}/a.json") == rb'{"\u017c\u00f3\u0142w": [1, null]}'
    assert userdata.list(folder) == (written,)

    userdata.write(f"{folder}/a.json", "text")
    with pytest.raises(ServerError, match="409: it exists already"):
        userdata.write(f"{folder}/a.json", b"other", overwrite=False)
    assert userdata.read(f"{folder}/a.json") == b"text"

    moved = userdata.move(f"{folder}/a.json", f"{folder}/deep/er/b.json")
    assert moved.path == f"{folder}/deep/er/b.json"
    assert moved.size == 4
    with pytest.raises(NotFound, match=r"there is no such file: .*a\.json'"):
        userdata.read(f"{folder}/a.json")

    userdata.delete(moved.path)
    with pytest.raises(NotFound, match=r"there is no such file: .*b\.json'"):
        userdata.delete(moved.path)
    assert userdata.list(folder, recurse=True) == ()


@pytest.mark.parametrize("content", [b"", bytes(range(256)) * 8192])
def test_any_content_survives(userdata: Userdata, folder: str, content: bytes) -> None:
    assert userdata.write(f"{folder}/data", content).size == len(content)
    assert userdata.read(f"{folder}/data") == content


@pytest.mark.parametrize(
    "name",
    [
        "a b.json",
        "żółw 狐.json",
        "100%.json",
        "a%20b.json",
        "%2e%2e",
        "q?x#y&z=+.json",
        "back\\slash.json",
        "semi;colon,'quote'\".json",
        "new\nline\ttab",
        "dots..",
        "[glob]*?",
        "move",
        "100% of/żółw %25/x",
        ".hidden",
    ],
)
def test_any_name_survives(userdata: Userdata, folder: str, name: str) -> None:
    path = f"{folder}/{name}"
    assert userdata.write(path, name).path == path
    assert userdata.read(path).decode() == name
    inside = path.rpartition("/")[0]
    assert [file.path for file in userdata.list(inside)] == ([] if name == ".hidden" else [path])
    assert [entry.path for entry in userdata.tree(inside)] == [path]
    assert userdata.move(path, f"{path}~").path == f"{path}~"
    userdata.delete(f"{path}~")


def test_a_path_with_detours(userdata: Userdata, folder: str) -> None:
    assert userdata.write(f"./{folder}//x/../a.json", b"").path == f"{folder}/a.json"


def test_a_compressed_neighbour_is_another_file(userdata: Userdata, folder: str) -> None:
    userdata.write(f"{folder}/a.json", b"mine")
    userdata.write(f"{folder}/a.json.gz", gzip.compress(b"another"))
    assert userdata.read(f"{folder}/a.json") == b"mine"


# --- lists --------------------------------------------------------------------------------------------------


def test_lists(userdata: Userdata, folder: str) -> None:
    for name in ("b", "a", "sub/c", "sub/deep/d"):
        userdata.write(f"{folder}/{name}", name)
    assert [file.path for file in userdata.list(folder)] == [f"{folder}/a", f"{folder}/b"]
    assert [file.path for file in userdata.list(f"{folder}/sub/", recurse=True)] == [
        f"{folder}/sub/c",
        f"{folder}/sub/deep/d",
    ]
    entries = userdata.tree(folder)
    assert [(entry.type, entry.name, entry.size) for entry in entries] == [
        ("directory", "deep", None),
        ("directory", "sub", None),
        ("file", "a", 1),
        ("file", "b", 1),
        ("file", "c", 5),
        ("file", "d", 10),
    ]
    listed = {file.path: file for file in userdata.list(folder, recurse=True)}
    for entry in entries:
        if entry.type == "file":
            assert entry.modified is not None
            assert listed[entry.path].modified == pytest.approx(entry.modified, abs=0.002)
    everything, whole_tree = userdata.list(recurse=True), userdata.tree()
    assert all(file in everything for file in listed.values())
    assert all(entry in whole_tree for entry in entries)
    assert not any(file.extra for file in everything)
    assert not any(entry.extra for entry in whole_tree)


def test_where_nothing_is(userdata: Userdata, folder: str) -> None:
    assert userdata.list(f"{folder}/nothing") == ()
    assert userdata.tree(f"{folder}/nothing") == ()


def test_what_is_no_directory(userdata: Userdata, folder: str) -> None:
    userdata.write(f"{folder}/file", b"")
    assert userdata.list(f"{folder}/file") == ()
    with pytest.raises(ServerError, match="400: Requested path is not a directory"):
        userdata.tree(f"{folder}/file")


# --- refused ------------------------------------------------------------------------------------------------


def test_what_is_no_file(userdata: Userdata, folder: str) -> None:
    userdata.write(f"{folder}/sub/file", b"")
    with pytest.raises(AuthenticationError, match=r"403: .*it is a directory"):
        userdata.read(f"{folder}/sub")
    with pytest.raises(ServerError, match=r"400: .*no file can be there: it is a directory"):
        userdata.write(f"{folder}/sub", b"")
    with pytest.raises(ServerError, match=r"400: .*the way to it leads through a file"):
        userdata.write(f"{folder}/sub/file/x", b"")
    with pytest.raises(ServerError, match=r"400: .*its name is refused"):
        userdata.write(f"{folder}/{'x' * 300}", b"")
    with pytest.raises(ServerError, match=r"500: .*perhaps it is a directory"):
        userdata.delete(f"{folder}/sub")


def test_move(userdata: Userdata, folder: str) -> None:
    for name in ("a", "b", "sub/c"):
        userdata.write(f"{folder}/{name}", name)
    with pytest.raises(ServerError, match=f"409: it exists already, .*: '{folder}/a' to '{folder}/b'"):
        userdata.move(f"{folder}/a", f"{folder}/b")
    userdata.move(f"{folder}/a", f"{folder}/b", overwrite=True)
    assert userdata.read(f"{folder}/b") == b"a"
    with pytest.raises(NotFound, match="there is no such file"):
        userdata.move(f"{folder}/a", f"{folder}/c")
    userdata.move(f"{folder}/sub", f"{folder}/other")
    assert userdata.read(f"{folder}/other/c") == b"sub/c"


def test_what_is_too_large(userdata: Userdata, folder: str, comfyui: ComfyUI) -> None:
    if not comfyui.own:
        pytest.skip("a foreign server may take more")
    with pytest.raises(ServerError, match="413: Maximum request body size"):
        userdata.write(f"{folder}/large", bytes(101 * 1024 * 1024))


# --- through a proxy ----------------------------------------------------------------------------------------


@pytest.fixture
def unescaping(comfyui_url: str) -> Iterator[str]:
    """A proxy that unescapes the path, and escapes what has to be, as nginx does with ``proxy_pass http://comfyui/;``."""

    class Handler(BaseHTTPRequestHandler):
        def pass_on(self) -> None:
            parts = urlsplit(self.path)
            url = f"{comfyui_url}{quote(unquote(parts.path))}?{parts.query}"
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = requests.request(self.command, url, data=body, timeout=30)
            self.send_response_only(answer.status_code)
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_DELETE = pass_on  # noqa: N815 - http.server chose the names

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_through_a_proxy_that_unescapes_slashes(unescaping: str, userdata: Userdata, folder: str) -> None:
    with Client(unescaping) as client:
        through = client.userdata
        assert through.write(f"{folder}/100% of %2F", b"content").path == f"{folder}/100% of %2F"
        assert userdata.read(f"{folder}/100% of %2F") == b"content"
        assert through.read(f"{folder}/100% of %2F") == b"content"
        assert through.move(f"{folder}/100% of %2F", f"{folder}/sub/b").path == f"{folder}/sub/b"
        assert [file.name for file in through.list(f"{folder}/sub")] == ["b"]
        with pytest.raises(ServerError, match="409"):
            through.write(f"{folder}/sub/b", b"", overwrite=False)
        with pytest.raises(NotFound, match="there is no such file"):
            through.move(f"{folder}/a", f"{folder}/b")
        through.delete(f"{folder}/sub/b")
        with pytest.raises(NotFound, match="there is no such file"):
            through.read(f"{folder}/sub/b")
        with pytest.raises(NotFound, match="there is no such file"):
            through.delete(f"{folder}/sub/b")
