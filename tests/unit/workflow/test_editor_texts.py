"""Texts, dates and numbers, as the editor's language has them."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Any

import pytest

from comfyclient.errors import WorkflowError
from comfyclient.workflow.editor import javascript, texts, to_api
from tests.editor import answers
from tests.editor.graphs import graph, node

MOMENT = dt.datetime(2026, 3, 7, 15, 4, 9, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("yyyy-MM-dd", "2026-03-07"),
        ("yy.M.d", "26.3.7"),
        ("hhmmss", "150409"),
        ("h:m:s", "15:4:9"),
        ("yyy", "yyy"),
        ("T at", "T at"),
    ],
)
def test_dates(pattern: str, wanted: str) -> None:
    assert texts.date(pattern, MOMENT) == wanted


def test_a_date_in_the_name_of_a_file() -> None:
    document = graph([node(1, "SaveImage", "images:IMAGE", "", ["%date:yyyy%/a_%date%_%a.b.c%"])])
    prefix = to_api(document, answers.catalogue())["1"]["inputs"]["filename_prefix"]
    assert re.fullmatch(r"20\d\d/a_%date%_%a\.b\.c%", prefix)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (True, "true"),
        (None, "null"),
        (7, "7"),
        (0.5, "0.5"),
        (1e21, "1e+21"),
        (1e-7, "1e-7"),
        (123456789012345680000.0, "123456789012345680000"),
        ([1, None, "x", [2]], "1,,x,2"),
        ({}, "[object Object]"),
    ],
)
def test_values_as_text(value: Any, text: str) -> None:
    assert javascript.text(value) == text


@pytest.mark.parametrize(
    ("value", "number"),
    [(None, 0), (True, 1), ("", 0), (" 2.5 ", 2.5), ("x", math.nan), ([3], 3), ([1, 2], math.nan), ({}, math.nan)],
)
def test_values_as_numbers(value: Any, number: float) -> None:
    assert javascript.to_number(value) == pytest.approx(number, nan_ok=True)


def test_rounding() -> None:
    assert [javascript.rounded(value) for value in (0.5, -0.5, 1.5, 0.49999999999999994)] == [1, 0, 2, 0]
    assert javascript.rounded(2.0**53 - 1) == 2**53 - 1
    assert math.isnan(javascript.rounded(math.nan))
    assert [javascript.fixed(1.005, 2), javascript.fixed(2.5, 0), javascript.fixed(1e22, 2)] == [1.0, 3.0, 1e22]


def test_numbers_beyond_what_a_double_holds() -> None:
    assert javascript.held([2**64 - 1, 2**53 + 1, 1.0, math.inf]) == [18446744073709552000, 9007199254740992, 1, None]
    with pytest.raises(WorkflowError, match="too large"):
        javascript.held(10**400)
    with pytest.raises(WorkflowError, match="holds a set"):
        javascript.held({"a": {1}})
