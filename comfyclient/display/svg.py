"""A layout as SVG."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from comfyclient.display import colors, lettering
from comfyclient.display.layers import BOLD, PAD, SMALL_SIZE, TITLE_SIZE, caption_of, output_name
from comfyclient.workflow.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from comfyclient.display.colors import Palette, Theme
    from comfyclient.display.layers import Layout, Placed, Point, Route

_NAMESPACE = "http://www.w3.org/2000/svg"
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
_SMALLEST = 0.55
"""As far as a page may shrink a drawing to its own width, before it has to be scrolled."""


def drawn(layout: Layout, reasons: Mapping[str, str], theme: Theme) -> str:
    """The drawing; with a ground and the size of its own, or as a part of a page that has both.

    Args:
        layout: What is where.
        reasons: Why nodes are red, by their ids.
        theme: Its colours.
    """
    palette = colors.PALETTES[theme]
    width, height = round(layout.width), round(layout.height)
    size = f'width="{width}" height="{height}"'
    if theme == "page":
        size = (
            f'style="display:block;width:100%;min-width:{round(width * _SMALLEST)}px;max-width:{width}px;height:auto"'
        )
    lines = [
        f'<svg xmlns="{_NAMESPACE}" {size} viewBox="0 0 {width} {height}" font-family="{_FONT}" role="img">',
        f"<title>A workflow of {len(layout.boxes)} nodes</title>",
    ]
    if palette.ground:
        lines.append(f'<rect width="{width}" height="{height}" rx="8" fill="{palette.ground}"/>')
    lines += (_link(route, layout) for route in layout.routes)
    kinds = {(route.wire.source, route.wire.slot): route.wire.kind for route in layout.routes}
    for placed in layout.boxes.values():
        lines += _box(placed, palette, reasons.get(placed.box.id))
        lines += _rows(placed, layout, palette, kinds)
        lines.append("</g>")
    return "\n".join([*lines, "</svg>"])


def _link(route: Route, layout: Layout) -> str:
    color = colors.ERROR if route.goes_back else colors.of_kind(route.wire.kind)
    off = any(layout.boxes[node_id].box.mode for node_id in (route.wire.source, route.target))
    dashes = ' stroke-dasharray="4 4"' if off or route.goes_back else ""
    return f'<path d="{_way(route)}" fill="none" stroke="{color}" stroke-width="1.6" stroke-opacity=".9"{dashes}/>'


def _way(route: Route) -> str:
    x, y = route.points[0]
    curves = (" ".join(f"{x:.1f} {y:.1f}" for x, y in points) for _, *points in route.curves())
    return f"M{x:.1f} {y:.1f}C{' '.join(curves)}"


def _box(placed: Placed, palette: Palette, reason: str | None) -> Iterator[str]:
    box = placed.box
    rim, thick = (colors.ERROR, 2.5) if reason is not None else (palette.rim, 1.0)
    if reason is None and box.is_output:
        rim, thick = colors.OUTPUT, 2.0
    off = ' opacity=".5"' if box.mode else ""
    dashes = ' stroke-dasharray="5 3"' if box.mode else ""
    yield f'<g{off} data-node="{_escaped(box.id)}">'
    yield f"<title>{escape(_hint(placed, reason))}</title>"
    ground = f'fill="{palette.box}"' + (' fill-opacity=".13"' if palette.ground is None else "")
    if reason is not None:
        ground = f'fill="{colors.ERROR}" fill-opacity=".16"'
    yield (
        f'<rect x="{placed.x:.1f}" y="{placed.y:.1f}" width="{placed.width:.1f}" height="{placed.height:.1f}" rx="6" '
        f'{ground} stroke="{rim}" stroke-width="{thick}"{dashes}/>'
    )
    room = placed.width - 2 * PAD
    left = placed.x + PAD
    title = lettering.shortened(box.title, room, BOLD)
    yield _text(title, (left, placed.y + 17), TITLE_SIZE, palette.text, ' font-weight="600"')
    caption = lettering.shortened(caption_of(box), room, SMALL_SIZE)
    color = colors.ERROR if reason is not None else colors.OUTPUT if box.is_output else palette.faint
    yield _text(caption, (left, placed.y + 31), SMALL_SIZE, color)


def _rows(placed: Placed, layout: Layout, palette: Palette, kinds: Mapping[tuple[str, int], str]) -> Iterator[str]:
    box, room = placed.box, placed.width - 2 * PAD
    left, right = placed.x + PAD, placed.x + placed.width - PAD
    for number, wire in enumerate(box.wires):
        y = placed.row(number)
        missing = wire.source not in layout.boxes
        color = colors.ERROR if missing else palette.faint
        name = f"{wire.name}: #{wire.source} is missing" if missing else wire.name
        yield _dot(placed.x, y, colors.ERROR if missing else colors.of_kind(wire.kind))
        yield _text(lettering.shortened(lettering.clean(name), room, SMALL_SIZE), (left, y + 3.5), SMALL_SIZE, color)
    for number, slot in enumerate(placed.slots):
        y = placed.row(number)
        taken = lettering.width(box.wires[number].name, SMALL_SIZE) + 12 if number < len(box.wires) else 0
        yield _dot(placed.x + placed.width, y, colors.of_kind(kinds.get((box.id, slot), "")))
        if name := lettering.shortened(output_name(box, slot), max(0.0, room - taken), SMALL_SIZE):
            yield _text(name, (right, y + 3.5), SMALL_SIZE, palette.faint, ' text-anchor="end"')


def _text(text: str, at: Point, size: float, color: str, more: str = "") -> str:
    faint = ' opacity=".75"' if color == "currentColor" and size < TITLE_SIZE else ""
    return (
        f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" font-size="{size:g}" fill="{color}"{faint}{more}>{escape(text)}</text>'
    )


def _dot(x: float, y: float, color: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="{color}"/>'


def _hint(placed: Placed, reason: str | None) -> str:
    """What is shown where the mouse rests: all of the title, and the values."""
    box = placed.box
    lines = [f"{box.title}: {caption_of(box)}"]
    if reason:
        lines.append(reason)
    lines += [f"{name}: {shown(value, 300)}" for name, value in box.values]
    return lettering.clean_lines("\n".join(lines))


def _escaped(text: str) -> str:
    return escape(lettering.clean(text))
