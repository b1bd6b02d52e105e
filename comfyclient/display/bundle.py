"""What a notebook is given for an object: its HTML, and the text that terminals show."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from comfyclient.display.html import Html, escaped
from comfyclient.display.notebook import shell
from comfyclient.errors import ComfyError, first_line

if TYPE_CHECKING:
    from collections.abc import Collection

_HOMES = {
    "Drawing": ("workflows", "of_drawing"),
    "History": ("prompts", "of_history"),
    "Job": ("jobs", "of_job"),
    "JobFailed": ("failures", "of_failure"),
    "NodeInfo": ("server", "of_node_info"),
    "NodeOutput": ("results", "of_node"),
    "OutputFile": ("results", "of_file"),
    "Problems": ("failures", "of_problems"),
    "PromptRejected": ("failures", "of_rejection"),
    "Queue": ("prompts", "of_queue"),
    "QueueState": ("prompts", "of_queue_state"),
    "Result": ("results", "of_result"),
    "SystemStats": ("server", "of_stats"),
    "Workflow": ("workflows", "of_workflow"),
}
"""The module and the function that make the HTML of a class."""


def bundle(shown: object, include: Collection[str] | None, exclude: Collection[str] | None) -> dict[str, Any]:
    """The forms of an object by MIME type, without those that nobody wants; only these are made.

    What cannot be had, from a server that does not answer, say, is no error here: the text stays, with the reason.
    """
    wanted = {"text/plain", "text/html"} if include is None else set(include)
    wanted -= set(exclude or ())
    found: dict[str, Any] = {}
    if "text/plain" in wanted:
        found["text/plain"] = str(shown) if _kind(shown) == "Drawing" else repr(shown)
    if "text/html" in wanted and (include is not None or _is_page()):
        found["text/html"] = html_of(shown)
    if "image/svg+xml" in wanted and hasattr(shown, "to_svg"):
        found["image/svg+xml"] = shown.to_svg()
    return found


def html_of(shown: object) -> Html:
    """An object as HTML; its text and the reason, where that cannot be had."""
    module, function = _HOMES[_kind(shown)]
    try:
        html: Html = getattr(importlib.import_module(f"comfyclient.display.{module}"), function)(shown)
    except ComfyError as error:
        return Html(f"<pre>{escaped(repr(shown))}</pre><p>It cannot be shown: {escaped(first_line(str(error)))}</p>")
    return html


def _kind(shown: object) -> str:
    return next(cls.__name__ for cls in type(shown).__mro__ if cls.__name__ in _HOMES)


def _is_page() -> bool:
    """Whether HTML is shown: IPython asks for it in terminals, too, where it would only take time."""
    here = shell()
    return here is None or "text/html" in here.display_formatter.active_types
