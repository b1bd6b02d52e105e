"""How messages about a workflow name nodes, values and the nearest names."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from comfyclient.errors import WorkflowError

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_LINES = 10
_KINDS: dict[type, str] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}


class MissingError(WorkflowError, KeyError):
    """No such node or input: also a ``KeyError``, so that mapping methods such as ``get`` work."""

    __str__ = Exception.__str__  # KeyError's shows the repr of the sentence


def shown(value: Any, limit: int = 60) -> str:
    """The value as Python writes it, shortened."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deeply; an int of more digits than Python prints
        return kind_of(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def kind_of(value: Any) -> str:
    """What a message calls a value of this type."""
    name = type(value).__name__
    return _KINDS.get(type(value)) or f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def listed(texts: Iterable[str], limit: int = 8) -> str:
    """The texts in one line; of many only the first."""
    texts = list(texts)
    return ", ".join(texts[:limit]) + (f" and {len(texts) - limit} more" if len(texts) > limit else "")


def nearest(name: str, choices: Iterable[Any], cutoff: float = 0.6) -> list[Any]:
    """Up to three choices that look like the name, best first.

    Neither case nor the kind of slash matters, and a file of the same name in another folder comes first:
    those are the slips that a workflow from another machine brings along.
    """
    keys: dict[str, Any] = {}
    for choice in choices:
        keys.setdefault(_key(choice), choice)
    wanted = _key(name)
    same_file = [key for key in keys if key.rsplit("/", 1)[-1] == wanted.rsplit("/", 1)[-1]]
    return [keys[key] for key in dict.fromkeys(same_file + get_close_matches(wanted, keys, 3, cutoff))][:3]


def nearest_hint(name: str, choices: Iterable[Any]) -> str:
    """``; nearest: 'a', 'b'``, or nothing."""
    near = nearest(name, choices)
    return f"; nearest: {listed(map(shown, near))}" if near else ""


def natural(text: str) -> str:
    """A sort key that puts ``"9"`` before ``"10"`` and ``"104:9"`` before ``"104:10"``."""
    return re.sub(r"\d+", lambda digits: digits[0].zfill(20), text)


def report(problems: list[str], what: str = "the workflow") -> str:
    """One message for all problems."""
    if len(problems) == 1:
        return problems[0]
    lines = [f"{what} has {len(problems)} problems:", *(f"  - {p}" for p in problems[:_MOST_LINES])]
    if len(problems) > _MOST_LINES:
        lines.append(f"  … and {len(problems) - _MOST_LINES} more")
    return "\n".join(lines)


def _key(choice: Any) -> str:
    return str(choice).casefold().replace("\\", "/")
