"""A mapping whose values are built when they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class LazyMapping(Mapping[str, T], Generic[T]):
    """Parsed JSON on the outside, built values on access; a value is built anew each time and never kept.

    Attributes:
        raw: The parsed JSON.
    """

    __slots__ = ("_build", "raw")

    def __init__(self, raw: Mapping[str, Any], build: Callable[[Any], T]) -> None:
        self.raw = raw
        self._build = build

    def __getitem__(self, key: str) -> T:
        return self._build(self.raw[key])

    def __contains__(self, key: object) -> bool:
        return key in self.raw

    def __iter__(self) -> Iterator[str]:
        return iter(self.raw)

    def __len__(self) -> int:
        return len(self.raw)

    def __repr__(self) -> str:
        return repr(dict(self))

    __hash__ = None  # type: ignore[assignment]  # like every mapping that compares by content
