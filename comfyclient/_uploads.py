"""Uploading the files that a workflow has among its inputs, before it is submitted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from comfyclient.errors import ComfyError, WorkflowError
from comfyclient.workflow import local
from comfyclient.workflow.node import label
from comfyclient.workflow.wording import shown

if TYPE_CHECKING:
    from comfyclient.resources import Files, Nodes
    from comfyclient.workflow import Node, Workflow

_FLAGS = ("image_upload", "animated_image_upload", "audio_upload", "video_upload", "file_upload")
"""What the catalogue says of inputs that take an uploaded file."""
_PICTURES = _FLAGS[:2]


class Uploads:
    """Uploads files, each of them once.

    Args:
        files: Where to.
        nodes: What tells which inputs take a file.
    """

    def __init__(self, files: Files, nodes: Nodes) -> None:
        self._files = files
        self._nodes = nodes
        self._names: dict[tuple[Any, ...], str] = {}

    def place(self, workflow: Workflow) -> Workflow:
        """The workflow with the server's names in the place of files; itself if it has none.

        A file of a disk that is as it was last time is not sent again.

        Raises:
            WorkflowError: An input takes no file, and nothing was sent; or a file cannot be read.
            ServerUnreachable, RequestTimeout, ServerError, DecodeError: A file could not be uploaded.
        """
        found = [(node, *place) for node in workflow.values() for place in node.items() if local.is_local(place[1])]
        folders = [self._folder(*place) for place in found]
        placed = workflow.copy() if found else workflow
        for (node, name, value), folder in zip(found, folders, strict=True):
            placed[node.id][name] = self._upload(node, name, value, folder)
        return placed

    def _folder(self, node: Node, name: str, value: Any) -> str:
        """Into which of the server's directories it has to go."""
        where = f"node {label(node)}: input {name!r}"
        info = self._nodes.get(node.class_type)
        if info is None:
            raise WorkflowError(f"{where} is {local.named(value)}, and the server does not have this class of nodes")
        others = {other: given for other, given in node.items() if not local.is_local(given)}
        taken = info.inputs_for(others).get(name)
        flags = [flag for flag in _FLAGS if taken is not None and taken.options.get(flag)]
        if taken is None or not flags:
            takers = [shown(other) for other in info.inputs if any(map(info.inputs[other].options.get, _FLAGS))]
            rest = f"; {', '.join(takers)} does" if takers else ""
            raise WorkflowError(f"{where} is {local.named(value)}, and takes no file{rest}")
        if not isinstance(value, os.PathLike) and not set(flags) & set(_PICTURES):
            raise WorkflowError(f"{where} is {local.named(value)}: it takes no image, so give a path, whose name tells")
        return str(taken.options.get("image_folder") or "input")

    def _upload(self, node: Node, name: str, value: Any, folder: str) -> str:
        try:
            key = _identity(value, folder)
            if key is not None and key in self._names:
                return self._names[key]
            annotated = self._files.upload_image(value, type=folder).annotated
        except ComfyError:
            raise
        except (OSError, TypeError, ValueError) as error:
            raise WorkflowError(f"node {label(node)}: input {name!r} cannot be uploaded: {error}") from error
        if key is not None:
            self._names[key] = annotated
        return annotated


def takers(workflow: Workflow, nodes: Nodes) -> list[tuple[Node, str]]:
    """The inputs of a workflow that take an uploaded file, and to which nothing is linked."""
    known = nodes.list()
    found: list[tuple[Node, str]] = []
    for node in workflow.values():
        info = known.get(node.class_type)
        declared = {} if info is None else info.inputs_for(node)
        taking = [name for name in node if name in declared and any(map(declared[name].options.get, _FLAGS))]
        found += [(node, name) for name in taking if name not in node.sources]
    return found


def _identity(value: Any, folder: str) -> tuple[Any, ...] | None:
    """What tells whether it is the file that it was; nothing does of what is in memory."""
    if not isinstance(value, os.PathLike):
        return None
    stat = os.stat(value)  # noqa: PTH116 - any path
    return os.fspath(value), stat.st_mtime_ns, stat.st_size, folder
