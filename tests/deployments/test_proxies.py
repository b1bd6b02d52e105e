"""By way of HTTP and SOCKS proxies."""

from __future__ import annotations

import contextlib
import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from comfyclient import AuthenticationError, Client, ClientClosed, ServerUnreachable
from tests.conftest import soon
from tests.deployments.conftest import Certificates, TlsServer, use
from tests.deployments.proxies import HttpProxy, SocksProxy
from tests.fakes import FlakyServer, hang_up, last_words, nobody, reply, silence
from tests.workflows import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.deployments.proxies import _Proxy

LOGIN = ("me", "s3cret")


@pytest.fixture(params=[HttpProxy, SocksProxy])
def kind(request: pytest.FixtureRequest) -> type[_Proxy]:
    """Either kind of proxy."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(autouse=True)
def _no_proxy_of_the_environment() -> Iterator[None]:
    with environment(http_proxy="", https_proxy="", all_proxy="", no_proxy=""):
        yield


@contextlib.contextmanager
def environment(**variables: str) -> Iterator[None]:
    """These variables for a while; not to the end of the test, when fixtures talk to the server in their own way."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            for spelling in {name, name.lower(), name.upper()}:
                patch.delenv(spelling, raising=False)
            if value:
                patch.setenv(name, value)
        yield


def port_of(url: str) -> int:
    return urlsplit(url).port or 0


@pytest.mark.parametrize("login", [(), LOGIN], ids=["open", "with a password"])
def test_a_proxy(comfyui_url: str, kind: type[_Proxy], login: tuple[str, ...]) -> None:
    with kind(*login) as proxy:
        with Client(comfyui_url, proxy=proxy.url) as client:
            use(client)
        assert len(proxy.asked) > 1
        assert set(proxy.asked) == {comfyui_url.removeprefix("http://")}
        assert proxy.refused == 0


@pytest.mark.parametrize("login", [(), LOGIN], ids=["open", "with a password"])
def test_a_proxy_before_tls(
    tls_server: TlsServer, certificates: Certificates, kind: type[_Proxy], login: tuple[str, ...]
) -> None:
    with kind(*login) as proxy:
        with Client(tls_server.url, proxy=proxy.url, verify=certificates.ca) as client:
            use(client)
        assert set(proxy.asked) == {f"127.0.0.1:{tls_server.port}"}


def test_a_proxy_that_looks_names_up(comfyui_url: str, kind: type[_Proxy]) -> None:
    url = f"http://comfy.test:{port_of(comfyui_url)}"  # which nobody here knows
    with kind() as proxy:
        with Client(url, proxy=proxy.url) as client:
            use(client)
        assert set(proxy.asked) == {url.removeprefix("http://")}


def test_names_looked_up_here(comfyui_url: str) -> None:
    with SocksProxy() as proxy:
        url = comfyui_url.replace("127.0.0.1", "localhost")
        with Client(url, proxy=proxy.url.replace("socks5h:", "socks5:")) as client:
            client.queue.info()
        assert proxy.asked == [f"127.0.0.1:{port_of(url)}"]


def test_a_server_with_an_ipv6_address(certificates: Certificates) -> None:
    """Only what is asked of the proxy can be seen: there may be no IPv6 here."""
    with HttpProxy() as proxy:
        with Client("https://[::1]:1", proxy=proxy.url, verify=certificates.ca, retry=None) as client:
            for ask in (client.queue.info, client.connect):
                with pytest.raises(ServerUnreachable):
                    ask()
        assert proxy.asked == ["::1:1", "::1:1"]


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_a_proxy_of_the_environment(comfyui_url: str, kind: type[_Proxy], variable: str) -> None:
    with kind(*LOGIN) as proxy:
        with environment(**{variable: proxy.url}):
            client = Client(comfyui_url)
        with client:  # which has read it, once
            use(client)
        assert len(proxy.asked) > 1


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "127.0.0.0/8", "elsewhere.test, 127.0.0.1", "*"])
def test_no_proxy_for_this_server(comfyui_url: str, kind: type[_Proxy], no_proxy: str) -> None:
    with kind() as proxy, environment(http_proxy=proxy.url, NO_PROXY=no_proxy):
        with Client(comfyui_url) as client:
            use(client)
        assert proxy.asked == []
        with Client(comfyui_url, proxy=proxy.url) as client:  # which is meant for this server
            client.queue.info()
            client.connect()
        assert len(proxy.asked) == 2


