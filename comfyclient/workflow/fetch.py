"""A workflow at an address: fetched without anybody's credentials, within a time, and only as far as it is read."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from comfyclient._addresses import redact
from comfyclient._http import Transport
from comfyclient.config import ClientConfig
from comfyclient.errors import ComfyError, RequestTimeout, WorkflowError

if TYPE_CHECKING:
    from collections.abc import Generator

LARGEST = 1024 * 1024 * 1024
"""Bytes that are fetched at most; of a video whose workflow stands at its end, that is all of it."""


def pieces(address: str, timeout: float) -> Generator[bytes, None, None]:
    """What the address gives.

    Args:
        address: An ``http`` or ``https`` URL. User and password in it are used; nothing else says who you are, not even
            ``COMFYUI_TOKEN``: the address may be anybody's.
        timeout: Seconds in all, from the first piece that is asked for.

    Raises:
        WorkflowError: It is no usable address, or gives too much.
        RequestTimeout: It took longer.
        ComfyError: It cannot be fetched.
    """
    transport, path = _transport(address, timeout)
    is_late = threading.Event()

    def give_up() -> None:
        is_late.set()
        transport.close()  # which ends a wait for data, too

    timer = threading.Timer(timeout, give_up)
    timer.name = "comfyclient-fetch"
    timer.daemon = True
    timer.start()
    size = 0
    try:
        with transport.stream(path) as response:
            for piece in transport.read_chunks(response):
                size += len(piece)
                if size > LARGEST:
                    raise WorkflowError(
                        f"{shown(address)} has more than {LARGEST >> 20} MB: download it, and load that"
                    )
                yield piece
    except ComfyError:
        if is_late.is_set():
            raise RequestTimeout("GET", redact(address), timeout) from None
        raise
    finally:
        timer.cancel()
        timer.join()
        transport.close()


def shown(address: str) -> str:
    """How messages name it: without what may be secret in its query."""
    name = parse_qs(urlsplit(address).query).get("filename", [""])[0]
    return f"{name} at {redact(address)}" if name else redact(address)


def _transport(address: str, timeout: float) -> tuple[Transport, str]:
    try:
        parts = urlsplit(address)
        # The query as part of the server's address: so no message shows it.
        base = urlunsplit((parts.scheme, parts.netloc, "", parts.query, ""))
        # An auth that does nothing, since otherwise the token of the environment would go along.
        auth = _nobody if parts.username is None else None
        config = ClientConfig(url=base, auth=auth, read_timeout=timeout, connect_timeout=min(5.0, timeout))
        return Transport(config), parts.path or "/"
    except ValueError as error:
        raise WorkflowError(f"{redact(address)} is no usable address: {error}") from None


def _nobody(request: Any) -> Any:
    return request
