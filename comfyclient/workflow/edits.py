"""What changes a graph as a whole: nodes that come and go, and the links and seeds of all of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from comfyclient.errors import WorkflowError, node_label
from comfyclient.workflow import check, links
from comfyclient.workflow.catalog import definitions
from comfyclient.workflow.wording import MissingError, listed, nearest_hint

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator, Mapping

    from comfyclient.workflow.catalog import Catalog

_NUMBER = re.compile("[0-9]{1,18}")
_MATCHING = "COMFY_MATCHTYPE_V3"
"""The type of inputs that take what comes."""
_SEED = re.compile(r"(?:.*[._])?seed", re.IGNORECASE)
"""How inputs are called that are seeds."""
_ANY_SEED = (1, 2**31 - 1)
"""What a seed may be for nearly all nodes."""
_LARGEST_SEED = 2**64 - 1


def free_id(graph: Iterable[str]) -> str:
    """The number after the highest one that a node has."""
    numbers = (part for node_id in graph for part in node_id.split(":"))  # "104:85" has those of two nodes
    return str(max((int(number) for number in numbers if _NUMBER.fullmatch(number)), default=0) + 1)


def remove(graph: dict[str, dict[str, Any]], node_id: str) -> None:
    """See ``Node.remove``."""
    _must_have(graph, node_id)
    readers = [
        f"'{reader}.{name}' of {_label(graph, reader)}"
        for reader, name, _ in links.readers(graph, node_id)
        if reader != node_id
    ]
    if readers:
        verb = "reads" if len(readers) == 1 else "read"
        raise WorkflowError(
            f"{listed(readers)} {verb} from node {_label(graph, node_id)}: link elsewhere first, or mute or bypass it"
        )
    del graph[node_id]


def mute(graph: dict[str, dict[str, Any]], node_id: str, catalog: Catalog | None) -> None:
    """See ``Node.mute``."""
    _must_have(graph, node_id)
    known = {} if catalog is None else definitions(catalog)
    for reader, name, _ in list(links.readers(graph, node_id)):
        _cut(graph[reader], name, known)
    del graph[node_id]


def bypass(graph: dict[str, dict[str, Any]], node_id: str, catalog: Catalog) -> None:
    """See ``Node.bypass``."""
    _must_have(graph, node_id)
    # Most workflows need none of the editor's rules.
    from comfyclient.workflow.editor import drawing, specs  # noqa: PLC0415
    from comfyclient.workflow.editor.widgets import passed_through  # noqa: PLC0415

    known = definitions(catalog)
    node = graph[node_id]
    definition = known.get(node["class_type"])
    if definition is None:
        near = nearest_hint(node["class_type"], known)
        raise WorkflowError(f"the catalogue does not have the class of node {_label(graph, node_id)}{near}")
    slots = drawing.face_of(node, definition).slots
    given = specs.output_types(definition)
    for reader, name, number in list(links.readers(graph, node_id)):
        taker = graph[reader]
        gives = given[int(number)] if 0 <= number < len(given) else "*"
        wanted = _taken(taker, name, gives, known)
        place = passed_through(slots, gives, int(number), wanted)
        value = node["inputs"].get(slots[place].name) if place is not None else None
        if value is not None and links.is_link(value) and value[0] != node_id:
            taker["inputs"][name] = list(value)
        else:
            _cut(taker, name, known)
    del graph[node_id]


def _taken(node: Mapping[str, Any], name: str, given: str, known: Mapping[str, Any]) -> Any:
    """The type that an input takes, to which something of this type is linked."""
    from comfyclient.workflow.editor import drawing, specs  # noqa: PLC0415 - as above

    class_type = node["class_type"]
    if class_type not in known:
        return "*"
    if any(entry.name == name and entry.type == _MATCHING for entry in specs.specs(class_type, known[class_type])):
        return given
    return next((slot.type for slot in drawing.face_of(node, known[class_type]).slots if slot.name == name), "*")


def _cut(node: dict[str, Any], name: str, known: Mapping[str, Any]) -> None:
    """Take a link away; an input that is a widget has its default then, if the class is known."""
    del node["inputs"][name]
    if node["class_type"] in known:
        from comfyclient.workflow.editor import drawing  # noqa: PLC0415 - as above

        widget = drawing.face_of(node, known[node["class_type"]]).widget(name)
        if widget is not None:
            value = widget.current()
            node["inputs"][name] = {"__value__": value} if isinstance(value, list) else value


def outputs(graph: links.Graph, catalog: Catalog | None) -> Iterator[str]:
    """See ``Workflow.outputs``."""
    if catalog is None:
        read = {source for node in graph.values() for _, source, _ in links.sources(node["inputs"])}
        yield from (node_id for node_id in graph if node_id not in read)
        return
    known = definitions(catalog)
    for node_id, node in graph.items():
        definition = known.get(node["class_type"])
        if isinstance(definition, dict) and definition.get("output_node") is True:
            yield node_id


def randomize_seeds(graph: links.Graph, catalog: Catalog | None, rng: random.Random) -> dict[str, int]:
    """See ``Workflow.randomize_seeds``."""
    known = definitions(catalog) if catalog is not None else {}
    drawn: dict[str, int] = {}
    for node_id, node in graph.items():
        for name, value in node["inputs"].items():
            is_seed = isinstance(value, int) and not isinstance(value, bool) and _SEED.fullmatch(name)
            if is_seed and (bounds := _seed_bounds(node, name, known)) is not None:
                drawn[f"{node_id}.{name}"] = node["inputs"][name] = rng.randint(*bounds)
    return drawn


def _seed_bounds(node: Mapping[str, Any], name: str, known: Mapping[str, Any]) -> tuple[int, int] | None:
    """The least and the highest number that a seed may be; None if the class knows no such number."""
    if node["class_type"] not in known:
        return _ANY_SEED
    from comfyclient.workflow.editor import drawing  # noqa: PLC0415 - as above

    widget = drawing.face_of(node, known[node["class_type"]]).widget(name)
    if widget is None or widget.kind != "number":
        return None
    low, high = (
        int(bound) if isinstance(bound, (int, float)) and abs(bound) <= _LARGEST_SEED else default
        for bound, default in zip((widget.options.get(key) for key in ("min", "max")), _ANY_SEED, strict=True)
    )
    low = max(low, 0) if high > 0 else low  # a seed of -1 often means "any"
    return (low, high) if low <= high else None


def _must_have(graph: links.Graph, node_id: str) -> None:
    if node_id not in graph:
        raise MissingError(f"node {node_id} is not in the workflow any more")


def _label(graph: links.Graph, node_id: str) -> str:
    node = graph[node_id]
    return node_label(node_id, check.title_of(node), node["class_type"])