def test_an_environment_that_is_not_to_be_trusted(comfyui_url: str) -> None:
    with HttpProxy() as proxy, environment(http_proxy=proxy.url):
        with Client(comfyui_url, trust_env=False) as client:
            use(client)
        assert proxy.asked == []


# --- refusals -----------------------------------------------------------------------------------------------


def test_a_wrong_password(
    comfyui_url: str, tls_server: TlsServer, kind: type[_Proxy], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = []
    with kind(*LOGIN) as proxy:
        wrong = proxy.url.replace("me:s3cret@", "me:s3cretive@")
        for url in (comfyui_url, tls_server.url):
            with Client(url, proxy=wrong, retry=None) as client:
                for ask in (client.queue.info, client.connect):
                    with pytest.raises((ServerUnreachable, AuthenticationError)) as caught:
                        ask()
                    assert "407" in str(caught.value) or "authentication failed" in str(caught.value).lower()
                    shown += [str(caught.value), repr(caught.value), repr(client.config)]
        assert proxy.refused == 4
        assert proxy.asked == []
    assert [text for text in [*shown, *caplog.messages] if "s3cret" in text] == []


def test_a_proxy_that_is_not_there(comfyui_url: str, kind: type[_Proxy]) -> None:
    with nobody() as url:
        address = url.replace("http://", f"{kind.scheme}://me:s3cret@")
        with Client(comfyui_url, proxy=address, retry=None) as client:
            with pytest.raises(ServerUnreachable, match=r"refused.*by way of the proxy") as caught:
                client.queue.info()
            assert not caught.value.maybe_sent
            assert "s3cret" not in str(caught.value)
            with pytest.raises(ServerUnreachable, match="refused"):
                client.connect()


def test_a_server_behind_it_that_is_not_there(kind: type[_Proxy]) -> None:
    with nobody() as url, kind() as proxy, Client(url, proxy=proxy.url, retry=None) as client:
        for ask in (client.queue.info, client.connect):
            with pytest.raises(ServerUnreachable):
                ask()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (last_words(reply(403)), "the proxy answered with status 403"),
        (last_words(b"220 smtp ESMTP\r\n"), "the proxy does not speak HTTP"),
        (hang_up, "the proxy does not speak HTTP"),
        (silence(), "timed out"),
    ],
)
def test_a_proxy_that_will_not(answer: Any, says: str) -> None:
    with FlakyServer(answer) as proxy:
        patience = 0.3 if says == "timed out" else PATIENCE
        options: dict[str, Any] = {"retry": None, "connect_timeout": patience, "reconnect": None}
        with (
            Client("http://comfy.test", proxy=proxy.url, **options) as client,
            pytest.raises(ServerUnreachable, match=says),
        ):
            client.connect()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_closing_cuts_off_what_goes_by_way_of_a_proxy(kind: type[_Proxy], scheme: str) -> None:
    """With https the proxy's client waits in mid-handshake, where nothing but its timeout ends it."""
    with FlakyServer(silence()) as server, kind() as proxy, ThreadPoolExecutor(1) as pool:
        url = server.url.replace("http:", f"{scheme}:")
        client = Client(url, proxy=proxy.url, retry=None, connect_timeout=2)
        waiting = pool.submit(client.queue.info)
        assert soon(lambda: len(server.requests) == 1)
        client.close()
        with pytest.raises((ClientClosed, ServerUnreachable)):
            waiting.result(PATIENCE)


def test_tls_to_the_proxy_itself(comfyui_url: str) -> None:
    says = "a websocket cannot go through a proxy of the kind https://"
    with Client(comfyui_url, proxy="https://127.0.0.1:1") as client, pytest.raises(ServerUnreachable, match=says):
        client.connect()


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4"])
def test_socks_needs_an_extra(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setitem(sys.modules, "socks", None)
    with pytest.raises(ImportError, match=r"a SOCKS proxy needs PySocks: pip install 'comfyclient\[socks\]'"):
        Client("http://comfy.test", proxy=f"{scheme}://127.0.0.1:1080")
    with environment(ALL_PROXY=f"{scheme}://127.0.0.1:1080"), pytest.raises(ImportError, match="needs PySocks"):
        Client("http://comfy.test")
