"""What arrives as a binary frame: previews, images, lines of text."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import field, frozen

from comfyclient.events.event import Event


@frozen
class Preview(Event):
    """A picture of a node's work so far; a binary frame.

    Attributes:
        media_type: ``"image/jpeg"`` or ``"image/png"``.
        data: The encoded image.
        node: The node's id; known from the run itself where an old server does not send it.
    """

    _type: ClassVar[str] = "preview"
    media_type: str
    data: bytes = field(repr=lambda data: f"<{len(data)} bytes>")
    prompt_id: str | None = None
    node: str | None = None
    display_node_id: str | None = None
    parent_node_id: str | None = None
    real_node_id: str | None = None
    extra: dict[str, Any] = field(factory=dict)

    @property
    def supersedes(self) -> tuple[Any, ...]:
        """Previews of one node."""
        return ("preview", self.prompt_id, self.node)


@frozen
class SocketImage(Event):
    """An image that a SaveImageWebsocket node sent: a result, on the wire the same frame as a preview.

    Attributes:
        media_type: ``"image/png"``.
        data: The encoded image.
        node: The node's id.
    """

    _type: ClassVar[str] = "socket_image"
    prompt_id: str
    node: str
    media_type: str
    data: bytes = field(repr=lambda data: f"<{len(data)} bytes>")


@frozen
class ProgressText(Event):
    """A line of text about a node's work; a binary frame, sent to every client and without a prompt id.

    Attributes:
        prompt_id: Known from the run itself, when it is one of ours.
    """

    _type: ClassVar[str] = "progress_text"
    node: str
    text: str
    prompt_id: str | None = None

    @property
    def supersedes(self) -> tuple[Any, ...]:
        """Texts of one node."""
        return ("progress_text", self.prompt_id, self.node)
