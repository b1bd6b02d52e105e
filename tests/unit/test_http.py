"""The transport against a server that misbehaves, at a real socket."""

from __future__ import annotations

import gc
import json
import logging
import pickle
import socket
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
import requests

from comfyclient import _http
from comfyclient._http import CHUNK, Transport, path_segment
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
from tests.conftest import soon
from tests.fakes import FlakyServer, hang_up, json_reply, last_words, nobody, reply, reset, silence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.fakes import Answer

    Connect = Callable[..., Transport]

HTML_502 = reply(502, "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n</html>", "text/html")
BAD_500 = reply(500, "500 Internal Server Error\n\nServer got itself in trouble", "text/plain; charset=utf-8")
OK = json_reply({"ok": True})
PROMISED_100 = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
AT_ONCE = Retry(first=0.001, longest=0.001)


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes transports, which are closed afterwards."""
    made = []

    def make(url: str, **options: Any) -> Transport:
        config = ClientConfig.of(url, {"retry": AT_ONCE, "read_timeout": 10, **options})
        made.append(Transport(config))
        return made[-1]

    yield make
    for transport in made:
        transport.close()


def ask(transport: Transport, method: str) -> Any:
    if method == "POST":
        return transport.parse(transport.request("POST", "/prompt", json_body={"prompt": {}}))
    return transport.get_json("/prompt", params={"token": "hidden"})


# --- every failure has a name ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        pytest.param(reset, ServerUnreachable, ["complete answer", "reset"], id="reset after the request"),
        pytest.param(hang_up, ServerUnreachable, ["complete answer", "without response"], id="hung up"),
        pytest.param(
            last_words(b"SSH-2.0-\x1bOpenSSH\r\n"),
            ServerUnreachable,
            ["complete answer", r"it does not speak HTTP, but says 'SSH-2.0-\x1bOpenSSH'"],
            id="not HTTP",
        ),
        pytest.param(
            last_words(PROMISED_100 + b'{"a"'), ServerUnreachable, ["complete answer", "4 bytes"], id="truncated body"
        ),
        pytest.param(
            last_words(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1,2"),
            ServerUnreachable,
            ["complete answer"],
            id="truncated chunk",
        ),
        pytest.param(
            reply(200, b"not gzip", "application/json", Content_Encoding="gzip"),
            ServerUnreachable,
            ["complete answer", "header"],
            id="not the encoding that it says",
        ),
        pytest.param(silence(), RequestTimeout, ["no answer within 0.1 s"], id="silent"),
        pytest.param(silence(PROMISED_100 + b"{"), RequestTimeout, ["no answer within 0.1 s"], id="silent in the body"),
        pytest.param(reply(413, "Maximum size exceeded."), ServerError, ["413", "Maximum size exceeded."], id="413"),
        pytest.param(BAD_500, ServerError, ["500", "500 Internal Server Error"], id="500 text"),
        pytest.param(HTML_502, ServerError, ["502", "502 Bad Gateway"], id="HTML of a proxy"),
        pytest.param(reply(404), NotFound, ["404", "there is no ComfyUI at"], id="empty 404"),
        pytest.param(reply(405, "405: Method Not Allowed"), ServerError, ["405", "there is no ComfyUI"], id="405"),
        pytest.param(reply(403), AuthenticationError, ["403", "an empty body"], id="403"),
        pytest.param(json_reply({"error": "no"}, 401), AuthenticationError, ["401", "no"], id="401"),
        pytest.param(
            json_reply({"error": {"type": "x", "message": "Bad", "details": "why"}}, 400),
            ServerError,
            ["400", "Bad: why"],
            id="400 JSON",
        ),
        pytest.param(
            last_words(b"HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nhalf"),
            ServerUnreachable,
            ["complete answer"],
            id="half a 500",
        ),
        pytest.param(reply(300), ServerError, ["300", "an empty body"], id="a choice of nothing"),
        pytest.param(
            reply(200, "<html>\n<title>Log in</title>", "text/html"), DecodeError, ["Log in"], id="HTML for JSON"
        ),
        pytest.param(reply(200, '{"queue_running": [', "application/json"), DecodeError, ["queue_run"], id="cut JSON"),
        pytest.param(reply(200, b"\xff\xfe\x00"), DecodeError, ["no content type"], id="not even text"),
        pytest.param(reply(200), DecodeError, ["no content type", "''"], id="nothing for JSON"),
        pytest.param(reply(204), DecodeError, ["204"], id="204"),
        pytest.param(reply(200, "[" * 100_000), DecodeError, ["[[["], id="too deep"),
        pytest.param(reply(200, "9" * 10_000), DecodeError, ["999"], id="too long a number"),
    ],
)
def test_a_failure_has_a_name(connect: Connect, method: str, answer: Answer, kind: Any, says: list[str]) -> None:
    with FlakyServer(answer) as server:
        patience = 0.1 if kind is RequestTimeout else 10
        transport = connect(f"http://me:pass@127.0.0.1:{server.port}", read_timeout=patience, retry=None)
        with pytest.raises(kind) as caught:
            ask(transport, method)
        assert soon(lambda: bool(server.requests))  # it may get to it later than the client gives it up

    assert len(server.requests) == 1
    error = caught.value
    assert type(error) is kind
    text = str(error)
    assert server.url in text
    for part in says:
        assert part.lower() in text.lower()
    if not isinstance(error, ServerUnreachable):  # it is about the server, and names that
        assert "/prompt" in text
        assert method in text
    assert not {"pass", "hidden", "token"} & set(text.replace("?", " ").replace("=", " ").split())
    assert "pass" not in repr(error)
    assert str(pickle.loads(pickle.dumps(error))) == text  # noqa: S301
    assert error.__cause__ is None, "the error tells it all"
    assert error.__suppress_context__ or error.__context__ is None


def test_a_refused_connection_names_the_server(connect: Connect) -> None:
    with nobody() as url, pytest.raises(ServerUnreachable) as caught:
        connect(url.replace("://", "://me:pass@")).request("POST", "/prompt", json_body={})

    assert str(caught.value).startswith(f"no ComfyUI server answers at {url} (")
    assert "refused" in str(caught.value)
    assert not caught.value.maybe_sent


@pytest.mark.parametrize("answer", [reset, hang_up, last_words(b"nonsense\r\n"), last_words(PROMISED_100)])
def test_a_request_that_may_have_arrived_says_so(connect: Connect, answer: Answer) -> None:
    with FlakyServer(answer) as server, pytest.raises(ServerUnreachable) as caught:
        connect(server.url).request("POST", "/prompt", json_body={})

    assert caught.value.maybe_sent


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "*", f"{'x' * 64}.de"])
def test_a_name_that_leads_nowhere(connect: Connect, host: str) -> None:
    with pytest.raises(ServerUnreachable, match="no ComfyUI server answers at") as caught:
        connect(f"http://{host}").get_json("/prompt")

    assert host in str(caught.value)
    assert not caught.value.maybe_sent


def test_a_server_that_accepts_no_more_connections(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as waiting:
        address = full.getsockname()
        for _ in range(4):  # the kernel takes one or two, and answers no more
            one = waiting.enter_context(socket.socket())
            one.settimeout(0)
            one.connect_ex(address)
        with pytest.raises(ServerUnreachable, match=r"no connection within 0\.1 s") as caught:
            connect(f"http://127.0.0.1:{address[1]}", connect_timeout=0.1).request("POST", "/prompt")

    assert not caught.value.maybe_sent


def test_a_plain_server_where_tls_is_expected(connect: Connect) -> None:
    with FlakyServer(last_words(BAD_500)) as server, pytest.raises(ServerUnreachable) as caught:
        connect(server.url.replace("http", "https"), retry=None).get_json("/prompt")

    assert "it does not speak TLS; write http:// instead of https://" in str(caught.value)
    assert not caught.value.maybe_sent


def test_a_server_that_is_silent_where_tls_is_expected(connect: Connect) -> None:
    with (
        FlakyServer(silence()) as server,
        pytest.raises(ServerUnreachable, match=r"no connection within 0\.2 s") as caught,
    ):
        connect(server.url.replace("http", "https"), retry=None, connect_timeout=0.2).request("POST", "/prompt")

    assert not caught.value.maybe_sent


@pytest.mark.parametrize(
    ("answer", "says", "maybe_sent"),
    [
        (last_words(b"\x15\x03\x03\x00\x02\x02\x50"), "it speaks TLS; write https:// instead of http://", False),
        (reset, "if it wants TLS, write https:// instead of http://", True),
        (hang_up, "if it wants TLS, write https:// instead of http://", True),
    ],
)
def test_tls_where_a_plain_server_is_expected(connect: Connect, answer: Answer, says: str, *, maybe_sent: bool) -> None:
    with FlakyServer(answer) as server, pytest.raises(ServerUnreachable, match=says) as caught:
        connect(server.url).request("POST", "/prompt", json_body={})

    assert caught.value.maybe_sent is maybe_sent


def test_a_server_that_has_answered_before_needs_no_advice(connect: Connect) -> None:
    with FlakyServer(OK, hang_up) as server:
        transport = connect(server.url, retry=None)
        transport.get_json("/prompt")
        with pytest.raises(ServerUnreachable) as caught:
            transport.get_json("/prompt")

    assert "https" not in str(caught.value)


def test_a_proxy_that_wants_to_know_who_you_are(connect: Connect) -> None:
    with FlakyServer(reply(407, "<title>407 Proxy Authentication Required</title>")) as proxy:
        transport = connect("http://comfy.invalid", proxy=proxy.url)
        with pytest.raises(AuthenticationError, match="answered 407: 407 Proxy Authentication Required"):
            transport.get_json("/prompt")


def test_a_proxy_that_is_not_there(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    with nobody() as proxy:
        monkeypatch.setenv("http_proxy", proxy.replace("://", "://me:pass@"))
        monkeypatch.setenv("no_proxy", "")
        with pytest.raises(ServerUnreachable) as caught:
            connect("http://comfy.invalid").request("POST", "/prompt", json_body={})

    assert not caught.value.maybe_sent
    assert "pass" not in str(caught.value)
    assert f"by way of the proxy {proxy})" in str(caught.value)


def test_a_body_is_kept_as_json_or_as_text(connect: Connect) -> None:
    body = {"error": "Job not found"}
    with FlakyServer(json_reply(body, 404), BAD_500, reply(500, b"\xff broken")) as server:
        transport = connect(server.url)
        found = []
        for _ in range(3):
            with pytest.raises(ServerError) as caught:
                transport.request("POST", "/x")
            found.append(caught.value.body)

    assert found == [body, "500 Internal Server Error\n\nServer got itself in trouble", "\ufffd broken"]


def test_of_a_body_that_is_no_json_only_the_beginning_is_shown(connect: Connect) -> None:
    cut = reply(200, '{"a": "' + "x" * 100 + "workflow", "application/json")
    with FlakyServer(cut) as server, pytest.raises(DecodeError) as caught:
        connect(server.url).get_json("/queue")

    assert "workflow" not in str(caught.value)
    assert caught.value.url == f"{server.url}/queue"


# --- answers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "answer", "kind"),
    [
        ("GET", reply(404), NotFound),
        ("GET", reply(404, "<html>404 Not Found", "text/html"), NotFound),
        ("POST", reply(405, "405: Method Not Allowed"), ServerError),
    ],
)
def test_a_server_without_the_oldest_routes_is_none(connect: Connect, method: str, answer: Answer, kind: Any) -> None:
    with FlakyServer(answer) as server:
        transport = connect(f"http://me:pass@127.0.0.1:{server.port}/nope")
        with pytest.raises(kind) as caught:
            transport.request(method, "/prompt")
        with pytest.raises(kind) as other:
            transport.request(method, "/my_pack/status")

    hint = f"there is no ComfyUI at {server.url}/nope; its address is the one at which a browser shows its editor"
    assert caught.value.body == hint
    assert "there is no ComfyUI" not in str(other.value)


def test_the_servers_json_may_hold_nan(connect: Connect) -> None:
    with FlakyServer(reply(200, '{"a": [NaN, Infinity, -Infinity], "b": "\\udcff"}')) as server:
        answer = connect(server.url).get_json("/history")

    assert repr(answer["a"]) == "[nan, inf, -inf]"
    assert answer["b"] == "\udcff"


def test_a_slow_answer_is_an_answer(connect: Connect) -> None:
    go_on = threading.Event()

    def slowly(connection: Any) -> None:
        connection.sendall(PROMISED_100[: len(PROMISED_100) // 2])
        go_on.wait(10)
        connection.sendall(PROMISED_100[len(PROMISED_100) // 2 :] + b" " * 98 + b"[]")

    with FlakyServer(slowly) as server, ThreadPoolExecutor() as pool:
        answer = pool.submit(connect(server.url).get_json, "/prompt")
        go_on.set()
        assert answer.result(10) == []


def test_what_is_sent(connect: Connect) -> None:
    with FlakyServer(OK) as server:
        transport = connect(f"http://me:pass@127.0.0.1:{server.port}/pre/", headers={"X-Key": "k"})
        transport.request("GET", "/history/a%2Fb", params={"max_items": 3, "offset": None}, headers={"X-Once": "1"})
        transport.request("POST", "/prompt", json_body={"ü": float("nan")})
        transport.request("POST", "/interrupt", json_body={})
        transport.request("POST", "/upload", data=b"raw", headers={"Content-Type": "image/png"})

    get, post, empty, raw = server.requests
    assert (get.method, get.target) == ("GET", "/pre/history/a%2Fb?max_items=3")
    assert get.headers["authorization"].startswith("Basic ")
    assert get.headers["x-key"] == "k"
    assert get.headers["x-once"] == "1"
    assert get.headers["user-agent"].startswith("comfyclient/")
    assert "x-once" not in post.headers
    assert post.headers["content-type"] == "application/json"
    assert json.dumps(post.json) == '{"\\u00fc": NaN}'
    assert empty.body == b"{}"
    assert (raw.body, raw.headers["content-type"]) == (b"raw", "image/png")
    assert {request.connection for request in server.requests} == {0}, "one thread keeps one connection"


@pytest.mark.parametrize(
    ("value", "segment"),
    [("abc-1", "abc-1"), ("a/b", "a%2Fb"), ("ü x?#%", "%C3%BC%20x%3F%23%25"), ("...", "..."), ("a.b", "a.b")],
)
def test_a_segment_arrives_as_it_was(connect: Connect, value: str, segment: str) -> None:
    assert path_segment(value) == segment
    with FlakyServer(OK) as server:
        connect(server.url).get_json(f"/history/{path_segment(value)}")

    assert server.requests[0].target == f"/history/{segment}"


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_what_cannot_be_a_segment(value: str) -> None:
    with pytest.raises(ValueError, match="cannot be asked for"):
        path_segment(value)


def test_a_conditional_request_may_be_answered_with_304(connect: Connect) -> None:
    with FlakyServer(reply(304)) as server:
        assert connect(server.url).request("GET", "/view", headers={"If-None-Match": '"x"'}).status_code == 304


# --- again, or never again ------------------------------------------------------------------------------------

PASSING = [reset, hang_up, HTML_502, reply(429), reply(503), reply(504), last_words(PROMISED_100)]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("answer", PASSING)
def test_idempotent_requests_are_tried_again(connect: Connect, method: str, answer: Answer) -> None:
    with FlakyServer(answer, answer, OK) as server:
        assert connect(server.url).request(method, "/x").status_code == 200

    assert [request.method for request in server.requests] == [method] * 3


def test_a_silent_server_is_asked_again(connect: Connect) -> None:
    with FlakyServer(silence(), OK) as server:
        assert connect(server.url, read_timeout=1).get_json("/prompt") == {"ok": True}

    assert len(server.requests) == 2


@pytest.mark.parametrize("answer", PASSING)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_post_is_sent_once(connect: Connect, method: str, answer: Answer) -> None:
    with FlakyServer(answer, OK) as server, pytest.raises(ComfyError):
        connect(server.url).request(method, "/prompt", json_body={})

    assert len(server.requests) == 1


def test_attempts_come_to_an_end(connect: Connect) -> None:
    with FlakyServer(HTML_502) as server, pytest.raises(ServerError):
        connect(server.url, retry=Retry(attempts=4, first=0.001)).get_json("/prompt")

    assert len(server.requests) == 4


def test_without_a_policy_nothing_is_tried_again(connect: Connect) -> None:
    with FlakyServer(HTML_502, OK) as server, pytest.raises(ServerError):
        connect(server.url, retry=None).get_json("/prompt")

    assert len(server.requests) == 1


@pytest.mark.parametrize("answer", [BAD_500, reply(404), reply(200, "<html>")])
def test_an_answer_that_would_not_change_is_final(connect: Connect, answer: Answer) -> None:
    with FlakyServer(answer, OK) as server, pytest.raises(ComfyError):
        connect(server.url).get_json("/prompt")

    assert len(server.requests) == 1


def test_trying_again_is_logged_without_secrets(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="comfyclient")
    with FlakyServer(reset, HTML_502, OK) as server:
        transport = connect(f"http://me:pass@127.0.0.1:{server.port}", headers={"X-Key": "hidden"})
        transport.get_json("/prompt", params={"token": "hidden"})

    lines = [record.getMessage() for record in caplog.records if record.name == _http.__name__]
    assert len(lines) == 2
    assert all(line.startswith(f"GET {server.url}/prompt") for line in lines)
    assert not any("pass" in line or "hidden" in line for line in lines)


# --- redirects ------------------------------------------------------------------------------------------------


def test_a_redirect_is_followed_for_get(connect: Connect) -> None:
    with FlakyServer(reply(302, Location="/elsewhere"), OK) as server:
        transport = connect(f"http://me:pass@127.0.0.1:{server.port}", headers={"X-Key": "k"})
        assert transport.get_json("/prompt") == {"ok": True}

    _, second = server.requests
    assert second.path == "/elsewhere"
    assert second.headers["x-key"] == "k"
    assert "authorization" in second.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_redirect_is_no_answer_to_a_change(connect: Connect, method: str) -> None:
    away = reply(302, Location="https://me:pass@login.invalid/?token=hidden")
    with FlakyServer(away, OK) as server, pytest.raises(ServerError) as caught:
        connect(server.url).request(method, "/prompt", json_body={})

    assert str(caught.value).endswith("answered 302: a redirect to https://login.invalid/")
    assert len(server.requests) == 1


def test_a_redirect_to_the_servers_own_address_tells_it(connect: Connect) -> None:
    away = reply(308, Location="https://me:pass@comfy.invalid/pre/prompt?token=hidden")
    with FlakyServer(away) as server, pytest.raises(ServerError) as caught:
        connect(server.url).request("POST", "/prompt", json_body={})

    assert str(caught.value).endswith(
        "answered 308: a redirect to https://comfy.invalid/pre/prompt; "
        "write 'https://comfy.invalid/pre' as the server's address"
    )


def test_another_host_gets_no_secrets(connect: Connect) -> None:
    with FlakyServer(OK) as other, FlakyServer(reply(302, Location=f"{other.url}/login")) as server:
        headers = {"X-Api-Key": "hidden", "Cookie": "session=hidden"}
        connect(f"http://me:pass@127.0.0.1:{server.port}", headers=headers).get_json("/prompt")

    (first,), (second,) = server.requests, other.requests
    assert (first.headers["x-api-key"], first.headers["cookie"]) == ("hidden", "session=hidden")
    assert not second.headers.keys() & {"authorization", "x-api-key", "cookie"}


@pytest.mark.parametrize("location", ["ftp://me:pass@host/", "http://me:pass@a..b/", "http://me:pass@[x/"])
def test_a_redirect_to_nowhere(connect: Connect, location: str) -> None:
    with FlakyServer(reply(302, Location=location)) as server, pytest.raises(ServerUnreachable) as caught:
        connect(server.url, retry=None).get_json("/prompt")

    assert "cannot be used for HTTP" in str(caught.value)
    assert "pass" not in str(caught.value)


def test_a_redirect_to_nobody_names_whom(connect: Connect) -> None:
    with nobody() as url:
        away = reply(302, Location=f"{url}/x?token=hidden")
        with FlakyServer(away) as server, pytest.raises(ServerUnreachable) as caught:
            connect(server.url, retry=None).get_json("/prompt")

    assert str(caught.value).startswith(f"no ComfyUI server answers at {url}/x (")
    assert caught.value.url == f"{url}/x"


def test_redirects_without_an_end(connect: Connect) -> None:
    with FlakyServer(reply(302, Location="/prompt")) as server, pytest.raises(ServerError) as caught:
        connect(server.url).get_json("/prompt")

    assert str(caught.value).endswith("answered 302: redirects without an end")
    assert len(server.requests) == 31, "it is no failure that passes"


# --- less patience --------------------------------------------------------------------------------------------


# --- threads, and the end -------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [b"", PROMISED_100 + b"{"])
def test_closing_cuts_off_a_request_that_waits(connect: Connect, sent: bytes) -> None:
    with FlakyServer(silence(sent)) as server, ThreadPoolExecutor(1) as pool:
        transport = connect(server.url, read_timeout=60)
        waiting = pool.submit(transport.get_json, "/prompt")
        assert soon(lambda: len(server.requests) == 1)
        transport.close()
        with pytest.raises(ClientClosed):
            waiting.result(10)


def test_a_transport_is_freed_though_its_threads_live_on() -> None:
    with FlakyServer(OK) as server:
        transport = Transport(ClientConfig(url=server.url))
        transport.get_json("/prompt")
        transport.close()
        freed = weakref.ref(transport)
        del transport
        gc.collect()
        assert freed() is None


def test_each_thread_has_a_session_of_its_own(connect: Connect) -> None:
    all_here = threading.Barrier(4)

    def twice() -> None:
        all_here.wait(10)
        transport.get_json("/a")
        all_here.wait(10)
        transport.get_json("/b")

    with FlakyServer(OK) as server, ThreadPoolExecutor(4) as pool:
        transport = connect(server.url)
        for done in [pool.submit(twice) for _ in range(4)]:
            done.result(20)

    per_connection = [sorted(r.path for r in server.requests if r.connection == number) for number in range(5)]
    assert per_connection == [["/a", "/b"]] * 4 + [[]]


def test_a_thread_takes_its_connection_with_it(connect: Connect) -> None:
    with FlakyServer(OK) as server:
        transport = connect(server.url)
        thread = threading.Thread(target=transport.get_json, args=["/prompt"])
        thread.start()
        thread.join(10)
        gc.collect()

        assert not transport._sessions


def test_nothing_can_be_sent_after_close(connect: Connect) -> None:
    with FlakyServer(OK) as server:
        transport = connect(server.url)
        transport.get_json("/prompt")
        transport.close()
        transport.close()
        for method in ("GET", "POST"):
            with pytest.raises(ClientClosed):
                transport.request(method, "/prompt")

    assert len(server.requests) == 1


def test_close_ends_the_pause_before_another_attempt(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pausing = threading.Event()
    caplog.set_level(logging.DEBUG, logger=_http.__name__)
    monkeypatch.setattr(caplog.handler, "emit", lambda _: pausing.set())  # it says so before it pauses
    with FlakyServer(hang_up) as server, ThreadPoolExecutor() as pool:
        transport = connect(server.url, retry=Retry(first=1000, longest=1000))
        answer = pool.submit(transport.get_json, "/prompt")
        assert pausing.wait(10)
        transport.close()
        with pytest.raises(ClientClosed):
            answer.result(10)

    assert len(server.requests) == 1


def test_a_request_that_close_breaks_says_closed(connect: Connect) -> None:
    asked = threading.Event()
    closed = threading.Event()

    def break_later(connection: Any) -> None:
        asked.set()
        closed.wait(10)
        reset(connection)

    with FlakyServer(break_later) as server, ThreadPoolExecutor() as pool:
        transport = connect(server.url)
        answer = pool.submit(transport.request, "POST", "/prompt")
        assert asked.wait(10)
        transport.close()
        closed.set()
        with pytest.raises(ClientClosed):
            answer.result(10)


def test_a_transport_leaves_nothing_behind() -> None:
    with FlakyServer(OK) as server:
        transport = Transport(ClientConfig(url=server.url))
        transport.get_json("/prompt")
        gone = weakref.ref(transport._session())
        transport.close()
        del transport
        gc.collect()

        assert gone() is None


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_a_request_without_an_end_is_not_made(connect: Connect, seconds: float) -> None:
    with FlakyServer(OK) as server, pytest.raises(ValueError, match="timeout is a time in seconds above 0"):
        connect(server.url).get_json("/prompt", timeout=seconds)

    assert not server.requests


def test_a_body_that_fails_is_not_blamed_on_the_server(connect: Connect) -> None:
    class Broken:
        def __len__(self) -> int:
            return 100

        def __iter__(self) -> Iterator[bytes]:
            yield b"first"
            raise ValueError("I/O operation on closed file")

    with FlakyServer(OK) as server, pytest.raises(ValueError, match="closed file"):
        connect(server.url).request("POST", "/upload", data=Broken())


# --- the environment ------------------------------------------------------------------------------------------


def test_the_environment_is_read_once(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    with FlakyServer(OK) as server, nobody() as proxy:
        transport = connect(server.url)
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("no_proxy", "")

        assert transport.get_json("/prompt") == {"ok": True}


def test_a_proxy_is_used(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    with FlakyServer(OK) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        connect("http://comfy.invalid:1").get_json("/prompt")

    assert proxy.requests[0].target == "http://comfy.invalid:1/prompt"


def test_a_password_file_is_not_read(connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password pass")
    monkeypatch.setenv("NETRC", str(netrc))
    with FlakyServer(OK) as server:
        connect(server.url).get_json("/prompt")

    assert "authorization" not in server.requests[0].headers


# --- streams --------------------------------------------------------------------------------------------------


def test_a_stream_comes_in_pieces(connect: Connect) -> None:
    content = bytes(range(256)) * (CHUNK // 256) * 2 + b"rest"
    with FlakyServer(reply(200, content)) as server:
        transport = connect(server.url)
        with transport.stream("/view", params={"filename": "a b"}) as response:
            pieces = list(transport.read_chunks(response))
        with transport.stream("/view") as response:
            assert transport.read_all(response) == content

    assert b"".join(pieces) == content
    assert [len(piece) for piece in pieces] == [CHUNK, CHUNK, 4]
    assert server.requests[0].headers["accept-encoding"] == "identity"
    assert server.requests[0].query == {"filename": "a b"}


@pytest.mark.parametrize(
    ("end", "kind"),
    [(last_words, ServerUnreachable), (silence, RequestTimeout)],
)
def test_a_stream_that_breaks_or_stops(connect: Connect, end: Any, kind: type[ComfyError]) -> None:
    with FlakyServer(end(PROMISED_100 + b"x" * 50)) as server:
        transport = connect(server.url, read_timeout=1 if end is silence else 10)
        with transport.stream("/view") as response, pytest.raises(kind):
            transport.read_all(response)

    assert len(server.requests) == 1, "what was read cannot be unread"


@pytest.mark.parametrize(
    "answer", [reply(404), BAD_500, last_words(b"HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\nhalf")]
)
def test_a_stream_that_never_was(connect: Connect, answer: Answer) -> None:
    with FlakyServer(answer) as server, pytest.raises(ServerError), connect(server.url).stream("/view"):
        pytest.fail("it was entered")


def test_a_stream_that_is_left_early_closes_its_connection(connect: Connect) -> None:
    with FlakyServer(reply(200, b"x" * CHUNK * 40), OK) as server:
        transport = connect(server.url)
        with transport.stream("/view") as response:
            next(transport.read_chunks(response))
        assert transport.get_json("/prompt") == {"ok": True}

    assert [request.connection for request in server.requests] == [0, 1]


def test_no_request_goes_around_the_mapping() -> None:
    """Requests has more exceptions than anybody remembers; all of them get a name."""
    transport = Transport(ClientConfig())
    leaves: list[type[Exception]] = [
        requests.exceptions.RequestException,
        *requests.exceptions.RequestException.__subclasses__(),
    ]
    for leaf in leaves:
        if issubclass(leaf, (requests.exceptions.InvalidJSONError, requests.exceptions.HTTPError)):
            continue  # raised by methods of theirs that we do not call
        with pytest.raises(ComfyError), transport._mapped("GET", transport.url("/"), 1):
            raise leaf("boom")


def test_a_body_may_take_as_long_as_an_answer(connect: Connect) -> None:
    """Not only as long as a connection."""
    late = threading.Event()

    def read_late(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            late.wait(1.5)
            rest = 2**25
            while rest > 0 and (data := connection.recv(2**20)):
                rest -= len(data)
            connection.sendall(OK)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=read_late, args=(listener,))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        transport = connect(url, connect_timeout=0.3)
        assert transport.request("POST", "/upload", data=Zeros(2**25)).ok
        thread.join(10)


class Zeros:
    def __init__(self, length: int) -> None:
        self._length = length

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        return iter([bytes(CHUNK)] * (self._length // CHUNK))
