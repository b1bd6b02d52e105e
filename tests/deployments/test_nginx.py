"""Behind nginx."""

from __future__ import annotations

import logging
import pickle
import socket
import threading
import traceback
from typing import TYPE_CHECKING, Any

import pytest
import requests
from requests.auth import HTTPDigestAuth

from comfyclient import AuthenticationError, Client, NotFound, ServerError, ServerUnreachable
from tests.deployments.conftest import PASSWORD, SECRETS, TOKEN, use
from tests.deployments.nginx import Nginx
from tests.docs.pages import DOCS, blocks
from tests.workflows import PATIENCE, fresh_color, plain

if TYPE_CHECKING:
    from pathlib import Path


def at(front: Nginx, location: str, login: str = "") -> str:
    return f"http://{login}127.0.0.1:{front.ports['plain']}{location}"


class KeyAuth(requests.auth.AuthBase):
    """A header of its own, for requests and handshakes."""

    def __init__(self) -> None:
        self.asked: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        with self._lock:
            self.asked.add(str(request.path_url).partition("?")[0])
        request.headers["X-Api-Key"] = TOKEN
        return request


WAYS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "prefix": ("/comfy", "", {}),
    "prefix and slash": ("/comfy/", "", {}),
    "prefix that keeps escapes": ("/exact", "", {}),
    "nothing but /api": ("/api", "", {}),
    "nothing but /api/ below a prefix": ("/deep/api/", "", {}),
    "user in the address": ("/basic", "me:s3cret%2F%C3%B6@", {}),
    "user and password": ("/basic", "", {"auth": ("me", PASSWORD)}),
    "token": ("/bearer", "", {"token": TOKEN}),
    "header": ("/header", "", {"headers": {"X-Api-Key": TOKEN}}),
    "auth object": ("/header", "", {"auth": KeyAuth()}),
    "query in the address": (f"/query/?token={TOKEN}", "", {}),
    "params": ("/query", "", {"params": {"token": TOKEN, "tenant": "a b&c"}}),
    "cookie": ("/cookie", "", {"cookies": {"theme": "dark", "session": TOKEN}}),
    "rewritten Host": ("/host", "", {}),
    "buffered": ("/buffered", "", {}),
    "unbuffered": ("/unbuffered", "", {}),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_way_to_the_server(front: Nginx, way: str) -> None:
    location, login, options = WAYS[way]
    with Client(at(front, location, login), **options) as client:
        use(client)


@pytest.mark.parametrize("way", ["user and password", "token", "params", "cookie"])
def test_a_way_without_a_websocket(front: Nginx, way: str) -> None:
    location, login, options = WAYS[way]
    with Client(at(front, location, login), realtime=False, **options) as client:
        use(client, realtime=False)


def test_a_websocket_that_is_not_let_through(front: Nginx, caplog: pytest.LogCaptureFixture) -> None:
    with Client(at(front, "/deaf")) as client:
        use(client, realtime=False)
        with pytest.raises(ServerUnreachable, match="handshake was answered with status 403"):
            client.connect()
    assert "jobs are followed by polling" in caplog.text


def test_an_auth_object_is_asked_for_the_handshake(front: Nginx) -> None:
    auth = KeyAuth()
    with Client(at(front, "/header"), auth=auth) as client:
        client.connect()
        client.queue.info()
    assert auth.asked == {"/header/ws", "/header/prompt"}


@pytest.mark.parametrize("base", ["/api", "/deep/api"])
def test_routes_below_api_alone(front: Nginx, base: str) -> None:
    with Client(at(front, base)) as client:
        job = client.submit(plain(fresh_color()))
        job.result(PATIENCE)
        assert client.jobs.get(job.prompt_id) is not None  # not /api/api/jobs
        assert client.request("GET", "/api/queue").json() == client.request("GET", "/queue").json()
        with pytest.raises(NotFound, match=f":{front.ports['plain']}{base.removesuffix('/api')}/internal/logs"):
            client.request("GET", "/internal/logs")  # not below /api; our nginx passes nothing else on


def test_escaped_slashes_behind_a_prefix(front: Nginx) -> None:
    """``proxy_pass`` with a path undoes escapes; the how-to says what to write instead."""
    with Client(at(front, "/exact")) as client:
        client.request("POST", "/userdata/comfyclient_tests%2Fnote.txt", data=b"kept")
        assert client.request("GET", "/userdata/comfyclient_tests%2Fnote.txt").content == b"kept"
    with Client(at(front, "/comfy")) as client, pytest.raises(NotFound):
        client.request("GET", "/userdata/comfyclient_tests%2Fnote.txt")


