"""How far the nodes of a prompt are, and telling the clients."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comfyclient.testing.context import Preview
    from comfyclient.testing.graph import Graph
    from comfyclient.testing.sockets import Sockets
    from comfyclient.testing.versions import Version

PREVIEW = 1
TEXT = 3
PREVIEW_WITH_METADATA = 4


class Progress:
    """The progress of one prompt.

    Args:
        client_id: Whom to tell; everybody if that is None.
    """

    def __init__(self, sockets: Sockets, version: Version, graph: Graph, prompt_id: str, client_id: str | None) -> None:
        self._sockets = sockets
        self._version = version
        self._graph = graph
        self._prompt_id = prompt_id
        self._client_id = client_id
        self._states: dict[str, tuple[float, float, str]] = {}

    def start(self, node_id: str) -> None:
        """A node begins."""
        self._set(node_id, 0.0, 1.0, "running")

    def finish(self, node_id: str) -> None:
        """A node is done, or was so all along."""
        total = self._states[node_id][1] if node_id in self._states else 1
        self._set(node_id, total, total, "finished")

    def update(self, node_id: str, value: float, total: float, preview: Preview | None) -> None:
        """A node is so far."""
        self._set(node_id, value, total, "running")
        rich = self._version.preview_metadata and self._sockets.supports(self._client_id, "supports_preview_metadata")
        if preview is not None and rich:
            self._send_preview(node_id, preview)
        progress = {"value": value, "max": total, "prompt_id": self._prompt_id, "node": node_id}
        self._sockets.send("progress", progress, self._client_id)
        if preview is not None and not rich:
            number = struct.pack(">I", 2 if preview.kind == "PNG" else 1)
            self._sockets.send_binary(PREVIEW, number + preview.encoded(), self._client_id)

    def _set(self, node_id: str, value: float, total: float, state: str) -> None:
        self._states[node_id] = (value, total, state)
        if self._version.progress_state:
            self._sockets.send("progress_state", self._state(), self._client_id)

    def _state(self) -> dict[str, Any]:
        nodes = {
            node_id: {
                "value": value,
                "max": total,
                "state": state,
                "node_id": node_id,
                "prompt_id": self._prompt_id,
                **self._graph.identity(node_id),
            }
            for node_id, (value, total, state) in self._states.items()
        }
        return {"prompt_id": self._prompt_id, "nodes": nodes}

    def _send_preview(self, node_id: str, preview: Preview) -> None:
        metadata = {
            "node_id": node_id,
            "prompt_id": self._prompt_id,
            **self._graph.identity(node_id),
            "image_type": f"image/{preview.kind.lower()}",
        }
        encoded = json.dumps(metadata).encode()
        body = struct.pack(">I", len(encoded)) + encoded + preview.encoded()
        self._sockets.send_binary(PREVIEW_WITH_METADATA, body, self._client_id)


def text_frame(node_id: str, text: str) -> bytes:
    """The body of a line of text for all clients."""
    name = node_id.encode()
    return struct.pack(">I", len(name)) + name + text.encode()
