"""How wide a text is, and how it is shortened: as near as can be told without a font."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_NARROW = frozenset("iljtfrI.,:;'|!()[]{}/\\ ")
_BROAD = frozenset("mwMWGOQ@%&—…")
_TURNS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What turns the direction of the text around it: names from strangers' files must not do so."""


_LONGEST = 500
"""No line has more letters, whatever a file says."""


def clean(text: str) -> str:
    """The text in one line, without characters that XML, a terminal or a reader would trip over."""
    return " ".join("".join(map(_harmless, text[:_LONGEST])).split())


def clean_lines(text: str) -> str:
    """The same of a text of several lines."""
    return "\n".join("".join(map(_harmless, line)) for line in text.splitlines())


def _harmless(character: str) -> str:
    if " " <= character <= "~":
        return character
    if character in _TURNS:
        return ""
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    return "\ufffd" if category in {"Cs", "Cn"} else character


def width(text: str, size: float) -> float:
    """The width of a text in the usual fonts without serifs, of letters of this size."""
    return size * sum(map(_share, text))


@lru_cache(maxsize=4096)
def _share(character: str) -> float:
    if character in _NARROW:
        return 0.36
    if character in _BROAD:
        return 0.9
    if character.isascii():
        return 0.7 if character.isupper() else 0.6
    if unicodedata.combining(character):
        return 0
    return 1.05 if unicodedata.east_asian_width(character) in "WF" else 0.68


def columns(text: str) -> int:
    """How many columns of a terminal it takes."""
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in text
    )


def shortened(text: str, room: float, size: float) -> str:
    """As much of the text as fits into this width, with an ellipsis for the rest."""
    if width(text, size) <= room + 0.01:  # what is as wide as its room may differ in the last digit
        return text
    room -= width("…", size)
    end = 0
    for character in text:
        room -= size * _share(character)
        if room < 0:
            break
        end += 1
    return text[:end].rstrip() + "…"


def cut(text: str, limit: int) -> str:
    """As much of the text as fits into so many columns of a terminal."""
    if columns(text) <= limit:
        return text
    end, room = 0, limit - 1
    for character in text:
        room -= columns(character)
        if room < 0:
            break
        end += 1
    return text[:end].rstrip() + "…"
