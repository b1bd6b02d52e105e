"""The nodes that every embedded server has.

A node is a class in ComfyUI's own form: ``INPUT_TYPES``, ``RETURN_TYPES``, ``FUNCTION`` and so on; images are numpy
arrays of ``[batch, height, width, channels]``, float32 between 0 and 1. ``DISPLAY_NAME`` says what editors call it,
``OBJECT_INFO`` whatever ``GET /object_info`` should say otherwise. Its surroundings are what
``comfyclient.testing.current()`` gives.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comfyclient.testing.graph import NodeClass

MODULES = ("saving", "loading", "images", "masks", "primitives", "text_to_image")
"""The modules here that have nodes: each names them in its ``NODES``."""


def default_nodes() -> dict[str, NodeClass]:
    """All of them, by name."""
    modules = [import_module(f"{__name__}.{name}") for name in MODULES]
    return {node_class.__name__: node_class for module in modules for node_class in module.NODES}
