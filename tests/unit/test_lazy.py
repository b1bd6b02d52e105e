"""A mapping that builds its values on access."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping

import pytest

from comfyclient._lazy import LazyMapping


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
