"""What the editor's language makes of values: its numbers, its strings, its truth.

The editor reads every number as a double and prints it again; some of its rules turn values into text or numbers first.
"""

from __future__ import annotations

import json
import math
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from comfyclient.errors import WorkflowError

_EXACT = 2**53
"""Integers up to here are themselves in a double."""
_PLAIN = 10**21
"""From here on numbers are printed with an exponent."""
_TINY = 1e-6
"""Below this, too."""


def held(value: Any) -> Any:
    """A copy of a JSON document as the editor holds it in memory.

    Raises:
        WorkflowError: It is nested too deeply, or holds something that is not JSON.
    """
    try:
        return _held(value)
    except RecursionError:
        raise WorkflowError("the workflow is nested too deeply, or contains itself") from None
    except OverflowError:
        raise WorkflowError("the workflow has a number that is too large to be one") from None


def _held(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, (int, float)):
        return number(value) if math.isfinite(value) else None  # JSON has no such number
    if isinstance(value, dict):
        return {str(key): _held(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_held(entry) for entry in value]
    raise WorkflowError(f"the workflow holds a {type(value).__name__}, which JSON does not have")


def number(value: float) -> int | float:
    """A number after a double held and printed it."""
    if isinstance(value, int) and -_EXACT <= value <= _EXACT:
        return value
    double = float(value)
    if double.is_integer() and abs(double) < _PLAIN:
        return int(Decimal(repr(double)))  # the shortest digits that are this double, then zeros
    return double


def text(value: Any) -> str:
    """What ``String(value)`` says."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return _digits(value)
    if isinstance(value, list):
        return ",".join("" if entry is None else text(entry) for entry in value)
    return "null" if value is None else "[object Object]"


def _digits(value: float) -> str:
    if isinstance(value, int) or _TINY <= abs(value) < _PLAIN:
        return format(Decimal(repr(value)), "f")
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa}e{int(exponent):+d}"


def dumped(value: Any) -> str:
    """What ``JSON.stringify(value)`` says."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{dumped(key)}:{dumped(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(dumped(entry) for entry in value) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else text(value)


def truthy(value: Any) -> bool:
    """Whether the language takes it for true: an empty list is."""
    return isinstance(value, (list, dict)) or bool(value)


def to_number(value: Any) -> float:
    """What ``Number(value)`` says."""
    if value is None:
        return 0
    if isinstance(value, (bool, int, float)):
        return float(value)
    if isinstance(value, list):
        value = text(value)
    if isinstance(value, str):
        try:
            return float(value.strip() or 0)
        except ValueError:
            return math.nan
    return math.nan


def rounded(value: float) -> float:
    """What ``Math.round(value)`` says: halves go up."""
    if not math.isfinite(value):
        return value
    low = math.floor(value)
    return low + (value - low >= 0.5)  # noqa: PLR2004 - a half; added to the value, it would be lost in large ones


def fixed(value: float, places: int) -> float:
    """What ``Number(value.toFixed(places))`` says."""
    if not math.isfinite(value) or abs(value) >= _PLAIN:
        return value
    return float(Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))
