"""A mapping that builds its values on access, and a value that is got once."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from comfyclient._lazy import Kept, LazyMapping
from tests.conftest import PATIENCE, soon

if TYPE_CHECKING:
    from collections.abc import Iterator

# --- mappings -----------------------------------------------------------------------------------------------


def test_values_are_built_when_they_are_looked_at() -> None:
    built: list[int] = []

    def build(raw: int) -> str:
        built.append(raw)
        return str(raw)

    lazy = LazyMapping({"a": 1, "b": 2}, build)
    assert (len(lazy), list(lazy), "a" in lazy, "c" in lazy) == (2, ["a", "b"], True, False)
    assert built == []
    assert lazy["b"] == "2"
    assert built == [2]
    assert dict(lazy) == {"a": "1", "b": "2"}


def test_it_is_a_mapping_like_any_other() -> None:
    lazy = LazyMapping({"a": 1}, str)
    assert isinstance(lazy, Mapping)
    assert lazy == {"a": "1"}
    assert lazy == LazyMapping({"a": 1}, str)
    assert lazy != {"a": "2"}
    assert repr(lazy) == "{'a': '1'}"
    assert lazy.get("b") is None
    with pytest.raises(KeyError):
        lazy["b"]
    with pytest.raises(TypeError):
        hash(lazy)


def test_it_survives_copying_and_pickling() -> None:
    lazy = LazyMapping({"a": 1}, str)
    assert copy.deepcopy(lazy) == pickle.loads(pickle.dumps(lazy)) == lazy  # noqa: S301 - our own


# --- values that are kept -----------------------------------------------------------------------------------


class Source:
    """Gives 1, 2, 3, ...; each number when it is let out, or the error that is put in its place."""

    def __init__(self) -> None:
        self.asked = 0
        self.gates: dict[int, threading.Event] = {}
        self.errors: dict[int, BaseException] = {}
        self._lock = threading.Lock()  # guards asked

    def __call__(self) -> int:
        with self._lock:
            self.asked += 1
            number = self.asked
        if number in self.gates:
            assert self.gates[number].wait(PATIENCE)
        if number in self.errors:
            raise self.errors[number]
        return number


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as executor:
        yield executor


def test_a_value_is_got_once_and_kept(source: Source) -> None:
    kept = Kept(source)
    assert (kept.value, source.asked) == (None, 0)
    assert [kept.get(), kept.get(), kept.value] == [1, 1, 1]
    assert [kept.renew(), kept.get(), kept.value] == [2, 2, 2]


def test_a_value_can_be_changed_once_it_is_there(source: Source) -> None:
    kept = Kept(source)
    kept.change(lambda value: value + 10)
    assert kept.value is None
    kept.get()
    kept.change(lambda value: value + 10)
    assert kept.get() == 11


def test_what_could_not_be_got_is_got_by_the_next_one(source: Source) -> None:
    kept = Kept(source)
    source.errors[1] = ValueError("no")
    with pytest.raises(ValueError, match="no"):
        kept.get()
    assert (kept.value, kept.get()) == (None, 2)


def test_an_error_leaves_the_old_value(source: Source) -> None:
    kept = Kept(source)
    kept.get()
    source.errors[2] = ValueError("no")
    with pytest.raises(ValueError, match="no"):
        kept.renew()
    assert kept.get() == 1


@pytest.fixture
def held(source: Source) -> Iterator[threading.Event]:
    """Opens the gate at which the first thread waits."""
    gate = source.gates[1] = threading.Event()
    yield gate
    gate.set()


def test_threads_that_want_it_at_once_have_it_got_once(
    source: Source, held: threading.Event, threads: ThreadPoolExecutor
) -> None:
    kept = Kept(source)
    futures = [threads.submit(kept.get) for _ in range(8)]
    assert soon(lambda: source.asked == 1)
    held.set()
    assert {future.result(PATIENCE) for future in futures} == {1}
    assert source.asked == 1


def test_they_share_the_error(source: Source, held: threading.Event, threads: ThreadPoolExecutor) -> None:
    kept = Kept(source)
    source.errors[1] = ValueError("no")
    first = threads.submit(kept.get)
    assert soon(lambda: source.asked == 1)
    others = [threads.submit(kept.get) for _ in range(3)]
    assert soon(threads._work_queue.empty)
    held.set()
    errors = [future.exception(PATIENCE) for future in (first, *others)]
    assert errors[0] is source.errors[1]
    assert all(error is None or error is errors[0] for error in errors), "those that came late have got it anew"


def test_but_not_an_interruption(source: Source, held: threading.Event, threads: ThreadPoolExecutor) -> None:
    kept = Kept(source)
    source.errors[1] = KeyboardInterrupt()
    first = threads.submit(kept.get)
    assert soon(lambda: source.asked == 1)
    others = [threads.submit(kept.get) for _ in range(3)]
    held.set()
    assert isinstance(first.exception(PATIENCE), KeyboardInterrupt)
    assert {future.result(PATIENCE) for future in others} == {2}


def test_whoever_wants_it_anew_gets_what_was_begun_after_that(
    source: Source, held: threading.Event, threads: ThreadPoolExecutor
) -> None:
    kept = Kept(source)
    first = threads.submit(kept.get)
    assert soon(lambda: source.asked == 1)
    assert kept.renew() == 2
    held.set()
    assert first.result(PATIENCE) == 1
    assert kept.get() == 2, "the older one, which came later, does not take its place"
