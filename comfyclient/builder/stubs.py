"""What editors and type checkers need to know a server's nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfyclient.builder.arguments import NOTHING, default
from comfyclient.builder.graph import Graph
from comfyclient.builder.help import text_of
from comfyclient.builder.sockets import RESERVED
from comfyclient.builder.spelling import Words, distinct, identifier, spelled
from comfyclient.workflow import judging
from comfyclient.workflow.classes import Classes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from comfyclient.types.nodes import InputInfo, NodeInfo
    from comfyclient.workflow.catalog import Catalog

__all__ = ["stubs"]

_HEAD = '''\
"""The node classes of a ComfyUI server, for editors and type checkers; written by comfyclient."""
# ruff: noqa
# fmt: off

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from comfyclient import Node
from comfyclient.builder import Graph, Socket
'''
_NAMES = ("Any", "Graph", "Literal", "Mapping", "Node", "Nodes", "Sequence", "Socket", "TypeAlias")
_VALUES = {"INT": "int", "FLOAT": "float", "STRING": "str", "BOOLEAN": "bool"}
_UNKNOWN = frozenset({"*", "COMFY_MATCHTYPE_V3"})


def stubs(catalog: Catalog) -> str:
    """Write a stub file (``.pyi``) with every node class of a server as a typed method of a class ``Nodes``.

    Editors complete from it, and type checkers refuse a socket of the wrong type, a value that is not among the
    choices, and a name that is none. With the file saved as ``comfy_nodes.pyi`` beside a script, the script says
    ``g = cast("Nodes", client.builder())``, and ``from comfy_nodes import Nodes`` under ``if TYPE_CHECKING:``, since
    there is no such module when it runs.

    Args:
        catalog: The server's nodes: what ``client.nodes.list()`` returns, or the server's ``/object_info``.

    Raises:
        WorkflowError: The catalogue is none.
    """
    return _Stubs(Classes(catalog)).text()


class _Stubs:
    """Writes one file."""

    def __init__(self, classes: Classes) -> None:
        self._classes = classes
        self._types: dict[str, str] = {}  # how each type of sockets is written
        self._words = Words(_NAMES)
        self._several: dict[tuple[tuple[str, ...], tuple[str, ...]], str] = {}  # by types and names of outputs

    def text(self) -> str:
        """All of it."""
        methods = [
            self._method(name, self._classes[class_type])
            for name, class_type in spelled(self._classes).items()
            if not hasattr(Graph, name)
        ]
        sockets = [self._socket(kind) for kind in list(self._types)]
        outputs = [self._outputs(*types_and_names, name) for types_and_names, name in self._several.items()]
        return "\n\n".join([_HEAD, *sockets, *outputs, "class Nodes(Graph):\n" + "\n".join(methods or ["    ..."]), ""])

    # --- sockets ---

    def _type(self, kind: Any) -> str:
        """How the type of an output, or of one of the inputs that it fits, is written."""
        kind = kind if isinstance(kind, str) else "COMBO"
        parts = [part.strip() for part in kind.split(",")]
        if _UNKNOWN & set(parts):
            return "Any"
        if kind not in self._types:
            for part in parts if len(parts) > 1 else ():
                self._type(part)
            self._types[kind] = name = self._words.new(identifier("_or_".join(parts)))
            self._words.take(f"_{name}")
        return self._types[kind]

    def _socket(self, kind: str) -> str:
        """Its class; an output that may be of several types fits the inputs of each of them."""
        name = self._types[kind]
        bases = [self._types[part.strip()] for part in kind.split(",")] if "," in kind else ["Socket"]
        return f"class {name}({', '.join(dict.fromkeys(bases))}): ...\n_{name}: TypeAlias = {name}"

    def _outputs(self, types: Iterable[str], names: Iterable[str], name: str) -> str:
        lines = [f"class {name}(tuple[{', '.join(types)}]):", *_property("node", "Node")]
        for output, kind in zip(names, types, strict=True):
            lines += _property(output, kind if kind == "Any" else f"_{kind}")  # the name may be that of its type
        return "\n".join(lines)

    # --- methods ---

    def _method(self, name: str, info: NodeInfo) -> str:
        arguments = dict(self._arguments(info.inputs.values()))
        own = {"_id": "str | None = ...", "_title": "str | None = ...", "_check": "bool = ..."}
        lines = [f"        {argument}: {kind}," for argument, kind in {**arguments, **own}.items()]
        text = text_of(info).replace("\\", "\\\\").replace('"', '\\"')
        doc = "\n".join(f"        {line}".rstrip() for line in text.splitlines()).strip()
        head = [f"    def {name}(", "        self,", "        *,", *lines, f"    ) -> {self._given(name, info)}:"]
        return "\n".join([*head, f'        """{doc}"""', "        ...", ""])

    def _given(self, name: str, info: NodeInfo) -> str:
        types = tuple(self._type(kind) for kind in info.output)
        if len(types) < 2:  # noqa: PLR2004 - one or none
            return types[0] if types else "Node"
        words = tuple(distinct(info.output_names, taken=RESERVED))
        if (types, words) not in self._several:
            self._several[types, words] = self._words.new(f"{name}Outputs")
        return self._several[types, words]

    def _arguments(self, infos: Iterable[InputInfo], *, always: bool = True) -> Iterator[tuple[str, str]]:
        """Name and annotation of each; what depends on a choice can always be left out."""
        for name, exact in spelled(each.name for each in infos).items():
            info = next(each for each in infos if each.name == exact)
            kind = self._kind(info)
            if not info.required:
                kind = f"{kind} | None" if kind != "Any" else kind
            needed = always and info.required and (info.takes_many or default(info) is NOTHING)
            yield name, kind if needed else f"{kind} = ..."
            if info.brings_more and not info.takes_many:
                yield from self._brought(info)

    def _brought(self, info: InputInfo) -> Iterator[tuple[str, str]]:
        """What any of the choices brings along."""
        kinds: dict[str, dict[str, None]] = {}
        for choice in info.choices or [0]:  # anything, where it is a slot
            for name, kind in self._arguments(info.brings(choice).values(), always=False):
                kinds.setdefault(name, {})[kind.removesuffix(" = ...")] = None
        for name, each in kinds.items():
            yield name, f"{' | '.join(each) if 'Any' not in each else 'Any'} = ..."

    def _kind(self, info: InputInfo) -> str:
        if info.takes_many:
            place = next(iter(info.brings().values()), None)
            kind = self._kind(place).removesuffix(" | None") if place else "Any"
            return (
                f"Sequence[{kind} | None] | Mapping[str, {kind}]"
                if kind != "Any"
                else "Sequence[Any] | Mapping[str, Any]"
            )
        if info.choices is not None:
            return self._choice(info)
        kinds = info.types
        if _UNKNOWN & set(kinds) or not (set(kinds) & set(_VALUES) or self._classes.is_socket(info)):
            return "Any"
        parts = [word for kind in kinds for word in (_VALUES.get(kind), self._type(kind)) if word]
        return " | ".join(dict.fromkeys(parts))

    def _choice(self, info: InputInfo) -> str:
        choices = info.choices or []
        literals = [repr(each) for each in choices if isinstance(each, (str, int, bool))]
        parts = [f"Literal[{', '.join(dict.fromkeys(literals))}]"] if literals else []
        if any(isinstance(each, float) for each in choices):
            parts.append("float")
        if judging.takes_uploads(info) or not choices:
            parts.append("str")
        if info.options.get("multiselect"):
            parts += [f"Sequence[{parts[0]}]"] if parts else []
        if not judging.decides(info):
            parts.append(self._type("COMBO"))
        return " | ".join(parts) or "Any"


def _property(name: str, kind: str) -> list[str]:
    return ["    @property", f"    def {name}(self) -> {kind}: ..."]
