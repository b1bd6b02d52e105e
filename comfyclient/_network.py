"""How requests and the websocket get to the server: address, credentials, proxy, TLS.

Beside ``_http`` the only importer of requests. The environment is asked once, when a ``Network`` is made: requests
would ask it anew each time, and websocket-client in another way.
"""

from __future__ import annotations

import functools
import http.client
import io
import logging
import os
import socket
import ssl
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import requests
from attrs import field, frozen
from requests.adapters import HTTPAdapter
from requests.hooks import default_hooks
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies, select_proxy
from urllib3.exceptions import ConnectTimeoutError

from comfyclient._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3 import HTTPConnectionPool, PoolManager

    from comfyclient.config import ClientConfig

log = logging.getLogger(__name__)

_NOT_BELOW_API = ("/api/", "/internal/", "/extensions/", "/templates/", "/docs/")
"""Paths that begin at the server's root even if the base URL ends in ``/api``; everything else is there twice."""
_HARMLESS = frozenset(
    {"accept", "accept-encoding", "connection", "if-modified-since", "if-none-match", "if-range", "range", "user-agent"}
)
"""What another host may get to know when a request is redirected to it."""
_NOT_FOR_HANDSHAKES = frozenset({"accept", "accept-encoding", "connection"})
_PORTS = {"http": 80, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "HTTP_REQUEST"})
"""What OpenSSL calls an answer that is none of TLS."""
_LEAST = 1000
"""Bytes that must come within the time that a single one may take; what is slower than that stands still."""
_UNKNOWN_ISSUER = frozenset({18, 19, 20, 21})
"""OpenSSL's codes for a certificate that leads to no authority that is trusted."""


@frozen
class Proxy:
    """Where a proxy is, and what it wants to know."""

    scheme: str
    host: str
    port: int
    user: str | None
    password: str = field(repr=False)

    @classmethod
    def of(cls, url: str) -> Proxy:
        """The parts of its URL, which may lack a scheme where it comes from the environment.

        Raises:
            OSError: It is none.
        """
        try:
            parts = urlsplit(url if "://" in url else f"http://{url}")
            port = parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError:  # whose text would show a part of it
            raise OSError("the URL of the proxy cannot be used") from None
        user = None if parts.username is None else unquote(parts.username)
        return cls(parts.scheme, parts.hostname or "", port, user, unquote(parts.password or ""))


