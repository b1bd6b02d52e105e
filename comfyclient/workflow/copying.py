"""Copies of nodes that share nothing that can be edited with what they were made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfyclient.errors import WorkflowError


def copied(node: Mapping[str, Any]) -> dict[str, Any]:
    """A node with the keys that it should have, and without ``is_changed``.

    Raises:
        WorkflowError: A value is nested too deeply.
    """
    meta = node.get("_meta")
    try:
        return {
            **{key: _plain(value) for key, value in node.items() if key != "is_changed"},
            "inputs": {name: _plain(value) for name, value in node.get("inputs", {}).items()},
            "_meta": _plain(dict(meta)) if isinstance(meta, Mapping) else {},
        }
    except RecursionError:
        raise WorkflowError("a value is nested too deeply, or contains itself") from None


def _plain(value: Any) -> Any:
    """A copy of JSON's containers; tuples become the lists that JSON makes of them, the rest is shared."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value
