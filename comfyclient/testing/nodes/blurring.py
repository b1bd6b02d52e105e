"""Gaussian blur, as torch does it on a CPU."""

from __future__ import annotations

import numpy as np

from comfyclient.testing.nodes.interpolation import Floats, fused

LANES = 8
"""Numbers that torch adds up at once: so many beside each other, four times in a row."""
IN_A_ROW = 4
LEVELS = 4
STEP = 16
ROWS = 32
"""Rows that are blurred at a time, so that they stay in the processor's cache."""


def blurred(images: Floats, radius: int, sigma: float) -> Floats:
    """Weigh each pixel with its neighbours; behind the edges the image is mirrored.

    Args:
        images: ``[batch, height, width, channels]``.
        radius: In pixels.
        sigma: Where the distance of the outermost row of the window counts as 1.

    Raises:
        RuntimeError: The image is too small for that.
    """
    count, height, width, channels = images.shape
    if radius >= min(height, width):
        raise RuntimeError(
            "Padding size should be less than the corresponding input dimension, but got: "
            f"padding ({radius}, {radius}) at dimension {3 if radius >= width else 2} of input "
            f"{[count, channels, height, width]}"
        )
    weights = kernel(2 * radius + 1, sigma)
    around = ((0, 0), (radius, radius), (radius, radius), (0, 0))
    padded = np.pad(images, around, "reflect").astype(np.float64)
    result = np.empty_like(images)
    for top in range(0, height, ROWS):
        rows = min(ROWS, height - top)
        total = np.zeros((count, rows, width, channels), np.float64)
        for (y, x), weight in np.ndenumerate(weights):
            if weight:  # what is too small for a number changes nothing
                total += padded[:, top + y : top + y + rows, x : x + width] * float(weight)
                total = total.astype(np.float32).astype(np.float64)
        result[:, top : top + rows] = total
    return result


def kernel(size: int, sigma: float) -> Floats:
    """The weights, which make 1 together."""
    number = np.arange(size)
    step = np.float32(2) / np.float32(size - 1)
    places = np.where(number < size // 2, fused(number, step, -1), fused(size - 1 - number, -step, 1))
    distances = np.sqrt(places[:, None] * places[:, None] + places * places)
    exponents = -(distances * distances) / np.float32(2.0 * sigma * sigma)
    weights = np.exp(exponents.astype(np.float64)).astype(np.float32)
    normal: Floats = weights / _total(weights.ravel())
    return normal


def _total(numbers: Floats) -> np.float32:
    """Their sum, added up in torch's order."""
    count = len(numbers) // LANES
    vectors = numbers[: count * LANES].reshape(count, LANES)
    rows = count // IN_A_ROW
    sums = _cascade(vectors[: rows * IN_A_ROW].reshape(rows, IN_A_ROW * LANES)).reshape(IN_A_ROW, LANES)
    lanes: Floats = sums[0]
    for vector in (*vectors[rows * IN_A_ROW :], *sums[1:]):
        lanes = lanes + vector
    total: np.float32 = np.float32(0)
    for number in (*numbers[count * LANES :], *lanes):
        total += number
    return total


def _cascade(rows: Floats) -> Floats:
    """The sum of rows: of every 16, then of 16 such sums, and so on."""
    levels = np.zeros((LEVELS, rows.shape[1]), np.float32)
    for number, row in enumerate(rows, 1):
        levels[0] += row
        for level in range(1, LEVELS):
            if number % STEP**level:
                break
            levels[level] += levels[level - 1]
            levels[level - 1] = 0
    total: Floats = levels[0]
    for level in levels[1:]:
        total = total + level
    return total
