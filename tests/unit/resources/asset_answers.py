"""What a real server with assets answered, and one that answers so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.captures import capture
from tests.fakes import json_reply

if TYPE_CHECKING:
    from tests.fakes import Answer, FlakyServer, Request

CAPTURES: dict[str, dict[str, Any]] = capture("assets")
ID = "a8fe39d2-1290-4ee8-ae5d-32d71e230919"
PATH = f"/api/assets/{ID}"
HASH = CAPTURES["POST /api/assets"]["json"]["hash"]
ENABLED = json_reply({"assets": True})


def captured(label: str) -> bytes:
    """The answer that a real server gave."""
    return json_reply(CAPTURES[label]["json"], CAPTURES[label]["status"])


def answering(flaky: FlakyServer, *answers: Answer) -> None:
    """Have assets, and then these answers."""
    flaky.answers = [ENABLED, *answers]


def asked(flaky: FlakyServer) -> Request:
    """The only request, besides the question whether there are assets."""
    features, request = flaky.requests
    assert features.target == "/features"
    return request
