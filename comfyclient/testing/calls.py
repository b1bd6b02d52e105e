"""Calling a node: what goes into its function, once for each item of a list, and what comes out."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

from comfyclient.testing.graph import Blocked, Graph, input_spec, input_types, is_link

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from comfyclient.testing.cache import Entry
    from comfyclient.testing.context import Context
    from comfyclient.testing.graph import NodeClass


class Inputs(NamedTuple):
    """What a node is given.

    Attributes:
        values: By name, each a list, of which a node usually gets one item at a time.
        missing: The names of links whose value is not known (yet).
    """

    values: dict[str, list[Any]]
    missing: set[str]


class Returned(NamedTuple):
    """What a node gave back.

    Attributes:
        outputs: One list per output.
        ui: What it shows.
        expansions: For each call the graph that it expanded into (or None) and its result; empty if none did.
    """

    outputs: list[Any]
    ui: dict[str, Any]
    expansions: list[tuple[dict[str, Any] | None, Any]]


def gather(
    node: Mapping[str, Any],
    node_class: NodeClass,
    node_id: str,
    *,
    lookup: Callable[[str], Entry | None] | None = None,
    graph: Graph | None = None,
    extra_data: Mapping[str, Any] | None = None,
) -> Inputs:
    """Collect a node's inputs.

    Args:
        node: The node in the graph.
        node_class: Its class.
        node_id: Its id.
        lookup: What another node gave; without it, links have no value.
        graph: For the hidden inputs that ask for it.
        extra_data: Likewise.
    """
    types = input_types(node_class)
    values: dict[str, list[Any]] = {}
    missing = set()
    for name, value in node["inputs"].items():
        _, category, options = input_spec(types, name)
        if is_link(value) and not options.get("rawLink"):
            entry = lookup(value[0]) if lookup else None
            if entry is None or value[1] >= len(entry.outputs):
                missing.add(name)
                values[name] = [None]
            else:
                values[name] = entry.outputs[value[1]]
        elif category is not None:
            values[name] = [value]
    extra_data = extra_data or {}
    for name, wanted in types.get("hidden", {}).items():
        match wanted:
            case "PROMPT":
                values[name] = [graph.prompt if graph else {}]
            case "DYNPROMPT":
                values[name] = [graph]
            case "UNIQUE_ID":
                values[name] = [node_id]
            case "EXTRA_PNGINFO" | "AUTH_TOKEN_COMFY_ORG" | "API_KEY_COMFY_ORG" | "COMFY_USAGE_SOURCE" as key:
                values[name] = [extra_data.get(key.lower())]
    return Inputs(values, missing)


async def call(
    target: Any,
    function: str,
    values: Mapping[str, list[Any]],
    context: Callable[[int], Context],
    *,
    before: Callable[[], None] = lambda: None,
    on_block: Callable[[Blocked], Blocked] = lambda block: block,
) -> list[Any]:
    """Call a function of a node once for each item of its inputs, the shorter of which repeat their last one.

    As in ComfyUI, one that gets nothing but empty lists is called once, without any inputs; one empty list among others
    is an IndexError.

    Args:
        target: The node, or its class.
        function: The name of the function.
        values: What ``gather`` gave.
        context: Makes the surroundings of each call.
        before: Called before each.
        on_block: Called instead of it when an input is blocked.

    Returns:
        What the calls returned; of an async function that takes its time, its task.
    """
    if getattr(target, "INPUT_IS_LIST", False):
        rounds = [dict(values)]
    else:
        count = max(map(len, values.values()), default=0)
        rounds = [{name: items[min(i, len(items) - 1)] for name, items in values.items()} for i in range(count)] or [{}]
    returned: list[Any] = []
    for number, arguments in enumerate(rounds):
        before()
        block = _block_among(arguments, lists=getattr(target, "INPUT_IS_LIST", False))
        returned.append(
            on_block(block) if block else await _call_once(getattr(target, function), arguments, context(number))
        )
    return returned


def _block_among(arguments: Mapping[str, Any], *, lists: bool) -> Blocked | None:
    for value in arguments.values():
        for item in value if lists else [value]:
            if isinstance(item, Blocked):
                return item
    return None


async def _call_once(function: Callable[..., Any], arguments: Mapping[str, Any], context: Context) -> Any:
    with context.active():
        if not inspect.iscoroutinefunction(function):
            return function(**arguments)
        task = asyncio.create_task(function(**arguments))  # which keeps the context that is active now
    await asyncio.sleep(0)  # one that does not wait for anything is done by then
    return task.result() if task.done() else task


async def settled(returned: list[Any]) -> list[Any]:
    """The same with every task awaited."""
    if tasks := [each for each in returned if isinstance(each, asyncio.Task)]:
        await asyncio.gather(*tasks)
    return [each.result() if isinstance(each, asyncio.Task) else each for each in returned]


def digest(returned: list[Any], node_class: NodeClass) -> Returned:
    """Take apart what the calls of a node returned: a tuple, or a dictionary of ui, result and expand."""
    results: list[Any] = []
    shown: list[dict[str, Any]] = []
    expansions: list[tuple[dict[str, Any] | None, Any]] = []
    expanded = False
    for each in returned:
        expansion, result = None, each
        if isinstance(each, dict):
            if "ui" in each:
                shown.append(each["ui"])
            if "expand" not in each and "result" not in each:
                continue
            expansion, result = each.get("expand"), each.get("result")
        if isinstance(result, Blocked):
            result = (result,) * len(node_class.RETURN_TYPES)
        expanded = expanded or expansion is not None
        expansions.append((expansion, result))
        results.append(result)
    ui = {name: [item for each in shown for item in each[name]] for name in shown[0]} if shown else {}
    if expanded:
        return Returned([], ui, expansions)
    return Returned(merge(results, node_class) if results else [], ui, [])


def merge(results: list[Any], node_class: NodeClass) -> list[Any]:
    """One list per output from the results of all calls."""
    are_lists = getattr(node_class, "OUTPUT_IS_LIST", (False,) * len(results[0]))
    merged = []
    for slot, is_list in zip(range(len(results[0])), are_lists, strict=False):
        items = []
        for result in results:
            value = result[slot]
            if is_list and not isinstance(value, Blocked):
                items += value
            else:
                items.append(value)
        merged.append(items)
    return merged
