"""``client.userdata``: the files that the editor keeps for a user."""

from __future__ import annotations

import json
import posixpath
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from attrs import evolve

from comfyclient._addresses import redact
from comfyclient.errors import NotFound, ServerError, Unsupported
from comfyclient.resources._answers import build, read
from comfyclient.resources._ids import checked_ids
from comfyclient.resources._noun import Noun
from comfyclient.resources.users import WHO, explaining_the_user
from comfyclient.types.userdata import UserEntry, UserFile

if TYPE_CHECKING:
    from collections.abc import Iterable

    import requests

    from comfyclient._http import Transport

__all__ = ["Userdata"]

Content: TypeAlias = "bytes | bytearray | memoryview | str | dict[str, Any] | list[Any] | tuple[Any, ...]"

_NO_DIRECTORY = ("Directory not found", "Requested path not found")
_UNROUTED = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
_HINTS: dict[int, str] = {
    400: "no file can be there: it is a directory, the way to it leads through a file, or its name is refused",
    403: "it is a directory, or something before the server refuses access",
    404: "there is no such file",
    409: "it exists already, and overwrite=True was not given",
    500: f"the server failed: perhaps it is a directory; or {WHO}",
}
"""What a status means to a request about a file; the server itself says little or nothing."""
_FIRST = "0.0.1"
"""What came in June 2024 was in the first version that had a number."""
_CURT = ("404: Not Found", "File already exists", "500 Internal Server Error")


