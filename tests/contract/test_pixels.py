"""The embedded server's nodes give the pixels that the real ones give, and say the same about themselves.

"The same" is what torch computes with AVX2 or AVX-512. Without them it rounds elsewhere, which moves rare pixels by 1.
Nor does it weigh pixels in the same order where it has a single thread, as on a machine of two cores; the embedded
server is told so here, and otherwise computes as with several.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pytest
import requests
from PIL import Image

from comfyclient import Client
from comfyclient.testing.nodes import images, interpolation, loading, masks, primitives, saving, text_to_image
from tests.contract.pictures import CLOSE, EVEN, EXACT, ODD, noise, png
from tests.workflows import Graph, fresh, node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from comfyclient.testing import EmbeddedServer
    from tests.conftest import ComfyUI

    Pixels: TypeAlias = NDArray[np.uint8]
    Both: TypeAlias = Callable[..., tuple[list[Pixels], list[Pixels]]]

METHODS = ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"]


@pytest.fixture
def embedded_url(embedded: EmbeddedServer) -> str:
    return embedded.url


@pytest.fixture(scope="module", autouse=True)
def _as_many_threads(comfyui: ComfyUI, embedded: EmbeddedServer) -> Iterator[None]:
    graph = through("ImageScaleBy", upscale_method="bilinear", scale_by=2.0)
    files = {f"{fresh()}.png": png(size=EVEN)}
    with Client(comfyui.url) as client, Client(embedded.url) as embedded_client:
        alike = equal(_run(client, graph, files), _run(embedded_client, graph, files))
    with pytest.MonkeyPatch.context() as patch:
        if not alike:
            patch.setattr(interpolation, "SMALL", math.inf)
        yield


@pytest.fixture
def both(client: Client, embedded_url: str) -> Iterator[Both]:
    """Runs a workflow on both servers; ``$0`` and so on in it are the files that go with it."""

    def run(graph: Graph, *files: bytes, suffix: str = ".png") -> tuple[list[Pixels], list[Pixels]]:
        names = [f"{fresh()}{suffix}" for _ in files]
        real, ours = (_run(each, graph, dict(zip(names, files, strict=True))) for each in (client, embedded))
        assert [each.shape for each in ours] == [each.shape for each in real]
        return real, ours

    with Client(embedded_url) as embedded:
        yield run


def _run(client: Client, graph: Graph, files: dict[str, bytes]) -> list[Pixels]:
    named = {}
    for number, (name, content) in enumerate(files.items()):
        named[f"${number}"] = client.files.upload_image(content, filename=name).annotated
    graph = {
        node_id: {**each, "inputs": {name: _named(value, named) for name, value in each["inputs"].items()}}
        for node_id, each in graph.items()
    }
    result = client.run(graph)
    saved = sorted(result.images, key=lambda file: int(file.node_id))
    return [np.asarray(Image.open(io.BytesIO(file.read()))) for file in saved]


def _named(value: Any, names: dict[str, str]) -> Any:
    return names.get(value, value) if isinstance(value, str) else value


def equal(real: list[Pixels], ours: list[Pixels]) -> bool:
    return bool(real) and all(map(np.array_equal, real, ours))


def furthest(real: list[Pixels], ours: list[Pixels]) -> int:
    """The largest difference of any two pixels."""
    return max(int(np.abs(a.astype(int) - b.astype(int)).max()) for a, b in zip(real, ours, strict=True))


def saved(link: list[Any]) -> dict[str, Any]:
    return node("SaveImage", images=link, filename_prefix="comfyclient_tests/pixels")


def through(class_type: str, **inputs: Any) -> Graph:
    """A file, a node that makes another image of it, and that image saved."""
    return {
        "1": node("LoadImage", image="$0"),
        "2": node(class_type, image=["1", 0], **inputs),
        "3": saved(["2", 0]),
    }


# --- sizes --------------------------------------------------------------------------------------------------


def in_every_way(class_type: str, **inputs: Any) -> Graph:
    """A file, and for each method an image of another size, saved."""
    graph = {"1": node("LoadImage", image="$0")}
    for number, method in enumerate(METHODS):
        graph[f"1{number}"] = node(class_type, image=["1", 0], upscale_method=method, **inputs)
        graph[f"2{number}"] = saved([f"1{number}", 0])
    return graph


@pytest.mark.parametrize(
    ("width", "height", "crop"),
    [
        (74, 46, "disabled"),
        (50, 31, "disabled"),
        (20, 11, "disabled"),
        (111, 97, "disabled"),
        (200, 30, "center"),
        (17, 40, "center"),
        (0, 55, "disabled"),
        (90, 0, "center"),
        (0, 0, "center"),
    ],
)
def test_scaled_images(both: Both, width: int, height: int, crop: str) -> None:
    assert equal(*both(in_every_way("ImageScale", width=width, height=height, crop=crop), png(size=ODD)))


def test_images_scaled_to_a_pixel(both: Both) -> None:
    real, ours = both(in_every_way("ImageScale", width=1, height=1, crop="center"), png(size=ODD))

    # The mean of a whole image is the one that torch adds up in another order.
    area = METHODS.index("area")
    assert furthest(real[area : area + 1], ours[area : area + 1]) <= 1
    del real[area], ours[area]
    assert equal(real, ours)


@pytest.mark.parametrize("factor", [0.33, 1.0, 1.5, 2.0, 2.71, 8.0])
def test_images_scaled_by_a_factor(both: Both, factor: float) -> None:
    assert equal(*both(in_every_way("ImageScaleBy", scale_by=factor), png(size=EVEN)))


def test_a_photograph_scaled(both: Both) -> None:
    assert equal(*both(in_every_way("ImageScale", width=811, height=640, crop="center"), png(size=(457, 323))))


@pytest.mark.parametrize(
    ("x", "y", "width", "height"), [(0, 0, 10, 10), (5, 7, 20, 9), (30, 20, 512, 512), (99, 99, 1, 1)]
)
def test_parts_of_images(both: Both, x: int, y: int, width: int, height: int) -> None:
    assert equal(*both(through("ImageCrop", x=x, y=y, width=width, height=height), png(size=ODD)))


@pytest.mark.parametrize("edges", [(8, 0, 16, 8), (0, 8, 0, 0), (8, 8, 8, 8), (0, 0, 0, 0)])
@pytest.mark.parametrize("feathering", [0, 7, 40])
def test_larger_canvases(both: Both, edges: tuple[int, ...], feathering: int) -> None:
    sides = dict(zip(("left", "top", "right", "bottom"), edges, strict=True))
    graph = through("ImagePadForOutpaint", feathering=feathering, **sides)
    graph |= {"4": node("MaskToImage", mask=["2", 1]), "5": saved(["4", 0])}

    assert equal(*both(graph, png(size=ODD)))


# --- colors -------------------------------------------------------------------------------------------------


def test_negatives(both: Both) -> None:
    assert equal(*both(through("ImageInvert"), png(size=ODD, channels=4)))


@pytest.mark.parametrize(("radius", "sigma"), [(1, 0.1), (1, 1.0), (2, 0.7), (5, 2.0), (8, 5.0), (10, 1.0), (22, 10.0)])
def test_blurred_images(both: Both, radius: int, sigma: float) -> None:
    """The weights differ in their last bits, since torch's square root and exponential are not rounded well."""
    real, ours = both(
        through("ImageBlur", blur_radius=radius, sigma=sigma),
        png(size=EVEN),
    )

    assert furthest(real, ours) <= 1
    assert np.mean(real[0] != ours[0]) < 0.001


