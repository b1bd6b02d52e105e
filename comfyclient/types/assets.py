"""What ``client.assets`` returns."""

from datetime import datetime, timezone
from typing import Any

from attrs import field, frozen

__all__ = [
    "Asset",
    "AssetsPage",
    "SeedProgress",
    "SeedStart",
    "SeedStatus",
    "TagUsage",
    "TagsAdded",
    "TagsPage",
    "TagsRemoved",
]


def _utc(value: str | datetime | None) -> datetime | None:
    """The server writes UTC and does not say so."""
    if isinstance(value, str):
        value = datetime.fromisoformat(f"{value[:-1]}+00:00" if value.endswith("Z") else value)
    if value is None or value.tzinfo is not None:
        return value
    return value.replace(tzinfo=timezone.utc)


@frozen
class Asset:
    """An entry of the catalogue. Several may stand for one content, each with its own name, tags and metadata.

    Attributes:
        id: The entry's own id, a UUID.
        name: Its label; without one from the uploader, the file's name.
        hash: Its content's, ``"blake3:..."``; ``None`` until the server has computed it.
        loader_path: What a loader node takes: ``LoadImage`` for a file in the input directory,
            ``CheckpointLoaderSimple`` for one among the checkpoints. ``None`` for an entry without a file of
            its own: another one with the same ``hash`` has it.
        display_name: Its file's path below the server's models, input or output directory.
        asset_hash: The same as ``hash``, by an older name.
        size: In bytes.
        mime_type: Such as ``"image/png"``.
        tags: Where it belongs (``"input"``, ``"output"``, or ``"models"`` and ``"model_type:..."``), whether it
            was ``"uploaded"``, and the user's own, in alphabetical order.
        preview_url: The path of an image that shows it; of the file itself for inputs and outputs of any kind.
        preview_id: The asset that was named as its preview.
        user_metadata: What its uploader said about it; ``filename`` is the server's.
        is_immutable: Whether it cannot be changed.
        metadata: What the server found out, such as an image's ``width`` and ``height``. Not in the ``repr``.
        job_id: The prompt that made it.
        prompt_id: The same as ``job_id``, by an older name.
        created_at: When it was entered, in UTC.
        updated_at: When it was last changed, in UTC.
        last_access_time: When its content was last read through this entry, in UTC.
        created_new: Whether its content was new to the server; only the answers to ``upload`` and
            ``from_hash`` say so.
        extra: What else the server said.
    """

    id: str
    name: str | None = None
    hash: str | None = None
    loader_path: str | None = None
    display_name: str | None = None
    asset_hash: str | None = field(default=None, repr=False)
    size: int | None = None
    mime_type: str | None = None
    tags: tuple[str, ...] = ()
    preview_url: str | None = None
    preview_id: str | None = None
    user_metadata: dict[str, Any] = field(factory=dict)
    is_immutable: bool | None = None
    metadata: dict[str, Any] | None = field(default=None, repr=False)
    job_id: str | None = None
    prompt_id: str | None = field(default=None, repr=False)
    created_at: datetime | None = field(default=None, converter=_utc)
    updated_at: datetime | None = field(default=None, converter=_utc)
    last_access_time: datetime | None = field(default=None, converter=_utc)
    created_new: bool | None = None
    extra: dict[str, Any] = field(factory=dict)


@frozen
class AssetsPage:
    """A part of the list of assets.

    Attributes:
        assets: The assets, in the order that was asked for.
        total: How many there are in all pages.
        has_more: Whether there are more after these.
        next_cursor: What to pass as ``after`` for the next page; ``None`` on the last, and where the server
            has no cursor for the order that was asked for.
        extra: What else the server said.
    """

    assets: tuple[Asset, ...]
    total: int | None = None
    has_more: bool = False
    next_cursor: str | None = None
    extra: dict[str, Any] = field(factory=dict)


@frozen
class TagUsage:
    """A tag and how many assets have it.

    Attributes:
        name: The tag.
        count: The number of assets.
        extra: What else the server said.
    """

    name: str
    count: int
    extra: dict[str, Any] = field(factory=dict)


@frozen
class TagsPage:
    """A part of the list of tags.

    Attributes:
        tags: The tags, in the order that was asked for.
        total: How many there are in all pages.
        has_more: Whether there are more after these.
        extra: What else the server said.
    """

    tags: tuple[TagUsage, ...]
    total: int | None = None
    has_more: bool = False
    extra: dict[str, Any] = field(factory=dict)


@frozen
class TagsAdded:
    """What adding tags did.

    Attributes:
        added: Those that the asset has now and did not have.
        already_present: Those that it had.
        total_tags: All that it has.
        extra: What else the server said.
    """

    added: tuple[str, ...] = ()
    already_present: tuple[str, ...] = ()
    total_tags: tuple[str, ...] = ()
    extra: dict[str, Any] = field(factory=dict)


@frozen
class TagsRemoved:
    """What removing tags did.

    Attributes:
        removed: Those that the asset had and no longer has.
        not_present: Those that it did not have.
        total_tags: All that it has.
        extra: What else the server said.
    """

    removed: tuple[str, ...] = ()
    not_present: tuple[str, ...] = ()
    total_tags: tuple[str, ...] = ()
    extra: dict[str, Any] = field(factory=dict)


@frozen
class SeedProgress:
    """How far a scan has come, in files.

    Attributes:
        scanned: Those of the new ones that were dealt with.
        total: All that were found.
        created: Those that became assets.
        skipped: Those that were known.
        extra: What else the server said.
    """

    scanned: int | None = None
    total: int | None = None
    created: int | None = None
    skipped: int | None = None
    extra: dict[str, Any] = field(factory=dict)


@frozen
class SeedStart:
    """What became of the wish to scan.

    Attributes:
        status: ``"started"``, or ``"already_running"`` if another scan runs; after waiting ``"completed"``.
        progress: What was done, after waiting.
        errors: What went wrong, after waiting.
        extra: What else the server said.
    """

    status: str
    progress: SeedProgress | None = None
    errors: tuple[str, ...] = ()
    extra: dict[str, Any] = field(factory=dict)


@frozen
class SeedStatus:
    """What the scanner does.

    Attributes:
        state: ``"IDLE"``, ``"RUNNING"``, ``"CANCELLING"``, or ``"PAUSED"`` as long as a prompt runs.
        progress: Of this scan, or of the last one; ``None`` before the first.
        errors: What went wrong in it, in words.
        extra: What else the server said.
    """

    state: str
    progress: SeedProgress | None = None
    errors: tuple[str, ...] = ()
    extra: dict[str, Any] = field(factory=dict)
