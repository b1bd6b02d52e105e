"""What ``client.queue`` returns."""

from typing import Any

from attrs import field, frozen

from comfyclient._displayed import Displayed

__all__ = ["ExecInfo", "PromptInfo", "PromptStatus", "QueueItem", "QueueState"]


@frozen
class ExecInfo:
    """How busy the server is.

    Attributes:
        queue_remaining: How many prompts wait or run.
        extra: What else the server said.
    """

    queue_remaining: int
    extra: dict[str, Any] = field(factory=dict)


@frozen
class PromptInfo:
    """The answer of ``GET /prompt``.

    Attributes:
        exec_info: How busy the server is.
        extra: What else the server said.
    """

    exec_info: ExecInfo
    extra: dict[str, Any] = field(factory=dict)


@frozen
class PromptStatus:
    """The server accepted a prompt, or at least a part of it.

    Attributes:
        prompt_id: The prompt's id: the one that was asked for, or, on servers before 0.3.45, the server's own.
        number: Its place in the order of execution; the lowest runs first, and it can be negative or
            fractional.
        node_errors: Why the server left outputs out, by node id. Empty when it accepted all of them.
        extra: What else the server said.
    """

    prompt_id: str
    number: int | float
    node_errors: dict[str, Any] = field(factory=dict)
    extra: dict[str, Any] = field(factory=dict)


@frozen
class QueueItem:
    """A prompt as the server keeps it. Graph and extra data are left out of the ``repr``.

    Attributes:
        number: Its place in the order of execution; the lowest runs first.
        prompt_id: Its id.
        prompt: The graph, by node id, its values as the server coerced them.
        extra_data: What was submitted beside the graph, and ``create_time`` (milliseconds since 1970).
            Servers of 2025 and before keep API keys in there.
        outputs_to_execute: The output nodes that run; those that were refused are missing.
    """

    number: int | float
    prompt_id: str
    prompt: dict[str, Any] = field(repr=False)
    extra_data: dict[str, Any] = field(factory=dict, repr=False)
    outputs_to_execute: tuple[str, ...] = ()


def _place(item: QueueItem) -> tuple[float, str]:
    return item.number, item.prompt_id


@frozen
class QueueState(Displayed):
    """What runs and what waits.

    Attributes:
        queue_running: The prompts that run now: one at most, on every server so far.
        queue_pending: The prompts that wait, in the order in which they will run (the server itself sends
            them in another one).
        extra: What else the server said.
    """

    queue_running: tuple[QueueItem, ...]
    queue_pending: tuple[QueueItem, ...]
    extra: dict[str, Any] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        """Put the pending prompts in order."""
        object.__setattr__(self, "queue_pending", tuple(sorted(self.queue_pending, key=_place)))
