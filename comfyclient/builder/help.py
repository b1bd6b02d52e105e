"""What a notebook shows of a node class: its signature and its text."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from comfyclient.builder.arguments import NOTHING, default
from comfyclient.builder.spelling import identifier, spelled
from comfyclient.workflow.wording import listed, shown

if TYPE_CHECKING:
    from comfyclient.types.nodes import InputInfo, NodeInfo

_FEW = 6  # choices that a help text lists


def signature_of(info: NodeInfo) -> inspect.Signature:
    """The arguments of a class's method, with their defaults; their annotations are the server's types."""
    parameters = []
    for name, exact in spelled(info.inputs).items():
        each = info.inputs[exact]
        value = default(each) if each.required else None
        if value is NOTHING or (each.takes_many and each.required):
            value = inspect.Parameter.empty
        kind = inspect.Parameter.KEYWORD_ONLY
        parameters.append(inspect.Parameter(name, kind, default=value, annotation=_kind(each)))
    own = {"_id": None, "_title": None, "_check": True}
    parameters += [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value) for name, value in own.items()
    ]
    if any(each.brings_more and not each.takes_many for each in info.inputs.values()):
        parameters.append(inspect.Parameter("more", inspect.Parameter.VAR_KEYWORD))
    gives = ", ".join(map(_type, info.output))
    return inspect.Signature(parameters, return_annotation=gives if info.output else None)


def text_of(info: NodeInfo) -> str:
    """What a class does, and what its inputs and outputs are."""
    parts = [info.display_name or info.name]
    if info.description:
        parts.append(info.description)
    inputs = [_line(each) for each in info.inputs.values()]
    if inputs:
        parts.append("\n".join(["Inputs:", *inputs]))
    if info.output:
        tips = [*info.output_tooltips, *[None] * len(info.output)]
        outputs = [
            f"    {name} ({_type(kind)})" + (f": {tip}" if tip else "")
            for name, kind, tip in zip(info.output_names, info.output, tips, strict=False)
        ]
        parts.append("\n".join(["Outputs:", *outputs]))
    return "\n\n".join(parts)


def _line(info: InputInfo) -> str:
    """An input in a help text, and below it those that it brings along."""
    facts = [_kind(info)]
    if not info.required:
        facts.append("optional")
    low, high = info.options.get("min"), info.options.get("max")
    if low is not None or high is not None:
        facts.append(f"{'' if low is None else low} to {'' if high is None else high}".strip())
    if "default" in info.options:
        facts.append(f"default {shown(info.options['default'])}")
    if info.choices:
        facts.append(f"one of {listed(map(shown, info.choices), _FEW)}")
    tip = info.options.get("tooltip")
    line = f"    {identifier(info.name)} ({'; '.join(facts)})" + (f": {tip}" if tip else "")
    if info.takes_many:
        return line
    brought = [f"    {_line(each)}" for choice in info.choices or () for each in info.brings(choice).values()]
    return "\n".join(dict.fromkeys([line, *brought]))


def _kind(info: InputInfo) -> str:
    if info.takes_many:
        place = next(iter(info.brings().values()), None)
        return f"list of {_kind(place)}" if place else "list"
    return "COMBO" if info.choices is not None else " or ".join(info.types)


def _type(kind: Any) -> str:
    return kind if isinstance(kind, str) else "COMBO"
