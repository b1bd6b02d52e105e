"""What waits, what runs and what has ended, ordered and worded as ComfyUI's own queue."""

from __future__ import annotations

import copy
import heapq
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

MAXIMUM_HISTORY = 10_000
SECRETS = ("auth_token_comfy_org", "api_key_comfy_org")


class Item(NamedTuple):
    """One prompt as the queue keeps it; the order of the fields is that of ``GET /queue``."""

    number: float
    prompt_id: str
    prompt: dict[str, Any]
    extra_data: dict[str, Any]
    outputs: list[str]
    secrets: dict[str, Any]

    def shown(self, *, secrets: bool = False) -> list[Any]:
        """As a client may see it; the first servers showed secrets too."""
        extra_data = {**self.extra_data, **self.secrets} if secrets else self.extra_data
        return [self.number, self.prompt_id, self.prompt, extra_data, self.outputs]


class Ended(NamedTuple):
    """What a run left behind, as history tells it."""

    outputs: dict[str, Any]
    meta: dict[str, Any]
    succeeded: bool
    messages: list[tuple[str, dict[str, Any]]]


class PromptQueue:
    """The queue of one server. Every method may be called from any thread.

    Args:
        on_change: Called whenever something was queued, started, ended or removed, with the lock held.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._changed = threading.Condition(threading.RLock())  # guards everything below
        self._pending: list[Item] = []
        self._running: dict[int, Item] = {}
        self._history: dict[str, dict[str, Any]] = {}
        self._started = 0
        self._flags: dict[str, bool] = {}
        self._closed = False

    # ── for the worker ───────────────────────────────────────────────────────────────────────────────────────────

    def get(self, on_start: Callable[[], None]) -> tuple[int, Item] | None:
        """The next prompt and the key under which it runs; None when there are only flags to look at, or no more.

        Args:
            on_start: Called before anybody can see that it runs. (ComfyUI forgets interrupts a moment later, and so
                loses one that comes in between; no test should depend on that.)
        """
        with self._changed:
            while not (self._pending or self._flags or self._closed):
                self._changed.wait()
            if not self._pending or self._closed:
                return None
            on_start()
            item = heapq.heappop(self._pending)
            key = self._started
            self._started += 1
            # Running a prompt writes into its graph, which nobody who asks for the queue should see.
            self._running[key] = copy.deepcopy(item)
            self._on_change()
            return key, item

    def done(self, key: int, ended: Ended, *, meta: bool = True, secrets: bool = False) -> None:
        """Move a prompt from the running ones to history."""
        with self._changed:
            item = self._running.pop(key)
            if len(self._history) > MAXIMUM_HISTORY:
                del self._history[next(iter(self._history))]
            entry = {
                "prompt": item.shown(secrets=secrets),
                "outputs": ended.outputs,
                "status": {
                    "status_str": "success" if ended.succeeded else "error",
                    "completed": ended.succeeded,
                    "messages": copy.deepcopy(ended.messages),
                },
            }
            if meta:
                entry["meta"] = ended.meta
            # An old entry of that id keeps its place, as in any dict.
            self._history[item.prompt_id] = entry
            self._on_change()

    def take_flags(self) -> dict[str, bool]:
        """What ``POST /free`` asked for since the last call."""
        with self._changed:
            flags, self._flags = self._flags, {}
            return flags

    def close(self) -> None:
        """Let the worker go."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Whether there is no more to come."""
        return self._closed

    # ── for clients ──────────────────────────────────────────────────────────────────────────────────────────────

    def put(self, item: Item) -> None:
        """Queue a prompt.

        Raises:
            TypeError: One with that number and id waits already; this one does too, nevertheless, as in ComfyUI.
        """
        with self._changed:
            heapq.heappush(self._pending, item)
            self._on_change()
            self._changed.notify_all()

    def snapshot(self) -> tuple[list[Item], list[Item]]:
        """What runs, and what waits in the order of the heap."""
        with self._changed:
            return list(self._running.values()), list(self._pending)

    def remaining(self) -> int:
        """How many run or wait."""
        with self._changed:
            return len(self._pending) + len(self._running)

    def clear(self) -> None:
        """Remove whatever waits."""
        with self._changed:
            self._pending = []
            self._on_change()

    def delete(self, prompt_id: str) -> bool:
        """Remove one prompt of that id, if one waits."""
        with self._changed:
            for place, item in enumerate(self._pending):
                if item.prompt_id == prompt_id:
                    if len(self._pending) == 1:
                        self.clear()  # whose message comes on top of ours
                    else:
                        del self._pending[place]
                        heapq.heapify(self._pending)
                    self._on_change()
                    return True
        return False

    def while_running(self, prompt_id: str, action: Callable[[], None]) -> bool:
        """Do it if that prompt runs now, and let it not end meanwhile."""
        with self._changed:
            if any(item.prompt_id == prompt_id for item in self._running.values()):
                action()
                return True
        return False

    def set_flag(self, name: str) -> None:
        """Leave word for the worker."""
        with self._changed:
            self._flags[name] = True
            self._changed.notify_all()

    # ── history ──────────────────────────────────────────────────────────────────────────────────────────────────

    def history(self, limit: int | None = None, offset: int = -1) -> dict[str, Any]:
        """A part of history, the oldest first."""
        with self._changed:
            if offset < 0 and limit is not None:
                offset = len(self._history) - limit
            found: dict[str, Any] = {}
            for place, (prompt_id, entry) in enumerate(self._history.items()):
                if place >= offset:
                    found[prompt_id] = entry
                    if limit is not None and len(found) >= limit:
                        break
            return found

    def history_of(self, prompt_id: str) -> dict[str, Any]:
        """The entry under its id, or nothing."""
        with self._changed:
            entry = self._history.get(prompt_id)
            return {} if entry is None else {prompt_id: entry}

    def clear_history(self) -> None:
        """Forget whatever has ended."""
        with self._changed:
            self._history = {}

    def forget(self, prompt_id: str) -> None:
        """Forget one that has ended."""
        with self._changed:
            self._history.pop(prompt_id, None)
