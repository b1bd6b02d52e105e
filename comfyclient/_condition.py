"""A condition variable that Ctrl-C cannot leave locked."""

from __future__ import annotations

import threading
from typing import Any

__all__ = ["Condition"]


class Condition(threading.Condition):
    """A ``threading.Condition`` whose ``with`` is that of its lock.

    Those of the standard library are functions in Python, in the midst of which a signal may come: with the lock taken
    and nobody to give it back, or not given back after all. Then every other thread waits for ever, which the next cell
    of a notebook would have to live with. What a lock does itself is never interrupted.
    """

    _lock: Any  # threading's own

    __enter__ = property(lambda self: self._lock.__enter__)  # `with` asks for it, then calls it
    __exit__ = property(lambda self: self._lock.__exit__)
