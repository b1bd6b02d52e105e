"""The client's nouns by name, such as ``queue`` and ``assets.tags``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfyclient import Client, resources

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLASSES = {getattr(resources, name) for name in resources.__all__}


def _nouns(owner: object, prefix: str = "") -> Iterator[tuple[str, type]]:
    for name, value in vars(owner).items():
        if type(value) in _CLASSES and not name.startswith("_"):
            yield f"{prefix}{name}", type(value)
            yield from _nouns(value, f"{prefix}{name}.")


with Client("http://127.0.0.1:8188") as client:  # nothing is sent
    NOUNS = dict(_nouns(client))
"""The class of each, as they are found from a client."""
