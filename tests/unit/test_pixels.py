"""Images of Pillow and arrays of NumPy become PNG files, or a message that says what is wrong with them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from PIL import Image

from comfyclient._pixels import is_array, png

RAMP = np.linspace(0, 1, 256)


def sent(image: Any, *, as_mask: bool = False) -> Image.Image:
    """The picture that the server would get."""
    picture = Image.open(png(image, as_mask=as_mask))
    assert picture.format == "PNG"
    picture.load()
    return picture


def pixels(shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.arange(np.prod(shape), dtype=np.uint32).reshape(shape).astype(np.uint8)


# --- arrays ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "mode"),
    [
        ((5, 7), "L"),
        ((5, 7, 1), "L"),
        ((5, 7, 3), "RGB"),
        ((5, 7, 4), "RGBA"),
        ((1, 5, 7, 1), "L"),
        ((1, 5, 7, 3), "RGB"),
        ((1, 5, 7, 4), "RGBA"),
        ((1, 1), "L"),
        ((1, 7, 3), "RGB"),  # one line
    ],
)
def test_every_shape_of_one_image(shape: tuple[int, ...], mode: str) -> None:
    array = pixels(shape)
    picture = sent(array)
    height, width = shape[-2:] if len(shape) == 2 else shape[-3:-1]
    assert (picture.mode, picture.size) == (mode, (width, height))
    assert np.array_equal(np.asarray(picture).reshape(shape), array)


def test_a_view_into_an_array() -> None:
    array = pixels((8, 9, 4))
    assert np.array_equal(np.asarray(sent(array[::2, ::-1, 2::-1])), array[::2, ::-1, 2::-1])


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, ">f4"])
def test_floats_are_from_0_to_1(kind: Any) -> None:
    assert np.asarray(sent(RAMP.astype(kind)[None])).tolist() == [list(range(256))]


def test_what_load_image_makes_of_a_picture_comes_back_unchanged() -> None:
    array = np.arange(256, dtype=np.uint8).astype(np.float32) / 255.0
    assert np.asarray(sent(array[None])).tolist() == [list(range(256))]


def test_true_is_white() -> None:
    assert np.asarray(sent(np.array([[True, False]]))).tolist() == [[255, 0]]


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (np.zeros((3, 64, 64), np.uint8), ValueError, "with 1, 3 or 4 channels last, .* this one is 3x64x64"),
        (np.zeros((5, 7, 2), np.uint8), ValueError, "5x7x2"),
        (np.zeros(7, np.uint8), ValueError, "is 7$"),
        (np.array(7, np.uint8), ValueError, "a single number"),
        (np.zeros((1, 1, 5, 7, 3), np.uint8), ValueError, "1x1x5x7x3"),
        (np.zeros((0, 7, 3), np.uint8), ValueError, "0x7x3"),
        (np.zeros((2, 5, 7, 3)), ValueError, "a batch of 2 images: upload them one by one"),
        (np.zeros((0, 5, 7, 3)), ValueError, "a batch of 0 images"),
        (np.full((5, 7), 1.5), ValueError, "from 0 to 1, and these are from 1.5 to 1.5"),
        (np.full((5, 7), -0.1), ValueError, "from -0.1 to -0.1"),
        (np.array([[0.5, np.nan]]), ValueError, "from nan to nan"),
        (np.zeros((5, 7), np.int64), TypeError, "not of int64"),
        (np.zeros((5, 7), np.uint16), TypeError, "not of uint16"),
        (np.zeros((5, 7), complex), TypeError, "not of complex128"),
        (np.array([["a"]]), TypeError, "not of <U1"),
    ],
)
def test_what_is_no_image(array: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        png(array)


def test_without_pillow_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"comfyclient\[images\]"):
        png(np.zeros((5, 7)))


def test_nothing_is_imported_before_somebody_has_an_image() -> None:
    code = """
import sys
from comfyclient._multipart import opened
from comfyclient._pixels import is_array
assert not is_array(object())
with opened(b"abc") as (file, name):
    pass
assert not {"numpy", "PIL"} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_an_array() -> None:
    assert is_array(np.zeros(1))
    assert not is_array([[0]])
    assert not is_array(np.uint8(0))


# --- images of Pillow -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "kept"),
    [
        *((mode, mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")),
        ("CMYK", "RGB"),
        ("YCbCr", "RGB"),
        ("RGBa", "RGBA"),
        ("La", "LA"),
        ("PA", "RGBA"),
    ],
)
def test_every_mode_that_png_knows_not_is_converted(mode: str, kept: str) -> None:
    assert sent(Image.new(mode, (3, 2))).mode == kept


# --- masks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mask",
    [
        Image.fromarray(np.array([[0, 100, 255]], np.uint8)),
        np.array([[0, 100, 255]], np.uint8),
        np.array([[0, 100, 255]]) / 255,
        (np.array([[0, 100, 255]]) / 255)[None, ..., None],
    ],
)
def test_white_is_transparent(mask: Any) -> None:
    alpha = sent(mask, as_mask=True).convert("RGBA").getchannel("A")
    assert np.asarray(alpha).tolist() == [[255, 155, 0]]


def test_black_and_white() -> None:
    mask = np.array([[True, False]])
    for image in (mask, Image.fromarray(mask).convert("1")):
        assert np.asarray(sent(image, as_mask=True).getchannel("A")).tolist() == [[0, 255]]


def test_transparency_is_taken_as_it_is() -> None:
    array = pixels((5, 7, 4))
    assert np.array_equal(np.asarray(sent(array, as_mask=True)), array)
    palette = Image.new("P", (2, 1))
    palette.info["transparency"] = 0
    assert sent(palette, as_mask=True).convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]  # four bands


@pytest.mark.parametrize("mask", [Image.new("RGB", (3, 2)), Image.new("I", (3, 2)), pixels((5, 7, 3))])
def test_what_is_no_mask(mask: Any) -> None:
    with pytest.raises(ValueError, match="greyscale with 8 bits, or has an alpha channel"):
        png(mask, as_mask=True)
