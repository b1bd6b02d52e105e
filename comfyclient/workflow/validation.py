"""What the server would refuse of a workflow, and what it would swallow without a word, before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from attrs import evolve, frozen

from comfyclient._displayed import Displayed
from comfyclient.errors import node_label
from comfyclient.workflow import check, judging, links, local
from comfyclient.workflow.classes import Classes
from comfyclient.workflow.wording import listed, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from comfyclient.types.nodes import InputInfo, NodeInfo, NodeReplacement
    from comfyclient.workflow.catalog import Catalog
    from comfyclient.workflow.links import Graph

__all__ = ["Problem", "Problems", "validate"]

_SURE = 0.75  # how alike two names are where one is most likely a slip for the other


@frozen
class Problem:
    """One thing that is wrong with a workflow; as a string, a sentence that names the node.

    Attributes:
        severity: ``"error"`` for what the server refuses, or the client does not send; ``"warning"`` for what the
            server takes without a word, though it will hardly do what was meant.
        message: What is wrong, in a sentence: with the input, the value and what is allowed.
        node_id: The node; empty where the workflow as a whole is meant.
        title: Its title in the editor, or its class.
        class_type: Its class.
        input: The input, where one is to blame.
        kind: The server's word for it, such as ``"value_not_in_list"``; empty where it says nothing.
        nearest: What is allowed and looks like what was given, best first.
    """

    severity: Literal["error", "warning"]
    message: str
    node_id: str = ""
    title: str = ""
    class_type: str = ""
    input: str | None = None
    kind: str = ""
    nearest: tuple[Any, ...] = ()

    def __str__(self) -> str:
        """The sentence."""
        if not self.node_id:
            return self.message
        return f"node {node_label(self.node_id, self.title, self.class_type)}: {self.message}"


class Problems(Displayed, list[Problem]):
    """A list of problems that prints as sentences; a notebook shows it as a table."""

    def __repr__(self) -> str:
        return "\n".join(f"{problem.severity}: {problem}" for problem in self) or "no problems"


def validate(graph: Graph, catalog: Catalog, replacements: Mapping[str, Sequence[NodeReplacement]]) -> Problems:
    """Everything that is wrong: errors first, and each kind in the order of the nodes; see ``Workflow.validate``."""
    if not graph:
        return Problems([Problem("error", "the workflow has no nodes", kind="prompt_no_outputs")])
    successors = {old: new[0].new_node_id for old, new in replacements.items() if new}
    found = _Validation(graph, Classes(catalog), successors).problems()
    return Problems(sorted(found, key=lambda problem: problem.severity != "error"))


class _Validation:
    """One workflow against one catalogue."""

    def __init__(self, graph: Graph, classes: Classes, successors: Mapping[str, str]) -> None:
        self._graph = graph
        self._classes = classes
        self._successors = {old: new for old, new in successors.items() if old not in classes and new in classes}

    def problems(self) -> list[Problem]:
        """All of them."""
        outputs = [node_id for node_id in self._graph if self._is_output(node_id)]
        needed = links.ancestors(self._graph, outputs) if outputs else set(self._graph)
        unsendable: dict[str, list[Problem]] = {}
        for finding in check.findings(local.uploaded(self._graph)):
            unsendable.setdefault(finding.node_id, []).append(self._unsendable(finding))
        found = unsendable.get("", [])
        for node_id in self._graph:
            refused, problems = unsendable.get(node_id, []), list(self._of_node(node_id))
            if node_id in needed:
                found += refused + problems
            else:
                # What the client does not send stays an error, whatever the server would make of it.
                found += [evolve(_idle(each), severity="error") for each in refused]
                found += map(_idle, problems)
                found.append(self._problem(node_id, "it feeds no output, so the server neither checks nor runs it"))
        if not outputs:
            message = "there is nothing to run: no node is an output, such as SaveImage or PreviewImage"
            found.append(Problem("error", message, kind="prompt_no_outputs"))
        return found

    def _info(self, node_id: str) -> NodeInfo | None:
        return self._classes.get(self._graph[node_id]["class_type"])

    def _is_output(self, node_id: str) -> bool:
        class_type = self._graph[node_id]["class_type"]
        info = self._classes.get(self._successors.get(class_type) or class_type)
        return info is not None and info.output_node

    def _inputs(self, node_id: str) -> dict[str, InputInfo]:
        node = self._graph[node_id]
        return self._classes.inputs(node["class_type"], node["inputs"])

    def _of_node(self, node_id: str) -> Iterator[Problem]:
        """What the node's class has against its inputs."""
        node = self._graph[node_id]
        class_type, values = node["class_type"], node["inputs"]
        info = self._info(node_id)
        if info is None:
            if class_type is not None:
                yield self._missing_class(node_id)
            return
        inputs = self._inputs(node_id)
        unknown = [name for name in values if name not in inputs and name not in (info.input.get("hidden") or {})]
        for name, each in inputs.items():
            if name not in values:
                if each.required:
                    yield self._missing_input(node_id, each, unknown)
            elif isinstance(values[name], (list, tuple)):
                yield from self._of_link(node_id, each, values[name])
            else:
                yield from self._of_value(node_id, each, values[name])
        if class_type not in judging.TAKES_MORE:
            for name in unknown:
                near = tuple(nearest(name, inputs))
                hint = f"; nearest: {listed(map(shown, near))}" if near else f"; it has {listed(map(shown, inputs))}"
                message = f"the class has no input {shown(name)}, and the server ignores it{hint if inputs else ''}"
                yield self._problem(node_id, message, name, near=near)

    def _of_value(self, node_id: str, info: InputInfo, value: Any) -> Iterator[Problem]:
        if local.is_local(value):  # a file that is uploaded when the workflow runs
            if not judging.takes_uploads(info):
                message = f"input {info.name!r} is {local.named(value)}, and takes no file"
                yield evolve(self._problem(node_id, message, info.name), severity="error")
            return
        class_type = self._graph[node_id]["class_type"]
        if finding := judging.of_value(info, value, class_type, self._classes.is_socket):
            yield self._of_finding(node_id, finding, f"input {info.name!r}: {finding.message}", info.name)

    def _of_link(self, node_id: str, info: InputInfo, link: Any) -> Iterator[Problem]:
        class_type = self._graph[node_id]["class_type"]
        if judging.decides(info):
            message = f"input {info.name!r} decides which inputs there are, so a link will not do: the node fails"
            yield self._problem(node_id, message, info.name)
            return
        if links.misread(link, self._graph):
            if not links.surely_meant(link, self._graph):  # that is among what no server takes
                is_unread = len(link) == 2 or judging.is_file(info, class_type)  # noqa: PLR2004 - node and slot
                kind = self._exception(node_id) if is_unread else "bad_linked_input"
                message = f"input {info.name!r} {links.misread(link, self._graph)}"
                yield self._problem(node_id, message, info.name, kind)
            return
        source, slot = link
        giver = self._info(source)
        if giver is None:
            return
        if slot >= len(giver.output):
            count = len(giver.output)
            has = f"has only {count}" if count else "has none"
            message = f"input {info.name!r} takes output {slot} of node {self._label(source)}, which {has}"
            yield self._problem(node_id, message, info.name, self._exception(node_id))
        elif finding := judging.of_link(info, giver.output[slot], class_type):
            output = f"output {slot} of node {self._label(source)}"
            yield self._of_finding(
                node_id, finding, f"input {info.name!r} {finding.message.replace('{}', output)}", info.name
            )

    def _missing_class(self, node_id: str) -> Problem:
        class_type = self._graph[node_id]["class_type"]
        if successor := self._successors.get(class_type):
            message = f"the server has no class {class_type!r}, and puts {successor!r} in its place, unchecked here"
            return self._problem(node_id, message, near=(successor,))
        near = tuple(nearest(class_type, self._classes))
        hint = f"; nearest: {listed(map(shown, near))}" if near else ""
        message = f"{check.missing_class(self._graph[node_id])}{hint}"
        return self._problem(node_id, message, kind="missing_node_type", near=near)

    def _missing_input(self, node_id: str, info: InputInfo, unknown: list[str]) -> Problem:
        similar = nearest(info.name, unknown, _SURE)
        finding = judging.of_missing(info, self._graph[node_id]["class_type"])
        message = f"input {info.name!r} {finding.message}" + (f"; the node has {similar[0]!r}" if similar else "")
        return self._of_finding(node_id, finding, message, info.name)

    def _of_finding(self, node_id: str, finding: judging.Finding, message: str, name: str) -> Problem:
        kind = self._exception(node_id) if finding.kind == judging.EXCEPTION else finding.kind
        return self._problem(node_id, message, name, kind, finding.nearest)

    def _unsendable(self, finding: check.Finding) -> Problem:
        """What no server takes, whatever its classes; some of it the server would take, but the client does not."""
        if not finding.node_id:
            return Problem("error", finding.message)
        kind = {"circle": "dependency_cycle", "class": "missing_node_type"}.get(finding.kind, "")
        if finding.kind == "link":
            source, slot = self._graph[finding.node_id]["inputs"][finding.input]
            is_taken = source in self._graph and isinstance(slot, int)  # counted from the end
            info = self._inputs(finding.node_id).get(finding.input) if self._info(finding.node_id) else None
            is_read = info is not None and not judging.decides(info)
            kind = self._exception(finding.node_id) if is_read and not is_taken else ""
        return evolve(self._problem(finding.node_id, finding.message, finding.input, kind), severity="error")

    def _exception(self, node_id: str) -> str:
        info = self._info(node_id)
        return judging.EXCEPTION if info and info.output_node else "exception_during_inner_validation"

    def _problem(
        self, node_id: str, message: str, name: str | None = None, kind: str = "", near: tuple[Any, ...] = ()
    ) -> Problem:
        """An error, if the server has a word for it."""
        node = self._graph[node_id]
        severity: Literal["error", "warning"] = "error" if kind else "warning"
        return Problem(severity, message, node_id, check.title_of(node), node["class_type"] or "", name, kind, near)

    def _label(self, node_id: str) -> str:
        node = self._graph[node_id]
        return node_label(node_id, check.title_of(node), node["class_type"])


def _idle(problem: Problem) -> Problem:
    """The same of a node that no output needs: the server looks at nothing of it but its class."""
    if problem.kind == "missing_node_type":
        return problem
    return evolve(problem, severity="warning" if problem.kind else problem.severity, kind="")
