"""Pieces of HTML: everything from outside is escaped, and colours fit light and dark pages."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, TypeAlias

from comfyclient.display import colors
from comfyclient.display.lettering import clean_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LINE = "1px solid rgba(128,128,128,.3)"
_CELL = "text-align:left;vertical-align:top;padding:3px 12px 3px 0;border:0"
_FAINT = "opacity:.7"


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


Cell: TypeAlias = "Html | str | float | None"


def escaped(value: Any, limit: int = 2000) -> Html:
    """Text as HTML, shortened, without characters that turn or break the text around."""
    text = str(value)
    return Html(escape(clean_lines(text if len(text) <= limit else f"{text[:limit]}…")))


def html(value: Cell) -> Html:
    """A cell's content; nothing for ``None``."""
    if isinstance(value, Html):
        return value
    return escaped("" if value is None else value)


def joined(parts: Iterable[str]) -> Html:
    """Pieces of HTML, one after the other."""
    return Html("".join(parts))


def block(*parts: Cell, style: str = "") -> Html:
    """A ``div`` of pieces."""
    attribute = f' style="{style}"' if style else ""
    return Html(f"<div{attribute}>{joined(map(html, parts))}</div>")


def heading(title: Cell, *facts: Cell) -> Html:
    """A line that names what follows, and a few facts about it; empty ones are left out."""
    words = [
        f"<strong>{html(title)}</strong>",
        *(fact if isinstance(fact, Html) else faint(fact) for fact in facts if fact),
    ]
    return Html(f'<div style="margin:.3em 0">{" · ".join(words)}</div>')


def faint(value: Cell) -> Html:
    """Text that matters less."""
    return Html(f'<span style="{_FAINT}">{html(value)}</span>')


def red(value: Cell) -> Html:
    """Text about what is wrong."""
    return Html(f'<span style="color:{colors.ERROR}">{html(value)}</span>')


def code(value: Cell) -> Html:
    """A name, an id or a value."""
    return Html(f"<code>{html(value)}</code>")


def pre(text: str, limit: int = 10_000) -> Html:
    """Text as it stands, lines and all."""
    style = "white-space:pre-wrap;overflow-wrap:anywhere;margin:.3em 0;max-height:24em;overflow:auto"
    return Html(f'<pre style="{style}">{escaped(text, limit)}</pre>')


def badge(word: str, color: str) -> Html:
    """A word in a coloured frame."""
    style = f"border:1px solid {color};color:{color};border-radius:9px;padding:0 7px;font-size:85%;white-space:nowrap"
    return Html(f'<span style="{style}">{escaped(word)}</span>')


def bar(share: float, color: str, width: int = 120) -> Html:
    """How much of something, from 0 to 1."""
    filled = round(max(0.0, min(1.0, share)) * 100)
    return Html(
        f'<span style="display:inline-block;width:{width}px;height:8px;border-radius:4px;overflow:hidden;'
        f'background:rgba(128,128,128,.25);vertical-align:middle">'
        f'<span style="display:block;height:8px;width:{filled}%;background:{color}"></span></span>'
    )


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Html:
    """A table; without rows, nothing."""
    lines = [f"<tr>{joined(_cell('td', cell) for cell in row)}</tr>" for row in rows]
    if not lines:
        return Html()
    top = f"<thead><tr>{joined(_cell('th', cell) for cell in head)}</tr></thead>" if any(head) else ""
    return Html(
        f'<div style="overflow-x:auto"><table style="border-collapse:collapse;margin:.3em 0;font-size:inherit">'
        f"{top}<tbody>{joined(lines)}</tbody></table></div>"
    )


def folded(summary: Cell, content: Html, *, is_open: bool = False) -> Html:
    """Something to open."""
    state = " open" if is_open else ""
    return Html(f'<details{state} style="margin:.3em 0"><summary>{html(summary)}</summary>{content}</details>')


def link(url: str, words: Cell) -> Html:
    """A link to an address; just the words where it is no address of the web."""
    if not url.startswith(("http://", "https://")):
        return html(words)
    where = f'href="{escape(url)}" target="_blank" rel="noopener noreferrer"'
    return Html(f'<a {where} style="color:inherit;text-decoration:underline">{html(words)}</a>')


def _cell(tag: str, value: Cell) -> str:
    line = f";border-bottom:{_LINE}"
    return f'<{tag} style="{_CELL}{line}">{html(value)}</{tag}>'
