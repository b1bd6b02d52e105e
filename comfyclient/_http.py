"""HTTP: the only importer of requests.

One ``requests.Session`` per thread, since a session is not safe to share; proxies and TLS settings are read
from the environment once per client, since requests would read them anew for every request.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import ssl
import threading
import weakref
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NewConnectionError,
    ReadTimeoutError,
)

from comfyclient._process import OneProcess
from comfyclient._version import __version__
from comfyclient.config import ClientConfig, redact
from comfyclient.errors import (
    AuthenticationError,
    ClientClosed,
    DecodeError,
    NotFound,
    RequestTimeout,
    ServerError,
    ServerUnreachable,
    first_line,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

log = logging.getLogger(__name__)

CHUNK = 256 * 1024
"""Bytes per piece of a streamed body; smaller ones cost time, larger ones gain nothing."""

_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_REDIRECTS = 300
_NOT_MODIFIED = 304  # comes only when it was asked for


def path_segment(value: str) -> str:
    """A value made safe for one segment of a path; a slash inside becomes ``%2F``, as the server wants it.

    Raises:
        ValueError: No escaping keeps it one segment: it is empty, ``"."`` or ``".."``.
    """
    if value in {"", ".", ".."}:
        raise ValueError(f"{value!r} cannot be asked for: an address would end before it")
    return quote(value, safe="")


class _Sockets:
    """The open sockets of one transport. Sessions know it, and not the transport, which would never be freed then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _open
        self._open: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def add(self, sock: socket.socket) -> None:
        with self._lock:
            self._open.add(sock)

    def shut_down(self) -> None:
        """End whatever waits for data."""
        with self._lock:
            sockets = list(self._open)
        for sock in sockets:
            with suppress(OSError):  # closed already
                sock.shutdown(socket.SHUT_RDWR)


class _Adapter(HTTPAdapter):
    """Notes the sockets that it opens, so that those that wait for an answer can be shut down, too."""

    def __init__(self, sockets: _Sockets) -> None:
        self._sockets = sockets
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _noting(HTTPConnectionPool, self._sockets),
            "https": _noting(HTTPSConnectionPool, self._sockets),
        }


def _noting(pool_class: type[HTTPConnectionPool], sockets: _Sockets) -> type[HTTPConnectionPool]:
    connection_class: Any = pool_class.ConnectionCls

    class Connection(connection_class):  # type: ignore[misc]  # one of urllib3's two
        def connect(self) -> None:
            super().connect()
            sockets.add(self.sock)

    return type(pool_class.__name__, (pool_class,), {"ConnectionCls": Connection})


class _Session(requests.Session):
    """Keeps the configured headers to the server that they are for.

    requests does so for ``Authorization``; a token may as well travel in a header of another name.
    """

    def __init__(self, headers: Mapping[str, str], sockets: _Sockets) -> None:
        super().__init__()
        self.mount("http://", _Adapter(sockets))
        self.mount("https://", _Adapter(sockets))
        self.trust_env = False
        self.headers.update(headers)
        self._own = headers

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]
        before, after = response.request.url, prepared_request.url
        if self.should_strip_auth(before, after):  # type: ignore[no-untyped-call]
            for name in self._own:
                prepared_request.headers.pop(name, None)


