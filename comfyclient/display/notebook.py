"""Progress in a notebook: a bar, and below it the newest preview, each in a place of its own."""

from __future__ import annotations

import base64
import html
import sys
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from comfyclient.display import colors
from comfyclient.display.bars import TqdmBar, bar_format, text_of

if TYPE_CHECKING:
    from comfyclient.display.bars import Shown
    from comfyclient.events import Preview

__all__ = ["NotebookBar", "is_notebook", "shell"]

_PAUSE = 0.25
"""Seconds between two previews at least: each goes to the browser whole."""
_WIDTH = 256
"""Of a preview, in pixels: servers enlarge them, and the picture itself will stand below."""
_PICTURES = frozenset({"image/gif", "image/jpeg", "image/png", "image/webp"})
"""The types of previews that are shown; a server may name any other."""


def shell() -> Any:
    """The shell of IPython that this program is in, or ``None``; IPython is not imported to find out."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return None if get_ipython is None else get_ipython()


def is_notebook() -> bool:
    """Whether this program is a notebook's kernel."""
    return getattr(shell(), "kernel", None) is not None


class NotebookBar:
    """The bar and the preview.

    While it runs, the bar is tqdm's widget, or HTML where there are no widgets. The last one is HTML in any case: it is
    still there when the notebook is opened again, and in what nbconvert makes of it.
    """

    def __init__(self) -> None:
        self._widget = _widget()
        self._bar: Any = None
        self._picture: Any = None
        self._preview: Preview | None = None
        self._preview_at = 0.0

    def __call__(self, progress: Shown) -> None:
        """Draw both in their places."""
        self._draw_bar(progress)
        now = time.monotonic()
        new = progress.preview is not self._preview
        if new and (now - self._preview_at >= _PAUSE or not progress.watching):
            self._preview, self._preview_at = progress.preview, now
            self._draw_picture(progress)

    def _draw_picture(self, progress: Shown) -> None:
        preview = progress.preview
        if preview is not None and preview.media_type in _PICTURES:
            text, picture = f"<{progress.caption}>", base64.b64encode(preview.data).decode("ascii")
            bundle = {"text/plain": text, preview.media_type: picture}
            self._picture = _put(
                bundle, self._picture, {preview.media_type: {"alt": progress.caption, "width": _WIDTH}}
            )

    def _draw_bar(self, progress: Shown) -> None:
        if self._widget is None:
            self._bar = _put(_bar(progress), self._bar)
            return
        self._widget(progress)
        if self._bar is None:
            from IPython.display import display  # noqa: PLC0415 - it is there, in a notebook

            self._bar = display(self._widget.bar.container, display_id=True)  # type: ignore[no-untyped-call]
        if not progress.watching:
            _put(_bar(progress), self._bar)
            container = self._widget.bar.container
            for widget in (*container.children, container):
                widget.close()


def _widget() -> TqdmBar | None:
    if find_spec("ipywidgets") is None:  # tqdm would warn
        return None
    try:
        from tqdm.auto import tqdm  # noqa: PLC0415 - an extra
        from tqdm.notebook import tqdm_notebook  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    # Some kernels have a console in front of them, where tqdm does without widgets.
    return TqdmBar(display=False, bar_format=bar_format()) if issubclass(tqdm, tqdm_notebook) else None


def _put(bundle: dict[str, str], place: Any, metadata: dict[str, Any] | None = None) -> Any:
    """Display it in its place, or in a new one; where that is."""
    from IPython.display import display  # noqa: PLC0415 - it is there, in a notebook

    if place is None:
        return display(bundle, metadata=metadata, raw=True, display_id=True)  # type: ignore[no-untyped-call]
    place.update(bundle, metadata=metadata, raw=True)
    return place


def _bar(progress: Shown) -> dict[str, str]:
    text = f"{progress.fraction:.0%} {text_of(progress)}"
    style = f"width: 20em; vertical-align: middle; accent-color: {colors.of_status(progress.status)}"
    bar = f'<progress max="1" value="{progress.fraction:.4f}" style="{style}"></progress>'
    return {"text/plain": text, "text/html": f"<div>{bar} {html.escape(text)}</div>"}
