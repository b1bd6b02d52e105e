"""Results in a notebook: what each node left behind, and how long everything took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfyclient.display import colors
from comfyclient.display.files import of_file as inline
from comfyclient.display.html import Cell, Html, badge, bar, block, code, faint, folded, heading, joined, pre, table
from comfyclient.display.words import counted, seconds, short
from comfyclient.workflow.wording import natural

if TYPE_CHECKING:
    from comfyclient.output_file import OutputFile
    from comfyclient.results import NodeOutput, Result

_THUMBNAIL = 256
_MOST_FILES = 24
"""The files that a result shows, of each node at least one, as long as there is room; the others are counted."""


def of_file(file: OutputFile) -> Html:
    """The file itself."""
    return inline(file, width=1024)


def of_node(node: NodeOutput) -> Html:
    """What one node left behind."""
    return joined([_title(node), _grid(node, node.files[:_MOST_FILES]), _more(len(node.files) - _MOST_FILES)])


def of_result(result: Result) -> Html:
    """All nodes with outputs, each with its files and texts; below, what ran and what came from the cache."""
    times = result.timings
    ran = times.running is not None and f"ran {seconds(times.running)}"
    waited = times.waiting is not None and f"waited {seconds(times.waiting)}"
    parts = [heading("Result", code(short(result.prompt_id)), ran or "", waited or "")]
    room, waiting = _MOST_FILES, sum(bool(node.files) for node in result.values())
    for node_id, node in result.items():
        waiting -= bool(node.files)
        files = node.files[: max(min(room, 1), room - waiting)]  # a video is seen behind all of its frames
        room -= len(files)
        cached = badge("cached", colors.LEFT_OUT) if node_id in result.cached_nodes else Html()
        parts += [_title(node, seconds(times.nodes.get(node_id)), cached), _grid(node, files)]
        parts.append(_more(len(node.files) - len(files)))
    if not result:
        parts.append(faint("no outputs"))
    return joined([*parts, _course(result)])


def _title(node: NodeOutput, *facts: Html | str) -> Html:
    name = node.title if node.title != node.node_id else ""
    class_type = node.class_type if node.class_type != node.title else None
    return heading(name or f"node {node.node_id}", *filter(None, [class_type, f"#{node.node_id}" * bool(name), *facts]))


def _grid(node: NodeOutput, files: tuple[OutputFile, ...]) -> Html:
    shown = [inline(file, width=_THUMBNAIL) for file in files]
    grid = block(*shown, style="display:flex;flex-wrap:wrap;gap:10px;align-items:flex-end") if shown else Html()
    return joined([grid, *map(pre, node.texts[:_MOST_FILES])])


def _more(count: int) -> Html:
    return faint(f"and {counted(count, 'file')} more") if count > 0 else Html()


def _course(result: Result) -> Html:
    """How long each node took, as seen from here."""
    times = result.timings.nodes
    longest = max(times.values(), default=0) or 1
    rows: list[tuple[Cell, ...]] = [
        (*_names(result, node_id), seconds(spent), bar(spent / longest, colors.RUNNING))
        for node_id, spent in sorted(times.items(), key=lambda item: -item[1])
    ]
    rows += [
        (*_names(result, node_id), badge("cached", colors.LEFT_OUT), "")
        for node_id in sorted(result.cached_nodes, key=natural)
    ]
    if not rows:
        return Html()
    words = [counted(len(times), "node") + " ran"] * bool(times)
    words += [f"{len(result.cached_nodes)} came from the cache"] * bool(result.cached_nodes)
    return folded(", ".join(words), table(("node", "", "class", "time", ""), rows))


def _names(result: Result, node_id: str) -> tuple[Html, str, str]:
    workflow = result.workflow
    title = workflow.title(node_id) if workflow is not None else ""
    class_type = (workflow.class_type(node_id) if workflow is not None else None) or ""
    return code(node_id), "" if title in {node_id, class_type} else title, class_type
