"""What ``client.models`` returns."""

from typing import Any

from attrs import field, frozen

__all__ = ["ModelFile", "ModelFolder"]


@frozen
class ModelFile:
    """A model on the server.

    Attributes:
        name: Its path below its directory, such as ``"styles/foxes.safetensors"``: what loaders take. A server
            on Windows writes backslashes.
        pathIndex: In which of the folder's directories it lies: its number in ``ModelFolder.folders``.
        modified: When it was changed, in seconds since 1970.
        created: When it was made, or on Linux renamed or the like, in seconds since 1970.
        size: Its bytes.
        extra: What else the server said.
    """

    name: str
    pathIndex: int  # noqa: N815 - the server's name
    modified: float | None = None
    created: float | None = None
    size: int | None = None
    extra: dict[str, Any] = field(factory=dict)


@frozen
class ModelFolder:
    """A folder of models, which may be several directories of the server's machine.

    Attributes:
        name: What loaders and ``client.models`` call it, such as ``"loras"``.
        folders: The directories, as paths there.
        extensions: What names of models end with; servers of 2025 and before leave this out.
        extra: What else the server said.
    """

    name: str
    folders: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    extra: dict[str, Any] = field(factory=dict)
