"""What ``client.jobs`` returns."""

from typing import Any

from attrs import field, frozen

from comfyclient.types.history import HistoryStatus

__all__ = ["JobInfo", "JobsPage", "Pagination"]


@frozen
class JobInfo:
    """A prompt, waiting, running or ended. Times are the server's clock in milliseconds since 1970.

    A job that waits or runs has the first four or five of these only; the last four are in
    ``client.jobs.get`` only.

    Attributes:
        id: The prompt's id.
        status: ``"pending"``, ``"in_progress"``, ``"completed"``, ``"failed"`` or ``"cancelled"``. A cycle
            that shows only at run time is ``"completed"``, which ``execution_status`` does not bear out.
        priority: The prompt's number: its place in the order of execution.
        create_time: When it was submitted.
        execution_start_time: When it began to run.
        execution_end_time: When it ended.
        execution_error: The failed node, its exception and traceback. Not in the ``repr``, since it holds the
            inputs.
        outputs_count: How many outputs there are, single texts not counted.
        preview_output: The output that a list would show, with ``nodeId`` and ``mediaType``.
        workflow_id: The id that the editor gave the workflow: a string, unless the submitter had other ideas.
        outputs: What the nodes left behind, tidied by the server: the history holds the original.
        execution_status: The same as ``HistoryEntry.status``.
        workflow: What was submitted: ``prompt`` and ``extra_data``. Not in the ``repr``.
        extra: What else the server said.
    """

    id: str
    status: str
    priority: int | float | None = None
    create_time: int | None = None
    execution_start_time: int | None = None
    execution_end_time: int | None = None
    execution_error: dict[str, Any] | None = field(default=None, repr=False)
    outputs_count: int | None = None
    preview_output: dict[str, Any] | None = None
    workflow_id: Any = None
    outputs: dict[str, Any] | None = None
    execution_status: HistoryStatus | None = None
    workflow: dict[str, Any] | None = field(default=None, repr=False)
    extra: dict[str, Any] = field(factory=dict)


@frozen
class Pagination:
    """Which part of a list this is.

    Attributes:
        offset: How many jobs were skipped.
        limit: How many were asked for, or ``None`` for all.
        total: How many there are.
        has_more: Whether there are more after these.
        extra: What else the server said.
    """

    offset: int
    limit: int | None
    total: int
    has_more: bool
    extra: dict[str, Any] = field(factory=dict)


@frozen
class JobsPage:
    """A part of the list of jobs.

    Attributes:
        jobs: The jobs, in the order that was asked for.
        pagination: Which part of the list they are.
        extra: What else the server said.
    """

    jobs: tuple[JobInfo, ...]
    pagination: Pagination
    extra: dict[str, Any] = field(factory=dict)
