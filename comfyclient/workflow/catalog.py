"""What a server's nodes are, from wherever a user has that."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from comfyclient._lazy import LazyMapping
from comfyclient.errors import WorkflowError
from comfyclient.workflow.wording import kind_of

if TYPE_CHECKING:
    from comfyclient.types.nodes import NodeInfo

Catalog: TypeAlias = "Mapping[str, NodeInfo] | Mapping[str, Any] | str | os.PathLike[str] | bytes"
"""What ``client.nodes.list()`` returns, or the server's ``/object_info``: parsed, as JSON, or the path of a file."""


def definitions(catalog: Catalog) -> Mapping[str, Any]:
    """The server's own descriptions of its nodes, by class.

    Raises:
        WorkflowError: It is no catalogue.
        OSError: The file cannot be read.
    """
    if isinstance(catalog, LazyMapping):  # what client.nodes.list() returns
        raw: Mapping[str, Any] = catalog.raw
        return raw
    if isinstance(catalog, (str, bytes, os.PathLike)):
        catalog = _read(catalog)
    if not isinstance(catalog, Mapping):
        raise WorkflowError(f"a catalogue of nodes is what client.nodes.list() returns, not {kind_of(catalog)}")
    return {name: attrs.asdict(entry) if attrs.has(type(entry)) else entry for name, entry in catalog.items()}


def _read(catalog: str | bytes | os.PathLike[str]) -> Any:
    is_text = isinstance(catalog, bytes) or (isinstance(catalog, str) and catalog.lstrip()[:1] == "{")
    text = catalog if is_text else Path(os.fsdecode(catalog)).read_bytes()
    try:
        return json.loads(text)  # type: ignore[arg-type]  # no path any more
    except (ValueError, RecursionError) as error:
        raise WorkflowError(f"the catalogue of nodes is not JSON: {error}") from None
