"""Whether JSON is a document as its class promises: neither more fields nor fewer, each of its type."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator


def check(value: Any, *documents: type) -> None:
    """Compare parsed JSON with classes of documents; it has to be one of them."""
    wrong = [list(_wrong(value, document, "")) for document in documents]
    assert [] in wrong, wrong


def _wrong(value: Any, kind: Any, path: str) -> Iterator[str]:
    """What does not fit, each with its path."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {types.UnionType, Union}:
        each = [list(_wrong(value, one, path)) for one in arguments]
        if [] not in each:
            yield from max(each, key=len)
    elif attrs.has(kind) or origin in {tuple, list, dict}:
        yield from _wrong_parts(value, kind, path)
    elif not _is(value, kind):
        yield f"{path}: {value!r} is no {kind}"


def _is(value: Any, kind: Any) -> bool:
    if kind is Any:
        return True
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def _wrong_parts(value: Any, kind: Any, path: str) -> Iterator[str]:
    parts: dict[Any, Any] = {}
    if attrs.has(kind):
        parts = get_type_hints(kind)
        fits = isinstance(value, dict) and [*value] == [*parts]
    elif get_origin(kind) is dict:
        fits = isinstance(value, dict)
        parts.update(dict.fromkeys(value, get_args(kind)[1]) if fits else {})
    else:
        fits = isinstance(value, list)
        parts.update(dict.fromkeys(range(len(value)), get_args(kind)[0]) if fits else {})
    if not fits:
        yield f"{path}: {value!r} is no {kind}"
        return
    for key, part in parts.items():
        yield from _wrong(value[key], part, f"{path}.{key}")
