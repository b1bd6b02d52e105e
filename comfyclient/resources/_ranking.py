"""Which of a server's node classes are meant by a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def search(text: str, definitions: Mapping[str, Any]) -> list[str]:
    """The names of the classes in which all words of a text occur, best first; see ``Nodes.search``.

    Args:
        text: The words.
        definitions: The server's own descriptions of its nodes, by class.
    """
    words = text.casefold().split()
    ranked = []
    for name, entry in definitions.items():
        info = entry if isinstance(entry, dict) else {}
        rank = _rank(words, name, info)
        if rank is not None:
            ranked.append((rank, bool(info.get("deprecated")), len(name), name))
    return [name for *_, name in sorted(ranked)]


def _rank(words: list[str], class_type: str, info: Mapping[str, Any]) -> int | None:
    """How well a class fits: the lower the better, ``None`` for not at all."""
    aliases = info.get("search_aliases")
    names = [str(name).casefold() for name in (class_type, info.get("display_name")) if name]
    others = [str(alias).casefold() for alias in aliases] if isinstance(aliases, list) else []
    rest = [str(info.get(key) or "").casefold() for key in ("category", "description")]
    whole = {" ".join(words), "".join(words)}  # so that "load image" is LoadImage as well
    if whole & {*names}:
        return 0
    if whole & {*others}:
        return 1
    if any(name.startswith(tuple(whole)) for name in names):
        return 2
    seen = ""
    for rank, texts in enumerate((names, others, rest[:1], rest[1:]), start=3):
        seen = "\n".join((seen, *texts))
        if all(word in seen for word in words):
            return rank
    return None
