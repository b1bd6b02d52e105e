"""What a websocket is told, one message after the other."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import websocket

if TYPE_CHECKING:
    from typing_extensions import Self

SECONDS = 10.0


class Recorder:
    """A websocket that knows nothing of the SDK."""

    def __init__(self, url: str, client_id: str = "recorder", features: Any = None) -> None:
        url = f"{url.replace('http', 'ws', 1)}/ws?clientId={client_id}"
        self._socket = websocket.create_connection(url, timeout=SECONDS, suppress_origin=True)
        self.first = self.next()
        if features is not None:
            self.say(json.dumps({"type": "feature_flags", "data": features}))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye, and do not wait for an answer."""
        self._socket.close(timeout=0.1)

    def next(self, timeout: float = SECONDS) -> Any:
        """The next message: a dictionary, or the bytes of a frame."""
        self._socket.settimeout(timeout)
        message = self._socket.recv()
        return message if isinstance(message, bytes) else json.loads(message)

    def until(self, word: str) -> list[Any]:
        """All messages up to the one that is this in a word."""
        messages = []
        while True:
            messages.append(self.next())
            if short(messages[-1]) == word:
                return messages

    def until_end(self) -> list[Any]:
        """All messages up to the one that says that the prompt is done."""
        return self.until("executing:None")

    def say(self, message: str | bytes) -> None:
        """Send one message, as text or as a binary one."""
        if isinstance(message, bytes):
            self._socket.send_binary(message)
        else:
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
