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

import operator
from collections.abc import Callable, Mapping
from functools import partial, reduce
from types import GenericAlias, MemberDescriptorType, NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import attrs
from cattrs import Converter, transform_error
from cattrs.cols import list_structure_factory
from cattrs.gen import make_dict_structure_fn, make_mapping_structure_fn, override

from comfyclient.types.files import FileInfo
from comfyclient.types.queue import PromptStatus, QueueItem

__all__ = ["Misfit", "explain", "hook", "structure"]

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]

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
        found = transform_error(error, format_exception=_reason)
    if len(found) > _MOST_PROBLEMS:
        found[_MOST_PROBLEMS:] = [f"and {len(found) - _MOST_PROBLEMS} more"]
    raise Misfit(tuple(found))


# --- exact types --------------------------------------------------------------------------------------------


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
_EXACT: dict[Any, tuple[type, ...]] = {
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


def _check(due: tuple[type, ...], value: Any) -> None:
    if value.__class__ not in due:
        raise _WrongTypeError(due, value)


def _split_optional(annotation: Any) -> tuple[Any, bool]:
    """The annotation without ``None``, and whether it had it."""
    members = get_args(annotation) if get_origin(annotation) in {Union, UnionType} else ()
    if NoneType not in members:
        return annotation, False
    return reduce(operator.or_, [member for member in members if member is not NoneType]), True


def _is_exact(annotation: Any) -> bool:
    return annotation in _EXACT


def _is_optional(annotation: Any) -> bool:
    return _split_optional(annotation)[1]


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list


def _is_tuple(annotation: Any) -> bool:
    return get_origin(annotation) is tuple


def _is_mapping(annotation: Any) -> bool:
    return get_origin(annotation) in {dict, Mapping}


def _exact_hook(annotation: Any, _: Converter) -> Hook:
    due = _EXACT[annotation]

    def structure_exactly(value: Any, _: Any) -> Any:
        _check(due, value)
        return value

    return structure_exactly


def _optional_hook(annotation: Any, converter: Converter) -> Hook:
    inner, _ = _split_optional(annotation)
    structure_inner = converter.get_structure_hook(inner)

    def structure_optional(value: Any, _: Any) -> Any:
        return None if value is None else structure_inner(value, inner)

    return structure_optional


def _list_hook(annotation: Any, converter: Converter) -> Hook:
    structure_items = list_structure_factory(annotation, converter)

    def structure_list(value: Any, _: Any) -> Any:
        _check((list,), value)  # cattrs itself would take the keys of an object
        return structure_items(value, annotation)

    return structure_list


def _tuple_hook(annotation: Any, converter: Converter) -> Hook:
    items: Any = GenericAlias(list, get_args(annotation)[0])  # the tuples here are all tuple[X, ...]
    structure_items = list_structure_factory(items, converter)

    def structure_tuple(value: Any, _: Any) -> tuple[Any, ...]:
        _check((list,), value)
        return tuple(structure_items(value, items))

    return structure_tuple


def _mapping_hook(annotation: Any, converter: Converter) -> Hook:
    structure_values = make_mapping_structure_fn(annotation, converter, dict)

    def structure_mapping(value: Any, _: Any) -> Any:
        _check((dict,), value)
        return structure_values(value, annotation)

    return structure_mapping


def _reason(error: BaseException, _: type | None) -> str:
    if isinstance(error, _WrongTypeError):
        return str(error)
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing" if error.args else "a key is missing"
    return f"a {type(error).__name__} arose"


# --- classes ------------------------------------------------------------------------------------------------


@attrs.frozen
class _Field:
    """What a class expects under one key."""

    name: str
    attribute: attrs.Attribute[Any]
    annotation: Any
    due: tuple[type, ...]
    nullable: bool

    @classmethod
    def of(cls, attribute: attrs.Attribute[Any]) -> _Field:
        annotation, nullable = _split_optional(attribute.type)
        due = _EXACT.get(annotation, ())
        if attribute.converter is not None:
            annotation, due = Any, (dict,) if _is_mapping(annotation) else ()
        return cls(attribute.name, attribute, annotation, due, nullable)

    @property
    def required(self) -> bool:
        return self.attribute.default is attrs.NOTHING

    @property
    def is_none_by_default(self) -> bool:
        return self.nullable and self.attribute.default is None


def _fields(cls: type[Any]) -> list[_Field]:
    attrs.resolve_types(cls)
    return [_Field.of(attribute) for attribute in attrs.fields(cls) if attribute.name != "extra"]


def _has_extra(cls: type[Any]) -> bool:
    return "extra" in attrs.fields_dict(cls)


def _generated_hook(cls: type[Any], converter: Converter) -> Hook:
    """Generate the function that one would write by hand for a class.

    cattrs' own generator calls a Python function for each field, and needs another one around it for unknown
    keys. That adds half to the time of ``cls(data["a"], data["b"])``; this adds a fifth.
    """
    names: dict[str, Any] = {"cls": cls, "check": _check}
    lines = [
        "def structure(data, _=None):",
        "    if data.__class__ is not dict: check((dict,), data)",
        "    absent = 0",
    ]
    values = {}
    fields = _fields(cls)
    for number, field in enumerate(fields):
        value = values[field.attribute] = f"v{number}"
        lines += [f"    {line}" for line in _read(field, value, converter, names)]
    if _has_extra(cls):
        known = names["known"] = frozenset(field.name for field in fields)
        unsure = [f"({field.name!r} in data)" for field in fields if field.is_none_by_default]
        values[attrs.fields_dict(cls)["extra"]] = "extra"
        lines += [
            "    extra = {}",
            f"    if len(data) + absent != {' + '.join([str(len(known) - len(unsure)), *unsure])}:",
            "        extra = {key: value for key, value in data.items() if key not in known}",
        ]
    lines += [f"    {line}" for line in _built(cls, values, names)]
    exec("\n".join(lines), names)  # noqa: S102 - of names that are ours, as attrs does it for __init__
    function: Hook = names["structure"]
    return function


def _built(cls: type[Any], values: dict[attrs.Attribute[Any], str], names: dict[str, Any]) -> list[str]:
    """The lines that build an object of what is in variables, and return it."""
    if not _is_plain(cls):
        arguments = (f"{attribute.alias}={value}" for attribute, value in values.items())
        return [f"return cls({', '.join(arguments)})"]
    # As the ``__init__`` of a frozen class does, which looks up each slot by its name and takes half as long again.
    names["new"] = object.__new__
    lines = ["self = new(cls)"]
    for attribute, value in values.items():
        names[f"set_{value}"] = getattr(cls, attribute.name).__set__
        names[f"convert_{value}"] = attribute.converter
        lines.append(f"set_{value}(self, {value if attribute.converter is None else f'convert_{value}({value})'})")
    return [*lines, "return self"]


def _is_plain(cls: type[Any]) -> bool:
    """Whether all that ``cls(...)`` does is to fill slots."""
    return (
        not hasattr(cls, "__attrs_pre_init__")
        and not hasattr(cls, "__attrs_post_init__")
        and all(
            isinstance(getattr(cls, attribute.name, None), MemberDescriptorType)
            and attribute.init
            and attribute.validator is None
            and not isinstance(attribute.converter, attrs.Converter)
            for attribute in attrs.fields(cls)
        )
    )


def _read(field: _Field, value: str, converter: Converter, names: dict[str, Any]) -> list[str]:
    """The lines that put a field's checked value into the variable ``value``."""
    default = field.attribute.default
    key = repr(field.name)
    if field.is_none_by_default:
        return [f"{value} = data.get({key})", *_checked(field, value, converter, names)]
    read = [f"{value} = data[{key}]", *_checked(field, value, converter, names)]
    if field.required:
        return read
    fallback = f"default_{value}"
    is_factory = isinstance(default, attrs.Factory)  # type: ignore[arg-type]  # typed as a function
    names[fallback] = default.factory if is_factory else default  # type: ignore[union-attr]
    call = "()" if is_factory else ""
    return [f"if {key} in data:", *(f"    {line}" for line in read), f"else: {value} = {fallback}{call}; absent += 1"]


def _checked(field: _Field, value: str, converter: Converter, names: dict[str, Any]) -> list[str]:
    """The lines that check the variable ``value``, or build what belongs there."""
    if field.due:
        wrong = [f"{value} is not None"] * field.nullable
        wrong += [f"{value}.__class__ is not {kind.__name__}" for kind in field.due]
        names[f"due_{value}"] = field.due
        return [f"if {' and '.join(wrong)}: check(due_{value}, {value})"]
    if field.annotation is Any:
        return []
    names[f"hook_{value}"] = converter.get_structure_hook(field.annotation)
    names[f"type_{value}"] = field.annotation
    unless = f" if {value} is not None else None" if field.nullable else ""
    return [f"{value} = hook_{value}({value}, type_{value}){unless}"]


def _explaining_hook(cls: type[Any], converter: Converter) -> Hook:
    fields = _fields(cls)
    known = frozenset(field.name for field in fields)
    an_object = _exact_hook(dict, converter), _optional_hook(dict | None, converter)
    overrides: dict[str, Any] = {
        field.name: override(struct_hook=an_object[field.nullable]) for field in fields if field.due == (dict,)
    }
    if _has_extra(cls):
        overrides["extra"] = override(omit=True)
    inner: Hook = make_dict_structure_fn(
        cls, converter, _cattrs_detailed_validation=True, _cattrs_prefer_attrib_converters=True, **overrides
    )

    def structure_in_detail(data: Any, _: Any = None) -> Any:
        _check((dict,), data)
        built = inner(data, cls)
        if _has_extra(cls):
            built.extra.update((key, value) for key, value in data.items() if key not in known)
        return built

    return structure_in_detail


# --- classes whose wire form differs ------------------------------------------------------------------------


def _queue_item(data: Any) -> Any:
    """The server sends an array; a sixth element, on some servers, holds secrets and is not for us."""
    _check((list,), data)
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
        (_is_list, _list_hook),
        (_is_tuple, _tuple_hook),
        (_is_mapping, _mapping_hook),
        (_is_optional, _optional_hook),
        (_is_exact, _exact_hook),
        (attrs.has, _reshaping(make_hook)),
    ):
        converter.register_structure_hook_factory(predicate, factory)
    for primitive in (str, bool, int, float):  # cattrs looks these up by class, before it asks the predicates
        converter.register_structure_hook(primitive, _exact_hook(primitive, converter))
    return converter


_FAST = _converter(_generated_hook, detailed=False)
_DETAILED = _converter(_explaining_hook, detailed=True)
