"""Images in other sizes, as torch's ``interpolate`` makes them on a CPU: the same float32 numbers, bit by bit.

Saved pixels are cut off, not rounded: 99.999 is 99. So it matters in which order torch adds up what, and where its
compiled code rounds once for a multiplication and an addition (``fused``) and where twice.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats: TypeAlias = NDArray[np.float32]
Indices: TypeAlias = NDArray[np.intp]
Tap: TypeAlias = tuple[Indices, Floats]
"""Of each wanted pixel along one side: a pixel that it is made of, and how much of it."""

SMALL: float = 128
"""Up to this sum of width and height torch weighs four neighbours at once, above it first along the rows (unless it has
a single thread)."""
CUBIC = -0.75
"""How much bicubic interpolation overshoots."""


def fused(left: Any, right: Any, added: Any) -> Floats:
    """``left * right + added`` of float32, rounded once."""
    product: NDArray[np.float64] = np.multiply(left, right, dtype=np.float64)  # exactly, 24 bits and 24 bits are 48
    product += added
    return product.astype(np.float32)


def cropped(images: Floats, width: int, height: int) -> Floats:
    """The middle part, of the proportions that these sides have."""
    old_height, old_width = images.shape[1:3]
    old_aspect, new_aspect = old_width / old_height, width / height
    x = y = 0
    if old_aspect > new_aspect:
        x = round((old_width - old_width * (new_aspect / old_aspect)) / 2)
    elif old_aspect < new_aspect:
        y = round((old_height - old_height * (old_aspect / new_aspect)) / 2)
    return images[:, y : old_height - y, x : old_width - x]


def resized(images: Floats, width: int, height: int, method: str) -> Floats:
    """Images of that size.

    Args:
        images: ``[batch, height, width, channels]``.
        width: In pixels.
        height: In pixels.
        method: One of ComfyUI's names.

    Raises:
        RuntimeError: A side would be 0.
        ValueError: Likewise, with "lanczos".
    """
    if method == "lanczos":
        return _with_pillow(images, width, height)
    old_height, old_width = images.shape[1:3]
    if not width or not height:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input (H: {old_height}, W: {old_width}) "
            f"output (H: {height}, W: {width})"
        )
    if method == "nearest-exact":
        return images[:, _nearest(old_height, height)][:, :, _nearest(old_width, width)]
    if method == "area":
        return _averaged(images, width, height)
    taps = _bilinear if method == "bilinear" else _bicubic
    across, down = taps(old_width, width), taps(old_height, height)
    if method == "bilinear" and width + height <= SMALL:
        return _weighed_at_once(images, across, down)
    return _weighed(_weighed(images, across, 2), down, 1)


def _with_pillow(images: Floats, width: int, height: int) -> Floats:
    pictures = [Image.fromarray(np.clip(255.0 * image, 0, 255).astype(np.uint8)) for image in images]
    scaled = [picture.resize((width, height), Image.Resampling.LANCZOS) for picture in pictures]
    return np.stack([np.asarray(picture).astype(np.float32) / np.float32(255) for picture in scaled])


# ── where pixels come from ───────────────────────────────────────────────────────────────────────────────────────────


def _sources(size: int, wanted: int) -> Floats:
    """The place in the old image of each wanted pixel, along one side."""
    scale = np.float32(size) / np.float32(wanted)
    return fused(scale, np.arange(wanted) + 0.5, -0.5)


def _nearest(size: int, wanted: int) -> Indices:
    scale = np.float32(size) / np.float32(wanted)
    places = (np.arange(wanted, dtype=np.float32) + np.float32(0.5)) * scale
    indices: Indices = np.minimum(places.astype(np.intp), size - 1)
    return indices


def _bilinear(size: int, wanted: int) -> list[Tap]:
    places = np.maximum(_sources(size, wanted), np.float32(0))
    first = np.minimum(places.astype(np.intp), size - 1)
    part = np.clip(places - first.astype(np.float32), 0, 1)
    return [(first, 1 - part), (np.minimum(first + 1, size - 1), part)]


def _bicubic(size: int, wanted: int) -> list[Tap]:
    places = _sources(size, wanted)
    floors = np.floor(places)
    part = np.clip(places - floors, 0, 1)
    rest = 1 - part
    weights = [_cubic_far(part + 1), _cubic_near(part), _cubic_near(rest), _cubic_far(rest + 1)]
    first = floors.astype(np.intp) - 1
    return [(np.clip(first + i, 0, size - 1), weight) for i, weight in enumerate(weights)]


def _cubic_near(distance: Floats) -> Floats:
    inner = fused(distance, CUBIC + 2, -(CUBIC + 3))
    weight: Floats = inner * distance * distance + np.float32(1)
    return weight


def _cubic_far(distance: Floats) -> Floats:
    inner = fused(fused(distance, CUBIC, -5 * CUBIC), distance, 8 * CUBIC)
    weight: Floats = inner * distance - np.float32(4 * CUBIC)
    return weight


# ── weighing them ────────────────────────────────────────────────────────────────────────────────────────────────────


def _sum(parts: list[tuple[Floats, Floats]]) -> Floats:
    """The sum of products: the second is rounded first, the others are fused with what there is."""
    (image, weight), (other, other_weight), *more = parts
    total = fused(image, weight, other * other_weight)
    for image, weight in more:
        total = fused(image, weight, total)
    return total


def _weighed(images: Floats, taps: list[Tap], axis: int) -> Floats:
    shape = [-1 if i == axis else 1 for i in range(4)]
    return _sum([(images.take(index, axis), weight.reshape(shape)) for index, weight in taps])


def _weighed_at_once(images: Floats, across: list[Tap], down: list[Tap]) -> Floats:
    return _sum(
        [
            (images[:, y][:, :, x], (y_weight[:, None] * x_weight)[..., None])
            for y, y_weight in down
            for x, x_weight in across
        ]
    )


def _averaged(images: Floats, width: int, height: int) -> Floats:
    """Means of the pixels that each wanted one covers; windows overlap where sizes are no multiples."""
    top, rows = _windows(images.shape[1], height)
    left, columns = _windows(images.shape[2], width)
    total = np.zeros((len(images), height, width, images.shape[3]), np.float32)
    for y in range(rows.max()):
        for x in range(columns.max()):
            covered = (y < rows)[:, None] & (x < columns)
            row, column = np.minimum(top + y, images.shape[1] - 1), np.minimum(left + x, images.shape[2] - 1)
            total += images[:, row][:, :, column] * covered[..., None].astype(np.float32)
    return total / rows.astype(np.float32)[:, None, None] / columns.astype(np.float32)[:, None]


def _windows(size: int, wanted: int) -> tuple[Indices, Indices]:
    """Where each begins, and how many pixels it has."""
    number = np.arange(wanted)
    first = number * size // wanted
    return first, -(-(number + 1) * size // wanted) - first
