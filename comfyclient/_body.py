"""What ``client.request`` takes for a body, made fit to be sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_SENT_ONCE = frozenset({"POST", "PATCH"})


def body_of(method: str, data: Any) -> Any:
    """The body to send: bytes, a form, or something that is read while it is sent.

    Only what is sent once can be read meanwhile: of a request that is tried again, a stream would be at its end.

    Raises:
        TypeError: It is no body, or a file that is open as text.
    """
    if data is None or isinstance(data, (bytes, Mapping)):
        return data
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data)
    if hasattr(data, "read"):
        if not isinstance(data.read(0), bytes):
            raise TypeError("the file is open as text; open it with mode 'rb'")
        return data if method in _SENT_ONCE else data.read()
    if isinstance(data, Iterable):
        return iter(data) if method in _SENT_ONCE else b"".join(data)
    raise TypeError(f"data is bytes, text, a binary file, an iterable of bytes or a form, not {type(data).__name__}")
