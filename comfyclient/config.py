"""How a client reaches its server: address, patience, retries."""

from __future__ import annotations

import os
import random
import re
import threading
import uuid
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, SupportsIndex
from urllib.parse import parse_qsl, unquote, urlsplit

from attrs import Attribute, field, fields, frozen
from attrs.converters import optional as if_given
from attrs.validators import ge, min_len, optional

from comfyclient._addresses import base_url, proxy_url, redact

__all__ = ["ACCOUNT_KEYS", "ClientConfig", "Reconnect", "Retry"]

ACCOUNT_KEYS = ("api_key_comfy_org", "auth_token_comfy_org")
"""What identifies a Comfy account, as options and in ``extra_data``."""


def _a(kind: type, words: str) -> Callable[[object, Attribute[Any], Any], None]:
    """A validator: the value is of this kind, which the words describe."""

    def check(_: object, attribute: Attribute[Any], value: Any) -> None:
        if not isinstance(value, kind):
            raise TypeError(f"{attribute.name} must be {words}, not {value!r}")

    return check


def _seconds(_: object, attribute: Attribute[float], value: Any) -> None:
    """More is too much for a socket; and there is no "for ever"."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{attribute.name} is a time in seconds, a number, not {value!r}")
    if not 0 < value <= threading.TIMEOUT_MAX:
        raise ValueError(f"{attribute.name} is a time in seconds, above 0 and below a few centuries, not {value!r}")


@frozen(kw_only=True)
class Backoff:
    """Growing pauses with jitter.

    Attributes:
        first: Seconds before the second attempt.
        longest: Upper bound of a pause, in seconds.
    """

    first: float = field(default=0.1, validator=_seconds)
    longest: float = field(default=5.0, validator=_seconds)

    def pause(self, attempt: int) -> float:
        """Seconds to wait after attempt number ``attempt`` (from 0): doubled each time, and half of it random."""
        full = min(self.longest, self.first * 2.0 ** min(attempt, 30))
        return full * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


@frozen(kw_only=True)
class Retry(Backoff):
    """When an idempotent request is tried again: a broken connection, or an answer that says "not now".

    Attributes:
        attempts: How often it is tried in all.
        statuses: The answers that are tried again.
    """

    attempts: int = field(default=3, validator=[_a(int, "a number"), ge(1)])
    statuses: frozenset[int] = field(default=frozenset({429, 502, 503, 504}), converter=frozenset)


@frozen(kw_only=True)
class Reconnect(Backoff):
    """How the websocket comes back after a loss, and how a loss is noticed.

    Attributes:
        ping_interval: Seconds of silence after which the server is pinged; it never pings by itself.
        ping_timeout: Seconds the server has for any answer to that.
        deaf_after: Seconds within which an accepted prompt must be heard of. A server can forget a socket
            while it keeps it open; then only a new connection helps.
    """

    first: float = field(default=0.25, validator=_seconds)
    longest: float = field(default=30.0, validator=_seconds)
    ping_interval: float = field(default=20.0, validator=_seconds)
    ping_timeout: float = field(default=10.0, validator=_seconds)
    deaf_after: float = field(default=5.0, validator=_seconds)


def _check_line(what: str, value: object) -> None:
    """Refuse early what requests would refuse with the value, a token perhaps, in its message."""
    if not isinstance(value, str) or value != value.strip() or not re.fullmatch(r"[\t -~\x80-\xff]*", value):
        raise ValueError(f"{what} must be one line of Latin-1 text, without spaces around")


def _check_name(what: str, name: object) -> None:
    if not isinstance(name, str) or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
        raise ValueError(f"{name!r} is not the name of {what}")


def _mapping(what: str, value: Any) -> dict[Any, Any]:
    if not isinstance(value, Mapping):  # which is not shown, since it may be a token
        raise TypeError(f"{what} must be a mapping of names to values, such as {{'name': 'value'}}, not {_kind(value)}")
    return dict(value)


def _kind(value: object) -> str:
    return type(value).__name__


def _headers(headers: Any) -> dict[str, str]:
    given = _mapping("headers", headers)
    for name, value in given.items():
        _check_name("an HTTP header", name)
        _check_line(f"the value of the header {name!r}", value)
    return given


def _cookies(cookies: Any) -> dict[str, str]:
    given = _mapping("cookies", cookies)
    for name, value in given.items():
        _check_name("a cookie", name)
        _check_line(f"the value of the cookie {name!r}", value)
        if ";" in value:
            raise ValueError(f"the value of the cookie {name!r} must not hold a semicolon")
    return given


def _params(params: Any) -> dict[str, str]:
    given = _mapping("params", params)
    for name, value in given.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise ValueError(f"the parameter {name!r} must be text")  # noqa: TRY004 - as in headers and cookies
    return given


def _token(token: Any) -> str:
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
        raise ValueError("token must be what follows after 'Bearer ': one word of ASCII characters")
    return str(token)


def _user(user: str) -> str:
    _check_line("user", user)
    return user


def _key(key: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key of a Comfy account must be text, not {_kind(key)}")
    return key


def _auth(auth: Any) -> Any:
    if isinstance(auth, tuple):
        if len(auth) != 2 or not all(isinstance(part, str) for part in auth):  # noqa: PLR2004 - a pair
            raise ValueError("auth must be (user, password), two strings, or an auth object of requests")
        if ":" in auth[0]:
            raise ValueError("the user name of auth must not hold a colon: basic auth ends it there")
    elif not callable(auth):
        raise TypeError(f"auth must be (user, password), or an auth object of requests, not {_kind(auth)}")
    return auth


def _path(option: str, value: Any) -> str:
    if not isinstance(value, (str, os.PathLike)) or not isinstance(path := os.fspath(value), str) or not path:
        raise TypeError(f"{option} must be the path of a file in PEM format, not {value!r}")
    return path


def _verify(verify: Any) -> bool | str:
    return verify if isinstance(verify, bool) else _path("verify, if neither True nor False,", verify)


def _cert(cert: Any) -> str | tuple[str, str]:
    if not isinstance(cert, (tuple, list)):
        return _path("cert", cert)
    if len(cert) != 2:  # noqa: PLR2004 - a pair
        raise ValueError("cert must be the path of a file, or two of them: (certificate, key)")
    return (_path("the certificate of cert", cert[0]), _path("the key of cert", cert[1]))


def _names(values: Mapping[str, str]) -> str:
    return repr(list(values))


def _hidden(value: object) -> str:
    return "None" if value is None else "'***'"


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@frozen(kw_only=True)
class ClientConfig:
    """Everything a client has to know about its server. Immutable.

    Neither its ``repr`` nor a pickle shows a secret: it can only be pickled if it holds none.

    Attributes:
        url: Base address, with a path prefix where a proxy has one. By default the environment variable
            ``COMFYUI_URL``, or else ``http://127.0.0.1:8188``, where ComfyUI listens by itself. One that ends in
            ``/api`` is for proxies that forward nothing else: every request keeps that prefix. User and password in it
            are sent as basic auth, and a query in it goes along with every request.
        client_id: The websocket's id; the server sends a prompt's events to the client that submitted it.
            One id for each client: with two sockets of one id, the server forgets the newer one.
        realtime: Whether to use the websocket. Without it jobs work by polling.
        token: Sent as ``Authorization: Bearer``. By default the environment variable ``COMFYUI_TOKEN``, if nothing
            else here says who you are, and ``COMFYUI_URL`` does not name another host than ``url``.
        auth: ``(user, password)`` for basic auth, or any auth object of requests. It is called for each request, in
            the thread that sends it, and for each handshake of the websocket. One that waits for the server's
            challenge, such as ``HTTPDigestAuth``, works for requests only; jobs are then followed by polling.
        headers: Extra HTTP headers for every request, the websocket's handshake included.
        cookies: Cookies for the same.
        params: Parameters for the query of the same, such as ``{"token": "..."}``.
        user: Who you are to a server with ``--multi-user``: the id that ``client.users`` tells, not the name.
        api_key_comfy_org: The API key of a Comfy account, for the server's API nodes. It is sent with each prompt, in
            ``extra_data``; what you pass there yourself wins. Servers before 0.9 show it to whoever asks for their
            queue, and those before 0.3.45 keep it in their history, too.
        auth_token_comfy_org: The token of a Comfy account that is logged in, sent likewise.
        verify: Whether to verify the server's TLS certificate, or the path of the CA bundle to trust instead of the
            usual one: a file or a directory.
        cert: A client certificate for TLS: the path of a file that holds it and its key, or ``(certificate, key)``.
        proxy: The proxy for requests and the websocket, such as ``"http://user:password@proxy:3128"``. Those of SOCKS
            (``socks5h://``, or ``socks5://`` to look names up here) need ``pip install 'comfyclient[socks]'``.
        trust_env: Whether the environment is asked, once, for what is not said here: ``COMFYUI_URL``,
            ``COMFYUI_TOKEN``, a proxy (with ``NO_PROXY``), a CA bundle.
        connect_timeout: Seconds for a TCP connection.
        read_timeout: Seconds of silence while an answer is due. ComfyUI answers late while a heavy node runs. An answer
            that comes at less than a thousand bytes in that time stands still, too.
        max_body: Bytes that an answer other than a file may have, unpacked, and a message of the websocket. What is
            larger, or has no end, is a ``DecodeError``, or the end of that websocket. Files are not limited: ``save``
            and ``stream`` hold no more than a piece of them.
        poll_interval: Seconds of silence about a job after which the server is asked over HTTP.
        give_up_after: Seconds without any answer from the server after which its jobs end with ``ServerUnreachable``.
        retry: When idempotent requests are tried again; ``None`` for never.
        reconnect: How the websocket comes back; ``None`` to stay away once it is lost.
    """

    trust_env: bool = field(default=True, validator=_a(bool, "True or False"))
    url: str = field(converter=base_url, repr=redact)
    client_id: str = field(factory=lambda: uuid.uuid4().hex, validator=[_a(str, "a string"), min_len(1)])
    realtime: bool = field(default=True, validator=_a(bool, "True or False"))
    token: str | None = field(default=None, converter=if_given(_token), repr=_hidden)
    auth: tuple[str, str] | Callable[[Any], Any] | None = field(default=None, converter=if_given(_auth), repr=_hidden)
    headers: Mapping[str, str] = field(factory=dict, converter=_headers, repr=_names)
    cookies: Mapping[str, str] = field(factory=dict, converter=_cookies, repr=_names)
    params: Mapping[str, str] = field(factory=dict, converter=_params, repr=_names)
    user: str | None = field(default=None, converter=if_given(_user))
    api_key_comfy_org: str | None = field(default=None, converter=if_given(_key), repr=_hidden)
    auth_token_comfy_org: str | None = field(default=None, converter=if_given(_key), repr=_hidden)
    verify: bool | str | os.PathLike[str] = field(default=True, converter=_verify)
    cert: str | os.PathLike[str] | tuple[str | os.PathLike[str], str | os.PathLike[str]] | None = field(
        default=None, converter=if_given(_cert)
    )
    proxy: str | None = field(
        default=None, converter=if_given(proxy_url), repr=lambda proxy: repr(proxy and redact(proxy))
    )
    connect_timeout: float = field(default=5.0, validator=_seconds)
    read_timeout: float = field(default=60.0, validator=_seconds)
    max_body: int = field(default=256 * 2**20, validator=[_a(int, "a number of bytes"), ge(1)])
    poll_interval: float = field(default=3.0, validator=_seconds)
    give_up_after: float = field(default=60.0, validator=_seconds)
    retry: Retry | None = field(
        factory=Retry, validator=optional(_a(Retry, "a Retry, such as Retry(attempts=5), or None for never"))
    )
    reconnect: Reconnect | None = field(
        factory=Reconnect,
        validator=optional(_a(Reconnect, "a Reconnect, such as Reconnect(first=1), or None for never")),
    )

    @url.default
    def _default_url(self) -> str:
        return (self.trust_env and os.environ.get("COMFYUI_URL")) or "http://127.0.0.1:8188"

    def __attrs_post_init__(self) -> None:
        given = {name.lower() for name in self.headers}
        identities = {
            "the user in the URL": urlsplit(self.url).username is not None,
            "token": self.token is not None,
            "auth": self.auth is not None,
            "the header Authorization": "authorization" in given,
        }
        _one_of(identities)
        _one_of({"cookies": bool(self.cookies), "the header Cookie": "cookie" in given})
        _one_of({"user": self.user is not None, "the header comfy-user": "comfy-user" in given})
        for name, value in parse_qsl(urlsplit(self.url).query, keep_blank_values=True):
            if self.params.get(name, value) != value:
                raise ValueError(f"the URL and params give two values for {name!r}; leave one of them out")
        token = os.environ.get("COMFYUI_TOKEN") if self.trust_env and not any(identities.values()) else None
        if token and _is_home(self.url):
            try:
                object.__setattr__(self, "token", _token(token))  # as attrs itself does in a frozen class
            except ValueError as error:
                raise ValueError(f"COMFYUI_TOKEN cannot be used: {error}") from None

    @property
    def shown_url(self) -> str:
        """The address without credentials, which requests go to, and which messages name."""
        return redact(self.url)

    @property
    def request_headers(self) -> dict[str, str]:
        """The headers of every request and of the websocket's handshake, without cookies and what ``auth`` adds."""
        headers = dict(self.headers)
        parts = urlsplit(self.url)
        if parts.username is not None:
            headers["Authorization"] = _basic(unquote(parts.username), unquote(parts.password or ""))
        elif isinstance(self.auth, tuple):
            headers["Authorization"] = _basic(*self.auth)
        elif self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.user is not None:
            headers["comfy-user"] = self.user
        return headers

    @property
    def request_params(self) -> dict[str, str]:
        """The parameters of every request and of the websocket's handshake: those of ``url`` and of ``params``."""
        return {**dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True)), **self.params}

    @property
    def account(self) -> dict[str, str]:
        """The keys of the Comfy account, as they are sent in ``extra_data``."""
        return {name: key for name in ACCOUNT_KEYS if (key := getattr(self, name)) is not None}

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        """Pickled or copied as any other object, unless there are secrets, which stay in this process.

        Raises:
            TypeError: There are.
        """
        urls = [urlsplit(url) for url in (self.url, self.proxy) if url is not None]
        secrets = [self.token, self.auth, self.headers, self.cookies, self.params, self.account]
        if any(secrets) or any(url.query or url.username is not None for url in urls):
            raise TypeError(
                "this config holds secrets, which a pickle would show; make another one where it is needed, "
                "from COMFYUI_URL and COMFYUI_TOKEN perhaps"
            )
        return super().__reduce_ex__(protocol)

    @classmethod
    def of(cls, url: str | None, options: Mapping[str, Any]) -> ClientConfig:
        """Build one from what ``Client`` was called with.

        Raises:
            TypeError: An option is not known; the text names it, and those that are.
            ValueError: The URL is none, or an option has an impossible value.
        """
        known = {attribute.name for attribute in fields(cls)}
        if unknown := sorted(options.keys() - known):
            msg = f"unknown option {', '.join(map(repr, unknown))}; a client knows {', '.join(sorted(known))}"
            raise TypeError(msg)
        given = {**options} if url is None else {**options, "url": url}
        return cls(**given)


def _is_home(url: str) -> bool:
    """Whether the environment's token is meant for this server: ``COMFYUI_URL`` names its host, or none."""
    home = os.environ.get("COMFYUI_URL")
    try:
        return not home or urlsplit(base_url(home)).hostname == urlsplit(url).hostname
    except ValueError:
        return False


def _one_of(ways: Mapping[str, bool]) -> None:
    given = [name for name, is_given in ways.items() if is_given]
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)} contradict each other; give one of them")
