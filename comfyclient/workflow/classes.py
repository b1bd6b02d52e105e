"""The classes of nodes that a graph is compared with, from whatever a user has as a catalogue."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from comfyclient._convert import Misfit, structure
from comfyclient._lazy import LazyMapping
from comfyclient.errors import WorkflowError
from comfyclient.types.nodes import InputInfo, NodeInfo
from comfyclient.workflow.catalog import definitions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from comfyclient.workflow.catalog import Catalog

_WIDGETS = frozenset({"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "*"})


class Classes(LazyMapping[NodeInfo]):
    """A catalogue, each class of which is built once.

    Raises:
        WorkflowError: It is no catalogue; for a class that is described wrongly, when that is looked at.
    """

    def __init__(self, catalog: Catalog) -> None:
        super().__init__(definitions(catalog), lambda entry: structure(entry, NodeInfo))
        self._built: dict[str, NodeInfo] = {}
        self._declared: dict[str, tuple[dict[str, InputInfo], bool]] = {}

    def __getitem__(self, class_type: str) -> NodeInfo:
        built = self._built.get(class_type)
        if built is None:
            try:
                built = self._built[class_type] = super().__getitem__(class_type)
            except Misfit as misfit:
                message = f"the catalogue's description of {class_type!r} is none: {misfit}"
                raise WorkflowError(message) from None
        return built

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
        outputs = [entry.get("output") for entry in self.raw.values() if isinstance(entry, dict)]
        kinds = {kind for each in outputs for kind in each or () if isinstance(kind, str)}
        return frozenset(part for kind in kinds for part in kind.split(","))
