"""HTML, read by a parser: what there is of it, and whether every element is closed."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

_VOID = {"img", "br"}


class Page(HTMLParser):
    """What a piece of HTML holds.

    Attributes:
        tags: Its elements, in order, each with its attributes.
        text: All of its text.
        rows: The cells of each row of its tables.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> ends nothing"
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if {"td", "th"} & {*self._open}:
            self.rows[-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of a kind."""
        return [attributes for name, attributes in self.tags if name == tag]

    def table(self) -> list[dict[str, str]]:
        """The rows of the first table below its head, by column."""
        head, *rows = self.rows
        return [dict(zip(head, row, strict=True)) for row in rows]


def page_of(shown: Any) -> Page:
    """The page that a notebook shows of an object."""
    return Page(shown._repr_mimebundle_()["text/html"])
