"""``comfyclient submit``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from comfyclient.cli.command import command
from comfyclient.cli.documents import ProblemDocument
from comfyclient.cli.failures import problem_documents
from comfyclient.cli.submission import prepare, workflow_options

if TYPE_CHECKING:
    from comfyclient.cli.app import App


@frozen(kw_only=True)
class SubmittedDocument:
    """A job that was submitted.

    Attributes:
        prompt_id: Its id.
        number: Its place in the order of execution; the lowest runs first.
        refused: With ``--partial``, what the server left out, and why.
    """

    prompt_id: str
    number: float | None
    refused: tuple[ProblemDocument, ...]


@command(
    SubmittedDocument,
    examples="""
$ comfyclient submit portrait.json --set 6.text="a fox"
$ job=$(comfyclient submit portrait.json)
$ comfyclient watch "$job" && comfyclient outputs "$job" --output out/
""",
)
@workflow_options
def submit(app: App, file: str, **options: Any) -> None:
    """Put a workflow into the queue and print the job's id.

    FILE is a workflow as the editor saves or exports it, or an image, a video or a sound that has one in it: a path, an
    address, or - for standard input.
    """
    submit_and_show(app, file, **options)


def submit_and_show(
    app: App,
    file: str,
    *,
    values: tuple[str, ...],
    inputs: tuple[str, ...],
    targets: tuple[str, ...],
    front: bool,
    partial: bool,
) -> None:
    """What the command does."""
    workflow = prepare(app, file, values, inputs)
    job = app.client.submit(workflow, front=front, targets=targets or None, strict=not partial)
    for problem in job.node_errors:
        app.out.warn(f"left out: node {problem.node_id} {problem.title!r}: {problem.message}")
    refused = problem_documents(job.node_errors)
    app.out.result(SubmittedDocument(prompt_id=job.prompt_id, number=job.number, refused=refused), job.prompt_id)
