"""From a workflow to a job on the server: what ``run``, ``submit`` and ``map`` of a client have in common."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from comfyclient._tracking import submission
from comfyclient._uploads import Uploads
from comfyclient.config import ACCOUNT_KEYS
from comfyclient.errors import ComfyError, JobTimeout, PromptRejected
from comfyclient.jobs import Job
from comfyclient.workflow import Workflow
from comfyclient.workflow.check import unwritable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from comfyclient._tracking.tracker import Tracker
    from comfyclient.resources import Files, Nodes

_STOPPING = 5.0
"""Seconds for a prompt to be cancelled after Ctrl-C, or when only a part of it was accepted."""
_PREVIEW_METHODS = ("none", "auto", "latent2rgb", "taesd", "default")


class Submitter:
    """Makes jobs of workflows.

    Args:
        tracker: What sends them, and follows them.
        files: Where files of one's own go.
        nodes: What tells which inputs take a file.
        account: The keys of accounts that go along with every prompt.
        url: The address of a path on the server.
    """

    def __init__(
        self,
        tracker: Tracker,
        *,
        files: Files,
        nodes: Nodes,
        account: Mapping[str, str],
        url: Callable[[str], str],
    ) -> None:
        self._tracker = tracker
        self._files = files
        self._nodes = nodes
        self._account = account
        self._url = url

    def request(
        self,
        document: Workflow,
        uploads: Uploads | None = None,
        *,
        front: bool = False,
        number: float | None = None,
        targets: Iterable[str] | None = None,
        extra_data: Mapping[str, Any] | None = None,
        preview_method: str | None = None,
    ) -> submission.Request:
        """What is to be sent; files of one's own are uploaded for it. For the arguments see ``Client.submit``."""
        if preview_method is not None and preview_method not in _PREVIEW_METHODS:
            raise ValueError(f"preview_method is one of {', '.join(_PREVIEW_METHODS)}, not {preview_method!r}")
        document.check()
        extra_data = dict(extra_data or {})
        if preview_method is not None:
            extra_data["preview_method"] = preview_method
        if document.saved_file is not None:
            _embed(extra_data, document.saved_file)
        if isinstance(targets, str):  # one of them, not its letters
            targets = (targets,)
        return submission.Request(
            workflow=(uploads or self.uploads()).place(document),
            front=front,
            number=number,
            targets=None if targets is None else tuple(targets),
            extra_data=extra_data,
        )

    def uploads(self) -> Uploads:
        """What uploads files of one's own, each of them once."""
        return Uploads(self._files, self._nodes)

    def handle(self, request: submission.Request) -> Job:
        """The job that it will be."""
        state = submission.new_job(request.workflow, request.targets)
        # As JSON the graph takes a seventh of the memory, and most jobs never look at it again.
        graph = functools.partial(Workflow.load, request.workflow.to_json().encode())
        return Job(self._tracker, state, graph, targets=request.targets, secrets=self.keys(request.extra_data))

    def keys(self, extra_data: Mapping[str, Any] | None = None) -> tuple[str, ...]:
        """The keys of accounts that go along with a prompt."""
        given = {**self._account, **(extra_data or {})}
        return tuple(str(given[name]) for name in ACCOUNT_KEYS if given.get(name))

    def submit(self, job: Job, request: submission.Request, *, strict: bool) -> None:
        """Send it.

        Raises:
            PromptRejected: The server refused it, or some of it and ``strict`` is set; see ``Client.submit``.
        """
        status = submission.submit(self._tracker, job._state, request)  # noqa: SLF001 - it fills in the jobs that it makes
        job._refused = submission.refused(status)  # noqa: SLF001
        if request.targets is None:
            self._tracker.learn_outputs(request.workflow, job._refused)  # noqa: SLF001
        if not status.node_errors:
            return
        problems = submission.problems(self._tracker, status, request.workflow)
        if not strict:
            job._node_errors = problems  # noqa: SLF001 - it fills in the jobs that it makes
            return
        with contextlib.suppress(JobTimeout):
            job.cancel(_STOPPING)
        rest = "was cancelled" if job.cancelled() else "had run by then" if job.done() else "is being cancelled"
        body = {"error": "some outputs were refused", "node_errors": status.node_errors}
        url = self._url("/prompt")
        raise PromptRejected(200, body, "POST", url, problems, f"some of its outputs; what it accepted {rest}")


@contextlib.contextmanager
def cancelling(job: Job) -> Iterator[None]:
    """Cancel the job if Ctrl-C, or what ``on_event`` raised, ends the block: nobody has a handle for it then."""
    try:
        yield
    except ComfyError:
        raise
    except BaseException:
        if job._state.posted:  # noqa: SLF001 - it fills in the jobs that it makes
            with contextlib.suppress(ComfyError):
                job.cancel(_STOPPING)
        raise


def stopped(job: Job) -> KeyboardInterrupt:
    """A Ctrl-C that says what became of the job.

    A new one: a notebook would show every line on the way to where the first one came.
    """
    if not job._state.posted:  # noqa: SLF001 - it fills in the jobs that it makes
        return KeyboardInterrupt("nothing was submitted")
    end = "was cancelled" if job.cancelled() else "had ended by then" if job.done() else "is being cancelled"
    return KeyboardInterrupt(f"prompt {job.prompt_id} {end}")


def _embed(extra_data: dict[str, Any], saved_file: Mapping[str, Any]) -> None:
    """Send along what the editor saved, as the editor does: then what the server makes opens in it again."""
    info = extra_data.get("extra_pnginfo")
    if (info is None or isinstance(info, Mapping)) and not unwritable(saved_file):
        extra_data["extra_pnginfo"] = {"workflow": saved_file, **(info or {})}
