"""A file that a node made, inline: a notebook holds what it shows, up to a limit, and needs no server afterwards."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

from comfyclient.display.html import Html, block, faint, link, pre, red
from comfyclient.display.lettering import clean
from comfyclient.display.words import size
from comfyclient.errors import ComfyError, first_line

if TYPE_CHECKING:
    from comfyclient.output_file import OutputFile

WHOLE = 256 << 10
"""Images up to this size are taken as they are, if browsers know them; others as WebP, which the server makes."""
MOST = {"image": 4 << 20, "video": 12 << 20, "audio": 12 << 20, "text": 64 << 10}
"""The bytes that a page holds of a file of each kind."""
_WEBP = "webp;85"
_MOVING = frozenset({"apng", "gif", "svg", "webp"})
"""Extensions of images that would stand still as WebP, or have no pixels."""
_KNOWN = frozenset({"avif", "bmp", "ico", "jfif", "jpeg", "jpg", "png", *_MOVING})


class _TooLargeError(Exception):
    def __init__(self, count: int | None) -> None:
        super().__init__(f"{size(count)} are too many for a page" if count else "it is too large for a page")


def of_file(file: OutputFile, *, width: int | None = None) -> Html:
    """A file above its name; or its name and the reason why it is not to be seen.

    Args:
        file: Which one.
        width: How wide an image or a video is at most, in pixels; ``None`` for as wide as it is.
    """
    content = reason = Html()
    try:
        content = _inline(file, f"max-width:min(100%,{width}px)" if width else "max-width:100%")
    except _TooLargeError as error:
        reason = faint(f" (not shown: {error})")
    except ComfyError as error:
        reason = red(f" (not shown: {first_line(str(error))})")
    return block(content, block(_name(file), reason, style="font-size:85%;overflow-wrap:anywhere"))


def _name(file: OutputFile) -> Html:
    name = clean(f"{file.subfolder}/{file.filename}" if file.subfolder else file.filename)
    return link(file.url or "", name)


def _inline(file: OutputFile, style: str) -> Html:
    if file.kind == "image":
        return Html(f'<img src="{_image(file)}" alt="{escape(clean(file.filename))}" style="{style}">')
    length = _length(file)
    if file.kind not in MOST:
        return faint(f"{file.kind} {size(length)}")
    content = _content(file, length)
    if file.kind == "text":
        return pre(content.decode(errors="replace"))
    source = _data(file.media_type, content)
    if file.kind == "video":
        return Html(f'<video controls loop muted src="{source}" style="{style}"></video>')
    return Html(f'<audio controls src="{source}"></audio>')


def _image(file: OutputFile) -> str:
    source, extension = file._source, file.filename.lower().rpartition(".")[2]  # noqa: SLF001 - one of our own
    length = _length(file)
    is_small = extension in _KNOWN and length is not None and length <= WHOLE
    if not isinstance(source, bytes) and extension not in _MOVING and not is_small:
        content = source.read(file, preview=_WEBP)
        if len(content) > MOST["image"]:
            raise _TooLargeError(length)
        return _data("image/webp", content)
    return _data(file.media_type, _content(file, length))


def _content(file: OutputFile, length: int | None) -> bytes:
    source, most = file._source, MOST[file.kind]  # noqa: SLF001 - one of our own
    if length is None or length <= most:
        content = source if isinstance(source, bytes) else source.read(file, end=most + 1)
        length = len(content)
        if length <= most:
            return content
        length = None  # there is more than was read
    raise _TooLargeError(length)


def _length(file: OutputFile) -> int | None:
    source = file._source  # noqa: SLF001 - one of our own
    return len(source) if isinstance(source, bytes) else source.stat(file).size


def _data(media_type: str, content: bytes) -> str:
    return f"data:{escape(media_type)};base64,{base64.b64encode(content).decode()}"
