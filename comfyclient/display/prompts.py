"""The queue and the history of a server in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfyclient.display import colors
from comfyclient.display.html import Cell, Html, badge, code, escaped, faint, heading, joined, red, table
from comfyclient.display.words import ago, counted, seconds, short
from comfyclient.workflow.wording import listed

if TYPE_CHECKING:
    from comfyclient.resources import History, Queue
    from comfyclient.types import HistoryEntry, QueueItem, QueueState

_MOST = 50
"""The prompts that wait, of which each has a row."""
_LATEST = 1e14
_NEWEST = 20
"""The prompts that have ended, of which each has a row."""


def of_queue(queue: Queue) -> Html:
    """What runs and waits now, which the server is asked for."""
    return of_queue_state(queue.list())


def of_queue_state(state: QueueState) -> Html:
    """What runs and waits."""
    running, pending = state.queue_running, state.queue_pending
    rows: list[tuple[Cell, ...]] = []
    for place, item in enumerate((*running, *pending[:_MOST]), 1 - len(running)):
        word, color = ("waiting", colors.WAITING) if place > 0 else ("running", colors.RUNNING)
        rows.append((str(place) if place > 0 else "", _prompt(item), badge(word, color), *_of_item(item)))
    more = faint(f"and {len(pending) - _MOST} more wait") if len(pending) > _MOST else Html()
    head = heading("Queue", f"{len(running)} running", f"{len(pending)} waiting")
    return joined([head, table(("", "prompt", "status", "workflow", "nodes", "submitted"), rows), more])


def of_history(history: History) -> Html:
    """What ended last, the newest first, which the server is asked for."""
    entries = list(history.list(limit=_NEWEST).values())[::-1]
    rows = [
        (_prompt(entry.prompt), _status(entry), *_times(entry), _left(entry), *_of_item(entry.prompt)[:2])
        for entry in entries
    ]
    head = heading("History", f"the newest {len(rows)}" if rows else "empty")
    return joined([head, table(("prompt", "status", "took", "ended", "outputs", "workflow", "nodes"), rows)])


def _prompt(item: QueueItem) -> Html:
    return Html(f'<span title="{escaped(item.prompt_id)}">{code(short(item.prompt_id))}</span>')


def _of_item(item: QueueItem) -> tuple[str, str, str]:
    """Its workflow's name, or what it makes; how many nodes it has; and when it was submitted."""
    return _name(item), str(len(item.prompt)), ago(_moment(item.extra_data.get("create_time")))


def _name(item: QueueItem) -> str:
    place: Any = item.extra_data
    for key in ("extra_pnginfo", "workflow", "name"):
        place = place.get(key) if isinstance(place, dict) else None
    if place and isinstance(place, str):
        return place
    nodes = [item.prompt.get(node_id) for node_id in item.outputs_to_execute]
    titles = [_title(node) for node in nodes if isinstance(node, dict)]
    return listed(dict.fromkeys(titles), 3)


def _title(node: dict[str, Any]) -> str:
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    return str(title or node.get("class_type"))


def _status(entry: HistoryEntry) -> Html:
    if entry.succeeded:
        return badge("success", colors.OUTPUT)
    if entry.interrupted:
        return badge("interrupted", colors.LEFT_OUT)
    error = entry.error or {}
    what = ": ".join(str(error[key]) for key in ("node_type", "exception_type") if error.get(key))
    return joined([badge("error", colors.ERROR), " ", red(what)])


def _times(entry: HistoryEntry) -> tuple[str, str]:
    """How long it ran, and how long ago that ended."""
    moments = [_moment(data.get("timestamp")) for _, data in entry.messages if isinstance(data, dict)]
    stamps = [moment for moment in moments if moment is not None]
    return (seconds(stamps[-1] - stamps[0]), ago(stamps[-1])) if stamps else ("", "")


def _left(entry: HistoryEntry) -> str:
    reported = [output for output in entry.outputs.values() if isinstance(output, dict)]
    items = [item for output in reported for each in output.values() if isinstance(each, list) for item in each]
    files = sum(isinstance(item, dict) and "filename" in item for item in items)
    return counted(files, "file") if files else ""


def _moment(milliseconds: Any) -> float | None:
    """Seconds since 1970, of whatever a server or whoever submitted says."""
    is_number = isinstance(milliseconds, (int, float)) and not isinstance(milliseconds, bool)
    return milliseconds / 1000 if is_number and 0 < milliseconds < _LATEST else None
