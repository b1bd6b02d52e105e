"""What errors say, what they keep to themselves, and that they survive a process boundary."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from comfyclient import errors
from comfyclient.errors import (
    AuthenticationError,
    ClientClosed,
    ComfyError,
    DecodeError,
    JobError,
    JobFailed,
    JobInterrupted,
    JobLost,
    JobTimeout,
    NodeProblem,
    NotFound,
    PromptRejected,
    RequestTimeout,
    ServerError,
    ServerUnreachable,
    Unsupported,
    WorkflowError,
    first_line,
)

URL = "http://comfy:8188/prompt"
PROBLEM = NodeProblem("4", "KSampler", "Sampler", "value_not_in_list", "scheduler: 'simpel' is unknown", "scheduler")
REFUSAL = {
    "error": {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation", "details": ""},
    "node_errors": {"4": {"errors": [], "dependent_outputs": ["9"], "class_type": "KSampler"}},
}

EXAMPLES = [
    ComfyError("anything"),
    ServerUnreachable("http://comfy:8188", "[Errno 111] Connection refused"),
    ServerUnreachable("http://comfy:8188", "[Errno 104] Connection reset by peer", maybe_sent=True),
    RequestTimeout("GET", URL, 2.5),
    ServerError(500, "500 Internal Server Error\n\nServer got itself in trouble", "POST", URL),
    NotFound(404, "", "GET", URL),
    AuthenticationError(401, {"error": "no"}, "GET", URL),
    PromptRejected(400, REFUSAL, "POST", URL, (PROBLEM,)),
    PromptRejected(400, REFUSAL, "POST", URL, (), "no outputs"),
    DecodeError(URL, ("a string is due, not null @ $.prompt_id", "'number' is missing @ $.number")),
    WorkflowError("node 4 links to 99, which is not there"),
    JobError("id", "something else"),
    JobFailed("id", "4", "KSampler", "Sampler", "ValueError", "no\n", ("File a\n", "File b\n"), {"key": ["secret"]}),
    JobInterrupted("id", "interrupted"),
    JobLost("id", "gone"),
    JobTimeout("id", "not done within 3 s"),
    ClientClosed(),
    ClientClosed("closed meanwhile"),
    Unsupported("GET /api/jobs", "0.9.0", "http://comfy:8188"),
]


def named(error: BaseException) -> str:
    return type(error).__name__


def every_class(base: type[ComfyError] = ComfyError) -> set[type[ComfyError]]:
    return {base}.union(*(every_class(sub) for sub in base.__subclasses__() if sub.__module__ == errors.__name__))


def test_there_is_an_example_of_every_class() -> None:
    assert {type(error) for error in EXAMPLES} == every_class()


@pytest.mark.parametrize("error", EXAMPLES, ids=named)
@pytest.mark.parametrize("through", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])  # noqa: S301
def test_an_error_survives_pickling_and_copying(error: ComfyError, through: Any) -> None:
    other = through(error)

    assert type(other) is type(error)
    assert str(other) == str(error)
    assert other.args == error.args
    assert vars(other) == vars(error)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (ServerUnreachable("http://comfy", "refused"), ConnectionError),
        (RequestTimeout("GET", URL, 1), TimeoutError),
        (JobTimeout("id", "late"), TimeoutError),
    ],
    ids=named,
)
def test_builtin_kinds_are_kept_without_their_odd_attributes(error: OSError, builtin: type[OSError]) -> None:
    assert isinstance(error, builtin)
    assert isinstance(error, ComfyError)
    # OSError would read the first arguments as errno, strerror and filename.
    assert (error.errno, error.strerror, error.filename) == (None, None, None)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (EXAMPLES[1], "no ComfyUI server answers at http://comfy:8188 ([Errno 111] Connection refused)"),
        (EXAMPLES[2], "http://comfy:8188 gave no complete answer: [Errno 104] Connection reset by peer"),
        (EXAMPLES[3], "GET http://comfy:8188/prompt: no answer within 2.5 s"),
        (EXAMPLES[4], "POST http://comfy:8188/prompt answered 500: 500 Internal Server Error"),
        (EXAMPLES[5], "GET http://comfy:8188/prompt answered 404: an empty body"),
        (EXAMPLES[6], "answered 401: no"),
        (EXAMPLES[7], "node 4 'Sampler' (KSampler): scheduler: 'simpel' is unknown"),
        (EXAMPLES[8], "the server refused the workflow: no outputs"),
        (EXAMPLES[9], "a string is due, not null @ $.prompt_id; 'number' is missing @ $.number"),
        (EXAMPLES[12], "node 4 'Sampler' (KSampler) raised ValueError: no\nOn the server:\nFile a\nFile b"),
        (EXAMPLES[16], "this client is closed"),
        (EXAMPLES[18], "the ComfyUI at http://comfy:8188 does not have GET /api/jobs, which came with version 0.9.0"),
    ],
)
def test_what_an_error_says(error: ComfyError, text: str) -> None:
    assert text in str(error)


def test_the_repr_is_the_message_and_keeps_bodies_and_inputs_to_itself() -> None:
    failed = EXAMPLES[12]
    refused = ServerError(413, "too large\n" + "secret", "POST", URL)

    assert "secret" not in repr(failed)
    assert repr(refused) == "ServerError('POST http://comfy:8188/prompt answered 413: too large')"


def test_a_refusal_keeps_the_servers_own_words() -> None:
    error = PromptRejected(400, REFUSAL, "POST", URL, (PROBLEM,))

    assert error.error == REFUSAL["error"]
    assert error.node_errors == REFUSAL["node_errors"]
    assert error.problems == (PROBLEM,)


@pytest.mark.parametrize("body", ["<html>", None, [], {"node_errors": []}, {"error": "no prompt", "node_errors": []}])
def test_a_refusal_of_another_form_has_no_node_errors(body: Any) -> None:
    error = PromptRejected(400, body, "POST", URL)

    assert error.node_errors == {}
    assert str(error).startswith("the server refused the workflow")


def test_a_failed_job_without_a_message_or_a_traceback() -> None:
    error = JobFailed("id", "4", "KSampler", "KSampler", "graph.DependencyCycleError", "\n")

    assert str(error) == "node 4 'KSampler' raised graph.DependencyCycleError without a message"
    assert error.exception_message == ""


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (None, ""),
        ("", ""),
        ("\n  \n  one\ntwo", "one"),
        ({"error": "Job not found"}, "Job not found"),
        ({"error": {"message": "Bad", "details": "why"}}, "Bad: why"),
        ({"error": {"message": "Bad", "details": ""}}, "Bad"),
        ({"error": {"message": "No prompt provided", "details": "No prompt provided"}}, "No prompt provided"),
        ({"error": {"code": "SERVICE_DISABLED", "message": "Off"}}, "Off"),
        ({"error": None}, ""),
        ({"error": {"error": {"error": "deep"}}}, "deep"),
        ({"message": "plain"}, "plain"),
        ([1, 2], "[1, 2]"),
        ("<html>\r\n<head><title>502 Bad Gateway</title></head>", "502 Bad Gateway"),
        ("<html>\n<body>no title", "<html>"),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_the_first_line_that_says_something(body: Any, line: str) -> None:
    assert first_line(body) == line


def test_deeply_nested_bodies_are_no_problem() -> None:
    body: Any = "deep"
    for _ in range(100_000):
        body = {"error": body}

    assert first_line(body) == "deep"
    while isinstance(body, dict):  # taken apart by hand: old versions of Python do not free it otherwise
        body = body.pop("error")
