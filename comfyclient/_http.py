"""HTTP: requests, their failures, and when they are tried again.

One ``requests.Session`` per thread, since a session is not safe to share; see ``_network`` for what they are given.
"""

from __future__ import annotations

import json
import logging
import ssl
import threading
import weakref
from contextlib import contextmanager
from http.client import BadStatusLine, RemoteDisconnected
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NewConnectionError,
    ReadTimeoutError,
)

from comfyclient._addresses import redact
from comfyclient._network import Network, Session, Sockets, explain_tls
from comfyclient._process import OneProcess
from comfyclient.errors import (
    AuthenticationError,
    ClientClosed,
    DecodeError,
    NotFound,
    RequestTimeout,
    ServerError,
    ServerUnreachable,
    Unsupported,
    first_line,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from comfyclient.config import ClientConfig

log = logging.getLogger(__name__)

CHUNK = 256 * 1024
"""Bytes per piece of a streamed body; smaller ones cost time, larger ones gain nothing."""

_PIECE = 64 * 1024
"""Bytes of a compressed body that are unpacked at once; they may become a thousand times as many."""
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_KINDS = {401: AuthenticationError, 403: AuthenticationError, 404: NotFound, 407: AuthenticationError}
_REDIRECTS = 300
_NOT_ALLOWED = 405
_NO_ROUTE = frozenset({404, _NOT_ALLOWED})
_EVERYWHERE = frozenset({"/history", "/interrupt", "/object_info", "/prompt", "/queue", "/system_stats"})
"""Routes that every ComfyUI has, whatever its age."""
_NOT_MODIFIED = 304  # comes only when it was asked for


def path_segment(value: str) -> str:
    """A value made safe for one segment of a path; a slash inside becomes ``%2F``, as the server wants it.

    Raises:
        TypeError: It is no string.
        ValueError: No escaping keeps it one segment: it is empty, ``"."`` or ``".."``.
    """
    if not isinstance(value, str):
        raise TypeError(f"a name or an id is a string, not {type(value).__name__}: {value!r}")
    if value in {"", ".", ".."}:
        raise ValueError(f"{value!r} cannot be asked for: an address would end before it")
    return quote(value, safe="")


class Transport:
    """Sends requests to one server, from any number of threads.

    Attributes:
        config: The client's configuration.
    """

    def __init__(self, config: ClientConfig) -> None:
        self.config = config
        self._network = Network(config)
        self._base = config.shown_url
        self._answered = False
        self._local = threading.local()
        self._lock = threading.Lock()  # guards _sessions
        self._sessions: weakref.WeakSet[Session] = weakref.WeakSet()
        self._sockets = Sockets()
        self._process = OneProcess()
        self._closed = threading.Event()

    def url(self, path: str) -> str:
        """The full address of a path, without credentials."""
        return self._network.url(path)

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
        since: str | None = None,
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
            since: The version of ComfyUI that brought this route.

        Raises:
            Unsupported: The server is older than that.
            ServerUnreachable: No connection, or it broke.
            RequestTimeout: No answer in time.
            ServerError: Any 4xx or 5xx, as its subclass where there is one.
            DecodeError: The body is larger than ``config.max_body``.
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
                log.debug("%s %s: %s; trying again", method, self.url(path), str(error))
            else:
                if last or retry is None or response.status_code not in retry.statuses:
                    if response.ok and (response.status_code < _REDIRECTS or response.status_code == _NOT_MODIFIED):
                        return response
                    self._raise_for(method, path, response, since)
                log.debug("%s %s answered %d; trying again", method, self.url(path), response.status_code)
                response.close()
            if self.closes_within(retry.pause(attempt)):
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

    def closes_within(self, seconds: float) -> bool:
        """Wait so long, or until the client is closed; whether it is."""
        return self._closed.wait(seconds)

    def close(self) -> None:
        """Close every thread's connections; requests raise ``ClientClosed``, those under way too. Idempotent."""
        self._closed.set()
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.close()
        self._sockets.shut_down()

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or deeply copied; so does all that leads here: clients, jobs, results, their files."""
        raise TypeError(
            "a client, and what belongs to it as jobs and results do, cannot be pickled or deeply copied; "
            "keep a job's prompt_id for client.job() of another one, and the content of its files"
        )

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
            session = self._session()
            # Not session.request(), which would merge what follows with settings that the session does not have.
            request = requests.Request(method, self.url(path), params=params, data=data, headers=headers)
            response = session.send(
                session.prepare_request(request),
                timeout=(self.config.connect_timeout, patience),
                stream=True,
                proxies=self._network.proxies,
                verify=self._network.verify,
                cert=self._network.cert,
                # A redirected POST would arrive as a GET without its body.
                allow_redirects=method in _SAFE,
            )
            if not stream or not response.ok:
                self._read(response, stream=stream)
        self._answered = True
        return response

    def _read(self, response: requests.Response, *, stream: bool) -> None:
        """Read the body, as requests would have done, but not without an end.

        Raises:
            DecodeError: It is too large.
        """
        pieces: list[bytes] = []
        length, limit = 0, self.config.max_body
        try:
            for piece in response.iter_content(_PIECE):
                pieces.append(piece)
                length += len(piece)
                if length > limit:
                    response.close()
                    break
        except (requests.RequestException, HTTPError):
            if not stream:
                raise
        if length > limit and response.ok:
            problem = f"{response.request.method} got a body of more than {limit} bytes (max_body)"
            raise DecodeError(redact(response.url), (problem,))
        response._content = b"".join(pieces)  # noqa: SLF001 - where `content` looks

    def _raise_for(self, method: str, path: str, response: requests.Response, since: str | None) -> NoReturn:
        error = _error_of(method, path, response)
        if since is not None and _is_unknown_route(error):
            raise Unsupported(f"{method} {path.partition('?')[0]}", since, self._base)
        if error.status in _NO_ROUTE and path in _EVERYWHERE:
            hint = f"there is no ComfyUI at {self._base}; its address is the one at which a browser shows its editor"
            error = type(error)(error.status, hint, error.method, error.url)
        raise error

    def _session(self) -> Session:
        session: Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = self._network.session(self._sockets)
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
            raise self._unreachable(error, causes) from None
        except ValueError:
            if method not in _SAFE:
                raise  # by the body, while it was read
            raise ServerUnreachable(self._base, _UNUSABLE_REASON) from None

    def _unreachable(self, error: Exception, causes: list[BaseException]) -> ServerUnreachable:
        tried, reason = self._tried(error), first_line(str(causes[-1]).rpartition(_URLLIB3S_PREFACE)[2])
        if any(type(cause) is BadStatusLine for cause in causes):  # not RemoteDisconnected, which is one as well
            reason = f"it does not speak HTTP, but says {reason!r}"
        if explanation := next(filter(None, map(explain_tls, causes)), ""):
            return ServerUnreachable(tried, explanation)
        if tried == self._base and tried.startswith("http:") and not self._answered:
            if any(isinstance(cause, BadStatusLine) and _TLS_ALERT in str(cause) for cause in causes):
                return ServerUnreachable(tried, _WANTS_TLS)
            if any(isinstance(cause, _BROKEN_OFF) for cause in causes):
                reason += "; if it wants TLS, write https:// instead of http://"
        unsent = any(isinstance(cause, _NEVER_CONNECTED) for cause in causes)
        if unsent and self._network.proxy_url is not None:
            reason += f", by way of the proxy {redact(self._network.proxy_url)}"
        return ServerUnreachable(tried, reason, maybe_sent=not unsent)

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
_BROKEN_OFF = (ConnectionResetError, BrokenPipeError, RemoteDisconnected)
_TLS_ALERT = "\x15\x03"
_WANTS_TLS = "it speaks TLS; write https:// instead of http://"
_URLLIB3S_PREFACE = "Failed to establish a new connection: "  # after the repr of an object


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it wraps, outermost first; requests and urllib3 wrap in ``reason`` and in ``args``."""
    inner: BaseException | None = error
    while inner is not None:
        yield inner
        wrapped = [getattr(inner, "reason", None), *inner.args, inner.__cause__]
        inner = next((value for value in wrapped if isinstance(value, BaseException)), None)


def _error_of(method: str, path: str, response: requests.Response) -> ServerError:
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        body = response.content.decode("utf-8", "replace")
    if response.is_redirect:
        target = redact(response.headers["Location"])
        body = f"a redirect to {target}"
        if "://" in target and target.endswith(path):
            body += f"; write {target.removesuffix(path)!r} as the server's address"
    kind = _KINDS.get(response.status_code, ServerError)
    return kind(response.status_code, body, method, redact(response.url))


def _is_unknown_route(error: ServerError) -> bool:
    """Whether the server may have no such route at all: it says so by 405, or by 404 with nothing more."""
    return error.status == _NOT_ALLOWED or (isinstance(error, NotFound) and error.body in ("", "404: Not Found"))
