"""A 404 of ComfyUI says nothing; this makes it say what is missing, and what looks like it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfyclient.errors import NotFound
from comfyclient.workflow.wording import listed, nearest_hint, shown

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["missing"]


def missing(error: NotFound, what: str, name: str, known: Collection[str]) -> NotFound:
    """The error to raise instead.

    Args:
        error: What the server's answer became.
        what: The kind of thing that was asked for.
        name: Its name.
        known: What the server has of the kind; with ``name`` among it, the error is about something else.
    """
    if name in known:
        return error
    there = f"; there is {listed(map(shown, known))}" if known else ""
    sentence = f"there is no {what} {name!r}{nearest_hint(name, known) or there}"
    return NotFound(error.status, sentence, error.method, error.url)
