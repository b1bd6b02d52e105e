"""The colours of drawings and tables, on light ground, on dark ground, and on whatever a page has."""

from __future__ import annotations

from typing import Literal, TypeAlias

from attrs import frozen

Theme: TypeAlias = Literal["light", "dark", "page"]
"""``"page"`` is without a ground of its own, in the colour that the text around has."""


@frozen
class Palette:
    """Colours, as SVG writes them.

    Attributes:
        ground: What everything stands on; ``None`` for whatever is there.
        text: Letters.
        faint: Letters that matter less.
        box: The ground of boxes.
        rim: Their rims.
    """

    ground: str | None
    text: str
    faint: str
    box: str
    rim: str


LIGHT = Palette("#ffffff", "#1f2328", "#59636e", "#f6f8fa", "#c5ccd4")
DARK = Palette("#1b1d21", "#e6e8eb", "#a4acb6", "#2a2d33", "#545b66")
PAGE = Palette(None, "currentColor", "currentColor", "#808080", "#808080")
PALETTES: dict[Theme, Palette] = {"light": LIGHT, "dark": DARK, "page": PAGE}

ERROR = "#e5484d"
RUNNING = "#3b82f6"
WAITING = "#c99a08"
OUTPUT = "#2f9e6e"
LEFT_OUT = "#8b93a1"
_KINDS = {
    "AUDIO": "#20a5a0",
    "CLIP": "#c99a08",
    "CLIP_VISION": "#c99a08",
    "CONDITIONING": "#e88528",
    "CONTROL_NET": "#4ba88a",
    "GUIDER": "#4ba88a",
    "IMAGE": "#3f8fe8",
    "LATENT": "#d058ca",
    "MASK": "#4fa652",
    "MODEL": "#8672e6",
    "NOISE": "#8b93a1",
    "SAMPLER": "#9aa03a",
    "SIGMAS": "#9aa03a",
    "UPSCALE_MODEL": "#8672e6",
    "VAE": "#d9588a",
    "VIDEO": "#1c8fb5",
}
_OTHER = "#8b93a1"
_STATUSES = {
    "pending": WAITING,
    "in_progress": RUNNING,
    "completed": OUTPUT,
    "failed": ERROR,
    "lost": ERROR,
    "cancelled": LEFT_OUT,
}


def of_kind(kind: str) -> str:
    """The colour of a link."""
    return _KINDS.get(kind, _OTHER)


def of_status(status: str) -> str:
    """The colour of a ``Job.status``."""
    return _STATUSES.get(status, _OTHER)
