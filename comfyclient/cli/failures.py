"""What may go wrong, as a person is told and as a program is: every error's message and exit code."""

from __future__ import annotations

import os
from enum import IntEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import click

from comfyclient.cli.documents import ErrorDetails, ProblemDocument
from comfyclient.errors import (
    AuthenticationError,
    ComfyError,
    JobError,
    JobFailed,
    JobTimeout,
    PromptRejected,
    RequestTimeout,
    ServerError,
    ServerUnreachable,
    WorkflowError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from comfyclient.errors import NodeProblem

__all__ = ["EXIT_CODES", "ExitCode", "Interruption", "NotSaved", "details_of", "problem_documents"]


class ExitCode(IntEnum):
    """What the program tells the shell."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REJECTED = 3
    UNREACHABLE = 4
    TIMEOUT = 5
    INTERRUPTED = 130
    PIPE = 141
    TERMINATED = 143


EXIT_CODES = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "the job failed, was stopped by somebody or is lost; or something else went wrong",
    ExitCode.USAGE: "the command line or the configuration file is wrong, or an extra is not installed",
    ExitCode.REJECTED: "the workflow is wrong, or the server refused it",
    ExitCode.UNREACHABLE: "no server answers, or it does not let you in",
    ExitCode.TIMEOUT: "not done in time; the job goes on",
    ExitCode.INTERRUPTED: "Ctrl-C",
    ExitCode.PIPE: "whoever read the output has gone",
    ExitCode.TERMINATED: "SIGTERM, which is taken like Ctrl-C",
}
"""What each of them means, for ``--help`` and the reference."""


class Interruption(KeyboardInterrupt):
    """Ctrl-C, or SIGTERM, which is taken like it so that nothing is left behind.

    Attributes:
        message: What a person is told.
        exit_code: The exit code of the program.
        prompt_id: The job that it was about.
    """

    def __init__(self, message: str, exit_code: ExitCode, prompt_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.prompt_id = prompt_id

    @classmethod
    def of(cls, exit_code: ExitCode, message: str = "", prompt_id: str | None = None) -> Interruption:
        """One with what became of a job."""
        said = "terminated" if exit_code == ExitCode.TERMINATED else "interrupted"
        return cls(f"{said}; {message}" if message else said, exit_code, prompt_id)


class NotSaved(click.ClickException):
    """A job is done, and what it made cannot be written.

    Attributes:
        prompt_id: The job.
    """

    def __init__(self, error: OSError, prompt_id: str) -> None:
        super().__init__(f"{_file(error)}; the job is done, and 'comfyclient outputs {prompt_id}' has its files")
        self.prompt_id = prompt_id


_GATEWAY = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
"""What a proxy answers when no server does."""
_CODES: tuple[tuple[type[BaseException], ExitCode], ...] = (  # the first that fits
    (JobTimeout, ExitCode.TIMEOUT),
    (RequestTimeout, ExitCode.TIMEOUT),
    (PromptRejected, ExitCode.REJECTED),
    (WorkflowError, ExitCode.REJECTED),
    (AuthenticationError, ExitCode.UNREACHABLE),
    (ServerUnreachable, ExitCode.UNREACHABLE),
    (KeyboardInterrupt, ExitCode.INTERRUPTED),
    (click.Abort, ExitCode.INTERRUPTED),
    (click.UsageError, ExitCode.USAGE),
    (ImportError, ExitCode.USAGE),
    (FileNotFoundError, ExitCode.USAGE),
    (IsADirectoryError, ExitCode.USAGE),
)


def details_of(error: BaseException) -> ErrorDetails:
    """What there is to say about an error that ends a command."""
    code = next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.FAILED)
    kind, message = type(error).__name__, str(error)
    more: dict[str, Any] = {}
    match error:
        case JobFailed():
            message = f"{error.message} (job {error.prompt_id})"
            more = {
                "node_id": error.node_id or None,
                "node_type": error.node_type or None,
                "exception_type": error.exception_type or None,
                "exception_message": error.exception_message,
                "traceback": error.traceback,
            }
        case JobTimeout():
            message = message.replace("job.cancel()", f"comfyclient cancel {error.prompt_id}")
        case ServerError() if error.status in _GATEWAY:
            code = ExitCode.UNREACHABLE
        case PromptRejected():
            more = {"problems": problem_documents(error.problems)}
        case Interruption():
            kind, message, code = "Interrupted", error.message, error.exit_code
        case ComfyError():
            pass
        case _:
            kind, message = _words(error)
    if isinstance(error, (JobError, Interruption, NotSaved)):
        more["prompt_id"] = error.prompt_id
    return ErrorDetails(type=kind, message=message, exit_code=code, **more)


def _words(error: BaseException) -> tuple[str, str]:
    """Kind and message of an error of the program itself and of its surroundings."""
    match error:
        case KeyboardInterrupt() | click.Abort():
            return "Interrupted", "interrupted"
        case click.UsageError():
            return "Usage", _usage(error)
        case ImportError():
            return "Usage", str(error)
        case click.ClickException() | OSError():
            return "File", _file(error)
    return "Internal", f"this is a fault of comfyclient: {type(error).__name__}: {error} (--debug shows where)"


def _usage(error: click.UsageError) -> str:
    message = error.format_message()
    if error.ctx is None:
        return message
    return f"{message}\nSee {error.ctx.command_path} --help."


def _file(error: click.ClickException | OSError) -> str:
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, FileExistsError) and error.filename is not None:
        return f"{os.fsdecode(error.filename)} exists; --overwrite replaces it"
    if error.filename is not None and error.strerror:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    return str(error)


def problem_documents(problems: Iterable[NodeProblem]) -> tuple[ProblemDocument, ...]:
    """What the server refused, and why."""
    return tuple(
        ProblemDocument(
            severity="error",
            kind=problem.type,
            node_id=problem.node_id,
            class_type=problem.class_type,
            title=problem.title,
            input_name=problem.input_name,
            message=problem.message,
            suggestions=problem.suggestions,
        )
        for problem in problems
    )
