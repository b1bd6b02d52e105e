"""One class of nodes: for programs, and for people to read."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from attrs import frozen
from rich.text import Text

from comfyclient.builder.arguments import NOTHING, default
from comfyclient.cli.output import harmless
from comfyclient.workflow.wording import listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from comfyclient.types.nodes import InputInfo, NodeInfo

__all__ = ["InputDocument", "NodeDocument", "OutputDocument", "page"]

_FEW = 12  # choices that are shown without --all
_INDENT = "  "
_MATCH_TYPE = "COMFY_MATCHTYPE_V3"


@frozen(kw_only=True)
class InputDocument:
    """An input of a class.

    Attributes:
        name: Its name, as workflows have it.
        type: Its type, such as ``"INT"`` or ``"IMAGE"``; ``"COMBO"`` for a choice. Those that begin with ``"COMFY_"``
            bring inputs of their own along, or have the type of what is linked to them.
        types: The types that can be linked to it; ``"*"`` for any.
        takes_many: Whether it takes a list, of any number of these.
        required: Whether a workflow must give it.
        default: What the editor fills in; null if nothing.
        choices: What it can be, for a choice; else null.
        min: The lowest number; null if there is no such limit.
        max: The highest number; null if there is no such limit.
        step: The editor's step; null if it has none.
        tooltip: What it is for; null if nobody says so.
        brings: For a choice that brings inputs of its own along: these, by choice.
    """

    name: str
    type: str
    types: tuple[str, ...]
    takes_many: bool
    required: bool
    default: Any
    choices: tuple[Any, ...] | None
    min: float | None
    max: float | None
    step: float | None
    tooltip: str | None
    brings: dict[str, tuple[InputDocument, ...]]

    @classmethod
    def of(cls, info: InputInfo) -> InputDocument:
        """From what the server says."""
        value = default(info)
        place = next(iter(info.brings().values()), info) if info.takes_many else info
        brought = {str(choice): info.brings(choice).values() for choice in info.choices or ()}
        return cls(
            name=info.name,
            type=info.type,
            types=place.types,
            takes_many=info.takes_many,
            required=info.required,
            default=None if value is NOTHING else value,
            choices=None if info.choices is None else tuple(info.choices),
            min=_number(info.options.get("min")),
            max=_number(info.options.get("max")),
            step=_number(info.options.get("step")),
            tooltip=_text(info.options.get("tooltip")),
            brings={choice: tuple(map(cls.of, each)) for choice, each in brought.items() if each},
        )


@frozen(kw_only=True)
class OutputDocument:
    """An output of a class.

    Attributes:
        name: What the class calls it, or its type.
        type: Its type; ``"COMBO"`` for a choice, and ``"COMFY_MATCHTYPE_V3"`` for the type of what is linked to an
            input.
        is_list: Whether it is a list, for each item of which the next node runs.
        tooltip: What it is; null if nobody says so.
    """

    name: str
    type: str
    is_list: bool
    tooltip: str | None


@frozen(kw_only=True)
class NodeDocument:
    """A class of nodes, with all that there is to it.

    Attributes:
        name: The class, as workflows name it.
        title: What the editor calls it.
        description: What it does; empty if nobody says so.
        category: Where the editor's menu has it.
        module: Where it comes from, such as ``"custom_nodes.pack"``.
        is_output: Whether it is an output, for whose sake a workflow runs.
        deprecated: Whether the server advises against it.
        experimental: Whether it may still change.
        paid: Whether it calls a paid service.
        inputs: Its inputs, the required ones first.
        outputs: Its outputs, in the order of their numbers.
    """

    name: str
    title: str
    description: str
    category: str
    module: str
    is_output: bool
    deprecated: bool
    experimental: bool
    paid: bool
    inputs: tuple[InputDocument, ...]
    outputs: tuple[OutputDocument, ...]

    @classmethod
    def of(cls, info: NodeInfo) -> NodeDocument:
        """From what the server says."""
        return cls(
            name=info.name,
            title=info.display_name or info.name,
            description=info.description,
            category=info.category,
            module=info.python_module,
            is_output=info.output_node,
            deprecated=info.deprecated,
            experimental=info.experimental,
            paid=info.api_node,
            inputs=tuple(map(InputDocument.of, info.inputs.values())),
            outputs=tuple(_outputs(info)),
        )


def _outputs(info: NodeInfo) -> Iterable[OutputDocument]:
    for number, (name, kind) in enumerate(zip(info.output_names, info.output, strict=True)):
        tooltips, lists = info.output_tooltips[number:], info.output_is_list[number:]
        yield OutputDocument(
            name=name,
            type=kind if isinstance(kind, str) else "COMBO",
            is_list=bool(lists and lists[0]),
            tooltip=_text(tooltips[0]) if tooltips else None,
        )


def _number(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


# --- for people -----------------------------------------------------------------------------------------------


def page(node: NodeDocument, *, width: int, everything: bool) -> Text:
    """What a person reads of a class.

    Args:
        node: The class.
        width: Columns that there are.
        everything: Whether long lists of choices are shown to their end.
    """
    return _Page(width, everything=everything).of(node)


class _Page:
    def __init__(self, width: int, *, everything: bool) -> None:
        self._width = width
        self._everything = everything
        self._text = Text()

    def of(self, node: NodeDocument) -> Text:
        """All of it."""
        self._line(node.title, "bold")
        if node.description:
            self._paragraph(node.description)
        flags = {"deprecated": node.deprecated, "experimental": node.experimental, "a paid service": node.paid}
        facts = [f"class {node.name}", node.category and f"in {node.category}", node.module and f"from {node.module}"]
        self._paragraph("; ".join(filter(None, [*facts, *(flag for flag, is_so in flags.items() if is_so)])), "dim")
        if node.inputs:
            self._line("\nInputs", "bold")
        self._inputs(node.inputs, _INDENT)
        if node.outputs:
            self._line("\nOutputs", "bold")
        for output in node.outputs:
            kind = "the type that comes in" if output.type == _MATCH_TYPE else output.type
            self._entry(_INDENT, output.name, f"list of {kind}" if output.is_list else kind)
            self._paragraph(output.tooltip or "", "dim", _INDENT * 3)
        self._text.rstrip()
        return self._text

    def _inputs(self, inputs: Iterable[InputDocument], indent: str) -> None:
        for each in inputs:
            self._entry(indent, each.name, "; ".join(_facts(each)))
            self._paragraph(each.tooltip or "", "dim", indent + _INDENT * 2)
            limit = len(each.choices or ()) if self._everything else _FEW
            self._paragraph(listed(map(str, each.choices or ()), limit), indent=indent + _INDENT * 2)
            for choice, brought in each.brings.items():
                self._line(f"{indent}{_INDENT * 2}with {shown(choice)}:")
                self._inputs(brought, indent + _INDENT * 3)

    def _entry(self, indent: str, name: str, facts: str) -> None:
        self._text.append(indent)
        self._text.append(harmless(name), "bold cyan")
        self._line(f"  {facts}")

    def _line(self, text: str, style: str = "") -> None:
        self._text.append(harmless(text), style)
        self._text.append("\n")

    def _paragraph(self, text: str, style: str = "", indent: str = "") -> None:
        for line in text.splitlines():
            for part in self._wrap(line, indent):
                self._line(part, style)

    def _wrap(self, line: str, indent: str) -> list[str]:
        return textwrap.wrap(line, self._width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _facts(info: InputDocument) -> Iterable[str]:
    kind = " or ".join(info.types) if info.choices is None else f"one of {len(info.choices)}"
    yield f"list of {kind}" if info.takes_many else kind
    if not info.required:
        yield "optional"
    if info.min is not None or info.max is not None:
        yield " ".join(
            [
                *([f"from {info.min}"] if info.min is not None else []),
                *([f"to {info.max}"] if info.max is not None else []),
            ]
        )
    if info.default is not None:
        yield f"default {shown(info.default)}"
