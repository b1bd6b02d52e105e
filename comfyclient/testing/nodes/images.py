"""Changing images: their sizes, their colors, and how many there are."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from comfyclient.testing.context import current
from comfyclient.testing.nodes.schema import LONGEST, NewerForm, side

METHODS = ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"]


# ── sizes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class ImageScale:
    """To a size."""

    CATEGORY = "image/upscaling"
    DISPLAY_NAME = "Upscale Image"
    ESSENTIALS_CATEGORY = "Image Tools"
    SEARCH_ALIASES = ("resize", "resize image", "scale image", "image resize", "zoom", "zoom in", "change size")
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "upscale"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        return {
            "required": {
                "image": ("IMAGE",),
                "upscale_method": (METHODS,),
                "width": side(lowest=0),
                "height": side(lowest=0),
                "crop": (["disabled", "center"],),
            }
        }

    def upscale(self, image: Any, upscale_method: str, width: int, height: int, crop: str) -> tuple[Any]:
        """Scale them; a side of 0 follows from the other."""
        from comfyclient.testing.nodes.interpolation import cropped, resized  # noqa: PLC0415 - numpy takes its time

        if not width and not height:
            return (image,)
        old_height, old_width = image.shape[1:3]
        width = width or max(1, round(old_width * height / old_height))
        height = height or max(1, round(old_height * width / old_width))
        if crop == "center":
            image = cropped(image, width, height)
        return (resized(image, width, height, upscale_method),)


class ImageScaleBy:
    """By a factor."""

    CATEGORY = "image/upscaling"
    DISPLAY_NAME = "Upscale Image By"
    ESSENTIALS_CATEGORY = "Image Tools"
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "upscale"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        factor = {"default": 1.0, "min": 0.01, "max": 8.0, "step": 0.01}
        return {"required": {"image": ("IMAGE",), "upscale_method": (METHODS,), "scale_by": ("FLOAT", factor)}}

    def upscale(self, image: Any, upscale_method: str, scale_by: float) -> tuple[Any]:
        """Scale them."""
        from comfyclient.testing.nodes.interpolation import resized  # noqa: PLC0415

        height, width = (round(length * scale_by) for length in image.shape[1:3])
        return (resized(image, width, height, upscale_method),)


class ImageCrop(NewerForm):
    """A part."""

    CATEGORY = "image/transform"
    DISPLAY_NAME = "Crop Image (DEPRECATED)"
    ESSENTIALS_CATEGORY = "Image Tools"
    OBJECT_INFO: ClassVar = {**NewerForm.OBJECT_INFO, "deprecated": True}
    RELATIVE_PYTHON_MODULE = "comfy_extras.nodes_images"
    SEARCH_ALIASES = ("trim",)
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "crop"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        place = side(default=0, lowest=0)
        return {"required": {"image": ("IMAGE", {}), "width": side(), "height": side(), "x": place, "y": place}}

    def crop(self, image: Any, width: int, height: int, x: int, y: int) -> tuple[Any]:
        """Cut it out; beyond the edges there is nothing."""
        x, y = min(x, image.shape[2] - 1), min(y, image.shape[1] - 1)
        return (image[:, y : y + height, x : x + width],)


class ImagePadForOutpaint:
    """Gray around an image, and a mask of what is new."""

    CATEGORY = "image/transform"
    DISPLAY_NAME = "Pad Image for Outpainting"
    SEARCH_ALIASES = ("extend canvas", "expand image")
    RETURN_TYPES = ("IMAGE", "MASK")
    FUNCTION = "expand_image"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        edge = {"default": 0, "min": 0, "max": LONGEST, "step": 8}
        feathering = {"default": 40, "min": 0, "max": LONGEST, "step": 1, "advanced": True}
        edges = dict.fromkeys(("left", "top", "right", "bottom"), ("INT", edge))
        return {"required": {"image": ("IMAGE",), **edges, "feathering": ("INT", feathering)}}

    def expand_image(  # noqa: PLR0917 - ComfyUI passes names
        self, image: Any, left: int, top: int, right: int, bottom: int, feathering: int
    ) -> tuple[Any, Any]:
        """Make it larger; at the edges that it grows by, the mask fades inwards."""
        import numpy as np  # noqa: PLC0415

        height, width = image.shape[1:3]
        around = ((top, bottom), (left, right))
        inside = np.zeros((height, width))
        if 0 < feathering * 2 < min(height, width):
            rows, columns = np.arange(height)[:, None], np.arange(width)
            far = np.full((height, width), max(height, width))
            distances = [
                rows if top else far,
                height - rows if bottom else far,
                columns if left else far,
                width - columns if right else far,
            ]
            nearest = np.minimum.reduce([np.broadcast_to(each, far.shape) for each in distances])
            inside = np.maximum((feathering - nearest) / feathering, 0) ** 2
        mask = np.pad(inside.astype(np.float32), around, constant_values=1)
        return np.pad(image, ((0, 0), *around, (0, 0)), constant_values=0.5), mask[None]


# ── colors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class ImageInvert:
    """Negatives."""

    CATEGORY = "image/color"
    DISPLAY_NAME = "Invert Image Colors"
    ESSENTIALS_CATEGORY = "Image Tools"
    SEARCH_ALIASES = ("reverse colors",)
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "invert"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        return {"required": {"image": ("IMAGE",)}}

    def invert(self, image: Any) -> tuple[Any]:
        """Make them."""
        return (1.0 - image,)


class ImageBlur(NewerForm):
    """Gaussian blur."""

    CATEGORY = "image/filters"
    DISPLAY_NAME = "Blur Image"
    RELATIVE_PYTHON_MODULE = "comfy_extras.nodes_post_processing"
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "blur"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        return {
            "required": {
                "image": ("IMAGE", {}),
                "blur_radius": ("INT", {"default": 1, "min": 1, "max": 31, "step": 1}),
                "sigma": ("FLOAT", {"default": 1.0, "min": 0.1, "max": 10.0, "step": 0.1}),
            }
        }

    def blur(self, image: Any, blur_radius: int, sigma: float) -> tuple[Any]:
        """Blur them."""
        from comfyclient.testing.nodes.blurring import blurred  # noqa: PLC0415

        return (blurred(image, blur_radius, sigma),)


# ── batches ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class ImageBatch:
    """Two batches as one."""

    CATEGORY = "image/batch"
    DEPRECATED = True
    DISPLAY_NAME = "Batch Images (DEPRECATED)"
    SEARCH_ALIASES = ("combine images", "merge images", "stack images")
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "batch"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        return {"required": {"image1": ("IMAGE",), "image2": ("IMAGE",)}}

    def batch(self, image1: Any, image2: Any) -> tuple[Any]:
        """Put them together, in the size of the first; who lacks alpha is opaque."""
        import numpy as np  # noqa: PLC0415

        from comfyclient.testing.nodes.interpolation import cropped, resized  # noqa: PLC0415

        opaque = ((0, 0), (0, 0), (0, 0), (0, 1))
        if image1.shape[-1] > image2.shape[-1]:
            image2 = np.pad(image2, opaque, constant_values=1)
        elif image1.shape[-1] < image2.shape[-1]:
            image1 = np.pad(image1, opaque, constant_values=1)
        if image1.shape[1:] != image2.shape[1:]:
            height, width = image1.shape[1:3]
            image2 = resized(cropped(image2, width, height), width, height, "bilinear")
        return (np.concatenate((image1, image2)),)


class RepeatImageBatch(NewerForm):
    """The same images again and again."""

    CATEGORY = "image/batch"
    DISPLAY_NAME = "Repeat Image Batch"
    RELATIVE_PYTHON_MODULE = "comfy_extras.nodes_images"
    SEARCH_ALIASES = ("duplicate image", "clone image")
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "repeat"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        return {"required": {"image": ("IMAGE", {}), "amount": ("INT", {"default": 1, "min": 1, "max": 4096})}}

    def repeat(self, image: Any, amount: int) -> tuple[Any]:
        """Repeat them."""
        import numpy as np  # noqa: PLC0415

        return (np.tile(image, (amount, 1, 1, 1)),)


class ImageFromBatch(NewerForm):
    """Some images of many."""

    CATEGORY = "image/batch"
    DISPLAY_NAME = "Get Image from Batch"
    RELATIVE_PYTHON_MODULE = "comfy_extras.nodes_images"
    SEARCH_ALIASES = ("select image", "pick from batch", "extract image")
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "pick"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        return {
            "required": {
                "image": ("IMAGE", {}),
                "batch_index": ("INT", {"default": 0, "min": -LONGEST, "max": LONGEST}),
                "length": ("INT", {"default": 1, "min": 1, "max": 4096}),
            }
        }

    def pick(self, image: Any, batch_index: int, length: int) -> tuple[Any]:
        """Take them; negative indices count from the end, and what is beyond it means the last."""
        first = batch_index + len(image) if batch_index < 0 else batch_index
        first = max(0, min(len(image) - 1, first))
        return (image[first : first + length],)


# ── output ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class SaveImageWebsocket:
    """PNGs as if they were previews, one per step."""

    CATEGORY = "image"
    DISPLAY_NAME = "Save Image (Websocket)"
    OUTPUT_NODE = True
    RELATIVE_PYTHON_MODULE = "custom_nodes.websocket_image_save"
    RETURN_TYPES = ()
    FUNCTION = "save_images"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        return {"required": {"images": ("IMAGE",)}}

    def save_images(self, images: Any) -> dict[str, Any]:
        """Send them."""
        for step, image in enumerate(images):
            current().progress(step, len(images), preview=image, kind="PNG")
        return {}

    @classmethod
    def IS_CHANGED(cls, images: Any) -> float:  # noqa: ARG003 - ComfyUI passes all inputs
        """Always."""
        return time.time()


NODES = (
    ImageScale,
    ImageScaleBy,
    ImageCrop,
    ImagePadForOutpaint,
    ImageInvert,
    ImageBlur,
    ImageBatch,
    RepeatImageBatch,
    ImageFromBatch,
    SaveImageWebsocket,
)
