"""The websocket as a script without the SDK would use it: what the SDK is compared with."""

from __future__ import annotations

import websocket


def connect(url: str, client_id: str = "raw", *, check_utf8: bool = False) -> websocket.WebSocket:
    """A plain websocket to the server at ``url``, the server's greeting read.

    Args:
        url: The server's HTTP address.
        client_id: The id to connect with.
        check_utf8: Whether websocket-client checks every text, as it does by default, in Python.
    """
    socket = websocket.WebSocket(skip_utf8_validation=not check_utf8)
    socket.connect(f"ws{url.removeprefix('http')}/ws?clientId={client_id}")  # type: ignore[no-untyped-call]
    socket.recv()
    return socket
