"""A scripted ComfyUI of a given age: its answers and events are those of ``captures/version_comparison.json``."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from tests.captures import capture, compared
from tests.captures.ws import OLD_ID, VERSIONS, row, sequence
from tests.fakes import json_reply, reply
from tests.realtime.comfy import Comfy, event, start, status

if TYPE_CHECKING:
    from tests.fakes import Request
    from tests.realtime.peer import Link

SECRETS = ("api_key_comfy_org", "auth_token_comfy_org")
DONE = reply(200)


def refusal(title: str, version: str) -> bytes:
    """The captured answer to a prompt that is refused."""
    code, _, body = compared(title, version).partition(" ")
    return json_reply(json.loads(body), int(code)) if code == "400" else reply(int(code), body, "text/plain")


class Emulated(Comfy):
    """The server. It runs a prompt when the test says so: ``begin``, then ``play`` or ``fail``.

    Attributes:
        version: Which one it is, of ``tests.captures.ws.VERSIONS``.
        refused: The output nodes that it finds fault with.
        hit: The prompts that were running when somebody interrupted, in that order.
    """

    def __init__(self, version: str) -> None:
        super().__init__(jobs_route=False)
        self.version = version
        self.refused: set[str] = set()
        self.hit: list[str] = []
        self._played: list[Any] = []
        kept = compared("object_info keys", version)
        self.classes = {
            name: {key: info[key] for key in kept if key in info}
            for name, info in capture("object_info").items()
            if name in {"EmptyImage", "PreviewImage", "SaveImage"}
        }
        self.routes |= {
            ("GET", "/system_stats"): self._stats(),
            ("GET", "/object_info"): self.classes,
            ("GET", "/object_info/*"): lambda request: self._info(request.path.rpartition("/")[2]),
            ("POST", "/interrupt"): self._interrupt,
        }
        if self.tells("GET /features") == 200:
            self.routes["GET", "/features"] = self._features()
        if self.tells("GET /api/jobs") == 200:
            self.routes["GET", "/api/jobs"] = self.still(self._jobs)
            self.routes["GET", "/api/jobs/*"] = self.still(lambda request: self._job(request.path.rpartition("/")[2]))
        if self.tells("POST /api/jobs/x/cancel") == 200:
            self.routes["POST", "/api/jobs/*/cancel"] = lambda request: self._cancel(request.path.split("/")[3])

    def tells(self, title: str) -> Any:
        """What the capture says of this version."""
        return compared(title, self.version)

    def since(self, version: str) -> bool:
        """Whether it is that version or a later one."""
        return VERSIONS.index(self.version) >= VERSIONS.index(version)

    # What it is.

    def _stats(self) -> Any:
        known = capture("system_stats")["system"]
        known |= {"os": self.tells("system_stats os"), "comfyui_version": self.version}
        return {"system": {key: known[key] for key in self.tells("system_stats.system keys")}, "devices": []}

    def _features(self) -> Any:
        return json.loads(self.tells("ws: reply to feature_flags")[0])["data"]

    def _info(self, name: str) -> Any:
        return {name: self.classes[name]} if name in self.classes else {}

    def greet(self, link: Link) -> None:
        """Say the first words on a websocket."""
        super().greet(link)
        for text in self.tells("ws: reply to feature_flags"):
            link.send(json.loads(text))

    # Prompts.

    def accept(self, request: Request) -> Any:
        """Queue a prompt, or refuse it as this version does."""
        body = request.json
        graph = body["prompt"]
        if any(node["class_type"] not in self.classes for node in graph.values()):
            return refusal("POST unknown class", self.version)
        outputs = [node for node, entry in graph.items() if self.classes[entry["class_type"]]["output_node"]]
        if self.since("0.3.64") and body.get("partial_execution_targets") is not None:
            outputs = [node for node in outputs if node in body["partial_execution_targets"]]
        good = [node for node in outputs if node not in self.refused]
        if not outputs:
            return refusal("POST no outputs", self.version)
        errors = {node: self._error(graph[node]) for node in outputs if node not in good}
        if not good:
            kind = "prompt_outputs_failed_validation"
            reason = {"type": kind, "message": "Prompt outputs failed validation", "details": "", "extra_info": {}}
            return json_reply({"error": reason, "node_errors": errors}, 400)
        prompt_id = self._id_for(body)
        number = float(body["number"]) if "number" in body else next(self._places) * (-1 if body.get("front") else 1)
        extra = {**body.get("extra_data", {}), "client_id": body.get("client_id")}
        if self.since("0.9.2"):
            extra["create_time"] = 1_800_000_000_000 + len(self.prompts)
        with self.changed:
            self._bodies[prompt_id] = [number, prompt_id, graph, extra, good]
            self.prompts.append(prompt_id)
            self.pending.append(prompt_id)
            self.changed.notify_all()
        self.tell(status(len(self.pending) + len(self.running)))
        self.on_prompt(prompt_id)
        return {"prompt_id": prompt_id, "number": number, "node_errors": errors}

    def _id_for(self, body: Any) -> str:
        chosen = self.since("0.3.64") and "prompt_id" in body
        return str(body["prompt_id"]) if chosen else str(uuid.uuid4())

    @staticmethod
    def _error(entry: Any) -> Any:
        error = {"type": "custom_validation_failed", "message": "Custom validation failed for node", "details": "no"}
        return {"errors": [{**error, "extra_info": {}}], "dependent_outputs": [], "class_type": entry["class_type"]}

    def shown(self, prompt_id: str, secret_in: str) -> list[Any]:
        """A prompt as it is listed, with its secrets where this version shows them."""
        *place, extra, outputs = self._bodies[prompt_id]
        hidden = () if self.tells(f"secret visible in GET {secret_in}") else SECRETS
        return [*place, {key: value for key, value in extra.items() if key not in hidden}, outputs]

    def _queue(self, _: Request) -> Any:
        return {
            "queue_running": [self.shown(prompt_id, "/queue") for prompt_id in self.running],
            "queue_pending": [self.shown(prompt_id, "/queue") for prompt_id in self.pending],
        }

    def _interrupt(self, request: Request) -> bytes:
        target = request.json.get("prompt_id") if self.since("0.3.64") else None
        for prompt_id in list(self.running):
            if target in {None, prompt_id}:
                self.hit.append(prompt_id)
                self.stop(prompt_id)
        return DONE

    def _job(self, prompt_id: str) -> Any:
        known = {*self.history, *self.running, *self.pending}
        return self._described(prompt_id) if prompt_id in known else json_reply({"error": "Job not found"}, 404)

    def _jobs(self, request: Request) -> Any:
        query = request.query
        known = [*self.running, *self.pending, *self.history]
        jobs = sorted(map(self._described, known), key=lambda job: int(job["create_time"]))
        if query.get("sort_order") != "asc":
            jobs.reverse()
        if "status" in query:
            jobs = [job for job in jobs if job["status"] in query["status"].split(",")]
        if "workflow_id" in query:
            jobs = [job for job in jobs if job["workflow_id"] == query["workflow_id"]]
        offset, limit = int(query.get("offset", 0)), int(query["limit"]) if "limit" in query else None
        part = jobs[offset:][:limit]
        paging = {"offset": offset, "limit": limit, "total": len(jobs), "has_more": offset + len(part) < len(jobs)}
        return {"jobs": part, "pagination": paging}

    def _described(self, prompt_id: str) -> dict[str, Any]:
        number, _, graph, extra, _ = self._bodies[prompt_id]
        place = {"id": prompt_id, "priority": number, "create_time": extra["create_time"]}
        workflow_id = extra.get("extra_pnginfo", {}).get("workflow", {}).get("id")
        place |= {"status": "pending", "outputs_count": 0, "workflow_id": workflow_id}
        if prompt_id not in self.history:
            return {**place, "status": "in_progress" if prompt_id in self.running else "pending"}
        entry = self.history[prompt_id]
        messages = dict(entry["status"]["messages"])
        if "execution_error" in messages:
            place |= {"status": "failed", "execution_error": messages["execution_error"]}
        else:
            place["status"] = "cancelled" if "execution_interrupted" in messages else "completed"
        place["outputs_count"] = sum(len(output["images"]) for output in entry["outputs"].values())
        place |= {"outputs": entry["outputs"], "execution_status": entry["status"]}
        return {**place, "workflow": {"prompt": graph, "extra_data": extra}}

    def _cancel(self, prompt_id: str) -> Any:
        known = prompt_id in {*self.pending, *self.running}
        if prompt_id in self.running:
            self.hit.append(prompt_id)
            self.stop(prompt_id)
        elif known:
            self.forget(prompt_id)
        return {"cancelled": known}

    # Runs.

    def begin(self, prompt_id: str) -> None:
        """Have a prompt run, and say so to whom it belongs."""
        super().begin(prompt_id)
        self._told(prompt_id, [event("execution_start", prompt_id)])

    def play(self, prompt_id: str) -> None:
        """Run a prompt to its end, history and events as captured."""
        _, _, graph, extra, outputs = self._bodies[prompt_id]
        cached = graph in self._played
        self._played.append(graph)
        done = row("history outputs, cached run with client_id", self.version)["2"]
        left = dict.fromkeys(outputs, done)
        if cached and extra["client_id"] is None:
            left = left if row("history outputs, cached run WITHOUT client_id", self.version) else {}
        self._end(prompt_id, left, row("history.status", self.version))
        events = self._meant(sequence("fully cached" if cached else "normal", self.version), prompt_id)
        for one in [one for one in events if one["type"] == "executed"]:  # of the one output that was captured
            at = events.index(one)
            events[at : at + 1] = [self._shown_by(node, one) for node in outputs]
        self._told(prompt_id, events)

    @staticmethod
    def _shown_by(node: str, executed: Any) -> Any:
        data = executed["data"]
        return {**executed, "data": {**data, **{key: node for key in ("node", "display_node") if key in data}}}

    def fail(self, prompt_id: str) -> None:
        """Run a prompt up to a node that raises."""
        events = self._meant(sequence("error", self.version), prompt_id)
        word, completed = self.tells("history.status error").strip("[]").split(", ")
        noted = [[one["type"], one["data"]] for one in events if one["type"].startswith("execution_")]
        self._end(prompt_id, {}, {"status_str": word[1:-1], "completed": completed == "true", "messages": noted})
        self._told(prompt_id, events)

    def stop(self, prompt_id: str) -> None:
        """Have a prompt interrupted."""
        interrupted = event("execution_interrupted", prompt_id, node_id="1", node_type="EmptyImage", executed=[])
        events = [*start(prompt_id), interrupted]
        word, kinds = json.loads(self.tells("history.status interrupted"))
        assert kinds == [one["type"] for one in events]
        noted = [[one["type"], one["data"]] for one in events]
        self._end(prompt_id, {}, {"status_str": word, "completed": False, "messages": noted})
        self._told(prompt_id, [interrupted, status(0), event("executing", prompt_id, node=None)])

    def _end(self, prompt_id: str, outputs: Any, told: Any) -> None:
        meta = {node: {"node_id": node, "display_node": node} for node in outputs}
        entry = {"prompt": self.shown(prompt_id, "/history"), "outputs": outputs, "status": told, "meta": meta}
        entry = {key: entry[key] for key in self.tells("history keys")}
        self.move(prompt_id, json.loads(json.dumps(entry).replace(OLD_ID, prompt_id)))

    @staticmethod
    def _meant(events: list[Any], prompt_id: str) -> list[Any]:
        meant: list[Any] = json.loads(json.dumps(events).replace(OLD_ID, prompt_id))
        return meant

    def _told(self, prompt_id: str, events: list[Any]) -> None:
        """Send events to the client that submitted the prompt, if it has a websocket."""
        owner = self._bodies[prompt_id][3]["client_id"]
        with self.changed:
            links = [link for link in self.links if link.request.query["clientId"] == owner]
        if links:
            links[-1].send(*events)
