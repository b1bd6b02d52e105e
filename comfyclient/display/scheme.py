"""What a drawing of a workflow shows: its nodes, and which input of each is fed by which output of another."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from attrs import evolve, field, frozen

from comfyclient.display.lettering import clean
from comfyclient.workflow.catalog import definitions
from comfyclient.workflow.check import title_of
from comfyclient.workflow.links import sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from comfyclient.workflow.catalog import Catalog
    from comfyclient.workflow.links import Graph

Mode: TypeAlias = Literal["", "muted", "bypassed"]


@frozen
class Wire:
    """A link that comes to an input.

    Attributes:
        name: The input.
        source: The node that feeds it, which a broken workflow may not have.
        slot: Which of that node's outputs it is.
        kind: What goes over it, such as ``"MODEL"``; empty where that is not known.
    """

    name: str = field(converter=clean)
    source: str
    slot: int
    kind: str = ""


@frozen
class Box:
    """A node.

    Attributes:
        id: Its id.
        title: What the user calls it, or its class.
        class_type: Its class.
        wires: What comes to its inputs.
        values: Its other inputs, as far as they are known; asterisks stand for keys and passwords.
        mode: Whether the editor leaves it out.
        is_output: Whether the workflow runs for its sake.
        outputs: The names of its outputs, as far as they are known.
    """

    id: str
    title: str = field(converter=clean)
    class_type: str = field(converter=clean)
    wires: tuple[Wire, ...] = ()
    values: tuple[tuple[str, Any], ...] = ()
    mode: Mode = ""
    is_output: bool = False
    outputs: tuple[str, ...] = ()


Scheme: TypeAlias = "dict[str, Box]"
"""The nodes of a drawing by their ids."""


def of_graph(graph: Graph, catalog: Catalog | None, output_ids: Iterable[str]) -> Scheme:
    """The scheme of a graph in the API format.

    Args:
        graph: The graph.
        catalog: The server's nodes, which know the types and names of outputs; without them, the names of inputs tell
            the types as a rule.
        output_ids: The nodes for whose sake it runs.
    """
    known = {} if catalog is None else definitions(catalog)
    outputs = set(output_ids)
    scheme: Scheme = {}
    for node_id, node in graph.items():
        inputs = node["inputs"]
        wires = [
            Wire(str(name), source, _whole(slot), _kind(graph, known, str(name), source, _whole(slot)))
            for name, source, slot in sources(inputs)
        ]
        linked = {name for name, _, _ in sources(inputs)}
        scheme[node_id] = Box(
            node_id,
            title_of(node),
            str(node["class_type"] or ""),
            tuple(wires),
            values_of((str(name), value) for name, value in inputs.items() if name not in linked),
            is_output=node_id in outputs,
            outputs=tuple(clean(str(name)) for name in _given(known, node["class_type"], "output_name")),
        )
    return scheme


def values_of(values: Iterable[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    """The values of inputs, without those that are nobody's business: notebooks and terminals are shown around."""
    return tuple((clean(name), _public(name, value)) for name, value in values)


_SECRET = re.compile(
    r"(api|auth|access|secret|private)[ _-]?(key|token)|token$|passw|secret|credential|authorization|bearer|cookie",
    re.IGNORECASE,
)
_DEEPEST = 8
"""As deep as a value is looked into: nobody sees more of it."""


def _public(name: str, value: Any, depth: int = 0) -> Any:
    if isinstance(value, (int, float)):
        return value
    if _SECRET.search(name):
        return "***"
    if depth == _DEEPEST and isinstance(value, (dict, list)):
        return "…"
    if isinstance(value, dict):
        return {key: _public(str(key), each, depth + 1) for key, each in value.items()}
    if isinstance(value, list):
        return [_public("", each, depth + 1) for each in value]
    return value


def with_left_out(scheme: Scheme, saved: Scheme) -> Scheme:
    """The scheme of a graph, and what the editor left out of it when it made that of its file, in the file's places."""
    left_out = {node_id for node_id, box in saved.items() if box.mode and node_id not in scheme}
    if not left_out:
        return scheme
    whole = {}
    for node_id, box in saved.items():
        if node_id in left_out:
            wires = tuple(wire for wire in box.wires if wire.source in scheme or wire.source in left_out)
            whole[node_id] = evolve(box, wires=wires)
    for node_id, box in scheme.items():
        linked = {wire.name for wire in box.wires}
        file = saved.get(node_id)
        past = [wire for wire in file.wires if wire.source in left_out and wire.name not in linked] if file else []
        whole[node_id] = evolve(box, wires=(*box.wires, *past))
    return whole


_NAMES = {
    "clip": "CLIP",
    "clip_vision": "CLIP_VISION",
    "conditioning": "CONDITIONING",
    "control_net": "CONTROL_NET",
    "guider": "GUIDER",
    "image": "IMAGE",
    "images": "IMAGE",
    "latent": "LATENT",
    "latent_image": "LATENT",
    "mask": "MASK",
    "model": "MODEL",
    "negative": "CONDITIONING",
    "noise": "NOISE",
    "pixels": "IMAGE",
    "positive": "CONDITIONING",
    "sampler": "SAMPLER",
    "samples": "LATENT",
    "sigmas": "SIGMAS",
    "upscale_model": "UPSCALE_MODEL",
    "vae": "VAE",
    "video": "VIDEO",
    "audio": "AUDIO",
}
"""What inputs of these names take, in the nodes of ComfyUI and in nearly all others."""


def _whole(slot: float) -> int:
    """The number of an output; servers take any number there."""
    return int(slot) if isinstance(slot, int) or math.isfinite(slot) else -1


def _kind(graph: Graph, known: Mapping[str, Any], name: str, source: str, slot: int) -> str:
    if source in graph:
        kinds = _given(known, graph[source]["class_type"], "output")
        if 0 <= slot < len(kinds):
            return kinds[slot] if isinstance(kinds[slot], str) else "COMBO"
    return _NAMES.get(name.rsplit(".", 1)[-1].lower().rstrip("0123456789_"), "")


def _given(known: Mapping[str, Any], class_type: Any, key: str) -> list[Any]:
    entry = known.get(class_type)
    value = entry.get(key) if isinstance(entry, dict) else None
    return value if isinstance(value, list) else []
