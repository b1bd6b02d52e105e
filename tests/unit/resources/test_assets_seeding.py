"""``client.assets.seeding``: what it asks for, and what it makes of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from comfyclient.errors import ServerError
from comfyclient.types import SeedStatus
from tests.fakes import json_reply
from tests.unit.resources.asset_answers import answering, asked, captured

if TYPE_CHECKING:
    from comfyclient.resources import Assets
    from tests.fakes import FlakyServer


def test_start(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, captured("POST /api/assets/seed"), captured("wait POST /api/assets/seed"))
    started = assets.seeding.start()
    ended = assets.seeding.start(["input"], wait=True, timeout=5)

    _, one, other = flaky.requests
    assert (one.method, one.target, one.json) == ("POST", "/api/assets/seed", {})
    assert (other.method, other.target, other.json) == ("POST", "/api/assets/seed?wait=true", {"roots": ["input"]})
    assert (started.status, started.progress, started.errors) == ("started", None, ())
    assert (ended.status, ended.errors) == ("completed", ())
    assert ended.progress is not None
    assert (ended.progress.scanned, ended.progress.total) == (1, 6)
    assert (ended.progress.created, ended.progress.skipped) == (0, 5)
    assets.seeding.start("models")
    assert flaky.requests[-1].json == {"roots": ["models"]}


def test_another_scan_runs(assets: Assets, flaky: FlakyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comfyclient.resources.assets_seeding._PAUSE", 10)
    answering(flaky, captured("POST /api/assets/seed?wait=true"))

    assert assets.seeding.start().status == "already_running"
    assert len(flaky.requests) == 2
    with pytest.raises(ServerError, match=r"409: .*already_running"):
        assets.seeding.start(wait=True, timeout=10)  # which ends before it could be asked again
    flaky.answers = [captured("POST /api/assets/prune")]
    with pytest.raises(ServerError, match=r"409: .*scan_running"):
        assets.seeding.prune()


def test_a_scan_that_is_waited_for_begins_after_another(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, captured("POST /api/assets/seed?wait=true"), captured("wait POST /api/assets/seed"))

    assert assets.seeding.start(wait=True).status == "completed"
    assert [request.target for request in flaky.requests[1:]] == ["/api/assets/seed?wait=true"] * 2


def test_roots_that_the_server_does_not_know(assets: Assets, flaky: FlakyServer) -> None:
    unknown = {"error": {"code": "INVALID_BODY", "message": "No valid roots specified", "details": {}}}
    answering(flaky, json_reply(unknown, 400))
    with pytest.raises(ServerError, match="400: No valid roots"):
        assets.seeding.start(["bogus"])


def test_status(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, captured("GET /api/assets/seed/status"), json_reply({"state": "RUNNING", "progress": None}))
    status = assets.seeding.status()

    assert asked(flaky).target == "/api/assets/seed/status"
    assert status.progress is not None
    assert (status.state, status.progress.created, status.errors) == ("IDLE", 2, ())
    assert assets.seeding.status() == SeedStatus("RUNNING")


def test_cancel(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, captured("POST /api/assets/seed/cancel"), captured("idle POST /api/assets/seed/cancel"))

    assert assets.seeding.cancel()
    assert (asked(flaky).method, asked(flaky).target) == ("POST", "/api/assets/seed/cancel")
    assert not assets.seeding.cancel()


def test_prune(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, captured("idle POST /api/assets/prune"))

    assert assets.seeding.prune() == 0
    assert (asked(flaky).method, asked(flaky).target) == ("POST", "/api/assets/prune")
