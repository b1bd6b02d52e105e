"""Nodes made of functions: what their annotations mean, and what is said about those that mean nothing."""
# ruff: noqa: N802 - a node's function is called what the class is
# Some lack annotations on purpose.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pytest

from comfyclient import Client, JobFailed
from comfyclient.testing import (
    Clip,
    Conditioning,
    Context,
    EmbeddedServer,
    Image,
    Latent,
    Mask,
    Model,
    Models,
    Vae,
    node,
)
from tests.recorder import SECONDS
from tests.testing.nodes import graph, n

if TYPE_CHECKING:
    from collections.abc import Callable


@node(title="Everything", category="mine", output_node=True, cached=False)
def Everything(
    context: Context,
    image: Image,
    *,
    model: Model,
    name: Annotated[str, Models("loras")],
    count: Annotated[int, {"min": 1, "max": 9}] = 3,
    mode: Literal["fast", "good"] = "fast",
    mask: Mask | None = None,
    anything: Any = None,
    flag: bool = True,
) -> tuple[Image, Latent, Annotated[Any, "MINE"]]:
    """One of each kind.

    This is not shown.
    """
    del context, model, name, count, mode, mask, anything, flag
    return image, {"samples": image}, 7


@node
def Loaders() -> tuple[Model, Clip, Vae, Conditioning]:
    """Gives too little."""
    return "model", "clip", "vae"  # type: ignore[return-value]  # which is what the test is about


@node(output=("INT", "STRING"))
def Unannotated(value: int):  # noqa: ANN201 - its output is said above
    """Says what it gives in another way."""
    return value, str(value)


@pytest.fixture
def server() -> EmbeddedServer:
    return EmbeddedServer([Everything, Loaders, Unannotated], models={"loras": ["a.safetensors"]})


def test_what_annotations_mean(server: EmbeddedServer) -> None:
    with server, Client(server.url) as client:
        info = client.nodes.get("Everything")
    assert info is not None
    assert info.input["required"] == {
        "image": ["IMAGE", {}],
        "model": ["MODEL", {}],
        "name": [["a.safetensors", "example.safetensors"], {}],
    }
    assert info.input["optional"] == {
        "count": ["INT", {"default": 3, "min": 1, "max": 9}],
        "mode": [["fast", "good"], {"default": "fast"}],
        "mask": ["MASK", {}],
        "anything": ["*", {}],
        "flag": ["BOOLEAN", {"default": True}],
    }
    assert (info.output, info.output_node) == (["IMAGE", "LATENT", "MINE"], True)
    assert (info.display_name, info.category, info.description) == ("Everything", "mine", "One of each kind.")


def test_outputs_that_are_too_few(server: EmbeddedServer) -> None:
    prompt = graph(
        n1=n("Loaders"),
        n2=n("EmptyImage", width=8, height=8, batch_size=1, color=0),
        n3=n("Everything", image=["2", 0], model=["1", 0], name="a.safetensors"),
    )
    with server, Client(server.url) as client, pytest.raises(JobFailed, match="a tuple of 4 outputs"):
        client.run(prompt, timeout=SECONDS)


def test_outputs_that_are_named_otherwise(server: EmbeddedServer) -> None:
    prompt = graph(n1=n("Unannotated", value=7), n2=n("PreviewAny", source=["1", 1]))
    with server, Client(server.url) as client:
        assert client.run(prompt, timeout=SECONDS)["2"].texts == ("7",)


def test_the_function_can_be_called_as_it_is() -> None:
    black = np.zeros((1, 2, 2, 3), np.float32)
    assert Everything.function(None, black, model=None, name="a")[2] == 7


def no_annotation(image) -> Image:  # noqa: ANN001 - which is what the test is about
    return image  # type: ignore[no-any-return]


def no_name(*images: Image) -> Image:
    return images[0]


def no_type(image: bytes) -> Image:
    return image  # type: ignore[return-value]


def no_result(image: Image) -> bytes:
    return bytes(image)


def no_such_name(image: Nowhere) -> Image:  # type: ignore[name-defined]  # noqa: F821
    return image  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (no_annotation, "parameter 'image' of node no_annotation has no annotation"),
        (no_name, "parameter 'images' of node no_name cannot be given by name"),
        (no_type, "parameter 'image' of node no_type: <class 'bytes'> is no type of ComfyUI's"),
        (no_result, "the return value of node no_result: <class 'bytes'> is no type of ComfyUI's"),
        (no_such_name, "name 'Nowhere' is not defined; annotations are read, so import their names at run time"),
    ],
)
def test_annotations_that_say_nothing(function: Callable[..., Any], reason: str) -> None:
    with pytest.raises(TypeError, match=reason):
        node(function)
