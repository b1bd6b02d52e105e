"""How far a prompt is: from ``progress_state`` where the server sends it, else from what older servers say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfyclient.events import Event, Executed, Executing, ExecutionCached, Progress, ProgressState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


class ProgressMeter:
    """Collects what events say about nodes; the sums are made when somebody looks.

    Not safe for threads; its owner has a lock.

    Attributes:
        node: The node that runs now.
        seconds: How long each node ran, as far as the order of ``executing`` events tells.
    """

    __slots__ = ("_highest", "_nodes", "_since", "_snapshot", "node", "seconds")

    def __init__(self) -> None:
        self._snapshot: Mapping[str, Any] = {}
        self._nodes: dict[str, float | Progress] = {}
        self.node: str | None = None
        self._since = 0.0
        self._highest = 0.0
        self.seconds: dict[str, float] = {}

    def apply(self, event: Event, now: float) -> None:
        """Take in an event that arrived at ``now``, in monotonic seconds."""
        read = _READERS.get(type(event))
        if read is not None:
            read(self, event, now)

    def _on_progress_state(self, event: ProgressState, _now: float) -> None:
        self._snapshot = event.nodes

    def _on_progress(self, event: Progress, _now: float) -> None:
        if event.node is not None:
            self._nodes[event.node] = event

    def _on_cached(self, event: ExecutionCached, _now: float) -> None:
        self._nodes.update(dict.fromkeys(event.nodes, 1.0))

    def _on_executed(self, event: Executed, _now: float) -> None:
        self._nodes[event.node] = 1.0

    def _on_executing(self, event: Executing, now: float) -> None:
        self._leave(now)
        self.node, self._since = event.node, now

    def _leave(self, now: float) -> None:
        if self.node is not None:
            self.seconds[self.node] = self.seconds.get(self.node, 0.0) + now - self._since
            self._nodes[self.node] = 1.0

    def nodes(self, expected: Iterable[str]) -> dict[str, float]:
        """Each expected node's share of its own work, from 0 to 1."""
        return {node: self._of(node) for node in expected}

    def _of(self, node: str) -> float:
        # The raw mapping: what nobody looks at is never decoded.
        raw = getattr(self._snapshot, "raw", self._snapshot).get(node)
        if not isinstance(raw, dict):
            known = self._nodes.get(node, 0.0)
            return _fraction(known.value, known.max) if isinstance(known, Progress) else known
        if raw.get("state") == "finished":
            return 1.0
        return _fraction(raw.get("value"), raw.get("max"))

    def overall(self, expected: Iterable[str]) -> float:
        """The mean over the expected nodes; never less than it was before."""
        shares = self.nodes(expected).values()
        if shares:
            self._highest = max(self._highest, sum(shares) / len(shares))
        return self._highest


def _fraction(value: Any, maximum: Any) -> float:
    """The share from 0 to 1, whatever numbers the server sends: too many steps, NaN, Infinity, none at all."""
    if not isinstance(value, (int, float)) or not isinstance(maximum, (int, float)) or not (value > 0 and maximum > 0):
        return 0.0  # NaN included: it compares as False
    return 1.0 if value >= maximum else _quotient(value, maximum)


def _quotient(value: float, maximum: float) -> float:
    try:
        return value / maximum
    except OverflowError:  # an integer beyond all floats
        return 0.0


_READERS: dict[type[Event], Callable[[ProgressMeter, Any, float], None]] = {
    ProgressState: ProgressMeter._on_progress_state,  # noqa: SLF001 - of this very module
    Progress: ProgressMeter._on_progress,  # noqa: SLF001
    ExecutionCached: ProgressMeter._on_cached,  # noqa: SLF001
    Executed: ProgressMeter._on_executed,  # noqa: SLF001
    Executing: ProgressMeter._on_executing,  # noqa: SLF001
}
