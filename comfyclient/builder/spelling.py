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
    seen = set(taken)
    found = []
    for name in names:
        word = free(identifier(name), seen)
        seen.add(word)
        found.append(word)
    return found


def free(word: str, taken: Iterable[str]) -> str:
    """The word, or with a number that makes it another one than those that are taken."""
    taken = set(taken)
    number, found = 1, word
    while found in taken:
        number += 1
        found = f"{word.rstrip('_')}_{number}"
    return found


def variable(text: str) -> str:
    """A name for a variable: ``"Load Checkpoint"`` and ``"LoadCheckpoint"`` make ``load_checkpoint``."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z]{2})(?=[A-Z][a-z])", "_", text)
    word = "_".join(re.findall(r"[0-9a-z]+", parted.lower())) or "node"
    word = f"_{word}" if word[0].isdecimal() else word
    return f"{word}_" if keyword.iskeyword(word) or hasattr(builtins, word) else word
