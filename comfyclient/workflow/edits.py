"""What changes a graph as a whole: nodes that come and go, and the links and seeds of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfyclient.errors import WorkflowError, node_label
from comfyclient.workflow import check, links
from comfyclient.workflow.catalog import definitions
from comfyclient.workflow.wording import MissingError, listed, nearest_hint

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator, Mapping

    from comfyclient.workflow.catalog import Catalog

_SEEDS = frozenset({"seed", "noise_seed"})
"""The names that the editor, too, takes for seeds."""
_ANY_SEED = 2**31 - 1
"""What every seed may be; some nodes take no higher one."""
_LARGEST_SEED = 2**64 - 1


def free_id(graph: Iterable[str]) -> str:
    """The number after the highest one that a node has."""
    numbers = (node_id.partition(":")[0] for node_id in graph)  # of "104:85", the subgraph 104 counts
    return str(max((int(number) for number in numbers if number.isascii() and number.isdecimal()), default=0) + 1)


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


def mute(graph: dict[str, dict[str, Any]], node_id: str) -> None:
    """See ``Node.mute``."""
    _must_have(graph, node_id)
    for reader, name, _ in list(links.readers(graph, node_id)):
        del graph[reader]["inputs"][name]
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
        wanted: Any = "*"
        if taker["class_type"] in known:
            taking = drawing.face_of(taker, known[taker["class_type"]]).slots
            wanted = next((slot.type for slot in taking if slot.name == name), "*")
        place = passed_through(slots, given[int(number)] if int(number) < len(given) else "*", int(number), wanted)
        value = node["inputs"].get(slots[place].name) if place is not None else None
        if value is not None and links.is_link(value) and value[0] != node_id:
            taker["inputs"][name] = list(value)
        else:
            del taker["inputs"][name]
    del graph[node_id]


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
    known = definitions(catalog) if catalog is not None else None
    drawn: dict[str, int] = {}
    for node_id, node in graph.items():
        for name, value in node["inputs"].items():
            if not isinstance(value, int) or isinstance(value, bool):
                continue
            bounds = _seed_bounds(node, name, known)
            if bounds is not None:
                drawn[f"{node_id}.{name}"] = node["inputs"][name] = rng.randint(*bounds)
    return drawn


def _seed_bounds(node: Mapping[str, Any], name: str, known: Mapping[str, Any] | None) -> tuple[int, int] | None:
    """The least and the highest number that an input may be, if it is a seed."""
    is_named_so = name.rpartition(".")[2] in _SEEDS
    if known is None or node["class_type"] not in known:
        return (0, _ANY_SEED) if is_named_so else None
    from comfyclient.workflow.editor import drawing  # noqa: PLC0415 - most workflows need none of the editor's rules

    widget = drawing.face_of(node, known[node["class_type"]]).widget(name)
    if widget is None or widget.kind != "number":
        return None
    if not widget.options.get("control_after_generate", is_named_so):
        return None
    low, high = (widget.options.get(key) for key in ("min", "max"))
    low = int(low) if isinstance(low, (int, float)) else 0
    high = int(min(high, _LARGEST_SEED)) if isinstance(high, (int, float)) else _ANY_SEED
    low = max(low, 0) if high > 0 else low  # a seed of -1 often means "any"
    return (low, high) if low <= high else None


def _must_have(graph: links.Graph, node_id: str) -> None:
    if node_id not in graph:
        raise MissingError(f"node {node_id} is not in the workflow any more")


def _label(graph: links.Graph, node_id: str) -> str:
    node = graph[node_id]
    return node_label(node_id, check.title_of(node), node["class_type"])
