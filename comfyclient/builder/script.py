"""From a workflow to the Python that builds it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from comfyclient.builder.graph import Builder, Graph
from comfyclient.builder.sockets import Outputs, Socket, Unchecked
from comfyclient.builder.spelling import Words, identifier, variable
from comfyclient.errors import WorkflowError, node_label
from comfyclient.workflow.check import title_of
from comfyclient.workflow.classes import Classes
from comfyclient.workflow.document import Workflow
from comfyclient.workflow.links import is_link, sources
from comfyclient.workflow.wording import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from comfyclient.types.nodes import InputInfo
    from comfyclient.workflow.catalog import Catalog
    from comfyclient.workflow.links import Graph as Nodes
    from comfyclient.workflow.node import Node

__all__ = ["to_python"]

_WIDTH = 96  # and the indentation
_LONGEST_NAME = 30
_INDENT = "    "
_NAMES = ("g", "build", "client", "Client", "Builder", "Workflow")
_HEAD = '''\
"""A workflow for ComfyUI."""

from comfyclient import Client, Workflow
from comfyclient.builder import Builder


def build(g: Builder) -> Workflow:
    """Build the workflow."""
'''
_TAIL = """\
    return g.workflow()


if __name__ == "__main__":
    with Client() as client:
        client.run(build(client.builder()))
