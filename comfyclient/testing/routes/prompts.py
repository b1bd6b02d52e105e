"""Prompts: submitting them, the queue, interrupts, history."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any

from aiohttp import web

from comfyclient.testing.prompt_queue import SECRETS, Item
from comfyclient.testing.routes import Route
from comfyclient.testing.script import posted
from comfyclient.testing.validation import validate

if TYPE_CHECKING:
    from comfyclient.testing.machine import Machine
    from comfyclient.testing.script import Script


class Prompts:
    """Answers what concerns prompts."""

    def __init__(self, machine: Machine, script: Script) -> None:
        self._machine = machine
        self._queue = machine.queue
        self._version = machine.version
        self._script = script

    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            Route("GET", "/prompt", self._info),
            Route("POST", "/prompt", self._submit),
            Route("GET", "/queue", self._show),
            Route("POST", "/queue", self._remove),
            Route("POST", "/interrupt", self._interrupt),
            Route("POST", "/free", self._free),
            Route("GET", "/history", self._history),
            Route("GET", "/history/{prompt_id}", self._history_of),
            Route("POST", "/history", self._forget),
        ]

    # ── submitting ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _submit(self, request: web.Request) -> web.Response:
        self._machine.log.add("got prompt")
        body = await request.json()
        original = posted(body)
        status, answer = await self._accept(body, request.headers.get("Comfy-Usage-Source"))
        self._script.note(original, status, answer)
        return web.json_response(answer, status=status)

    async def _accept(self, body: Any, usage_source: str | None) -> tuple[int, dict[str, Any]]:
        body = _object(body)
        number = self._number(body)
        if "prompt" not in body:
            return 400, self._no_prompt()
        prompt_id = self._prompt_id(body)
        if prompt_id is None:
            return 400, _BAD_ID
        prompt = body["prompt"]
        if self._version.cancels:
            for node in prompt.values():
                if "class_type" in node and "inputs" in node:
                    node["inputs"].items()  # as the search for replaced nodes does it: other types are status 500
        targets = body.get("partial_execution_targets")
        verdict = await validate(self._machine, prompt, targets)
        extra_data = body.get("extra_data", {})
        if "client_id" in body:
            extra_data["client_id"] = body["client_id"]
        if "comfy_usage_source" not in extra_data and usage_source and self._version.cancels:
            extra_data["comfy_usage_source"] = usage_source
        if verdict.error:
            return 400, {"error": verdict.error, "node_errors": verdict.node_errors}
        secrets = {name: extra_data.pop(name) for name in SECRETS if name in extra_data}
        if self._version.create_time:
            extra_data["create_time"] = int(time.time() * 1000)
        self._queue.put(Item(number, prompt_id, prompt, extra_data, verdict.outputs, secrets))
        return 200, {"prompt_id": prompt_id, "number": number, "node_errors": verdict.node_errors}

    def _number(self, body: Any) -> float:
        if "number" in body:
            return float(body["number"])
        number = self._machine.number
        self._machine.number += 1
        return -number if body.get("front") else number

    def _prompt_id(self, body: dict[str, Any]) -> str | None:
        """The id that the prompt gets; None if the client wants an impossible one."""
        minted = str(uuid.uuid4())
        if not self._version.takes_prompt_id:
            return minted
        if not self._version.wants_uuid:
            return str(body.get("prompt_id", minted))
        wanted = body.get("prompt_id")
        if wanted is None:
            return minted
        return str(wanted) if is_uuid(wanted) else None

    def _no_prompt(self) -> dict[str, Any]:
        if not self._version.unified_errors:
            return {"error": "no prompt", "node_errors": []}
        message = "No prompt provided"
        error = {"type": "no_prompt", "message": message, "details": message, "extra_info": {}}
        return {"error": error, "node_errors": {}}

    # ── the queue ────────────────────────────────────────────────────────────────────────────────────────────────

    async def _info(self, _: web.Request) -> web.Response:
        return web.json_response(self._machine.info())

    async def _show(self, _: web.Request) -> web.Response:
        running, pending = (
            [item.shown(secrets=self._version.secrets_in_queue) for item in items] for items in self._queue.snapshot()
        )
        return web.json_response({"queue_running": running, "queue_pending": pending})

    async def _remove(self, request: web.Request) -> web.Response:
        body = _object(await request.json())
        if body.get("clear"):
            self._queue.clear()
        if "delete" in body:
            for prompt_id in body["delete"]:
                self._queue.delete(prompt_id)
        return web.Response()

    async def _interrupt(self, request: web.Request) -> web.Response:
        try:
            body = await request.json() if self._version.targeted_interrupt else {}
        except json.JSONDecodeError:
            body = {}
        if prompt_id := body.get("prompt_id"):
            self._queue.while_running(prompt_id, self._machine.interrupt.set)
        else:
            self._machine.interrupt.set()
        return web.Response()

    async def _free(self, request: web.Request) -> web.Response:
        body = await request.json()
        for name in ("unload_models", "free_memory"):
            if body.get(name, False):
                self._queue.set_flag(name)
        return web.Response()

    # ── history ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _history(self, request: web.Request) -> web.Response:
        query = request.rel_url.query
        limit = int(query["max_items"]) if "max_items" in query else None
        # The parameter came with 0.3.59.
        offset = int(query["offset"]) if "offset" in query and self._version.since("0.3.64") else -1
        return web.json_response(self._queue.history(limit, offset))

    async def _history_of(self, request: web.Request) -> web.Response:
        return web.json_response(self._queue.history_of(request.match_info["prompt_id"]))

    async def _forget(self, request: web.Request) -> web.Response:
        body = _object(await request.json())
        if body.get("clear"):
            self._queue.clear_history()
        if "delete" in body:
            for prompt_id in body["delete"]:
                self._queue.forget(prompt_id)
        return web.Response()


_BAD_ID: dict[str, Any] = {
    "error": {
        "type": "invalid_prompt_id",
        "message": "prompt_id must be a valid UUID",
        "details": (
            "prompt_id must be a UUID string in canonical lowercase hyphenated form; "
            "omit it to let the server generate one"
        ),
        "extra_info": {},
    },
    "node_errors": {},
}


def _object(body: Any) -> Any:
    """A JSON body as an object; a list or a string has no keys to ComfyUI, and anything else is status 500."""
    return {} if isinstance(body, list | str) else body


def is_uuid(value: Any) -> bool:
    """Whether it is one in the only spelling that ComfyUI takes."""
    try:
        return isinstance(value, str) and str(uuid.UUID(value)) == value
    except ValueError:
        return False
