"""What ``client.templates`` returns."""
# ruff: noqa: N815 - the names are those of the index of templates

from typing import Any

from attrs import field, frozen

__all__ = ["Subgraph", "TemplateCategory", "TemplateInfo"]


@frozen
class TemplateInfo:
    """An official template, as the editor's gallery presents it.

    Attributes:
        name: What ``client.templates.get`` takes.
        title: Its title.
        description: What it does.
        tags: What it is about, such as ``"Text to Image"`` or ``"API"``.
        models: The models that it uses, by their names for people.
        mediaType: What it makes: ``"image"``, ``"video"``, ``"audio"`` or ``"3d"``.
        mediaSubtype: The format of its picture in the gallery, such as ``"webp"``.
        openSource: Whether it does without paid services.
        size: The bytes of its models together.
        vram: The bytes of memory that the device should have.
        date: When it was made or changed, as ``"2026-08-02"``.
        io: The files that it reads and writes, as ``inputs`` and ``outputs``.
        requiresCustomNodes: The packs of custom nodes that it needs.
        tutorialUrl: A page that explains it.
        username: Who made it.
        usage: How often it was used.
        searchRank: How much it is recommended.
        status: ``"active"``, ``"archived"`` or ``"deprecated"``.
        thumbnail: Its pictures in the gallery.
        thumbnailVariant: What these do under the mouse.
        logos: The makers of its models.
        includeOnDistributions: The editions of ComfyUI that it is for; empty for all.
        extra: What else the index says.
    """

    name: str
    title: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    mediaType: str | None = None
    mediaSubtype: str | None = None
    openSource: bool | None = None
    size: int | float | None = None
    vram: int | float | None = None
    date: str | None = None
    io: dict[str, Any] = field(factory=dict, repr=False)
    requiresCustomNodes: tuple[str, ...] = ()
    tutorialUrl: str | None = None
    username: str | None = None
    usage: int | float | None = None
    searchRank: int | float | None = None
    status: str | None = None
    thumbnail: list[Any] = field(factory=list, repr=False)
    thumbnailVariant: str | None = None
    logos: list[Any] = field(factory=list, repr=False)
    includeOnDistributions: tuple[str, ...] = ()
    extra: dict[str, Any] = field(factory=dict)


@frozen
class TemplateCategory:
    """A part of the official templates.

    Attributes:
        title: Its title.
        templates: What is in it.
        category: The title of the group that it belongs to.
        type: What its templates make, such as ``"video"``.
        isEssential: Whether it is for beginners.
        moduleName: ``"default"`` for those of ComfyUI.
        icon: Its icon in the gallery.
        extra: What else the index says.
    """

    title: str
    templates: tuple[TemplateInfo, ...]
    category: str | None = None
    type: str | None = None
    isEssential: bool = False
    moduleName: str | None = None
    icon: str | None = None
    extra: dict[str, Any] = field(factory=dict)


@frozen
class Subgraph:
    """A part of a workflow that the editor offers like a node.

    Attributes:
        name: Its name.
        source: Where it is from: ``"templates"`` for ComfyUI itself, ``"custom_node"`` for a pack.
        info: ``node_pack``: the pack that brings it.
        data: The subgraph, in the editor's format; only from ``client.templates.subgraph``.
        extra: What else the server said.
    """

    name: str
    source: str | None = None
    info: dict[str, Any] = field(factory=dict)
    data: Any = field(default=None, repr=False)
    extra: dict[str, Any] = field(factory=dict)
