"""``client.files``: what lies in the server's input, output and temp directories."""

from __future__ import annotations

import logging
import posixpath
from collections.abc import Mapping
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypeAlias
from urllib.parse import urlencode

from comfyclient._multipart import Form, FormError, content_name, opened
from comfyclient._save import atomic_write, destination
from comfyclient.errors import ComfyError, RequestTimeout, ServerError, ServerUnreachable
from comfyclient.resources._answers import read
from comfyclient.types.files import FileInfo

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Generator
    from pathlib import Path

    import requests

    from comfyclient._http import Transport
    from comfyclient._multipart import Progress, Source

__all__ = ["Files"]

log = logging.getLogger(__name__)

SOCKET_TYPE = "websocket"
"""The ``type`` of a file that exists only in the client's memory."""

_HINTS = {
    400: "it shows no file of an unknown type, nor one with '..' in its name",
    403: "its subfolder leaves the directory, or something before the server refuses access",
    404: "there is no such file; those of type 'temp' go when the server restarts",
}
"""What it means when ``/view`` answers with this status and an empty body."""


class _Named(Protocol):
    """What has the three parts of a file's name: ``FileInfo``, ``OutputFile``."""

    @property
    def filename(self) -> str: ...
    @property
    def subfolder(self) -> str: ...
    @property
    def type(self) -> str: ...


FileLike: TypeAlias = "_Named | Mapping[str, Any] | str"


