"""What a server has, in a notebook: a class of nodes with its inputs, and the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfyclient.display import colors
from comfyclient.display.html import Html, badge, bar, block, code, faint, heading, joined, table
from comfyclient.display.words import size
from comfyclient.workflow.wording import listed, shown

if TYPE_CHECKING:
    from comfyclient.types import InputInfo, NodeInfo, SystemStats

_FEW = 8
"""Choices that are listed."""
_FULL = 0.9


def of_node_info(info: NodeInfo) -> Html:
    """What the class does, what it takes and what it gives."""
    kinds = {"output": info.output_node, "deprecated": info.deprecated, "experimental": info.experimental}
    kinds["paid service"] = info.api_node
    marks = [badge(word, colors.LEFT_OUT) for word, is_so in kinds.items() if is_so]
    title = info.display_name or info.name
    head = heading(title, code(info.name) if title != info.name else "", info.category, info.python_module, *marks)
    inputs = [
        (code(name), each.type, "" if each.required else faint("optional"), _default(each), _allowed(each), _hint(each))
        for name, each in info.inputs.items()
    ]
    outputs = [
        (code(name), kind if isinstance(kind, str) else "COMBO", _tip(info, number))
        for number, (name, kind) in enumerate(zip(info.output_names, info.output, strict=True))
    ]
    return joined(
        [
            head,
            block(info.description) if info.description else "",
            table(("input", "type", "", "default", "allowed", ""), inputs),
            table(("output", "type", ""), outputs),
        ]
    )


def _default(info: InputInfo) -> Html | str:
    return code(shown(info.options["default"], 40)) if "default" in info.options else ""


def _allowed(info: InputInfo) -> str:
    if info.choices is not None:
        few = listed([shown(choice, 40) for choice in info.choices[:_FEW]])
        more = len(info.choices) - _FEW
        return f"{few} and {more} more" if more > 0 else few or "nothing: the server has none"
    limits = [f"{word} {info.options[key]}" for key, word in (("min", "from"), ("max", "to")) if key in info.options]
    step = info.options.get("step")
    return " ".join([*limits, f"step {step}" if step and step != 1 else ""]).strip()


def _hint(info: InputInfo) -> Html | str:
    tip: Any = info.options.get("tooltip")
    return faint(tip) if isinstance(tip, str) else ""


def _tip(info: NodeInfo, number: int) -> Html | str:
    tip = info.output_tooltips[number] if number < len(info.output_tooltips) else None
    return faint(tip) if isinstance(tip, str) else ""


def of_stats(stats: SystemStats) -> Html:
    """The versions, and the memory of the machine and its devices."""
    system = stats.system
    facts = {"Python": (system.python_version or "").split(" ")[0], "PyTorch": system.pytorch_version or ""}
    known = [f"{name} {version}" for name, version in facts.items() if version]
    rows = [("memory", *_memory(system.ram_free, system.ram_total))]
    rows += [(device.name, *_memory(device.vram_free, device.vram_total)) for device in stats.devices]
    return joined(
        [
            heading(f"ComfyUI {system.comfyui_version or ''}".strip(), system.os, *known),
            table(("", "used", "", "of"), rows),
        ]
    )


def _memory(free: int | None, total: int | None) -> tuple[str, Html | str, str]:
    if free is None or not total:
        return "", "", size(total)
    share = (total - free) / total
    return size(total - free), bar(share, colors.ERROR if share > _FULL else colors.RUNNING), size(total)
