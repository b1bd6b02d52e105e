"""``client.assets.tags``: what it asks for, and what it makes of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from comfyclient.errors import ServerError
from comfyclient.types import TagUsage
from tests.unit.resources.asset_answers import ID, PATH, answering, asked, captured

if TYPE_CHECKING:
    from comfyclient.resources import Assets
    from tests.fakes import FlakyServer


def test_add_and_remove(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, captured(f"POST {PATH}/tags"), captured(f"DELETE {PATH}/tags"))
    added, removed = assets.tags.add(ID, "fav", "input"), assets.tags.remove(ID, "fav", "zzz")

    _, one, other = flaky.requests
    assert (one.method, one.target, one.json) == ("POST", f"{PATH}/tags", {"tags": ["fav", "input"]})
    assert (other.method, other.target, other.json) == ("DELETE", f"{PATH}/tags", {"tags": ["fav", "zzz"]})
    assert (added.added, added.already_present) == (("fav",), ("input",))
    assert added.total_tags == ("fav", "input", "uploaded")
    assert (removed.removed, removed.not_present, removed.total_tags) == (("fav",), ("zzz",), ("input", "uploaded"))


def test_no_tags_at_all(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, captured(f"empty POST {PATH}/tags"))
    with pytest.raises(ServerError, match="400: Invalid JSON body for tags add"):
        assets.tags.add(ID)


def test_list(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, captured("GET /api/tags?limit=3"))
    page = assets.tags.list(prefix="m", order="name_asc", include_zero=False, limit=3, offset=0)

    assert asked(flaky).path == "/api/tags"
    assert asked(flaky).query == {
        "prefix": "m",
        "order": "name_asc",
        "include_zero": "false",
        "limit": "3",
        "offset": "0",
    }
    assert page.tags == (TagUsage("input", 3), TagUsage("model_type:loras", 3), TagUsage("models", 3))
    assert (page.total, page.has_more) == (27, True)
    assets.tags.list()
    assert flaky.requests[-1].target == "/api/tags"
    assets.tags.list(include_zero=True)
    assert flaky.requests[-1].query == {"include_zero": "true"}


def test_refine(assets: Assets, flaky: FlakyServer) -> None:
    answering(flaky, captured("GET /api/assets/tags/refine?include_tags=input"))
    counts = assets.tags.refine(
        include_tags="input", exclude_tags=["a", "b"], name_contains="n", metadata_filter={"k": 1}, limit=7
    )

    assert counts == {"input": 3, "uploaded": 1}
    assert asked(flaky).path == "/api/assets/tags/refine"
    assert asked(flaky).query == {
        "include_tags": "input",
        "exclude_tags": "a,b",
        "name_contains": "n",
        "metadata_filter": '{"k": 1}',
        "limit": "7",
    }