def test_plain_images_blurred(both: Both) -> None:
    """Where all pixels are the same, the last bits decide about all of them; the steps are 1 of 255 at most."""
    steps = np.arange(256, dtype=np.uint8).repeat(8)[None, :, None]
    buffer = io.BytesIO()
    Image.fromarray(np.tile(steps, (9, 1, 3))).save(buffer, "PNG")
    real, ours = both(through("ImageBlur", blur_radius=3, sigma=1.0), buffer.getvalue())

    assert furthest(real, ours) <= 1
    assert np.mean(real[0] != ours[0]) < 0.04


@pytest.mark.parametrize("color", [0, 0xFFFFFF, 0x123456, 0xFE01A7])
def test_plain_images(both: Both, color: int) -> None:
    graph = {"1": node("EmptyImage", width=9, height=5, batch_size=2, color=color), "2": saved(["1", 0])}

    assert equal(*both(graph))


# --- batches ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"), [(ODD, ODD), (ODD, EVEN), (EVEN, ODD), ((150, 90), ODD), (ODD, (200, 99))]
)
def test_batches_of_two(both: Both, first: tuple[int, int], second: tuple[int, int]) -> None:
    graph = {
        "1": node("LoadImage", image="$0"),
        "2": node("LoadImage", image="$1"),
        "3": node("ImageBatch", image1=["1", 0], image2=["2", 0]),
        "4": saved(["3", 0]),
        "5": node("RepeatImageBatch", image=["3", 0], amount=2),
        "6": node("ImageFromBatch", image=["5", 0], batch_index=-2, length=5),
        "7": saved(["6", 0]),
        "8": node("ImageFromBatch", image=["5", 0], batch_index=1, length=2),
        "9": saved(["8", 0]),
        "10": node("ImageFromBatch", image=["5", 0], batch_index=99, length=1),
        "11": node("PreviewImage", images=["10", 0]),
    }
    real, ours = both(graph, png(size=first), png(size=second, seed=6))

    assert len(real) == 2 + 2 + 2 + 1
    assert equal(real, ours)


