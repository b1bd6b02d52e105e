"""``client.assets``: what the server knows by content."""

from __future__ import annotations

import json
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

from comfyclient._http import path_segment
from comfyclient._multipart import Form, FormError, content_name, opened
from comfyclient._save import atomic_write, destination
from comfyclient.errors import NotFound, ServerError
from comfyclient.resources._catalogue import Catalogue, filters, listed, path_of
from comfyclient.resources._noun import Noun
from comfyclient.resources.assets_seeding import AssetSeeding
from comfyclient.resources.assets_tags import AssetTags
from comfyclient.types.assets import Asset, AssetsPage

if TYPE_CHECKING:
    import os
    from collections.abc import Generator, Iterable, Iterator, Mapping
    from pathlib import Path

    from comfyclient._http import Transport
    from comfyclient._multipart import Progress, Source
    from comfyclient.resources._catalogue import AssetLike

__all__ = ["Assets"]


class Assets(Noun):
    """The server's catalogue of its models, inputs and outputs, on servers started with ``--enable-assets``.

    It finds files by their content, whatever they are called. An *asset* is an entry of it: an ``Asset``, or its
    ``id``. In a job's results that is ``OutputFile.raw["id"]``.

    Everything here runs in the caller's thread. The first call asks the server whether it has assets at all.
    Besides what its own text says, every method, those of ``tags`` and ``seeding`` included, raises
    ``ServerError`` with status 503 where they are off, ``Unsupported`` on servers before 0.9,
    ``ServerUnreachable`` without a connection, ``RequestTimeout`` without an answer in time, ``ServerError``
    when the server refuses, and ``DecodeError`` for an answer that is not ComfyUI's. If the server was started
    with ``--multi-user`` and does not know the client's ``user``, it is a ``ServerError`` 500.

    Attributes:
        tags: The words that assets are labelled with.
        seeding: How files that came by other ways are entered.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._catalogue = Catalogue(transport)
        self.tags = AssetTags(self._catalogue)
        self.seeding = AssetSeeding(self._catalogue)

    # --- the catalogue ----------------------------------------------------------------------------------------

    def list(
        self,
        *,
        include_tags: Iterable[str] | None = None,
        exclude_tags: Iterable[str] | None = None,
        name_contains: str | None = None,
        metadata_filter: Mapping[str, Any] | None = None,
        sort: str | None = None,
        order: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
        after: str | None = None,
    ) -> AssetsPage:
        """Return a part of the assets (``GET /api/assets``); ``iter`` goes over all of them.

        Args:
            include_tags: Only those with all of these tags; one of them or several. A tag with a comma cannot be
                asked for.
            exclude_tags: Only those with none of these.
            name_contains: Only those whose name has this in it, in upper or lower case.
            metadata_filter: Only those whose ``user_metadata`` has these values; a list means any of its values,
                ``None`` that there is none.
            sort: ``"created_at"``, the default, ``"updated_at"``, ``"name"``, ``"size"`` or
                ``"last_access_time"``.
            order: ``"desc"``, the default, or ``"asc"``.
            limit: At most so many, from 1 to 500; ``None`` for 20.
            offset: Leave out so many.
            after: Go on after the page whose ``next_cursor`` this was; ``offset`` has no effect then. The order
                has to be the same, and cannot be that of ``"last_access_time"``.

        Raises:
            ServerError: 400 for a value that the server does not know.
        """
        params = {
            **filters(include_tags, exclude_tags, name_contains, metadata_filter),
            "sort": sort,
            "order": order,
            "limit": limit,
            "offset": offset,
            "after": after,
        }
        return self._page(params)

    def iter(
        self,
        *,
        include_tags: Iterable[str] | None = None,
        exclude_tags: Iterable[str] | None = None,
        name_contains: str | None = None,
        metadata_filter: Mapping[str, Any] | None = None,
        sort: str | None = None,
        order: str | None = None,
        page_size: int = 100,
    ) -> Iterator[Asset]:
        """Iterate over all assets, page by page as they are needed (``GET /api/assets``).

        The options are those of ``list``, with ``page_size`` for ``limit``. What is entered or removed meanwhile
        may be missed.

        Raises:
            ComfyError: As for ``list``. Errors arise while iterating.
        """
        which = filters(include_tags, exclude_tags, name_contains, metadata_filter)
        return self._pages({**which, "sort": sort, "order": order, "limit": page_size})

    def get(self, asset: AssetLike) -> Asset | None:
        """Return an asset as it is now, or ``None`` if there is none of that id (``GET /api/assets/{id}``).

        Raises:
            ValueError: The id is no UUID.
        """
        try:
            return self._catalogue.ask("GET", path_of(asset), Asset)
        except NotFound:
            return None

    def update(
        self,
        asset: AssetLike,
        *,
        name: str | None = None,
        user_metadata: Mapping[str, Any] | None = None,
        preview_id: str | None = None,
    ) -> Asset:
        """Change what is said about an asset (``PUT /api/assets/{id}``).

        Args:
            asset: Which one.
            name: Its new name.
            user_metadata: What is to stand in place of all that was there; the server keeps ``filename``.
            preview_id: The asset that shows what this one is. It can be replaced, and not taken back.

        Returns:
            The asset as it is now.

        Raises:
            NotFound: There is no such asset, or none with ``preview_id``.
            ServerError: 400 if there is nothing to change.
            ValueError: The id is no UUID.
        """
        metadata = None if user_metadata is None else dict(user_metadata)
        body = _given(name=name, user_metadata=metadata, preview_id=preview_id)
        return self._catalogue.ask("PUT", path_of(asset), Asset, json_body=body)

    def delete(self, asset: AssetLike) -> None:
        """Take an entry from the catalogue (``DELETE /api/assets/{id}``). Its file stays where it is.

        Mind those with a ``loader_path``: without it, other entries of the same content are there and cannot be
        read any more, and neither ``upload`` nor a scan brings it back.

        Raises:
            NotFound: There is no such asset.
            ValueError: The id is no UUID.
        """
        self._catalogue.request("DELETE", path_of(asset))

    # --- content ----------------------------------------------------------------------------------------------

    def read(self, asset: AssetLike) -> bytes:
        """Return an asset's content (``GET /api/assets/{id}/content``).

        When the connection breaks, everything is asked for again, since the server sends no parts.

        Raises:
            NotFound: There is no such asset, or its file is gone.
            ValueError: The id is no UUID.
        """
        sink = BytesIO()
        self._copy(asset, sink)
        return sink.getvalue()

    def stream(self, asset: AssetLike) -> Generator[bytes, None, None]:
        """Iterate over an asset's content in pieces of 256 KB, in constant memory (``GET /api/assets/{id}/content``).

        Whoever stops early calls the result's ``close()``.

        Raises:
            ServerUnreachable: No connection, or it broke: what was handed out cannot be taken back.
            ComfyError: As for ``read``. Errors arise while iterating.
            ValueError: The id is no UUID.
        """
        return self._catalogue.pieces(f"{path_of(asset)}/content")

    def download(self, asset: AssetLike, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save an asset's content, in constant memory (``GET /api/assets/{id}/content``).

        It appears under its name only when it is complete. When the connection breaks, everything is asked for
        again; ``client.files.download`` goes on where it broke.

        Args:
            asset: Which one.
            path: Where to. An existing directory, or a string that ends with a separator: the file goes into it
                under the asset's name, made safe. Anything else is the file's own path. Missing directories are
                made.
            overwrite: Replace an existing file.

        Returns:
            The path of the saved file.

        Raises:
            FileExistsError: The file exists and ``overwrite`` is off.
            OSError: It cannot be written.
            ComfyError: As for ``read``.
            ValueError: The id is no UUID.
        """
        known = asset if isinstance(asset, Asset) else self._catalogue.ask("GET", path_of(asset), Asset)
        target = destination(path, known.name or known.id)
        with atomic_write(target, overwrite=overwrite) as sink:
            self._copy(known, sink)
        return target

    def upload(
        self,
        source: Source,
        *,
        tags: Iterable[str] = ("input",),
        filename: str | None = None,
        name: str | None = None,
        user_metadata: Mapping[str, Any] | None = None,
        hash: str | None = None,  # noqa: A002 - the server's word
        mime_type: str | None = None,
        preview_id: str | None = None,
        progress: Progress | None = None,
    ) -> Asset:
        """Upload a file of any kind and size, in constant memory (``POST /api/assets``).

        The server names its file after the content. If it has that content already, it stores nothing, and what
        comes back is one more asset with the name, the metadata and exactly the tags given here. An upload that
        broke is not repeated.

        Args:
            source: A path, bytes, a binary file object (from its position on; not closed), or an image (sent as
                PNG), as for ``client.files.upload_image``.
            tags: Where it goes, ``"input"`` or ``"output"``, or both ``"models"`` and ``"model_type:loras"`` or
                the like; and any others.
            filename: Its name, for the ending that the server's file gets, and for ``mime_type``. Without one:
                the path's or file object's own.
            name: Its label, instead of ``filename``.
            user_metadata: What to say about it.
            hash: The content's hash, ``"blake3:..."``, for the server to compare with.
            mime_type: Its kind, instead of the one that goes with the ending.
            preview_id: The asset that shows what this one is; an unknown one is ignored.
            progress: Called with the bytes sent and the bytes in all, at first and after each piece of 256 KB,
                in the caller's thread.

        Raises:
            OSError, TypeError, ValueError, ImportError: As for ``client.files.upload_image``.
            ServerError: The server refuses it: no place among the tags, an empty file, another hash (all 400).
        """
        fields = _given(
            hash=hash,  # ahead of the file, which the server need not keep if it knows the content
            tags=json.dumps(listed(tags)),
            name=name,
            user_metadata=None if user_metadata is None else json.dumps(dict(user_metadata)),
            mime_type=mime_type,
            preview_id=preview_id,
        )
        self._catalogue.check("POST", "/api/assets")
        with opened(source) as (file, own_name):
            filename = filename or own_name or ("" if _is_plain(source) else content_name(file))
            form = Form(fields, filename, file, progress, file_field="file")
            headers = {"Content-Type": form.content_type}
            try:
                return self._catalogue.ask("POST", "/api/assets", Asset, data=form, headers=headers)
            except FormError as error:
                raise error.cause from None

    def from_hash(
        self,
        hash: str,  # noqa: A002 - the server's word
        *,
        name: str | None = None,
        tags: Iterable[str] = (),
        user_metadata: Mapping[str, Any] | None = None,
        mime_type: str | None = None,
        preview_id: str | None = None,
    ) -> Asset:
        """Make one more asset of content that the server has (``POST /api/assets/from-hash``).

        Args:
            hash: The content's hash, ``"blake3:..."``.
            name: Its label, instead of the hash.
            tags: Its tags, in any number.
            user_metadata: What to say about it.
            mime_type: Its kind, where the server does not know one.
            preview_id: The asset that shows what this one is; an unknown one is ignored.

        Raises:
            NotFound: The server does not have that content.
            ServerError: 400 if that is no hash.
        """
        body = _given(
            hash=hash,
            name=name,
            tags=listed(tags),
            user_metadata=dict(user_metadata or {}),
            mime_type=mime_type,
            preview_id=preview_id,
        )
        return self._catalogue.ask("POST", "/api/assets/from-hash", Asset, json_body=body)

    def exists(self, hash: str) -> bool:  # noqa: A002 - the server's word
        """Whether the server has some content (``HEAD /api/assets/hash/{hash}``).

        Args:
            hash: The content's hash, ``"blake3:..."``. Of files that the server found by itself it knows the hash
                only if it was started with ``--enable-asset-hashing``.

        Raises:
            ServerError: 400 if that is no hash.
        """
        try:
            self._catalogue.request("HEAD", f"/api/assets/hash/{path_segment(hash)}")
        except NotFound:
            return False
        except ServerError as error:
            if error.status != HTTPStatus.BAD_REQUEST:
                raise
            hint = "a hash is 'blake3:' and 64 hexadecimal digits"  # an answer to HEAD has no words of its own
            raise ServerError(error.status, hint, error.method, error.url) from None
        return True

    # --- requests ---------------------------------------------------------------------------------------------

    def _page(self, params: dict[str, Any]) -> AssetsPage:
        return self._catalogue.ask("GET", "/api/assets", AssetsPage, params=params)

    def _pages(self, params: dict[str, Any]) -> Iterator[Asset]:
        page = self._page(params)
        seen = 0
        while page.assets:
            yield from page.assets
            seen += len(page.assets)
            if page.next_cursor:
                page = self._page({**params, "after": page.next_cursor})
            elif page.has_more:
                page = self._page({**params, "offset": seen})
            else:
                return

    def _copy(self, asset: AssetLike, sink: BinaryIO) -> None:
        def restart() -> None:
            sink.seek(0)
            sink.truncate()

        sink.writelines(self._catalogue.pieces(f"{path_of(asset)}/content", restart))


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _is_plain(source: Source) -> bool:
    """Whether it is sent as it is; everything else becomes an image."""
    return isinstance(source, (bytes, bytearray, memoryview)) or hasattr(source, "read")
