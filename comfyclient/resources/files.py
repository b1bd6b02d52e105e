"""``client.files``: what lies in the server's input, output and temp directories."""

from __future__ import annotations

import json
import posixpath
import uuid
from contextlib import contextmanager
from email.utils import formatdate, parsedate_to_datetime
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, overload

from comfyclient import _download
from comfyclient._http import path_segment
from comfyclient._multipart import Form, FormError, content_name, opened
from comfyclient._save import atomic_write, destination
from comfyclient.errors import NotFound, ServerError
from comfyclient.resources._answers import get, read
from comfyclient.resources._names import SOCKET_TYPE, encoded_name, locate, placed, view_path
from comfyclient.resources._noun import Noun
from comfyclient.types.files import FileInfo, FileStat

if TYPE_CHECKING:
    import os
    from collections.abc import Generator, Iterator, Mapping
    from pathlib import Path

    from comfyclient._http import Transport
    from comfyclient._multipart import Progress, Source
    from comfyclient.resources._names import FileLike

__all__ = ["SOCKET_TYPE", "Files"]

_HINTS = {
    400: "it shows no file of an unknown type, nor one with '..' in its name",
    403: "its subfolder leaves the directory, or something before the server refuses access",
    404: "there is no such file; those of type 'temp' go when the server restarts",
    500: "it could not read the file; a preview or a channel takes an image",
}
"""What it means when ``/view`` answers with this status and no words of its own."""

_UPLOAD_HINTS = {
    400: "it stores nothing outside its directories",
    500: "it could not store the file; perhaps it knows no directory of this type",
}
_MASK_HINTS = {
    **_UPLOAD_HINTS,
    500: "it could not put the mask on the original: both have to be images of one size, and the new one's name has to "
    "end as that of a format with transparency, such as .png",
}


