"""What may go wrong, as a person is told and as a program is: every error's message and exit code."""

from __future__ import annotations

import os
from enum import IntEnum

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
    ServerUnreachable,
    WorkflowError,
)

__all__ = ["EXIT_CODES", "ExitCode", "Terminated", "details_of"]


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


class Terminated(KeyboardInterrupt):
    """SIGTERM: taken like Ctrl-C, so that nothing is left behind, with an exit code of its own."""


_CODES: tuple[tuple[type[BaseException], ExitCode], ...] = (  # the first that fits
    (JobTimeout, ExitCode.TIMEOUT),
    (RequestTimeout, ExitCode.TIMEOUT),
    (PromptRejected, ExitCode.REJECTED),
    (WorkflowError, ExitCode.REJECTED),
    (AuthenticationError, ExitCode.UNREACHABLE),
    (ServerUnreachable, ExitCode.UNREACHABLE),
    (Terminated, ExitCode.TERMINATED),
    (KeyboardInterrupt, ExitCode.INTERRUPTED),
    (click.Abort, ExitCode.INTERRUPTED),
    (click.UsageError, ExitCode.USAGE),
    (ImportError, ExitCode.USAGE),
)


def details_of(error: BaseException) -> ErrorDetails:
    """What there is to say about an error that ends a command."""
    code = next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.FAILED)
    kind, message = type(error).__name__, str(error)
    match error:
        case JobFailed():
            return ErrorDetails(
                type=kind,
                message=f"{error.message} (job {error.prompt_id})",
                exit_code=code,
                prompt_id=error.prompt_id,
                node_id=error.node_id or None,
                node_type=error.node_type or None,
                exception_type=error.exception_type or None,
                exception_message=error.exception_message,
                traceback=error.traceback,
            )
        case JobTimeout():
            message = f"job {error.prompt_id} has not ended in time and goes on"
            message += f"; comfyclient cancel {error.prompt_id} stops it"
            return ErrorDetails(type=kind, message=message, exit_code=code, prompt_id=error.prompt_id)
        case JobError():
            return ErrorDetails(type=kind, message=message, exit_code=code, prompt_id=error.prompt_id)
        case PromptRejected():
            return ErrorDetails(type=kind, message=message, exit_code=code, problems=_problems(error))
        case ComfyError():
            return ErrorDetails(type=kind, message=message, exit_code=code)
    kind, message = _words(error)
    return ErrorDetails(type=kind, message=message, exit_code=code)


def _words(error: BaseException) -> tuple[str, str]:
    """Kind and message of an error of the program itself and of its surroundings."""
    match error:
        case KeyboardInterrupt() | click.Abort():
            return "Interrupted", "terminated" if isinstance(error, Terminated) else "interrupted"
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


def _problems(error: PromptRejected) -> tuple[ProblemDocument, ...]:
    return tuple(
        ProblemDocument(
            node_id=problem.node_id,
            class_type=problem.class_type,
            title=problem.title,
            input_name=problem.input_name,
            message=problem.message,
            suggestions=problem.suggestions,
        )
        for problem in error.problems
    )
