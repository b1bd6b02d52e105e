"""A layout as a PNG image, drawn by Pillow."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING

from comfyclient.display import colors, lettering
from comfyclient.display.layers import BOLD, PAD, SMALL_SIZE, TITLE_SIZE, caption_of, output_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

    from comfyclient.display.colors import Palette, Theme
    from comfyclient.display.layers import Layout, Placed, Point, Route

_MOST_PIXELS = 40_000_000
_STEPS = 16  # straight pieces of a curve
_LATIN = 0x24F
_FONTS = ("NotoSansCJK-Regular.ttc", "DejaVuSans.ttf", "msyh.ttc", "Arial Unicode.ttf", "Arial.ttf")
"""Those that may know letters beyond Pillow's own, as far as the machine has them."""


def drawn(layout: Layout, reasons: Mapping[str, str], theme: Theme, scale: float) -> bytes:
    """The drawing as a PNG file.

    Args:
        layout: What is where.
        reasons: Why nodes are red, by their ids.
        theme: Its colours.
        scale: Pixels for each unit of the layout; fewer for a drawing that would be huge.

    Raises:
        ImportError: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ImportError("PNG drawings need Pillow: pip install 'comfyclient[images]'") from error
    scale = min(scale, (_MOST_PIXELS / (layout.width * layout.height)) ** 0.5)
    palette = colors.PALETTES[theme]
    fine = 2 if 4 * layout.width * layout.height * scale**2 <= _MOST_PIXELS else 1  # for smooth lines
    size = (max(1, round(layout.width * scale)), max(1, round(layout.height * scale)))
    image = Image.new("RGB", (size[0] * fine, size[1] * fine), palette.ground or "#ffffff")
    _Painter(ImageDraw.Draw(image), layout, palette, scale * fine).paint(reasons)
    file = BytesIO()
    (image.resize(size, Image.Resampling.LANCZOS) if fine > 1 else image).save(file, "PNG", optimize=False)
    return file.getvalue()


class _Painter:
    def __init__(self, draw: ImageDraw, layout: Layout, palette: Palette, scale: float) -> None:
        self._draw = draw
        self._layout = layout
        self._palette = palette
        self._scale = scale

    def paint(self, reasons: Mapping[str, str]) -> None:
        kinds: dict[tuple[str, int], str] = {}
        for route in self._layout.routes:
            kinds[route.wire.source, route.wire.slot] = route.wire.kind
            self._link(route)
        for placed in self._layout.boxes.values():
            self._box(placed, is_red=placed.box.id in reasons)
            self._rows(placed, kinds)

    def _link(self, route: Route) -> None:
        color = colors.ERROR if route.goes_back else colors.of_kind(route.wire.kind)
        off = any(self._layout.boxes[node_id].box.mode for node_id in (route.wire.source, route.target))
        points = [(x * self._scale, y * self._scale) for x, y in _way(route)]
        pieces = [points[at : at + 2] for at in range(0, len(points) - 1, 2)] if off or route.goes_back else [points]
        for piece in pieces:
            self._draw.line(piece, color, self._thick(1.6))

    def _box(self, placed: Placed, *, is_red: bool) -> None:
        box, palette = placed.box, self._palette
        rim, thick = (colors.ERROR, 2.5) if is_red else (colors.OUTPUT, 2.0) if box.is_output else (palette.rim, 1.0)
        ground = _mixed(colors.ERROR, palette.ground or "#ffffff", 0.16) if is_red else palette.box
        text = _mixed(palette.text, ground, 0.5) if box.mode else palette.text
        corners = [placed.x, placed.y, placed.x + placed.width, placed.y + placed.height]
        ends = [corner * self._scale for corner in corners]
        self._draw.rounded_rectangle(ends, 6 * self._scale, ground, rim, self._thick(thick))
        room = placed.width - 2 * PAD
        left = placed.x + PAD
        self._text(lettering.shortened(box.title, room, BOLD), (left, placed.y + 17), TITLE_SIZE, text)
        faint = colors.ERROR if is_red else colors.OUTPUT if box.is_output else palette.faint
        caption = lettering.shortened(caption_of(box), room, SMALL_SIZE)
        self._text(caption, (left, placed.y + 31), SMALL_SIZE, faint)

    def _rows(self, placed: Placed, kinds: Mapping[tuple[str, int], str]) -> None:
        box, faint = placed.box, self._palette.faint
        room = placed.width - 2 * PAD
        for number, wire in enumerate(box.wires):
            missing = wire.source not in self._layout.boxes
            color = colors.ERROR if missing else colors.of_kind(wire.kind)
            name = lettering.clean(f"{wire.name}: #{wire.source} is missing") if missing else wire.name
            y = placed.row(number)
            self._dot(placed.x, y, color)
            name = lettering.shortened(name, room, SMALL_SIZE)
            self._text(name, (placed.x + PAD, y + 3.5), SMALL_SIZE, color if missing else faint)
        for number, slot in enumerate(placed.slots):
            taken = lettering.width(box.wires[number].name, SMALL_SIZE) + 12 if number < len(box.wires) else 0
            y, right = placed.row(number), placed.x + placed.width
            self._dot(right, y, colors.of_kind(kinds.get((box.id, slot), "")))
            name = lettering.shortened(output_name(box, slot), max(0.0, room - taken), SMALL_SIZE)
            self._text(name, (right - PAD, y + 3.5), SMALL_SIZE, faint, "rs")

    def _text(self, text: str, at: Point, size: float, color: str, anchor: str = "ls") -> None:
        is_latin = all(ord(character) <= _LATIN or character == "…" for character in text)
        font = _font(round(size * self._scale), is_latin=is_latin)
        self._draw.text((at[0] * self._scale, at[1] * self._scale), text, color, font, anchor)

    def _dot(self, x: float, y: float, color: str) -> None:
        self._draw.circle((x * self._scale, y * self._scale), 3.2 * self._scale, color)

    def _thick(self, thickness: float) -> int:
        return max(1, round(thickness * self._scale))


def _way(route: Route) -> Iterator[Point]:
    yield route.points[0]
    for (x, y), (x1, y1), (x2, y2), (x3, y3) in route.curves():
        for step in range(1, _STEPS + 1):
            t = step / _STEPS
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            yield a * x + b * x1 + c * x2 + d * x3, a * y + b * y1 + c * y2 + d * y3


@lru_cache(maxsize=16)
def _font(size: int, *, is_latin: bool) -> FreeTypeFont | ImageFont:
    from PIL import ImageFont  # noqa: PLC0415 - an extra

    for name in () if is_latin else _FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def _mixed(color: str, ground: str, share: float) -> str:
    pairs = [(int(color[at : at + 2], 16), int(ground[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(one * share + other * (1 - share)):02x}" for one, other in pairs)
