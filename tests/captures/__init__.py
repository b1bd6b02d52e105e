"""What real servers sent, by version."""

import copy
import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def capture(name: str, version: str = "0.30.0") -> Any:
    """The parsed body that a server of this version sent."""
    return json.loads((HERE / version / f"{name}.json").read_bytes())


@cache
def _comparison() -> dict[str, Any]:
    found: dict[str, Any] = capture("version_comparison", "")
    return found


def compared(title: str, version: str) -> Any:
    """A cell of ``version_comparison.json``, as it stands there."""
    return copy.deepcopy(_comparison()[title][version])


@cache
def catalog() -> dict[str, Any]:
    """Every node class of a ComfyUI 0.30.0 without paid services, and those of our tests; not to be changed."""
    found: dict[str, Any] = json.loads(gzip.decompress((HERE / "0.30.0" / "object_info_all.json.gz").read_bytes()))
    return found
