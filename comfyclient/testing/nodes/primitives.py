"""Single values, and showing them."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, ClassVar

from comfyclient.testing.nodes.schema import NewerForm

FARTHEST = 2**63 - 1


class _Primitive(NewerForm):
    """Gives what it is given."""

    CATEGORY = "utilities/primitive"
    RELATIVE_PYTHON_MODULE = "comfy_extras.nodes_primitive"
    RETURN_TYPES: tuple[str, ...]
    FUNCTION = "give"
    OPTIONS: ClassVar[dict[str, Any]] = {}

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        return {"required": {"value": (cls.RETURN_TYPES[0], cls.OPTIONS)}}

    def give(self, value: Any) -> tuple[Any]:
        """Give it."""
        return (value,)


class PrimitiveInt(_Primitive):
    """A whole number."""

    DISPLAY_NAME = "Int"
    OPTIONS: ClassVar = {"min": -FARTHEST, "max": FARTHEST, "control_after_generate": "fixed"}
    RETURN_TYPES = ("INT",)


class PrimitiveFloat(_Primitive):
    """A number."""

    DISPLAY_NAME = "Float"
    OPTIONS: ClassVar = {"min": -FARTHEST, "max": FARTHEST, "step": 0.1}
    RETURN_TYPES = ("FLOAT",)


class PrimitiveString(_Primitive):
    """A line of text."""

    DISPLAY_NAME = "Text"
    OPTIONS: ClassVar = {"multiline": False}
    RETURN_TYPES = ("STRING",)
    SEARCH_ALIASES = ("text", "string", "text box", "prompt")


class PrimitiveStringMultiline(_Primitive):
    """Lines of text."""

    DISPLAY_NAME = "Text (Multiline)"
    ESSENTIALS_CATEGORY = "Basics"
    OPTIONS: ClassVar = {"multiline": True}
    RETURN_TYPES = ("STRING",)
    SEARCH_ALIASES = ("text", "string", "text multiline", "string multiline", "text box", "prompt")


class PrimitiveBoolean(_Primitive):
    """Yes or no."""

    DISPLAY_NAME = "Boolean"
    RETURN_TYPES = ("BOOLEAN",)


class PreviewAny:
    """Shows any value as text."""

    CATEGORY = "utilities"
    DESCRIPTION = "Preview any input value as text."
    DISPLAY_NAME = "Preview as Text"
    OUTPUT_NODE = True
    RELATIVE_PYTHON_MODULE = "comfy_extras.nodes_preview_any"
    SEARCH_ALIASES = ("show output", "inspect", "debug", "print value", "show text")
    RETURN_TYPES = ("STRING",)
    FUNCTION = "show"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        return {"required": {"source": ("*", {})}}

    def show(self, source: Any = None) -> dict[str, Any]:
        """Show it: as JSON if that can be, otherwise as Python does."""
        text = str(source)
        if source is not None and not isinstance(source, str | int | float):
            with suppress(TypeError, ValueError):
                text = json.dumps(source, indent=4)
        return {"ui": {"text": (text,)}, "result": (text,)}


NODES = (
    PrimitiveInt,
    PrimitiveFloat,
    PrimitiveString,
    PrimitiveStringMultiline,
    PrimitiveBoolean,
    PreviewAny,
)
