"""Images from files."""

from __future__ import annotations

import hashlib
import mimetypes
from typing import Any

from comfyclient.testing.context import current

CHANNELS = ["alpha", "red", "green", "blue"]


class LoadImage:
    """The images in a file, and their masks."""

    CATEGORY = "image"
    DISPLAY_NAME = "Load Image"
    ESSENTIALS_CATEGORY = "Basics"
    SEARCH_ALIASES: tuple[str, ...] = (
        "load image",
        "open image",
        "import image",
        "image input",
        "upload image",
        "read image",
        "image loader",
    )
    RETURN_TYPES: tuple[str, ...] = ("IMAGE", "MASK")
    FUNCTION = "load_image"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        files = [
            path.name for path in current().directory("input").iterdir() if path.is_file() and _is_image(path.name)
        ]
        return {"required": {"image": (sorted(files), {"image_upload": True})}}

    def load_image(self, image: str) -> tuple[Any, Any]:
        """Read it."""
        from comfyclient.testing.nodes.reading import read  # noqa: PLC0415 - numpy and Pillow take their time

        return read(current().folders.find(image))

    @classmethod
    def IS_CHANGED(cls, image: str) -> str:
        """When the file has."""
        return hashlib.sha256(current().folders.find(image).read_bytes()).hexdigest()

    @classmethod
    def VALIDATE_INPUTS(cls, image: str) -> bool | str:
        """Whether there is such a file."""
        return current().folders.exists(image) or f"Invalid image file: {image}"


class LoadImageMask(LoadImage):
    """One channel of an image, as a mask."""

    DISPLAY_NAME = "Load Image (as Mask)"
    ESSENTIALS_CATEGORY = "Image Tools"
    SEARCH_ALIASES = ("import mask", "alpha mask", "channel mask")
    RETURN_TYPES = ("MASK",)
    FUNCTION = "load_image_mask"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        return {"required": {**super().INPUT_TYPES()["required"], "channel": (CHANNELS,)}}

    def load_image_mask(self, image: str, channel: str) -> tuple[Any]:
        """Read it."""
        images, masks = self.load_image(image)
        return (masks if channel == "alpha" else images[..., CHANNELS.index(channel) - 1],)

    @classmethod
    def IS_CHANGED(cls, image: str, channel: str) -> str:  # type: ignore[override]  # noqa: ARG003 - as ComfyUI calls it
        """When the file has."""
        return super().IS_CHANGED(image)


class LoadImageOutput(LoadImage):
    """The same, with a list of the output directory's files in the editor."""

    DESCRIPTION = (
        "Load an image from the output folder. When the refresh button is clicked, the node will update the image list "
        "and automatically select the first image, allowing for easy iteration."
    )
    DISPLAY_NAME = "Load Image (from Outputs)"
    EXPERIMENTAL = True
    SEARCH_ALIASES = ("output image", "previous generation")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        remote = {"route": "/internal/files/output", "refresh_button": True, "control_after_refresh": "first"}
        return {"required": {"image": ("COMBO", {"image_upload": True, "image_folder": "output", "remote": remote})}}


def _is_image(name: str) -> bool:
    # Not every system knows of WebP.
    return name.endswith(".webp") or (mimetypes.guess_type(name)[0] or "").startswith("image/")


NODES = (LoadImage, LoadImageMask, LoadImageOutput)
