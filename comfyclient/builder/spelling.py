"""How a name of the server's is written in Python."""

from __future__ import annotations

import builtins
import keyword
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_RESERVED = frozenset({"self"})


def identifier(name: str) -> str:
    """The name itself, if it is one in Python; else with ``__`` for a dot, and ``_`` for what else is none."""
    text = "_".join(filter(None, re.split(r"[^\w.]+", name))).replace(".", "__")
    if not text or text[0].isdecimal() or not text.isidentifier():
        text = f"_{re.sub(r'[^0-9A-Za-z_]', '_', text)}"
    return f"{text}_" if keyword.iskeyword(text) or text in _RESERVED else text


def spelled(names: Iterable[str]) -> dict[str, str]:
    """The names by how they are written; where two are written alike, only the first can be."""
    names = list(names)
    found = {name: name for name in names if identifier(name) == name}
    for name in names:
        found.setdefault(identifier(name), name)
    return found


def distinct(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """How names are written of which some may be alike: ``GLB``, ``GLB_2``."""
    words = Words(taken)
    return [words.new(identifier(name)) for name in names]


class Words:
    """Words that are taken, and how another one is found."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._numbers: dict[str, int] = {}  # the last that a word was given; the lower ones are taken for good

    def take(self, word: str) -> None:
        """Nobody gets this one any more."""
        self._taken.add(word)

    def new(self, word: str) -> str:
        """The word, or with a number that makes it another one than those that are taken; it is taken from now on."""
        stem, found = word.rstrip("_"), word
        while found in self._taken:
            self._numbers[stem] = number = self._numbers.get(stem, 1) + 1
            found = f"{stem}_{number}"
        self._taken.add(found)
        return found


def variable(text: str) -> str:
    """A name for a variable: ``"Load Checkpoint"`` and ``"LoadCheckpoint"`` make ``load_checkpoint``."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z]{2})(?=[A-Z][a-z])", "_", text)
    word = "_".join(re.findall(r"[0-9a-z]+", parted.lower())) or "node"
    word = f"_{word}" if word[0].isdecimal() else word
    return f"{word}_" if keyword.iskeyword(word) or hasattr(builtins, word) else word