class Sockets:
    """The open sockets of one transport. Sessions know it, and not the transport, which would never be freed then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _open
        self._open: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def add(self, sock: socket.socket) -> None:
        """Note one that was opened."""
        with self._lock:
            self._open.add(sock)

    def shut_down(self) -> None:
        """End whatever waits for data."""
        with self._lock:
            sockets = list(self._open)
        for sock in sockets:
            with suppress(OSError):  # closed already
                sock.shutdown(socket.SHUT_RDWR)


class Network:
    """What lies between a client and its server.

    Attributes:
        proxies: As requests wants them.
        verify: The same: whether to verify certificates, or the authorities to trust.
        cert: The same: the client's certificate.
        proxy_url: The proxy that leads to the server, if any.

    Raises:
        ValueError: A file of certificates cannot be used.
        ImportError: The proxy is one of SOCKS, and PySocks is not installed.
    """

    def __init__(self, config: ClientConfig) -> None:
        self._config = config
        self._base = config.shown_url
        self._root = self._base.removesuffix("/api")
        environ = os.environ if config.trust_env else {}
        if config.proxy:
            self.proxies: dict[str, Any] = {"http": config.proxy, "https": config.proxy}
        else:
            self.proxies = get_environ_proxies(self._base) if config.trust_env else {}
        self.proxy_url: str | None = select_proxy(self._base, self.proxies)
        if (self.proxy_url or "").startswith("socks"):
            _require_socks()
        self.verify: bool | str = config.verify  # type: ignore[assignment]  # its converter makes paths strings
        self.cert: Any = config.cert
        bundle = next((name for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if environ.get(name)), None)
        wants_tls = self._base.startswith("https:")
        if isinstance(self.verify, str):
            _check_readable("verify", self.verify)
        elif bundle is not None and self.verify:
            self.verify = environ[bundle]
            if wants_tls:
                _check_readable(bundle, self.verify)
        for path in _files(config.cert):
            _check_readable("cert", path)
        if wants_tls and (isinstance(self.verify, str) or self.cert is not None):
            _ = self.tls  # files that cannot be used are found out now
        if wants_tls and self.verify is False:
            _warn_of_unverified(self._base)

    def url(self, path: str) -> str:
        """The full address of a path, without credentials."""
        return (self._root if path.startswith(_NOT_BELOW_API) else self._base) + path

    def session(self, sockets: Sockets) -> Session:
        """A new session for one thread."""
        return Session(self._config, sockets)

    def handshake(self) -> tuple[str, dict[str, str]]:
        """The address of the websocket, credentials included, and the headers of its handshake."""
        with self.session(Sockets()) as session:
            # As any other request: one header is as easily forgotten here as there.
            request = requests.Request("GET", self.url("/ws"), params={"clientId": self._config.client_id})
            try:
                prepared = session.prepare_request(request)
            except requests.RequestException:
                raise OSError("this address cannot be used for HTTP") from None
            except Exception as error:
                if session.auth is None:
                    raise
                raise OSError(f"auth raised {type(error).__name__}") from None  # its text may hold what it sends
        query = f"&{urlencode(params)}" if (params := self._config.request_params) else ""
        given: Mapping[str, Any] = prepared.headers  # an auth object may have put bytes there
        headers = {
            name.title(): value.decode("latin-1") if isinstance(value, bytes) else value
            for name, value in given.items()
            if name.lower() not in _NOT_FOR_HANDSHAKES
        }
        return f"{str(prepared.url).replace('http', 'ws', 1)}{query}", headers

    @property
    def server(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self._base)
        return parts.hostname or "", parts.port or _PORTS[parts.scheme]

    @functools.cached_property
    def tls(self) -> ssl.SSLContext | None:
        """What requests makes of ``verify`` and ``cert``, for the websocket."""
        if not self._base.startswith("https:"):
            return None
        if self.verify is False:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            trusted = DEFAULT_CA_BUNDLE_PATH if self.verify is True else self.verify
            is_directory = Path(trusted).is_dir()
            try:
                context = ssl.create_default_context(
                    cafile=None if is_directory else trusted, capath=trusted if is_directory else None
                )
            except ssl.SSLError:
                raise ValueError(f"{trusted!r} holds no certificates in PEM format to verify the server's by") from None
        context.set_alpn_protocols(["http/1.1"])
        if self.cert is not None:
            certificate, key = (self.cert, None) if isinstance(self.cert, str) else self.cert
            try:
                context.load_cert_chain(certificate, key, password=_no_password)
            except (ssl.SSLError, ValueError):
                raise ValueError(
                    f"cert={self.cert!r} cannot be used: it takes a certificate and its key in PEM format, without "
                    "a password, in one file or as (certificate, key)"
                ) from None
        return context


def _no_password() -> str:
    """OpenSSL would ask for one at the terminal."""
    raise ValueError


def _require_socks() -> None:
    try:
        import socks  # type: ignore[import-untyped]  # noqa: F401, PLC0415 - an extra
    except ImportError:
        raise ImportError("a SOCKS proxy needs PySocks: pip install 'comfyclient[socks]'") from None


def _files(cert: Any) -> tuple[str, ...]:
    return (cert,) if isinstance(cert, str) else cert or ()


def _check_readable(option: str, path: str) -> None:
    try:
        if not Path(path).is_dir():
            Path(path).open("rb").close()
    except OSError as error:
        raise ValueError(f"{option}={path!r} cannot be read ({error.strerror}); name a file in PEM format") from None


@functools.cache
def _warn_of_unverified(base: str) -> None:
    log.warning("the certificate of %s is not verified, as verify=False says", base)


def explain_tls(error: BaseException) -> str:
    """What a failed TLS handshake means to whoever wrote the address; nothing for other errors."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _UNKNOWN_ISSUER:
            return "its certificate is of no authority that is trusted here; name the file of that one in verify="
        return f"its certificate does not fit: {error.verify_message}"
    if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
        return "it does not speak TLS; write http:// instead of https://"
    if isinstance(error, ssl.SSLError) and error.reason == "TLSV13_ALERT_CERTIFICATE_REQUIRED":
        return "it wants to see a client certificate; give one as cert="
    return ""


