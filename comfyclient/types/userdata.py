"""What ``client.userdata`` returns."""

from typing import Any

from attrs import field, frozen

__all__ = ["UserEntry", "UserFile"]

_LATEST_IN_SECONDS = 1e11
"""The year 5138 in seconds, and 1973 in milliseconds: what is above cannot be seconds."""


def _seconds(value: Any) -> Any:
    """The server has milliseconds in one answer and seconds in another, and its older versions seconds in both."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("a time is a number")
    return value / 1000 if value > _LATEST_IN_SECONDS else float(value)


@frozen
class UserFile:
    """A file of a user. Times are the server's clock in seconds since 1970, as ``time.time()`` has them.

    Servers of 2024 say nothing but the path.

    Attributes:
        path: Where it is, from the user's own directory on: ``"workflows/portrait.json"``. This is what the
            methods of ``client.userdata`` take.
        size: Its length in bytes.
        modified: When its content changed.
        created: When it appeared under this path, or, on Linux, was last changed in any way.
        extra: What else the server said.
    """

    path: str
    size: int | None = None
    modified: float | None = field(default=None, converter=_seconds)
    created: float | None = field(default=None, converter=_seconds)
    extra: dict[str, Any] = field(factory=dict)

    @property
    def name(self) -> str:
        """The last part of the path: ``"portrait.json"``."""
        return self.path.rpartition("/")[2]


@frozen
class UserEntry:
    """A file or a directory of a user.

    Attributes:
        path: Where it is, from the user's own directory on, as in ``UserFile``.
        name: The last part of the path.
        type: ``"file"`` or ``"directory"``.
        size: A file's length in bytes.
        modified: When a file's content changed: the server's clock in seconds since 1970.
        extra: What else the server said.
    """

    path: str
    name: str
    type: str
    size: int | None = None
    modified: float | None = field(default=None, converter=_seconds)
    extra: dict[str, Any] = field(factory=dict)
