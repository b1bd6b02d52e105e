"""What ``POST /prompt`` has to say about a graph, in ComfyUI's own terms."""

from __future__ import annotations

import inspect
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple

from comfyclient.testing.calls import call, gather, settled
from comfyclient.testing.execution import type_name
from comfyclient.testing.graph import Blocked, input_spec, input_types, is_output
from comfyclient.workflow.judging import fits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from comfyclient.testing.graph import NodeClass
    from comfyclient.testing.machine import Machine

Problem = dict[str, Any]
LONG_LIST = 20
"""Choices more than these are not repeated in an error."""


class Verdict(NamedTuple):
    """What came of it.

    Attributes:
        error: Why nothing will run.
        outputs: The output nodes that will.
        node_errors: What is wrong with which node, also when others will run.
    """

    error: Any
    outputs: list[str]
    node_errors: Any


async def validate(machine: Machine, prompt: Any, targets: Any) -> Verdict:
    """Validate a graph, and turn the values of its inputs into what their types say.

    Raises:
        Exception: It is no graph at all, which ComfyUI answers with status 500.
    """
    version = machine.version
    if error := _missing_node(machine, prompt):
        return Verdict(error, [], {})
    outputs = [
        node_id
        for node_id, node in prompt.items()
        if is_output(machine.classes[node["class_type"]])
        and (targets is None or not version.partial_targets or node_id in targets)
    ]
    if not outputs:
        error = _problem("prompt_no_outputs", "Prompt has no outputs", "", {})
        return Verdict(error, [], {} if version.unified_errors else [])
    validation = _Validation(machine, prompt)
    good, lines = [], []
    node_errors: dict[str, Any] = {}
    for output in outputs:
        valid, problems = await validation.of_output(output)
        if valid:
            good.append(output)
            continue
        lines += [f"{problem['message']}: {problem['details']}" for problem in problems]
        for node_id, (_, found) in validation.invalid().items():
            described = {"errors": found, "dependent_outputs": [], "class_type": prompt[node_id]["class_type"]}
            node_errors.setdefault(node_id, described)["dependent_outputs"].append(output)
    if good:
        return Verdict(None, good, node_errors)
    message = "Prompt outputs failed validation"
    return Verdict(_problem("prompt_outputs_failed_validation", message, "\n".join(lines), {}), [], node_errors)


def _missing_node(machine: Machine, prompt: Any) -> Problem | None:
    """The first node whose class is not there, if any."""
    version = machine.version
    for node_id in prompt:
        node = prompt[node_id]
        if not version.unified_errors:
            machine.classes[node["class_type"]]  # so it was: a KeyError is status 500
        where = f"Node ID '#{node_id}'"
        if "class_type" not in node:
            title = node.get("_meta", {}).get("title")
            if not version.names_missing_nodes:
                message = "Cannot execute because a node is missing the class_type property."
                return _problem("invalid_prompt", message, where, {})
            shown = title or f"ID #{node_id}"
            message = f"Node '{shown}' has no class_type. The workflow may be corrupted or a custom node is missing."
            info = {"node_id": node_id, "class_type": None, "node_title": title}
            return _problem("missing_node_type", message, where, info)
        class_type = node["class_type"]
        if machine.classes.get(class_type) is None:
            if not version.names_missing_nodes:
                message = f"Cannot execute because node {class_type} does not exist."
                return _problem("invalid_prompt", message, where, {})
            title = node.get("_meta", {}).get("title", class_type)
            message = f"Node '{title}' not found. The custom node may not be installed."
            info = {"node_id": node_id, "class_type": class_type, "node_title": title}
            return _problem("missing_node_type", message, where, info)
    return None


