"""What servers of all ages say of their models."""

from __future__ import annotations

from typing import Any

import pytest

from comfyclient._convert import Misfit, structure
from comfyclient.types import ModelFile, ModelFolder


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"name": "a", "pathIndex": 1}, ModelFile("a", 1)),  # the first servers that had the route
        ({"name": "a", "pathIndex": 0, "modified": 1, "size": None}, ModelFile("a", 0, modified=1)),
        ({"name": "a", "pathIndex": 0, "hash": "x"}, ModelFile("a", 0, extra={"hash": "x"})),
    ],
)
def test_a_file(data: Any, expected: ModelFile) -> None:
    assert structure(data, ModelFile) == expected


@pytest.mark.parametrize("data", [{"name": "a"}, {"pathIndex": 0}, {"name": "a", "pathIndex": "0"}, "a"])
def test_what_is_no_file(data: Any) -> None:
    with pytest.raises(Misfit):
        structure(data, ModelFile)


def test_a_folder() -> None:
    data = {"name": "loras", "folders": ["/a", "/b"]}

    assert structure(data, ModelFolder) == ModelFolder("loras", ("/a", "/b"))
