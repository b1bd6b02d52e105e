"""Values of exact types, and containers of them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import reduce
from types import GenericAlias, NoneType, UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from cattrs.cols import list_structure_factory
from cattrs.gen import make_mapping_structure_fn

if TYPE_CHECKING:
    from cattrs import Converter

Hook = Callable[[Any, Any], Any]


class _WrongTypeError(TypeError):
    """Names types only, since values may be secrets and their text may be long."""

    def __init__(self, due: tuple[type, ...], value: Any) -> None:
        super().__init__(f"{' or '.join(map(_name, due))} is due, not {_name(type(value))}")


_NAMES = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    dict: "an object",
    list: "an array",
    NoneType: "null",
}


def _name(kind: type) -> str:
    return _NAMES.get(kind, kind.__name__)


_NUMBER = (float, int)
EXACT: dict[Any, tuple[type, ...]] = {
    str: (str,),
    bool: (bool,),
    int: (int,),
    float: _NUMBER,
    int | float: _NUMBER,
    dict: (dict,),
    dict[str, Any]: (dict,),
    Mapping[str, Any]: (dict,),
    list: (list,),
    list[Any]: (list,),
}
"""Annotation: the classes that a value may have."""


def check(due: tuple[type, ...], value: Any) -> None:
    if value.__class__ not in due:
        raise _WrongTypeError(due, value)


def split_optional(annotation: Any) -> tuple[Any, bool]:
    """The annotation without ``None``, and whether it had it."""
    members = get_args(annotation) if get_origin(annotation) in {Union, UnionType} else ()
    if NoneType not in members:
        return annotation, False
    return reduce(operator.or_, [member for member in members if member is not NoneType]), True


def is_exact(annotation: Any) -> bool:
    return annotation in EXACT


def is_optional(annotation: Any) -> bool:
    return split_optional(annotation)[1]


def is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list


def is_tuple(annotation: Any) -> bool:
    return get_origin(annotation) is tuple


def is_mapping(annotation: Any) -> bool:
    return get_origin(annotation) in {dict, Mapping}


def exact_hook(annotation: Any, _: Converter) -> Hook:
    due = EXACT[annotation]

    def structure_exactly(value: Any, _: Any) -> Any:
        check(due, value)
        return value

    return structure_exactly


def optional_hook(annotation: Any, converter: Converter) -> Hook:
    inner, _ = split_optional(annotation)
    structure_inner = converter.get_structure_hook(inner)

    def structure_optional(value: Any, _: Any) -> Any:
        return None if value is None else structure_inner(value, inner)

    return structure_optional


def list_hook(annotation: Any, converter: Converter) -> Hook:
    structure_items = list_structure_factory(annotation, converter)

    def structure_list(value: Any, _: Any) -> Any:
        check((list,), value)  # cattrs itself would take the keys of an object
        return structure_items(value, annotation)

    return structure_list


def tuple_hook(annotation: Any, converter: Converter) -> Hook:
    items: Any = GenericAlias(list, get_args(annotation)[0])  # the tuples here are all tuple[X, ...]
    structure_items = list_structure_factory(items, converter)

    def structure_tuple(value: Any, _: Any) -> tuple[Any, ...]:
        check((list,), value)
        return tuple(structure_items(value, items))

    return structure_tuple


def mapping_hook(annotation: Any, converter: Converter) -> Hook:
    structure_values = make_mapping_structure_fn(annotation, converter, dict)

    def structure_mapping(value: Any, _: Any) -> Any:
        check((dict,), value)
        return structure_values(value, annotation)

    return structure_mapping


def reason(error: BaseException, _: type | None) -> str:
    if isinstance(error, _WrongTypeError):
        return str(error)
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing" if error.args else "a key is missing"
    return f"a {type(error).__name__} arose"
