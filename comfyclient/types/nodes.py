"""What ``client.nodes`` returns.

A node pack may write anything into its own description. What decides how a node is used must fit; of the
rest, what does not fit counts as left out.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, frozen

from comfyclient._displayed import Displayed

__all__ = ["InputInfo", "InputMapping", "NodeInfo", "NodeReplacement", "OutputMapping"]

_AUTOGROW = "COMFY_AUTOGROW_V3"
_DYNAMIC_COMBO = "COMFY_DYNAMICCOMBO_V3"
_DYNAMIC_SLOT = "COMFY_DYNAMICSLOT_V3"
_BRINGING = frozenset({_AUTOGROW, _DYNAMIC_COMBO, _DYNAMIC_SLOT})
_MATCH_TYPE = "COMFY_MATCHTYPE_V3"
_MOST_GROWN = 100  # as the server has it
_MOST_SHOWN = 10


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _items(value: Any) -> list[Any]:
    if isinstance(value, list):  # the server's own; copies of all of them would take longer than the rest
        return value
    return [value] if isinstance(value, str) else []  # a pack that wrote ("IMAGE") for ("IMAGE",)


def _flag(value: Any) -> bool:
    return value is True


def _few(choices: list[Any] | None) -> str:
    """A list of choices, which has every model of the server; of many, how many."""
    return repr(choices) if choices is None or len(choices) <= _MOST_SHOWN else f"<{len(choices)} choices>"


@frozen
class InputInfo:
    """One input of a node.

    Attributes:
        name: Its name, as a prompt gives it; for what another input brings along with that one's before it:
            ``"resize_type.width"``.
        type: Its type, such as ``"INT"``, ``"IMAGE"``, ``"*"`` or ``"INT,FLOAT"``; ``"COMBO"`` for a choice,
            in whichever of the two ways the node declares it. Those that bring inputs of their own begin with
            ``"COMFY_"``.
        options: ``default``, ``min``, ``max``, ``tooltip`` and the like.
        required: Whether a prompt must give it.
        choices: What it can be, for a choice; ``None`` for other inputs, and where the list has to be asked
            for separately (``options["remote"]``). Items are strings, as a rule.
    """

    name: str
    type: str
    options: Mapping[str, Any]
    required: bool
    choices: list[Any] | None = field(default=None, repr=_few)

    @classmethod
    def read(cls, name: str, spec: Any, *, required: bool) -> "InputInfo":
        """Read the server's description: ``[type, options]``, ``[type]``, or for a choice ``[[...]]``."""
        return _input(name, spec, required)

    @property
    def types(self) -> tuple[str, ...]:
        """The types that can be linked to it: several for a union, ``("*",)`` for any.

        What has the type of another input (``options["template"]``) names all that this can be.
        """
        found: Any = self.type
        if self.type == _MATCH_TYPE:
            found = _mapping(self.options.get("template")).get("allowed_types")
        if self.type == _DYNAMIC_SLOT:
            found = self.options.get("slotType")
        return tuple(_text(found).split(",")) if _text(found) else ("*",)

    @property
    def brings_more(self) -> bool:
        """Whether a prompt can give other inputs because of this one: see ``brings``."""
        return self.type in _BRINGING

    @property
    def takes_many(self) -> bool:
        """Whether it takes a list, each place of which is an input of its own."""
        return self.type == _AUTOGROW

    def brings(self, value: Any = None) -> "dict[str, InputInfo]":
        """The inputs that a prompt can give because of this one, by full name; none for most inputs.

        A choice whose options have inputs of their own (``COMFY_DYNAMICCOMBO_V3``) brings those of the option
        that was chosen; a slot (``COMFY_DYNAMICSLOT_V3``) brings its own once something is linked to it. A
        list (``COMFY_AUTOGROW_V3``) brings each of its places, and cannot be given itself.

        Args:
            value: What the prompt gives for this input.
        """
        if self.type == _AUTOGROW:
            return _grown(f"{self.name}.", _mapping(self.options.get("template")))
        if self.type == _DYNAMIC_COMBO:
            options = self.options.get("options")
            for option in options if isinstance(options, list) else ():
                if isinstance(option, dict) and option.get("key") == value:
                    return _read_all(option.get("inputs"), f"{self.name}.")
        if self.type == _DYNAMIC_SLOT and value is not None:
            return _read_all(self.options.get("inputs"), f"{self.name}.")
        return {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _choices(kind: Any, options: Any) -> list[Any] | None:
    if not isinstance(options, list):
        return None
    if kind == _DYNAMIC_COMBO:  # each of its choices brings inputs of its own
        return [option.get("key") for option in options if isinstance(option, dict)]
    return options if kind == "COMBO" else None


def _input(name: str, spec: Any, required: bool) -> InputInfo:  # noqa: FBT001 - called thousands of times
    kind: Any = spec
    options: dict[str, Any] = {}
    if isinstance(spec, list):
        kind = spec[0] if spec else None
        if len(spec) > 1 and isinstance(spec[1], dict):
            options = spec[1]
    if isinstance(kind, list):
        return InputInfo(name, "COMBO", options, required, kind)
    if not isinstance(kind, str) or not kind:
        kind = "*"
    return InputInfo(
        name, kind, options, required, _choices(kind, options["options"]) if "options" in options else None
    )


def _read_all(sections: Any, prefix: str = "") -> dict[str, InputInfo]:
    found: dict[str, InputInfo] = {}
    for section, required in (("required", True), ("optional", False)):
        specs = _mapping(sections).get(section)
        for name, spec in specs.items() if isinstance(specs, dict) else ():
            full = prefix + name
            if full not in found:
                found[full] = _input(full, spec, required)
    return found


def _grown(prefix: str, template: Mapping[str, Any]) -> dict[str, InputInfo]:
    """The places of a list: named one by one or numbered, each like the one input of the template."""
    one = next(iter(_read_all(template.get("input")).values()), None)
    names = template.get("names")
    if not isinstance(names, list):
        names = [f"{_text(template.get('prefix'))}{number}" for number in range(_count(template.get("max")))]
    if one is None:
        return {}
    at_least = _count(template.get("min")) if one.required else 0
    return {
        prefix + name: InputInfo(prefix + name, one.type, one.options, number < at_least, one.choices)
        for number, name in enumerate(map(str, names[:_MOST_GROWN]))
    }


def _count(value: Any) -> int:
    return min(value, _MOST_GROWN) if isinstance(value, int) else 0


def _with_brought(info: InputInfo, values: Mapping[str, Any]) -> Iterator[InputInfo]:
    if not info.takes_many:
        yield info
    for brought in info.brings(values.get(info.name)).values():
        yield from _with_brought(brought, values)


@frozen
class NodeInfo(Displayed):
    """A class of nodes that the server has.

    Lists and dictionaries in it belong to the client's catalogue: change copies. The ``repr`` has only the names, and
    what it gives; a notebook shows all of it as a table.

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
    description: str = field(default="", converter=_text, repr=False)
    category: str = field(default="", converter=_text)
    python_module: str = field(default="", converter=_text)
    input: dict[str, Any] = field(factory=dict, repr=False)
    input_order: dict[str, Any] = field(factory=dict, repr=False)
    is_input_list: bool = field(default=False, converter=_flag, repr=False)
    output: list[Any] = field(factory=list, converter=_items)
    output_is_list: list[Any] = field(factory=list, converter=_items, repr=False)
    output_name: list[Any] = field(factory=list, converter=_items)
    output_tooltips: list[Any] = field(factory=list, converter=_items, repr=False)
    output_matchtypes: list[Any] = field(factory=list, converter=_items, repr=False)
    output_node: bool = field(default=False, converter=_flag, repr=False)
    has_intermediate_output: bool = field(default=False, converter=_flag, repr=False)
    search_aliases: list[Any] = field(factory=list, converter=_items, repr=False)
    deprecated: bool = field(default=False, converter=_flag, repr=False)
    experimental: bool = field(default=False, converter=_flag, repr=False)
    dev_only: bool = field(default=False, converter=_flag, repr=False)
    api_node: bool = field(default=False, converter=_flag, repr=False)
    price_badge: Any = field(default=None, repr=False)
    essentials_category: str = field(default="", converter=_text, repr=False)
    extra: dict[str, Any] = field(factory=dict, repr=False)

    @property
    def inputs(self) -> dict[str, InputInfo]:
        """The inputs that the node declares, by name; the required ones first, in the node's order.

        What some of them bring along depends on their values: see ``inputs_for``.
        """
        return _read_all(self.input)

    @property
    def output_names(self) -> list[str]:
        """A name for each output: what the node calls it, or its type."""
        names = [str(name) for name in self.output_name[: len(self.output)]]
        return names + [kind if isinstance(kind, str) else "COMBO" for kind in self.output[len(names) :]]

    def inputs_for(self, values: Mapping[str, Any]) -> dict[str, InputInfo]:
        """The inputs that a prompt can give beside the values that it gives, by name.

        These are ``inputs``, and after each of them those that it brings: for a ``"resize_type"`` of
        ``"scale width"`` there is ``"resize_type.width"``. Lists of any length have an entry for each place:
        ``"images.image0"`` and so on.

        Args:
            values: The node's ``inputs`` in the prompt.
        """
        return {info.name: info for declared in self.inputs.values() for info in _with_brought(declared, values)}

    def choices(self, input_name: str) -> list[Any] | None:
        """What an input can be, or ``None`` if it is no choice, or there is no such input."""
        info = self.inputs.get(input_name)
        return info.choices if info else None


@frozen
class InputMapping:
    """Where an input of a node's replacement gets its value.

    Attributes:
        new_id: The input of the new node.
        old_id: The input of the old one whose value or link it takes; ``None`` if it is set.
        set_value: What it is set to otherwise.
        extra: What else the server said.
    """

    new_id: str
    old_id: str | None = None
    set_value: Any = None
    extra: dict[str, Any] = field(factory=dict)


@frozen
class OutputMapping:
    """Which output of a node's replacement stands for which of the old node's, by number.

    Attributes:
        new_idx: The output of the new node.
        old_idx: That of the old one.
        extra: What else the server said.
    """

    new_idx: int
    old_idx: int
    extra: dict[str, Any] = field(factory=dict)


@frozen
class NodeReplacement:
    """Another class that stands in for one that is gone.

    Attributes:
        new_node_id: The new class.
        old_node_id: The old one.
        old_widget_ids: Names for the old node's ``widgets_values``, which the editor saves without names.
        input_mapping: Where the new inputs get their values; ``None`` if the names are the same.
        output_mapping: Which outputs correspond; ``None`` if the numbers are the same.
        extra: What else the server said.
    """

    new_node_id: str
    old_node_id: str
    old_widget_ids: tuple[str, ...] | None = None
    input_mapping: tuple[InputMapping, ...] | None = None
    output_mapping: tuple[OutputMapping, ...] | None = None
    extra: dict[str, Any] = field(factory=dict)
