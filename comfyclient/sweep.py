"""Running one workflow many times with other inputs: ``client.map``."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from comfyclient.errors import ClientClosed, ComfyError, WorkflowError
from comfyclient.jobs import Job
from comfyclient.waiting import Finish
from comfyclient.workflow.wording import shown

if TYPE_CHECKING:
    from comfyclient.results import Result
    from comfyclient.workflow import Workflow

__all__ = ["Variation"]

_STOPPING = 5.0
"""Seconds for each of the jobs in flight to be cancelled when nobody wants them any more."""


@frozen(eq=False)
class Variation:
    """One run of a ``client.map``, ended.

    Attributes:
        index: Its place in the order of the variations, from 0.
        changes: What was set.
        job: Its job, or ``None`` if it could not be submitted.
        error: What went wrong, or ``None``.
    """

    index: int
    changes: Mapping[str, Any]
    job: Job | None = None
    error: ComfyError | None = field(default=None, repr=lambda error: type(error).__name__ if error else "None")

    def result(self) -> Result:
        """What it left behind; it has ended, so this does not wait.

        Raises:
            ComfyError: ``error``.
        """
        if self.error is not None:
            raise self.error
        assert self.job is not None  # noqa: S101 - one of the two is there
        return self.job.result()


def sweep(
    submit: Callable[..., Job],
    workflow: Workflow,
    variations: Iterable[Mapping[str, Any]],
    *,
    in_flight: int,
    in_order: bool,
    **options: Any,
) -> Iterator[Variation]:
    """See ``Client.map``."""
    if in_flight < 1:
        msg = f"in_flight is at least 1, not {in_flight}"
        raise ValueError(msg)
    return _sweep(submit, workflow, enumerate(variations), in_flight, in_order=in_order, options=options)


def _sweep(
    submit: Callable[..., Job],
    workflow: Workflow,
    variations: Iterator[tuple[int, Mapping[str, Any]]],
    in_flight: int,
    *,
    in_order: bool,
    options: Mapping[str, Any],
) -> Iterator[Variation]:
    changes_of: dict[Job, tuple[int, Mapping[str, Any]]] = {}
    finish = Finish()
    ended: dict[int, Variation] = {}
    expected = 0
    try:
        while True:
            for index, changes in itertools.islice(variations, in_flight - len(finish.pending)):
                job, error = _submitted(submit, workflow, changes, options)
                if job is None:
                    ended[index] = Variation(index, changes, None, error)
                else:
                    changes_of[job] = (index, changes)
                    finish.add(job)
            ready = [expected] if in_order and expected in ended else list(ended) if not in_order else []
            for index in ready:
                yield ended.pop(index)
                expected += 1
            if ready:
                continue
            if not finish.pending:
                return
            for job in finish.take():
                index, changes = changes_of.pop(job)
                ended[index] = Variation(index, changes, job, job.exception())
    except KeyboardInterrupt:  # a notebook would show every line on the way to where it waited
        raise KeyboardInterrupt(f"{len(changes_of)} prompts that waited or ran are cancelled") from None
    finally:
        finish.close()
        _stop(changes_of)


def _submitted(
    submit: Callable[..., Job], workflow: Workflow, changes: Any, options: Mapping[str, Any]
) -> tuple[Job | None, ComfyError | None]:
    """The job, or what went wrong."""
    try:
        return submit(_changed(workflow, changes), **options), None
    except ClientClosed:
        raise  # it would be the same for all that follow
    except ComfyError as error:
        return None, error


def _changed(workflow: Workflow, changes: Any) -> Workflow:
    if not isinstance(changes, Mapping) or not all(isinstance(path, str) for path in changes):
        raise WorkflowError(f"a variation is an object such as {{'6.text': 'a fox'}}, not {shown(changes)}")
    document = workflow.copy()
    document.set(changes)
    return document


def _stop(jobs: Iterable[Job]) -> None:
    """Cancel what nobody waits for any more, the last one first, so that none of them begins meanwhile."""
    # An abandoned loop may be collected in any thread; those of a client must not wait for answers.
    patience = 0.0 if threading.current_thread().name.startswith("comfyclient-") else _STOPPING
    for job in reversed(list(jobs)):
        with contextlib.suppress(ComfyError):
            job.cancel(patience)
