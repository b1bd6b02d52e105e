"""The addresses of servers and proxies, as people write them."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

__all__ = ["base_url", "proxy_url", "redact"]

_ROUTES = frozenset({"history", "object_info", "prompt", "queue", "system_stats", "ws"})
"""What people append to the server's address."""
_PROXIES = frozenset({"http", "https", "socks4", "socks4a", "socks5", "socks5h"})


def base_url(url: str) -> str:
    if not isinstance(url, str):
        kind = type(url).__name__
        msg = f"the server's URL must be a string such as 'http://127.0.0.1:8188', not {kind}; see also config="
        raise TypeError(msg)
    text = url.strip()
    text = text if ":/" in text else f"http://{text}"
    parts = _split(text, {"http", "https"})
    if parts is None or parts.fragment:
        shown = redact(text).rpartition("@")[2] if url.strip() else ""
        if shown.startswith(("ws://", "wss://")):  # redact has found a host in it, if there is any
            fitting = shown.replace("ws", "http", 1).removesuffix("/ws")
            hint = f"write {fitting!r}, from which the websocket's address follows"
        else:
            hint = "write 'http://host:port', and a path prefix if it has one"
        msg = f"{shown!r} is no URL of a ComfyUI server; {hint}"
        raise ValueError(msg)
    path = parts.path.rstrip("/")
    head, _, last = path.rpartition("/")
    if last in _ROUTES:
        shown = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], head, "", ""))
        msg = f"{redact(text)!r} is the URL of one route of a ComfyUI server; give the server's own, {shown!r}"
        raise ValueError(msg)
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def proxy_url(url: str) -> str:
    if not isinstance(url, str):
        raise TypeError(f"the proxy's URL must be a string such as 'http://proxy:3128', not {type(url).__name__}")
    text = url.strip()
    text = text if ":/" in text else f"http://{text}"
    parts = _split(text, _PROXIES)
    if parts is None or parts.path.strip("/") or parts.query or parts.fragment:
        shown = redact(text).rpartition("@")[2] if url.strip() else ""
        raise ValueError(f"{shown!r} is no URL of a proxy; write 'http://host:port' or 'socks5h://host:port'")
    return urlunsplit((parts.scheme, parts.netloc, "", "", ""))


def _split(text: str, schemes: set[str] | frozenset[str]) -> SplitResult | None:
    """The parts of a URL with one of these schemes and a usable host and port."""
    try:
        parts = urlsplit(text)
        # A name such as "http" comes of "http//host", and one of digits of a port alone.
        named = bool(parts.hostname) and parts.hostname not in schemes and not str(parts.hostname).isdecimal()
        fits = parts.scheme in schemes and named and parts.port != 0
    except ValueError:
        return None
    return parts if fits and not re.search(r"\s", parts.netloc) else None


def redact(url: str) -> str:
    """The URL without user, password, query and fragment: fit for messages, logs and reprs."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the given URL"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
