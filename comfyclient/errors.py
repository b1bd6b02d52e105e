"""What can go wrong, one class for each kind.

::

    ComfyError
    ├─ ServerUnreachable      (also ConnectionError)  no connection, or it broke
    ├─ RequestTimeout         (also TimeoutError)     the server accepted the request and did not answer in time
    ├─ ServerError                                    any other 4xx or 5xx answer
    │  ├─ NotFound                                    404
    │  ├─ AuthenticationError                         401, 403
    │  └─ PromptRejected                              POST /prompt refused the workflow
    ├─ Unsupported                                    the server is too old for that
    ├─ DecodeError                                    an answer that is not what its route promises
    ├─ WorkflowError                                  the document itself is wrong; nothing was sent
    ├─ JobError
    │  ├─ JobFailed                                   a node raised
    │  ├─ JobInterrupted                              somebody stopped it
    │  ├─ JobLost                                     neither queued, running nor in the history
    │  └─ JobTimeout          (also TimeoutError)     our patience ended; the prompt goes on
    └─ ClientClosed                                   the client was closed before or meanwhile

Every class is plain and picklable: the constructor's arguments are its ``args``.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from attrs import frozen

from comfyclient._displayed import Displayed


class ComfyError(Exception):
    """Base of everything that comfyclient raises on purpose."""

    def __init__(self, *args: Any) -> None:
        super().__init__()  # without them, since OSError would take two of them for its errno and strerror
        self.args = args

    def __repr__(self) -> str:
        # The message, not the arguments: a body or a node's inputs may hold secrets, and fill pages.
        return f"{type(self).__name__}({str(self)!r})"

    def _render_traceback_(self) -> list[str]:
        from comfyclient.display.raised import lines  # noqa: PLC0415 - for IPython only, which asks for this

        return lines(self)


class ServerUnreachable(ComfyError, ConnectionError):
    """No connection to the server, or no complete answer over it.

    Attributes:
        url: The address that was tried, without credentials.
        reason: What the operating system or the connection said.
        maybe_sent: Whether the request may have reached the server.
    """

    def __init__(self, url: str, reason: str, maybe_sent: bool = False) -> None:  # noqa: FBT001, FBT002 - args of a picklable exception
        super().__init__(url, reason, maybe_sent)
        self.url = url
        self.reason = reason
        self.maybe_sent = maybe_sent

    def __str__(self) -> str:
        if self.maybe_sent:
            return f"{self.url} gave no complete answer: {self.reason}"
        return f"no ComfyUI server answers at {self.url} ({self.reason}); is it running, and is this its address?"


class RequestTimeout(ComfyError, TimeoutError):
    """The server took the request and did not answer in time.

    Attributes:
        method: The HTTP verb.
        url: The address, without credentials.
        seconds: How long the client waited for a byte.
    """

    def __init__(self, method: str, url: str, seconds: float) -> None:
        super().__init__(method, url, seconds)
        self.method = method
        self.url = url
        self.seconds = seconds

    def __str__(self) -> str:
        return f"{self.method} {self.url}: no answer within {self.seconds:g} s"


class ServerError(ComfyError):
    """The server answered with an error status.

    Attributes:
        status: The HTTP status code.
        body: The body: parsed when it is JSON, otherwise text.
        method: The HTTP verb.
        url: The address, without credentials.
    """

    def __init__(self, status: int, body: Any, method: str, url: str) -> None:
        super().__init__(status, body, method, url)
        self.status = status
        self.body = body
        self.method = method
        self.url = url

    def __str__(self) -> str:
        return f"{self.method} {self.url} answered {self.status}: {first_line(self.body) or 'an empty body'}"


class NotFound(ServerError):
    """404: the server has no such thing, or no such route."""


class AuthenticationError(ServerError):
    """401 or 403: credentials are missing, wrong, or not enough."""


class Unsupported(ComfyError):
    """The server is too old for what was asked of it.

    Attributes:
        what: What it lacks, such as ``"GET /api/jobs"``.
        since: The version of ComfyUI that brought it.
        url: The server's address, without credentials.
    """

    def __init__(self, what: str, since: str, url: str) -> None:
        super().__init__(what, since, url)
        self.what = what
        self.since = since
        self.url = url

    def __str__(self) -> str:
        return f"the ComfyUI at {self.url} does not have {self.what}, which came with version {self.since}"


@frozen
class NodeProblem:
    """One reason why the server refused a node.

    Attributes:
        node_id: The node the server blames.
        class_type: Its class.
        title: Its title in the editor, or its class.
        type: The server's word for the reason, such as ``"value_not_in_list"``.
        message: The reason in a sentence, with the input, the value and what is allowed.
        input_name: The input, where one is to blame.
        received_value: The value that was sent.
        suggestions: The nearest allowed names, best first.
    """

    node_id: str
    class_type: str
    title: str
    type: str
    message: str
    input_name: str | None = None
    received_value: Any = None
    suggestions: tuple[str, ...] = ()


class PromptRejected(Displayed, ServerError):
    """``POST /prompt`` refused the workflow, or part of it.

    Attributes:
        error: The server's own error object, as sent.
        node_errors: The server's own report per node id, as sent.
        problems: The same, read and completed: one entry per refused input.
    """

    def __init__(  # noqa: PLR0917 - what is known of the answer, and its reading
        self,
        status: int,
        body: Any,
        method: str,
        url: str,
        problems: tuple[NodeProblem, ...] = (),
        summary: str = "",
    ) -> None:
        super().__init__(status, body, method, url)
        self.args = (status, body, method, url, problems, summary)
        self.problems = problems
        self.summary = summary
        fields = body if isinstance(body, dict) else {}
        self.error: Any = fields.get("error")
        node_errors = fields.get("node_errors")
        self.node_errors: dict[str, Any] = node_errors if isinstance(node_errors, dict) else {}

    def __str__(self) -> str:
        head = f"the server refused {'a part of ' if self.status == HTTPStatus.OK else ''}the workflow"
        if self.summary or not self.problems:
            head += f": {self.summary or first_line(self.error or self.body) or f'status {self.status}'}"
        lines = [f"node {node_label(p.node_id, p.title, p.class_type)}: {p.message}" for p in self.problems]
        if len(lines) == 1 and not self.summary:
            return f"{head}: {lines[0]}"
        return "\n  ".join([f"{head}:" if lines else head, *lines])


class DecodeError(ComfyError):
    """An answer is not what its route promises.

    Attributes:
        url: The address, without credentials.
        errors: What did not fit, each with its path inside the body.
    """

    def __init__(self, url: str, errors: tuple[str, ...]) -> None:
        super().__init__(url, errors)
        self.url = url
        self.errors = errors

    def __str__(self) -> str:
        return f"{self.url} answered with something unexpected: {'; '.join(self.errors)}"


class WorkflowError(ComfyError):
    """The workflow document is wrong; nothing was sent."""


class JobError(ComfyError):
    """A job did not succeed.

    Attributes:
        prompt_id: The prompt's id.
    """

    def __init__(self, prompt_id: str, message: str) -> None:
        super().__init__(prompt_id, message)
        self.prompt_id = prompt_id
        self.message = message

    def __str__(self) -> str:
        return self.message


class JobFailed(Displayed, JobError):
    """A node raised an exception.

    Attributes:
        node_id: The node, as it stands in the workflow; empty where the server does not say which.
        node_type: Its class.
        title: Its title in the editor, or its class.
        exception_type: The exception's class on the server, such as ``"ValueError"``.
        exception_message: Its text, as the server sent it, without the trailing newline.
        traceback: The server's traceback, one string per frame.
        current_inputs: The node's inputs at that moment, as the server prints them. Here, as in the text, asterisks
            stand for the keys of a Comfy account that the client had sent along.
    """

    def __init__(  # noqa: PLR0917 - the fields of the server's execution_error
        self,
        prompt_id: str,
        node_id: str,
        node_type: str,
        title: str,
        exception_type: str,
        exception_message: str,
        traceback: tuple[str, ...] = (),
        current_inputs: Any = None,
    ) -> None:
        text = exception_message.strip()
        message = f"prompt {prompt_id} failed, and the server's history does not say why"
        if node_id or exception_type:
            named = f"node {node_label(node_id, title, node_type)}"
            message = f"{named} raised {exception_type}" + (f": {text}" if text else " without a message")
        super().__init__(prompt_id, message)
        self.args = (prompt_id, node_id, node_type, title, exception_type, exception_message, traceback, current_inputs)
        self.node_id = node_id
        self.node_type = node_type
        self.title = title
        self.exception_type = exception_type
        self.exception_message = text
        self.traceback = traceback
        self.current_inputs = current_inputs

    def __repr__(self) -> str:
        return f"JobFailed({self.message!r})"

    def __str__(self) -> str:
        where = f"\nOn the server:\n{''.join(self.traceback).rstrip()}" if self.traceback else ""
        return self.message + where


class JobInterrupted(JobError):
    """The job was stopped: interrupted while it ran, or taken from the queue by us."""


class JobLost(JobError):
    """The server no longer knows the job: deleted from the queue, history cleared, or the server restarted."""


class JobTimeout(JobError, TimeoutError):
    """The caller's patience ended. The prompt itself goes on; ``job.cancel()`` stops it."""


class ClientClosed(ComfyError):
    """The client was closed."""

    def __init__(self, message: str = "this client is closed") -> None:
        super().__init__(message)


_TITLE = re.compile(r"<title[^>]*>([^<]+)", re.IGNORECASE)


def node_label(node_id: str, title: str, class_type: str | None) -> str:
    """How messages name a node: ``9 'Save Image' (SaveImage)``, or ``9 'SaveImage'`` without a title."""
    named = f"{node_id} {title!r}" if title else node_id
    return named + (f" ({class_type})" if class_type and class_type != title else "")


def first_line(body: Any, limit: int = 200) -> str:
    """The first line that says something, shortened: for messages.

    The three JSON dialects of the server's errors all keep their sentence under ``error``; a proxy's page in HTML has
    its own in the title.
    """
    while isinstance(body, dict) and "error" in body:
        body = body["error"]
    if isinstance(body, dict) and "message" in body:
        message, details = body["message"], body.get("details")
        body = f"{message}: {details}" if details and details != message else message
    text = str(body if body is not None else "").strip()
    if text.startswith("<") and (title := _TITLE.search(text)):
        text = title[1]
    text = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return text if len(text) <= limit else text[: limit - 1] + "…"
