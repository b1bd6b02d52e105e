"""From the server's refusal of a workflow to sentences that name node, input, value and what is allowed.

The server's own sentence (``error.details``) names neither node nor class, and is empty unless an output node
itself is wrong. ``node_errors`` has it all, in an order that changes from one process of it to the next.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

from comfyclient.errors import ComfyError, NodeProblem, PromptRejected, node_label
from comfyclient.workflow.judging import not_among
from comfyclient.workflow.links import is_link, misread, sources
from comfyclient.workflow.wording import listed, natural, nearest, shown

if TYPE_CHECKING:
    from comfyclient.errors import ServerError
    from comfyclient.workflow import Workflow

Choices: TypeAlias = Callable[[str, str], Sequence[Any] | None]
Classes: TypeAlias = Callable[[], Sequence[str]]

_SURE = 0.75  # how alike two names are where one is most likely a slip for the other

_SUMMARIES = {
    "no_prompt": "the request holds no workflow",
    "prompt_no_outputs": "there is nothing to run; it has no output node such as SaveImage or PreviewImage, "
    "or none among the targets",
    "prompt_outputs_failed_validation": "it names no node; old servers do so when nodes form a circle",
}


def is_rejection(error: ServerError) -> bool:
    """Whether an error answer to ``POST /prompt`` is about the workflow.

    Otherwise the server failed, or something between us and the server speaks.
    """
    body = error.body
    return error.status == HTTPStatus.BAD_REQUEST and isinstance(body, Mapping) and "node_errors" in body


def explain(error: ServerError, workflow: Workflow, choices: Choices, classes: Classes) -> PromptRejected:
    """Make the named error of a refusal, for which ``is_rejection`` holds.

    Args:
        error: The answer to ``POST /prompt``.
        workflow: What was sent.
        choices: Asks the server what an input of a class accepts; called only for what the answer leaves out.
        classes: Asks the server which classes it has; called only when one is missing.
    """
    reason = _mapping(error.body.get("error"))
    kind = str(reason.get("type"))
    problems = problems_of(error.body["node_errors"], workflow, choices)
    if not problems and kind in {"missing_node_type", "invalid_prompt"}:
        problems = _missing_classes(reason, workflow, classes)
    summary = "" if problems else _SUMMARIES.get(kind, "")
    return PromptRejected(error.status, error.body, error.method, error.url, problems, summary)


def problems_of(node_errors: Any, workflow: Workflow, choices: Choices) -> tuple[NodeProblem, ...]:
    """Read ``node_errors``, of a refusal or of an answer that accepts a part of the workflow.

    Args:
        node_errors: As the server sent it; old servers send an empty list for none.
        workflow: What was sent.
        choices: As for ``explain``.
    """
    problems = []
    for node_id, entry in _mapping(node_errors).items():
        class_type = str(_mapping(entry).get("class_type") or workflow.class_type(node_id) or "")
        problems += [
            _Refusal(node_id, class_type, error, workflow, choices).problem()
            for error in _list(_mapping(entry).get("errors"))
        ]
    return tuple(sorted(problems, key=lambda problem: (natural(problem.node_id), problem.input_name or "")))


def _missing_classes(reason: Mapping[str, Any], workflow: Workflow, classes: Classes) -> tuple[NodeProblem, ...]:
    """The server stops at the first class that it does not have; this finds the others too."""
    info = _mapping(reason.get("extra_info"))
    in_details = re.search(r"Node ID '#(.*)'", str(reason.get("details")))
    blamed = str(info.get("node_id") or (in_details[1] if in_details else ""))
    if blamed not in workflow:
        return ()
    known = _known(classes)
    return _problems_of_missing({blamed, *_missing(workflow, known)}, workflow, known)


def of_missing_classes(error: ServerError, workflow: Workflow, classes: Classes) -> PromptRejected | None:
    """Make the named error of a failure to read a workflow, if that has classes that the server does not have.

    Args:
        error: The answer to ``POST /prompt``, of a server too old to refuse such a workflow.
        workflow: What was sent.
        classes: As for ``explain``.
    """
    known = _known(classes)
    problems = _problems_of_missing(_missing(workflow, known), workflow, known)
    return PromptRejected(error.status, error.body, error.method, error.url, problems) if problems else None


def _known(classes: Classes) -> set[str]:
    try:
        return set(classes())
    except ComfyError:
        return set()


def _missing(workflow: Workflow, known: set[str]) -> set[str]:
    return {node.id for node in workflow.values() if known and node.class_type not in known}


def _problems_of_missing(missing: set[str], workflow: Workflow, known: set[str]) -> tuple[NodeProblem, ...]:
    problems = []
    for node_id in sorted(missing, key=natural):
        class_type = workflow[node_id].class_type
        near = tuple(nearest(class_type, known))
        hint = f"; nearest: {listed(map(shown, near))}" if near else ""
        message = f"the server has no class {class_type!r} (is a pack of custom nodes missing?){hint}"
        title = workflow.title(node_id)
        problems.append(NodeProblem(node_id, class_type, title, "missing_node_type", message, suggestions=near))
    return tuple(problems)


class _Refusal:
    """One error of one node."""

    def __init__(self, node_id: str, class_type: str, error: Any, workflow: Workflow, choices: Choices) -> None:
        self.node_id = node_id
        self.class_type = class_type
        self.workflow = workflow
        self.choices = choices
        self.type = str(_mapping(error).get("type"))
        self.text = str(_mapping(error).get("message") or error)
        self.details = str(_mapping(error).get("details") or "")
        self.info = _mapping(_mapping(error).get("extra_info"))
        self.inputs = workflow[node_id].inputs if node_id in workflow else {}
        # An error inside of an upstream node comes with the input of the node below, which is not at fault.
        inner = self.type == "exception_during_inner_validation"
        self.name = "" if inner else str(self.info.get("input_name") or "")
        self.value = self.info.get("received_value", self.inputs.get(self.name))
        self.near: tuple[Any, ...] = ()
        config = [*_list(self.info.get("input_config")), None, None]
        self.wanted = config[0]
        self.options = _mapping(config[1])

    def problem(self) -> NodeProblem:
        reader = _READERS.get(self.type)
        message = reader(self) if reader else self.plain()
        return NodeProblem(
            node_id=self.node_id,
            class_type=self.class_type,
            title=self.workflow.title(self.node_id),
            type=self.type,
            message=message,
            input_name=self.name or None,
            received_value=self.value,
            suggestions=tuple(map(str, self.near)),
        )

    # --- one reader for each of the server's types of error, and one for those to come ---

    def plain(self) -> str:
        return ": ".join(filter(None, (self.name and f"input {self.name!r}", self.text, self.details)))

    def missing(self) -> str:
        self.name = self.name or self.details
        similar = nearest(self.name, self.inputs, _SURE)  # the server ignores a mistyped name
        return f"input {self.name!r} is missing" + (f"; the node has {similar[0]!r}" if similar else "")

    def bad_list(self) -> str:
        return f"input {self.name!r} {misread(self.value, self.workflow) or self.text}"

    def wrong_type(self) -> str:
        source, slot = map(str, [*_list(self.info.get("linked_node")), "", ""][:2])
        giver = node_label(source, self.workflow.title(source), self.workflow.class_type(source))
        wants, gives = _type_name(self.wanted), _type_name(self.info.get("received_type"))
        return f"input {self.name!r} wants {wants}, but output {slot} of node {giver} is {gives}"

    def not_convertible(self) -> str:
        return f"{self.given()} is no {_type_name(self.wanted)}"

    def too_small(self) -> str:
        limit = self.options.get("min")
        return self.plain() if limit is None else f"{self.given()} is below the minimum {limit}"

    def too_big(self) -> str:
        limit = self.options.get("max")
        return self.plain() if limit is None else f"{self.given()} is above the maximum {limit}"

    def not_in_list(self) -> str:
        allowed = self.allowed()
        if allowed is None:
            length = re.search(r"list of length (\d+)", self.details)
            return f"{self.given()} is not one of the {length[1] if length else 'known'} choices"
        chosen = self.value if isinstance(self.value, list) else [self.value]  # some inputs take several
        wrong = next((choice for choice in chosen if choice not in allowed), "")
        message, self.near = not_among(wrong, allowed)
        return f"{self.given()} {message}"

    def custom(self) -> str:
        reason = self.details.removeprefix(self.name).removeprefix(" - ")
        if isinstance(self.value, str):  # often a file that is not there, and the choices are those that are
            allowed = self.allowed() or ()
            self.near = () if self.value in allowed else tuple(nearest(self.value, allowed))
        why = f": {reason}" if reason not in {"", "None"} else " by the node, which gives no reason"
        return f"{self.given()} is refused{why}{self.hint()}"

    def circle(self) -> str:
        return f"nodes feed each other in a circle: {self.details}"

    def exception(self) -> str:
        """The server tripped over this node; most often over a link, whose input it does not name."""
        kind = str(self.info.get("exception_type") or "")
        bad = {
            name: f"input {name!r} {why}"
            for name, value in self.inputs.items()
            if (why := misread(value, self.workflow))
            and (kind != "KeyError" or (value and repr(value[0]) == self.details))
        }
        if kind == "IndexError" and self.details == "tuple index out of range":
            links = list(sources(self.inputs))
            bad = {
                name: f"input {name!r} takes output {slot} of node {source} {self.workflow.title(source)!r}, "
                "which has fewer"
                for name, source, slot in [link for link in links if link[2]] or links
            }
        if bad and kind in {"KeyError", "TypeError", "IndexError"}:
            if len(bad) == 1:
                self.name = next(iter(bad))
                self.value = self.inputs[self.name]
            return "; or ".join(bad.values())
        return f"checking it raised {kind}: {self.details}" if kind else self.plain()

    # --- the parts of a sentence ---

    def given(self) -> str:
        shows = "" if is_link(self.value) else f": {shown(self.value)}"
        return f"input {self.name!r}{shows}"

    def hint(self) -> str:
        return f"; nearest: {listed(map(shown, self.near))}" if self.near else ""

    def allowed(self) -> Sequence[Any] | None:
        """The choices: from the answer, or asked for where it leaves them out; None when nobody tells."""
        for choices in (self.wanted, self.options.get("options")):
            if isinstance(choices, list):
                return choices
        try:
            return self.choices(self.class_type, self.name)
        except ComfyError:
            return None


_READERS: dict[str, Callable[[_Refusal], str]] = {
    "required_input_missing": _Refusal.missing,
    "bad_linked_input": _Refusal.bad_list,
    "return_type_mismatch": _Refusal.wrong_type,
    "invalid_input_type": _Refusal.not_convertible,
    "value_smaller_than_min": _Refusal.too_small,
    "value_bigger_than_max": _Refusal.too_big,
    "value_not_in_list": _Refusal.not_in_list,
    "custom_validation_failed": _Refusal.custom,
    "dependency_cycle": _Refusal.circle,
    "exception_during_validation": _Refusal.exception,
    "exception_during_inner_validation": _Refusal.exception,
}


def _type_name(wanted: Any) -> str:
    """A socket's type; of a list of choices, that it is one."""
    return "one of its choices" if isinstance(wanted, list) else str(wanted)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
