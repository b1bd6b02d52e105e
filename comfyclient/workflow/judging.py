"""What the server makes of one value or one link given to one input: of which it says nothing, too.

Its own rules, as ComfyUI 0.30.0 has them. They decide for the builder as they do for ``Workflow.validate``.
"""

from __future__ import annotations

import operator
import posixpath
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from comfyclient.workflow.wording import kind_of, listed, nearest, shown

if TYPE_CHECKING:
    from comfyclient.types.nodes import InputInfo

EXCEPTION = "exception_during_validation"
"""The server's word where it trips over a value."""
CONVERSIONS: dict[str, Callable[[Any], Any]] = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}
"""The types whose values the server turns into what they should be, by Python's own rules."""

_ANY = frozenset({"*", "COMFY_MATCHTYPE_V3"})
_FEW = 20  # choices that a message lists one by one
_EXAMPLES = 5  # of a longer list
_LIMITS: tuple[tuple[str, Callable[[Any, Any], bool], str, str], ...] = (
    ("min", operator.lt, "value_smaller_than_min", "is below the minimum"),
    ("max", operator.gt, "value_bigger_than_max", "is above the maximum"),
)
# No catalogue tells which inputs a class checks itself, in place of the server's look at choices and limits. Of those
# of ComfyUI itself, these take anything, and LoadLatent takes any file that is there, as inputs for uploads do.
_LENIENT_CLASSES = frozenset({"CustomCombo", "Load3D", "Load3DAdvanced"})
_LENIENT_INPUTS = frozenset({"SelectModelDevice.device", "SelectCLIPDevice.device", "SelectVAEDevice.device"})
_FILES = frozenset({"LoadLatent.latent"})

TAKES_MORE = frozenset({"CustomCombo"})
"""The classes that take inputs that they do not declare."""


class Finding(NamedTuple):
    """What is wrong with a value or a link.

    Attributes:
        message: The reason, to follow the input's name: ``"is below the minimum 1"``.
        kind: The server's word for it; empty where the server says nothing.
        nearest: What is allowed and looks like it, best first.
    """

    message: str
    kind: str = ""
    nearest: tuple[Any, ...] = ()


def of_value(info: InputInfo, value: Any, class_type: str, is_socket: Callable[[InputInfo], bool]) -> Finding | None:
    """What is wrong with a constant.

    Args:
        info: The input.
        value: What is given for it; no bare list, which is a link.
        class_type: The class that has the input.
        is_socket: Whether an input takes links only.
    """
    if isinstance(value, Mapping) and "__value__" in value:
        value = value["__value__"]
    meant = value
    if convert := CONVERSIONS.get(info.type):
        try:
            meant = convert(value)
        except Exception:  # noqa: BLE001 - whatever it is: the server does the same
            return Finding(f"{shown(value)} is no {info.type}", "invalid_input_type")
    if finding := _not_allowed(info, meant, class_type):
        return finding
    if convert and _is_changed(value, meant):
        return Finding(f"{shown(value)} is {kind_of(value)}: the server makes {shown(meant)} of it")
    if not convert and value is not None and is_socket(info):
        return Finding(f"{shown(value)} is {kind_of(value)}, where only the output of a node will do: {info.type}")
    return None


def of_link(info: InputInfo, given: Any, class_type: str) -> Finding | None:
    """What is wrong with a link, by the type of the output that it takes; ``{}`` in the message stands for that."""
    if is_file(info, class_type) and class_type not in _LENIENT_CLASSES:
        return Finding("is looked at by the node before anything runs, when {} is not known yet", EXCEPTION)
    wanted = declared(info)
    if not fits(given, wanted):
        return Finding(f"wants {type_name(wanted)}, but {{}} is {type_name(given)}", "return_type_mismatch")
    if isinstance(wanted, str) and wanted in _ANY and not fits(given, ",".join(info.types)):  # where none looks
        return Finding(f"wants {' or '.join(info.types)}, but {{}} is {type_name(given)}")
    return None


def declared(info: InputInfo) -> Any:
    """The type as the server compares it: of a choice declared the old way, the list."""
    is_old = info.type == "COMBO" and info.choices is not None and info.choices is not info.options.get("options")
    return info.choices if is_old else info.type


