"""A scripted ComfyUI: answers as one would, but runs a prompt only when the test says so, event by event."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from comfyclient.config import Reconnect
from comfyclient.events import Event
from tests.fakes import Request, json_reply, reply
from tests.realtime.peer import PATIENCE, Link, Peer, Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from comfyclient import EventQueue

E = TypeVar("E", bound=Event)

WORKFLOW: dict[str, Any] = {
    "1": {"class_type": "EmptyImage", "inputs": {}},
    "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
}
IMAGE = {"filename": "a_00001_.png", "subfolder": "", "type": "temp"}
OUTPUT: dict[str, Any] = {"images": [IMAGE]}

QUICK = Reconnect(first=0.01, longest=0.05, ping_interval=60, ping_timeout=60, deaf_after=60)
"""Comes back at once; is never worried by itself."""


def status(remaining: int) -> dict[str, Any]:
    return {"type": "status", "data": {"status": {"exec_info": {"queue_remaining": remaining}}}}


def event(kind: str, prompt_id: str, **data: Any) -> dict[str, Any]:
    return {"type": kind, "data": {**data, "prompt_id": prompt_id}}


def start(prompt_id: str, *cached: str) -> list[dict[str, Any]]:
    """How every run begins."""
    return [
        event("execution_start", prompt_id, timestamp=1_800_000_000_000),
        event("execution_cached", prompt_id, nodes=list(cached), timestamp=1_800_000_000_001),
    ]


def progress_state(prompt_id: str, **nodes: tuple[float, float, str]) -> dict[str, Any]:
    """A snapshot; the nodes' names may begin with an underscore, since they are numbers mostly."""
    ids = {name.lstrip("_"): values for name, values in nodes.items()}
    shown = {
        node: {
            "value": value,
            "max": maximum,
            "state": state,
            "node_id": node,
            "prompt_id": prompt_id,
            "display_node_id": node,
            "parent_node_id": None,
            "real_node_id": node,
        }
        for node, (value, maximum, state) in ids.items()
    }
    return event("progress_state", prompt_id, nodes=shown)


def executed(prompt_id: str, node: str = "2", output: Any = OUTPUT) -> dict[str, Any]:
    return event("executed", prompt_id, node=node, display_node=node, output=output)


def end(prompt_id: str) -> dict[str, Any]:
    return event("executing", prompt_id, node=None)


def success(prompt_id: str) -> list[dict[str, Any]]:
    return [event("execution_success", prompt_id, timestamp=1_800_000_000_002), status(0), end(prompt_id)]


def run(prompt_id: str) -> list[dict[str, Any]]:
    """A whole run of ``WORKFLOW``, as today's servers tell of it."""
    done = (1.0, 1.0, "finished")
    return [
        *start(prompt_id),
        progress_state(prompt_id, _1=(0.0, 1.0, "running")),
        event("executing", prompt_id, node="1", display_node="1"),
        progress_state(prompt_id, _1=done),
        progress_state(prompt_id, _1=done, _2=(0.0, 1.0, "running")),
        event("executing", prompt_id, node="2", display_node="2"),
        executed(prompt_id),
        progress_state(prompt_id, _1=done, _2=done),
        *success(prompt_id),
    ]


def old_run(prompt_id: str) -> list[dict[str, Any]]:
    """A whole run of ``WORKFLOW``, as servers of March 2024 tell of it."""
    return [
        event("execution_start", prompt_id),
        event("execution_cached", prompt_id, nodes=[]),
        event("executing", prompt_id, node="1"),
        event("executing", prompt_id, node="2"),
        event("executed", prompt_id, node="2", output=OUTPUT),
        status(0),
        end(prompt_id),
    ]


def failure(prompt_id: str, **data: Any) -> dict[str, Any]:
    told = {
        "node_id": "1",
        "node_type": "EmptyImage",
        "executed": [],
        "exception_message": "boom\n",
        "exception_type": "ValueError",
        "traceback": ["  File x\n"],
        "current_inputs": {},
        "current_outputs": [],
        "timestamp": 1_800_000_000_002,
    }
    return event("execution_error", prompt_id, **{**told, **data})


