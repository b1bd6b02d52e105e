"""What ``client.users`` returns."""

from typing import Any

from attrs import field, frozen

__all__ = ["UsersInfo"]


@frozen
class UsersInfo:
    """Who uses a server.

    Attributes:
        storage: Where users' files are kept: ``"server"``.
        migrated: Without ``--multi-user``: whether the one user has a directory yet.
        users: With ``--multi-user``: all users' names, by id.
        extra: What else the server said.
    """

    storage: str | None = None
    migrated: bool | None = None
    users: dict[str, str] | None = None
    extra: dict[str, Any] = field(factory=dict)

    @property
    def multi_user(self) -> bool:
        """Whether the server tells users apart."""
        return self.users is not None
