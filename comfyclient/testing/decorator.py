"""``@node``: a typed function becomes a node."""
# ruff: noqa: N802 - ComfyUI chose INPUT_TYPES and its like

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, get_args, get_origin, get_type_hints, overload

from attrs import frozen

from comfyclient.testing.context import Context, current
from comfyclient.testing.graph import Blocked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from comfyclient.testing.graph import NodeClass

    Image: TypeAlias = NDArray[np.float32]
    Mask: TypeAlias = NDArray[np.float32]
    Latent: TypeAlias = dict[str, Any]
else:
    Image = Annotated[Any, "IMAGE"]
    Mask = Annotated[Any, "MASK"]
    Latent = Annotated[Any, "LATENT"]

Model: TypeAlias = Annotated[Any, "MODEL"]
Clip: TypeAlias = Annotated[Any, "CLIP"]
Vae: TypeAlias = Annotated[Any, "VAE"]
Conditioning: TypeAlias = Annotated[Any, "CONDITIONING"]

WIDGETS: dict[Any, str] = {int: "INT", float: "FLOAT", str: "STRING", bool: "BOOLEAN"}
KEYS = {"ui", "result", "expand"}
"""By which the dictionary that a node may return is told from a value."""


@frozen
class Models:
    """Says of a parameter that it is the name of a model: ``Annotated[str, Models("checkpoints")]``.

    Attributes:
        folder: The kind of model, as ComfyUI calls its directory.
    """

    folder: str


@frozen
class _Input:
    name: str
    kind: Any
    options: dict[str, Any]
    required: bool

    def declared(self) -> tuple[Any, dict[str, Any]]:
        kind = current().folders.models(self.kind.folder) if isinstance(self.kind, Models) else self.kind
        return kind, self.options


@frozen
class _Signature:
    inputs: tuple[_Input, ...]
    outputs: tuple[str, ...]
    context: str | None
    """The parameter that takes the context."""

    def input_types(self) -> dict[str, Any]:
        types: dict[str, Any] = {"required": {each.name: each.declared() for each in self.inputs if each.required}}
        if optional := {each.name: each.declared() for each in self.inputs if not each.required}:
            types["optional"] = optional
        return types


class FunctionNode:
    """What ``@node`` makes a subclass of."""

    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        """What goes in, as ComfyUI wants to know it."""
        raise NotImplementedError


@overload
def node(function: Callable[..., Any], /) -> NodeClass: ...


@overload
def node(
    *,
    name: str | None = None,
    title: str | None = None,
    category: str = "testing",
    output: str | tuple[str, ...] | None = None,
    output_node: bool = False,
    cached: bool = True,
) -> Callable[[Callable[..., Any]], NodeClass]: ...


def node(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    title: str | None = None,
    category: str = "testing",
    output: str | tuple[str, ...] | None = None,
    output_node: bool = False,
    cached: bool = True,
) -> Any:
    """Make a node of a function, to be given to ``EmbeddedServer(nodes=[…])``.

    The annotations say what goes in: ``int``, ``float``, ``str`` and ``bool`` are widgets, ``Literal["a", "b"]`` a
    choice, ``Image``, ``Mask``, ``Latent``, ``Model``, ``Clip``, ``Vae`` and ``Conditioning`` links;
    ``Annotated[Any, "NAME"]`` is a link of any other type, ``Annotated[str, Models("loras")]`` the name of a model.
    ``Annotated[int, {"min": 1, "max": 9}]`` adds options. A parameter with a default may be left out of a workflow. One
    of type ``Context`` gets what reports progress.

    It returns its output; of several, a tuple; or, as any ComfyUI node may, a dictionary with ``ui`` and ``result``.
    It may be async. ::

        @node(category="mine")
        def Brighten(image: Image, context: Context, amount: float = 0.5) -> Image:
            context.progress(1, 1, preview=image)
            return image + amount

    Args:
        function: The function, when no other argument is given.
        name: The class; by default the function's name.
        title: What editors call it; by default its name.
        category: Where editors list it.
        output: The types of its outputs, instead of those that the annotation of its return value names.
        output_node: Whether it is run for its own sake, as SaveImage is.
        cached: Whether it need not run again while its inputs stay the same.

    Raises:
        TypeError: An annotation is missing, or says nothing about an input.
    """
    if function is None:
        return lambda function: _build(
            function, name, title=title, category=category, output=output, output_node=output_node, cached=cached
        )
    return _build(function, name, title=title, category=category, output=output, output_node=output_node, cached=cached)


