"""From the arguments of a call to the inputs of a node: names, defaults, and everything that is wrong with them."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from comfyclient.builder.sockets import Outputs, Socket, Unchecked, label, names_of
from comfyclient.builder.spelling import identifier
from comfyclient.errors import WorkflowError
from comfyclient.workflow import judging, local
from comfyclient.workflow.check import unwritable
from comfyclient.workflow.node import Node
from comfyclient.workflow.wording import kind_of, listed, nearest, report, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient.types.nodes import InputInfo
    from comfyclient.workflow.classes import Classes

NOTHING: Any = object()
"""There is no default."""

_FILE = re.compile(r"\.\w{2,12}$")


def default(info: InputInfo) -> Any:
    """What an input is if it is not given: what the catalogue says, or the first of its choices as in the editor.

    A file is never chosen that way.
    """
    if "default" in info.options:
        return info.options["default"]
    first = info.choices[0] if info.choices else NOTHING
    return NOTHING if isinstance(first, str) and _FILE.search(first) else first


def inputs_of(
    class_type: str, given: Mapping[str, Any], classes: Classes, is_ours: Callable[[Node], bool], *, check: bool
) -> dict[str, Any]:
    """The inputs of a node, as a workflow has them.

    Args:
        class_type: Its class.
        given: The arguments, by the server's names or as Python writes them.
        classes: The catalogue.
        is_ours: Whether a node is of the graph that is being built.
        check: Whether what is missing gets its default, and what is not allowed is refused.

    Raises:
        WorkflowError: Some of it is wrong; the message names it all.
    """
    reader = _Reader(class_type, given, classes, is_ours, check=check)
    declared = classes[class_type].inputs
    inputs = dict(reader.read(declared.values()))
    reader.refuse_unknown()
    if reader.problems:
        message = report(reader.problems, class_type)
        raise WorkflowError(message if len(reader.problems) > 1 else f"{class_type}: {message}")
    return inputs


class _Reader:
    """One call."""

    def __init__(
        self,
        class_type: str,
        given: Mapping[str, Any],
        classes: Classes,
        is_ours: Callable[[Node], bool],
        *,
        check: bool,
    ) -> None:
        self.problems: list[str] = []
        self._class_type = class_type
        self._left = dict(given)
        self._classes = classes
        self._is_ours = is_ours
        self._check = check
        self._known: list[str] = []

    def read(self, declared: Any) -> Iterator[tuple[str, Any]]:
        """The values of these inputs, and of those that they bring along."""
        for info in declared:
            self._known.append(info.name)
            value = self._take(info.name)
            if info.takes_many:
                yield from self._places(info, value)
                continue
            if value is NOTHING and self._check and info.required:
                value = default(info)
                if value is NOTHING:
                    self.problems.append(self._missing(info))
                else:
                    value = copy.deepcopy(value)  # the catalogue's own
                    yield info.name, {"__value__": value} if isinstance(value, list) else value
            elif value is not NOTHING:
                before = len(self.problems)
                value = self._written(info, value)
                yield info.name, value
                if judging.decides(info) and len(self.problems) > before:
                    self._leave_out(identifier(info.name))
            if info.brings_more and value is not NOTHING:
                yield from self.read(info.brings(value).values())

    def _leave_out(self, name: str) -> None:
        """Say nothing of what the right choice might bring along."""
        self._left = {each: value for each, value in self._left.items() if not identifier(each).startswith(f"{name}__")}

    def refuse_unknown(self) -> None:
        """What is left is no input."""
        for name in self._left:
            written = [identifier(each) for each in self._known]
            near = nearest(name, written)
            hint = f"nearest: {listed(map(shown, near))}" if near else f"it has {listed(written) or 'none'}"
            self.problems.append(f"there is no input {name!r}; {hint}")

    def _take(self, name: str) -> Any:
        """What is given for an input; ``None`` is as good as nothing."""
        for word in (name, identifier(name)):
            if word in self._left:
                value = self._left.pop(word)
                return NOTHING if value is None and self._check else value
        return NOTHING

    def _missing(self, info: InputInfo) -> str:
        kinds = " or ".join(info.types) if info.choices is None else f"one of {listed(map(shown, info.choices))}"
        return f"input {identifier(info.name)!r} is missing: {kinds}"

    def _places(self, info: InputInfo, value: Any) -> Iterator[tuple[str, Any]]:
        """A list, each item of which is an input."""
        places = info.brings()
        written = identifier(info.name)
        names = [name.removeprefix(f"{info.name}.") for name in places]
        if value is NOTHING:
            value = {}
        elif not isinstance(value, Mapping):
            if not isinstance(value, (list, tuple)) or isinstance(value, Outputs):
                self.problems.append(f"input {written!r} takes a list or a dict, not {_described(value)}")
                return
            if len(value) > len(places):
                self.problems.append(f"input {written!r} takes {len(places)} at most, not {len(value)}")
                return
            value = dict(zip(names, value, strict=False))
        for name in value:
            if name not in names:
                self.problems.append(f"input {written!r} has no place {name!r}; it has {listed(names)}")
        for name, place in zip(names, places.values(), strict=True):
            if value.get(name) is not None or (name in value and not self._check):
                yield place.name, self._written(place, value[name])
            elif place.required and self._check:
                self.problems.append(f"input {written!r} needs {name!r}: {' or '.join(place.types)}")

    def _written(self, info: InputInfo, value: Any) -> Any:
        """The value as a workflow has it; what is wrong with it is noted."""
        why = None
        if isinstance(value, Socket):
            why = self._of_socket(info, value)
            written: Any = [value.node.id, value.slot]
        elif isinstance(value, (Outputs, Unchecked, Node)):
            written = None
            why = f"takes one output, not {_described(value)}"
        elif local.is_local(value):
            written = value
            why = None if judging.takes_uploads(info) else f"is {local.named(value)}, and takes no file"
        else:
            is_list = isinstance(value, (list, tuple))
            written = {"__value__": list(value)} if is_list else value
            why = unwritable(written) or (self._of_value(info, written) if self._check else None)
        if why:
            self.problems.append(f"input {identifier(info.name)!r} {why}")
        return written

    def _of_socket(self, info: InputInfo, socket: Socket) -> str | None:
        if not self._is_ours(socket.node):
            return f"takes {socket!r}, which is of another graph"
        if not self._check:
            return None
        if judging.decides(info):
            return "decides which inputs there are, so a link will not do"
        finding = judging.of_link(info, socket._kind, self._class_type)  # noqa: SLF001 - what the server compares
        return finding.message.replace("{}", f"output {socket.slot} of node {label(socket.node)}") if finding else None

    def _of_value(self, info: InputInfo, value: Any) -> str | None:
        if judging.is_file(info, self._class_type) and isinstance(value, str):
            return None  # it may be anywhere, or yet to be uploaded
        finding = judging.of_value(info, value, self._class_type, self._classes.is_socket)
        return f"will not do: {finding.message}" if finding else None


def _described(value: Any) -> str:
    if isinstance(value, Outputs):
        return f"all of node {label(value.node)}: {', '.join(f'.{name}' for name in names_of(value))}"
    if isinstance(value, Unchecked):
        return f"all of node {label(value.node)}: take one by its number, such as [0]"
    if isinstance(value, Node):
        return f"node {label(value)}, which has none"
    return repr(value) if isinstance(value, Socket) else kind_of(value)
