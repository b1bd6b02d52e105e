"""Workflows and their drawings in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfyclient.display.html import Html, heading, joined
from comfyclient.display.words import counted

if TYPE_CHECKING:
    from comfyclient.display.drawing import Drawing
    from comfyclient.workflow import Workflow


def of_workflow(workflow: Workflow) -> Html:
    """The drawing, below a line that says what it is."""
    drawing = workflow.draw()
    note = "as the editor saved it" if workflow.needs_catalog else ""
    return joined([heading("Workflow", counted(len(drawing), "node"), note), of_drawing(drawing)])


def of_drawing(drawing: Drawing) -> Html:
    """As wide as the page, as far as it can be read then; the rest is scrolled to."""
    return Html(f'<div style="overflow:auto;max-height:85vh">{drawing.to_svg(theme="page")}</div>')
