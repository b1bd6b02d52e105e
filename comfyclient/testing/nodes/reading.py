"""Image files as LoadImage reads them, which is not as Pillow does: ComfyUI has a video library read them.

Three formats of pixels keep their numbers: 8 bits of RGB or RGBA, and palettes. All others go through the library's
scaler, which turns colors into luminance and chrominance and back, and a byte ``n`` into ``n * 256 / 65535``.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from PIL import Image, ImageOps, ImageSequence

if TYPE_CHECKING:
    from pathlib import Path

    from comfyclient.testing.nodes.interpolation import Floats

Integers: TypeAlias = NDArray[np.int64]

QUARTERS = {2: 2, 3: 2, 5: -1, 6: -1, 7: 1, 8: 1}
"""Quarter turns, counterclockwise, by EXIF's orientation; the library knows no mirrors."""
ORIENTATION = 0x112
ALIGNMENT = 32
"""Images whose width is no multiple of this go through two more filters."""
NO_MASK = (64, 64)
"""The size of the mask of an image without alpha."""

FORWARD = np.array([[8414, 16519, 3208], [-4865, -9528, 14392], [14392, -12061, -2332]])
"""Luminance and chrominance from colors, times 2**15: ITU-R BT.601 in the range of television."""
LUMINANCE, RED_FROM_V, GREEN_FROM_U, GREEN_FROM_V, BLUE_FROM_U = 9539, 13075, -3209, -6660, 16525
"""And back, times 2**13."""


@frozen
class _Frame:
    """One picture: colors in ``bits`` bits, one or three channels; and alpha."""

    colors: Integers
    alpha: Integers | None
    bits: int = 8
    exact: bool = True
    """Whether the numbers are kept."""
    packed: bool = False
    """Whether alpha lies between the colors' bytes."""


def read(path: Path) -> tuple[Floats, Floats]:
    """The images and the masks of a file; more than one if it is animated.

    Raises:
        OSError: It is no image.
    """
    data = path.read_bytes()
    with Image.open(BytesIO(data)) as image:
        if image.format == "WEBP" and getattr(image, "n_frames", 1) > 1:
            return _read_with_pillow(image)
        stored = _stored(image)  # asked now, since Pillow forgets it when it loads the pixels
        turns = 0 if image.format == "TIFF" else QUARTERS.get(image.getexif().get(ORIENTATION, 1), 0)
        frames = [_frame(each, data, stored) for each in ImageSequence.Iterator(image)]
    images, masks = [], []
    for frame in frames:
        colors, alpha = _floats(frame)
        images.append(np.rot90(colors, turns))
        masks.append(np.zeros(NO_MASK, np.float32) if alpha is None else np.rot90(1 - alpha, turns))
    return np.stack(images), np.stack(masks)


def _read_with_pillow(image: Image.Image) -> tuple[Floats, Floats]:
    """Animated WebP, of which the library knows nothing."""
    images, masks = [], []
    for each in ImageSequence.Iterator(image):
        upright = ImageOps.exif_transpose(each)
        images.append(_bytes(upright, "RGB"))
        alpha = 1 - _bytes(upright, "RGBA")[..., 3] if "A" in upright.getbands() else np.zeros(NO_MASK, np.float32)
        masks.append(alpha)
    return np.stack(images), np.stack(masks)


def _bytes(image: Image.Image, mode: str) -> Floats:
    values: Floats = np.asarray(image.convert(mode)).astype(np.float32) / np.float32(255)
    return values


# ── what a file holds ────────────────────────────────────────────────────────────────────────────────────────────────


def _frame(image: Image.Image, data: bytes, stored: str) -> _Frame:
    match image.format:
        case "PNG":
            return _png(image, data, stored)
        case "BMP":
            return _bmp(image, data, stored)
        case "GIF":
            return _gif(image)
        case "WEBP":
            return _webp(image, data)
        case "JPEG" | "MPO" if image.mode == "CMYK":
            pixels = _integers(image, "RGB")
            return _Frame(pixels, np.full_like(pixels[..., 0], 255), exact=False)
    return _any(image)


def _png(image: Image.Image, data: bytes, stored: str) -> _Frame:
    if stored in {"RGB;16B", "RGBA;16B"}:
        # Pillow takes the upper byte of each number; told that the order is the other one, it takes the lower.
        pixels = np.array(image).astype(np.int64) << 8 | _reinterpreted(data, stored.replace("16B", "16L"))
        return _Frame(pixels[..., :3], pixels[..., 3] if stored == "RGBA;16B" else None, bits=16, exact=False)
    if image.mode == "1" and image.width % ALIGNMENT == 0 and "transparency" not in image.info:
        return _Frame(np.asarray(image).astype(np.int64)[..., None] * 65535, None, bits=16, exact=False)
    return _any(image)


