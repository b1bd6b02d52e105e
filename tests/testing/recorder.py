"""What a websocket is told, one message after the other."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import websocket

if TYPE_CHECKING:
    from typing_extensions import Self

    from comfyclient.testing import EmbeddedServer

SECONDS = 10.0


class Recorder:
    """A websocket that knows nothing of the SDK."""

    def __init__(self, server: EmbeddedServer, client_id: str = "recorder", features: Any = None) -> None:
        url = f"ws://127.0.0.1:{server.port}/ws?clientId={client_id}"
        self._socket = websocket.create_connection(url, timeout=SECONDS, suppress_origin=True)
        self.first = self.next()
        if features is not None:
            self.say(json.dumps({"type": "feature_flags", "data": features}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close(timeout=0.1)

    def next(self) -> Any:
        """The next message: a dictionary, or the bytes of a frame."""
        message = self._socket.recv()
        return message if isinstance(message, bytes) else json.loads(message)

    def until_end(self) -> list[Any]:
        """All messages up to the one that says that the prompt is done."""
        messages = []
        while True:
            messages.append(self.next())
            if short(messages[-1]) == "executing:None":
                return messages

    def say(self, message: str) -> None:
        """Send one message."""
        self._socket.send(message)

    def ping(self) -> bytes:
        """Ping, and what comes back."""
        self._socket.ping("are you there?")
        opcode, data = self._socket.recv_data(control_frame=True)
        assert opcode == websocket.ABNF.OPCODE_PONG
        return bytes(data)


def short(message: Any) -> str:
    """A message in a word, as the captured sequences have it."""
    if isinstance(message, bytes):
        return f"BIN{struct.unpack('>I', message[:4])[0]}"
    kind = str(message["type"])
    return f"{kind}:{message['data']['node']}" if kind in {"executing", "executed"} else kind