def _build(
    function: Callable[..., Any],
    name: str | None,
    *,
    title: str | None,
    category: str,
    output: str | tuple[str, ...] | None,
    output_node: bool,
    cached: bool,
) -> NodeClass:
    name = name or function.__name__
    signature = _signature(function, (output,) if isinstance(output, str) else output)

    def arguments(inputs: dict[str, Any]) -> dict[str, Any]:
        return inputs if signature.context is None else {**inputs, signature.context: current()}

    def run(_: Any, **inputs: Any) -> Any:
        return _returned(function(**arguments(inputs)), name, signature.outputs)

    async def run_async(_: Any, **inputs: Any) -> Any:
        return _returned(await function(**arguments(inputs)), name, signature.outputs)

    members: dict[str, Any] = {
        "__doc__": function.__doc__,
        "__module__": function.__module__,
        "CATEGORY": category,
        "DESCRIPTION": (inspect.getdoc(function) or "").partition("\n")[0],
        "DISPLAY_NAME": title or name,
        "INPUT_TYPES": classmethod(lambda _: signature.input_types()),
        "OUTPUT_NODE": output_node,
        "RELATIVE_PYTHON_MODULE": f"custom_nodes.{function.__module__}",
        "RETURN_TYPES": signature.outputs,
        "function": staticmethod(function),
        "run": run_async if inspect.iscoroutinefunction(function) else run,
    }
    if not cached:
        members["IS_CHANGED"] = classmethod(lambda _, **__: float("nan"))
    return type(name, (FunctionNode,), members)


def _returned(value: Any, name: str, outputs: tuple[str, ...]) -> Any:
    """What the function returned, as a node should."""
    if isinstance(value, Blocked) or (isinstance(value, Mapping) and not KEYS.isdisjoint(value)):
        return value
    if not outputs:
        return ()
    values = (value,) if len(outputs) == 1 else value
    if not isinstance(values, tuple) or len(values) != len(outputs):
        raise TypeError(f"{name} should return a tuple of {len(outputs)} outputs, not {value!r:.80}")
    for kind, each in zip(outputs, values, strict=True):
        # Anything else would show in another node, or as a picture that is all white.
        if kind == "IMAGE" and not isinstance(each, Blocked):
            shape, numbers = getattr(each, "shape", ()), getattr(each, "dtype", None)
            if len(shape) != 4 or getattr(numbers, "kind", "f") in "iu":  # noqa: PLR2004 - see the message
                wanted = "an array of [batch, height, width, channels] between 0 and 1"
                found = f"one of {list(shape)} with {numbers}" if shape else f"{each!r:.80}"
                raise TypeError(f"{name} should return {wanted} for IMAGE, not {found}")
    return values


# ── reading signatures ───────────────────────────────────────────────────────────────────────────────────────────────


def _signature(function: Callable[..., Any], output: tuple[str, ...] | None) -> _Signature:
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TypeError(
            f"node {function.__name__}: {error}; annotations are read, so import their names at run time"
        ) from None
    inputs, context = [], None
    for parameter in inspect.signature(function).parameters.values():
        where = f"parameter {parameter.name!r} of node {function.__name__}"
        if parameter.kind in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY}:
            raise TypeError(f"{where} cannot be given by name")
        if parameter.name not in hints:
            raise TypeError(f"{where} has no annotation")
        hint = hints[parameter.name]
        if hint is Context:
            context = parameter.name
        else:
            inputs.append(_input(parameter, hint, where))
    return _Signature(tuple(inputs), _outputs(function, hints) if output is None else output, context)


def _input(parameter: inspect.Parameter, hint: Any, where: str) -> _Input:
    kind, options = _kind(hint, where)
    required = parameter.default is parameter.empty
    if not required and parameter.default is not None:
        options = {"default": parameter.default, **options}
    return _Input(parameter.name, kind, options, required)


def _kind(hint: Any, where: str) -> tuple[Any, dict[str, Any]]:
    """The type that a hint means, and the options."""
    kind: Any = None
    options: dict[str, Any] = {}
    if get_origin(hint) is Annotated:
        hint, *notes = get_args(hint)
        for note in notes:
            if isinstance(note, dict):
                options |= note
            elif isinstance(note, str | Models):
                kind = note
    if kind is None and get_origin(hint) is Literal:
        kind = list(get_args(hint))
    kind = kind or WIDGETS.get(hint)
    if kind is None and type(None) in get_args(hint):  # "Image | None" and its like
        kinds = [each for each in get_args(hint) if each is not type(None)]
        if len(kinds) == 1:
            kind, more = _kind(kinds[0], where)
            options = more | options
    if kind is None and hint is Any:
        kind = "*"
    if kind is None:
        raise TypeError(f"{where}: {hint!r} is no type of ComfyUI's; say which with Annotated[…, 'TYPE']")
    return kind, options


def _outputs(function: Callable[..., Any], hints: Mapping[str, Any]) -> tuple[str, ...]:
    hint = hints.get("return")
    if hint is None or hint is type(None):
        return ()
    where = f"the return value of node {function.__name__}"
    parts = get_args(hint) if get_origin(hint) is tuple else (hint,)
    return tuple(_kind(part, where)[0] for part in parts)