"""


def to_python(workflow: Workflow, catalog: Catalog) -> str:
    """Write a workflow as a Python script: its function ``build`` makes the very same, and running it runs that.

    What the catalogue would not allow, such as a model that this server lacks, is written with ``_check=False``; a node
    of a class that it lacks, as ``g.add({...})``.

    Args:
        workflow: What to write.
        catalog: The server's nodes: what ``client.nodes.list()`` returns, or the server's ``/object_info``.

    Raises:
        WorkflowError: A value is none that Python can write down, or the catalogue is none.
        TypeError: It is no ``Workflow``.
    """
    if not isinstance(workflow, Workflow):
        raise TypeError(f"what is written is a Workflow, not {kind_of(workflow)}: see Workflow.load")
    return _HEAD + "".join(_Writer(workflow, Classes(catalog)).statements()) + _TAIL


class _Link:
    """A link in the arguments of a call: which output it takes, and how the script calls that."""

    __slots__ = ("code", "socket")

    def __init__(self, socket: Socket, code: str) -> None:
        self.socket = socket
        self.code = code


class _Trial(Builder):
    """Builds what is written, so that what is written is known to do what it should."""

    def built(self, node_id: str) -> dict[str, Any]:
        """A node as it came out."""
        return self._nodes[node_id]

    def forget(self, node_id: str) -> None:
        """Take it out again."""
        self._nodes.pop(node_id, None)

    def next_id(self) -> str:
        """What a node without an id of its own would get."""
        return self._new_id(None)

    def method(self, class_type: str) -> str:
        """How a script calls it."""
        written = identifier(class_type)
        is_method = self._spelled.get(written) == class_type and not hasattr(Graph, written)
        return f"g.{written}" if is_method else f"g[{_text(class_type)}]"


class _Writer:
    """Writes one workflow."""

    def __init__(self, workflow: Workflow, classes: Classes) -> None:
        self._graph: Nodes = workflow.to_api(classes)
        self._classes = classes
        self._trial = _Trial(classes)
        self._used = {(source, slot) for node in self._graph.values() for _, source, slot in sources(node["inputs"])}
        self._read = {source for source, _ in self._used}
        self._words = Words(_NAMES)
        self._sockets: dict[str, dict[int, _Link]] = {}
        self._unchecked: dict[str, tuple[Unchecked, str]] = {}

    def statements(self) -> Iterator[str]:
        """Each of them with its line break."""
        for node_id in _ordered(self._graph):
            node = self._graph[node_id]
            try:
                statement = self._checked(node_id, node) or self._as_it_is(node_id, node)
            except TypeError as error:
                label = node_label(node_id, title_of(node), node["class_type"])
                raise WorkflowError(f"node {label}: {error}") from None
            yield f"{_INDENT}{statement}\n"

    # --- the two ways to write a node ---

    def _checked(self, node_id: str, node: Mapping[str, Any]) -> str | None:
        """As a call of the class's method; ``None`` if that would make another node of it."""
        class_type = node["class_type"]
        arguments = self._arguments(class_type, node["inputs"]) if class_type in self._classes else None
        if arguments is None:
            return None
        options = self._options(node_id)
        title = title_of(node)
        if title != (self._classes[class_type].display_name or class_type):
            options["_title"] = title
        for more in ({}, {"_check": False}):
            try:
                made = self._trial[class_type](**_real(arguments), **options, **more)
            except WorkflowError:
                continue
            if _same(self._trial.built(node_id), node):
                call = _call(self._trial.method(class_type), {**arguments, **options, **more})
                return self._assigned(node_id, made) + call
            self._trial.forget(node_id)
        return None

    def _as_it_is(self, node_id: str, node: Mapping[str, Any]) -> str:
        inputs = {name: self._linked(value) or value for name, value in node["inputs"].items()}
        options = self._options(node_id)
        made = self._trial.add({**node, "inputs": _real(inputs)}, **options)
        target = ""
        if node_id in self._read:
            name = self._new_name(variable(title_of(node)))
            self._unchecked[node_id] = made, name
            target = f"{name} = "
        shown = {"class_type": node["class_type"], **node, "inputs": inputs}  # in the order in which one reads
        return target + _call("g.add", {"": shown, **options})

    def _options(self, node_id: str) -> dict[str, Any]:
        return {} if self._trial.next_id() == node_id else {"_id": node_id}

    # --- links and names ---

    def _linked(self, value: Any) -> _Link | None:
        """The output that a link takes, if it is there by now."""
        if not is_link(value) or type(value[1]) is not int or value[1] < 0:
            return None
        source, slot = value
        if source in self._unchecked:
            made, name = self._unchecked[source]
            return _Link(made[slot], f"{name}[{slot}]")
        return self._sockets.get(source, {}).get(slot)

    def _assigned(self, node_id: str, made: Socket | Outputs | Node) -> str:
        """The variables that take the outputs, as far as something is linked to them."""
        outputs = made if isinstance(made, Outputs) else [made] if isinstance(made, Socket) else []
        if not any((node_id, socket.slot) in self._used for socket in outputs):
            return ""
        title = variable(title_of(self._graph[node_id]))
        names = []
        for socket in outputs:
            wanted = "_"
            if (node_id, socket.slot) in self._used:
                wanted = self._new_name(variable(socket.name) if isinstance(made, Outputs) else title)
                self._sockets.setdefault(node_id, {})[socket.slot] = _Link(socket, wanted)
            names.append(wanted)
        return f"{', '.join(names)} = "

    def _new_name(self, wanted: str) -> str:
        return self._words.new(wanted if len(wanted) <= _LONGEST_NAME else wanted[:_LONGEST_NAME].rstrip("_"))

    def _arguments(self, class_type: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """The arguments for these inputs; ``None`` where the class has no such input, or a link leads to nowhere."""
        lists = {each.name: each.brings() for each in _lists(self._classes[class_type].inputs.values(), inputs)}
        place_of = {place: name for name, places in lists.items() for place in places}
        known = self._classes.inputs(class_type, inputs)
        arguments: dict[str, Any] = {}
        for name, value in inputs.items():
            if name not in known:
                return None
            written: Any = value
            if isinstance(value, list):
                written = self._linked(value)
                if written is None:
                    return None
            elif isinstance(value, dict) and value.keys() == {"__value__"} and isinstance(value["__value__"], list):
                written = value["__value__"]
            if name in place_of:
                at = place_of[name]
                arguments.setdefault(identifier(at), {})[name.removeprefix(f"{at}.")] = written
            else:
                arguments[identifier(name)] = written
        for at, places in lists.items():
            given = arguments.get(identifier(at))
            names = [place.removeprefix(f"{at}.") for place in places]
            first = names[: len(given or ())]
            if given and all(name in given and name[-1:].isdecimal() for name in first):
                arguments[identifier(at)] = [given[name] for name in first]
        return arguments


def _lists(declared: Iterable[InputInfo], values: Mapping[str, Any]) -> Iterator[InputInfo]:
    """The inputs that take a list, also those that others bring along."""
    for info in declared:
        if info.takes_many:
            yield info
        else:
            yield from _lists(info.brings(values.get(info.name)).values(), values)


def _ordered(graph: Nodes) -> list[str]:
    """The nodes in the graph's order, but each one after those that it takes something from."""
    done: dict[str, None] = {}
    begun: set[str] = set()
    for node_id in graph:
        waiting = [node_id]
        while waiting:
            last = waiting[-1]
            if last in begun:
                done.setdefault(waiting.pop())
                continue
            begun.add(last)
            feeders = [source for _, source, _ in sources(graph[last]["inputs"])]
            waiting += [source for source in reversed(feeders) if source in graph and source not in begun]
    return list(done)


def _real(value: Any) -> Any:
    """The arguments with the outputs themselves in the place of links."""
    if isinstance(value, _Link):
        return value.socket
    if isinstance(value, dict):
        return {key: _real(part) for key, part in value.items()}
    return [_real(part) for part in value] if isinstance(value, list) else value


def _same(one: Any, other: Any) -> bool:
    """Whether the server would get the same; 1 and true are not, nor are 1 and 1.0."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


# --- Python -------------------------------------------------------------------------------------------------


def _call(function: str, arguments: Mapping[str, Any]) -> str:
    """A call in one line if it fits, else with a line for each argument; the one without a name comes first."""
    parts = []
    for name, value in arguments.items():
        code = _code(value, _INDENT * 2)
        if name and not name.isidentifier():
            parts.append(f"**{{{_text(name)}: {code}}}")
        else:
            parts.append(f"{name}={code}" if name else code)
    line = f"{function}({', '.join(parts)})"
    if len(line) <= _WIDTH and "\n" not in line:
        return line
    return "".join([f"{function}(\n", *(f"{_INDENT * 2}{part},\n" for part in parts), f"{_INDENT})"])


def _code(value: Any, indent: str) -> str:
    if isinstance(value, _Link):
        return value.code
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_code(key, indent)}: {_code(part, indent)}' for key, part in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(_code(part, indent) for part in value)}]"
    if isinstance(value, str):
        lines = [_text(line) for line in _lines(value)]
        return (
            lines[0]
            if len(lines) == 1
            else "\n".join(["(", *(f"{indent}{_INDENT}{line}" for line in lines), f"{indent})"])
        )
    if isinstance(value, float) and value - value != 0:  # which has no literal
        return f"float({_text(str(value))})"
    if value is not None and not isinstance(value, (bool, int, float)):
        raise TypeError(f"{kind_of(value)} cannot be written down")
    return repr(value)


def _lines(text: str) -> Iterator[str]:
    """Parts of a text that fit into a line, as far as there are spaces in it."""
    for line in text.splitlines(keepends=True) or [""]:
        start = 0
        while len(line) - start > _WIDTH and (cut := line.rfind(" ", start, start + _WIDTH) + 1):
            yield line[start:cut]
            start = cut
        yield line[start:]


def _text(value: str) -> str:
    """A string, in double quotes if JSON and Python write it alike."""
    is_plain = value.replace("\n", "").replace("\t", "").isprintable()
    return json.dumps(value, ensure_ascii=False) if is_plain else repr(value)
