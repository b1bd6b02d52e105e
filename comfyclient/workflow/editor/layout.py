"""Where nodes stand: in columns, each to the right of what feeds it, as large as what they show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from attrs import frozen

from comfyclient.workflow.columns import columns_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from comfyclient.workflow.editor.widgets import Face

Size: TypeAlias = tuple[int, int]

_LETTER = 8
"""Pixels of a letter; widths and heights of the editor's themes, rounded up."""
_ROW, _WIDGET, _TITLE = 20, 26, 30
_TALL = {"customtext": 200, "markdown": 200, "textarea": 120, "load3D": 320, "load3DAdvanced": 320, "painter": 320}
"""The heights of widgets that are more than a line."""
_PICTURE = 260
_WIDE = 400
"""The width of a node that has such a widget."""
_NARROW = 220
_GAP_X, _GAP_Y = 80, 40


@frozen
class Box:
    """A node to be placed.

    Attributes:
        size: Its width and height, without its title.
        sources: The nodes that feed it.
    """

    size: Size
    sources: Sequence[str]


def size(face: Face, outputs: Sequence[str], title: str, *, shows_picture: bool) -> Size:
    """How large a node is: a row for each pair of input and output, then its widgets, then a picture."""
    sockets = [slot.name for slot in face.slots if slot.widget is None]
    rows = max(len(sockets), len(outputs))
    pairs = [sum(len(names[row]) if row < len(names) else 0 for names in (sockets, outputs)) + 6 for row in range(rows)]
    fields = [len(widget.name) + len(str(widget.value or "")[:20]) + 6 for widget in face.widgets]
    width = max([_NARROW, (len(title) + 6) * _LETTER, *(length * _LETTER for length in pairs + fields)])
    tall = [_TALL.get(widget.kind, _WIDGET) for widget in face.widgets]
    if any(height > _WIDGET for height in tall):
        width = max(width, _WIDE)
    return width, rows * _ROW + sum(tall) + _PICTURE * shows_picture + 16


def arrange(boxes: Mapping[str, Box]) -> dict[str, tuple[int, int]]:
    """The place of every node's upper left corner.

    A node stands in the column after the last of those that feed it; one that nothing feeds, right before the first
    that it feeds itself. In a column, nodes are in the order of what feeds them, so that few links cross.
    """
    columns: list[list[str]] = []
    for node_id, number in columns_of({node_id: box.sources for node_id, box in boxes.items()}).items():
        columns += [[] for _ in range(number + 1 - len(columns))]
        columns[number].append(node_id)
    places: dict[str, tuple[int, int]] = {}
    middles: dict[str, float] = {}
    left = 0
    for column in columns:
        top = _TITLE
        for node_id in sorted(column, key=lambda node_id: _height(boxes[node_id], middles)):
            height = boxes[node_id].size[1]
            places[node_id] = (left, top)
            middles[node_id] = top + height / 2
            top += height + _TITLE + _GAP_Y
        left += max((boxes[node_id].size[0] for node_id in column), default=0) + _GAP_X
    return places


def _height(box: Box, middles: Mapping[str, float]) -> float:
    heights = [middles[source] for source in box.sources if source in middles]
    return sum(heights) / len(heights) if heights else 0
