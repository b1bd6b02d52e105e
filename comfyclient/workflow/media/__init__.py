"""Workflows inside the files that ComfyUI makes, each kind known by its content.

ComfyUI puts texts into its files as each format has them: the prompt that ran under ``prompt``, and what the editor
sent along under ``workflow``. Each parser here yields all texts of its format with their keys, lazily, since nobody
needs the rest of a video once the workflow is found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from attrs import field, frozen

from comfyclient.workflow.media import documents, films, images, sounds
from comfyclient.workflow.media.finds import Finds
from comfyclient.workflow.media.reader import CutOffError, DamagedError, Pieces, Reader

__all__ = ["HEAD", "Finds", "Format", "Pieces", "Reader", "find", "format_of"]

HEAD = 512
"""Bytes by which a format is known."""

_Parser = Callable[[Reader], Iterator[tuple[str, Any]]]


def _pattern(source: bytes) -> re.Pattern[bytes]:
    return re.compile(source, re.DOTALL)


@frozen
class Format:
    """A kind of file.

    Attributes:
        name: What a message calls it.
        begins: What its first bytes match.
        parse: Yields the texts in it; ``None`` where ComfyUI puts none.
    """

    name: str
    begins: re.Pattern[bytes] = field(converter=_pattern)
    parse: _Parser | None = None


# What may come before the first element of XML.
_PROLOGUE = rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*"

_FORMATS = (
    Format("a PNG image", rb"\x89PNG\r\n\x1a\n", images.png),
    Format("a WebP image", rb"RIFF.{4}WEBP", images.webp),
    Format("a JPEG image", rb"\xff\xd8\xff", images.jpeg),
    Format("an OpenEXR image", rb"\x76\x2f\x31\x01", images.exr),
    Format("an AVIF image", rb".{4}ftypavi[fs]", images.heif),
    Format("a HEIF image", rb".{4}ftyp(hei[cfsx]|mif1|msf1)", images.heif),
    Format("a QuickTime video", rb".{4}(ftypqt  |moov|wide)", films.mp4),
    Format("an M4A sound file", rb".{4}ftypM4[ABP] ", films.mp4),
    Format("an MP4 video", rb".{4}ftyp", films.mp4),
    Format("a WebM or Matroska video", rb"\x1aE\xdf\xa3", films.matroska),
    Format("a FLAC sound file", rb"fLaC", sounds.flac),
    Format("an Ogg sound file", rb"OggS", sounds.ogg),
    Format("an MP3 sound file", rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]", sounds.mp3),
    Format("a GLB model", rb"glTF", documents.glb),
    Format("a safetensors file", rb".{5}\0\0\0\{", documents.safetensors),
    Format("a web page", _PROLOGUE + rb"(?i:<(!doctype\s+html|html|head|body)\b)"),
    Format(
        "an SVG image", _PROLOGUE + rb"(<!DOCTYPE[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*<(\w+:)?svg\b", documents.svg
    ),
    Format("an XML document", _PROLOGUE + rb"<"),
    Format("a GIF image", rb"GIF8"),
    Format("a TIFF image", rb"II\*\0|MM\0\*"),
    Format("a BMP image", rb"BM.{4}\0{4}"),
    Format("a WAV sound file", rb"RIFF.{4}WAVE"),
    Format("an AVI video", rb"RIFF.{4}AVI "),
    Format("a PDF document", rb"%PDF-"),
    Format("a zip archive", rb"PK[\x03\x05]"),
    Format("a gzip archive", rb"\x1f\x8b"),
)


def format_of(head: bytes) -> Format | None:
    """The kind of file that begins so, if it is a known one. JSON is none of them."""
    return next((format_ for format_ in _FORMATS if format_.begins.match(head)), None)


def find(reader: Reader, format_: Format, prefer: str) -> tuple[Finds, str]:
    """What a file holds: at least the preferred one if it is there; and what is wrong with the file, if anything.

    Raises:
        OSError: It cannot be read.
    """
    finds = Finds()
    wrong = ""
    try:
        for key, text in format_.parse(reader) if format_.parse else ():
            finds.offer(key, text)
            if prefer in finds.graphs:
                break
    except CutOffError:
        wrong = "that is cut off"
    except DamagedError as error:
        wrong = f"that is damaged: {error}"
    return finds, wrong
