"""What servers say of a prompt, and clients to them, around the graph itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfyclient.errors import WorkflowError
from comfyclient.workflow.media.finds import KINDS, parsed

_GRAPH = 2
"""Its place in an item of the queue: after number and id, before what the editor sent along."""


def unwrapped(value: Any, prefer: str) -> Any:
    """The graph inside a body of ``POST /prompt``, an item of the queue, an entry of the history or of the jobs.

    Or inside what ``app.graphToPrompt()`` gives in the editor.

    Any other value is returned as it is.

    Args:
        value: Parsed JSON.
        prefer: ``"prompt"`` or ``"workflow"``: which one to take where both are there.

    Raises:
        WorkflowError: It is a history of several prompts.
    """
    if _is_list(value):
        graph, extra_data = (*value[_GRAPH : _GRAPH + 2], None, None)[:2]
        return _either(graph, _editors(extra_data), prefer) or value
    if not isinstance(value, Mapping) or hasattr(value, "to_api"):  # a workflow, which is one already
        return value
    outer = _entry(value)
    prompt, workflow = parsed(outer.get("prompt")), parsed(outer.get("workflow"))
    if workflow is not None and prompt is None and not _is_node(outer.get("output")):
        prompt = outer.get("output")  # what the editor's own scripts call the prompt
    if _is_list(prompt):
        return unwrapped(prompt, prefer)
    if "nodes" in outer or _is_node(prompt) or _is_node(workflow):
        return value  # the editor's own file; or nodes that are called so
    return _either(prompt, workflow or _editors(outer.get("extra_data")), prefer) or value


def _entry(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one entry of a history (``GET /history/{prompt_id}``), or what a job says of its workflow."""
    entries = [entry for entry in value.values() if isinstance(entry, Mapping) and _is_list(entry.get("prompt"))]
    if entries and len(entries) == len(value):
        if len(entries) > 1:
            raise WorkflowError(f"this is a history of {len(entries)} prompts: give one entry of it")
        return entries[0]
    job = value.get("workflow")
    return job if isinstance(job, Mapping) and isinstance(job.get("prompt"), Mapping) and not _is_node(job) else value


def _either(prompt: Any, workflow: Any, prefer: str) -> Mapping[str, Any] | None:
    graphs = {"prompt": prompt, "workflow": workflow}
    found = (graphs[kind] for kind in (prefer, *KINDS))
    return next((graph for graph in found if isinstance(graph, Mapping) and graph), None)


def _editors(extra_data: Any) -> Any:
    """What the editor sent along with a prompt."""
    for key in ("extra_pnginfo", "workflow"):
        extra_data = extra_data.get(key) if isinstance(extra_data, Mapping) else None
    return extra_data


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _is_node(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("class_type"), str)
