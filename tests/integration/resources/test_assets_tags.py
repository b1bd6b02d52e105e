"""``client.assets.tags`` on a real server with ``--enable-assets``."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from comfyclient.errors import ServerError
from comfyclient.types import TagUsage

if TYPE_CHECKING:
    from comfyclient.resources import Assets


def test_the_life_of_a_tag(assets: Assets, content: bytes, label: str) -> None:
    asset = assets.upload(content)

    added = assets.tags.add(asset, label, "input")
    assert (added.added, added.already_present, added.extra) == ((label,), ("input",), {})
    assert set(added.total_tags) == {"input", "uploaded", label}
    assert assets.tags.list(prefix=label).tags == (TagUsage(label, 1),)
    removed = assets.tags.remove(asset, label, "zzz")
    assert (removed.removed, removed.not_present, removed.extra) == ((label,), ("zzz",), {})
    assert assets.tags.list(prefix=label).tags == (TagUsage(label, 0),)
    assert assets.tags.list(prefix=label, include_zero=False).tags == ()
    page = assets.tags.list(order="name_asc", limit=2, offset=1)
    names = [tag.name for tag in assets.tags.list(order="name_asc").tags]
    assert [tag.name for tag in page.tags] == names[1:3]
    assert page.has_more
    with pytest.raises(ServerError, match="400: Invalid JSON body for tags add"):
        assets.tags.add(asset)


def test_the_tags_of_some_assets(assets: Assets, label: str) -> None:
    for i in range(3):
        assets.upload(uuid.uuid4().bytes, tags=["input", label, *["fav"] * (i == 0)])

    assert assets.tags.refine(include_tags=label) == {"input": 3, "uploaded": 3, label: 3, "fav": 1}
    few = assets.tags.refine(include_tags=label, limit=2)
    assert len(few) == 2
    assert few.keys() < {"input", "uploaded", label}
    assert assets.tags.refine(include_tags=[label, "fav"]) == {"input": 1, "uploaded": 1, label: 1, "fav": 1}
    assert "fav" not in assets.tags.refine(include_tags=label, exclude_tags="fav")
