"""A TCP connection to the server, by way of a proxy and with TLS where they are wanted.

websocket-client could do it as well, but takes other certificates than requests does, asks the environment in its own
way, speaks to a SOCKS proxy without a timeout, and to an IPv6 address behind a proxy not at all.
"""

from __future__ import annotations

import http.client
import socket
from base64 import b64encode
from http import HTTPStatus
from typing import TYPE_CHECKING

from comfyclient._network import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient._network import Network

_OPTIONS = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), seconds)
        for name, seconds in {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}.items()
        if hasattr(socket, name)  # not everywhere
    ),
]


def dial(network: Network, timeout: float, opened: Callable[[socket.socket], object]) -> socket.socket:
    """Connect to the server.

    Args:
        network: Where it is, and what lies between.
        timeout: Seconds for each step, and from then on for each wait.
        opened: Called with the socket as soon as there is one, and again when TLS has taken its place: whoever shuts
            it ends a step that hangs. What it raises ends the attempt.

    Raises:
        OSError: There is no connection to be had.
    """
    host, port = network.server
    if network.proxy_url is None:
        sock = socket.create_connection((host, port), timeout)
    else:
        sock = _by_way_of(Proxy.of(network.proxy_url), host, port, timeout, opened)
    try:
        opened(sock)
        for option in _OPTIONS:
            sock.setsockopt(*option)
        if network.tls is not None:
            secured = sock = network.tls.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
            opened(secured)
            secured.do_handshake()
    except BaseException:
        sock.close()
        raise
    return sock


def _by_way_of(
    proxy: Proxy, host: str, port: int, timeout: float, opened: Callable[[socket.socket], object]
) -> socket.socket:
    if proxy.scheme.startswith("socks"):
        import socks  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra, without which there is no such proxy

        connection: socket.socket = socks.create_connection(
            (host, port),
            timeout=timeout,
            proxy_type=socks.SOCKS5 if proxy.scheme.startswith("socks5") else socks.SOCKS4,
            proxy_addr=proxy.host,
            proxy_port=proxy.port,
            proxy_rdns=proxy.scheme in {"socks4a", "socks5h"},
            proxy_username=proxy.user,
            proxy_password=proxy.password,
        )
        return connection
    if proxy.scheme != "http":
        raise OSError(f"a websocket cannot go through a proxy of the kind {proxy.scheme}://")
    sock = socket.create_connection((proxy.host, proxy.port), timeout)
    try:
        opened(sock)
        _tunnel(sock, proxy, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    except BaseException:
        sock.close()
        raise
    return sock


def _tunnel(sock: socket.socket, proxy: Proxy, server: str) -> None:
    """Have an HTTP proxy pass on everything from here on."""
    lines = [f"CONNECT {server} HTTP/1.1", f"Host: {server}"]
    if proxy.user is not None:
        pair = b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {pair}")
    sock.sendall("\r\n".join([*lines, "", ""]).encode())
    answer = http.client.HTTPResponse(sock, method="CONNECT")
    try:
        answer.begin()
    except http.client.HTTPException as error:
        raise OSError(f"the proxy does not speak HTTP ({type(error).__name__})") from None
    finally:
        answer.close()  # its buffer is empty: the server is not the one to speak first
    if answer.status != HTTPStatus.OK:
        raise OSError(f"the proxy answered with status {answer.status}")
