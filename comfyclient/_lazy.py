"""What is put off: a mapping whose values are built when they are looked at, and a value that is got when wanted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Future
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


class Kept(Generic[T]):
    """A value that is dear to get: got when it is first wanted, and kept. For any number of threads.

    Those that want it while it is being got wait for the one that gets it, and share its error.
    """

    def __init__(self, get: Callable[[], T]) -> None:
        self._get = get
        self._lock = threading.Lock()  # guards what follows
        self._value: T | None = None
        self._first: Future[T] | None = None  # under way, for whoever wants the value
        self._begun = 0  # how often it was begun to be got
        self._age = 0  # which of those times the value is from

    @property
    def value(self) -> T | None:
        """The value, if it was got."""
        with self._lock:
            return self._value

    def get(self) -> T:
        """The value, got now if it is not there."""
        while True:
            with self._lock:
                if self._value is not None:
                    return self._value
                first, waiting = self._first, self._first is not None
                if first is None:
                    first = self._first = Future()
            if not waiting:
                return self._lead(first)
            try:
                return first.result()
            except CancelledError:  # Ctrl-C in the other thread, which is no business of this one
                continue

    def renew(self) -> T:
        """Get it anew, from now on: what was begun earlier does not count."""
        with self._lock:
            self._begun += 1
            age = self._begun
        value = self._get()
        with self._lock:
            if age > self._age:
                self._value, self._age = value, age
        return value

    def change(self, edit: Callable[[T], T]) -> None:
        """Put another value in the place of the one that is there, if one is; ``edit`` only computes it."""
        with self._lock:
            if self._value is not None:
                self._value = edit(self._value)

    def _lead(self, first: Future[T]) -> T:
        try:
            value = self.renew()
        except Exception as error:
            self._end_first()
            first.set_exception(error)
            raise
        except BaseException:
            self._end_first()
            first.cancel()
            raise
        self._end_first()
        first.set_result(value)
        return value

    def _end_first(self) -> None:
        with self._lock:
            self._first = None