class Files(Noun):
    """Reads and writes the server's files.

    A *file* is a ``FileInfo``, an ``OutputFile``, a mapping as nodes report it (``filename``, ``subfolder``,
    ``type``), or a string as ``LoadImage`` takes it: ``"name.png"``, ``"subfolder/name.png"``,
    ``"subfolder/name.png [input]"``. The type is ``"output"`` where none is given.

    The server can encode an image anew. ``preview`` is ``"webp"`` or ``"jpeg"``, with a quality if need be
    (``"jpeg;80"``). ``channel`` is ``"rgb"`` for the colours alone or ``"a"`` for the transparency alone, as
    PNG without a ``preview``.

    Everything here runs in the caller's thread. Besides what its own text says, every method that asks the
    server raises ``ServerUnreachable`` without a connection, ``RequestTimeout`` without an answer in time, and
    ``ServerError`` when the server refuses; those that ask for one file raise ``NotFound`` if there is none,
    and ``ServerError`` for a name that the server does not show (400) and what it cannot encode (500).
    """

    def __init__(self, transport: Transport) -> None:
        """Use the client's ``transport``; no I/O."""
        self._transport = transport

    @overload
    def read(
        self,
        file: FileLike,
        *,
        start: int = ...,
        end: int | None = ...,
        unless: None = ...,
        preview: str | None = ...,
        channel: str | None = ...,
    ) -> bytes: ...

    @overload
    def read(
        self, file: FileLike, *, start: int = ..., end: int | None = ..., unless: FileStat | None
    ) -> bytes | None: ...

    def read(
        self,
        file: FileLike,
        *,
        start: int = 0,
        end: int | None = None,
        unless: FileStat | None = None,
        preview: str | None = None,
        channel: str | None = None,
    ) -> bytes | None:
        """Return a file's content, or a part of it (``GET /view``).

        Args:
            file: Which one.
            start: The first byte that is wanted.
            end: The byte after the last one; ``None`` for all. No other bytes are sent.
            unless: What ``stat`` said at another time: nothing is sent if that still holds.
            preview: Encode an image anew; see above.
            channel: Only a part of an image; see above.

        Returns:
            ``content[start:end]``; ``None`` if the file is still as ``unless`` says.

        Raises:
            ValueError: ``start`` or ``end`` is negative.
        """
        info = locate(file)
        sink = BytesIO()
        path = view_path(info, preview=preview, channel=channel)
        try:
            self._copy(info, path, sink, **_part(start, end), unless=_condition(unless))
        except _download.Unchanged:
            return None
        return sink.getvalue()

    def stream(self, file: FileLike, *, start: int = 0, end: int | None = None) -> Generator[bytes, None, None]:
        """Iterate over a file's content, or a part of it, in pieces of 256 KB and constant memory (``GET /view``).

        When the connection breaks, the rest is asked for. Whoever stops early calls the result's ``close()``.

        Args:
            file: Which one.
            start: The first byte that is wanted.
            end: The byte after the last one; ``None`` for all.

        Raises:
            ValueError: ``start`` or ``end`` is negative.
            ServerUnreachable: Also when the connection broke and the file is another one since.
            ComfyError: As said above; while iterating.
        """
        info = locate(file)
        return self._pieces(info, view_path(info), **_part(start, end))

    def download(
        self,
        file: FileLike,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        preview: str | None = None,
        channel: str | None = None,
    ) -> Path:
        """Save a file, in constant memory (``GET /view``).

        It appears under its name only when it is complete. When the connection breaks, the rest is asked
        for, or everything if the file changed meanwhile.

        Args:
            file: Which one.
            path: Where to. An existing directory, or a string that ends with a separator: the file goes into
                it under the server's name, made safe. Anything else is the file's own path. Missing
                directories are made.
            overwrite: Replace an existing file.
            preview: Encode an image anew; see above. In a directory it gets the extension that fits.
            channel: Only a part of an image; see above.

        Returns:
            The path of the saved file.

        Raises:
            FileExistsError: The file exists and ``overwrite`` is off.
            OSError: It cannot be written.
        """
        info = locate(file)
        target = destination(path, encoded_name(info.filename, preview, channel))
        with atomic_write(target, overwrite=overwrite) as sink:
            self._copy(info, view_path(info, preview=preview, channel=channel), sink)
        return target

    def url(self, file: FileLike, *, preview: str | None = None, channel: str | None = None) -> str:
        """The address of a file, without credentials: for a browser, an ``<img>`` or another program.

        Args:
            file: Which one.
            preview: Encode an image anew; see above.
            channel: Only a part of an image; see above.
        """
        return self._transport.url(view_path(locate(file), preview=preview, channel=channel))

    def stat(self, file: FileLike) -> FileStat:
        """Return what is known of a file without its content: size, time, tag and type (``HEAD /view``)."""
        info = locate(file)
        with _explaining(info):
            # As for downloads: there are servers that would speak of the file's .gz instead.
            response = self._transport.request("HEAD", view_path(info), headers={"Accept-Encoding": "identity"})
        return _stat(response.headers)

    def exists(self, file: FileLike) -> bool:
        """Whether there is such a file (``HEAD /view``)."""
        return self._stat_if_any(file) is not None

    def list(self, type: str = "output") -> tuple[FileInfo, ...]:  # noqa: A002 - the server's word
        """Return the files of a directory, the newest first (``GET /internal/files/{directory_type}``).

        Files in subfolders and hidden ones are left out. A proxy that passes on ``/api`` alone does not let
        this through.

        Args:
            type: ``"output"``, ``"input"`` or ``"temp"``.

        Raises:
            Unsupported: The server is older than 0.3.15, or something before it does not pass this on.
            ServerError: 400 for another type.
        """
        path = f"/internal/files/{path_segment(type)}"
        names = get(self._transport, path, tuple[str, ...], since="0.3.15")
        # Servers before 2026 leave the type out.
        return tuple(placed(name.removesuffix(f" [{type}]"), "", type) for name in names)

    def upload_image(
        self,
        source: Source,
        *,
        filename: str | None = None,
        subfolder: str = "",
        type: str = "input",  # noqa: A002 - the server's word
        overwrite: bool = False,
        progress: Progress | None = None,
    ) -> FileInfo:
        """Upload a file of any kind, in constant memory (``POST /upload/image``).

        What comes back is the name that the server stored it under, and the one to use in a workflow: without
        ``overwrite`` a name that is taken becomes ``"name (1).png"``, unless the content is the same. An
        upload that broke is not repeated.

        Args:
            source: A path, bytes, a binary file object (from its position on; not closed), or an image, which
                is sent as PNG: of Pillow, or a NumPy array of height x width, alone or with 1, 3 or 4
                channels, or a batch of one such, of ``uint8``, ``bool``, or floats from 0 to 1 as ComfyUI's
                images are.
            filename: Its name on the server. Without one: the path's or file object's own, or one made of the
                content and ``.png``.
            subfolder: The directory below that of the type; made if missing.
            type: ``"input"``, ``"temp"`` or ``"output"``.
            overwrite: Replace a file of that name.
            progress: Called with the bytes sent and the bytes in all, at first and after each piece of
                256 KB, in the caller's thread.

        Raises:
            OSError: The source cannot be read.
            TypeError: The source is none of the above, or a text file.
            ValueError: The source changed its size meanwhile, or stands at its end; the array is no image.
            ImportError: An array takes Pillow, which comes with ``comfyclient[images]``.
            ServerError: The server refuses it: a name or subfolder that leaves the directory (400), too large
                (413), an unknown type (500).
            DecodeError: The answer is not what it should be.
        """
        with opened(source) as (file, own_name):
            target = placed(filename or own_name or content_name(file), subfolder, type)
            form = _form(target, file, progress, overwrite=overwrite)
            return self._upload("/upload/image", form, _UPLOAD_HINTS)

    def upload_mask(
        self,
        source: Source,
        original: FileLike,
        *,
        filename: str | None = None,
        subfolder: str = "",
        type: str = "input",  # noqa: A002 - the server's word
        overwrite: bool = False,
        progress: Progress | None = None,
    ) -> FileInfo:
        """Make an image of an original's colours and a mask's transparency (``POST /upload/mask``).

        The original stays as it is, and what comes back is the new image: given to ``LoadImage``, its
        ``MASK`` is what is transparent. The server says that all is well even when it stored nothing, so it is
        asked for the new image afterwards.

        Args:
            source: The mask, of the original's size: whatever ``upload_image`` takes, with transparency where
                it masks. Greyscale images of Pillow and arrays without transparency mask where they are
                white; files and bytes are sent as they are.
            original: The image on the server.
            filename: The name of the new image, with the extension of a format that knows transparency.
                Without one it gets a new name that ends with ``.png``.
            subfolder: As for ``upload_image``, and so are all that follow.
            type: ``"input"``, ``"temp"`` or ``"output"``.
            overwrite: Replace a file of that name.
            progress: Called while the mask is sent.

        Raises:
            NotFound: There is no such original.
            ServerError: The mask does not fit the original, or is no image (500); the server stored nothing.
            OSError, TypeError, ImportError, DecodeError: As for ``upload_image``.
            ValueError: As for ``upload_image``, or an image in memory has neither transparency nor shades of
                grey alone.
        """
        image = locate(original)
        reference = json.dumps({"filename": image.filename, "subfolder": image.subfolder, "type": image.type})
        # Not the mask's own name: the server would take an earlier upload of the same mask for the new image.
        target = placed(filename or f"mask-{uuid.uuid4().hex}.png", subfolder, type)
        before = self._stat_if_any(target) if filename else None
        with opened(source, as_mask=True) as (file, _):
            form = _form(target, file, progress, overwrite=overwrite, original_ref=reference)
            stored = self._upload("/upload/mask", form, _MASK_HINTS)
        after = self._stat_if_any(stored)
        if after is None or (before and before.etag and before.etag == after.etag):
            self.stat(image)  # raises if it is not there, which is the usual reason
            reason = f"nothing was stored as {stored.annotated!r}; choose another filename, or overwrite"
            raise ServerError(HTTPStatus.OK.value, reason, "POST", self._transport.url("/upload/mask"))
        return stored

    def _stat_if_any(self, file: FileLike) -> FileStat | None:
        try:
            return self.stat(file)
        except NotFound:
            return None

    def _upload(self, path: str, form: Form, hints: Mapping[int, str]) -> FileInfo:
        try:
            headers = {"Content-Type": form.content_type}
            response = self._transport.request("POST", path, data=form, headers=headers)
        except FormError as error:
            raise error.cause from None
        except ServerError as error:
            raise _explained(error, hints.get(error.status)) from None
        return read(self._transport, response, FileInfo)

    def _copy(self, info: FileInfo, path: str, sink: BinaryIO, **part: Any) -> None:
        def restart() -> None:
            sink.seek(0)
            sink.truncate()

        sink.writelines(self._pieces(info, path, restart=restart, **part))

    def _pieces(self, info: FileInfo, path: str, **part: Any) -> Generator[bytes, None, None]:
        with _explaining(info):
            yield from _download.pieces(self._transport, path, **part)