class Comfy(Peer):
    """The server.

    Attributes:
        prompts: The ids of the accepted prompts.
        pending: Those that wait.
        running: Those that run.
        history: The entries of those that have ended, by id.
        chosen_ids: Ids that it gives to the next prompts, whatever was asked for, as servers of 2024 do.
        silent: Whether it keeps to itself that its queue changed.
        on_prompt: Called with the id of each prompt before its acceptance is answered.
    """

    def __init__(self, *, jobs_route: bool = True) -> None:
        super().__init__()
        self.prompts: list[str] = []
        self.pending: list[str] = []
        self.running: list[str] = []
        self.history: dict[str, Any] = {}
        self.chosen_ids: list[str] = []
        self.silent = False
        self.on_prompt: Callable[[str], None] = lambda _: None
        self._places = itertools.count()
        self._bodies: dict[str, Any] = {}
        self.on_link = self.greet
        self.routes |= {
            ("POST", "/prompt"): self.accept,
            ("GET", "/prompt"): self.still(
                lambda _: {"exec_info": {"queue_remaining": len(self.pending) + len(self.running)}}
            ),
            ("GET", "/queue"): self.still(self._queue),
            ("POST", "/queue"): self._delete,
            ("GET", "/history/*"): self.still(lambda request: self._known(request.path.rpartition("/")[2])),
            ("GET", "/history"): self.still(lambda _: dict(self.history)),
            ("POST", "/interrupt"): reply(200),
            ("GET", "/system_stats"): {"system": {"os": "linux", "comfyui_version": "0.30.0"}, "devices": []},
        }
        if jobs_route:
            self.routes["GET", "/api/jobs"] = self.still(self._jobs)
            self.routes["GET", "/api/jobs/*"] = self.still(lambda request: self._job(request.path.rpartition("/")[2]))

    # What it does over HTTP.

    def still(self, route: Route) -> Route:
        """A route that meets each prompt in one place, never on its way from the queue to the history."""

        def answer(request: Request) -> Any:
            with self.changed:
                return route(request)

        return answer

    def accept(self, request: Request) -> Any:
        """Queue a prompt."""
        body = request.json
        prompt_id = self.chosen_ids.pop(0) if self.chosen_ids else body["prompt_id"]
        number = next(self._places)
        with self.changed:
            self._bodies[prompt_id] = [number, prompt_id, body["prompt"], body.get("extra_data", {}), ["2"]]
            self.prompts.append(prompt_id)
            self.pending.append(prompt_id)
            self.changed.notify_all()
        self.tell(status(len(self.pending) + len(self.running)))
        self.on_prompt(prompt_id)
        return {"prompt_id": prompt_id, "number": number, "node_errors": {}}

    def _queue(self, _: Request) -> Any:
        return {
            "queue_running": [self._bodies[prompt_id] for prompt_id in self.running],
            "queue_pending": [self._bodies[prompt_id] for prompt_id in self.pending],
        }

    def _delete(self, request: Request) -> bytes:
        for prompt_id in request.json.get("delete", ()):
            self.forget(prompt_id)
        return reply(200)

    def _known(self, prompt_id: str) -> Any:
        return {prompt_id: self.history[prompt_id]} if prompt_id in self.history else {}

    def _job(self, prompt_id: str) -> Any:
        for known, word in ((self.history, "completed"), (self.running, "in_progress"), (self.pending, "pending")):
            if prompt_id in known:
                return {"id": prompt_id, "status": word, "priority": 0, "create_time": 1_800_000_000_000}
        return json_reply({"error": "Job not found"}, 404)

    def _jobs(self, _: Request) -> Any:
        """What waits and runs; nobody asks for more here."""
        words = {"in_progress": self.running, "pending": self.pending}
        jobs = [
            {
                "id": prompt_id,
                "status": word,
                "priority": self._bodies[prompt_id][0],
                "create_time": 1_800_000_000_000,
            }
            for word, ids in words.items()
            for prompt_id in ids
        ]
        return {"jobs": jobs, "pagination": {"offset": 0, "limit": None, "total": len(jobs), "has_more": False}}

    # What it does by itself.

    def greet(self, link: Link) -> None:
        """Say the first word on a websocket."""
        greeting = status(0)
        greeting["data"]["sid"] = link.request.query["clientId"]
        link.send(greeting)

    def tell(self, *events: Any) -> None:
        """Send events on the newest websocket, if there is one."""
        with self.changed:
            link = self.links[-1] if self.links and not self.silent else None
        if link is not None:
            link.send(*events)

    def prompt(self, number: int = 0) -> str:
        """The id of an accepted prompt, as soon as there is one of that number."""
        found: list[str] = self.wait_for(lambda: self.prompts[number : number + 1])
        return found[0]

    def begin(self, prompt_id: str) -> None:
        """Have a prompt run; nothing is sent."""
        with self.changed:
            self.pending.remove(prompt_id)
            self.running.append(prompt_id)

    def forget(self, prompt_id: str) -> None:
        """Lose a prompt, whatever its state."""
        with self.changed:
            for place in (self.pending, self.running):
                if prompt_id in place:
                    place.remove(prompt_id)
            self.history.pop(prompt_id, None)

    def finish(self, prompt_id: str, *messages: Any, outputs: Any = None, status_str: str = "success") -> None:
        """Write a prompt's history; nothing is sent. By default the one of a success of ``WORKFLOW``."""
        told = messages or [*start(prompt_id), event("execution_success", prompt_id, timestamp=1_800_000_000_002)]
        entry = {
            "prompt": self._bodies[prompt_id],
            "outputs": {"2": OUTPUT} if outputs is None else outputs,
            "status": {
                "status_str": status_str,
                "completed": status_str == "success",
                "messages": [[message["type"], message["data"]] for message in told],
            },
            "meta": {},
        }
        self.move(prompt_id, entry)

    def move(self, prompt_id: str, entry: Any) -> None:
        """Take a prompt from the queue to the history, at once."""
        with self.changed:
            self.forget(prompt_id)
            self.history[prompt_id] = entry

    def complete(self, prompt_id: str) -> None:
        """Run a prompt to its end, history and events."""
        self.finish(prompt_id)
        self.tell(*run(prompt_id))

    def questions(self) -> list[str]:
        """What was asked about prompts over HTTP: method and path."""
        with self.changed:
            return [f"{request.method} {request.path}" for request in self.requests if request.method == "GET"]


def until(listener: EventQueue[Any], kind: type[E]) -> E:
    """The next event of this class; what comes before it is left out."""
    while not isinstance(told := listener.get(timeout=PATIENCE), kind):
        pass
    return told


def reader_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "comfyclient-reader"]


def our_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("comfyclient-")]