class Files:
    """Reads and writes the server's files.

    A *file* is a ``FileInfo``, an ``OutputFile``, a mapping as nodes report it (``filename``, ``subfolder``,
    ``type``), or a string as ``LoadImage`` takes it: ``"name.png"``, ``"subfolder/name.png"``,
    ``"subfolder/name.png [input]"``. The type is ``"output"`` where none is given.

    Everything here runs in the caller's thread.
    """

    def __init__(self, transport: Transport) -> None:
        """Use the client's ``transport``; no I/O."""
        self._transport = transport

    def read(self, file: FileLike, *, preview: str | None = None, channel: str | None = None) -> bytes:
        """Return a file's content (``GET /view``).

        Args:
            file: Which one.
            preview: Have the server re-encode an image, as ``"webp"`` or ``"jpeg"``; a quality may follow:
                ``"jpeg;80"``.
            channel: Have the server send a part of an image, as PNG: ``"rgb"`` or ``"a"``.

        Raises:
            NotFound: There is no such file.
            ServerError: The server refuses the name (400), or cannot re-encode the file (500).
            ServerUnreachable: No connection, or it kept breaking.
            RequestTimeout: No answer in time.
        """
        sink = BytesIO()
        self._copy(file, sink, preview=preview, channel=channel)
        return sink.getvalue()

    def stream(self, file: FileLike) -> Generator[bytes, None, None]:
        """Iterate over a file's content in pieces of 256 KB, in constant memory (``GET /view``).

        When the connection breaks, the rest is asked for. Whoever stops early calls the result's ``close()``.

        Raises:
            ServerUnreachable: As for ``read``, or the connection broke and the file is another one since.
            ComfyError: As for ``read``. Errors arise while iterating.
        """
        return self._pieces(file)

    def download(self, file: FileLike, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save a file, in constant memory (``GET /view``).

        It appears under its name only when it is complete. When the connection breaks, the rest is asked
        for, or everything if the file changed meanwhile.

        Args:
            file: Which one.
            path: Where to. An existing directory, or a string that ends with a separator: the file goes into
                it under the server's name, made safe. Anything else is the file's own path. Missing
                directories are made.
            overwrite: Replace an existing file.

        Returns:
            The path of the saved file.

        Raises:
            FileExistsError: The file exists and ``overwrite`` is off.
            OSError: It cannot be written.
            ComfyError: As for ``read``.
        """
        target = destination(path, _locate(file).filename)
        with atomic_write(target, overwrite=overwrite) as sink:
            self._copy(file, sink)
        return target

    def url(self, file: FileLike) -> str:
        """The address of a file, without credentials: for a browser, an ``<img>`` or another program."""
        return self._transport.url(_view(_locate(file)))

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
            source: A path, bytes, a binary file object (from its position on; not closed), or a PIL image
                (sent as PNG).
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
            ValueError: The source changed its size meanwhile, or stands at its end.
            ServerError: The server refuses it: a name or subfolder that leaves the directory (400), too large
                (413), an unknown type (500).
            DecodeError: The answer is not what it should be.
            ServerUnreachable: No connection, or it broke.
            RequestTimeout: No answer in time.
        """
        with opened(source) as (file, own_name):
            folder, _, name = (filename or own_name or content_name(file)).rpartition("/")
            fields = {"type": type, "subfolder": posixpath.join(subfolder, folder) if folder else subfolder}
            if overwrite:
                fields["overwrite"] = "true"
            return self._upload("/upload/image", Form(fields, name, file, progress))

    def _upload(self, path: str, form: Form) -> FileInfo:
        try:
            headers = {"Content-Type": form.content_type}
            response = self._transport.request("POST", path, data=form, headers=headers)
        except FormError as error:
            raise error.cause from None
        except ServerError as error:
            hint = "it stores nothing outside its directories" if error.status == HTTPStatus.BAD_REQUEST else None
            raise _explained(error, hint) from None
        return read(self._transport, response, FileInfo)

    def _copy(self, file: FileLike, sink: BinaryIO, **options: str | None) -> None:
        def restart() -> None:
            sink.seek(0)
            sink.truncate()

        sink.writelines(self._pieces(file, restart, **options))

    def _pieces(
        self, file: FileLike, restart: Callable[[], None] | None = None, **options: str | None
    ) -> Generator[bytes, None, None]:
        info = _locate(file)
        what = f"{info.type} file {posixpath.join(info.subfolder, info.filename)!r}"
        return _resuming(self._transport, _view(info, **options), restart, what)


def _locate(file: FileLike) -> FileInfo:
    parts: tuple[Any, Any, Any]
    if isinstance(file, str):
        parts = file, "", ""
    elif isinstance(file, Mapping):
        parts = file.get("filename", file.get("name")), file.get("subfolder"), file.get("type")
    else:
        parts = file.filename, file.subfolder, file.type
    name, subfolder, type_ = parts[0], parts[1] or "", parts[2] or "output"
    if not isinstance(name, str) or not name:
        raise ValueError(f"a file needs a filename, and this has none: {file!r}")
    if type_ == SOCKET_TYPE:
        raise ValueError(f"{name!r} came over the websocket and is no file on the server; use its own methods")
    for kind in ("input", "output", "temp"):
        if name.endswith(f" [{kind}]"):
            name, type_ = name[: -len(f" [{kind}]")], kind
    # The server would drop a directory in the name and show another file.
    folder, _, name = name.rpartition("/")
    return FileInfo(name, posixpath.join(subfolder, folder) if folder else subfolder, type_)


def _view(info: FileInfo, **options: str | None) -> str:
    query = {"filename": info.filename, "subfolder": info.subfolder, "type": info.type, **options}
    given = {key: value for key, value in query.items() if value is not None}
    return "/view?" + urlencode(given, errors="replace")


def _explained(error: ServerError, hint: str | None) -> ServerError:
    """The same error; with a hint in place of the body where the server sent none."""
    if error.body or hint is None:
        return error
    return type(error)(error.status, hint, error.method, error.url)


def _resuming(
    transport: Transport, path: str, restart: Callable[[], None] | None, what: str
) -> Generator[bytes, None, None]:
    """A body in pieces, over several requests if need be; ``retry.attempts`` in a row may bring nothing."""
    body = _Body(transport, path, restart)
    attempts = transport.config.retry.attempts if transport.config.retry else 1
    furthest = failures = 0
    while True:
        try:
            broken = yield from body.attempt()
        except ServerError as error:
            hint = _HINTS.get(error.status)
            raise _explained(error, hint and f"{what}: {hint}") from None
        if broken is None:
            return
        failures = failures + 1 if body.have <= furthest else 1
        furthest = max(furthest, body.have)
        if failures >= attempts:
            raise broken
        log.debug("GET %s broke after %d bytes: %s; going on", transport.url("/view"), body.have, broken)


class _Body:
    """A body on its way here, and what is known about it.

    Attributes:
        have: The bytes that were handed on.
    """

    def __init__(self, transport: Transport, path: str, restart: Callable[[], None] | None) -> None:
        self.have = 0
        self._transport = transport
        self._path = path
        self._restart = restart
        self._tag: str | None = None
        self._total = -1  # unknown

    def attempt(self) -> Generator[bytes, None, ComfyError | None]:
        """Hand on what one request brings, and return what broke it, or ``None`` at the end of the body."""
        rest = self._rest()
        try:
            with self._transport.stream(self._path, headers=rest) as response:
                continues = bool(rest) and response.status_code == HTTPStatus.PARTIAL_CONTENT
                if not continues or self._is_rest(response):
                    return (yield from self._read(response, 0 if continues else self._begin(response)))
        except ServerError as error:
            if not rest or error.status != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:  # it became shorter
                raise
        self._tag = None  # the rest of another file: start over
        return (yield from self.attempt())

    def _rest(self) -> dict[str, str]:
        """The headers that ask for the rest, if the server said what it takes to recognise it."""
        if not self.have or not self._tag or self._total < 0:
            return {}
        return {"Range": f"bytes={self.have}-", "If-Range": self._tag}

    def _is_rest(self, response: requests.Response) -> bool:
        # ComfyUI's server knows only dates in If-Range, no tags, and sends a part of a changed file too.
        due = f"bytes {self.have}-{self._total - 1}/{self._total}"
        return response.headers.get("ETag") == self._tag and response.headers.get("Content-Range") == due

    def _read(self, response: requests.Response, skip: int) -> Generator[bytes, None, ComfyError | None]:
        broken: ComfyError | None = None
        try:
            for piece in self._transport.read_chunks(response):
                new = piece[skip:]
                skip -= len(piece) - len(new)
                if new:
                    self.have += len(new)
                    yield new
        except (ServerUnreachable, RequestTimeout) as error:
            broken = error
        if broken is None and 0 <= self._total != self.have:  # a part may be shorter than it says
            broken = self._unreachable(f"{self.have} of {self._total} bytes came")
        return broken

    def _begin(self, response: requests.Response) -> int:
        """Take note of a body that comes from its start; returns how much of it was handed on already."""
        tag, length = response.headers.get("ETag"), response.headers.get("Content-Length", "")
        if self.have and tag and tag == self._tag:
            return self.have
        if self.have and self._restart is None:
            raise self._unreachable("the rest of the file is not to be had: it changed, or has no ETag")
        if self.have and self._restart:
            self._restart()
        self.have = 0
        self._tag = tag if tag and tag.startswith('"') else None  # a weak tag promises nothing about bytes
        encoded = response.headers.get("Content-Encoding", "identity") != "identity"
        self._total = int(length) if length.isdecimal() and not encoded else -1
        return 0

    def _unreachable(self, reason: str) -> ServerUnreachable:
        return ServerUnreachable(self._transport.url("/view"), reason, maybe_sent=True)