class _Validation:
    """The state of one validation: what is known of each node."""

    def __init__(self, machine: Machine, prompt: dict[str, dict[str, Any]]) -> None:
        self._machine = machine
        self._version = machine.version
        self._prompt = prompt
        self._known: dict[str, tuple[bool, list[Problem]]] = {}
        self._path: list[str] = []

    def invalid(self) -> dict[str, tuple[bool, list[Problem]]]:
        """The nodes with problems of their own; one that merely depends on such a node has none."""
        return {node_id: known for node_id, known in self._known.items() if not known[0] and known[1]}

    async def of_output(self, node_id: str) -> tuple[bool, list[Problem]]:
        """Validate an output node and all it depends on."""
        try:
            return await self._node(node_id)
        except RecursionError:
            if self._version.finds_cycles:
                raise
            self._known[node_id] = (False, [])
        except Exception as error:  # noqa: BLE001 - as ComfyUI does it
            info = {"exception_type": type_name(type(error)), "traceback": traceback.format_tb(error.__traceback__)}
            problem = _problem("exception_during_validation", "Exception when validating node", str(error), info)
            self._known[node_id] = (False, [problem])
        return self._known[node_id]

    async def _node(self, node_id: str) -> tuple[bool, list[Problem]]:
        if node_id in self._known:
            return self._known[node_id]
        if node_id in self._path:
            return self._cycle(node_id)
        inputs = self._prompt[node_id]["inputs"]
        node_class = self._machine.classes[self._prompt[node_id]["class_type"]]
        with self._machine.context().active():
            types = input_types(node_class)
        checker = _Checker(node_class)
        problems: list[Problem] = []
        upstream_valid = True
        received: dict[str, Any] = {}
        categories = ("required", "optional") if self._version.validates_optional else ("required",)
        for name in dict.fromkeys(name for category in categories for name in types.get(category, {})):
            declared, category, options = input_spec(types, name)
            config = (declared, options)
            if name not in inputs:
                if category == "required":
                    info = {"input_name": name}
                    problems.append(_problem("required_input_missing", "Required input is missing", name, info))
            elif isinstance(inputs[name], list):
                if problem := self._link(name, inputs[name], config, received, checker):
                    problems.append(problem)
                else:
                    upstream_valid &= await self._upstream(node_id, name, inputs[name], config)
            elif problem := self._value(name, inputs, config, checker):
                problems.append(problem)
        problems += await self._custom(node_id, node_class, checker, received)
        # A cycle through this node may have been noted by now.
        known_valid, known = self._known.get(node_id, (True, []))
        valid = known_valid and upstream_valid and not problems
        self._known[node_id] = (valid, known + [problem for problem in problems if problem not in known])
        return self._known[node_id]

    def _cycle(self, node_id: str) -> tuple[bool, list[Problem]]:
        if not self._version.finds_cycles:
            raise RecursionError  # which is how it ended then
        path = [*self._path[self._path.index(node_id) :], node_id]
        described = " -> ".join(f"{each} ({self._prompt[each]['class_type']})" for each in path)
        members = list(dict.fromkeys(path))
        for each in members:
            info = {"node_id": each, "cycle_nodes": members}
            self._known[each] = (False, [_problem("dependency_cycle", "Dependency cycle detected", described, info)])
        return self._known[node_id]

    def _link(
        self, name: str, link: list[Any], config: tuple[Any, Any], received: dict[str, Any], checker: _Checker
    ) -> Problem | None:
        """What is wrong with a link as such."""
        if len(link) != 2:  # noqa: PLR2004 - node and slot
            message = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
            info = {"input_name": name, "input_config": config, "received_value": link}
            return _problem("bad_linked_input", message, name, info)
        given = self._machine.classes[self._prompt[link[0]]["class_type"]].RETURN_TYPES[link[1]]
        received[name] = given
        if "input_types" in checker.names or fits(given, config[0]):
            return None
        if self._version.unified_errors:
            details = f"{name}, received_type({given}) mismatch input_type({config[0]})"
        else:
            details = f"{name}, {given} != {config[0]}"
        info = {"input_name": name, "input_config": config, "received_type": given, "linked_node": link}
        return _problem("return_type_mismatch", "Return type mismatch between linked nodes", details, info)

    async def _upstream(self, node_id: str, name: str, link: list[Any], config: tuple[Any, Any]) -> bool:
        """Whether what it links to is valid."""
        self._path.append(node_id)
        try:
            return (await self._node(link[0]))[0]
        except RecursionError:
            if self._version.finds_cycles:
                raise
            self._known[link[0]] = (False, [])
        except Exception as error:  # noqa: BLE001 - as ComfyUI does it
            info = {
                "input_name": name,
                "input_config": config,
                "exception_message": str(error),
                "exception_type": type_name(type(error)),
                "traceback": traceback.format_tb(error.__traceback__),
                "linked_node": link,
            }
            message = "Exception when validating inner node"
            self._known[link[0]] = (False, [_problem("exception_during_inner_validation", message, str(error), info)])
        finally:
            self._path.pop()
        return False

    def _value(self, name: str, inputs: dict[str, Any], config: tuple[Any, Any], checker: _Checker) -> Problem | None:
        """What is wrong with a constant, which is turned into the declared type."""
        declared, options = config
        value = inputs[name]
        try:
            if self._version.unwraps_values and isinstance(value, dict) and "__value__" in value:
                value = inputs[name] = value["__value__"]
            if isinstance(declared, str) and declared in _CONVERSIONS:
                value = inputs[name] = _CONVERSIONS[declared](value)
        except Exception as error:  # noqa: BLE001 - as ComfyUI does it
            info = {"input_name": name, "input_config": config, "received_value": value}
            message = f"Failed to convert an input value to a {declared} value"
            info["exception_message"] = str(error)
            return _problem("invalid_input_type", message, f"{name}, {value}, {error}", info)
        if checker.takes(name):
            return None
        info = {"input_name": name, "input_config": config, "received_value": value}
        if "min" in options and value < options["min"]:
            return _problem("value_smaller_than_min", f"Value {value} smaller than min of {options['min']}", name, info)
        if "max" in options and value > options["max"]:
            return _problem("value_bigger_than_max", f"Value {value} bigger than max of {options['max']}", name, info)
        return self._choice(name, value, config)

    def _choice(self, name: str, value: Any, config: tuple[Any, Any]) -> Problem | None:
        declared, options = config
        if isinstance(declared, list):
            choices = declared
        elif declared == "COMBO" and self._version.validates_combo:
            choices = options.get("options", [])
        else:
            return None
        several = options.get("multiselect", False) and isinstance(value, list)
        wrong = [each for each in (value if several else [value]) if each not in choices]
        if not wrong:
            return None
        long = len(choices) > LONG_LIST
        shown = f"(list of length {len(choices)})" if long else str(choices)
        details = f"{name}: {', '.join(map(repr, wrong))} not in {shown}"
        info = {"input_name": name, "input_config": None if long else config, "received_value": value}
        return _problem("value_not_in_list", "Value not in list", details, info)

    async def _custom(
        self, node_id: str, node_class: NodeClass, checker: _Checker, received: Mapping[str, Any]
    ) -> list[Problem]:
        """What the node's own VALIDATE_INPUTS says."""
        if not checker.names and not checker.takes_all:
            return []
        with self._machine.context().active():
            values = gather(self._prompt[node_id], node_class, node_id).values
        asked = {name: value for name, value in values.items() if name in checker.names or checker.takes_all}
        if "input_types" in checker.names:
            asked["input_types"] = [received]
        answers = await settled(await call(node_class, "VALIDATE_INPUTS", asked, self._machine.context))
        problems = []
        for name in asked:
            for answer in answers:
                if answer is not True and not isinstance(answer, Blocked):
                    details = name if answer is False else f"{name} - {answer}"
                    message = "Custom validation failed for node"
                    problems.append(_problem("custom_validation_failed", message, details, {"input_name": name}))
        return problems


class _Checker:
    """What a node's VALIDATE_INPUTS wants to look at; that is then left to it."""

    def __init__(self, node_class: NodeClass) -> None:
        function = getattr(node_class, "VALIDATE_INPUTS", None)
        described = inspect.getfullargspec(function) if function else None
        self.names = described.args if described else []
        self.takes_all = described is not None and described.varkw is not None

    def takes(self, name: str) -> bool:
        return self.takes_all or name in self.names


_CONVERSIONS: dict[str, type] = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}


def _problem(kind: str, message: str, details: str, info: dict[str, Any]) -> Problem:
    return {"type": kind, "message": message, "details": details, "extra_info": info}