class Session(requests.Session):
    """Sends what is configured with every request, and keeps it to the server that it is for."""

    def __init__(self, config: ClientConfig, sockets: Sockets) -> None:
        super().__init__()
        self._base = config.shown_url
        self._params = config.request_params
        for prefix in ("http://", "https://"):
            self.mount(prefix, _Adapter(sockets, config.read_timeout))
        if self._params:
            with suppress(requests.RequestException):  # an address that cannot be used; its requests will say so
                parts = urlsplit(str(requests.Request("GET", self._base).prepare().url))
                self.mount(
                    f"{parts.scheme}://{parts.netloc}/", _Adapter(sockets, config.read_timeout, urlencode(self._params))
                )
        self.trust_env = False
        self.params = None  # type: ignore[assignment]  # there are none, and to merge none takes its time as well
        self.headers.update({"User-Agent": f"comfyclient/{__version__}", **config.request_headers})
        self.cookies.update(config.cookies)
        self.auth = config.auth if callable(config.auth) else None

    def get_redirect_target(self, resp: requests.Response) -> Any:
        target = super().get_redirect_target(resp)
        if target:  # requests would read its body, whatever length it has
            resp.raw.close()
            resp._content, resp._content_consumed = b"", True  # type: ignore[attr-defined]  # noqa: SLF001 - it looks there
        return target

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """On a redirect. requests takes care of ``Authorization``; a token may travel in other ways, too."""
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]
        # The server may have repeated our query. Its own host gets it again from the adapter.
        prepared_request.url = _without(str(prepared_request.url), self._params)
        headers = prepared_request.headers
        if self.should_strip_auth(self._base, prepared_request.url):  # type: ignore[no-untyped-call]
            for name in [name for name in headers if name.lower() not in _HARMLESS]:
                del headers[name]
            prepared_request.hooks = default_hooks()  # an auth object may wait there for a challenge
        elif "Cookie" in self.headers:
            headers["Cookie"] = str(self.headers["Cookie"])  # requests has taken it out


def _without(url: str, params: dict[str, str]) -> str:
    """The URL without these parameters in its query."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in query if params.get(name) != value]
    return url if kept == query else urlunsplit(parts._replace(query=urlencode(kept)))


class _Adapter(HTTPAdapter):
    """Notes the sockets that it opens, so that those that wait for an answer can be shut down, too.

    Args:
        sockets: Where to note them.
        patience: Seconds that a piece of a body may take to be sent.
        query: What to add to the query of each request, at the last moment: no error, log or answer shows it.
    """

    def __init__(self, sockets: Sockets, patience: float, query: str = "") -> None:
        self._sockets = sockets
        self._patience = patience
        self._query = query
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self._adopt(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        is_new = proxy not in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **options)
        if is_new:
            self._adopt(manager)
        return manager

    def _adopt(self, manager: PoolManager) -> None:
        classes = manager.pool_classes_by_scheme.items()
        manager.pool_classes_by_scheme = {
            scheme: _ours(pool_class, self._sockets, self._patience, self._query) for scheme, pool_class in classes
        }


class _Paced(io.RawIOBase):
    """What comes from a socket. A timeout is for each read, so a server that sends byte by byte would never meet it."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._sock = sock
        self._raw = raw
        self._waited: float | None = None
        self._came = 0

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int | None:
        began = time.monotonic()
        count: int | None = self._raw.readinto(room)
        # Only what was waited for counts, not the time that the reader takes; and the first byte has a time of its own.
        self._waited = 0.0 if self._waited is None else self._waited + time.monotonic() - began
        self._came += count or 0
        patience = self._sock.gettimeout()
        if self._came >= _LEAST:
            self._waited, self._came = 0.0, 0
        elif count and patience is not None and self._waited > patience:
            raise TimeoutError(f"{self._came} bytes in {self._waited:.1f} s")
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _PacedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp: Any = io.BufferedReader(_Paced(sock, self.fp.detach()))


def _ours(
    pool_class: type[HTTPConnectionPool], sockets: Sockets, patience: float, query: str
) -> type[HTTPConnectionPool]:
    connection_class: Any = pool_class.ConnectionCls

    class Connection(connection_class):  # type: ignore[misc]  # one of urllib3's
        response_class = _PacedResponse

        def connect(self) -> None:
            try:
                super().connect()
            except TimeoutError as error:  # after the TCP connection, while nothing was sent yet
                raise ConnectTimeoutError(self, "no TLS in time") from error
            self.sock.settimeout(patience)  # so far it is that of connecting
            self.is_verified = True  # otherwise urllib3 warns with each request of what verify=False asked for
            sockets.add(self.sock)

        def putrequest(self, method: str, url: str, *args: Any, **options: Any) -> None:
            if query:
                url += ("&" if "?" in url else "?") + query
            super().putrequest(method, url, *args, **options)

    return type(pool_class.__name__, (pool_class,), {"ConnectionCls": Connection})