def _bmp(image: Image.Image, data: bytes, stored: str) -> _Frame:
    if image.mode in {"1", "L", "P"}:
        pixels = _integers(image, "RGBA")
        return _Frame(pixels[..., :3], pixels[..., 3])
    alpha = _reinterpreted(data, "XBGR")[..., 0] if stored == "BGRX" else None  # the fourth byte, where red would be
    if alpha is not None and not alpha.any():
        alpha = None
    return _Frame(_integers(image, "RGB"), alpha, exact=False, packed=True)


def _gif(image: Image.Image) -> _Frame:
    pixels = _integers(image, "RGBA")
    pixels[pixels[..., 3] == 0, :3] = 255  # what is transparent is white
    return _Frame(pixels[..., :3], pixels[..., 3], exact=False, packed=True)


def _webp(image: Image.Image, data: bytes) -> _Frame:
    lossless = _is_lossless(data)
    pixels = _integers(image, "RGBA")
    alpha = pixels[..., 3] if lossless or image.mode == "RGBA" else None
    return _Frame(pixels[..., :3], alpha, exact=False, packed=lossless)


def _any(image: Image.Image) -> _Frame:
    """What most formats have in common."""
    if image.mode.startswith("I"):
        return _Frame(np.asarray(image).astype(np.int64)[..., None], None, bits=16, exact=False)
    has_alpha = "A" in image.getbands() or "transparency" in image.info
    if image.mode in {"1", "L", "LA"}:
        pixels = _integers(image, "LA")
        return _Frame(pixels[..., :1], pixels[..., 1] if has_alpha else None, exact=False)
    pixels = _integers(image, "RGBA")
    alpha = pixels[..., 3] if has_alpha or image.mode == "P" else None
    return _Frame(pixels[..., :3], alpha, exact=image.format != "TGA")


def _integers(image: Image.Image, mode: str) -> Integers:
    return np.array(image.convert(mode)).astype(np.int64)


def _stored(image: Any) -> str:
    """How the file's pixels are stored, in Pillow's terms."""
    if not image.tile:
        return ""
    arguments = image.tile[0][3]
    return str(arguments[0] if isinstance(arguments, tuple) else arguments)


def _reinterpreted(data: bytes, stored: str) -> Integers:
    """The pixels as they would be if they were stored otherwise."""
    with Image.open(BytesIO(data)) as image:
        again: Any = image  # typed stubs know other tiles in every version
        codec, extents, offset, arguments = again.tile[0]
        arguments = (stored, *arguments[1:]) if isinstance(arguments, tuple) else stored
        again.tile = [(codec, extents, offset, arguments)]
        return np.array(image).astype(np.int64)


def _is_lossless(data: bytes) -> bool:
    """Whether a WebP file is one of these."""
    at = 12
    while at + 8 <= len(data):
        if data[at : at + 4] in {b"VP8L", b"VP8 "}:
            return data[at : at + 4] == b"VP8L"
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    return False


# ── what becomes of it ───────────────────────────────────────────────────────────────────────────────────────────────


def _floats(frame: _Frame) -> tuple[Floats, Floats | None]:
    """Colors and alpha between 0 and 1."""
    colors, alpha = frame.colors, frame.alpha
    if frame.exact:
        return _divided(colors), None if alpha is None else _divided(alpha)
    shift = 16 - frame.bits
    if colors.shape[-1] == 1:
        colors = np.repeat(colors << shift, 3, axis=-1)
    else:
        colors = _through_chrominance(colors, frame.bits)
    if alpha is not None:
        fills = frame.packed and alpha.shape[1] % ALIGNMENT == 0
        alpha = (alpha << 6 | alpha >> 2) << 2 if fills else alpha << shift
    return _multiplied(colors), None if alpha is None else _multiplied(alpha)


def _divided(values: Integers) -> Floats:
    result: Floats = values.astype(np.float32) / np.float32(255)
    return result


def _multiplied(values: Integers) -> Floats:
    result: Floats = values.astype(np.float32) * np.float32(1 / 65535)
    return result


def _through_chrominance(colors: Integers, bits: int) -> Integers:
    """From ``bits`` bits of red, green and blue to 16, by way of luminance and chrominance in 19 bits."""
    luminance, u, v = np.moveaxis(colors @ FORWARD.T, -1, 0)
    if bits == 8:  # noqa: PLR2004 - the other depth has 16
        luminance = ((luminance + (32 << 14) + (1 << 8)) >> 9) << 5
        u, v = (((each + (256 << 14) + (1 << 8)) >> 9) << 5 for each in (u, v))
    else:
        luminance = ((luminance + (0x2001 << 14)) >> 15) << 3
        u, v = (((each + (0x10001 << 14)) >> 15) << 3 for each in (u, v))
    luminance = ((luminance - (1 << 18)) >> 2) + (1 << 16)
    u, v = ((each - (1 << 18)) >> 2 for each in (u, v))
    base = (luminance - 8192) * LUMINANCE + (1 << 13) - (1 << 29)
    red = base + v * RED_FROM_V
    green = base + v * GREEN_FROM_V + u * GREEN_FROM_U
    blue = base + u * BLUE_FROM_U
    result: Integers = np.clip((np.stack([red, green, blue], -1) >> 14) + (1 << 15), 0, 65535)
    return result
