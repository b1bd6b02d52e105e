"""``@node``: what becomes of a function."""

from __future__ import annotations

import asyncio
import inspect
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pytest

from comfyclient.testing import Blocked, Context, Image, Latent, Mask, Model, Models, node

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal


@pytest.fixture(autouse=True)
def context() -> Iterator[Context]:
    """As an embedded server sets it while it asks a node something."""
    folders = SimpleNamespace(models=lambda folder: [f"{folder}.safetensors"])
    context = Context(SimpleNamespace(folders=folders))
    with context.active():
        yield context


def test_annotations_say_what_goes_in() -> None:
    @node
    def mine(  # noqa: PLR0917 - by name
        image: Image,
        count: int,
        mode: Literal["a", "b"],
        name: Annotated[str, Models("loras")],
        seed: Annotated[int, {"default": 1, "min": 0}],
        thing: Annotated[Any, "THING"],
        anything: Any,
        strength: float = 0.5,
        text: str = "",
        flag: bool = True,  # noqa: FBT001, FBT002 - as users write it
        mask: Mask | None = None,
    ) -> Image:
        raise NotImplementedError

    assert mine.INPUT_TYPES() == {
        "required": {
            "image": ("IMAGE", {}),
            "count": ("INT", {}),
            "mode": (["a", "b"], {}),
            "name": (["loras.safetensors"], {}),
            "seed": ("INT", {"default": 1, "min": 0}),
            "thing": ("THING", {}),
            "anything": ("*", {}),
        },
        "optional": {
            "strength": ("FLOAT", {"default": 0.5}),
            "text": ("STRING", {"default": ""}),
            "flag": ("BOOLEAN", {"default": True}),
            "mask": ("MASK", {}),
        },
    }
    assert mine.RETURN_TYPES == ("IMAGE",)
    assert not mine.OUTPUT_NODE
    assert not hasattr(mine, "IS_CHANGED")


def test_the_return_value_says_what_comes_out() -> None:
    @node
    def several(value: Any) -> tuple[Image, Latent, int]:
        return value, value, value

    @node
    def nothing() -> None:
        pass

    @node(output=("A", "B"))
    def said(): ...  # type: ignore[no-untyped-def]  # noqa: ANN202 - as users may

    @node(output="MODEL")
    def one() -> Model:
        return 1

    assert several.RETURN_TYPES == ("IMAGE", "LATENT", "INT")
    assert nothing.RETURN_TYPES == ()
    assert said.RETURN_TYPES == ("A", "B")
    assert one.RETURN_TYPES == ("MODEL",)


def test_what_is_returned_becomes_outputs() -> None:
    @node
    def one(value: Any) -> int:
        return value  # type: ignore[no-any-return]

    @node
    def two(value: Any) -> tuple[int, str]:
        return value  # type: ignore[no-any-return]

    @node
    def none() -> None: ...

    blocked = Blocked()
    assert one().run(value=3) == (3,)
    assert one().run(value=(3, 4)) == ((3, 4),)
    assert one().run(value={"samples": 1}) == ({"samples": 1},)
    assert one().run(value={"ui": {}, "result": (3,)}) == {"ui": {}, "result": (3,)}
    assert one().run(value=blocked) is blocked
    assert two().run(value=(1, "a")) == (1, "a")
    with pytest.raises(TypeError, match="two should return a tuple of 2 outputs"):
        two().run(value=1)
    assert none().run() == ()


def test_a_context_is_passed_to_who_wants_one(context: Context) -> None:
    @node
    def mine(value: int, surroundings: Context) -> Any:
        return value, surroundings

    assert mine.INPUT_TYPES() == {"required": {"value": ("INT", {})}}
    assert mine().run(value=3) == ((3, context),)


def test_async_functions_stay_async() -> None:
    @node
    async def mine(value: int) -> int:
        return value

    assert inspect.iscoroutinefunction(mine.run)
    assert asyncio.run(mine().run(value=3)) == (3,)


def test_names_and_flags() -> None:
    @node(name="Other", title="My node", category="mine", output_node=True, cached=False)
    def mine() -> None:
        """Does nothing.

        At length.
        """

    assert mine.__name__ == "Other"
    assert (mine.DISPLAY_NAME, mine.CATEGORY, mine.DESCRIPTION) == ("My node", "mine", "Does nothing.")
    assert mine.OUTPUT_NODE
    assert mine.IS_CHANGED() != mine.IS_CHANGED()
    assert mine.function.__name__ == "mine"


def unannotated(value): ...  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201


def undeclared(value: complex) -> None: ...


def unnamed(*values: int) -> None: ...


def unknown(value: Decimal) -> None: ...


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (unannotated, "parameter 'value' of node unannotated has no annotation"),
        (undeclared, "is no type of ComfyUI's"),
        (unnamed, "cannot be given by name"),
        (unknown, "import their names at run time"),
    ],
)
def test_what_cannot_be_a_node(function: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        node(function)


@pytest.mark.parametrize(
    ("returned", "found"),
    [
        (None, "None"),
        ([[0.5]], r"\[\[0.5\]\]"),
        (np.zeros((8, 8, 3)), r"one of \[8, 8, 3\] with float64"),
        (np.zeros((1, 8, 8, 3), np.uint8), r"one of \[1, 8, 8, 3\] with uint8"),
        ((np.zeros((1, 8, 8, 3)),), r"\(array"),
    ],
    ids=["nothing", "a list", "no batch", "whole numbers", "a tuple"],
)
def test_what_is_no_image_is_said_so_where_it_comes_from(returned: Any, found: str) -> None:
    @node
    def mine() -> Image:
        return returned  # type: ignore[no-any-return]  # wrong on purpose

    @node
    def two() -> tuple[int, Image]:
        return 1, returned

    for each in (mine, two):
        with pytest.raises(TypeError, match=rf"{each.__name__} should return an array .* for IMAGE, not {found}"):
            each().run()


@pytest.mark.parametrize(
    "image",
    [np.zeros((1, 8, 8, 3)), np.zeros((2, 8, 8, 4), np.float32), np.ones((1, 8, 8, 1), bool), Blocked()],
    ids=["three channels", "four", "a mask", "blocked"],
)
def test_what_is_an_image(image: Any) -> None:
    @node
    def mine() -> Image:
        return image  # type: ignore[no-any-return]  # of a kind that types cannot tell

    returned = mine().run()
    assert returned is image or returned[0] is image
