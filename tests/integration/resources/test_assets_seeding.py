"""``client.assets.seeding`` on a real server with ``--enable-assets``."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from comfyclient import events
from comfyclient.errors import ServerError
from tests.conftest import soon
from tests.workflows import PATIENCE

if TYPE_CHECKING:
    from comfyclient import Client
    from comfyclient.resources import Assets
    from tests.comfyui.server import RealServer


def test_a_scan_finds_new_files(asset_client: Client, assets: Assets, asset_server: RealServer, content: bytes) -> None:
    name = f"{uuid.uuid4().hex}.png"
    (asset_server.base_directory / "output" / name).write_bytes(content)
    with asset_client.listen(events.AssetsSeed) as seen:
        asset_client.connect()
        ended = assets.seeding.start(["output"], wait=True, timeout=PATIENCE)
        course: list[events.AssetsSeed] = []
        for event in seen:
            course.append(event)
            if isinstance(event, events.AssetsSeedCompleted) and event.phase == "full":  # not one after a job
                break

    assert [type(event) for event in course[-5:]] == [
        events.AssetsSeedStarted,
        events.AssetsSeedFastComplete,
        events.AssetsSeedStarted,
        events.AssetsSeedEnrichComplete,
        events.AssetsSeedCompleted,
    ]
    assert [event.phase for event in course[-5:]] == ["fast", None, "enrich", None, "full"]
    assert all(event.extra == {} for event in course)
    assert (ended.status, ended.errors, ended.extra) == ("completed", (), {})
    assert ended.progress is not None
    assert (ended.progress.scanned, ended.progress.created, ended.progress.extra) == (1, 1, {})
    (asset,) = assets.list(name_contains=name).assets
    assert (asset.loader_path, asset.hash) == (name, None)  # without --enable-asset-hashing
    with pytest.raises(ServerError, match="400: No valid roots"):
        assets.seeding.start(["bogus"])


def test_a_scan_in_the_background(assets: Assets) -> None:
    def is_idle() -> bool:
        status = assets.seeding.status()
        assert (status.errors, status.extra) == ((), {})
        return status.state == "IDLE"

    # After a job the server starts one itself.
    assert assets.seeding.start("models").status in {"started", "already_running"}
    assert assets.seeding.cancel() in {True, False}
    assert soon(is_idle)
    assert assets.seeding.status().progress is not None


def test_prune(assets: Assets) -> None:
    def pruned() -> bool:
        try:
            return assets.seeding.prune() == 0
        except ServerError as error:
            if error.status != 409:  # a scan runs just now
                raise
            return False

    assert soon(pruned)
