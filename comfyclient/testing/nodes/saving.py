"""Making, saving and showing images."""

from __future__ import annotations

import json
import random
from typing import Any

from comfyclient.testing.context import current, picture


class EmptyImage:
    """Images of one color."""

    CATEGORY = "image"
    DISPLAY_NAME = "Empty Image"
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "generate"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        side = {"default": 512, "min": 1, "max": 16384, "step": 1}
        return {
            "required": {
                "width": ("INT", side),
                "height": ("INT", side),
                "batch_size": ("INT", {"default": 1, "min": 1, "max": 4096}),
                "color": ("INT", {"default": 0, "min": 0, "max": 0xFFFFFF, "step": 1, "display": "color"}),
            }
        }

    def generate(self, width: int, height: int, batch_size: int = 1, color: int = 0) -> tuple[Any]:
        """Make them."""
        import numpy as np  # noqa: PLC0415 - the server starts without it, and faster

        channels = np.array(tuple(color.to_bytes(3, "big")), np.float32) / np.float32(255)
        return (np.broadcast_to(channels, (batch_size, height, width, 3)).copy(),)


class SaveImage:
    """PNG files in the output directory, with the workflow inside."""

    CATEGORY = "image"
    DISPLAY_NAME = "Save Image"
    DESCRIPTION = "Saves the input images to your ComfyUI output directory."
    ESSENTIALS_CATEGORY = "Basics"
    SEARCH_ALIASES = ("save", "save image", "export image", "output image", "write image", "download")
    OUTPUT_NODE = True
    RETURN_TYPES = ("IMAGE",)
    RETURN_NAMES = ("images",)
    FUNCTION = "save_images"
    KIND = "output"
    COMPRESSION = 4

    def __init__(self) -> None:
        self._suffix = ""

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        prefix_tooltip = (
            "The prefix for the file to save. This may include formatting information such as %date:yyyy-MM-dd% "
            "or %Empty Latent Image.width% to include values from nodes."
        )
        return {
            "required": {
                "images": ("IMAGE", {"tooltip": "The images to save."}),
                "filename_prefix": ("STRING", {"default": "ComfyUI", "tooltip": prefix_tooltip}),
            },
            "hidden": {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"},
        }

    def save_images(
        self, images: Any, filename_prefix: str = "ComfyUI", prompt: Any = None, extra_pnginfo: Any = None
    ) -> dict[str, Any]:
        """Save them."""
        from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415 - the server starts without it, and faster

        metadata = PngInfo()
        texts = {} if prompt is None else {"prompt": prompt}
        for key, value in {**texts, **(extra_pnginfo or {})}.items():
            metadata.add_text(key, json.dumps(value))
        height, width = images[0].shape[:2]
        saving = current().folders.saving(filename_prefix + self._suffix, self.KIND, width, height)
        saved = []
        for number, image in enumerate(images):
            stem = saving.filename.replace("%batch_num%", str(number))
            name = f"{stem}_{saving.counter + number:05}_.png"
            picture(image).save(saving.directory / name, pnginfo=metadata, compress_level=self.COMPRESSION)
            saved.append({"filename": name, "subfolder": saving.subfolder, "type": self.KIND})
        return {"ui": {"images": saved}, "result": (images,)}


class PreviewImage(SaveImage):
    """The same in the temp directory."""

    DISPLAY_NAME = "Preview Image"
    DESCRIPTION = "Preview the images without saving them to the ComfyUI output directory."
    SEARCH_ALIASES = ("preview", "preview image", "show image", "view image", "display image", "image viewer")
    KIND = "temp"
    COMPRESSION = 1

    def __init__(self) -> None:
        super().__init__()
        self._suffix = "_temp_" + "".join(random.choices("abcdefghijklmnopqrstupvxyz", k=5))  # noqa: S311 - no secret

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in."""
        hidden = {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"}
        return {"required": {"images": ("IMAGE",)}, "hidden": hidden}


NODES = (EmptyImage, SaveImage, PreviewImage)