def test_images_over_the_websocket(both: Both) -> None:
    graph = through("RepeatImageBatch", amount=2)
    graph["3"] = node("SaveImageWebsocket", images=["2", 0])
    real, ours = both(graph, png(size=ODD))

    assert len(real) == 2
    assert equal(real, ours)


# --- masks --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["red", "green", "blue"])
def test_masks_of_images(both: Both, channel: str) -> None:
    graph = through("ImageToMask", channel=channel)
    graph |= {
        "3": node("InvertMask", mask=["2", 0]),
        "4": node("MaskToImage", mask=["3", 0]),
        "5": saved(["4", 0]),
    }

    assert equal(*both(graph, png(size=ODD)))


@pytest.mark.parametrize("value", [0.0, 0.25, 0.5, 0.99, 1.0])
def test_plain_masks(both: Both, value: float) -> None:
    graph = {
        "1": node("SolidMask", value=value, width=7, height=5),
        "2": node("MaskToImage", mask=["1", 0]),
        "3": saved(["2", 0]),
    }

    assert equal(*both(graph))


@pytest.mark.parametrize("edges", [(0, 0, 0, 0), (5, 0, 9, 3), (37, 23, 37, 23), (100, 1, 20, 100)])
def test_feathered_masks(both: Both, edges: tuple[int, ...]) -> None:
    sides: dict[str, Any] = dict(zip(("left", "top", "right", "bottom"), edges, strict=True))
    graph = through("ImageToMask", channel="red")
    graph |= {
        "3": node("FeatherMask", mask=["2", 0], **sides),
        "4": node("MaskToImage", mask=["3", 0]),
        "5": saved(["4", 0]),
    }

    assert equal(*both(graph, png(size=ODD)))


