"""Answers into classes: what all nouns do with what the server says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from comfyclient import _convert
from comfyclient._addresses import redact
from comfyclient.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from comfyclient._http import Transport

__all__ = ["build", "get", "read"]

T = TypeVar("T")


def get(
    transport: Transport, path: str, cls: type[T], *, params: Mapping[str, Any] | None = None, since: str | None = None
) -> T:
    """GET a path and build a ``cls`` from the answer.

    Raises:
        Unsupported: The server is older than ``since`` and lacks the route.
        DecodeError: The answer is not JSON, or does not fit.
        ComfyError: As ``Transport.request``.
    """
    return read(transport, transport.request("GET", path, params=params, since=since), cls)


def read(transport: Transport, response: requests.Response, cls: type[T]) -> T:
    """Build a ``cls`` from an answer.

    Raises:
        DecodeError: It is not JSON, or does not fit.
    """
    return build(transport.parse(response), cls, redact(response.url))


def build(data: Any, cls: type[T], url: str) -> T:
    """Build a ``cls`` from a part of the answer of ``url``.

    Raises:
        DecodeError: It does not fit.
    """
    try:
        return _convert.structure(data, cls)
    except _convert.Misfit as misfit:
        raise DecodeError(url, misfit.errors) from None
