"""Masks: ``[batch, height, width]``, float32 between 0 and 1."""

from __future__ import annotations

from typing import Any

from comfyclient.testing.nodes.schema import NewerForm, side

CHANNELS = ["red", "green", "blue", "alpha"]


class SolidMask(NewerForm):
    """The same everywhere."""

    CATEGORY = "image/mask"
    DISPLAY_NAME = "Create Solid Mask"
    RELATIVE_PYTHON_MODULE = "comfy_extras.nodes_mask"
    RETURN_TYPES = ("MASK",)
    FUNCTION = "solid"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        value = {"default": 1.0, "min": 0.0, "max": 1.0, "step": 0.01}
        return {"required": {"value": ("FLOAT", value), "width": side(), "height": side()}}

    def solid(self, value: float, width: int, height: int) -> tuple[Any]:
        """Make it."""
        import numpy as np  # noqa: PLC0415 - the server starts without it, and faster

        return (np.full((1, height, width), value, np.float32),)


class InvertMask(NewerForm):
    """Inside out."""

    CATEGORY = "image/mask"
    DISPLAY_NAME = "Invert Mask"
    RELATIVE_PYTHON_MODULE = "comfy_extras.nodes_mask"
    SEARCH_ALIASES = ("reverse mask", "flip mask")
    RETURN_TYPES = ("MASK",)
    FUNCTION = "invert"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        return {"required": {"mask": ("MASK", {})}}

    def invert(self, mask: Any) -> tuple[Any]:
        """Turn it."""
        return (1 - mask,)


class ImageToMask(NewerForm):
    """One channel of images."""

    CATEGORY = "image/mask"
    DISPLAY_NAME = "Convert Image to Mask"
    RELATIVE_PYTHON_MODULE = "comfy_extras.nodes_mask"
    SEARCH_ALIASES = ("extract channel", "channel to mask")
    RETURN_TYPES = ("MASK",)
    FUNCTION = "image_to_mask"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        return {"required": {"image": ("IMAGE", {}), "channel": ("COMBO", {"multiselect": False, "options": CHANNELS})}}

    def image_to_mask(self, image: Any, channel: str) -> tuple[Any]:
        """Take it."""
        number, count = CHANNELS.index(channel), image.shape[3]
        if number >= count:
            raise IndexError(f"index {number} is out of bounds for dimension 3 with size {count}")
        return (image[..., number],)


class MaskToImage(NewerForm):
    """Gray images."""

    CATEGORY = "image/mask"
    DISPLAY_NAME = "Convert Mask to Image"
    RELATIVE_PYTHON_MODULE = "comfy_extras.nodes_mask"
    SEARCH_ALIASES = ("convert mask",)
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "mask_to_image"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        return {"required": {"mask": ("MASK", {})}}

    def mask_to_image(self, mask: Any) -> tuple[Any]:
        """Make them."""
        return (mask.reshape(-1, *mask.shape[-2:], 1).repeat(3, axis=-1),)


class FeatherMask(NewerForm):
    """Soft edges."""

    CATEGORY = "image/mask"
    DISPLAY_NAME = "Feather Mask"
    RELATIVE_PYTHON_MODULE = "comfy_extras.nodes_mask"
    SEARCH_ALIASES = ("soft edge mask", "blur mask edges", "gradient mask edge")
    RETURN_TYPES = ("MASK",)
    FUNCTION = "feather"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        width = side(default=0, lowest=0)
        return {"required": {"mask": ("MASK", {}), **dict.fromkeys(("left", "top", "right", "bottom"), width)}}

    def feather(self, mask: Any, left: int, top: int, right: int, bottom: int) -> tuple[Any]:
        """Let the mask begin and end by degrees, over so many pixels."""
        height, width = mask.shape[-2:]
        masks = mask.reshape(-1, height, width)
        across = _ramp(width, left), _ramp(width, right)[::-1]
        down = _ramp(height, top)[:, None], _ramp(height, bottom)[::-1, None]
        return (masks * across[0] * across[1] * down[0] * down[1],)


def _ramp(size: int, length: int) -> Any:
    """Weights that rise from next to nothing to 1, and stay there."""
    import numpy as np  # noqa: PLC0415

    length = min(length, size)
    weights = np.ones(size, np.float32)
    weights[:length] = np.arange(1, length + 1) / max(length, 1)
    return weights


class ImageCompositeMasked(NewerForm):
    """One image upon another, where a mask says so."""

    CATEGORY = "image/compositing"
    DISPLAY_NAME = "Image Composite Masked"
    RELATIVE_PYTHON_MODULE = "comfy_extras.nodes_mask"
    SEARCH_ALIASES = ("overlay", "layer", "paste image", "images composition")
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "composite"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        place = side(default=0, lowest=0)
        return {
            "required": {
                "destination": ("IMAGE", {}),
                "source": ("IMAGE", {}),
                "x": place,
                "y": place,
                "resize_source": ("BOOLEAN", {"default": False}),
            },
            "optional": {"mask": ("MASK", {})},
        }

    def composite(  # noqa: PLR0917 - ComfyUI passes names
        self,
        destination: Any,
        source: Any,
        x: int,
        y: int,
        resize_source: bool,  # noqa: FBT001
        mask: Any = None,
    ) -> tuple[Any]:
        """Paste it; what would lie beyond the edges is left out."""
        import numpy as np  # noqa: PLC0415

        from comfyclient.testing.nodes.interpolation import resized  # noqa: PLC0415

        count, height, width, channels = destination.shape
        if channels > source.shape[3]:
            source = np.pad(source, ((0, 0), (0, 0), (0, 0), (0, 1)), constant_values=1)
        source = source[..., :channels]
        if resize_source:
            source = resized(source, width, height, "bilinear")
        source = _repeated(source, count)
        shape = source.shape[1:3]
        if mask is None:
            mask = np.ones((1, *shape), np.float32)
        weights = resized(mask.reshape(-1, *mask.shape[-2:], 1), shape[1], shape[0], "bilinear")
        weights = _repeated(weights, count)
        x, y = min(x, width), min(y, height)
        weights, source = (each[:, : height - y, : width - x] for each in (weights, source))
        result = destination.copy()
        covered = result[:, y : y + source.shape[1], x : x + source.shape[2]]
        covered[...] = weights * source + (1 - weights) * covered
        return (result,)


def _repeated(images: Any, count: int) -> Any:
    """As many as that, from the start again if need be."""
    import numpy as np  # noqa: PLC0415

    return images[np.arange(count) % len(images)]


NODES = (SolidMask, InvertMask, ImageToMask, MaskToImage, FeatherMask, ImageCompositeMasked)
