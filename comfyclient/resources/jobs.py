"""``client.jobs``: prompts in any state, by the jobs API of newer servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from comfyclient._http import path_segment
from comfyclient.errors import NotFound
from comfyclient.resources._answers import get, read
from comfyclient.types.jobs import JobInfo, JobsPage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from comfyclient._http import Transport

__all__ = ["Jobs"]


@frozen
class _Cancelled:
    cancelled: bool


class Jobs:
    """What waits, runs and has ended, everybody's. Not to be confused with ``Job``, one's own prompt.

    Servers of 2025 and before lack these routes: ``get`` and ``list`` raise ``NotFound``.

    Everything here runs in the caller's thread. Besides what its own text says, every method raises
    ``ServerUnreachable`` without a connection, ``RequestTimeout`` without an answer in time, ``ServerError``
    when the server refuses, and ``DecodeError`` for an answer that is not ComfyUI's. The server answers 500
    to ``list`` as long as it remembers a prompt whose ``extra_pnginfo`` is null; ``client.queue`` and
    ``client.history`` work even then.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, prompt_id: str) -> JobInfo | None:
        """Return a prompt, or ``None`` if it is not known (``GET /api/jobs/{id}``).

        Raises:
            NotFound: The server has no such route.
            ValueError: The id is empty.
        """
        try:
            return get(self._transport, f"/api/jobs/{path_segment(prompt_id)}", JobInfo)
        except NotFound as error:
            if isinstance(error.body, dict) and error.body.get("error") == "Job not found":
                return None
            raise

    def list(
        self,
        *,
        status: Iterable[str] | None = None,
        sort_by: str | None = None,
        sort_order: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
        workflow_id: str | None = None,
    ) -> JobsPage:
        """Return a part of the prompts in any state (``GET /api/jobs``).

        Args:
            status: Only these: ``"pending"``, ``"in_progress"``, ``"completed"``, ``"failed"``,
                ``"cancelled"``; one of them or several.
            sort_by: ``"created_at"``, the default, or ``"execution_duration"``.
            sort_order: ``"desc"``, the default, or ``"asc"``.
            limit: At most so many, from 1; ``None`` for all.
            offset: Leave out so many.
            workflow_id: Only those of this workflow, by the id that the editor gave it.

        Raises:
            NotFound: The server has no such route.
            ServerError: 400 for a value that the server does not know.
        """
        if status is not None and not isinstance(status, str):
            status = ",".join(status)
        params = {
            "status": status,
            "sort_by": sort_by,
            "sort_order": sort_order,
            "limit": limit,
            "offset": offset,
            "workflow_id": workflow_id,
        }
        return get(self._transport, "/api/jobs", JobsPage, params=params)

    def cancel(self, prompt_id: str) -> bool:
        """Take a prompt from the queue, or stop it if it runs (``POST /api/jobs/{id}/cancel``).

        Only this prompt is ever touched. Stopping has the limits of ``client.queue.interrupt``: a prompt that
        was found running can still end as if nothing had happened.

        Returns:
            Whether it was found waiting or running.

        Raises:
            ServerError: 405 from servers before 0.30, which lack the route.
            ValueError: The id is empty.
        """
        return self._cancel(f"/api/jobs/{path_segment(prompt_id)}/cancel", {})

    def cancel_all(self, prompt_ids: Iterable[str]) -> bool:
        """Take prompts from the queue, or stop those that run (``POST /api/jobs/cancel``).

        Returns:
            Whether at least one was found waiting or running.

        Raises:
            ServerError: 405 from servers before 0.30, which lack the route; 400 for an id that is no UUID.
        """
        return self._cancel("/api/jobs/cancel", {"job_ids": [*prompt_ids]})

    def _cancel(self, path: str, body: dict[str, object]) -> bool:
        response = self._transport.request("POST", path, json_body=body)
        return read(self._transport, response, _Cancelled).cancelled
