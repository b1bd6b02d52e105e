"""Texts that the editor changes on their way into the prompt: choices in prompts, names and dates in file names."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import TYPE_CHECKING

from comfyclient.workflow.editor import javascript
from comfyclient.workflow.editor.model import CatalogNode

if TYPE_CHECKING:
    import random

    from comfyclient.workflow.editor.model import Graph, Node

SAVERS = {
    "CLIPSave",
    "LoraSave",
    "ModelSave",
    "Save3DAdvanced",
    "SaveAnimatedPNG",
    "SaveAnimatedWEBP",
    "SaveAudio",
    "SaveAudioAdvanced",
    "SaveAudioMP3",
    "SaveAudioOpus",
    "SaveGLB",
    "SaveGaussianSplat",
    "SaveImage",
    "SaveImageAdvanced",
    "SaveLatent",
    "SavePointCloud",
    "SaveSVGNode",
    "SaveVideo",
    "SaveWEBM",
    "VAESave",
}
"""The classes in whose ``filename_prefix`` names and dates are replaced."""

_ALIAS = "Node name for S&R"


def choose(prompt: str, rng: random.Random) -> str:
    """Replace every ``{a|b}`` by one of its choices, and strip comments."""
    # A dot of the editor's language does not match any of these four ends of a line.
    prompt = re.sub(r"/\*[\s\S]*?\*/|//[^\n\r\u2028\u2029]*", "", prompt)
    result, place = [], 0
    while place < len(prompt):
        sign = prompt[place]
        place += 1
        if sign == "\\":
            result.append(sign + (prompt[place] if place < len(prompt) else "undefined"))  # as the editor does
            place += 1
        elif sign == "{":
            choices, place = _choices(prompt, place)
            chosen = choices[math.floor(rng.random() * len(choices))]
            result.append(choose(chosen, rng))
        else:
            result.append(sign)
    return re.sub(r"\\([{}|])", r"\1", "".join(result))


def _choices(prompt: str, place: int) -> tuple[list[str], int]:
    """The choices of a group that was opened just before, and where it ends; the end of the text closes it too."""
    choices, choice, depth = [], "", 0
    while place < len(prompt):
        sign = prompt[place]
        place += 1
        if sign == "\\":
            choice += sign + (prompt[place] if place < len(prompt) else "undefined")
            place += 1
            continue
        if sign == "}" and not depth:
            break
        if sign == "|" and not depth:
            choices.append(choice)
            choice = ""
            continue
        depth += {"{": 1, "}": -1}.get(sign, 0)
        choice += sign
    return [*choices, choice], place


def replace_names(graph: Graph, value: str) -> str:
    """Replace ``%date:…%`` and ``%Node.widget%``; what names nothing stays as it is."""

    def replacement(found: re.Match[str]) -> str:
        parts = found[1].split(".")
        if len(parts) != 2:  # noqa: PLR2004 - a node and a widget
            is_date = parts[0].startswith("date:")
            return date(parts[0].removeprefix("date:"), dt.datetime.now()) if is_date else found[0]  # noqa: DTZ005 - the user's own time
        node = _named(graph, parts[0])
        widget = next((widget for widget in node.widgets if widget.name == parts[1]), None) if node else None
        if widget is None:
            return found[0]
        current = widget.current()
        return re.sub(r'[/?<>\\:*|"\x00-\x1f\x7f]', "_", "" if current is None else javascript.text(current))

    return re.sub(r"%([^%]+)%", replacement, value)


def _named(graph: Graph, name: str) -> Node | None:
    nodes = list(graph.all_nodes())
    alias = next((node for node in nodes if _alias(node) == name), None)
    return alias or next((node for node in nodes if _title(node) == name), None)


def _alias(node: Node) -> object:
    given = node.properties.get(_ALIAS)
    if given is None and isinstance(node, CatalogNode) and node.class_type not in SAVERS:
        return node.class_type
    return given


_TITLES = {"MarkdownNote": "Markdown Note", "PrimitiveNode": "Primitive"}


def _title(node: Node) -> str | None:
    return node.title or (_TITLES.get(node.saved.type, node.saved.type) if node.is_virtual else None)


def date(pattern: str, moment: dt.datetime) -> str:
    """A moment, written as a pattern such as ``yyyy-MM-dd`` says."""
    parts = {"d": moment.day, "M": moment.month, "h": moment.hour, "m": moment.minute, "s": moment.second}

    def replacement(found: re.Match[str]) -> str:
        sign = found[0]
        if sign == "yy":
            return str(moment.year)[2:]
        if sign == "yyyy":
            return str(moment.year)
        return str(parts[sign[0]]).zfill(len(sign)) if sign[0] in parts else sign

    return re.sub("dd?|MM?|hh?|mm?|ss?|yyy?y?", replacement, pattern)
