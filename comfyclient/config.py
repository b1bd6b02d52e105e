"""How a client reaches its server: address, patience, retries."""

from __future__ import annotations

import os
import random
import re
import threading
import uuid
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from attrs import Attribute, field, fields, frozen
from attrs.validators import ge, instance_of, optional

__all__ = ["ClientConfig", "Reconnect", "Retry"]


def _seconds(_: object, attribute: Attribute[float], value: float) -> None:
    """More is too much for a socket; and there is no "for ever"."""
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

    attempts: int = field(default=3, validator=ge(1))
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


def _default_url() -> str:
    return os.environ.get("COMFYUI_URL") or "http://127.0.0.1:8188"


def _base_url(url: str) -> str:
    if not isinstance(url, str):
        kind = type(url).__name__
        msg = f"the server's URL must be a string such as 'http://127.0.0.1:8188', not {kind}; see also config="
        raise TypeError(msg)
    text = url.strip()
    text = text if ":/" in text else f"http://{text}"
    try:
        parts = urlsplit(text)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, fits = SplitResult("", "", "", "", ""), False
    if not fits or parts.query or parts.fragment or re.search(r"\s", parts.netloc):
        shown = redact(text).rpartition("@")[2]  # an ill-formed URL can hide its password where it is not looked for
        msg = f"{shown!r} is no URL of a ComfyUI server; write 'http://host:port', and a path prefix if it has one"
        raise ValueError(msg)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))


def redact(url: str) -> str:
    """The URL without user, password, query and fragment: fit for messages, logs and reprs."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the given URL"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _headers(headers: Mapping[str, Any]) -> dict[str, str]:
    """Refuse early what requests would refuse with the value, a token perhaps, in its message."""
    for name, value in dict(headers).items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            raise ValueError(f"{name!r} is not the name of an HTTP header")
        if not isinstance(value, str) or value != value.strip() or not re.fullmatch(r"[\t -~\x80-\xff]*", value):
            raise ValueError(
                f"the value of the header {name!r} must be one line of Latin-1 text, without spaces around"
            )
    return dict(headers)


@frozen(kw_only=True)
class ClientConfig:
    """Everything a client has to know about its server. Immutable.

    Attributes:
        url: Base address, with a path prefix where a proxy has one. By default the environment variable
            ``COMFYUI_URL``, or else ``http://127.0.0.1:8188``, where ComfyUI listens by itself.
        client_id: The websocket's id; the server sends a prompt's events to the client that submitted it.
            One id for each client: with two sockets of one id, the server forgets the newer one.
        realtime: Whether to use the websocket. Without it jobs work by polling.
        headers: Extra HTTP headers for every request, the websocket's handshake included.
        connect_timeout: Seconds for a TCP connection.
        read_timeout: Seconds of silence while an answer is due. ComfyUI answers late while a heavy node runs.
        poll_interval: Seconds of silence about a job after which the server is asked over HTTP.
        give_up_after: Seconds without any answer from the server after which its jobs end with ``ServerUnreachable``.
        retry: When idempotent requests are tried again; ``None`` for never.
        reconnect: How the websocket comes back; ``None`` to stay away once it is lost.
    """

    url: str = field(factory=_default_url, converter=_base_url, repr=redact)
    client_id: str = field(factory=lambda: uuid.uuid4().hex, validator=instance_of(str))
    realtime: bool = True
    headers: Mapping[str, str] = field(factory=dict, converter=_headers, repr=lambda headers: repr(list(headers)))
    connect_timeout: float = field(default=5.0, validator=_seconds)
    read_timeout: float = field(default=60.0, validator=_seconds)
    poll_interval: float = field(default=3.0, validator=_seconds)
    give_up_after: float = field(default=60.0, validator=_seconds)
    retry: Retry | None = field(factory=Retry, validator=optional(instance_of(Retry)))
    reconnect: Reconnect | None = field(factory=Reconnect, validator=optional(instance_of(Reconnect)))

    @property
    def shown_url(self) -> str:
        """The address without credentials, which requests go to, and which messages name."""
        return redact(self.url)

    @property
    def request_headers(self) -> dict[str, str]:
        """The headers of every request and of the websocket's handshake; user info in the URL becomes basic auth."""
        parts = urlsplit(self.url)
        if parts.username is None:
            return dict(self.headers)
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return {"Authorization": "Basic " + b64encode(pair.encode()).decode(), **self.headers}

    @classmethod
    def of(cls, url: str | None, options: Mapping[str, Any]) -> ClientConfig:
        """Build one from what ``Client`` was called with; an unknown option is named together with the known ones."""
        known = {attribute.name for attribute in fields(cls)}
        if unknown := sorted(options.keys() - known):
            msg = f"unknown option {', '.join(map(repr, unknown))}; a client knows {', '.join(sorted(known))}"
            raise TypeError(msg)
        given = {**options} if url is None else {**options, "url": url}
        return cls(**given)