def test_the_configuration_in_the_documentation(
    nginx_program: str, comfyui_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    page = (DOCS / "howto" / "proxies-and-tls.md").read_text(encoding="utf-8")
    (config,) = (text for kind, text in blocks(page) if kind == "text")
    config = config.replace("listen 80;", "listen 127.0.0.1:{plain};")
    config = config.replace("127.0.0.1:8188", comfyui_url.removeprefix("http://"))
    with (
        Nginx(nginx_program, tmp_path_factory.mktemp("nginx"), config, "plain") as running,
        Client(at(running, "/comfyui/")) as client,
    ):
        use(client)
        client.request("POST", "/userdata/comfyclient_tests%2Fnote.txt", data=b"kept")
        assert client.request("GET", "/userdata/comfyclient_tests%2Fnote.txt").content == b"kept"
        large = client.files.upload_image(bytes(3_000_000), filename="zeros.bin", overwrite=True)
        assert client.files.read(large) == bytes(3_000_000)


@pytest.mark.parametrize("location", ["/buffered", "/unbuffered"])
def test_large_files(front: Nginx, location: str, tmp_path: Path) -> None:
    content = bytes(range(256)) * 20_000  # more than nginx keeps in memory
    with Client(at(front, location)) as client:
        name = f"{fresh_color()}.bin"
        uploaded = client.files.upload_image(content, filename=name, subfolder="comfyclient_tests")
        assert client.files.read(uploaded) == content
        path = client.files.download(uploaded, tmp_path / "copy.bin")
        assert path.read_bytes() == content
        assert b"".join(client.files.stream(uploaded)) == content


def test_a_body_that_is_too_large(front: Nginx) -> None:
    with Client(at(front, "/small")) as client:
        with pytest.raises(ServerError, match="answered 413: 413 Request Entity Too Large"):
            client.files.upload_image(bytes(500_000), filename="large.bin")
        with pytest.raises(ServerError, match="answered 413"):
            client.submit({"1": {"class_type": "PreviewAny", "inputs": {"source": "x" * 2000}}})
        assert client.queue.info() is not None


# --- refusals -----------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[str, str, dict[str, Any]]] = {
    "no user": ("/basic", "", {}),
    "wrong password in the address": ("/basic", "me:s3cret@", {}),
    "wrong password": ("/basic", "", {"auth": ("me", "s3cret")}),
    "digest where it is not spoken": ("/basic", "", {"auth": HTTPDigestAuth("me", "s3cret")}),
    "wrong token": ("/bearer", "", {"token": "s3cret"}),
    "wrong header": ("/header", "", {"headers": {"X-Api-Key": "s3cret"}}),
    "wrong query": ("/query?token=s3cret", "", {}),
    "wrong params": ("/query", "", {"params": {"token": "s3cret"}}),
    "wrong cookie": ("/cookie", "", {"cookies": {"session": "s3cret"}}),
}


@pytest.mark.parametrize("way", WRONG)
def test_a_refusal_shows_no_secret(front: Nginx, way: str, caplog: pytest.LogCaptureFixture) -> None:
    location, login, options = WRONG[way]
    caplog.set_level(logging.DEBUG)  # that of urllib3 and all others, too
    shown = []
    with Client(at(front, location, login), **options) as client:
        shown += [repr(client), repr(client.config)]
        with pytest.raises(AuthenticationError, match=r"GET http://127\.0\.0\.1:\d+/\w+/prompt .* 40[13]") as http:
            client.queue.info()
        with pytest.raises(ServerUnreachable, match=r"handshake was answered with status 40[13]") as websocket:
            client.connect()
        with pytest.raises(AuthenticationError) as submission:
            client.submit(plain(1))
    for caught in (http, websocket, submission):
        error = caught.value
        shown += [str(error), repr(error), *traceback.format_exception(error), repr(pickle.dumps(error))]
    shown += [record.getMessage() for record in caplog.records]
    assert len(caplog.records) > 2
    assert [text for text in shown if any(secret in text for secret in SECRETS)] == []


@pytest.mark.parametrize("way", ["user in the address", "token", "query in the address", "params", "cookie"])
def test_no_log_shows_what_lets_in(front: Nginx, way: str, caplog: pytest.LogCaptureFixture) -> None:
    location, login, options = WAYS[way]
    caplog.set_level(logging.DEBUG)
    with Client(at(front, location, login), api_key_comfy_org="s3cret-key", **options) as client:
        use(client)
        with pytest.raises(NotFound) as caught:
            client.request("GET", "/no/such/route", params={"a": "b"})
    shown = [record.getMessage() for record in caplog.records] + [str(caught.value), repr(pickle.dumps(caught.value))]
    assert [text for text in shown if any(secret in text for secret in SECRETS)] == []


def test_a_redirect_on_the_same_host_keeps_the_query(front: Nginx, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Client(at(front, "/moved"), params={"token": TOKEN}) as client:
        assert client.queue.info().exec_info.queue_remaining >= 0
        with pytest.raises(ServerUnreachable, match=r"redirected to http://127\.0\.0\.1:\d+/query/ws \(redirect limit"):
            client.connect()
        with pytest.raises(
            ServerError, match=r"answered 302: a redirect to http://127\.0\.0\.1:\d+/query/prompt; write "
        ):
            client.submit(plain(1))
    assert TOKEN not in caplog.text


def test_the_wrong_scheme(front: Nginx) -> None:
    with Client(at(front, "/comfy").replace("http:", "https:"), retry=None) as client:
        for ask in (client.queue.info, client.connect, lambda: client.submit(plain(1))):
            with pytest.raises(ServerUnreachable, match="write http:// instead of https://") as caught:
                ask()
            assert not caught.value.maybe_sent
    with Client(f"http://127.0.0.1:{front.ports['tls']}", retry=None) as client:
        for ask in (client.queue.info, lambda: client.submit(plain(1))):
            with pytest.raises(ServerError, match="plain HTTP request was sent to HTTPS port"):
                ask()
        with pytest.raises(ServerUnreachable, match="status 400"):
            client.connect()


def test_what_is_small_is_not_held_back(front: Nginx) -> None:
    """Without TCP_NODELAY a POST takes 84 times as long."""
    with Client(at(front, "/comfy")) as client:
        client.queue.info()
        sockets = list(client._transport._sockets._open)
        assert sockets
        assert all(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for sock in sockets)
        client.connect()
        connection = client._tracker.connection
        websocket = connection and connection._socket
        assert websocket
        assert websocket.sock
        assert websocket.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
