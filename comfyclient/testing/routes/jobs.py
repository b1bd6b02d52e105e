"""The jobs API: prompts that wait, run and have ended, in one form."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from comfyclient.testing.routes import Route
from comfyclient.testing.routes.prompts import is_uuid

if TYPE_CHECKING:
    from comfyclient.testing.machine import Machine
    from comfyclient.testing.prompt_queue import Item

STATUSES = ("pending", "in_progress", "completed", "failed", "cancelled")
PREVIEWED = {"images", "video", "audio", "3d", "text"}
MODEL_ENDINGS = (".obj", ".fbx", ".gltf", ".glb", ".usdz")
TEXT_ENDINGS = (".txt", ".md", ".json")
LONGEST_TEXT = 1024


class Jobs:
    """Answers what concerns jobs."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._queue = machine.queue

    def routes(self) -> list[Route]:
        """What it answers; ComfyUI has it below ``/api`` alone (and, by accident, below ``/api/api``)."""
        return [
            Route("GET", "/api/jobs", self._list, since="0.9.2"),
            Route("GET", "/api/jobs/{job_id}", self._get, since="0.9.2"),
            Route("POST", "/api/jobs/{job_id}/cancel", self._cancel, since="0.30.0"),
            Route("POST", "/api/jobs/cancel", self._cancel_all, since="0.30.0"),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        query = request.rel_url.query
        wanted = [each.strip().lower() for each in query.get("status", "").split(",") if each.strip()]
        if wrong := [each for each in wanted if each not in STATUSES]:
            names = ", ".join(wrong)
            return _refusal(f"Invalid status value(s): {names}. Valid values: {', '.join(STATUSES)}")
        sort_by, order = query.get("sort_by", "created_at").lower(), query.get("sort_order", "desc").lower()
        if sort_by not in {"created_at", "execution_duration"}:
            return _refusal("sort_by must be 'created_at' or 'execution_duration'")
        if order not in {"asc", "desc"}:
            return _refusal("sort_order must be 'asc' or 'desc'")
        for name in ("limit", "offset"):
            if not _is_integer(query.get(name, "0")):
                return _refusal(f"{name} must be an integer")
        limit = int(query["limit"]) if "limit" in query else None
        offset = max(0, int(query.get("offset", "0")))
        if limit is not None and limit <= 0:
            return _refusal("limit must be a positive integer")

        jobs = [job for job in self._all() if not query.get("status") or job["status"] in wanted]
        if workflow_id := query.get("workflow_id"):
            jobs = [job for job in jobs if job.get("workflow_id") == workflow_id]
        jobs.sort(key=_created if sort_by == "created_at" else _duration, reverse=order == "desc")
        page = jobs[offset:] if limit is None else jobs[offset : offset + limit]
        has_more = offset + len(page) < len(jobs)
        pagination = {"offset": offset, "limit": limit, "total": len(jobs), "has_more": has_more}
        return web.json_response({"jobs": page, "pagination": pagination})

    def _all(self) -> list[dict[str, Any]]:
        running, pending = self._queue.snapshot()
        jobs = [_queued(item, "in_progress") for item in running] + [_queued(item, "pending") for item in pending]
        return jobs + [_ended(prompt_id, entry) for prompt_id, entry in self._queue.history().items()]

    async def _get(self, request: web.Request) -> web.Response:
        prompt_id = request.match_info["job_id"]
        running, pending = self._queue.snapshot()
        if entry := self._queue.history_of(prompt_id).get(prompt_id):
            return web.json_response(
                _ended(prompt_id, entry)
                | {
                    "outputs": _normalized(entry["outputs"]),
                    "execution_status": entry["status"],
                    "workflow": {"prompt": entry["prompt"][2], "extra_data": entry["prompt"][3]},
                }
            )
        for items, status in ((running, "in_progress"), (pending, "pending")):
            for item in items:
                if item.prompt_id == prompt_id:
                    return web.json_response(_queued(item, status))
        return _refusal("Job not found", 404)

    # ── cancelling ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _cancel(self, request: web.Request) -> web.Response:
        return web.json_response({"cancelled": self._end(request.match_info["job_id"])})

    async def _cancel_all(self, request: web.Request) -> web.Response:
        try:
            body = await request.json()
        except json.JSONDecodeError:
            return _refusal("Request body must be valid JSON")
        job_ids = body.get("job_ids") if isinstance(body, dict) else None
        if not isinstance(job_ids, list):
            return _refusal("job_ids must be a list")
        if wrong := [each if isinstance(each, str) else repr(each) for each in job_ids if not is_uuid(each)]:
            return web.json_response({"error": "job_ids contains invalid id(s)", "invalid_ids": wrong}, status=400)
        return web.json_response({"cancelled": sum([self._end(each) for each in job_ids]) > 0})

    def _end(self, prompt_id: str) -> bool:
        return self._queue.while_running(prompt_id, self._machine.interrupt.set) or self._queue.delete(prompt_id)


def _refusal(message: str, status: int = 400) -> web.Response:
    return web.json_response({"error": message}, status=status)


def _is_integer(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True


def _created(job: dict[str, Any]) -> float:
    created: float = job.get("create_time", 0)
    return created


def _duration(job: dict[str, Any]) -> float:
    start, end = job.get("execution_start_time", 0), job.get("execution_end_time", 0)
    return end - start if start and end else 0


# ── the form of a job ────────────────────────────────────────────────────────────────────────────────────────────────


def _job(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _workflow_id(extra_data: dict[str, Any]) -> Any:
    # An extra_pnginfo of null ends in status 500 for everybody here, as it does with ComfyUI.
    return extra_data.get("extra_pnginfo", {}).get("workflow", {}).get("id")


def _queued(item: Item, status: str) -> dict[str, Any]:
    return _job(
        id=item.prompt_id,
        status=status,
        priority=item.number,
        create_time=item.extra_data.get("create_time"),
        outputs_count=0,
        workflow_id=_workflow_id(item.extra_data),
    )


def _ended(prompt_id: str, entry: dict[str, Any]) -> dict[str, Any]:
    number, _, _, extra_data, _ = entry["prompt"]
    said = dict(entry["status"]["messages"])
    endings = [name for name in said if name in {"execution_success", "execution_error", "execution_interrupted"}]
    status = "completed"
    if entry["status"]["status_str"] == "error":
        status = "cancelled" if "execution_interrupted" in said else "failed"
    count, preview = _summary(entry["outputs"])
    return _job(
        id=prompt_id,
        status=status,
        priority=number,
        create_time=extra_data.get("create_time"),
        execution_start_time=said.get("execution_start", {}).get("timestamp"),
        execution_end_time=said[endings[-1]].get("timestamp") if endings else None,
        execution_error=said.get("execution_error"),
        outputs_count=count,
        preview_output=preview,
        workflow_id=_workflow_id(extra_data),
    )


def _as_file(item: Any) -> dict[str, Any] | None:
    """An output as a file: a dictionary is one, the name of a model in three dimensions becomes one."""
    if isinstance(item, dict):
        return item
    if isinstance(item, str) and item.lower().endswith(MODEL_ENDINGS):
        return {"filename": item, "type": "output", "subfolder": "", "mediaType": "3d"}
    return None


def _normalized(outputs: dict[str, Any]) -> dict[str, Any]:
    return {
        node_id: {
            kind: items
            if kind == "animated" or not isinstance(items, list)
            else [_as_file(item) or item for item in items if item is not None]
            for kind, items in shown.items()
        }
        for node_id, shown in outputs.items()
    }


def _summary(outputs: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
    """How many outputs there are, and the one to show for all: saved media first, texts last."""
    count = 0
    found: dict[int, dict[str, Any]] = {}
    for node_id, shown in outputs.items():
        for kind, items in shown.items():
            for item in items if isinstance(items, list) and kind != "animated" else ():
                file = _as_file(item)
                if file is not None:
                    count += 1
                    rank = _rank(kind, file)
                    if rank is not None:
                        found.setdefault(rank, {**file, "nodeId": node_id, "mediaType": file.get("mediaType", kind)})
                elif kind == "text":
                    found.setdefault(3, _text(item) | {"nodeId": node_id, "mediaType": kind})
    return count, found[min(found)] if found else None


def _rank(kind: str, file: dict[str, Any]) -> int | None:
    name, shape = str(file.get("filename", "")).lower(), str(file.get("format", ""))
    is_text = kind == "text" or name.endswith(TEXT_ENDINGS)
    if is_text:
        return 2
    if kind not in PREVIEWED and not shape.startswith(("video/", "audio/")) and not name.endswith(MODEL_ENDINGS):
        return None
    return 0 if file.get("type") == "output" else 1


def _text(item: Any) -> dict[str, Any]:
    text = str(item)
    return {"content": text} if len(text) <= LONGEST_TEXT else {"content": text[:LONGEST_TEXT], "truncated": True}
