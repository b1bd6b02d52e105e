"""``comfyclient run``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from comfyclient.cli.command import command
from comfyclient.cli.commands.submit import SubmittedDocument, submit_and_show
from comfyclient.cli.failures import Interruption, problem_documents
from comfyclient.cli.results import Place, ResultDocument, output_options, show_result
from comfyclient.cli.submission import change, prepare, workflow_options
from comfyclient.cli.watching import Bar

if TYPE_CHECKING:
    from comfyclient.cli.app import App
    from comfyclient.display.progress import JobProgress
    from comfyclient.jobs import Job
    from comfyclient.workflow import Workflow


@command(
    ResultDocument,
    SubmittedDocument,
    examples="""
$ comfyclient run portrait.json --output fox.png
$ comfyclient run portrait.json --set 6.text="a fox" --set KSampler.seed=random --output out/
$ comfyclient run portrait.json --set KSampler.seed=random --count 4 --output out/
$ comfyclient run upscale.json --input photo.png --output out/ --timeout 600
$ comfyclient run fox.png --set KSampler.seed=random        # the workflow in an image
$ comfyclient run portrait.json --json | jq -r '.files[].url'
""",
)
@workflow_options
@output_options
@click.option(
    "--count",
    type=click.IntRange(min=1),
    default=1,
    metavar="NUMBER",
    help="Run it so many times, one after the other, drawing 'random' anew. Ends with the first failure. With --json, "
    "each result is a line.",
)
@click.option("--no-wait", is_flag=True, help="Submit it, print its id, and go: as 'comfyclient submit'.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Wait no longer. The job goes on, and the exit code is 5.",
)
def run(
    app: App,
    file: str,
    *,
    values: tuple[str, ...],
    inputs: tuple[str, ...],
    output: str | None,
    overwrite: bool,
    count: int,
    no_wait: bool,
    timeout: float | None,
    **options: Any,
) -> None:
    """Run a workflow and save what it makes.

    FILE is a workflow as the editor saves or exports it, or an image, a video or a sound that has one in it: a path, an
    address, or - for standard input.

    Prints where the files are: their paths with --output, their addresses without. Then the texts that nodes showed.
    Progress is shown in a terminal.

    Ctrl-C, or SIGTERM, cancels the job on the server and waits until that is certain; a second one leaves at once.
    """
    if no_wait:
        if output is not None or timeout is not None or count > 1:
            raise click.UsageError(
                "--no-wait leaves nothing to wait for or to save; 'comfyclient outputs' saves later."
            )
        submit_and_show(app, file, values=values, inputs=inputs, **options)
        return
    app.out.is_stream = count > 1
    place = None if output is None else Place(output, overwrite=overwrite)
    workflow = prepare(app, file, values, inputs)
    for number in range(count):
        if number:
            change(app, workflow, values)
        _run(app, workflow, place, timeout, **options)


def _run(
    app: App,
    workflow: Workflow,
    place: Place | None,
    timeout: float | None,
    *,
    targets: tuple[str, ...],
    front: bool,
    partial: bool,
) -> None:
    """Run it once."""
    watched = _Watched(app)
    try:
        result = app.client.run(
            workflow,
            timeout=timeout,
            progress=watched.draw,
            front=front,
            targets=targets or None,
            strict=not partial,
        )
    except KeyboardInterrupt:
        raise watched.interrupted() from None
    finally:
        app.farewell = b""
    try:
        refused = watched.refused()
        app.out.note(watched.headline)
        show_result(app, result, place, refused=refused)
    except KeyboardInterrupt:
        end = f"job {result.prompt_id} had ended; 'comfyclient outputs' has its files"
        raise Interruption.of(app.interrupted_by, end, result.prompt_id) from None


class _Watched:
    """The job that is run, and what is told of it meanwhile."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._bar = Bar(app.out)
        self._job: Job | None = None
        self.headline = ""

    def draw(self, progress: JobProgress) -> None:
        """The progress so far."""
        if self._job is None:
            self._job = progress.job
            self._app.farewell = b"cancelling the job; Ctrl-C again leaves at once\n"
            self._app.out.note(f"job {self._job.prompt_id}")
        self._bar.draw(progress)
        self.headline = progress.headline

    def refused(self) -> Any:
        """What the server left out of it."""
        problems = () if self._job is None else self._job.node_errors
        for problem in problems:
            self._app.out.warn(f"left out: node {problem.node_id} {problem.title!r}: {problem.message}")
        return problem_documents(problems)

    def interrupted(self) -> Interruption:
        """What became of the job when somebody pressed Ctrl-C; the client has cancelled it."""
        job, code = self._job, self._app.interrupted_by
        if job is None:
            return Interruption.of(code)
        end = (
            "was told to stop, and has not yet"
            if not job.done()
            else "is cancelled"
            if job.cancelled()
            else "had ended"
        )
        return Interruption.of(code, f"job {job.prompt_id} {end}", job.prompt_id)
