"""A file that a node made, wherever it is now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from comfyclient._displayed import Displayed
from comfyclient._save import atomic_write, destination
from comfyclient._ui import Kind, kind_of, media_type_of
from comfyclient.errors import DecodeError
from comfyclient.resources.files import Files
from comfyclient.types import FileInfo

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from PIL.Image import Image

__all__ = ["OutputFile"]


@frozen(kw_only=True)
class OutputFile(Displayed):
    """A file that a node made: on the server, or in memory if it came over the websocket.

    Two are equal when they name the same file of the same node.

    Attributes:
        filename: The server's name for it; not fit for the disk as it is, ``save`` takes care of that.
        subfolder: The directory below that of its type.
        type: ``"output"``, ``"temp"`` or ``"input"``; ``"websocket"`` for one in memory.
        node_id: The node that made it, as the server says it.
        key: The name under which the node reported it, such as ``"images"``.
        raw: All that the node said about it, as sent.
    """

    filename: str
    subfolder: str = ""
    type: str = "output"
    node_id: str = ""
    key: str = field(default="", eq=False)
    raw: Mapping[str, Any] = field(factory=dict, eq=False, repr=False)
    _source: Files | bytes = field(repr=False, eq=lambda source: source if isinstance(source, bytes) else None)

    @property
    def kind(self) -> Kind:
        """What it is, by its extension, else by ``format``, else by the key. Animated images are images."""
        return kind_of(self.filename, self.format, self.key)

    @property
    def format(self) -> str | None:
        """The node's own word for the format, such as ``"video/h264-mp4"``."""
        format_ = self.raw.get("format")
        return format_ if isinstance(format_, str) else None

    @property
    def media_type(self) -> str:
        """The MIME type that goes with the extension."""
        return media_type_of(self.filename)

    @property
    def url(self) -> str | None:
        """Its address, without credentials; ``None`` for one in memory."""
        return None if isinstance(self._source, bytes) else self._source.url(self)

    @property
    def annotated(self) -> str:
        """As ``LoadImage`` and its like take it, to go on from here: ``"subfolder/name.png [output]"``."""
        return FileInfo(self.filename, self.subfolder, self.type).annotated

    def read(self) -> bytes:
        """Return its content (``GET /view``).

        Raises:
            NotFound: It is no longer on the server.
            ComfyError: As ``client.files.read`` says.
        """
        return self._source if isinstance(self._source, bytes) else self._source.read(self)

    def stream(self) -> Iterator[bytes]:
        """Iterate over its content in pieces of 256 KB, in constant memory; see ``client.files.stream``."""
        return iter((self._source,)) if isinstance(self._source, bytes) else self._source.stream(self)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save it; it appears under its name only when it is complete.

        When the connection breaks, the rest is asked for, or everything if the file changed meanwhile.

        Args:
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

        Example:
            >>> image = client.run(workflow).images[0]
            >>> print(image.save("fox.png"), image.save("pictures/"))
            fox.png pictures/portrait_00001_.png
        """
        if not isinstance(self._source, bytes):
            return self._source.download(self, path, overwrite=overwrite)
        target = destination(path, self.filename)
        with atomic_write(target, overwrite=overwrite) as sink:
            sink.write(self._source)
        return target

    def pil(self) -> Image:
        """Return the image as a Pillow image.

        Raises:
            ImportError: Pillow is not installed; it comes with ``comfyclient[images]``.
            PIL.UnidentifiedImageError: It is no image that Pillow knows.
            DecodeError: It has more pixels than Pillow unpacks, which is twice ``PIL.Image.MAX_IMAGE_PIXELS``.
            ComfyError: As for ``read``.
        """
        try:
            from PIL import Image  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise ImportError("images need Pillow: pip install 'comfyclient[images]'") from error
        try:
            return Image.open(BytesIO(self.read()))
        except Image.DecompressionBombError as error:
            raise DecodeError(self.url or self.filename, (str(error),)) from None
