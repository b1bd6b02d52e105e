"""``client.history``: the prompts that have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfyclient._displayed import Displayed
from comfyclient._http import path_segment
from comfyclient.resources._answers import get
from comfyclient.resources._ids import checked_ids
from comfyclient.resources._noun import Noun
from comfyclient.types.history import HistoryEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comfyclient._http import Transport

__all__ = ["History"]

_BEYOND = 1_000_000_000
"""More than any server remembers."""


class History(Displayed, Noun):
    """The server's memory of what has ended, everybody's; it is lost when the server restarts.

    Everything here runs in the caller's thread. Besides what its own text says, every method raises
    ``ServerUnreachable`` without a connection, ``RequestTimeout`` without an answer in time, ``ServerError``
    when the server refuses, and ``DecodeError`` for an answer that is not ComfyUI's. The server answers 500
    as long as it remembers a prompt with an output that cannot be written as JSON.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, prompt_id: str) -> HistoryEntry | None:
        """Return a prompt, or ``None`` if it has not ended or is not known (``GET /history/{id}``).

        Raises:
            ValueError: The id is empty.
        """
        path = f"/history/{path_segment(prompt_id)}"
        return get(self._transport, path, dict[str, HistoryEntry]).get(prompt_id)

    def list(self, *, limit: int | None = None, offset: int | None = None) -> dict[str, HistoryEntry]:
        """Return the prompts that have ended, by id, the oldest first (``GET /history``).

        Each comes with its whole graph, and a server remembers up to 10,000: give a limit, or use ``iter``.

        Args:
            limit: At most so many: the newest ones, or with an offset those that follow it.
            offset: Leave out so many of the oldest. Servers before 0.3.60 ignore it.

        Raises:
            DecodeError: One of them does not fit; the error names it. ``get`` returns the others.
            TypeError: ``limit`` or ``offset`` is no number.
        """
        for name, value in {"limit": limit, "offset": offset}.items():
            if value is not None and not isinstance(value, int):
                raise TypeError(f"{name} is a number of prompts, not {value!r}")
        if limit == 0:
            return {}  # the server would return one, if there is an offset
        params = {"max_items": limit, "offset": offset}
        return get(self._transport, "/history", dict[str, HistoryEntry], params=params)

    def iter(self, *, page_size: int = 50) -> Iterator[HistoryEntry]:
        """Iterate over all prompts that have ended, the oldest first, page by page (``GET /history``).

        None comes twice. Of those that end meanwhile, all come that have ended before the last page is asked for; none
        is missed because others are forgotten meanwhile. Servers before 0.3.60 have no pages and are asked for
        everything at once.

        Args:
            page_size: How many to ask for at a time, each with its whole graph.

        Raises:
            ValueError: ``page_size`` is less than 1.
            DecodeError: One of them does not fit. This and all others arise while iterating.
        """
        if page_size < 1:
            raise ValueError(f"a page has at least one entry, not {page_size}")
        return self._pages(page_size)

    def delete(self, *prompt_ids: str) -> None:
        """Forget prompts (``POST /history``). Their files stay. Unknown ones are passed over in silence.

        Raises:
            TypeError: An id is no string.
        """
        if ids := checked_ids(prompt_ids):
            self._transport.request("POST", "/history", json_body={"delete": ids})

    def clear(self) -> None:
        """Forget all prompts, everybody's (``POST /history``). Their files stay."""
        self._transport.request("POST", "/history", json_body={"clear": True})

    def _pages(self, size: int) -> Iterator[HistoryEntry]:
        """All entries: each page begins with one of the page before, to see that nothing slipped through between."""
        seen: set[str] = set()
        offset = 0
        while True:
            page = self.list(limit=size + 1, offset=offset)
            if not seen and len(page) > size and self.list(limit=1, offset=_BEYOND):
                yield from self.list().values()  # it does not know offsets
                return
            if offset and seen.isdisjoint([*page][:1]):
                offset = max(0, offset - size)  # older ones were forgotten, and the others moved up
                continue
            for prompt_id, entry in page.items():
                if prompt_id not in seen:
                    seen.add(prompt_id)
                    yield entry
            if len(page) <= size:
                return
            offset += size