def fits(given: Any, wanted: Any) -> bool:
    """Whether the server lets an output of one type be linked to an input of another."""
    # The old way of saying "any" is a string that claims not to differ from anything.
    if not given != wanted:  # noqa: SIM202
        return True
    if any(isinstance(kind, str) and kind in _ANY for kind in (given, wanted)):
        return True
    if isinstance(given, list) and wanted == "COMBO":
        return True
    if not isinstance(given, str) or not isinstance(wanted, str):
        return False
    givens, wanteds = ({each.strip() for each in kind.split(",")} for kind in (given, wanted))
    return "*" in givens | wanteds or not givens.isdisjoint(wanteds)


def takes_uploads(info: InputInfo) -> bool:
    """Whether it takes the name of a file that users upload."""
    return any(name.endswith("_upload") and value is True for name, value in info.options.items())


def of_missing(info: InputInfo, class_type: str) -> Finding:
    """What is wrong when an input is not given that is required."""
    if info.brings_more:  # then the server does not miss it
        return Finding("is missing; the server takes that, and the node fails")
    is_awaited = is_file(info, class_type) or class_type == "CustomCombo"
    return Finding("is missing", EXCEPTION if is_awaited else "required_input_missing")


def decides(info: InputInfo) -> bool:
    """Whether it is a choice on which other inputs depend. The server reads no link there."""
    return info.brings_more and info.choices is not None


def is_file(info: InputInfo, class_type: str) -> bool:
    """Whether the node looks itself whether the file is there."""
    return info.type == "COMBO" and (takes_uploads(info) or f"{class_type}.{info.name}" in _FILES)


def type_name(kind: Any) -> str:
    """How a message calls a type; a list of choices is one."""
    return "one of its choices" if isinstance(kind, list) else str(kind)


def not_among(value: Any, allowed: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """How a message goes on after a value that is not among the choices, and those that look like it."""
    if not allowed:
        return "will not do: the server has nothing to choose from there", ()
    if near := tuple(nearest(str(value), allowed)):
        return f"is not one of the {len(allowed)} choices; nearest: {listed(map(shown, near))}", near
    some = listed(map(shown, allowed), _FEW if len(allowed) <= _FEW else _EXAMPLES)
    return f"is not one of {some}", ()


def _not_allowed(info: InputInfo, value: Any, class_type: str) -> Finding | None:
    is_lenient = class_type in _LENIENT_CLASSES or f"{class_type}.{info.name}" in _LENIENT_INPUTS
    if is_file(info, class_type) and (value or not is_lenient):
        return _no_file(info, value)
    if is_lenient:
        return None
    return _beyond_limits(info, value) or _no_choice(info, value)


def _beyond_limits(info: InputInfo, value: Any) -> Finding | None:
    for key, is_beyond, kind, message in _LIMITS:
        limit = info.options.get(key)
        try:
            if key in info.options and is_beyond(value, limit):
                return Finding(f"{shown(value)} {message} {limit}", kind)
        except TypeError:
            wants = info.type.replace(",", " or ")
            return Finding(f"{shown(value)} is {kind_of(value)}, no {wants}", EXCEPTION)
    return None


def _no_choice(info: InputInfo, value: Any) -> Finding | None:
    if info.choices is None and info.type != "COMBO":
        return None
    allowed = info.choices or []
    several = info.options.get("multiselect") and isinstance(value, list)
    wrong = [each for each in (value if several else [value]) if each not in allowed]
    if not wrong:
        return None
    message, near = not_among(wrong[0], allowed)
    text = f"{shown(wrong[0])} {message}"
    if decides(info):  # the server looks for the inputs of that choice, and finds none
        return Finding(f"{text}; the server takes it, and the node fails", nearest=near)
    return Finding(text, "value_not_in_list", near)


def _no_file(info: InputInfo, value: Any) -> Finding | None:
    """The node looks for the file itself, wherever the value says that it is."""
    if not isinstance(value, str):
        return Finding(f"{shown(value)} is {kind_of(value)}, no name of a file", EXCEPTION)
    if info.choices is not None and value in info.choices:
        return None
    leads_out = posixpath.normpath(value).startswith("..")
    if not leads_out and (info.choices is None or not value or "/" in value or value.endswith("]")):
        return Finding(f"{shown(value)} is none of the files that the catalogue lists: only the server knows it")
    message, near = not_among(value, info.choices or ())
    return Finding(f"{shown(value)} {message}", "custom_validation_failed", near)


def _is_changed(value: Any, meant: Any) -> bool:
    """Whether turning a value into its type makes another one of it."""
    return (meant is not value and bool(meant != value)) or (isinstance(value, bool) and not isinstance(meant, bool))
