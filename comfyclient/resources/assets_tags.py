"""``client.assets.tags``: the words that assets are labelled with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from comfyclient.resources._catalogue import filters, path_of
from comfyclient.resources._noun import Noun
from comfyclient.types.assets import TagsAdded, TagsPage, TagsRemoved

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from comfyclient.resources._catalogue import AssetLike, Catalogue

__all__ = ["AssetTags"]


@frozen
class _Counted:
    tag_counts: dict[str, int]


class AssetTags(Noun):
    """``client.assets.tags``, the words that assets are labelled with.

    Some are the server's, the others the user's own. Besides what its own text says, every method raises what those
    of ``Assets`` do.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._transport = catalogue.transport

    def list(
        self,
        *,
        prefix: str | None = None,
        order: str | None = None,
        include_zero: bool | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> TagsPage:
        """Return a part of all tags and how often they are used (``GET /api/tags``).

        Args:
            prefix: Only those that begin so.
            order: ``"count_desc"``, the default, or ``"name_asc"``.
            include_zero: Whether to name those that no asset has, too; ``None`` for yes.
            limit: At most so many, from 1 to 1000; ``None`` for 100.
            offset: Leave out so many.

        Raises:
            ServerError: 400 for a value that the server does not know.
        """
        zero = None if include_zero is None else str(include_zero).lower()
        params = {"prefix": prefix, "order": order, "include_zero": zero, "limit": limit, "offset": offset}
        return self._catalogue.ask("GET", "/api/tags", TagsPage, params=params)

    def refine(
        self,
        *,
        include_tags: Iterable[str] | None = None,
        exclude_tags: Iterable[str] | None = None,
        name_contains: str | None = None,
        metadata_filter: Mapping[str, Any] | None = None,
        limit: int | None = None,
    ) -> dict[str, int]:
        """Return which tags some of the assets have, and how many of them (``GET /api/assets/tags/refine``).

        Which assets is said as for ``client.assets.list``. Of the tags there are ``limit`` at most, from 1 to 1000,
        the most frequent first; ``None`` is for 100.

        Raises:
            ServerError: 400 for a value that the server does not know.
        """
        params = {**filters(include_tags, exclude_tags, name_contains, metadata_filter), "limit": limit}
        return self._catalogue.ask("GET", "/api/assets/tags/refine", _Counted, params=params).tag_counts

    def add(self, asset: AssetLike, *tags: str) -> TagsAdded:
        """Add tags to an asset (``POST /api/assets/{id}/tags``). Its file stays where it is.

        Raises:
            NotFound: There is no such asset.
            ValueError: The id is no UUID.
        """
        return self._catalogue.ask("POST", f"{path_of(asset)}/tags", TagsAdded, json_body={"tags": [*tags]})

    def remove(self, asset: AssetLike, *tags: str) -> TagsRemoved:
        """Remove tags from an asset (``DELETE /api/assets/{id}/tags``). Its file stays where it is.

        Raises:
            NotFound: There is no such asset.
            ValueError: The id is no UUID.
        """
        return self._catalogue.ask("DELETE", f"{path_of(asset)}/tags", TagsRemoved, json_body={"tags": [*tags]})
