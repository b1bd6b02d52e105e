"""What a test wants the server to do next, and what the server was asked."""

from __future__ import annotations

import asyncio
import copy
import json
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from aiohttp import web
from attrs import define, field, frozen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Body = bytes | str | dict[str, Any] | list[Any] | None
"""What an answer consists of; what is neither bytes nor text is sent as JSON."""


@frozen
class Submission:
    """A ``POST /prompt``.

    Attributes:
        body: All that was sent.
        status: What it was answered with.
        prompt_id: The id that the prompt got; None if it was refused.
        number: Its place in the queue; None if it was refused.
    """

    body: dict[str, Any]
    status: int
    prompt_id: str | None = None
    number: float | None = None

    @property
    def prompt(self) -> dict[str, Any]:
        """The graph, as it was sent."""
        prompt: dict[str, Any] = self.body.get("prompt", {})
        return prompt

    @property
    def client_id(self) -> str | None:
        """Whom its events went to."""
        return self.body.get("client_id")

    @property
    def extra_data(self) -> dict[str, Any]:
        """What came with it."""
        extra_data: dict[str, Any] = self.body.get("extra_data", {})
        return extra_data

    @property
    def accepted(self) -> bool:
        """Whether it was queued."""
        return self.prompt_id is not None


@define
class Latency:
    """Seconds that things take beyond what they need; may be changed at any time.

    Attributes:
        node: Before each run of a node.
        step: Before each step of progress that a node reports.
        answer: Before each answer of HTTP.
    """

    node: float = 0.0
    step: float = 0.0
    answer: float = 0.0


@frozen
class _Answer:
    path: str
    method: str | None
    status: int
    body: bytes
    headers: dict[str, str]


@frozen
class _Loss:
    path: str
    method: str
    handled: bool
    hangs: bool


@define
class _Failure:
    target: str
    exception: BaseException | type[BaseException]


@define
class Script:
    """Everything scripted. The lock guards the lists, which any thread may change.

    Attributes:
        latency: See there.
        frozen: Whether HTTP requests are left without an answer.
    """

    latency: Latency = field(factory=Latency)
    frozen: bool = False
    _lock: threading.Lock = field(factory=threading.Lock)
    _submitted: list[Submission] = field(factory=list)
    _failures: list[_Failure] = field(factory=list)
    _answers: deque[_Answer] = field(factory=deque)
    _losses: deque[_Loss] = field(factory=deque)

    # ── what was asked ───────────────────────────────────────────────────────────────────────────────────────────

    def note(self, body: Any, status: int, answer: Any) -> None:
        """A prompt was posted."""
        if not isinstance(body, dict):
            return
        found = Submission(body, status, answer.get("prompt_id"), answer.get("number"))
        with self._lock:
            self._submitted.append(found)

    def submitted(self) -> list[Submission]:
        """All that was posted so far."""
        with self._lock:
            return list(self._submitted)

    # ── nodes that fail ──────────────────────────────────────────────────────────────────────────────────────────

    def fail(self, target: str, exception: BaseException | type[BaseException]) -> None:
        """Let the next run of a node fail, given its id or class."""
        with self._lock:
            self._failures.append(_Failure(target, exception))

    def will_fail(self, node_id: str, class_type: str) -> bool:
        """Whether the next run of this node fails."""
        with self._lock:
            return any(failure.target in {node_id, class_type} for failure in self._failures)

    def take_failure(self, node_id: str, class_type: str) -> BaseException | type[BaseException] | None:
        """What it should raise."""
        with self._lock:
            for failure in self._failures:
                if failure.target in {node_id, class_type}:
                    self._failures.remove(failure)
                    return failure.exception
        return None

    # ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────

    def answer(self, path: str, status: int, body: Body, method: str | None, headers: dict[str, str] | None) -> None:
        """Answer the next request like this, instead of handling it."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes | str):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json; charset=utf-8")
        data = body.encode() if isinstance(body, str) else body or b""
        with self._lock:
            self._answers.append(_Answer(_checked(path), method, status, data, headers))

    def lose(self, path: str, method: str, *, handled: bool, hangs: bool) -> None:
        """Handle the next request (or do not), and never answer it."""
        with self._lock:
            self._losses.append(_Loss(_checked(path), method, handled, hangs))

    def _take_answer(self, request: web.Request) -> _Answer | None:
        with self._lock:
            for answer in self._answers:
                if _is_at(request, answer.path) and answer.method in {None, request.method}:
                    self._answers.remove(answer)
                    return answer
        return None

    def _take_loss(self, request: web.Request) -> _Loss | None:
        with self._lock:
            for loss in self._losses:
                if _is_at(request, loss.path) and loss.method == request.method:
                    self._losses.remove(loss)
                    return loss
        return None

    def take_rest(self) -> list[str]:
        """What was to happen and did not, as it was called for; it will not happen any more."""
        with self._lock:
            rest = [
                *(f"fail_next({failure.target!r})" for failure in self._failures),
                *(f"answer_next({answer.path!r})" for answer in self._answers),
                *(f"lose_next_answer({loss.path!r})" for loss in self._losses),
            ]
            self._failures.clear()
            self._answers.clear()
            self._losses.clear()
        return rest

    def middleware(self) -> Callable[..., Awaitable[web.StreamResponse]]:
        """What stands before all that handles requests."""

        @web.middleware
        async def scripted(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            if self.latency.answer:
                await asyncio.sleep(self.latency.answer)
            if self.frozen:
                await asyncio.Event().wait()  # until the connection ends
            if answer := self._take_answer(request):
                return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
            loss = self._take_loss(request)
            if loss is None:
                return await handler(request)
            if loss.handled:
                await handler(request)
            else:
                await request.read()
            if loss.hangs:
                await asyncio.Event().wait()
            if request.transport is not None:
                request.transport.abort()
            return web.Response()

        return scripted


def _checked(path: str) -> str:
    if not path.startswith("/") or "?" in path:
        raise ValueError(f"{path!r} is no path: it begins with a slash, and has no query")
    return path.removeprefix("/api")


def _is_at(request: web.Request, path: str) -> bool:
    return request.path in {path, f"/api{path}"}


def posted(body: Any) -> Any:
    """A body as it was sent; handling it changes the original."""
    return copy.deepcopy(body)
