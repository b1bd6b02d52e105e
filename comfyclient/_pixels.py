"""Images in memory, of Pillow or NumPy, as PNG files. Neither is imported before somebody has such an image."""

from __future__ import annotations

import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

_PLAIN = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16"})
"""The modes of Pillow that PNG can hold."""

_TRANSPARENT = {"LA": "LA", "La": "LA", "RGBA": "RGBA", "RGBa": "RGBA", "PA": "RGBA"}
"""Those with an alpha channel, and what they are in PNG."""


def is_array(value: object) -> bool:
    """Whether it is a NumPy array."""
    numpy = sys.modules.get("numpy")  # whoever has an array has imported it
    return numpy is not None and isinstance(value, numpy.ndarray)


def png(image: Image | NDArray[Any], *, as_mask: bool = False) -> BytesIO:
    """The image as a PNG file.

    Args:
        image: An image of any mode, or an array as ``from_array`` takes it.
        as_mask: Make a greyscale image one whose transparency is the mask, as ``LoadImage`` reads it: white is
            transparent.

    Raises:
        ImportError: It takes Pillow, which is not installed.
        TypeError, ValueError: The array is no image, or the image no mask.
    """
    picture = from_array(cast("NDArray[Any]", image)) if is_array(image) else cast("Image", image)
    if as_mask:
        picture = _transparent(picture)
    if picture.mode not in _PLAIN:
        picture = picture.convert(_TRANSPARENT.get(picture.mode, "RGB"))
    file = BytesIO()
    picture.save(file, "PNG")
    file.seek(0)
    return file


def from_array(array: NDArray[Any]) -> Image:
    """An array as a Pillow image: of height x width, alone or with 1, 3 or 4 channels, or a batch of one such.

    Its values are ``uint8``, ``bool``, or floats from 0 to 1.

    Raises:
        ImportError: Pillow is not installed.
        TypeError: Its values are of another type.
        ValueError: It has another shape, or floats beyond 0 and 1.
    """
    try:
        from PIL import Image  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ImportError("to upload arrays takes Pillow: pip install 'comfyclient[images]'") from error
    return Image.fromarray(_bytes_of(_single(array)))


def _single(array: NDArray[Any]) -> NDArray[Any]:
    """The one image that is there: height x width, or with 3 or 4 channels."""
    shape = "x".join(map(str, array.shape)) or "a single number"
    if array.ndim == 4:  # noqa: PLR2004 - images, height, width, channels
        if len(array) != 1:
            raise ValueError(f"this array ({shape}) is a batch of {len(array)} images: upload them one by one")
        array = array[0]
    channels = array.shape[2] if array.ndim == 3 else 1  # noqa: PLR2004 - height, width, channels
    if array.ndim not in {2, 3} or channels not in {1, 3, 4} or not array.size:
        due = "height x width, with 1, 3 or 4 channels last, or a batch of one such image"
        raise ValueError(f"an image is an array of {due}; this one is {shape}")
    return array[..., 0] if array.ndim == 3 and channels == 1 else array  # noqa: PLR2004 - as above


def _bytes_of(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind == "f":
        low, high = array.min(), array.max()
        if not (low >= 0 and high <= 1):  # NaN neither
            raise ValueError(f"floats are due from 0 to 1, and these are from {low:g} to {high:g}: scale or clip them")
        return (array * 255 + 0.5).astype("uint8")
    if array.dtype.kind == "b":
        return array.astype("uint8") * 255
    if array.dtype != "uint8":
        raise TypeError(f"an image is an array of uint8, bool or floats from 0 to 1, not of {array.dtype}")
    return array


def _transparent(image: Image) -> Image:
    if image.mode in _TRANSPARENT or "transparency" in image.info:
        return image
    if image.mode not in {"1", "L"}:
        raise ValueError(f"a mask is greyscale with 8 bits, or has an alpha channel; this image is {image.mode}")
    from PIL import Image, ImageChops  # noqa: PLC0415 - an extra

    alpha = ImageChops.invert(image.convert("L"))
    return Image.merge("LA", (Image.new("L", image.size), alpha))
