"""Jobs from queue and history, for servers whose jobs API is missing or out of order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from comfyclient.resources.history import History
from comfyclient.resources.queue import Queue
from comfyclient.types.jobs import JobInfo, JobsPage, Pagination

if TYPE_CHECKING:
    from comfyclient._http import Transport
    from comfyclient.resources.server import Server
    from comfyclient.types.history import HistoryEntry
    from comfyclient.types.queue import QueueItem

Selection: TypeAlias = Mapping[str, "str | None"]
"""Which jobs and in which order: the values of ``status``, ``workflow_id``, ``sort_by`` and ``sort_order``."""

_QUEUED = ("pending", "in_progress")
_ENDED = ("completed", "failed", "cancelled")
_WORDS = {
    "status": (*_QUEUED, *_ENDED),
    "sort_by": ("created_at", "execution_duration"),
    "sort_order": ("asc", "desc"),
}
_ENDS = ("execution_success", "execution_error", "execution_interrupted")
_MODELS = (".obj", ".fbx", ".gltf", ".glb", ".usdz")  # the only texts that count as outputs


class JobsElsewhere:
    """Does for ``Jobs`` what it can without its routes."""

    def __init__(self, transport: Transport, server: Server) -> None:
        self._server = server
        self._queue = Queue(transport)
        self._history = History(transport)

    def get(self, prompt_id: str) -> JobInfo | None:
        """As ``Jobs.get``."""
        entry = self._history.get(prompt_id)
        if entry is None:
            queued = {job.id: job for job in self._queued()}
            if prompt_id in queued:
                return queued[prompt_id]
            entry = self._history.get(prompt_id)  # it may have ended between the two questions
        return None if entry is None else _ended(entry, whole=True)

    def page(self, selection: Selection, limit: int | None, offset: int | None) -> JobsPage:
        """As ``Jobs.list``.

        Raises:
            ValueError: A word that the server would not know either.
        """
        wanted = {word.strip().lower() for word in (selection["status"] or "").split(",")} - {""}
        by, order = (selection["sort_by"] or "created_at").lower(), (selection["sort_order"] or "desc").lower()
        for name, words in {"status": wanted, "sort_by": {by}, "sort_order": {order}}.items():
            if unknown := words - set(_WORDS[name]):
                raise ValueError(f"{name}: {', '.join(sorted(unknown))} is none of {', '.join(_WORDS[name])}")
        if limit is not None and limit < 1:
            raise ValueError(f"limit is at least 1, not {limit}")
        jobs = [job for job in self._all(wanted) if not wanted or job.status in wanted]
        if selection["workflow_id"]:
            jobs = [job for job in jobs if job.workflow_id == selection["workflow_id"]]
        if by == "execution_duration":
            jobs.sort(key=_duration)
        elif all(job.create_time is not None for job in jobs):
            jobs.sort(key=lambda job: job.create_time or 0)
        if order == "desc":
            jobs.reverse()
        start = max(0, offset or 0)
        part = jobs[start:] if limit is None else jobs[start : start + limit]
        more = start + len(part) < len(jobs)
        return JobsPage(tuple(part), Pagination(start, limit, len(jobs), more))

    def _all(self, wanted: set[str]) -> list[JobInfo]:
        """Those that may be wanted, in the order in which they ran and will run."""
        queued = self._queued() if not wanted or wanted & set(_QUEUED) else []
        ended: dict[str, JobInfo] = {}
        if not wanted or wanted & set(_ENDED):
            ended = {key: _ended(entry, whole=False) for key, entry in self._history.list().items()}
        return [*ended.values(), *(job for job in queued if job.id not in ended)]

    def _queued(self) -> list[JobInfo]:
        state = self._queue.list()
        running = [_queued(item, "in_progress") for item in state.queue_running]
        return running + [_queued(item, "pending") for item in state.queue_pending]

    def cancel(self, prompt_ids: Iterable[str]) -> bool:
        """As ``Jobs.cancel_all``.

        Raises:
            Unsupported: One of them runs, and to interrupt it could hit another one.
        """
        wanted = set(prompt_ids)
        state = self._queue.list()
        waiting = [item.prompt_id for item in state.queue_pending if item.prompt_id in wanted]
        if waiting:
            self._queue.delete(*waiting)
            state = self._queue.list()  # one of them may have begun to run meanwhile
        running = [item.prompt_id for item in state.queue_running if item.prompt_id in wanted]
        for prompt_id in running:
            if not interrupt(self._server, self._queue, prompt_id):
                self._server.require("interrupt")
        return bool(waiting or running)


def interrupt(server: Server, queue: Queue, prompt_id: str) -> bool:
    """Interrupt a prompt if it runs, and never another one; whether that was possible."""
    if server.has("interrupt"):
        queue.interrupt(prompt_id)
        return True
    # This server would stop whatever runs. With nothing else queued that can only be the one that is meant.
    state = queue.list()
    if prompt_id in {item.prompt_id for item in state.queue_running}:
        if state.queue_pending or len(state.queue_running) > 1:
            return False
        queue.interrupt()
    return True


def _queued(item: QueueItem, status: str) -> JobInfo:
    return JobInfo(item.prompt_id, status, outputs_count=0, **_origin(item))


def _ended(entry: HistoryEntry, *, whole: bool) -> JobInfo:
    item = entry.prompt
    times = {kind: _number(data.get("timestamp")) for kind, data in entry.messages if isinstance(data, dict)}
    more: dict[str, Any] = {}
    if whole:
        more = {
            "outputs": entry.outputs,
            "execution_status": entry.status,
            "workflow": {"prompt": item.prompt, "extra_data": item.extra_data},
        }
    return JobInfo(
        item.prompt_id,
        "completed" if entry.succeeded else "cancelled" if entry.interrupted else "failed",
        execution_start_time=times.get("execution_start"),
        execution_end_time=next((times[kind] for kind in _ENDS if kind in times), None),
        execution_error=entry.error,
        outputs_count=sum(map(_count, entry.outputs.values())),
        **_origin(item),
        **more,
    )


def _origin(item: QueueItem) -> dict[str, Any]:
    info = item.extra_data.get("extra_pnginfo")
    workflow = info.get("workflow") if isinstance(info, dict) else None
    return {
        "priority": item.number,
        "create_time": _number(item.extra_data.get("create_time")),
        "workflow_id": workflow.get("id") if isinstance(workflow, dict) else None,
    }


def _number(value: Any) -> Any:
    """A time in milliseconds; ``None`` for what is none, since prompts can bring along anything."""
    return value if isinstance(value, (int, float)) else None


def _count(output: Any) -> int:
    """How many things a node left behind, as the jobs API counts them."""
    if not isinstance(output, dict):
        return 0
    lists = [values for name, values in output.items() if name != "animated" and isinstance(values, list)]
    return sum(isinstance(value, dict) or str(value).lower().endswith(_MODELS) for values in lists for value in values)


def _duration(job: JobInfo) -> int:
    start, end = job.execution_start_time, job.execution_end_time
    return end - start if start and end else 0
