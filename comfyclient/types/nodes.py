"""What ``client.nodes`` returns.

A node pack may write anything into its own description. What decides how a node is used must fit; of the
rest, what does not fit counts as left out.
"""

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

__all__ = ["InputInfo", "NodeInfo"]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _items(value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):  # a pack that wrote ("IMAGE") for ("IMAGE",)
        return (value,)
    return tuple(value) if isinstance(value, (list, tuple)) else ()


def _flag(value: Any) -> bool:
    return value is True


@frozen
class InputInfo:
    """One input of a node.

    Attributes:
        name: Its name.
        type: Its type, such as ``"INT"``, ``"IMAGE"``, ``"*"`` or ``"INT,FLOAT"``; ``"COMBO"`` for a choice,
            in whichever of the two ways the node declares it.
        options: ``default``, ``min``, ``max``, ``tooltip`` and the like.
        required: Whether a prompt must give it.
        choices: What it can be, for a choice; ``None`` for other inputs, and where the list has to be asked
            for separately (``options["remote"]``). Items are strings, as a rule.
    """

    name: str
    type: str
    options: Mapping[str, Any]
    required: bool
    choices: list[Any] | None = None

    @classmethod
    def read(cls, name: str, spec: Any, *, required: bool) -> "InputInfo":
        """Read the server's description: ``[type, options]``, ``[type]``, or for a choice ``[[...]]``."""
        spec = spec if isinstance(spec, list) else [spec]
        kind = spec[0] if spec else None
        options: dict[str, Any] = spec[1] if len(spec) > 1 and isinstance(spec[1], dict) else {}
        if isinstance(kind, list):
            return cls(name, "COMBO", options, required, kind)
        return cls(name, _text(kind) or "*", options, required, _choices(kind, options.get("options")))


def _choices(kind: Any, options: Any) -> list[Any] | None:
    if not isinstance(options, list):
        return None
    if kind == "COMFY_DYNAMICCOMBO_V3":  # each of its choices brings inputs of its own
        return [option.get("key") for option in options if isinstance(option, dict)]
    return options if kind == "COMBO" else None


@frozen
class NodeInfo:
    """A class of nodes that the server has.

    Attributes:
        name: The class's name: the ``class_type`` in a workflow.
        display_name: Its title in the editor.
        description: What it does.
        category: Where the editor's menu has it.
        python_module: Where it comes from, such as ``"nodes"`` or ``"custom_nodes.pack"``.
        input: Its inputs as the server describes them: by ``required``, ``optional`` and ``hidden``, then by
            name. ``inputs`` reads them.
        input_order: The names, by ``required``, ``optional`` and ``hidden``, in the node's order.
        is_input_list: Whether it takes lists whole.
        output: The types of its outputs; a list stands for a choice.
        output_is_list: Which of them are lists.
        output_name: Their names.
        output_tooltips: What they are.
        output_matchtypes: Which of them have the type of an input.
        output_node: Whether it is an output, for whose sake a prompt runs.
        has_intermediate_output: Whether it shows something, though it is no output.
        search_aliases: Other words to find it by.
        deprecated: Whether the server advises against it.
        experimental: Whether it may still change.
        dev_only: Whether the editor hides it from users.
        api_node: Whether it calls a paid service.
        price_badge: What that costs.
        essentials_category: Where the editor's short menu has it.
        extra: What else the server said.
    """

    name: str
    display_name: str = field(default="", converter=_text)
    description: str = field(default="", converter=_text)
    category: str = field(default="", converter=_text)
    python_module: str = field(default="", converter=_text)
    input: dict[str, Any] = field(factory=dict, repr=False)
    input_order: dict[str, Any] = field(factory=dict, repr=False)
    is_input_list: bool = field(default=False, converter=_flag)
    output: tuple[Any, ...] = field(default=(), converter=_items)
    output_is_list: tuple[Any, ...] = field(default=(), converter=_items)
    output_name: tuple[Any, ...] = field(default=(), converter=_items)
    output_tooltips: tuple[Any, ...] = field(default=(), converter=_items)
    output_matchtypes: tuple[Any, ...] = field(default=(), converter=_items)
    output_node: bool = field(default=False, converter=_flag)
    has_intermediate_output: bool = field(default=False, converter=_flag)
    search_aliases: tuple[Any, ...] = field(default=(), converter=_items)
    deprecated: bool = field(default=False, converter=_flag)
    experimental: bool = field(default=False, converter=_flag)
    dev_only: bool = field(default=False, converter=_flag)
    api_node: bool = field(default=False, converter=_flag)
    price_badge: Any = None
    essentials_category: str = field(default="", converter=_text)
    extra: dict[str, Any] = field(factory=dict)

    @property
    def inputs(self) -> dict[str, InputInfo]:
        """The inputs that a prompt can give, by name; the required ones first, in the node's order."""
        found: dict[str, InputInfo] = {}
        for section in ("required", "optional"):
            specs = self.input.get(section)
            for name, spec in specs.items() if isinstance(specs, dict) else ():
                found.setdefault(name, InputInfo.read(name, spec, required=section == "required"))
        return found

    def choices(self, input_name: str) -> list[Any] | None:
        """What an input can be, or ``None`` if it is no choice, or there is no such input."""
        info = self.inputs.get(input_name)
        return info.choices if info else None
