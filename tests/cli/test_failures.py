"""Every error has its exit code, and a message for people who do not write Python."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING

import click
import pytest

from comfyclient import errors
from comfyclient.cli.documents import ErrorDocument, dumps
from comfyclient.cli.failures import ExitCode, Interruption, NotSaved, details_of
from tests.cli.documents import check
from tests.fakes import FlakyServer, reply

if TYPE_CHECKING:
    from tests.cli.program import Program

CODES = [
    (errors.ServerUnreachable("http://x", "refused"), ExitCode.UNREACHABLE),
    (errors.AuthenticationError(401, "", "GET", "http://x"), ExitCode.UNREACHABLE),
    (errors.RequestTimeout("GET", "http://x", 60), ExitCode.TIMEOUT),
    (errors.JobTimeout("1", "job.cancel() stops it"), ExitCode.TIMEOUT),
    (errors.PromptRejected(400, {}, "POST", "http://x"), ExitCode.REJECTED),
    (errors.WorkflowError("wrong"), ExitCode.REJECTED),
    (errors.JobFailed("1", "2", "KSampler", "", "ValueError", "because"), ExitCode.FAILED),
    (errors.JobInterrupted("1", "interrupted"), ExitCode.FAILED),
    (errors.JobLost("1", "lost"), ExitCode.FAILED),
    (errors.JobError("1", "whatever"), ExitCode.FAILED),
    (errors.ServerError(500, "", "GET", "http://x"), ExitCode.FAILED),
    (errors.ServerError(502, "", "GET", "http://x"), ExitCode.UNREACHABLE),
    (errors.ServerError(503, "", "GET", "http://x"), ExitCode.UNREACHABLE),
    (errors.ServerError(504, "", "GET", "http://x"), ExitCode.UNREACHABLE),
    (errors.NotFound(404, "", "GET", "http://x"), ExitCode.FAILED),
    (errors.Unsupported("that", "0.9", "http://x"), ExitCode.FAILED),
    (errors.DecodeError("http://x", ("wrong",)), ExitCode.FAILED),
    (errors.ClientClosed(), ExitCode.FAILED),
    (errors.ComfyError("whatever"), ExitCode.FAILED),
    (click.UsageError("wrong"), ExitCode.USAGE),
    (ImportError("images need Pillow: pip install 'comfyclient[images]'"), ExitCode.USAGE),
    (FileNotFoundError(2, "No such file", "x.json"), ExitCode.USAGE),
    (PermissionError(13, "Permission denied", "x.json"), ExitCode.FAILED),
    (OSError("no details"), ExitCode.FAILED),
    (click.FileError("x.json", "unreadable"), ExitCode.FAILED),
    (NotSaved(OSError(28, "No space left on device"), "1"), ExitCode.FAILED),
    (ZeroDivisionError("a fault"), ExitCode.FAILED),
    (KeyboardInterrupt(), ExitCode.INTERRUPTED),
    (click.Abort(), ExitCode.INTERRUPTED),
    (Interruption.of(ExitCode.INTERRUPTED, "job 1 is cancelled", "1"), ExitCode.INTERRUPTED),
    (Interruption.of(ExitCode.TERMINATED), ExitCode.TERMINATED),
]


@pytest.mark.parametrize(("error", "code"), CODES, ids=lambda value: type(value).__name__)
def test_the_exit_code_of_an_error(error: BaseException, code: ExitCode) -> None:
    details = details_of(error)
    assert details.exit_code == code
    assert details.message
    assert "job.cancel" not in details.message
    check(json.loads(dumps(ErrorDocument(details))), ErrorDocument)


def test_no_error_is_forgotten() -> None:
    ours = {cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, errors.ComfyError)}
    assert ours <= {type(error) for error, _ in CODES}


def test_a_job_is_named() -> None:
    assert details_of(errors.JobLost("1", "lost")).prompt_id == "1"
    assert details_of(Interruption.of(ExitCode.INTERRUPTED, "it is cancelled", "1")).prompt_id == "1"


def test_a_server_that_lets_nobody_in(program: Program) -> None:
    with FlakyServer(reply(401)) as server:
        said = program.inside("queue", "--url", server.url, code=4).err
        assert "answered 401" in said
        assert "--token" in said
