"""The texts in what is no picture, film or sound: SVG, GLB, safetensors."""

from __future__ import annotations

import html
import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from comfyclient.workflow.media.reader import LARGEST, DamagedError, Reader, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_METADATA = re.compile(r"<metadata\b[^>]{0,1000}>\s*(?P<cdata><!\[CDATA\[\s*)?")
_MOST_TRIES = 20
_JSON_CHUNK = b"JSON"


def svg(reader: Reader) -> Iterator[tuple[str, Any]]:
    """The JSON in ``<metadata>``.

    Not by an XML parser: ComfyUI escapes nothing, so that a ``]]>`` or ``</metadata>`` in a prompt would end it there,
    while the JSON itself says where it ends.
    """
    text = text_of(reader.up_to(LARGEST))
    for metadata in islice(_METADATA.finditer(text), _MOST_TRIES):
        content = text[metadata.end() :]
        if not metadata["cdata"]:
            content = html.unescape(content.partition("</metadata")[0])
        try:
            value, _ = json.JSONDecoder().raw_decode(content)
        except (ValueError, RecursionError):
            continue
        yield from _texts(value)


def glb(reader: Reader) -> Iterator[tuple[str, Any]]:
    """The asset's extras."""
    reader.read(12)
    size, kind = reader.number(4, "little"), reader.read(4)
    if kind != _JSON_CHUNK:
        raise DamagedError("it does not begin with its description")
    model = _parsed(reader.read(size))
    for holder in (model.get("asset"), model):
        if isinstance(holder, dict):
            yield from _texts(holder.get("extras"))


def safetensors(reader: Reader) -> Iterator[tuple[str, Any]]:
    """The metadata of the header."""
    yield from _texts(_parsed(reader.read(reader.number(8, "little"))).get("__metadata__"))


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise DamagedError("its description is no JSON") from None
    if not isinstance(value, dict):
        raise DamagedError("its description is no object")
    return value


def _texts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
