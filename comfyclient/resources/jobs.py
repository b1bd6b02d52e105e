"""``client.jobs``: prompts in any state, by the jobs API of newer servers, or by queue and history."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from attrs import frozen

from comfyclient._http import path_segment
from comfyclient.errors import NotFound, ServerError, Unsupported
from comfyclient.resources._answers import get, read
from comfyclient.resources._ids import checked_ids
from comfyclient.resources._jobs_elsewhere import JobsElsewhere, Selection
from comfyclient.resources._noun import Noun
from comfyclient.types.jobs import JobInfo, JobsPage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from comfyclient._http import Transport
    from comfyclient.resources.server import Server

__all__ = ["Jobs", "look_up"]

_SINCE, _CANCEL_SINCE = "0.9.0", "0.30.0"


@frozen
class _Cancelled:
    cancelled: bool


class Jobs(Noun):
    """What waits, runs and has ended, everybody's. Not to be confused with ``Job``, one's own prompt.

    Servers before 0.9 lack these routes, and a prompt whose ``extra_pnginfo`` is null puts them out of order on any
    server: ``get``, ``list`` and ``iter`` then find the same in queue and history. What differs: ``create_time`` is
    missing before 0.9, ``preview_output`` always, ``outputs`` are as the nodes left them, and a cycle that shows only
    at run time is ``"failed"``.

    Everything here runs in the caller's thread. Besides what its own text says, every method raises
    ``ServerUnreachable`` without a connection, ``RequestTimeout`` without an answer in time, ``ServerError``
    when the server refuses, and ``DecodeError`` for an answer that is not ComfyUI's.
    """

    def __init__(self, transport: Transport, server: Server) -> None:
        self._transport = transport
        self._elsewhere = JobsElsewhere(transport, server)

    def get(self, prompt_id: str) -> JobInfo | None:
        """Return a prompt, or ``None`` if it is not known (``GET /api/jobs/{id}``).

        Raises:
            ValueError: The id is empty.
        """
        try:
            return look_up(self._transport, prompt_id)
        except (Unsupported, ServerError) as error:
            if not _is_out_of_order(error):
                raise
            return self._elsewhere.get(prompt_id)

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

        Where queue and history are asked instead, that is for all that they hold, graphs included, unless ``status``
        leaves out those that have ended.

        Args:
            status: Only these: ``"pending"``, ``"in_progress"``, ``"completed"``, ``"failed"``,
                ``"cancelled"``; one of them or several.
            sort_by: ``"created_at"``, the default, or ``"execution_duration"``.
            sort_order: ``"desc"``, the default, or ``"asc"``.
            limit: At most so many, from 1; ``None`` for all.
            offset: Leave out so many.
            workflow_id: Only those of this workflow, by the id that the editor gave it.

        Raises:
            ServerError: 400 for a value that the server does not know.
            ValueError: So, where queue and history are asked.
        """
        selection = _selection(status, sort_by, sort_order, workflow_id)
        try:
            return self._page(selection, limit, offset)
        except (Unsupported, ServerError) as error:
            if not _is_out_of_order(error):
                raise
        return self._elsewhere.page(selection, limit, offset)

    def iter(
        self,
        *,
        status: Iterable[str] | None = None,
        sort_by: str | None = None,
        sort_order: str | None = None,
        workflow_id: str | None = None,
        page_size: int = 100,
    ) -> Iterator[JobInfo]:
        """Iterate over all prompts in any state, page by page as they are needed (``GET /api/jobs``).

        The options are those of ``list``, with ``page_size`` for ``limit``. What comes or goes meanwhile may be
        missed; none comes twice.

        Raises:
            ComfyError, ValueError: As for ``list``. Errors arise while iterating.
        """
        return self._pages(_selection(status, sort_by, sort_order, workflow_id), page_size)

    def cancel(self, prompt_id: str) -> bool:
        """Take a prompt from the queue, or stop it if it runs (``POST /api/jobs/{id}/cancel``).

        Only this prompt is ever touched. Stopping has the limits of ``client.queue.interrupt``: a prompt that
        was found running can still end as if nothing had happened. Servers before 0.30 lack the route; there, queue
        and interrupt do the same.

        Returns:
            Whether it was found waiting or running.

        Raises:
            Unsupported: It runs, others wait, and the server is older than 0.3.57: it could stop the wrong one.
            ValueError: The id is empty.
        """
        try:
            return self._cancel(f"/api/jobs/{path_segment(prompt_id)}/cancel", {})
        except (Unsupported, NotFound):
            return self._elsewhere.cancel([prompt_id])

    def cancel_all(self, prompt_ids: Iterable[str]) -> bool:
        """Take prompts from the queue, or stop those that run (``POST /api/jobs/cancel``).

        Servers before 0.30 lack the route; there, queue and interrupt do the same.

        Returns:
            Whether at least one was found waiting or running.

        Raises:
            Unsupported: As for ``cancel``; those that waited are taken from the queue by then.
            ServerError: 400 for an id that is no UUID, from servers since 0.30.
            TypeError: An id is no string.
        """
        wanted = checked_ids(prompt_ids)
        try:
            return self._cancel("/api/jobs/cancel", {"job_ids": wanted})
        except (Unsupported, NotFound):
            return self._elsewhere.cancel(wanted)

    def _page(self, selection: Selection, limit: int | None, offset: int | None) -> JobsPage:
        params = {**selection, "limit": limit, "offset": offset}
        return get(self._transport, "/api/jobs", JobsPage, params=params, since=_SINCE)

    def _pages(self, selection: Selection, page_size: int) -> Iterator[JobInfo]:
        seen: set[str] = set()
        offset, more = 0, True
        while more:
            try:
                page = self._page(selection, page_size, offset)
            except (Unsupported, ServerError) as error:
                if not _is_out_of_order(error):
                    raise
                page = self._elsewhere.page(selection, None, None)  # all at once, since each page costs as much
            for job in page.jobs:
                if job.id not in seen:
                    seen.add(job.id)
                    yield job
            offset += len(page.jobs)
            more = page.pagination.has_more and bool(page.jobs)

    def _cancel(self, path: str, body: dict[str, object]) -> bool:
        response = self._transport.request("POST", path, json_body=body, since=_CANCEL_SINCE)
        return read(self._transport, response, _Cancelled).cancelled


def look_up(transport: Transport, prompt_id: str) -> JobInfo | None:
    """Ask for a job, and for nothing else if that cannot be answered (``GET /api/jobs/{id}``).

    Raises:
        Unsupported: The server has no such route.
        NotFound: It says so in a way of its own, or a proxy does.
        ServerError: 500 if somebody's odd prompt has put the route out of order.
    """
    try:
        return get(transport, f"/api/jobs/{path_segment(prompt_id)}", JobInfo, since=_SINCE)
    except NotFound as error:
        if isinstance(error.body, dict) and error.body.get("error") == "Job not found":
            return None
        raise


def _selection(
    status: Iterable[str] | None, sort_by: str | None, sort_order: str | None, workflow_id: str | None
) -> Selection:
    words = status if status is None or isinstance(status, str) else ",".join(status)
    return {"status": words, "sort_by": sort_by, "sort_order": sort_order, "workflow_id": workflow_id}


def _is_out_of_order(error: Unsupported | ServerError) -> bool:
    """Whether there is no such route, or none that works."""
    return isinstance(error, (Unsupported, NotFound)) or error.status == HTTPStatus.INTERNAL_SERVER_ERROR
