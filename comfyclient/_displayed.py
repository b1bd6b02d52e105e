"""What a notebook asks an object for, so that whatever it shows is loaded only there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection


class Displayed:
    """Something that a notebook shows as more than a line of text; ``comfyclient.display`` knows how."""

    __slots__ = ()

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, Any]:
        from comfyclient.display.bundle import bundle  # noqa: PLC0415 - for notebooks only

        return bundle(self, include, exclude)
