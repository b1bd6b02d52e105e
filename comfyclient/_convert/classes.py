"""Classes: one function for each, generated to be fast or to explain."""

from __future__ import annotations

from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any

import attrs
from cattrs.gen import make_dict_structure_fn, override

from comfyclient._convert.exact import EXACT, check, exact_hook, is_mapping, optional_hook, split_optional

if TYPE_CHECKING:
    from cattrs import Converter

    from comfyclient._convert.exact import Hook


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
        annotation, nullable = split_optional(attribute.type)
        due = EXACT.get(annotation, ())
        if attribute.converter is not None:
            annotation, due = Any, (dict,) if is_mapping(annotation) else ()
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


def generated_hook(cls: type[Any], converter: Converter) -> Hook:
    """Generate the function that one would write by hand for a class.

    cattrs' own generator calls a Python function for each field, and needs another one around it for unknown
    keys. That adds half to the time of ``cls(data["a"], data["b"])``; this adds a fifth.
    """
    names: dict[str, Any] = {"cls": cls, "check": check}
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


def explaining_hook(cls: type[Any], converter: Converter) -> Hook:
    fields = _fields(cls)
    known = frozenset(field.name for field in fields)
    an_object = exact_hook(dict, converter), optional_hook(dict | None, converter)
    overrides: dict[str, Any] = {
        field.name: override(struct_hook=an_object[field.nullable]) for field in fields if field.due == (dict,)
    }
    if _has_extra(cls):
        overrides["extra"] = override(omit=True)
    inner: Hook = make_dict_structure_fn(
        cls, converter, _cattrs_detailed_validation=True, _cattrs_prefer_attrib_converters=True, **overrides
    )

    def structure_in_detail(data: Any, _: Any = None) -> Any:
        check((dict,), data)
        built = inner(data, cls)
        if _has_extra(cls):
            built.extra.update((key, value) for key, value in data.items() if key not in known)
        return built

    return structure_in_detail
