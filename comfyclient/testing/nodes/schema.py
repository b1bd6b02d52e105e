"""What ``GET /object_info`` says about nodes that ComfyUI has in its newer form."""

from __future__ import annotations

from typing import Any, ClassVar

LONGEST = 16384
"""The longest side of an image, in pixels."""


def side(default: int = 512, lowest: int = 1) -> tuple[str, dict[str, int]]:
    """An input that is a width or a height, or a place along one."""
    return ("INT", {"default": default, "min": lowest, "max": LONGEST, "step": 1})


class NewerForm:
    """Most of them say nothing about most of it."""

    API_NODE = False
    ESSENTIALS_CATEGORY: str | None = None
    OBJECT_INFO: ClassVar[dict[str, Any]] = {
        "output_matchtypes": None,
        "deprecated": False,
        "experimental": False,
        "dev_only": False,
        "price_badge": None,
    }
    OUTPUT_TOOLTIPS: tuple[str | None, ...] = (None,)
    SEARCH_ALIASES: tuple[str, ...] | None = None