class Userdata(Noun):
    """A user's own files on the server: the workflows that the editor saved, its settings, its style sheet.

    A *path* leads from the user's directory on, with forward slashes: ``"workflows/portrait.json"``. The
    editor lists what is below ``workflows``. Files are read and written as a whole; the server takes up to
    100 MB, unless it was started with another ``--max-upload-size``.

    Everything here runs in the caller's thread. Besides what its own text says, every method raises
    ``ServerUnreachable`` without a connection, ``RequestTimeout`` without an answer in time, ``ServerError``
    when the server refuses, and ``DecodeError`` for an answer that is not ComfyUI's; ``ValueError`` for a path
    that is empty or leaves the directory. If the server was started with ``--multi-user`` and does not know
    the client's ``user``, it is a ``ServerError`` 500, or, from ``tree``, an ``AuthenticationError``.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, directory: str = "", *, recurse: bool = False) -> tuple[UserFile, ...]:
        """Return the files in a directory, sorted by path (``GET /userdata``).

        Those whose names begin with a dot are left out. There are none in a directory that does not exist:
        directories come with the first file in them.

        Args:
            directory: Its path; ``""`` for the user's own.
            recurse: Return the files in all directories below, too.

        Raises:
            Unsupported: The server is older than June 2024.
        """
        start = _directory(directory)
        query = {"dir": _escaped(start), "recurse": "true" if recurse else None, "full_info": "true"}
        try:
            with explaining_the_user():
                response = self._transport.request("GET", "/userdata", params=query)
        except NotFound as error:
            if error.body:
                if error.body in _NO_DIRECTORY:
                    return ()
                raise
            self._require_lists()
            return ()
        found = _files(self._transport.parse(response), response.url)
        placed = (evolve(file, path=posixpath.normpath(posixpath.join(start, file.path))) for file in found)
        return tuple(sorted(placed, key=lambda file: file.path))

    def tree(self, directory: str = "") -> tuple[UserEntry, ...]:
        """Return all files and directories below a directory, at any depth (``GET /v2/userdata``).

        Directories come first, each part sorted by name, files beginning with a dot among them. There are none in
        a directory that does not exist.

        Args:
            directory: Its path; ``""`` for the user's own.

        Raises:
            Unsupported: The server is older than 0.3.30.
            ServerError: 400 if it is a file.
        """
        start = _directory(directory)
        query = {"path": None if start == "." else _escaped(_escaped(start))}  # it unescapes this one twice
        try:
            with explaining_the_user():
                response = self._transport.request("GET", "/v2/userdata", params=query, since="0.3.30")
        except NotFound as error:
            if error.body in _NO_DIRECTORY:
                return ()
            raise
        return read(self._transport, response, tuple[UserEntry, ...])

    def read(self, path: str) -> bytes:
        """Return a file's content (``GET /userdata/{file}``).

        Raises:
            NotFound: There is no such file.
            AuthenticationError: It is a directory (403).
        """
        # Compression allowed, the server would send the file of this name and ".gz" instead, if there is one.
        return self._request("GET", path, headers={"Accept-Encoding": "identity"}).content

    def write(self, path: str, data: Content, *, overwrite: bool = True) -> UserFile:
        """Write a file, and make the directories that lead to it (``POST /userdata/{file}``).

        It is sent once.

        Args:
            path: Where to.
            data: Bytes; text, to be stored as UTF-8; or a dict, list or tuple, to be stored as JSON.
            overwrite: Replace a file that exists; servers before June 2024 do so in any case.

        Raises:
            ServerError: 409 if the file exists and ``overwrite`` is off; 400 if there can be none, as where a
                directory is; 413 if it is too large.
            TypeError: The data are none of these, or JSON cannot hold them.
            ValueError: As JSON they would have NaN or infinity, which the editor could not read.
        """
        response = self._request("POST", path, params=_options(overwrite=overwrite), data=_bytes(data))
        return self._written(response, path)

    def delete(self, path: str) -> None:
        """Delete a file (``DELETE /userdata/{file}``). Directories stay, empty ones too.

        Raises:
            NotFound: There is no such file. It is also raised if the connection broke after the file was deleted,
                since the request is repeated then.
            ServerError: 500 if it is a directory.
            Unsupported: The server is older than June 2024.
        """
        self._request("DELETE", path)

    def move(self, source: str, destination: str, *, overwrite: bool = False) -> UserFile:
        """Move or rename a file or a directory (``POST /userdata/{file}/move/{dest}``).

        Directories that lead to the destination are made.

        Args:
            source: What to move.
            destination: Its new path, not that of a directory to move it into.
            overwrite: Replace a file that exists.

        Raises:
            NotFound: There is no such file.
            ServerError: 409 if the destination exists and ``overwrite`` is off.
            Unsupported: The server is older than June 2024.
        """
        response = self._request("POST", source, destination, params=_options(overwrite=overwrite))
        return self._written(response, destination)

    def _require_lists(self) -> None:
        """A 404 without a word: no such directory, as in the second half of 2024, or no such route.

        Raises:
            Unsupported: The latter.
        """
        try:
            self._transport.request("GET", "/userdata", since=_FIRST)
        except ServerError as error:
            if error.status != HTTPStatus.BAD_REQUEST:  # by which it says that it wants a directory
                raise

    def _written(self, response: requests.Response, path: str) -> UserFile:
        """The answer to what wrote a file: all about it, or its path, or, until June 2024, nothing."""
        data = self._transport.parse(response) if response.content else path
        return _files([data], response.url)[0]

    def _request(self, method: str, *paths: str, **options: Any) -> requests.Response:
        """Send a request about one file, or from one to another.

        Many proxies turn an escaped slash into a plain one, and then the server does not know the route. An escape
        that is escaped itself passes them, but only servers since 0.3 understand it; so that is the second try.
        """
        names = [_file(path) for path in paths]
        try:
            return self._transport.request(method, _route(map(_escaped, names)), **options)
        except ServerError as error:
            refusal = error
        if refusal.status in _UNROUTED and any("/" in name for name in names):
            try:
                return self._transport.request(method, _route(quote(name, safe="") for name in names), **options)
            except ServerError as error:
                refusal = refusal if refusal.status == error.status else error
        if refusal.status == HTTPStatus.METHOD_NOT_ALLOWED and (method == "DELETE" or len(paths) > 1):
            what = "DELETE /userdata/{file}" if method == "DELETE" else "POST /userdata/{file}/move/{dest}"
            raise Unsupported(what, _FIRST, self._transport.url(""))
        raise _explained(refusal, " to ".join(map(repr, paths)))


def _directory(path: str) -> str:
    """A directory's path without detours; ``"."`` for the user's own.

    Raises:
        TypeError: It is no string.
        ValueError: It leaves the user's directory.
    """
    checked_ids([path])
    normal = posixpath.normpath(path)
    if normal.startswith(("/", "../")) or normal == ".." or "\0" in path:
        raise ValueError(f"{path!r} is no path below the user's directory; write it like 'workflows/portrait.json'")
    return normal


def _file(path: str) -> str:
    """A file's path without detours.

    Raises:
        ValueError: It leaves the user's directory, or can only be a directory's.
    """
    normal = _directory(path)
    if normal == "." or path.endswith(("/", "/.", "/..")):
        raise ValueError(f"{path!r} is no file's path; write it like 'workflows/portrait.json'")
    return normal


def _escaped(path: str) -> str:
    """A path as the server wants it, which unescapes once more what aiohttp has unescaped for it."""
    return path.replace("%", "%25")


def _route(names: Iterable[str]) -> str:
    return "/userdata/" + "/move/".join(quote(name, safe="") for name in names)


def _options(*, overwrite: bool) -> dict[str, str]:
    return {"overwrite": "true" if overwrite else "false", "full_info": "true"}  # servers of mid-2024 want the former


def _bytes(data: Content) -> bytes:
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    if isinstance(data, (dict, list, tuple)):
        return json.dumps(data, allow_nan=False).encode()
    kind = type(data).__name__
    raise TypeError(f"bytes, text, or a dict or list can be written, not {kind}; a Workflow as its to_json()")


def _files(data: Any, url: str) -> tuple[UserFile, ...]:
    """Files as servers list them: with all about them, or, in 2024, by path alone."""
    if isinstance(data, list):
        data = [{"path": item} if isinstance(item, str) else item for item in data]
    return build(data, tuple[UserFile, ...], redact(url))


def _explained(error: ServerError, what: str) -> ServerError:
    """The same error; saying what the status means where the server says little. A long name may be cut off."""
    hint = _HINTS.get(error.status)
    if hint and (not error.body or (isinstance(error.body, str) and error.body.startswith(_CURT))):
        return type(error)(error.status, f"{hint}: {what}", error.method, error.url)
    return error
