"""Parsed JSON into attrs classes: every conversion rule of the SDK is here.

- A value must have exactly its field's type. ``None`` never becomes ``"None"``, ``"7"`` never becomes 7, and
  a bool is no number. A ``float`` field takes an int too, and keeps it as it is.
- Objects and arrays of anything (``Any``, ``dict[str, Any]``, ``Mapping[str, Any]``, ``list[Any]``) pass
  untouched and uncopied.
- Keys that a class does not know go to its field ``extra``, if it has one; a key named "extra" goes there,
  too.
- A field with an attrs converter of its own gets the raw value; if it is annotated as a mapping, that is an
  object.

Two converters apply these rules. The fast one structures, with one generated function for each class, and
says nothing useful when something does not fit. The detailed one then looks for the reasons.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
from cattrs import Converter, transform_error

from comfyclient._convert.classes import explaining_hook, generated_hook
from comfyclient._convert.exact import (
    Hook,
    check,
    exact_hook,
    is_exact,
    is_list,
    is_mapping,
    is_optional,
    is_tuple,
    list_hook,
    mapping_hook,
    optional_hook,
    reason,
    tuple_hook,
)
from comfyclient.types.files import FileInfo
from comfyclient.types.queue import PromptStatus, QueueItem

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Misfit", "explain", "hook", "structure"]

T = TypeVar("T")

_MOST_PROBLEMS = 10


class Misfit(ValueError):  # noqa: N818 - a finding, which its finder turns into an error
    """Data does not fit a class.

    Attributes:
        errors: What is wrong, each with its path, such as ``"a string is due, not null @ $.prompt_id"``.
    """

    def __init__(self, errors: tuple[str, ...]) -> None:
        """Keep the findings."""
        super().__init__("; ".join(errors))
        self.errors = errors


def structure(data: Any, cls: type[T]) -> T:
    """Build a ``cls``, or a ``dict`` or ``tuple`` of one, from parsed JSON.

    Raises:
        Misfit: It does not fit.
    """
    try:
        return hook(cls)(data)
    except Exception:  # noqa: BLE001 - whatever it is, the detailed converter names it
        return _in_detail(data, cls)


def hook(cls: type[T]) -> Callable[[Any], T]:
    """The function that builds a ``cls`` from parsed JSON; it raises anything when that does not fit."""
    function: Any = _FAST.get_structure_hook(cls)
    return function if attrs.has(cls) else partial(_call, function, cls)


def explain(error: Exception, data: Any, cls: type[Any]) -> str:
    """Say why a hook raised ``error``."""
    try:
        _in_detail(data, cls)
    except Misfit as misfit:
        return str(misfit)
    return f"{type(error).__name__}: {error}"


def _call(function: Hook, cls: Any, data: Any) -> Any:
    return function(data, cls)


def _in_detail(data: Any, cls: type[T]) -> T:
    try:
        return _DETAILED.structure(data, cls)
    except Exception as error:  # noqa: BLE001 - as in structure
        found = transform_error(error, format_exception=reason)
    if len(found) > _MOST_PROBLEMS:
        found[_MOST_PROBLEMS:] = [f"and {len(found) - _MOST_PROBLEMS} more"]
    raise Misfit(tuple(found))


# --- classes whose wire form differs ------------------------------------------------------------------------


def _queue_item(data: Any) -> Any:
    """The server sends an array; a sixth element, on some servers, holds secrets and is not for us."""
    check((list,), data)
    names = [attribute.name for attribute in attrs.fields(QueueItem) if attribute.name != "extra"]
    return dict(zip(names, data, strict=False))


def _prompt_status(data: Any) -> Any:
    """Until 2025 ``node_errors`` could be an array, an empty one."""
    if isinstance(data, dict) and data.get("node_errors") == []:
        return {**data, "node_errors": {}}
    return data


def _file_info(data: Any) -> Any:
    """Uploads are answered with ``name``; and packs exist that write null where they mean the default."""
    if not isinstance(data, dict):
        return data
    defaults = {"subfolder", "type"}
    data = {key: value for key, value in data.items() if value is not None or key not in defaults}
    if "filename" not in data and "name" in data:
        data["filename"] = data.pop("name")
    return data


_RESHAPES: dict[type[Any], Callable[[Any], Any]] = {
    FileInfo: _file_info,
    PromptStatus: _prompt_status,
    QueueItem: _queue_item,
}


def _reshaping(make_hook: Callable[[type[Any], Converter], Hook]) -> Callable[[type[Any], Converter], Hook]:
    def make(cls: type[Any], converter: Converter) -> Hook:
        structure_class = make_hook(cls, converter)
        reshape = _RESHAPES.get(cls)
        if reshape is None:
            return structure_class

        def structure_reshaped(data: Any, _: Any = None) -> Any:
            return structure_class(reshape(data), cls)

        return structure_reshaped

    return make


def _converter(make_hook: Callable[[type[Any], Converter], Hook], *, detailed: bool) -> Converter:
    converter = Converter(detailed_validation=detailed)
    for predicate, factory in (
        (is_list, list_hook),
        (is_tuple, tuple_hook),
        (is_mapping, mapping_hook),
        (is_optional, optional_hook),
        (is_exact, exact_hook),
        (attrs.has, _reshaping(make_hook)),
    ):
        converter.register_structure_hook_factory(predicate, factory)
    for primitive in (str, bool, int, float):  # cattrs looks these up by class, before it asks the predicates
        converter.register_structure_hook(primitive, exact_hook(primitive, converter))
    return converter


_FAST = _converter(generated_hook, detailed=False)
_DETAILED = _converter(explaining_hook, detailed=True)
