"""Where the boxes of a drawing stand, and which way its links go: in layers, so that few links cross."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from attrs import define, field, frozen

from comfyclient.display import lettering
from comfyclient.display.scheme import Box, Wire
from comfyclient.workflow.columns import columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from comfyclient.display.scheme import Scheme

Point: TypeAlias = tuple[float, float]

TITLE_SIZE, SMALL_SIZE = 12.0, 10.0
"""The sizes of letters."""
BOLD = 13.5
"""As large as bold letters of a title seem."""
HEAD, ROW = 38.0, 14.0
"""The heights of what is above the rows of inputs and outputs, and of a row."""
MARGIN = 16.0
PAD = 10.0
"""Between the rim of a box and its text."""
_NARROWEST, _WIDEST = 110.0, 260.0
_GAP_X, _GAP_Y, _WIRE_GAP = 44.0, 22.0, 10.0
_SHELF = 1000.0
"""The width in which boxes without links stand side by side."""
_SWEEPS = 13
_TURN = 14.0
"""How far what leads back goes beyond the boxes."""


@frozen
class Placed:
    """A box in its place; the rows are the inputs that are linked on its left, and the outputs that are on its right.

    Attributes:
        box: What it shows.
        x: Its left side.
        y: Its upper side.
        width: How wide it is.
        height: How high it is.
        slots: The outputs that have a row, by number.
    """

    box: Box
    x: float
    y: float
    width: float
    height: float
    slots: tuple[int, ...]

    def row(self, number: int) -> float:
        """The middle of a row."""
        return self.y + HEAD + ROW * (number + 0.5)


@frozen
class Route:
    """The way of a link.

    Attributes:
        wire: The link.
        target: The node that it leads to.
        points: Where it passes, always to the right, or below everything back to the left.
        goes_back: Whether it leads to the left, as in a circle.
    """

    wire: Wire
    target: str
    points: tuple[Point, ...]
    goes_back: bool = False

    def curves(self) -> Iterator[tuple[Point, Point, Point, Point]]:
        """Its pieces: each a start, the two points that bend it, as Bézier has them, and an end."""
        for number, (start, end) in enumerate(pairwise(self.points)):
            (x, y), (right, low) = start, end
            bend = turn = (right - x) / 2
            if self.goes_back and number != 1:
                bend, turn = (_TURN, -_TURN) if number == 0 else (-_TURN, _TURN)
            yield start, (x + bend, y), (right - turn, low), end


@frozen
class Layout:
    """A drawing without its colours.

    Attributes:
        width: How wide it is.
        height: How high it is.
        boxes: The boxes in their places.
        routes: The links.
    """

    width: float
    height: float
    boxes: dict[str, Placed]
    routes: list[Route]


@define(eq=False)
class _Item:
    """Something that takes a place in a layer: a box, or a link that passes.

    Attributes:
        height: How high it is.
        width: How wide it is.
        order: Its place in its layer.
        y: Its upper side.
        left: What feeds it: the other one, and the heights of the two ends within the two.
        right: What it feeds, likewise.
        box: The box, if it is one.
        slots: The outputs that have a row.
    """

    height: float
    width: float = 0.0
    order: float = 0.0
    y: float = 0.0
    left: list[tuple[_Item, float, float]] = field(factory=list)
    right: list[tuple[_Item, float, float]] = field(factory=list)
    box: Box | None = None
    slots: tuple[int, ...] = ()

    def out(self, slot: int) -> float:
        return 0.0 if self.box is None else HEAD + ROW * (self.slots.index(slot) + 0.5)


def arrange(scheme: Scheme) -> Layout:
    """Place everything: what hangs together above, the largest first, and below it the boxes without links."""
    boxes: dict[str, Placed] = {}
    routes: list[Route] = []
    width, top, bottom = 0.0, MARGIN, MARGIN
    parts = sorted(_parts(scheme), key=len, reverse=True)
    alone = [scheme[part[0]] for part in parts if _is_alone(part, scheme)]
    for part in (part for part in parts if not _is_alone(part, scheme)):
        component = _Component({node_id: scheme[node_id] for node_id in part})
        right, bottom = component.place(top, boxes, routes)
        width, top = max(width, right), bottom + 2 * _GAP_Y
    if alone:
        right, bottom = _shelve(alone, max(_SHELF, width), top, boxes)
        width = max(width, right)
    return Layout(width + MARGIN, bottom + MARGIN, boxes, routes)


def size_of(box: Box, slots: Sequence[int]) -> tuple[float, float]:
    """How wide and high a box is."""
    caption = caption_of(box)
    widths = [lettering.width(box.title, BOLD), lettering.width(caption, SMALL_SIZE)]
    for number in range(max(len(box.wires), len(slots))):
        taken = box.wires[number].name if number < len(box.wires) else ""
        given = output_name(box, slots[number]) if number < len(slots) else ""
        widths.append(lettering.width(taken, SMALL_SIZE) + lettering.width(given, SMALL_SIZE) + 12 * bool(given))
    rows = max(len(box.wires), len(slots))
    return min(_WIDEST, max(_NARROWEST, max(widths) + 2 * PAD)), HEAD + ROW * rows + 6 * bool(rows)


def caption_of(box: Box) -> str:
    """What stands below the title."""
    words = ["" if box.class_type == box.title else box.class_type, f"#{box.id}", box.mode]
    return lettering.clean(" ".join(filter(None, [*words, "output" * box.is_output])))


def output_name(box: Box, slot: int) -> str:
    """What stands beside an output."""
    return box.outputs[slot] if 0 <= slot < len(box.outputs) else ""


def _parts(scheme: Scheme) -> list[list[str]]:
    """The nodes that hang together, in the order of the scheme."""
    beside: dict[str, list[str]] = {node_id: [] for node_id in scheme}
    for node_id, box in scheme.items():
        for wire in box.wires:
            if wire.source in scheme:
                beside[node_id].append(wire.source)
                beside[wire.source].append(node_id)
    part_of: dict[str, int] = {}
    for number, start in enumerate(scheme):
        waiting = [start]
        while waiting:
            node_id = waiting.pop()
            if node_id not in part_of:
                part_of[node_id] = number
                waiting += beside[node_id]
    parts: dict[int, list[str]] = defaultdict(list)
    for node_id in scheme:
        parts[part_of[node_id]].append(node_id)
    return list(parts.values())


def _is_alone(part: list[str], scheme: Scheme) -> bool:
    return len(part) == 1 and all(wire.source != part[0] for wire in scheme[part[0]].wires)


def _slots(boxes: Iterable[Box]) -> dict[str, tuple[int, ...]]:
    """The outputs of each node that something reads."""
    read: dict[str, set[int]] = defaultdict(set)
    for box in boxes:
        for wire in box.wires:
            read[wire.source].add(wire.slot)
    return {node_id: tuple(sorted(slots)) for node_id, slots in read.items()}


def _shelve(boxes: Iterable[Box], room: float, top: float, placed: dict[str, Placed]) -> tuple[float, float]:
    x, y, below, right = MARGIN, top, top, 0.0
    for box in boxes:
        width, height = size_of(box, ())
        if x > MARGIN and x + width > room:
            x, y = MARGIN, below + _GAP_Y
        placed[box.id] = Placed(box, x, y, width, height, ())
        right, below = max(right, x + width), max(below, y + height)
        x += width + _GAP_Y
    return right, below


class _Component:
    """Nodes that hang together."""

    def __init__(self, scheme: Scheme) -> None:
        self._scheme = scheme
        slots = _slots(scheme.values())
        feeders = {
            node_id: list(dict.fromkeys(wire.source for wire in box.wires if wire.source in scheme))
            for node_id, box in scheme.items()
        }
        self._column = _drawn_together(columns_of(feeders), feeders)
        self._items: dict[str, _Item] = {}
        self._layers: list[list[_Item]] = [[] for _ in range(max(self._column.values()) + 1)]
        for node_id, box in scheme.items():
            used = slots.get(node_id, ())
            width, height = size_of(box, used)
            item = self._items[node_id] = _Item(height, width, box=box, slots=used)
            self._layers[self._column[node_id]].append(item)
        self._passing: dict[tuple[str, int], list[_Item]] = {}
        self._thread()

    def place(self, top: float, boxes: dict[str, Placed], routes: list[Route]) -> tuple[float, float]:
        """Put the boxes and routes there; return the right and the lower end."""
        self._order()
        self._settle()
        items = [item for layer in self._layers for item in layer]
        up = top - min(item.y for item in items)
        lefts: list[float] = []
        left = MARGIN
        for layer in self._layers:
            lefts.append(left)
            wide = max(item.width for item in layer)
            for item in layer:
                item.width, item.y = wide, item.y + up
                if item.box is not None:
                    boxes[item.box.id] = Placed(item.box, left, item.y, wide, item.height, item.slots)
            left += wide + _GAP_X + min(40.0, 1.5 * len(layer))
        below = max(item.y + item.height for item in items)
        ways = list(self._routes(lefts, below))
        routes += ways
        back = _TURN if any(route.goes_back for route in ways) else 0
        return lefts[-1] + self._layers[-1][0].width + back, below + back

    def _wires(self) -> Iterator[tuple[str, int, Wire]]:
        for node_id, box in self._scheme.items():
            for number, wire in enumerate(box.wires):
                if wire.source in self._scheme:
                    yield node_id, number, wire

    def _thread(self) -> None:
        """Join the items, and put one into every layer that links pass; those of one output go together."""
        ends: dict[tuple[str, int], int] = {}
        for node_id, _, wire in self._wires():
            key = wire.source, wire.slot
            ends[key] = max(ends.get(key, 0), self._column[node_id])
        for (source, slot), end in ends.items():
            before = self._items[source]
            passing = self._passing[source, slot] = []
            for column in range(self._column[source] + 1, end):
                item = _Item(0.0)
                self._layers[column].append(item)
                _join(before, before.out(slot), item, 0.0)
                passing.append(item)
                before = item
        for node_id, number, wire in self._wires():
            length = self._column[node_id] - self._column[wire.source]
            if length > 0:
                passing = self._passing[wire.source, wire.slot]
                before = passing[length - 2] if length > 1 else self._items[wire.source]
                _join(before, before.out(wire.slot), self._items[node_id], HEAD + ROW * (number + 0.5))

    def _order(self) -> None:
        for layer in self._layers:
            _number(layer)
        for sweep in range(_SWEEPS):
            forth = sweep % 2 == 0
            for layer in self._layers if forth else reversed(self._layers):
                layer.sort(key=lambda item: _mean_order(item, item.left if forth else item.right))
                _number(layer)

    def _settle(self) -> None:
        """Move everything up and down until links are as straight as the order allows."""
        for layer in self._layers:
            y = 0.0
            for item in layer:
                item.y = y
                y += item.height + _GAP_Y
        for sweep in range(_SWEEPS):
            forth = sweep % 2 == 0
            last = sweep >= _SWEEPS - 2  # one in each direction
            for layer in self._layers if forth else reversed(self._layers):
                _level(layer, both=last, forth=forth)

    def _routes(self, lefts: list[float], below: float) -> Iterator[Route]:
        """The ways of all links. What several of one output share is part of only one of them."""
        whole: set[tuple[str, int]] = set()
        for node_id, number, wire in self._wires():
            source, target = self._items[wire.source], self._items[node_id]
            first, last = self._column[wire.source], self._column[node_id]
            start = lefts[first] + source.width, source.y + source.out(wire.slot)
            end = lefts[last], target.y + HEAD + ROW * (number + 0.5)
            if first >= last:
                turns = (start[0], below + _TURN), (end[0], below + _TURN)
                yield Route(wire, node_id, (start, *turns, end), goes_back=True)
                continue
            key = wire.source, wire.slot
            points = [start]
            for column, item in enumerate(self._passing[key][: last - first - 1], first + 1):
                points += [(lefts[column], item.y), (lefts[column] + item.width, item.y)]
            if len(points) > 1:
                is_farthest = last - first > len(self._passing[key])
                if key in whole or not is_farthest:
                    points = points[-1:]
                else:
                    whole.add(key)
            yield Route(wire, node_id, (*points, end))


def _drawn_together(columns: dict[str, int], feeders: Mapping[str, list[str]]) -> dict[str, int]:
    """The columns, with every node moved right to those that it feeds: so long links are few."""
    consumers: dict[str, list[str]] = defaultdict(list)
    for node_id, sources in feeders.items():
        for source in sources:
            consumers[source].append(node_id)
    for node_id in sorted(consumers, key=lambda node_id: -columns[node_id]):
        columns[node_id] = max(columns[node_id], min(columns[each] for each in consumers[node_id]) - 1)
    return columns


def _join(left: _Item, out: float, right: _Item, into: float) -> None:
    left.right.append((right, out, into))
    right.left.append((left, into, out))


def _number(layer: list[_Item]) -> None:
    for place, item in enumerate(layer):
        item.order = place


def _mean_order(item: _Item, beside: list[tuple[_Item, float, float]]) -> float:
    if not beside:
        return item.order
    # The height of an end counts a little, so that links to one box come in the order of its rows.
    return sum(other.order + end / 1000 for other, _, end in beside) / len(beside)


def _level(layer: list[_Item], *, both: bool, forth: bool) -> None:
    """Bring each item as near to where its links want it as its neighbours in the layer allow.

    The order is kept, so what is wanted is the nearest rising sequence: items that press each other go together.
    """
    blocks: list[list[float]] = []  # the sum of the wishes, their weight, how many items
    offset, offsets = 0.0, []
    for number, item in enumerate(layer):
        if number:
            above = layer[number - 1]
            is_wire = above.box is None or item.box is None
            offset += above.height + (_WIRE_GAP if is_wire else _GAP_Y)
        offsets.append(offset)
        beside = item.left + item.right if both else item.left if forth else item.right
        wishes = [other.y + theirs - own for other, own, theirs in beside] or [item.y]
        weight = float(len(wishes)) if beside else 0.1
        blocks.append([weight * (sum(wishes) / len(wishes) - offset), weight, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, weight, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += weight
            blocks[-1][2] += count
    numbers = iter(range(len(layer)))
    for total, weight, count in blocks:
        for _ in range(int(count)):
            number = next(numbers)
            layer[number].y = total / weight + offsets[number]
