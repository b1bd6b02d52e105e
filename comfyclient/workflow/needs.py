"""The model files that a workflow names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from comfyclient.workflow import check
from comfyclient.workflow.classes import Classes
from comfyclient.workflow.editor.saved import listed, read
from comfyclient.workflow.judging import takes_uploads
from comfyclient.workflow.wording import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from comfyclient.types.nodes import InputInfo
    from comfyclient.workflow.catalog import Catalog
    from comfyclient.workflow.links import Graph

__all__ = ["NeededModel", "models"]

_FILE = re.compile(r"\.(safetensors|sft|ckpt|pth?|pt2|bin|pkl|gguf|onnx|torchscript|engine)$", re.IGNORECASE)
_DIRECTORIES = re.compile(r"^.*[/\\]", re.DOTALL)
_EMBEDDING = re.compile(r"embedding:([^\s,:()]+)")


@frozen
class NeededModel:
    """A model file that a workflow names.

    Attributes:
        name: The file, as the workflow names it: relative to the folder of its kind.
        is_there: Whether the server has it; ``None`` where a catalogue does not tell, as for embeddings in texts:
            ``client.models.embeddings()`` does.
        node_id: The node that names it.
        title: The node's title in the editor, or its class.
        class_type: The node's class.
        input: The node's input.
        nearest: What the server has instead and looks like it, best first.
        folder: The folder of models where it belongs, such as ``"loras"``, if the editor's file says so.
        url: Where it is to be had, if the editor's file says so; it is the word of whoever wrote that.
    """

    name: str
    is_there: bool | None
    node_id: str
    title: str
    class_type: str
    input: str
    nearest: tuple[str, ...] = ()
    folder: str | None = None
    url: str | None = None


def models(graph: Graph, catalog: Catalog, saved_file: Mapping[str, Any] | None) -> list[NeededModel]:
    """All of them, in the order of the nodes; see ``Workflow.models``."""
    classes = Classes(catalog)
    found = [model for node_id, node in graph.items() for model in _of_node(node_id, node, classes)]
    sources = {} if saved_file is None else _sources(saved_file)
    return [_with_source(model, sources) for model in found]


def _sources(saved_file: Mapping[str, Any]) -> dict[tuple[str | None, str], Mapping[str, Any]]:
    """What the editor's file tells of model files: by class and name, and by name alone, each without directories.

    Files of one name are many, such as ``model.safetensors``: what the node says itself counts. After that come other
    nodes and the file as a whole, and the first counts, as in the editor.
    """
    document = read(saved_file)
    nodes = [node for graph in (document.root, *document.subgraphs) for node in graph.nodes]
    told = [(node.type, entry) for node in nodes for entry in listed(node.properties.get("models"))]
    found: dict[tuple[str | None, str], Mapping[str, Any]] = {}
    for class_type, entry in [*told, *((None, entry) for entry in listed(saved_file.get("models")))]:
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, str):
            for kind in (class_type, None):
                found.setdefault((kind, _plain(name)), entry)
    return found


def _with_source(model: NeededModel, sources: Mapping[tuple[str | None, str], Mapping[str, Any]]) -> NeededModel:
    name = _plain(model.name)
    source = sources.get((model.class_type, name)) or sources.get((None, name)) or {}
    folder, url = (value if isinstance(value, str) else None for value in map(source.get, ("directory", "url")))
    return evolve(model, folder=folder, url=url)


def _plain(name: str) -> str:
    return _DIRECTORIES.sub("", name)


def _of_node(node_id: str, node: Mapping[str, Any], classes: Classes) -> Iterator[NeededModel]:
    class_type, values = node["class_type"], node["inputs"]
    inputs = classes.inputs(class_type, values) if class_type in classes else {}
    where = (node_id, check.title_of(node), class_type)
    for name, value in values.items():
        if not isinstance(value, str):
            continue
        info = inputs.get(name)
        if info is not None and info.choices is not None:
            if _names_models(info, value):
                is_there = value in info.choices
                near = () if is_there else tuple(map(str, nearest(value, info.choices)))
                yield NeededModel(value, is_there, *where, name, near)
        elif info is None and _FILE.search(value):  # of a class that is missing
            yield NeededModel(value, None, *where, name)
        else:
            for embedding in _EMBEDDING.findall(value):
                yield NeededModel(embedding, None, *where, name)


def _names_models(info: InputInfo, value: str) -> bool:
    """Whether a choice is one among model files, and the value is one of them: not ``"None"``, say."""
    if takes_uploads(info):
        return False
    if _FILE.search(value):
        return True
    return value not in (info.choices or ()) and any(
        isinstance(each, str) and _FILE.search(each) for each in info.choices or ()
    )
