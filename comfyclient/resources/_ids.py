"""Ids and names, checked before the server sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["checked_ids"]


def checked_ids(ids: Iterable[str]) -> list[str]:
    """The ids; a single string is one of them.

    Raises:
        TypeError: One is no string; the server would pass it over in silence, or fail.
    """
    found = [ids] if isinstance(ids, str) else [*ids]
    for value in found:
        if not isinstance(value, str):
            raise TypeError(f"a name or an id is a string, not {type(value).__name__}: {value!r}")
    return found
