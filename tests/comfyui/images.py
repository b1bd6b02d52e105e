"""The pixels that the node pack paints, so that tests can tell whose image they got."""

import numpy as np


def painted(seed: int, width: int, height: int) -> bytes:
    """The RGB bytes of ``TestImage(seed, width, height)``; image ``i`` of a batch has ``seed + i``.

    At (x, y): red is ``seed % 256``, green ``seed // 256 % 256``, blue ``(seed + x + y) % 256``.
    """
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[..., 0] = seed % 256
    pixels[..., 1] = seed // 256 % 256
    pixels[..., 2] = (seed % 256 + np.arange(width) + np.arange(height)[:, None]) % 256
    return pixels.tobytes()
