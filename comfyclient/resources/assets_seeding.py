"""``client.assets.seeding``: the catalogue follows what is in the server's directories."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from attrs import frozen

from comfyclient.errors import ServerError
from comfyclient.resources._answers import build
from comfyclient.resources._catalogue import listed
from comfyclient.resources._noun import Noun
from comfyclient.types.assets import SeedStart, SeedStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from comfyclient.resources._catalogue import Catalogue

__all__ = ["AssetSeeding"]

_PAUSE = 0.2
"""Seconds between two questions whether a scan has ended."""


@frozen
class _Cancelled:
    status: str


@frozen
class _Pruned:
    marked: int


class AssetSeeding(Noun):
    """``client.assets.seeding``, the server's scans of its directories.

    They enter files that came by other ways. Besides what its own text says, every method raises what those of
    ``Assets`` do.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._transport = catalogue.transport

    def start(
        self, roots: Iterable[str] | None = None, *, wait: bool = False, timeout: float | None = None
    ) -> SeedStart:
        """Have the server look for new files (``POST /api/assets/seed``).

        It does so by itself when it starts, and for every list of its node classes. The ``assets.seed.*`` events
        tell how a scan goes; it rests while a prompt runs.

        Args:
            roots: Where: ``"models"``, ``"input"``, ``"output"``; one of them or several, ``None`` for all.
            wait: Return when the scan has ended, instead of at once. If another one runs, it begins after that.
            timeout: With ``wait``, how many seconds that may take; ``None`` for ``ClientConfig.read_timeout``. The
                scan goes on after that.

        Returns:
            What became of it: ``"started"`` or ``"already_running"``, with ``wait`` ``"completed"``.

        Raises:
            ServerError: 400 if none of the roots is known; 409 if another scan runs for longer than ``timeout``.
            RequestTimeout: This scan takes longer than ``timeout``.
        """
        body = {} if roots is None else {"roots": listed(roots)}
        params = {"wait": "true"} if wait else None
        patience = self._catalogue.read_timeout if timeout is None else timeout
        deadline = time.monotonic() + patience
        while True:
            try:
                return self._catalogue.ask(
                    "POST", "/api/assets/seed", SeedStart, params=params, json_body=body, timeout=patience
                )
            except ServerError as error:
                patience = deadline - time.monotonic() - _PAUSE
                if error.status != HTTPStatus.CONFLICT or (wait and patience <= 0):
                    raise
                if not wait:
                    return build(error.body, SeedStart, error.url)
                self._catalogue.rest(_PAUSE)

    def status(self) -> SeedStatus:
        """Return whether a scan runs, and how far it has come (``GET /api/assets/seed/status``)."""
        return self._catalogue.ask("GET", "/api/assets/seed/status", SeedStatus)

    def cancel(self) -> bool:
        """Stop the scan that runs (``POST /api/assets/seed/cancel``). Returns at once.

        Returns:
            Whether one was found running.
        """
        return self._catalogue.ask("POST", "/api/assets/seed/cancel", _Cancelled).status == "cancelling"

    def prune(self) -> int:
        """Hide assets whose files are in none of the server's directories any more (``POST /api/assets/prune``).

        A scan brings them back when the directory is.

        Returns:
            How many were hidden.

        Raises:
            ServerError: 409 while a scan runs.
        """
        return self._catalogue.ask("POST", "/api/assets/prune", _Pruned).marked
