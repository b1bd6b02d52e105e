"""A graph that is being built, and the builder that has the classes of a server as its methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from comfyclient.builder.arguments import inputs_of
from comfyclient.builder.help import signature_of, text_of
from comfyclient.builder.sockets import Outputs, Socket, Unchecked
from comfyclient.builder.spelling import identifier, spelled
from comfyclient.errors import WorkflowError
from comfyclient.workflow.check import shape_problems
from comfyclient.workflow.classes import Classes
from comfyclient.workflow.document import Workflow
from comfyclient.workflow.node import Node
from comfyclient.workflow.wording import MissingError, kind_of, nearest_hint, report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from comfyclient.types.nodes import InputInfo, NodeInfo
    from comfyclient.workflow.catalog import Catalog

__all__ = ["Builder", "Graph"]

_MATCH_TYPE = "COMFY_MATCHTYPE_V3"


class Graph:
    """A graph that is being built; what a ``Builder`` and the classes that ``stubs`` writes have in common."""

    def __init__(self) -> None:
        self._nodes: dict[str, dict[str, Any]] = {}
        self._last_id = 0

    def workflow(self) -> Workflow:
        """The workflow as it is now: a copy, so that building may go on."""
        return Workflow(self._nodes)

    def add(self, node: Any, *, _id: str | None = None) -> Unchecked:
        """Add a node as it is, without defaults and checks: one of a class that the catalogue lacks, say.

        Args:
            node: A dict of ``class_type``, ``inputs`` and so on, as a workflow has them. A link is a list of node id
                and output, or a ``Socket``.
            _id: Its id; the next free number by default.

        Raises:
            WorkflowError: It is no node, or the id is taken.
        """
        if not isinstance(node, Mapping):
            raise WorkflowError(f"a node is an object of class_type and inputs, not {kind_of(node)}")
        node_id = self._new_id(_id)
        inputs = node.get("inputs", {})
        if isinstance(inputs, Mapping):
            inputs = {name: _linked(value) for name, value in inputs.items()}
        graph = {node_id: {**node, "inputs": inputs}}
        if problems := shape_problems(graph):
            raise WorkflowError(report(problems))
        return Unchecked(self._keep(node_id, Workflow(graph).to_api()[node_id]), self._kinds(node["class_type"]))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} with {len(self._nodes)} node{'s' * (len(self._nodes) != 1)}>"

    def _kinds(self, class_type: str) -> list[Any]:  # noqa: ARG002 - those who have a catalogue know more
        return []

    def _new_id(self, given: str | None) -> str:
        if given is not None:
            if not isinstance(given, str):
                raise WorkflowError(f"the id of a node is a string, not {kind_of(given)}")
            if given in self._nodes:
                raise WorkflowError(f"there is a node {given!r} already")
            return given
        while str(self._last_id + 1) in self._nodes:
            self._last_id += 1
        return str(self._last_id + 1)

    def _keep(self, node_id: str, raw: dict[str, Any]) -> Node:
        self._nodes[node_id] = raw
        return Node(node_id, self._nodes)

    def _is_ours(self, node: Node) -> bool:
        return node._graph is self._nodes and node.id in self._nodes  # noqa: SLF001 - a node is a view of that


class Builder(Graph):
    """Builds a workflow from a server's node classes, each of which is a method.

    ``g.KSampler(model=model, steps=20, ...)`` adds a node. What is given is checked at once; what is not given has the
    catalogue's default. A node with one output returns that, as a ``Socket`` to give to other nodes; one with several a
    tuple of them (``Outputs``); one without any the ``Node``.

    Names that are none in Python are written with ``_`` instead, and with ``__`` for a dot:
    ``g.Epsilon_Scaling(...)``, ``resize_type__width=512``; ``g["Epsilon Scaling"]`` works, too. An input that takes any
    number of links takes a list: ``images=[first, second]``, or a dict where its places have names.

    Every method also takes ``_id``, the node's id; ``_title``, its title in the editor; and ``_check=False``, for a
    node with just these values, whatever they are.

    Runs in the caller's thread, and for one thread at a time; nothing is sent.

    Args:
        catalog: The server's nodes: what ``client.nodes.list()`` returns, or the server's ``/object_info``.

    Raises:
        WorkflowError: The catalogue is none. The methods raise it for everything that is wrong with their arguments.
    """

    def __init__(self, catalog: Catalog) -> None:
        super().__init__()
        self._classes = Classes(catalog)
        self._spelled = spelled(self._classes)
        self._makers: dict[str, Callable[..., Any]] = {}
        self._types: dict[str, list[Any]] = {}  # of the outputs of nodes

    def __getattr__(self, name: str) -> Callable[..., Any]:
        spelled_so = self.__dict__.get("_spelled", {})  # not there while it is copied
        if name not in spelled_so:
            raise AttributeError(f"there is no node class {name!r}{nearest_hint(name, spelled_so)}")
        return self[spelled_so[name]]

    def __getitem__(self, class_type: str) -> Callable[..., Any]:
        """The method of a class, by the server's name."""
        if class_type not in self._makers:
            if class_type not in self._classes:
                raise MissingError(f"there is no node class {class_type!r}{nearest_hint(class_type, self._classes)}")
            self._makers[class_type] = self._maker(class_type)
        return self._makers[class_type]

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *self._spelled]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._classes)

    def __repr__(self) -> str:
        return f"<Builder with {len(self._nodes)} nodes, from {len(self._classes)} classes>"

    def _maker(self, class_type: str) -> Callable[..., Any]:
        info = self._classes[class_type]

        def make(
            *, _id: str | None = None, _title: str | None = None, _check: bool = True, **inputs: Any
        ) -> Socket | Outputs | Node:
            read = inputs_of(class_type, inputs, self._classes, self._is_ours, check=_check)
            title = _title if _title is not None else info.display_name or class_type
            raw = {"class_type": class_type, "inputs": read, "_meta": {"title": title}}
            node = self._keep(self._new_id(_id), raw)
            kinds = self._types[node.id] = self._given(info, node)
            outputs = [
                Socket(node, slot, *given) for slot, given in enumerate(zip(kinds, info.output_names, strict=True))
            ]
            if not outputs:
                return node
            return outputs[0] if len(outputs) == 1 else Outputs(outputs)

        make.__name__ = make.__qualname__ = identifier(class_type)
        make.__doc__ = text_of(info)
        make.__signature__ = signature_of(info)  # type: ignore[attr-defined]  # which is for inspect.signature
        return make

    def _kinds(self, class_type: str) -> list[Any]:
        return self._classes[class_type].output if class_type in self._classes else []

    def _given(self, info: NodeInfo, node: Node) -> list[Any]:
        """The types of a node's outputs; one that has the type of an input has it from what is linked there."""
        kinds = list(info.output)
        for slot, match in enumerate(info.output_matchtypes[: len(kinds)]):
            for each in info.inputs_for(node.inputs).values():
                if match and _template_of(each) == match and isinstance(node.get(each.name), list):
                    source, number = node[each.name]
                    known = self._types.get(source) or self._kinds(self._nodes[source]["class_type"])
                    kinds[slot] = known[number] if number < len(known) else "*"
                    break
        return kinds


def _template_of(info: InputInfo) -> Any:
    template = info.options.get("template")
    return template.get("template_id") if info.type == _MATCH_TYPE and isinstance(template, dict) else None


def _linked(value: Any) -> Any:
    return [value.node.id, value.slot] if isinstance(value, Socket) else value
