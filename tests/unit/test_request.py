"""``client.request``: what is sent, and what comes of it."""

from __future__ import annotations

import io
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from comfyclient import Client
from comfyclient._body import body_of
from comfyclient.config import ClientConfig, Retry
from comfyclient.errors import AuthenticationError, ClientClosed, NotFound, RequestTimeout, ServerError
from tests.fakes import FlakyServer, hang_up, json_reply, reply, silence

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def flaky() -> Iterator[FlakyServer]:
    with FlakyServer(json_reply({"fine": True})) as server:
        yield server


@pytest.fixture
def client(flaky: FlakyServer) -> Iterator[Client]:
    with ExitStack() as stack:
        retry = Retry(attempts=2, first=0.001, longest=0.001)
        yield stack.enter_context(Client(f"{flaky.url}/comfy", headers={"X-Token": "t"}, retry=retry))


@pytest.mark.parametrize("path", ["/my_pack/status", "my_pack/status"])
def test_address_and_headers_are_those_of_every_method(client: Client, flaky: FlakyServer, path: str) -> None:
    answer = client.request("get", path, params={"deep": 1, "none": None}, headers={"X-More": "m"})

    assert answer.json() == {"fine": True}
    (request,) = flaky.requests
    assert (request.method, request.target) == ("GET", "/comfy/my_pack/status?deep=1")
    assert (request.headers["x-token"], request.headers["x-more"]) == ("t", "m")


def test_json(client: Client, flaky: FlakyServer) -> None:
    client.request("POST", "/x", json={"a": [1, None]})

    (request,) = flaky.requests
    assert request.json == {"a": [1, None]}
    assert request.headers["content-type"] == "application/json"


class Pipe(io.RawIOBase):
    """A file that cannot be rewound."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._content.readinto(buffer)


BODIES: dict[str, Any] = {
    "bytes": lambda: b"body",
    "text": lambda: "body",
    "bytearray": lambda: bytearray(b"body"),
    "memoryview": lambda: memoryview(b"body"),
    "file": lambda: io.BytesIO(b"body"),
    "pipe": lambda: io.BufferedReader(Pipe(b"body")),
    "generator": lambda: (piece for piece in (b"bo", b"dy")),
    "list": lambda: [b"bo", b"dy"],
}


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_a_body_of_any_kind(client: Client, flaky: FlakyServer, method: str, kind: str) -> None:
    client.request(method, "/x", data=BODIES[kind]())

    assert [request.body for request in flaky.requests] == [b"body"]


@pytest.mark.parametrize("kind", BODIES)
def test_a_request_that_is_tried_again_has_its_whole_body(client: Client, flaky: FlakyServer, kind: str) -> None:
    flaky.answers = [reply(503), reply(200)]
    client.request("PUT", "/x", data=BODIES[kind]())

    assert [request.body for request in flaky.requests] == [b"body", b"body"]


def test_a_form(client: Client, flaky: FlakyServer) -> None:
    client.request("POST", "/x", data={"a": "1 2"})

    (request,) = flaky.requests
    assert request.body == b"a=1+2"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (json_reply({"detail": "no such gate"}, 404), NotFound),
        (reply(405), ServerError),
        (reply(401), AuthenticationError),
        (reply(403), AuthenticationError),
        (json_reply({"error": "broken"}, 500), ServerError),
    ],
)
def test_errors_are_those_of_every_method(
    client: Client, flaky: FlakyServer, answer: bytes, kind: type[ServerError]
) -> None:
    flaky.answers = [answer]
    with pytest.raises(ServerError) as caught:
        client.request("POST", "/x", json=1)
    assert type(caught.value) is kind
    assert caught.value.url == f"{flaky.url}/comfy/x"
    assert len(flaky.requests) == 1


def test_patience_and_retries_are_those_of_every_method(client: Client, flaky: FlakyServer) -> None:
    flaky.answers = [hang_up, json_reply(7)]
    assert client.request("GET", "/x").json() == 7
    flaky.answers = [silence()]
    with pytest.raises(RequestTimeout, match=r"no answer within 0\.05 s"):
        client.request("POST", "/x", timeout=0.05)


def test_after_closing(client: Client) -> None:
    client.close()
    with pytest.raises(ClientClosed):
        client.request("GET", "/x")


@pytest.mark.parametrize(
    ("arguments", "options", "error"),
    [
        (("GET", "https://elsewhere/x"), {}, ValueError("give the path alone")),
        (("GET", None), {}, TypeError(r"a request is a verb and a path, such as \('GET', '/queue'\)")),
        ((None, "/x"), {}, TypeError("a request is a verb and a path")),
        (("POST", "/x"), {"json": 1, "data": b""}, TypeError("give either json or data, not both")),
        (("POST", "/x"), {"data": 5}, TypeError("data is bytes, text, a binary file, .* not int")),
        (("POST", "/x"), {"data": io.StringIO("text")}, TypeError("open it with mode 'rb'")),
        (("POST", "/x"), {"timeout": 0}, ValueError("timeout is a time in seconds above 0")),
    ],
)
def test_wrong_arguments(
    client: Client, flaky: FlakyServer, arguments: tuple[Any, Any], options: dict[str, Any], error: Exception
) -> None:
    with pytest.raises(type(error), match=str(error)):
        client.request(*arguments, **options)
    assert flaky.requests == []


def test_an_address_in_the_query_is_no_address(client: Client, flaky: FlakyServer) -> None:
    client.request("GET", "/x?from=http://elsewhere/y")

    assert flaky.requests[0].target == "/comfy/x?from=http://elsewhere/y"


def test_streams_are_read_while_they_are_sent_where_that_is_possible() -> None:
    file = io.BytesIO(b"body")

    assert body_of("POST", file) is file
    assert body_of("PUT", file) == b"body"
    assert body_of("GET", None) is None


def test_a_config_is_a_config() -> None:
    with pytest.raises(TypeError, match="config must be a ClientConfig, not a string"):
        Client(config="http://comfy")  # type: ignore[arg-type]  # which is what is tested
    with pytest.raises(TypeError, match="give either a config or a url with options, not both"):
        Client("http://comfy", config=ClientConfig())
