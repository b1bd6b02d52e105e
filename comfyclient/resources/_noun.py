"""What the client's nouns have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comfyclient._http import Transport


class Noun:
    """A part of what one server has."""

    _transport: Transport

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._transport.config.shown_url}>"