@pytest.mark.parametrize("channel", ["alpha", "red", "green", "blue"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_masks_from_files(both: Both, channel: str, channels: int) -> None:
    graph = {
        "1": node("LoadImageMask", image="$0", channel=channel),
        "2": node("MaskToImage", mask=["1", 0]),
        "3": saved(["2", 0]),
    }

    assert equal(*both(graph, png(size=ODD, channels=channels)))


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize(
    ("x", "y", "resize"), [(0, 0, False), (5, 3, False), (30, 40, False), (500, 500, False), (3, 4, True)]
)
def test_one_image_upon_another(both: Both, masked: bool, x: int, y: int, resize: bool) -> None:  # noqa: FBT001
    graph = {
        "1": node("LoadImage", image="$0"),
        "2": node("LoadImage", image="$1"),
        "3": node("ImageToMask", image=["1", 0], channel="red"),
        "4": node("ImageCompositeMasked", destination=["1", 0], source=["2", 0], x=x, y=y, resize_source=resize),
        "5": saved(["4", 0]),
    }
    if masked:
        graph["4"]["inputs"]["mask"] = ["3", 0]

    assert equal(*both(graph, png(size=EVEN), png(size=ODD, seed=6)))


# --- files --------------------------------------------------------------------------------------------------


def loaded() -> Graph:
    """A file's images and masks, saved; in 8 bits, and enlarged so that lower bits count too."""
    return {
        "1": node("LoadImage", image="$0"),
        "2": saved(["1", 0]),
        "3": node("MaskToImage", mask=["1", 1]),
        "4": saved(["3", 0]),
        "5": node("ImageScaleBy", image=["1", 0], upscale_method="bicubic", scale_by=3.0),
        "6": saved(["5", 0]),
    }


@pytest.mark.parametrize("name", EXACT)
def test_files(both: Both, name: str) -> None:
    assert equal(*both(loaded(), EXACT[name](), suffix=f".{name.rpartition('.')[2]}"))


@pytest.mark.parametrize("name", CLOSE)
def test_files_that_another_library_reads_otherwise(both: Both, name: str) -> None:
    make, by = CLOSE[name]
    graph = {key: each for key, each in loaded().items() if int(key) < 5}

    assert furthest(*both(graph, make(), suffix=f".{name.rpartition('.')[2]}")) <= by


def test_images_that_were_saved_are_loaded_from_there(both: Both, client: Client, embedded_url: str) -> None:
    name = f"{fresh()}.png"
    content = png(size=ODD)
    with Client(embedded_url) as embedded:
        for each in (client, embedded):
            each.files.upload_image(content, filename=name, type="output")
    graph = {"1": node("LoadImageOutput", image=f"{name} [output]"), "2": saved(["1", 0])}
    real, ours = both(graph)

    assert equal(real, ours)
    assert np.array_equal(real[0], noise(ODD)[..., :3])


# --- values, and what nodes say of themselves ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("class_type", "value"),
    [
        ("PrimitiveInt", -7),
        ("PrimitiveInt", "12"),
        ("PrimitiveFloat", 0.1),
        ("PrimitiveFloat", 3),
        ("PrimitiveString", "words"),
        ("PrimitiveStringMultiline", "lines\nof words"),
        ("PrimitiveBoolean", True),
    ],
)
def test_values_shown_as_text(client: Client, embedded_url: str, class_type: str, value: Any) -> None:
    graph = {"1": node(class_type, value=value), "2": node("PreviewAny", source=["1", 0])}
    with Client(embedded_url) as embedded:
        real, ours = (each.run(graph, strict=False)["2"].ui for each in (client, embedded))

    assert ours == real


@pytest.mark.parametrize(
    "class_type",
    [each.__name__ for module in (images, loading, masks, primitives, saving) for each in module.NODES],
)
def test_what_nodes_say_of_themselves(comfyui_url: str, embedded_url: str, class_type: str) -> None:
    real, ours = (
        requests.get(f"{url}/object_info/{class_type}", timeout=30).json()[class_type]
        for url in (comfyui_url, embedded_url)
    )
    for each in (real, ours):
        match each["input"]["required"]:
            case {"image": [[*_] as files, *_]}:
                files.clear()  # what is in the input directory

    assert ours == real


@pytest.mark.parametrize("class_type", [each.__name__ for each in text_to_image.NODES])
def test_stand_ins_take_and_give_what_the_real_ones_do(comfyui_url: str, embedded_url: str, class_type: str) -> None:
    def shown(url: str) -> Any:
        said = requests.get(f"{url}/object_info/{class_type}", timeout=30).json()[class_type]
        for inputs in said["input"].values():
            for spec in inputs.values():
                if isinstance(spec[0], list) and class_type.endswith(("Loader", "LoaderSimple")):
                    spec[0].clear()  # what is in the directory
                spec[1:] = [{**(spec[1] if spec[1:] else {}), "tooltip": "none"}]  # they explain nothing to readers
        told = ("input", "input_order", "output", "output_name", "output_is_list", "display_name", "category")
        return {key: said[key] for key in told}

    assert shown(embedded_url) == shown(comfyui_url)
