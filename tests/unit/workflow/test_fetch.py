"""Workflows at addresses: fetched without credentials, in time, and no further than need be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from comfyclient.errors import NotFound, RequestTimeout, ServerUnreachable, WorkflowError
from comfyclient.workflow import Workflow, fetch
from tests.captures import HERE
from tests.fakes import FlakyServer, nobody, reply, silence

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

PNG = (HERE / "0.30.0" / "media" / "png.png").read_bytes()
SENT = json.loads((HERE / "0.30.0" / "media" / "sent.json").read_bytes())["png.png"]
VIEW = "/view?filename=fox%2Ered.png&subfolder=a%20b&type=output&empty="


@pytest.fixture
def server() -> Iterator[FlakyServer]:
    with FlakyServer(reply(200, PNG, "image/png")) as server:
        yield server


def test_an_image_at_an_address(server: FlakyServer) -> None:
    assert Workflow.load(f"{server.url}{VIEW}").to_api() == SENT
    (request,) = server.requests
    assert request.path == "/view"
    assert request.query == {"filename": "fox.red.png", "subfolder": "a b", "type": "output", "empty": ""}


@pytest.mark.parametrize("path", ["", "/", "/history/id", "/prompt", "/deep/er/queue", "/a%20b"])
def test_any_path_goes(server: FlakyServer, path: str) -> None:
    assert Workflow.load(f"{server.url.upper()}{path}#part").to_api() == SENT
    assert server.requests[0].path == (path or "/")


def test_nobody_is_told_who_asks(server: FlakyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYUI_TOKEN", "secret")
    Workflow.load(f"{server.url}{VIEW}")
    Workflow.load(f"{server.url.replace('//', '//me:mine@')}{VIEW}")
    headers = [{name.lower(): value for name, value in request.headers.items()} for request in server.requests]
    assert [header.get("authorization") for header in headers] == [None, "Basic bWU6bWluZQ=="]
    assert not any("cookie" in header or "comfy-user" in header for header in headers)


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (reply(404), NotFound, "404"),
        (reply(200, b"<!doctype html>", "text/html"), WorkflowError, "is a web page into which ComfyUI puts no"),
        (reply(200, b""), WorkflowError, "is empty"),
        (reply(200, b"[1]"), WorkflowError, "is an object of nodes by their ids, not a list"),
        (reply(200, PNG[:60]), WorkflowError, "is a PNG image that is cut off"),
    ],
)
def test_what_cannot_be_loaded_is_said_without_secrets(answer: bytes, kind: type[Exception], message: str) -> None:
    with FlakyServer(answer) as server, pytest.raises(kind, match=message) as caught:
        Workflow.load(f"{server.url.replace('//', '//me:mine@')}{VIEW}&signature=secret")
    assert f"{server.url}/view" in str(caught.value)
    assert not any(word in str(caught.value) for word in ("mine", "secret", "signature"))
    if kind is WorkflowError:
        assert str(caught.value).startswith("fox.red.png at ")


def test_nobody_there() -> None:
    with nobody() as nowhere, pytest.raises(ServerUnreachable):
        Workflow.load(f"{nowhere}/view")


@pytest.mark.parametrize("url", ["http://", "http://a b/x.png", "https://host:99999/"])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises((WorkflowError, ServerUnreachable)):
        Workflow.load(url)


def drip(connection: socket.socket) -> None:
    """Bytes one by one, for ever."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
    connection.settimeout(0.01)
    while True:
        try:
            if not connection.recv(1):
                return
        except TimeoutError:
            connection.sendall(b" ")


@pytest.mark.parametrize("answer", [silence(), silence(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), drip])
def test_patience_has_an_end(answer: object) -> None:
    with FlakyServer(answer) as server, pytest.raises(RequestTimeout):  # type: ignore[arg-type] # it is a function
        Workflow.load(f"{server.url}/view", timeout=0.3)


def endless(connection: socket.socket) -> None:
    """The image, and then more than anybody wants."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + PNG)
    try:
        while True:
            connection.sendall(bytes(65536))
    except OSError:
        return


def test_no_more_is_fetched_than_is_needed() -> None:
    with FlakyServer(endless) as server:
        assert Workflow.load(f"{server.url}/view").to_api() == SENT


def test_too_much_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "LARGEST", 1024 * 1024)
    head = b"HTTP/1.1 200 OK\r\n\r\n\0\0\0\x10ftypisom\0\0\0\0\x77\0\0\0mdat"

    def film(connection: socket.socket) -> None:
        connection.sendall(head)
        endless(connection)

    with FlakyServer(film) as server, pytest.raises(WorkflowError, match="has more than 1 MB: download it, and load"):
        Workflow.load(f"{server.url}/view")
