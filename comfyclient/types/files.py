"""What names a file on the server, and what it is like."""

from typing import Any

from attrs import field, frozen

__all__ = ["FileInfo", "FileStat"]


@frozen
class FileInfo:
    """A file in one of the server's directories. Two are equal when they name the same file.

    Attributes:
        filename: Its name, without directories; called ``name`` in the answer to an upload.
        subfolder: The directory below that of its type, or ``""``.
        type: ``"input"``, ``"output"`` or ``"temp"``.
        extra: What else the server or the node said of it, such as ``frame_rate`` or an asset's ``id``.
    """

    filename: str
    subfolder: str = ""
    type: str = "output"
    extra: dict[str, Any] = field(factory=dict, eq=False)

    @property
    def annotated(self) -> str:
        """As ``LoadImage`` and its like take it, on any server: ``"subfolder/name.png [input]"``."""
        return f"{self.subfolder}/{self.filename} [{self.type}]" if self.subfolder else f"{self.filename} [{self.type}]"


@frozen
class FileStat:
    """What the server says of a file without sending it. Two differ when the file changed in between.

    Each is ``None`` where it does not say.

    Attributes:
        size: Its length in bytes.
        etag: A tag that changes with the file.
        modified: When it was written: the server's clock in seconds since 1970, rounded up to whole ones.
        media_type: Its MIME type, guessed from its extension.
    """

    size: int | None = None
    etag: str | None = None
    modified: float | None = None
    media_type: str | None = None
