"""Running one prompt: node after node, with the events and the history that ComfyUI makes of it."""

from __future__ import annotations

import asyncio
import math
import time
import traceback
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from comfyclient.testing.cache import Cache, Entry, Keys
from comfyclient.testing.calls import call, digest, gather, merge, settled
from comfyclient.testing.context import Context, Interrupted
from comfyclient.testing.graph import Agenda, Blocked, Graph, is_link, is_output
from comfyclient.testing.progress import Progress
from comfyclient.testing.prompt_queue import Ended

if TYPE_CHECKING:
    from collections.abc import Mapping

    from comfyclient.testing.machine import Machine
    from comfyclient.testing.prompt_queue import Item


class _Step(Enum):
    DONE = auto()
    PENDING = auto()


class _Failure(Exception):  # noqa: N818 - what ends the run, not an error of ours
    """A node raised something."""

    def __init__(self, node_id: str, error: Exception, inputs: Any) -> None:
        super().__init__(node_id)
        self.node_id = node_id
        self.error = error
        self.inputs = inputs


class Run:
    """One prompt, from ``execution_start`` to its end."""

    def __init__(self, machine: Machine, cache: Cache, item: Item) -> None:
        self._machine = machine
        self._classes = machine.classes
        self._version = machine.version
        self._cache = cache
        self._item = item
        self._extra_data = {**item.extra_data, **item.secrets}
        self._client_id = machine.client_id
        self._graph = Graph(item.prompt)
        self._keys = Keys(self._graph, self._classes, self._is_changed)
        self._agenda = Agenda(self._graph, self._classes, lambda node_id: self._known(node_id) is not None)
        self.progress = Progress(machine.sockets, self._version, self._graph, item.prompt_id, self._client_id)
        self._given: dict[str, Entry] = {}
        self._changes: dict[str, Any] = {}
        self._shown: dict[str, dict[str, Any]] = {}
        self._executed: list[str] = []
        self._expanded: dict[str, list[tuple[bool, Any]]] = {}
        self._tasks: dict[str, list[Any]] = {}
        self._messages: list[tuple[str, dict[str, Any]]] = []
        self._lost_outputs = False
        # As in ComfyUI, a cycle that shows only now is told as an error, and then counts as a success.
        self._succeeded = True

    async def run(self) -> Ended:
        """Do it all."""
        self._say("execution_start", {})
        await self._cache.begin(self._keys, self._graph.prompt)
        cached = [node_id for node_id in self._graph.prompt if self._cache.get(node_id) is not None]
        self._say("execution_cached", {"nodes": cached})
        if not self._version.repeats_executed:
            self._recall(cached)
        for node_id in self._item.outputs:
            if self._version.repeats_executed or node_id not in cached:
                self._agenda.add(node_id)
        try:
            await self._run_nodes()
        except _Failure as failure:
            self._succeeded = False
            self._tell(failure)
        else:
            if self._agenda:
                self._tell_cycle()
            else:
                self._show_intermediate()
                if self._version.success_event:
                    self._say("execution_success", {})
        outputs = {} if self._lost_outputs else {node_id: shown["output"] for node_id, shown in self._shown.items()}
        meta = {node_id: shown["meta"] for node_id, shown in self._shown.items() if node_id in outputs}
        return Ended(outputs, meta, self._succeeded, self._messages)

    # ── nodes ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _run_nodes(self) -> None:
        while self._agenda and (node_id := await self._agenda.next()) is not None:
            if await self._run_node(node_id) is _Step.DONE:
                self._agenda.finished(node_id)

    async def _run_node(self, node_id: str) -> _Step:
        if (entry := self._cache.get(node_id)) is not None:
            self._given[node_id] = entry
            self._repeat(node_id, entry)
            self.progress.finish(node_id)
            return _Step.DONE
        inputs: dict[str, list[Any]] | None = None
        node_class = self._class(node_id)
        try:
            if node_id in self._tasks:
                returned = digest(await settled(self._tasks.pop(node_id)), node_class)
            elif node_id in self._expanded:
                results = [self._resolved(each) for each in self._expanded.pop(node_id)]
                return self._finish(node_id, merge(results, node_class))
            else:
                self.progress.start(node_id)
                inputs, missing = gather(
                    self._graph[node_id],
                    node_class,
                    node_id,
                    lookup=self._known,
                    graph=self._graph,
                    extra_data=self._extra_data,
                )
                self._announce(node_id)
                instance = self._cache.instance(node_id, self._graph[node_id]["class_type"], node_class)
                if await self._wants_more(node_id, instance, inputs, missing):
                    return _Step.PENDING
                raw = await self._call(node_id, instance, node_class.FUNCTION, inputs)
                if any(isinstance(each, asyncio.Task) for each in raw):
                    self._await(node_id, raw)
                    return _Step.PENDING
                returned = digest(raw, node_class)
            if returned.ui:
                self._show(node_id, returned.ui)
            if returned.expansions:
                await self._expand(node_id, returned.expansions)
                return _Step.PENDING
        except Exception as error:
            raise _Failure(node_id, error, inputs) from error
        return self._finish(node_id, returned.outputs)

    def _finish(self, node_id: str, outputs: list[Any]) -> _Step:
        entry = Entry(outputs, self._shown.get(node_id))
        self._given[node_id] = entry
        self._cache.set(node_id, entry)
        self.progress.finish(node_id)
        self._executed.append(node_id)
        return _Step.DONE

    async def _call(self, node_id: str, instance: Any, function: str, inputs: Mapping[str, list[Any]]) -> list[Any]:
        class_type = self._graph[node_id]["class_type"]

        def before() -> None:
            self._machine.interrupt.sleep(self._machine.node_seconds)
            self._machine.fail_if_scripted(node_id, class_type)

        def on_block(block: Blocked) -> Blocked:
            if block.message is None:
                return block
            message = f"Execution Blocked: {block.message}"
            error = self._error(node_id, message, "ExecutionBlocked", [], []) | {"current_outputs": []}
            self._machine.sockets.send("execution_error", error, self._client_id)
            return Blocked()

        return await call(
            instance,
            function,
            inputs,
            lambda number: Context(self._machine, self._item.prompt_id, node_id, number),
            before=before,
            on_block=on_block,
        )

    async def _wants_more(self, node_id: str, instance: Any, inputs: dict[str, list[Any]], missing: set[str]) -> bool:
        """Whether it has lazy inputs that it turns out to need."""
        if not hasattr(instance, "check_lazy_status"):
            return False

        def context(number: int) -> Context:
            return Context(self._machine, self._item.prompt_id, node_id, number)

        asked = await settled(
            await call(instance, "check_lazy_status", inputs, context, before=self._machine.interrupt.check)
        )
        wanted = {name for names in asked if isinstance(names, list) for name in names}
        wanted = {name for name in wanted if name not in inputs or name in missing}
        for name in wanted:
            self._agenda.depend(node_id, self._graph[node_id]["inputs"][name][0])
        return bool(wanted)

    def _await(self, node_id: str, returned: list[Any]) -> None:
        """Let other nodes run while it waits."""
        self._tasks[node_id] = returned
        free = self._agenda.hold(node_id)
        tasks = [each for each in returned if isinstance(each, asyncio.Task)]
        left = len(tasks)

        def ended(_: asyncio.Task[Any]) -> None:
            nonlocal left
            left -= 1
            if not left:
                free()

        for task in tasks:
            task.add_done_callback(ended)

    async def _expand(self, node_id: str, expansions: list[tuple[dict[str, Any] | None, Any]]) -> None:
        """Put what it turned into in its place; it is done when those are."""
        results: list[tuple[bool, Any]] = []
        outputs = []
        for nodes, result in expansions:
            results.append((nodes is not None, result))
            if nodes is None:
                continue
            for inner_id, inner in nodes.items():
                self._graph.add(inner_id, inner, node_id)
            await self._keys.add(list(nodes))
            outputs += [inner_id for inner_id in nodes if is_output(self._class(inner_id))]
            for each in result:
                if is_link(each):
                    self._agenda.depend(node_id, each[0])
        for inner_id in outputs:
            self._agenda.add(inner_id)
        self._expanded[node_id] = results

    def _resolved(self, result: tuple[bool, Any]) -> Any:
        is_expansion, values = result
        if not is_expansion:
            return values
        resolved: list[Any] = []
        for value in values:
            if is_link(value):
                resolved += self._given[value[0]].outputs[value[1]]
            else:
                resolved.append(value)
        return tuple(resolved)

    def _known(self, node_id: str) -> Entry | None:
        return self._given.get(node_id) or self._cache.get(node_id)

    def _class(self, node_id: str) -> Any:
        return self._classes[self._graph[node_id]["class_type"]]

    async def _is_changed(self, node_id: str) -> Any:
        """What its class says about whether it would give something new."""
        node = self._graph[node_id]
        node_class = self._class(node_id)
        if self._machine.will_fail(node_id, node["class_type"]):
            return [object()]  # what is to fail has to run
        if not hasattr(node_class, "IS_CHANGED"):
            return False
        if node_id not in self._changes:
            if "is_changed" not in node:
                try:
                    inputs = gather(node, node_class, node_id)
                    changed = await settled(
                        await call(
                            node_class, "IS_CHANGED", inputs.values, lambda number: Context(self._machine, call=number)
                        )
                    )
                    node["is_changed"] = [None if isinstance(each, Blocked) else each for each in changed]
                except Exception:  # noqa: BLE001 - ComfyUI logs it and runs the node
                    node["is_changed"] = math.nan
            self._changes[node_id] = node["is_changed"] if node["is_changed"] == node["is_changed"] else object()
        return self._changes[node_id]

    # ── words ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _say(self, event: str, data: dict[str, Any], *, to_all: bool = False) -> None:
        """Tell the client, and history."""
        data = (
            {**data, "prompt_id": self._item.prompt_id}
            if event == "execution_cached"
            else {
                "prompt_id": self._item.prompt_id,
                **data,
            }
        )
        if self._version.success_event:
            data["timestamp"] = int(time.time() * 1000)
        self._messages.append((event, data))
        if self._client_id is not None or to_all:
            self._machine.sockets.send(event, data, self._client_id)

    def _send(self, event: str, data: dict[str, Any]) -> None:
        if self._client_id is not None:
            self._machine.sockets.send(event, data, self._client_id)

    def _displayed(self, node_id: str) -> dict[str, str]:
        return {"display_node": self._graph.display(node_id)} if self._version.display_nodes else {}

    def _announce(self, node_id: str) -> None:
        if self._client_id is not None:
            self._machine.last_node_id = self._graph.display(node_id)
        executing = {"node": node_id, **self._displayed(node_id), "prompt_id": self._item.prompt_id}
        self._send("executing", executing)

    def _show(self, node_id: str, ui: dict[str, Any]) -> None:
        identity = self._graph.identity(node_id)
        meta = {
            "node_id": node_id,
            "display_node": identity["display_node_id"],
            "parent_node": identity["parent_node_id"],
            "real_node_id": identity["real_node_id"],
        }
        self._shown[node_id] = {"meta": meta, "output": ui}
        self._send_executed(node_id, ui)

    def _send_executed(self, node_id: str, output: Any) -> None:
        executed = {"node": node_id, **self._displayed(node_id), "output": output}
        self._send("executed", executed | {"prompt_id": self._item.prompt_id})

    def _repeat(self, node_id: str, entry: Entry) -> None:
        """A cached node shows again what it showed."""
        if entry.ui is not None:
            self._shown[node_id] = entry.ui
            self._lost_outputs |= self._version.loses_cached_outputs and self._client_id is None
        self._send_executed(node_id, (entry.ui or {}).get("output"))

    def _recall(self, cached: list[str]) -> None:
        """Old servers told history alone about cached outputs."""
        for node_id in cached:
            entry = self._cache.get(node_id)
            if entry is not None and entry.ui is not None:
                self._shown[node_id] = entry.ui

    def _show_intermediate(self) -> None:
        for node_id in self._graph.ids():
            if node_id not in self._executed and getattr(self._class(node_id), "HAS_INTERMEDIATE_OUTPUT", False):
                entry = self._cache.get(node_id)
                if entry is not None:
                    self._repeat(node_id, entry)

    def _error(self, node_id: str, message: str, kind: str, frames: list[str], inputs: Any) -> dict[str, Any]:
        return {
            "prompt_id": self._item.prompt_id,
            "node_id": node_id,
            "node_type": self._graph[node_id]["class_type"],
            "executed": list(self._executed),
            "exception_message": message,
            "exception_type": kind,
            "traceback": frames,
            "current_inputs": inputs,
            "current_outputs": list(self._graph.ids()) if self._version.display_nodes else {},
        }

    def _tell(self, failure: _Failure) -> None:
        node_id = self._graph.real(failure.node_id)
        error = failure.error
        if isinstance(error, Interrupted):
            node_type = self._graph[node_id]["class_type"]
            interrupted = {"node_id": node_id, "node_type": node_type, "executed": list(self._executed)}
            self._say("execution_interrupted", interrupted, to_all=True)
            return
        inputs = {name: [_shown(value) for value in values] for name, values in (failure.inputs or {}).items()}
        message = f"{error}\n" if self._version.success_event else str(error)
        frames = traceback.format_tb(error.__traceback__)
        self._say("execution_error", self._error(node_id, message, type_name(type(error)), frames, inputs))

    def _tell_cycle(self) -> None:
        message, kind = "Dependency cycle detected", "graph.DependencyCycleError"
        self._say("execution_error", self._error(self._agenda.culprit(), message, kind, [], []))


def _shown(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float | str) else str(value)


def type_name(kind: type) -> str:
    """An exception's type as clients see it."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
