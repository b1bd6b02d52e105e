"""The server's log, as clients may read it and be told of it."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comfyclient.testing.sockets import Sockets

KEPT = 300
SIZE = {"cols": 80, "rows": 24}


class Log:
    """The last lines, and who wants to be told of new ones."""

    def __init__(self, sockets: Sockets) -> None:
        self.readers: set[Any] = set()
        self.entries: deque[dict[str, str]] = deque(maxlen=KEPT)  # any thread may append
        self._sockets = sockets
        self.add("This is comfyclient.testing, not ComfyUI.")

    def add(self, line: str) -> None:
        """Say something; from any thread."""
        now = datetime.now().isoformat()  # noqa: DTZ005 - as the real server tells the time
        entry = {"t": now, "m": f"\x1b[32m[INFO]\x1b[0m {line}\n"}
        self.entries.append(entry)
        for reader in list(self.readers):
            self._sockets.send("logs", {"entries": [entry], "size": SIZE}, reader)
