"""``Drawing``: a workflow to look at, as SVG, as PNG or as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from comfyclient._displayed import Displayed
from comfyclient.display import layers, listing, svg
from comfyclient.workflow.wording import kind_of

if TYPE_CHECKING:
    import os

    from comfyclient.display.layers import Layout
    from comfyclient.display.scheme import Scheme

__all__ = ["Drawing"]

_WIDTH = 100


class AboutNode(Protocol):
    """What tells something about a node, as ``Problem``, ``NodeProblem`` and ``JobFailed`` do."""

    @property
    def node_id(self) -> str:
        """Its id."""


Highlight: TypeAlias = "Iterable[str | AboutNode] | Mapping[str, str]"


class Drawing(Displayed):
    """A drawing of a workflow, as it was when this was made; ``Workflow.draw`` makes it.

    Nodes stand in layers, each to the right of what feeds it. Outputs have a green rim, what was highlighted a red one,
    and muted and bypassed nodes a dashed one.

    In a notebook it shows itself; ``str`` of it is a listing. No I/O, but in ``save``.
    """

    def __init__(self, scheme: Scheme, highlight: Highlight = ()) -> None:
        self._scheme = scheme
        self._reasons = _reasons(highlight)

    def to_svg(self, *, theme: Literal["light", "dark", "page"] = "light") -> str:
        """The drawing as SVG; a hint at each node has all of its title and its values.

        Args:
            theme: Its colours: on white, on black, or ``"page"`` for a part of an HTML page, without a ground and in
                the colour of the page's text.

        Raises:
            ValueError: There is no such theme.
        """
        _check(theme, ("light", "dark", "page"))
        return svg.drawn(self._layout, self._reasons, theme)

    def to_png(self, *, theme: Literal["light", "dark"] = "light", scale: float = 2.0) -> bytes:
        """The drawing as a PNG file.

        Args:
            theme: Its colours: on white or on black.
            scale: Pixels for each pixel of the SVG; of a huge drawing, fewer, so that it has 40 million at most.

        Raises:
            ImportError: Pillow is not installed; it comes with ``comfyclient[images]``.
            ValueError: There is no such theme, or the scale is not above 0.
        """
        from comfyclient.display import png  # noqa: PLC0415 - only who wants it

        _check(theme, ("light", "dark"))
        if not scale > 0:
            raise ValueError(f"a scale is above 0, not {scale!r}")
        return png.drawn(self._layout, self._reasons, theme, scale)

    def to_text(self, *, width: int = _WIDTH) -> str:
        """The workflow as a listing: its nodes by depth, what feeds them, and their values, shortened.

        Args:
            width: How many columns a line may have.

        Raises:
            ValueError: That is less than 20.
        """
        if width < 20:  # noqa: PLR2004 - said below
            raise ValueError(f"a line has 20 columns at least, not {width}")
        return listing.text_of(self._scheme, self._reasons, width)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file, replacing one of this name: as SVG, PNG or text, as the name ends.

        Raises:
            ValueError: It ends with none of ``.svg``, ``.png`` and ``.txt``.
            ImportError: A PNG file takes Pillow, which comes with ``comfyclient[images]``.
            OSError: The file cannot be written.
        """
        target = Path(path)
        suffix = target.suffix.lower()
        if suffix == ".png":
            target.write_bytes(self.to_png())
        elif suffix == ".svg":
            target.write_text(self.to_svg(), encoding="utf-8")
        elif suffix == ".txt":
            target.write_text(f"{self.to_text()}\n", encoding="utf-8")
        else:
            raise ValueError(f"the name of a drawing ends with .svg, .png or .txt, not with {target.suffix!r}")

    @cached_property
    def _layout(self) -> Layout:
        return layers.arrange(self._scheme)

    def __len__(self) -> int:
        """How many nodes it shows."""
        return len(self._scheme)

    def __str__(self) -> str:
        """The listing."""
        return self.to_text()

    def __repr__(self) -> str:
        return f"<Drawing of {len(self._scheme)} node{'s' * (len(self._scheme) != 1)}>"


def _check(theme: str, themes: tuple[str, ...]) -> None:
    if theme not in themes:
        raise ValueError(f"a theme is one of {', '.join(map(repr, themes))}, not {theme!r}")


def _reasons(highlight: Highlight) -> dict[str, str]:
    """What is said of each node."""
    if isinstance(highlight, Mapping):
        return {str(node_id): str(reason) for node_id, reason in highlight.items()}
    if isinstance(highlight, str):
        raise TypeError(f"highlight is a list of ids: write [{highlight!r}]")
    if not isinstance(highlight, Iterable):
        raise TypeError(f"highlight is a list of ids, problems or errors, not {kind_of(highlight)} alone")
    found: dict[str, list[str]] = {}
    for each in highlight:
        node_id = each if isinstance(each, str) else getattr(each, "node_id", None)
        if not isinstance(node_id, str):
            raise TypeError(f"ids of nodes are strings, not {kind_of(each)}")
        reason = "" if isinstance(each, str) else getattr(each, "message", "")
        found.setdefault(node_id, []).append(reason)
    return {node_id: "\n".join(filter(None, reasons)) for node_id, reasons in found.items()}
