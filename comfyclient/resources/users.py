"""``client.users``: who uses the server."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from comfyclient.errors import ServerError
from comfyclient.resources._answers import get, read
from comfyclient.resources._ids import checked_ids
from comfyclient.resources._noun import Noun
from comfyclient.types.users import UsersInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comfyclient._http import Transport

__all__ = ["WHO", "Users", "explaining_the_user"]

WHO = (
    "the server was started with --multi-user and does not know the user; "
    "Client(user=...) takes an id of client.users.list().users"
)
_UNKNOWN_USER: dict[int, tuple[str, str]] = {
    401: ("401: Unauthorized", WHO),
    403: ("Invalid user specified in request", WHO),
    500: ("500 Internal Server Error", f"the server failed; perhaps {WHO}"),
}
"""By status: how the body begins with which the server's own routes answer an unknown user, and what it means."""


@contextmanager
def explaining_the_user() -> Iterator[None]:
    """Say what to do where an error is, or may be, the server's answer to a user that it does not know."""
    try:
        yield
    except ServerError as error:
        begin, meaning = _UNKNOWN_USER.get(error.status, ("", ""))
        if not begin or not isinstance(error.body, str) or not error.body.startswith(begin):
            raise
        raise type(error)(error.status, meaning, error.method, error.url) from None


class Users(Noun):
    """The users of a server that was started with ``--multi-user``.

    Each has settings and files of their own in ``client.settings`` and ``client.userdata``; queue, history,
    models and the files of ``client.files`` are everybody's. A client is one of them by ``Client(user=...)``;
    nothing keeps it from being another one.

    Everything here runs in the caller's thread. Besides what its own text says, every method raises
    ``ServerUnreachable`` without a connection, ``RequestTimeout`` without an answer in time, ``ServerError``
    when the server refuses, and ``DecodeError`` for an answer that is not ComfyUI's.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> UsersInfo:
        """Return whether the server tells users apart, and if so, which it has (``GET /users``)."""
        return get(self._transport, "/users", UsersInfo)

    def create(self, username: str) -> str:
        """Add a user to a server with ``--multi-user`` (``POST /users``).

        A server without does not refuse, but nothing comes of it. No user can be removed over HTTP.

        Args:
            username: What the editor calls them.

        Returns:
            The user's id, for ``Client(user=...)``: made of the name and some random part.

        Raises:
            ServerError: 400 for a name that is taken, empty, or begins with two underscores.
            TypeError: The name is no string.
        """
        (username,) = checked_ids([username])
        response = self._transport.request("POST", "/users", json_body={"username": username})
        return read(self._transport, response, str)
