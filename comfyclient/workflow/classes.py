"""The classes of nodes that a graph is compared with, from whatever a user has as a catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from comfyclient._convert import Misfit, structure
from comfyclient.errors import WorkflowError
from comfyclient.types.nodes import InputInfo, NodeInfo
from comfyclient.workflow.wording import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Catalog: TypeAlias = "Mapping[str, NodeInfo] | Mapping[str, Any]"
"""What ``client.nodes.list()`` returns, or the server's answer to ``GET /object_info``, parsed."""

_WIDGETS = frozenset({"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "*"})


class Classes(Mapping[str, NodeInfo]):
    """A catalogue, each class of which is built once.

    Raises:
        WorkflowError: It is no catalogue; for a class that is described wrongly, when that is looked at.
    """

    def __init__(self, catalog: Catalog) -> None:
        if not isinstance(catalog, Mapping):
            raise WorkflowError(f"a catalogue of nodes is what client.nodes.list() returns, not {kind_of(catalog)}")
        self._catalog = catalog
        self._built: dict[str, NodeInfo] = {}
        self._declared: dict[str, tuple[dict[str, InputInfo], bool]] = {}

    def __getitem__(self, class_type: str) -> NodeInfo:
        built = self._built.get(class_type)
        if built is None:
            built = self._built[class_type] = _read(class_type, self._catalog[class_type])
        return built

    def __contains__(self, class_type: object) -> bool:
        return class_type in self._catalog

    def __iter__(self) -> Iterator[str]:
        return iter(self._catalog)

    def __len__(self) -> int:
        return len(self._catalog)

    def inputs(self, class_type: str, values: Mapping[str, Any]) -> dict[str, InputInfo]:
        """The inputs that a node of this class can be given beside these: ``NodeInfo.inputs_for``, only faster."""
        if class_type not in self._declared:
            declared = self[class_type].inputs
            self._declared[class_type] = declared, any(info.brings_more for info in declared.values())
        declared, is_dynamic = self._declared[class_type]
        return self[class_type].inputs_for(values) if is_dynamic else declared

    def is_socket(self, info: InputInfo) -> bool:
        """Whether an input takes nothing but links, as far as a catalogue tells."""
        if {"default", "socketless", "widgetType"} & info.options.keys() or _WIDGETS & set(info.types):
            return False
        return bool(self._given.intersection(info.types))

    @cached_property
    def _given(self) -> frozenset[str]:
        """The types of all outputs."""
        raw = getattr(self._catalog, "raw", self._catalog)  # not built where that is not needed
        outputs = [entry.output if isinstance(entry, NodeInfo) else _outputs(entry) for entry in raw.values()]
        kinds = {kind for each in outputs for kind in each if isinstance(kind, str)}
        return frozenset(part for kind in kinds for part in kind.split(","))


def _outputs(entry: Any) -> list[Any]:
    found = entry.get("output") if isinstance(entry, dict) else None
    return found if isinstance(found, list) else []


def _read(class_type: str, entry: Any) -> NodeInfo:
    if isinstance(entry, NodeInfo):
        return entry
    try:
        return structure(entry, NodeInfo)
    except Misfit as misfit:
        raise WorkflowError(f"the catalogue's description of {class_type!r} is none: {misfit}") from None
