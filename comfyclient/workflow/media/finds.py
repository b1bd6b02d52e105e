"""What of a file's texts is a workflow, and who else wrote them if none is."""

from __future__ import annotations

import json
import re
from typing import Any

KINDS = ("prompt", "workflow")
"""What ComfyUI calls the two: the graph that ran, and the editor's own."""

# In formats without keys of one's own choice, the text begins with it.
_LABELLED = re.compile(r"\s*(prompt|workflow)\s*:\s*(?=[{\"])", re.IGNORECASE)
_OTHERS = {
    "fooocus_scheme": "Fooocus",
    "invokeai_metadata": "InvokeAI",
    "invokeai_graph": "InvokeAI",
    "sd-metadata": "InvokeAI",
}
_GENERATION_PARAMETERS = re.compile(r"\bSteps: \d+, ")
_NOVELAI = "NovelAI"
_PARAMETERS = "AUTOMATIC1111's web UI or one of its kind"


class Finds:
    """The workflows among texts.

    Attributes:
        graphs: Those that were found, by their kind.
        maker: Another program that the file is of, by its texts; "" if nothing is known.
    """

    def __init__(self) -> None:
        self.graphs: dict[str, dict[str, Any]] = {}
        self.maker = ""

    def offer(self, key: str, text: Any) -> None:
        """Look at one text, or at a value that was parsed already."""
        key = key.strip().lower()  # Matroska has capitals, and some packs of custom nodes
        if key in KINDS:
            self._keep(key, text)
        elif isinstance(text, str):
            if label := _LABELLED.match(text):
                self._keep(label[1].lower(), text[label.end() :])
            elif text.lstrip().startswith("{"):
                # One text for both, as video nodes write it into a comment.
                both = parsed(text)
                for kind in KINDS:
                    if isinstance(both, dict) and kind in both:
                        self._keep(kind, both[kind])
            self.maker = _maker(key, text) or self.maker

    def _keep(self, kind: str, text: Any) -> None:
        graph = parsed(text)
        if isinstance(graph, dict) and graph:
            self.graphs.setdefault(kind, graph)


def parsed(text: Any) -> Any:
    """The value of JSON text, also of such as was written twice; ``None`` for what is no JSON."""
    for _ in range(2):
        if isinstance(text, str):
            try:
                text = json.loads(text)
            except (ValueError, RecursionError):
                return None
    return text


def _maker(key: str, text: str) -> str:
    if key == "software" and text.startswith(_NOVELAI):
        return _NOVELAI
    return _OTHERS.get(key) or (_PARAMETERS if _GENERATION_PARAMETERS.search(text) else "")
