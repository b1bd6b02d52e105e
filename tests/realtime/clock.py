"""A clock that goes on by itself, and that a test puts forward."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


class Clock:
    """Stands in for the module ``time`` in some of the client's modules.

    Args:
        monkeypatch: Puts it there.
        *modules: Their names within the package.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
        self._ahead = 0.0
        for module in modules:
            monkeypatch.setattr(f"comfyclient.{module}.time", self)

    def monotonic(self) -> float:
        """Seconds, as ``time.monotonic`` counts them, and those that a test has added."""
        return time.monotonic() + self._ahead

    def time(self) -> float:
        """Seconds since 1970, as ever."""
        return time.time()

    def advance(self, seconds: float) -> None:
        """Put it forward."""
        self._ahead += seconds