def _form(target: FileInfo, file: BinaryIO, progress: Progress | None, *, overwrite: bool, **fields: str) -> Form:
    fields |= {"type": target.type, "subfolder": target.subfolder}
    if overwrite:
        fields["overwrite"] = "true"
    return Form(fields, target.filename, file, progress)


def _part(start: int, end: int | None) -> dict[str, int | None]:
    for position in (start, end or 0):
        if position < 0:
            raise ValueError(f"start and end count from the beginning of the file: {position} is below 0")
    return {"start": start, "end": end}


def _condition(unless: FileStat | None) -> dict[str, str]:
    if unless is not None and unless.etag:
        return {"If-None-Match": unless.etag}
    if unless is not None and unless.modified is not None:
        return {"If-Modified-Since": formatdate(unless.modified, usegmt=True)}
    return {}


def _stat(headers: Mapping[str, str]) -> FileStat:
    length = headers.get("Content-Length", "")
    try:
        modified = parsedate_to_datetime(headers.get("Last-Modified", "")).timestamp()
    except ValueError:
        modified = None
    return FileStat(
        size=int(length) if length.isdecimal() else None,
        etag=headers.get("ETag"),
        modified=modified,
        media_type=headers.get("Content-Type", "").partition(";")[0] or None,
    )


@contextmanager
def _explaining(info: FileInfo) -> Iterator[None]:
    """Say what a refusal to show a file means."""
    try:
        yield
    except ServerError as error:
        hint = _HINTS.get(error.status)
        what = f"{info.type} file {posixpath.join(info.subfolder, info.filename)!r}"
        raise _explained(error, hint and f"{what}: {hint}") from None


def _explained(error: ServerError, hint: str | None) -> ServerError:
    """The same error; with a hint in place of the body where the server did not say anything."""
    if hint is None or (error.body and "Server got itself in trouble" not in str(error.body)):
        return error
    return type(error)(error.status, hint, error.method, error.url)
