"""What went wrong, in a notebook: the node, its input, and what is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfyclient.display import colors
from comfyclient.display.html import Html, badge, code, faint, folded, heading, joined, pre, red, table
from comfyclient.display.scheme import values_of
from comfyclient.display.words import counted, short
from comfyclient.workflow.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from comfyclient.errors import JobFailed, NodeProblem, PromptRejected
    from comfyclient.workflow.validation import Problem, Problems


def of_problems(problems: Problems) -> Html:
    """A table of all of them."""
    if not problems:
        return heading("No problems")
    errors = sum(problem.severity == "error" for problem in problems)
    head = heading(counted(len(problems), "problem"), counted(errors, "error"))
    severities = {"error": badge("error", colors.ERROR), "warning": badge("warning", colors.WAITING)}
    rows = [(severities[each.severity], *_about(each, each.input)) for each in problems]
    return joined([head, table(("", "node", "", "class", "input", "what is wrong"), rows)])


def of_rejection(error: PromptRejected) -> Html:
    """A table of what the server refused."""
    head = str(error).partition("\n")[0] if error.summary or not error.problems else "the server refused the workflow"
    return joined([heading(red(head)), refusals(error.problems)])


def refusals(problems: Iterable[NodeProblem]) -> Html:
    """A table of why nodes were refused."""
    rows = [_about(each, each.input_name) for each in problems]
    return table(("node", "", "class", "input", "what is wrong"), rows)


def of_failure(error: JobFailed) -> Html:
    """The node that raised, what it raised, what it was given, and where it was."""
    class_type = error.node_type if error.node_type != error.title else ""
    where = [error.title or error.node_type, class_type, f"#{error.node_id}" * bool(error.node_id)]
    head = heading(red(error.exception_type or "failed"), *where, code(short(error.prompt_id)))
    parts = [head, pre(error.exception_message or error.message)]
    if isinstance(error.current_inputs, dict) and error.current_inputs:
        rows = [(code(name), code(_value(value))) for name, value in values_of(error.current_inputs.items())]
        parts.append(folded("its inputs", table(("input", "value"), rows)))
    if error.traceback:
        parts.append(folded("traceback on the server", pre("".join(error.traceback).rstrip())))
    return joined(parts)


def _about(problem: Problem | NodeProblem, name: str | None) -> tuple[Any, ...]:
    title = "" if problem.title == problem.class_type else problem.title
    node = code(problem.node_id) if problem.node_id else faint("all")
    return node, title, problem.class_type, code(name) if name else "", problem.message


def _value(value: Any) -> str:
    """What a server prints of an input: a list with the value, as a rule."""
    alone = value[0] if isinstance(value, list) and len(value) == 1 else value
    return shown(alone, 200)
