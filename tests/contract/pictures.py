"""Image files of every kind that LoadImage may meet, made of noise: where a reader errs, it shows."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

ODD, EVEN = (37, 23), (64, 48)
"""ComfyUI takes another way where the width is no multiple of 32."""
ORIENTATION = 0x112


def noise(size: tuple[int, int], channels: int = 4, seed: int = 5, bits: int = 8) -> NDArray[Any]:
    """Random numbers of ``[height, width, channels]``."""
    kind = np.uint8 if bits == 8 else np.uint16
    return np.random.default_rng(seed).integers(0, 2**bits, (size[1], size[0], channels), kind)


def gradient(size: tuple[int, int]) -> Image.Image:
    """What lossy formats are made for."""
    y, x = np.mgrid[: size[1], : size[0]]
    red, green, blue = x * 255 // size[0], y * 255 // size[1], (x + y) * 255 // sum(size)
    return Image.fromarray(np.stack([red, green, blue], -1).astype(np.uint8))


def _file(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(*, oriented: int | None = None, size: tuple[int, int] = EVEN, channels: int = 3, seed: int = 5) -> bytes:
    """A PNG of noise."""
    options = {} if oriented is None else {"exif": _exif(oriented)}
    pixels = noise(size, seed=seed)[..., :channels]
    return _file(Image.fromarray(pixels.squeeze(-1) if channels == 1 else pixels), "PNG", **options)


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def deep_png(size: tuple[int, int], color_type: int) -> bytes:
    """A PNG of 16 bits per channel, which Pillow cannot write."""
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[color_type]
    rows = noise(size, channels, bits=16).astype(">u2")
    header = struct.pack(">IIBBBBB", *size, 16, color_type, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def _animated(size: tuple[int, int], kind: str, **options: Any) -> bytes:
    first, *more = (Image.fromarray(noise(size, 3, seed)) for seed in range(3))
    return _file(first, kind, save_all=True, append_images=more, duration=100, **options)


def _of_size(size: tuple[int, int]) -> Iterable[tuple[str, Callable[[], bytes]]]:
    rgba = Image.fromarray(noise(size))
    rgb, gray = rgba.convert("RGB"), rgba.getchannel(0)
    bit = gray.point(lambda value: 255 * (value > 127)).convert("1", dither=Image.Dither.NONE)
    palette = rgb.quantize(16)
    yield "rgb.png", lambda: _file(rgb, "PNG")
    yield "rgba.png", lambda: _file(rgba, "PNG")
    yield "gray.png", lambda: _file(gray, "PNG")
    yield "one bit.png", lambda: _file(bit, "PNG")
    yield "palette.png", lambda: _file(palette, "PNG")
    yield "transparent color.png", lambda: _file(rgb, "PNG", transparency=rgb.getpixel((3, 3)))
    yield "transparent entry.png", lambda: _file(palette, "PNG", transparency=3)
    yield "alpha in palette.png", lambda: _file(palette, "PNG", transparency=bytes(range(0, 256, 16)))
    yield "16 bits.png", lambda: deep_png(size, 2)
    yield "16 bits and alpha.png", lambda: deep_png(size, 6)
    yield "16 bits of gray.png", lambda: deep_png(size, 0)
    yield "animated.png", lambda: _animated(size, "PNG")
    for orientation in range(2, 9):
        yield f"oriented {orientation}.png", functools.partial(png, oriented=orientation, size=size)
    yield "still.gif", lambda: _file(rgb, "GIF")
    yield "transparent.gif", lambda: _file(palette, "GIF", transparency=3)
    yield "animated.gif", lambda: _animated(size, "GIF")
    yield "lossless.webp", lambda: _file(rgb, "WEBP", lossless=True)
    yield "alpha.webp", lambda: _file(rgba, "WEBP", lossless=True, exact=True)
    yield "oriented.webp", lambda: _file(rgb, "WEBP", lossless=True, exif=_exif(6))
    yield "animated.webp", lambda: _animated(size, "WEBP", lossless=True)
    yield "rgb.bmp", lambda: _file(rgb, "BMP")
    yield "rgba.bmp", lambda: _file(rgba, "BMP")
    yield "palette.bmp", lambda: _file(palette, "BMP")
    yield "gray.bmp", lambda: _file(gray, "BMP")
    yield "rgb.tga", lambda: _file(rgb, "TGA")
    yield "rgb.tiff", lambda: _file(rgb, "TIFF")
    yield "rgba.tiff", lambda: _file(rgba, "TIFF")


def _lossy(size: tuple[int, int]) -> Iterable[tuple[str, Callable[[], bytes], int]]:
    smooth = gradient(size)
    yield "4:4:4.jpg", lambda: _file(smooth, "JPEG", quality=95, subsampling=0), 3
    yield "4:2:2.jpg", lambda: _file(smooth, "JPEG", quality=95, subsampling=1), 6
    yield "4:2:0.jpg", lambda: _file(smooth, "JPEG", quality=95, subsampling=2), 8
    yield "oriented.jpg", lambda: _file(smooth, "JPEG", quality=95, subsampling=0, exif=_exif(6)), 3
    yield "gray.jpg", lambda: _file(smooth.convert("L"), "JPEG", quality=95), 1
    yield "cmyk.jpg", lambda: _file(smooth.convert("CMYK"), "JPEG", quality=95), 3
    yield "gray and alpha, 16 bits.png", lambda: deep_png(size, 4), 1
    if size == EVEN:  # of other widths ComfyUI spoils the last columns
        yield "lossy.webp", lambda: _file(smooth, "WEBP", quality=90), 3


EXACT = {f"{size[0]} {name}": make for size in (ODD, EVEN) for name, make in _of_size(size)}
CLOSE = {f"{size[0]} {name}": (make, by) for size in (ODD, EVEN) for name, make, by in _lossy(size)}
"""And by how much their pixels may differ, of 255."""
