"""``client.settings``: the editor's settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from comfyclient._http import path_segment
from comfyclient.resources._answers import read
from comfyclient.resources._noun import Noun
from comfyclient.resources.users import explaining_the_user

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from comfyclient._http import Transport

__all__ = ["Settings"]


class Settings(Noun):
    """A user's settings, as the editor keeps them on the server: those that were ever changed, by id.

    An id is a string such as ``"Comfy.ColorPalette"``, a value whatever JSON can hold. The editor reads them
    when it is opened. No setting can be removed over HTTP; the nearest to it is ``None``.

    Everything here runs in the caller's thread. Besides what its own text says, every method raises
    ``ServerUnreachable`` without a connection, ``RequestTimeout`` without an answer in time, ``ServerError``
    when the server refuses, and ``DecodeError`` for an answer that is not ComfyUI's. It is an
    ``AuthenticationError`` if the server was started with ``--multi-user`` and does not know the client's
    ``user``.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def all(self) -> dict[str, Any]:
        """Return all settings (``GET /settings``)."""
        return read(self._transport, self._request("GET", "/settings"), dict[str, Any])

    def get(self, setting_id: str, default: Any = None) -> Any:
        """Return one setting (``GET /settings/{id}``).

        Args:
            setting_id: Which one.
            default: What to return if it is not set, or ``None``; the server does not tell these apart.

        Raises:
            ValueError: The id is empty.
        """
        value = self._transport.parse(self._request("GET", f"/settings/{path_segment(setting_id)}"))
        return default if value is None else value

    def set(self, setting_id: str, value: Any) -> None:
        """Change one setting (``POST /settings/{id}``).

        Raises:
            TypeError: JSON cannot hold the value.
            ValueError: The id is empty, or the value is NaN or infinite, which the editor could not read.
        """
        self._post(f"/settings/{path_segment(setting_id)}", value)

    def update(self, settings: Mapping[str, Any]) -> None:
        """Change some settings at once, and leave the others as they are (``POST /settings``).

        Raises:
            TypeError: JSON cannot hold a value.
            ValueError: A value is NaN or infinite, which the editor could not read.
        """
        self._post("/settings", dict(settings))

    def _post(self, path: str, value: Any) -> None:
        body = json.dumps(value, allow_nan=False).encode()
        self._request("POST", path, data=body, headers={"Content-Type": "application/json"})

    def _request(self, method: str, path: str, **options: Any) -> requests.Response:
        with explaining_the_user():
            return self._transport.request(method, path, **options)
