"""What ``--json`` prints: attrs classes, whose fields are documented, and how they become JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from attrs import fields, frozen, has

__all__ = ["ErrorDetails", "ErrorDocument", "ProblemDocument", "dumps"]


@frozen(kw_only=True)
class ProblemDocument:
    """One thing that is wrong with a workflow.

    Attributes:
        severity: ``"error"`` for what the server refuses; ``"warning"`` for what it takes, though it will hardly do
            what was meant.
        kind: The server's word for it, such as ``"value_not_in_list"``, or null where it says nothing.
        node_id: The node, or null if it is the workflow as a whole.
        class_type: Its class, or null.
        title: Its title in the editor, or its class, or null.
        input_name: The input, or null where none is to blame.
        message: What is wrong, in a sentence.
        suggestions: The nearest allowed names, best first.
    """

    severity: str
    kind: str | None
    node_id: str | None
    class_type: str | None
    title: str | None
    input_name: str | None
    message: str
    suggestions: tuple[str, ...] = ()


@frozen(kw_only=True)
class ErrorDetails:
    """What went wrong.

    Attributes:
        type: Its kind: the class of comfyclient's error, such as ``JobFailed``, or ``Usage``, ``File``, ``Interrupted``
            or ``Internal``.
        message: What a person is told.
        exit_code: The program's exit code.
        prompt_id: The job, if there is one.
        node_id: The node that failed, if one did.
        node_type: Its class.
        exception_type: The exception's class on the server, such as ``ValueError``.
        exception_message: Its text.
        traceback: The server's traceback, one text for each frame.
        problems: What the server, or a check, found wrong with the workflow.
    """

    type: str
    message: str
    exit_code: int
    prompt_id: str | None = None
    node_id: str | None = None
    node_type: str | None = None
    exception_type: str | None = None
    exception_message: str | None = None
    traceback: tuple[str, ...] = ()
    problems: tuple[ProblemDocument, ...] = ()


@frozen
class ErrorDocument:
    """What every command prints with ``--json`` when it fails, instead of its own document or after its last line.

    Attributes:
        error: What went wrong.
    """

    error: ErrorDetails


def dumps(document: Any, *, indent: int | None = None) -> str:
    """The JSON of a document, which any parser reads: ASCII, and null where a number is none."""
    return json.dumps(_plain(document), indent=indent, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if has(type(value)):
        return {attribute.name: _plain(getattr(value, attribute.name)) for attribute in fields(type(value))}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
