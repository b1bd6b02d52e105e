"""What lies between a client and its server: addresses, credentials, redirects; proxies and TLS are in deployments."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest
from requests.auth import HTTPDigestAuth

from comfyclient._http import Transport
from comfyclient._network import Network, Proxy
from comfyclient._realtime.dialing import dial
from comfyclient.config import ClientConfig
from comfyclient.errors import AuthenticationError
from tests.fakes import FlakyServer, json_reply, reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

OK = json_reply({"ok": True})
CHALLENGE = reply(401, WWW_Authenticate='Digest realm="comfy", nonce="abc", qop="auth", algorithm=SHA-256')
SECRETS: dict[str, Any] = {
    "token": "hidden1",
    "headers": {"X-Api-Key": "hidden2"},
    "cookies": {"session": "hidden3"},
    "params": {"sig": "hidden4"},
    "user": "hidden5",
}


@pytest.fixture
def transports() -> Iterator[list[Transport]]:
    """Those in it are closed afterwards."""
    made: list[Transport] = []
    yield made
    for transport in made:
        transport.close()


def get(transports: list[Transport], url: str, path: str = "/prompt", **options: Any) -> Any:
    transports.append(Transport(ClientConfig.of(url, {"retry": None, **options})))
    return transports[-1].get_json(path, params={"a": "b c"})


def handshake(url: str, **options: Any) -> tuple[str, dict[str, str]]:
    return Network(ClientConfig.of(url, {"client_id": "me", "trust_env": False, **options})).handshake()


# --- addresses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["http://comfy", "http://comfy/", "http://me:pass@comfy?token=1"])
def test_addresses(base: str) -> None:
    network = Network(ClientConfig(url=base))

    for path in ("/prompt", "/api/jobs", "/api/assets/a%2Fb", "/internal/logs", "/extensions", "/extensions/a.js"):
        assert network.url(path) == f"http://comfy{path}"


@pytest.mark.parametrize("prefix", ["", "/pre"])
def test_addresses_below_api(prefix: str) -> None:
    network = Network(ClientConfig(url=f"http://comfy{prefix}/api/"))

    for path in ("/prompt", "/view?filename=a", "/extensions", "/my_pack/route"):
        assert network.url(path) == f"http://comfy{prefix}/api{path}"
    for path in ("/api/jobs", "/api/assets/a", "/internal/logs", "/extensions/a.js", "/templates/a", "/docs/a.md"):
        assert network.url(path) == f"http://comfy{prefix}{path}"


def test_a_prefix_that_only_ends_like_api() -> None:
    assert Network(ClientConfig(url="http://comfy/myapi")).url("/api/jobs") == "http://comfy/myapi/api/jobs"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://comfy:1", "ws://comfy:1/ws?clientId=me"),
        ("https://comfy/http", "wss://comfy/http/ws?clientId=me"),
        ("http://comfy/api", "ws://comfy/api/ws?clientId=me"),
        ("http://comfy/?token=a b&c=", "ws://comfy/ws?clientId=me&token=a+b&c="),
        ("http://[::1]:8188", "ws://[::1]:8188/ws?clientId=me"),
    ],
)
def test_addresses_of_websockets(url: str, address: str) -> None:
    assert handshake(url)[0] == address


# --- the handshake is as any request ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"token": "abc"},
        {"auth": ("me", "pass")},
        {"headers": {"x-key": "a", "host": "comfy.test"}},
        {"cookies": {"a": "b", "c": "d"}},
        {"headers": {"cookie": "a=b"}},
        {"user": "me"},
        {},
    ],
)
def test_the_headers_of_a_handshake_are_those_of_a_request(
    transports: list[Transport], options: dict[str, Any]
) -> None:
    with FlakyServer(OK) as server:
        get(transports, server.url, **options)
        _, headers = handshake(server.url, **options)

    sent = dict(server.requests[0].headers)
    if "host" not in options.get("headers", {}):
        sent.pop("host")
    for name in ("accept", "accept-encoding", "connection"):
        sent.pop(name)
    assert {name.lower(): value for name, value in headers.items()} == sent


def test_an_auth_object_may_do_what_it_likes() -> None:
    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["X-Signature"] = b"bytes"  # type: ignore[assignment]  # some do
        request.url = f"{request.url}&signed=1"
        return request

    url, headers = handshake("http://comfy", auth=sign, params={"token": "1"})
    assert url == "ws://comfy/ws?clientId=me&signed=1&token=1"
    assert headers["X-Signature"] == "bytes"


def test_an_auth_object_that_fails_shows_nothing() -> None:
    def fail(_: requests.PreparedRequest) -> requests.PreparedRequest:
        raise RuntimeError("hidden")

    with pytest.raises(OSError, match=r"^auth raised RuntimeError$"):
        handshake("http://comfy", auth=fail)


def test_an_address_that_http_cannot_use() -> None:
    with pytest.raises(OSError, match=r"^this address cannot be used for HTTP$"):
        handshake("http://*", params={"token": "hidden"})


def test_digest_works_for_requests(transports: list[Transport]) -> None:
    with FlakyServer(CHALLENGE, OK) as server:
        assert get(transports, server.url, auth=HTTPDigestAuth("me", "pass")) == {"ok": True}

    assert server.requests[1].headers["authorization"].startswith("Digest ")


# --- redirects ----------------------------------------------------------------------------------------------


def names(headers: dict[str, str]) -> set[str]:
    return headers.keys() - {"host", "accept", "accept-encoding", "connection", "user-agent"}


def test_everything_goes_to_the_server(transports: list[Transport]) -> None:
    with FlakyServer(OK) as server:
        get(transports, f"{server.url}/pre?key=hidden6", "/prompt", **SECRETS)

    (request,) = server.requests
    assert request.path == "/pre/prompt"
    assert request.query == {"a": "b c", "key": "hidden6", "sig": "hidden4"}
    assert names(request.headers) == {"authorization", "x-api-key", "cookie", "comfy-user"}
    assert request.headers["cookie"] == "session=hidden3"


@pytest.mark.parametrize("location", ["/elsewhere", "/elsewhere?sig=hidden4", "/elsewhere?sig=hidden4&x=y"])
def test_a_redirect_on_the_same_host_keeps_it_all(transports: list[Transport], location: str) -> None:
    with FlakyServer(reply(302, Location=location), OK) as server:
        get(transports, server.url, **SECRETS)

    first, second = server.requests
    assert second.path == "/elsewhere"
    assert second.target.count("sig=hidden4") == 1
    assert names(second.headers) == names(first.headers)


def test_a_cookie_header_of_your_own_is_kept_on_the_same_host(transports: list[Transport]) -> None:
    with FlakyServer(reply(302, Location="/elsewhere"), OK) as server:
        get(transports, server.url, headers={"Cookie": "a=b"})

    assert [request.headers["cookie"] for request in server.requests] == ["a=b", "a=b"]


def test_what_the_server_remembers_by_cookies_is_sent_beside_ours(transports: list[Transport]) -> None:
    with FlakyServer(reply(200, "{}", Set_Cookie="node=7"), OK) as server:
        get(transports, server.url, cookies={"session": "hidden"})
        transports[-1].get_json("/prompt")

    assert server.requests[1].headers["cookie"] == "session=hidden; node=7"


def test_another_host_gets_nothing(transports: list[Transport], caplog: pytest.LogCaptureFixture) -> None:
    """Not even where the server repeats our query, or where the other one redirects once more, or asks."""
    caplog.set_level(logging.DEBUG)
    with FlakyServer(reply(302, Location="/again?sig=hidden4"), OK) as other:
        away = reply(302, Location=f"{other.url}/login?next=x&sig=hidden4", Set_Cookie="node=hidden7")
        with FlakyServer(away) as server:
            get(transports, server.url, **SECRETS)

    for request in other.requests:
        assert names(request.headers) == set()
        assert "hidden" not in request.target
    assert [request.path for request in other.requests] == ["/login", "/again"]
    assert other.requests[0].query == {"next": "x"}
    assert "hidden" not in caplog.text


def test_another_host_gets_nothing_of_an_auth_object(transports: list[Transport]) -> None:
    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["X-Signature"] = "hidden"
        return request

    with FlakyServer(OK) as other, FlakyServer(reply(302, Location=other.url)) as server:
        get(transports, server.url, auth=sign)
        assert server.requests[0].headers["x-signature"] == "hidden"
        assert names(other.requests[0].headers) == set()


def test_another_host_that_asks_is_not_answered(transports: list[Transport]) -> None:
    with FlakyServer(CHALLENGE) as other, FlakyServer(reply(302, Location=other.url)) as server:
        with pytest.raises(AuthenticationError):
            get(transports, server.url, auth=HTTPDigestAuth("me", "pass"))
        assert len(other.requests) == 1


def test_a_download_may_go_on_at_another_host(transports: list[Transport]) -> None:
    with FlakyServer(reply(206, b"rest")) as other, FlakyServer(reply(302, Location=other.url)) as server:
        transports.append(Transport(ClientConfig(url=server.url, **SECRETS)))
        with transports[0].stream("/view", headers={"Range": "bytes=5-", "If-Range": '"x"'}) as response:
            assert transports[0].read_all(response) == b"rest"

    headers = other.requests[0].headers
    assert (headers["range"], headers["if-range"]) == ("bytes=5-", '"x"')


# --- what is seen of the query ------------------------------------------------------------------------------


def test_the_query_is_nowhere_but_on_the_wire(transports: list[Transport], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with FlakyServer(OK) as server:
        transports.append(Transport(ClientConfig(url=server.url, params={"token": "hidden"})))
        response = transports[0].request("GET", "/prompt")

    assert server.requests[0].query == {"token": "hidden"}
    assert "hidden" not in f"{response.url}{response.request.url}{caplog.text}"
    assert "/prompt" in caplog.text


def test_the_query_by_way_of_a_proxy(transports: list[Transport]) -> None:
    with FlakyServer(OK) as proxy:
        get(transports, "http://comfy.invalid", proxy=proxy.url, params={"token": "hidden"})

    assert proxy.requests[0].target == "http://comfy.invalid/prompt?a=b+c&token=hidden"


def test_names_that_are_not_ascii(transports: list[Transport]) -> None:
    with FlakyServer(OK) as proxy:
        get(transports, "http://Bücher.invalid", proxy=proxy.url, params={"token": "hidden"})

    assert proxy.requests[0].query == {"a": "b c", "token": "hidden"}


# --- threads, and the wire ----------------------------------------------------------------------------------


def test_an_auth_object_is_called_in_the_thread_of_the_request(transports: list[Transport]) -> None:
    callers = []

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        callers.append(threading.current_thread())
        return request

    with FlakyServer(OK) as server:
        get(transports, server.url, auth=sign)
    assert callers == [threading.current_thread()]


def test_a_proxy_of_the_environment_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://me:hid/den@proxy")
    monkeypatch.setenv("no_proxy", "")
    network = Network(ClientConfig(url="http://comfy"))
    with pytest.raises(OSError, match=r"^the URL of the proxy cannot be used$"):
        dial(network, 1, print)


def test_a_proxy_shows_no_password() -> None:
    proxy = Proxy.of("me:p%40ss@proxy")

    assert (proxy.scheme, proxy.host, proxy.port, proxy.user, proxy.password) == ("http", "proxy", 80, "me", "p@ss")
    assert "p@ss" not in repr(proxy)