class Transport:
    """Sends requests to one server, from any number of threads.

    Attributes:
        config: The client's configuration.
    """

    def __init__(self, config: ClientConfig) -> None:
        self.config = config
        self._base = config.shown_url
        self._headers = {
            "User-Agent": f"comfyclient/{__version__}",
            **config.request_headers,
        }
        self._proxies = get_environ_proxies(self._base)
        self._verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        self._local = threading.local()
        self._lock = threading.Lock()  # guards _sessions
        self._sessions: weakref.WeakSet[requests.Session] = weakref.WeakSet()
        self._sockets = _Sockets()
        self._process = OneProcess()
        self._closed = threading.Event()

    def url(self, path: str) -> str:
        """The full address of a path, without credentials."""
        return self._base + path

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json_body: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        stream: bool = False,
    ) -> requests.Response:
        """Send one request and return its successful answer.

        Idempotent verbs are tried again as ``config.retry`` says; POST and PATCH never are.

        Args:
            method: The HTTP verb in capitals.
            path: The path below the base URL, its segments already escaped.
            params: The query; entries that are ``None`` are left out.
            json_body: A value to send as JSON.
            data: A body to send as it is: bytes, or an iterable with a length.
            headers: Headers of this request only.
            timeout: Seconds of silence instead of ``config.read_timeout``.
            stream: Leave the body unread; the caller has to close the answer.

        Raises:
            ServerUnreachable: No connection, or it broke.
            RequestTimeout: No answer in time.
            ServerError: Any 4xx or 5xx, as its subclass where there is one.
            ClientClosed: The client was closed.
        """
        if json_body is not None:
            data = json.dumps(json_body).encode()
            headers = {"Content-Type": "application/json", **(headers or {})}
        retry = self.config.retry if method in _IDEMPOTENT else None
        attempts = retry.attempts if retry else 1
        for attempt in range(attempts):
            last = attempt + 1 == attempts
            try:
                response = self._send(method, path, params, data, headers, timeout, stream=stream)
            except (ServerUnreachable, RequestTimeout) as error:
                if last or retry is None:
                    raise
                log.debug("%s %s: %s; trying again", method, self.url(path), error)
            else:
                if last or retry is None or response.status_code not in retry.statuses:
                    if response.ok and (response.status_code < _REDIRECTS or response.status_code == _NOT_MODIFIED):
                        return response
                    _raise_for(method, response)
                log.debug("%s %s answered %d; trying again", method, self.url(path), response.status_code)
                response.close()
            if self._closed.wait(retry.pause(attempt)):
                break
        raise ClientClosed

    def get_json(self, path: str, *, params: Mapping[str, Any] | None = None, timeout: float | None = None) -> Any:
        """GET a path and parse its JSON; see ``request``.

        Raises:
            DecodeError: The body is not JSON.
        """
        return self.parse(self.request("GET", path, params=params, timeout=timeout))

    def parse(self, response: requests.Response) -> Any:
        """The JSON of an answer. The server's JSON may hold NaN and Infinity, as Python's own parser allows.

        Raises:
            DecodeError: The body is not JSON.
        """
        try:
            return json.loads(response.content)
        except (ValueError, RecursionError) as error:
            kind = response.headers.get("Content-Type", "no content type")
            # Not response.text, which may take seconds to guess an encoding; and no more of it than the beginning,
            # since it may be a workflow.
            begin = first_line(response.content[:2000].decode("utf-8", "replace"), 80)
            problem = f"{response.request.method} got {response.status_code} and {kind} where JSON is due"
            raise DecodeError(redact(response.url), (f"{problem} ({error}): {begin!r}",)) from None

    @contextmanager
    def stream(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Iterator[requests.Response]:
        """GET a path and leave its body to the caller, who reads it with ``read_chunks`` or ``read_all``."""
        # Compression would hide the length and save nothing on media; some servers even swap the file for its .gz.
        merged = {"Accept-Encoding": "identity", **(headers or {})}
        with self.request("GET", path, params=params, headers=merged, timeout=timeout, stream=True) as response:
            yield response

    def read_chunks(self, response: requests.Response) -> Iterator[bytes]:
        """The body in pieces of ``CHUNK`` bytes.

        Raises:
            ServerUnreachable: The connection broke before the body was complete.
            RequestTimeout: The server fell silent.
        """
        with self._mapped("GET", redact(response.url), self.config.read_timeout):
            yield from response.iter_content(CHUNK)

    def read_all(self, response: requests.Response) -> bytes:
        """The whole body; raises as ``read_chunks`` does."""
        # Not response.content: it joins pieces of 10 KB, which takes seven times as long for large media.
        return b"".join(self.read_chunks(response))

    def close(self) -> None:
        """Close every thread's connections; requests raise ``ClientClosed``, those under way too. Idempotent."""
        self._closed.set()
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.close()
        self._sockets.shut_down()

    def _send(  # noqa: PLR0917 - the parts of a request
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        data: Any,
        headers: Mapping[str, str] | None,
        timeout: float | None,
        *,
        stream: bool,
    ) -> requests.Response:
        if self._closed.is_set():
            raise ClientClosed("this client is closed; use it, and save what it brought, before that")
        self._process.check()
        patience = self.config.read_timeout if timeout is None else timeout
        if not 0 < patience <= threading.TIMEOUT_MAX:
            raise ValueError(f"timeout is a time in seconds above 0, not {timeout!r}")
        with self._mapped(method, self.url(path), patience):
            return self._session().request(
                method,
                self.url(path),
                params=params,
                data=data,
                headers=headers,
                timeout=(self.config.connect_timeout, patience),
                stream=stream,
                proxies=self._proxies,
                verify=self._verify,
                # A redirected POST would arrive as a GET without its body.
                allow_redirects=method in _SAFE,
            )

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = _Session(self._headers, self._sockets)
            with self._lock:
                self._sessions.add(session)
        return session

    @contextmanager
    def _mapped(self, method: str, url: str, patience: float) -> Iterator[None]:
        try:
            yield
        except requests.ConnectTimeout as error:
            reason = f"no connection within {self.config.connect_timeout:g} s"
            raise ServerUnreachable(self._tried(error), reason) from None
        except requests.ReadTimeout:
            raise RequestTimeout(method, url, patience) from None
        except requests.TooManyRedirects as error:
            status = error.response.status_code if error.response is not None else 0
            raise ServerError(status, "redirects without an end", method, url) from None
        except _UNUSABLE:
            raise ServerUnreachable(self._base, _UNUSABLE_REASON) from None
        except (requests.RequestException, HTTPError) as error:
            if self._closed.is_set():
                raise ClientClosed from None
            causes = list(_causes(error))
            if any(isinstance(cause, _TOO_SLOW) for cause in causes):  # in mid-body: a ConnectionError to requests
                raise RequestTimeout(method, url, patience) from None
            unsent = any(isinstance(cause, _NEVER_CONNECTED) for cause in causes)
            raise ServerUnreachable(self._tried(error), first_line(causes[-1]), maybe_sent=not unsent) from None
        except ValueError:
            if method not in _SAFE:
                raise  # by the body, while it was read
            raise ServerUnreachable(self._base, _UNUSABLE_REASON) from None

    def _tried(self, error: Exception) -> str:
        """The server's address, or the one that it redirected to."""
        request = getattr(error, "request", None)
        url = redact(request.url) if request is not None else self._base
        return self._base if url.startswith(self._base) else url


# Without the library's own text, which would show the address, with a password perhaps.
_UNUSABLE_REASON = "this address, that of a proxy, or the one that it redirects to cannot be used for HTTP"
_UNUSABLE = (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, LocationValueError)
_TOO_SLOW = (TimeoutError, ReadTimeoutError)
_NEVER_CONNECTED = (
    NewConnectionError,
    ConnectTimeoutError,
    requests.exceptions.ProxyError,
    ssl.SSLCertVerificationError,  # other TLS errors can come after the request was sent
)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it wraps, outermost first; requests and urllib3 wrap in ``reason`` and in ``args``."""
    inner: BaseException | None = error
    while inner is not None:
        yield inner
        wrapped = [getattr(inner, "reason", None), *inner.args, inner.__cause__]
        inner = next((value for value in wrapped if isinstance(value, BaseException)), None)


def _raise_for(method: str, response: requests.Response) -> NoReturn:
    with response:
        try:
            raw = response.content
        except requests.RequestException:
            raw = b""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = raw.decode("utf-8", "replace")
    if response.is_redirect:
        body = f"a redirect to {redact(response.headers['Location'])}"
    kind = {401: AuthenticationError, 403: AuthenticationError, 404: NotFound}.get(response.status_code, ServerError)
    raise kind(response.status_code, body, method, redact(response.url))
