"""What a node shows in the editor: its inputs and the values that it holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@define(eq=False)
class Slot:
    """An input of a node.

    Attributes:
        name: Its name.
        type: What it takes.
        link: The id of the link that comes in.
        widget: The name of the widget that it stands for.
        promoted: The widget of its own that it has on a node that stands for a subgraph.
        template: The name of the type that it shares with other inputs and outputs of its node.
        allowed: What that type can be.
    """

    name: str
    type: Any = "*"
    link: Any = None
    widget: str | None = None
    promoted: Widget | None = None
    template: str | None = None
    allowed: str = "*"


@define(eq=False)
class Widget:
    """A value that a node holds.

    Attributes:
        name: Its name, and that of the input in the prompt.
        kind: The editor's type of it.
        value: What it holds.
        choices: What can be chosen, for a combo.
        saved: Whether it has a place in the save file's ``widgets_values``.
        sent: Whether it is part of the prompt.
        dynamic_prompts: Whether ``{a|b}`` in it is a choice to be made.
        when_null: What it has in the place of null.
        on_change: Called with every value that is set.
        adjust: What the editor makes of a value that a user, or a primitive, gives it.
        compute: Where the value comes from, if it is not one's own.
        options: How the node's definition describes it.
    """

    name: str
    kind: str
    value: Any = None
    choices: list[Any] | None = None
    saved: bool = True
    sent: bool = True
    dynamic_prompts: bool = False
    when_null: Any = None
    on_change: Callable[[Any], None] | None = None
    adjust: Callable[[Any], Any] | None = None
    compute: Callable[[], Any] | None = None
    options: dict[str, Any] = field(factory=dict)

    def set(self, value: Any) -> None:
        """Give it a value, and let what depends on it follow."""
        self.value = self.when_null if value is None else value
        if self.on_change is not None:
            self.on_change(value)

    def enter(self, value: Any) -> None:
        """Give it a value as a user would, which the editor rounds to what the widget takes."""
        self.set(value)
        if self.adjust is not None:
            self.set(self.adjust(value))

    def current(self) -> Any:
        """What it holds now."""
        return self.value if self.compute is None else self.compute()


class Growing(Protocol):
    """A group of inputs of which there is always one more than is used."""

    def connected(self, slot: Slot) -> None:
        """A link came to one of them."""


class Targeted(Protocol):
    """A link, as far as inputs that move concern it."""

    target_slot: int


class Face:
    """The widgets and input slots of a node.

    Attributes:
        class_type: The node's class.
        slots: Its inputs.
        widgets: Its values.
        growing: Its groups of inputs that grow, by their names.
        links: The links of the node's graph by their ids, once the node is in one.
        properties: What else the editor keeps of the node.
    """

    def __init__(self, class_type: str, properties: Mapping[str, Any] | None = None) -> None:
        self.class_type = class_type
        self.properties: Mapping[str, Any] = properties if properties is not None else {}
        self.slots: list[Slot] = []
        self.widgets: list[Widget] = []
        self.growing: dict[str, Growing] = {}
        self.links: Mapping[Any, Targeted] = {}

    def widget(self, name: str | None) -> Widget | None:
        """The widget of this name."""
        return next((widget for widget in self.widgets if widget.name == name), None)

    def connected(self, slot: Slot) -> None:
        """A link came to this input."""
        group = self.growing.get(slot.name.rpartition(".")[0])
        if group is not None:
            group.connected(slot)

    def moved(self, start: int) -> None:
        """The slots from here on have new places; the editor tells their links, and no others."""
        for place in range(start, len(self.slots)):
            link = self.links.get(self.slots[place].link)
            if link is not None:
                link.target_slot = place


ANY = {"", "*", "0", "None"}
"""How a type is written that fits all others."""


def is_compatible(one: Any, other: Any) -> bool:
    """Whether the editor lets a link go from a slot of one type to one of the other; commas separate several."""
    if one == other or str(one) in ANY or str(other) in ANY:
        return True
    mine, yours = str(one).lower().split(","), str(other).lower().split(",")
    return any(left == right or left in ANY or right in ANY for left in mine for right in yours)


def passed_through(slots: Sequence[Slot], given: Any, number: int, kind: Any) -> int | None:
    """Which input of a bypassed node goes through to an output.

    Args:
        slots: The inputs.
        given: What the output gives.
        number: Which output it is.
        kind: What the input takes that the output leads to.
    """
    if not slots:
        return None
    if kind in {"*", ""}:
        return number if 0 <= number < len(slots) else 0

    def fits(slot: Slot) -> bool:
        return is_compatible(slot.type, given) and is_compatible(slot.type, kind)

    if 0 <= number < len(slots) and fits(slots[number]):
        return number
    same = next((at for at, slot in enumerate(slots) if slot.type == kind), None)
    return same if same is not None else next((at for at, slot in enumerate(slots) if fits(slot)), None)
