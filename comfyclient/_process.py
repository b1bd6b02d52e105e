"""Sockets and threads belong to the process that made them."""

from __future__ import annotations

import os

from comfyclient.errors import ClientClosed


class OneProcess:
    """Remembers in which process something was first used, and refuses it in a fork of that."""

    def __init__(self) -> None:
        self._pid: int | None = None

    def check(self) -> None:
        """Note the first use.

        Raises:
            ClientClosed: It was in another process.
        """
        if self._pid is None:
            self._pid = os.getpid()
        elif self._pid != os.getpid():
            raise ClientClosed("this client was used before its process forked; make a new one in each process")
