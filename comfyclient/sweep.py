"""Running one workflow many times with other inputs: ``client.map``."""

from __future__ import annotations

import contextlib
import itertools
import operator
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from comfyclient.errors import ClientClosed, ComfyError, WorkflowError
from comfyclient.jobs import Job
from comfyclient.waiting import Finish
from comfyclient.workflow.wording import shown

if TYPE_CHECKING:
    from comfyclient.display.watching import SweepWatching
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
    watching: SweepWatching | contextlib.nullcontext[None],
    **options: Any,
) -> Iterator[Variation]:
    """See ``Client.map``."""
    if in_flight < 1:
        msg = f"in_flight is at least 1, not {in_flight}"
        raise ValueError(msg)
    total = operator.length_hint(variations) or None
    runs = _Runs(submit, workflow, in_flight, in_order=in_order, options=options)
    return runs.watched(enumerate(variations), watching, total)


class _Runs:
    """The runs of one ``Client.map``. Of the thread that takes its variations."""

    def __init__(
        self,
        submit: Callable[..., Job],
        workflow: Workflow,
        in_flight: int,
        *,
        in_order: bool,
        options: Mapping[str, Any],
    ) -> None:
        self._submit = submit
        self._workflow = workflow
        self._in_flight = in_flight
        self._in_order = in_order
        self._options = options
        self._running: dict[Job, tuple[int, Mapping[str, Any]]] = {}
        self._ended: dict[int, Variation] = {}
        self._finish = Finish()
        self._watcher: SweepWatching | None = None

    def watched(
        self,
        variations: Iterator[tuple[int, Mapping[str, Any]]],
        watching: SweepWatching | contextlib.nullcontext[None],
        total: int | None,
    ) -> Iterator[Variation]:
        """Each of them as it ends; what is in flight when the loop is left is cancelled."""
        with watching as self._watcher:  # the last that is drawn is what became of them
            if self._watcher is not None:
                self._watcher.begin(total, self._running)
            try:
                yield from self._each(variations)
            except KeyboardInterrupt:  # a notebook would show every line on the way to where it waited
                raise KeyboardInterrupt(f"{len(self._running)} prompts that waited or ran are cancelled") from None
            finally:
                self._finish.close()
                _stop(self._running)

    def _each(self, variations: Iterator[tuple[int, Mapping[str, Any]]]) -> Iterator[Variation]:
        expected = 0
        while True:
            for index, changes in itertools.islice(variations, self._in_flight - len(self._finish.pending)):
                self._begin(index, changes)
            ready = [index for index in self._ended if index == expected or not self._in_order]
            for index in ready:
                yield self._ended.pop(index)
                expected += 1
            if ready:
                continue
            if not self._finish.pending:
                break
            self._take()
        if self._watcher is not None:
            self._watcher.finish()

    def _begin(self, index: int, changes: Mapping[str, Any]) -> None:
        job, error = _submitted(self._submit, self._workflow, changes, self._options)
        if job is None:
            self._end(Variation(index, changes, None, error))
        else:
            self._running[job] = (index, changes)
            self._finish.add(job)

    def _take(self) -> None:
        """Wait for the next ones to end."""
        for job in self._finish.take(glance=bool if self._watcher is None else self._watcher.glance):
            index, changes = self._running.pop(job)
            self._end(Variation(index, changes, job, job.exception()))

    def _end(self, variation: Variation) -> None:
        self._ended[variation.index] = variation
        if self._watcher is not None:
            self._watcher.count(failed=variation.error is not None)


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
