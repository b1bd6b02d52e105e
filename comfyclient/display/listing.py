"""A workflow as text, for terminals: its nodes by depth, what feeds them, and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfyclient.display.lettering import clean, clean_lines, columns, cut
from comfyclient.workflow.columns import columns_of
from comfyclient.workflow.wording import natural, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from comfyclient.display.scheme import Box, Scheme

_VALUE = 48
"""The letters of a value that are shown."""


def text_of(scheme: Scheme, reasons: Mapping[str, str], width: int) -> str:
    """The listing.

    Args:
        scheme: The nodes.
        reasons: What is wrong with nodes, by their ids.
        width: How many columns a line may have.
    """
    if not scheme:
        return "no nodes"
    depth = columns_of(
        {node_id: [wire.source for wire in box.wires if wire.source in scheme] for node_id, box in scheme.items()}
    )
    room = min(width // 4, max(columns(clean(node_id)) for node_id in scheme))
    lines: list[str] = []
    last = -1
    for node_id in sorted(scheme, key=lambda node_id: (depth[node_id], natural(node_id))):
        if depth[node_id] != last:
            lines += [""] * bool(lines) + [f"depth {depth[node_id] + 1}"]
            last = depth[node_id]
        lines += _node(scheme[node_id], scheme, reasons.get(node_id), room, width)
    return "\n".join(lines)


def _node(box: Box, scheme: Scheme, reason: str | None, room: int, width: int) -> Iterator[str]:
    mark = " " if reason is None else "!"
    name = cut(clean(box.id), room)
    head = f"{mark} {name}{' ' * (room - columns(name))}  {box.title}"
    if box.class_type != box.title:
        head += f" ({box.class_type})"
    notes = [*filter(None, ["output" * box.is_output, box.mode])]
    yield cut(head + "".join(f" [{note}]" for note in notes), width)
    indent = " " * (room + 4)
    links = [f"{wire.name} ← {clean(wire.source)}{'' if wire.source in scheme else ' (missing)'}" for wire in box.wires]
    values = [f"{name}={clean(shown(value, _VALUE))}" for name, value in box.values]
    yield from _filled([*links, *values], indent, width)
    if reason:
        yield from (cut(f"{indent}! {line}", width) for line in clean_lines(reason).splitlines())


def _filled(parts: list[str], indent: str, width: int) -> Iterator[str]:
    """The parts in as few lines as they fit into, none of them broken."""
    line = ""
    for part in parts:
        if line and columns(indent) + columns(line) + 2 + columns(part) > width:
            yield indent + line
            line = ""
        line += ("  " if line else "") + cut(part, max(8, width - len(indent)))
    if line:
        yield indent + line
